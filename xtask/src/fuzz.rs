//! Every target of `fuzz/` for some seconds, on the nightly compiler.

use std::{fs, path::Path};

use crate::tool::{self, Failure};

const SECONDS: u32 = 10;

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let seconds = match args {
        [] => SECONDS,
        ["--seconds", seconds] => seconds.parse()?,
        _ => return Err("takes --seconds N or nothing".into()),
    };
    tool::need_cargo("fuzz", "cargo install --locked cargo-fuzz@0.13.2")?;
    tool::need_toolchain("nightly")?;
    let targets = tool::text(fuzz(root).arg("list"))?;
    if targets.trim().is_empty() {
        return Err("fuzz/ has no target".into());
    }
    tool::run(fuzz(root).arg("build"))?;
    for target in targets.lines() {
        println!("== {target}, {seconds} s");
        // What the fuzzer finds new goes into the first folder; the committed corpus stays as it is.
        let found = root.join("target/fuzz-corpus").join(target);
        fs::create_dir_all(&found)?;
        let mut command = fuzz(root);
        command.args(["run", target]).arg(found);
        let corpus = root.join("fuzz/corpus").join(target);
        if corpus.is_dir() {
            command.arg(corpus);
        }
        command.arg("--");
        command.arg(format!("-max_total_time={seconds}"));
        command.args([
            "-print_final_stats=1",
            "-verbosity=0",
            "-timeout=10",
            "-rss_limit_mb=1024",
        ]);
        tool::run(&mut command)?;
    }
    Ok(())
}

fn fuzz(root: &Path) -> std::process::Command {
    // Through rustup's cargo: the one that runs this program belongs to a fixed toolchain.
    let mut command = std::process::Command::new("cargo");
    command
        .current_dir(root)
        .env_remove("RUSTUP_TOOLCHAIN")
        // cargo-fuzz asks for all debug information whatever the profile says. Of a crash, lines are enough.
        .env("RUSTFLAGS", "-Cdebuginfo=line-tables-only")
        .args(["+nightly", "fuzz"]);
    command
}
