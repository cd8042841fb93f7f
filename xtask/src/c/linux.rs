//! The examples and the table of refusals on Linux, under the sanitizers and under valgrind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{INCLUDE, example, table};
use crate::tool::{self, Failure};

const SANITIZERS: [&str; 3] = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
/// What a Rust library with the standard library asks of the system.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];
const TABLE: &str = "iotsec-ffi/tests/c";

/// Where programs go, and what they are linked with.
pub(super) struct Linux<'a> {
    root: &'a Path,
    library: &'a Path,
    work: PathBuf,
}

impl<'a> Linux<'a> {
    pub(super) fn new(root: &'a Path, library: &'a Path) -> Result<Self, Failure> {
        let work = root.join("target/c");
        fs::create_dir_all(&work)?;
        if !has_sanitizers(&work) {
            return Err(
                "gcc cannot link -fsanitize=address,undefined: apt-get install libasan8 libubsan1".into(),
            );
        }
        Ok(Self { root, library, work })
    }

    /// An example under the sanitizers; what it printed.
    pub(super) fn sanitized(&self, name: &str, options: &[&str]) -> Result<String, Failure> {
        let program = self.work.join(name);
        let mut command = example(self.root, name, "gcc", "linux_board");
        command.args(SANITIZERS).args(options);
        self.link(command, &program)?;
        run(&mut Command::new(program))
    }

    /// An example under valgrind, which also finds what was read before it was written, and what was lost.
    pub(super) fn under_valgrind(&self, name: &str) -> Result<(), Failure> {
        let program = self.work.join(format!("{name}-plain"));
        let mut command = example(self.root, name, "gcc", "linux_board");
        command.args(["-g", "-O1"]);
        self.link(command, &program)?;
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        run(valgrind
            .args(["--track-origins=no", "--errors-for-leak-kinds=all"])
            .arg(program))?;
        println!("valgrind: nothing to say about {name}.c");
        Ok(())
    }

    /// The table of calls that must be refused.
    pub(super) fn refusals(&self) -> Result<(), Failure> {
        let header = fs::read_to_string(self.root.join(INCLUDE).join("iotsec.h"))?;
        let (code, words) = table::write(&header)?;
        let source = self.work.join("refusals.c");
        fs::write(&source, code)?;
        let program = self.work.join("refusals");
        let mut command = Command::new("gcc");
        command.args(super::WARNINGS).args(["-std=c11"]).args(SANITIZERS);
        command.arg("-I").arg(self.root.join(INCLUDE));
        command.arg("-I").arg(self.root.join(super::EXAMPLES));
        command.arg("-I").arg(self.root.join(TABLE)).arg(&source);
        command.args(table::FIXTURES.map(|name| self.root.join(TABLE).join(name).with_extension("c")));
        command.args(["ram_board", "linux_board"].map(|name| super::source(self.root, name)));
        self.link(command, &program)?;
        let printed = run(&mut Command::new(program))?;
        let last = printed.lines().last().unwrap_or_default();
        println!("refusals: {words}; {last}");
        Ok(())
    }

    fn link(&self, mut command: Command, program: &Path) -> Result<(), Failure> {
        tool::run(command.arg(self.library).args(SYSTEM).arg("-o").arg(program))
    }
}

fn run(command: &mut Command) -> Result<String, Failure> {
    let output = tool::output(command)?;
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(printed)
    } else {
        Err(format!("{}\n{printed}", output.status).into())
    }
}

fn has_sanitizers(folder: &Path) -> bool {
    let (source, program) = (folder.join("probe.c"), folder.join("probe"));
    if fs::write(&source, "int main(void) { return 0; }\n").is_err() {
        return false;
    }
    let mut compile = Command::new("gcc");
    compile
        .args(["-fsanitize=address,undefined", "-o"])
        .arg(&program)
        .arg(&source);
    let works = |command: &mut Command| {
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    works(&mut compile) && works(&mut Command::new(&program))
}
