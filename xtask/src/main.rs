//! Checks that need more than Rust: firmware in QEMU, C, sizes, vectors, fuzzing.

mod bench;
mod book;
mod c;
mod capture;
mod claims;
mod deny;
mod dependencies;
#[cfg(test)]
mod documents;
mod elf;
mod evidence;
mod fault_injection;
mod firmware;
mod fixture;
mod fleet;
mod fuzz;
mod guides;
mod header;
mod image;
mod interop;
mod life;
mod miri;
mod no_panic;
mod outages;
mod packages;
mod pages;
mod performance;
mod power_cut;
mod powerset;
mod qemu;
mod reproduce;
mod residue;
mod rustc;
mod size;
mod soak;
mod stack;
mod status;
mod stream;
mod tool;
mod vectors;
mod vectors_mcuboot;

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
        usage: "[--cuts N] [--seed N] [--board NAME]",
        about: "build firmware/ and run it in QEMU; a boot loader and an application with power cuts",
        run: firmware::run,
    },
    Task {
        name: "reproduce",
        usage: "[--board NAME | --control]",
        about: "build boot loader and application of two boards twice, at different places: the same bit for bit",
        run: reproduce::run,
    },
    Task {
        name: "size",
        usage: "[--check | --flags]",
        about: "measure flash, RAM, stack and instructions: write or check docs/footprint.md; with other flags too",
        run: size::run,
    },
    Task {
        name: "no-panic",
        usage: "",
        about: "check that verifying, installing, booting, storing cannot panic",
        run: no_panic::run,
    },
    Task {
        name: "residue",
        usage: "",
        about: "check that cryptography leaves nothing of a key in the stack",
        run: residue::run,
    },
    Task {
        name: "fault-injection",
        usage: "[--quick] [--bytes N] [--only TEXT]",
        about: "skip each instruction of boot and update in QEMU: nothing unverified is accepted",
        run: fault_injection::run,
    },
    Task {
        name: "store-soak",
        usage: "[--operations N]",
        about: "random operations on the store with random power cuts, against a map: ten million",
        run: soak::run,
    },
    Task {
        name: "c",
        usage: "[linux | TARGET]...",
        about: "the C examples on Linux under sanitizers and valgrind, on Cortex-M and RISC-V in QEMU; calls that are refused",
        run: c::run,
    },
    Task {
        name: "miri",
        usage: "[--quick] [--tree-borrows] [TEST]...",
        about: "every function of the C interface under Miri: each succeeds, and refuses null",
        run: miri::run,
    },
    Task {
        name: "c-package",
        usage: "",
        about: "install the C library for Linux: SONAME, symbols, pkg-config, CMake",
        run: c::package::run,
    },
    Task {
        name: "packages",
        usage: "[--write | NAME...]",
        about: "build the packages for CMake, Zephyr, ESP-IDF, PlatformIO and Yocto as far as their tools are here",
        run: packages::run,
    },
    Task {
        name: "power-cut",
        usage: "[--quick]",
        about: "cut the power at every step of update and store, and count the steps",
        run: power_cut::run,
    },
    Task {
        name: "header",
        usage: "[--check]",
        about: "write or check iotsec.h and the error numbers in it",
        run: header::run,
    },
    Task {
        name: "claims",
        usage: "[--check]",
        about: "write or check what code claims of EN 303 645, read from beside it",
        run: claims::run,
    },
    Task {
        name: "documents",
        usage: "",
        about: "write the pages that are made of data: the guidelines, the mapping",
        run: pages::run,
    },
    Task {
        name: "guides",
        usage: "[NAME]",
        about: "follow the guides of the first device, of updates and of conformance, line by line",
        run: guides::run,
    },
    Task {
        name: "book",
        usage: "",
        about: "make a book of docs/ with mdBook, and check its links",
        run: book::run,
    },
    Task {
        name: "powerset",
        usage: "[--quick]",
        about: "check each feature alone, all but each, all, and every two that a crate asks about",
        run: powerset::run,
    },
    Task {
        name: "fuzz",
        usage: "[--seconds N]",
        about: "run every fuzz target",
        run: fuzz::run,
    },
    Task {
        name: "deny",
        usage: "",
        about: "check licences, sources and duplicates of the dependencies",
        run: deny::run,
    },
    Task {
        name: "fixture",
        usage: "",
        about: "write the envelopes of the images that firmware/ runs with",
        run: fixture::run,
    },
    Task {
        name: "bench",
        usage: "[--check]",
        about: "measure cryptography, store, update, minting, reconnecting, and others beside them; or only compile it",
        run: bench::run,
    },
    Task {
        name: "performance",
        usage: "[--ours|--check]",
        about: "measure the stores on flash: write or check docs/performance.md",
        run: performance::run,
    },
    Task {
        name: "dependencies",
        usage: "",
        about: "check that docs/dependencies.md lists every direct dependency",
        run: dependencies::run,
    },
    Task {
        name: "vectors",
        usage: "INDEX.json",
        about: "answer the SUIT vectors of an index",
        run: vectors::run,
    },
    Task {
        name: "interop",
        usage: "[--suit-generator FOLDER] [--iat-verifier FOLDER] [--x509-limbo FOLDER] [--only PART]",
        about: "compare with independent implementations, in both directions",
        run: interop::run,
    },
    Task {
        name: "evidence",
        usage: "",
        about: "evidence for the sample products: their programs read, the tests of claims run, reports written",
        run: evidence::run,
    },
    Task {
        name: "capture",
        usage: "",
        about: "count every packet of a device before consent, with it, and after withdrawal and deletion",
        run: capture::run,
    },
    Task {
        name: "outages",
        usage: "",
        about: "a device and a real mosquitto: killed, frozen, cut off, slow; nothing acknowledged is lost",
        run: outages::run,
    },
    Task {
        name: "fleet",
        usage: "[--quick]",
        about: "ten thousand devices and three NATS servers, one of which dies: each batch arrives, once",
        run: fleet::run,
    },
    Task {
        name: "vectors-mcuboot",
        usage: "FOLDER [--keys FOLDER]",
        about: "answer a folder of MCUboot images",
        run: vectors_mcuboot::run,
    },
];

fn main() -> ExitCode {
    if let Some(code) = rustc::stand_in() {
        return code;
    }
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
