//! Checks that need more than Rust: firmware in QEMU, C, sizes, vectors, fuzzing.

mod elf;
mod firmware;
mod image;
mod qemu;
mod size;
mod tool;

use std::{env, path::Path, process::ExitCode};

use tool::Failure;

struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&Path, &[&str]) -> Result<(), Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "firmware",
        usage: "",
        about: "build firmware/ for Cortex-M4 and Cortex-M0 and run it in QEMU",
        run: firmware::run,
    },
    Task {
        name: "size",
        usage: "[--check]",
        about: "measure flash, RAM, stack and instructions; write or check docs/footprint.md",
        run: size::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let Some((name, rest)) = args.split_first() else {
        help();
        return ExitCode::FAILURE;
    };
    let Some(task) = TASKS.iter().find(|task| task.name == *name) else {
        help();
        return ExitCode::from(u8::from(!matches!(*name, "help" | "--help" | "-h")));
    };
    match (task.run)(&tool::root(), rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    println!("usage: cargo xtask TASK\n");
    for task in TASKS {
        let call = format!("{} {}", task.name, task.usage);
        println!("  {call:<24} {}", task.about);
    }
}
