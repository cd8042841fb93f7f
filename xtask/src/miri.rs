//! The Rust side of the C interface under Miri: every function succeeds once and refuses every null pointer, and every
//! byte that is read and every reference that is alive is looked at.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::{
    c::declared,
    tool::{self, Failure},
};

/// Tests of `iotsec-ffi/tests/ffi`, each in a process of its own, the longest first: of the first two each takes
/// ten minutes and more on a busy machine with two processors, the last one two seconds.
const TESTS: [&str; 12] = [
    "every::update::update",
    "every::device::device",
    "every::identity::identity",
    "every::pairing::pairing",
    "every::key::key",
    "every::telemetry::telemetry",
    "every::store::store",
    "every::login::login",
    "every::trust::trust",
    "null::a_null_pointer_is_refused_wherever_it_stands",
    "every::plain::plain",
    "every::detect::detect",
];
/// Crates of others are optimised before they are interpreted: most of the time goes into their cryptography, and what is
/// looked at is ours.
const OTHERS: [&str; 3] = [
    r#"profile.dev.package."*".rustflags=["-Zmir-opt-level=3","-Zinline-mir=yes","-Zinline-mir-threshold=500","-Zinline-mir-hint-threshold=1000"]"#,
    r#"profile.dev.package."*".overflow-checks=false"#,
    r#"profile.dev.package."*".debug-assertions=false"#,
];
/// What a function is announced by that has succeeded.
const SUCCEEDED: &str = "succeeded: ";
const TREE: &str = "--tree-borrows";
const QUICK: &str = "--quick";
/// The tests of [`QUICK`]: those that take the least cryptography.
const SHORT: [&str; 4] = [
    "every::detect",
    "every::plain",
    "every::login",
    "every::telemetry",
];

/// Runs all tests, or the short ones, or those whose names have one of the arguments in them.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    tool::need_toolchain("nightly")?;
    let mut flags = String::from("-Zmiri-strict-provenance");
    if args.contains(&TREE) {
        flags.push_str(" -Zmiri-tree-borrows");
    }
    let parts = args.iter().copied().filter(|arg| ![TREE, QUICK].contains(arg));
    let short = SHORT.into_iter().filter(|_| args.contains(&QUICK));
    let parts: Vec<&str> = parts.chain(short).collect();
    let tests = TESTS
        .into_iter()
        .filter(|name| parts.is_empty() || parts.iter().any(|part| name.contains(part)));
    let tests: Vec<&str> = tests.collect();
    if tests.is_empty() {
        return Err(format!("none of {TESTS:?}").into());
    }
    let miri = Miri { root, flags };
    tool::run(miri.command().args(["--lib", "--", "object"]))?;
    tool::run(miri.command().args(["--test", "ffi", "--no-run"]))?;
    let succeeded = miri.all(&tests)?;
    if !parts.is_empty() {
        return Ok(());
    }
    let declared = declared(root)?;
    let missing: Vec<&String> = declared.difference(&succeeded).collect();
    if !missing.is_empty() {
        return Err(format!("no test under Miri has them succeed: {missing:?}").into());
    }
    println!("Miri: {} functions succeeded, and refused null", declared.len());
    Ok(())
}

struct Miri<'r> {
    root: &'r Path,
    flags: String,
}

/// A test that runs, with what it prints going to a file.
struct Running {
    name: &'static str,
    process: Child,
    since: Instant,
}

impl Miri<'_> {
    fn command(&self) -> Command {
        // Through rustup's cargo: the one that runs this program belongs to a fixed toolchain.
        let mut command = Command::new("cargo");
        command.current_dir(self.root).env_remove("RUSTUP_TOOLCHAIN");
        command.env("MIRIFLAGS", &self.flags);
        command.args([
            "+nightly",
            "miri",
            "test",
            "--quiet",
            "-p",
            "iotsec-ffi",
            "-Zprofile-rustflags",
        ]);
        command.args(OTHERS.iter().flat_map(|setting| ["--config", setting]));
        command
    }

    /// Runs as many at once as there are processors. Gives the functions that succeeded.
    fn all(&self, tests: &[&'static str]) -> Result<BTreeSet<String>, Failure> {
        let at_once = std::thread::available_parallelism()?.get();
        let (mut waiting, mut running) = (tests.iter(), Vec::<Running>::new());
        let (mut succeeded, mut failed) = (BTreeSet::new(), Vec::new());
        loop {
            while running.len() < at_once
                && let Some(name) = waiting.next()
            {
                running.push(self.start(name)?);
            }
            if running.is_empty() {
                break;
            }
            let mut still = Vec::new();
            for mut test in running {
                match test.process.try_wait()? {
                    None => still.push(test),
                    Some(status) => {
                        let printed = fs::read_to_string(self.log(test.name))?;
                        println!("{:5} s  {}", test.since.elapsed().as_secs(), test.name);
                        if !status.success() || !printed.contains("1 passed") {
                            failed.push(format!("{}:\n{printed}", test.name));
                        }
                        let names = printed.lines().filter_map(|line| line.strip_prefix(SUCCEEDED));
                        succeeded.extend(names.map(str::to_owned));
                    }
                }
            }
            running = still;
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        if failed.is_empty() {
            Ok(succeeded)
        } else {
            Err(failed.join("\n").into())
        }
    }

    fn start(&self, name: &'static str) -> Result<Running, Failure> {
        let log = fs::File::create(self.log(name))?;
        let mut command = self.command();
        command.args(["--test", "ffi", "--", "--exact", "--nocapture", name]);
        command.stderr(Stdio::from(log.try_clone()?)).stdout(log);
        Ok(Running {
            name,
            process: command.spawn()?,
            since: Instant::now(),
        })
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        let name = name.replace("::", "-");
        self.root.join("target/miri").join(name).with_extension("log")
    }
}
