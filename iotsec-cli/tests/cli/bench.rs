//! A directory of its own for each test, and the program in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A product manifest.
pub(crate) const LAMP: &str = r#"
[product]
name = "Lamp"
model = "lamp-2"
vendor = "Example Lighting Ltd"
[serial]
prefix = "L2-"
first = 1
[credential]
password = true
exposure = "online"
setup-code = true
[identity]
origin = "factory"
"#;

/// What makes it a product with Matter.
pub(crate) const MATTER: &str = r#"
[matter]
vendor-id = 0xFFF1
product-id = 0x8000
discovery = ["ble"]
iterations = 1000
"#;

/// Where a test works; removed when it has passed.
pub(crate) struct Bench {
    dir: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    /// `test` names the directory, so it must be different for each.
    pub(crate) fn new(test: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }

    /// Runs `iotsec` with the words of `line`.
    pub(crate) fn run(&self, line: &str) -> Run {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env!("CARGO_BIN_EXE_iotsec"))
            .args(line.split_whitespace())
            .current_dir(&self.dir)
            .output()
            .unwrap();
        Run {
            status: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs a line that must succeed without a word on standard error.
    pub(crate) fn done(&self, line: &str) -> String {
        let run = self.run(line);
        assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{line}\n{run:?}");
        run.out
    }

    /// Runs a line that must be refused with just this reason, and a remedy.
    pub(crate) fn refused(&self, line: &str, reason: &str) {
        self.fails(line, 1, reason);
    }

    /// Runs a line that asks for what cannot be.
    pub(crate) fn misused(&self, line: &str, reason: &str) {
        self.fails(line, 2, reason);
    }

    fn fails(&self, line: &str, status: i32, reason: &str) {
        let run = self.run(line);
        assert_eq!(run.status, Some(status), "{line}\n{run:?}");
        let (problem, remedy) = run.err.split_once("\nremedy: ").unwrap_or_default();
        assert_eq!(problem, format!("iotsec: {reason}"), "{line}\n{run:?}");
        assert!(
            remedy.trim().len() > 5 && remedy.lines().count() == 1,
            "{line}\n{run:?}"
        );
        assert_eq!(run.out, "", "{line}");
    }

    /// Runs a line with `--json`; the object that it writes, and the exit status.
    pub(crate) fn json(&self, line: &str) -> (Option<i32>, Value) {
        let run = self.run(&format!("{line} --json"));
        assert_eq!(run.err, "", "{line}");
        let value: Value = serde_json::from_str(&run.out).unwrap();
        assert!(value.is_object(), "{line}");
        (run.status, value)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// The permission bits of a file.
    #[cfg(unix)]
    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}
