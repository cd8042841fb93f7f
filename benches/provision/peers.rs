//! What others make keys, certificates and passcodes with.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::Result;

/// `openssl`, as it is on the path.
pub(crate) struct OpenSsl {
    folder: PathBuf,
    version: String,
}

impl OpenSsl {
    pub(crate) fn find(folder: &Path) -> std::result::Result<Self, &'static str> {
        let output = Command::new("openssl").arg("version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.map_err(|_| "openssl (apt-get install openssl)")?;
        let words: Vec<&str> = text.split_whitespace().take(2).collect();
        Ok(Self {
            folder: folder.join("openssl"),
            version: words.join(" "),
        })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// A key for each unit.
    pub(crate) fn keys(&self, units: u32) -> Result<Duration> {
        fresh(&self.folder)?;
        let start = Instant::now();
        for unit in 0..units {
            self.key(unit)?;
        }
        Ok(start.elapsed())
    }

    /// A key for each unit, and a certificate that it signs itself.
    pub(crate) fn certified(&self, units: u32) -> Result<Duration> {
        fresh(&self.folder)?;
        let start = Instant::now();
        for unit in 0..units {
            self.key(unit)?;
            let subject = format!("/O=Example/CN=L2-{unit:06}/serialNumber=L2-{unit:06}");
            let (key, out) = (format!("{unit}.key"), format!("{unit}.crt"));
            let mut request = Command::new("openssl");
            request.args(["req", "-x509", "-days", "36500", "-subj", &subject]);
            self.run(request.args(["-key", &key, "-out", &out]))?;
        }
        Ok(start.elapsed())
    }

    fn key(&self, unit: u32) -> Result<()> {
        let mut make = Command::new("openssl");
        make.args(["genpkey", "-algorithm", "ed25519", "-out", &format!("{unit}.key")]);
        self.run(&mut make)
    }

    fn run(&self, command: &mut Command) -> Result<()> {
        run(command.current_dir(&self.folder))
    }
}

/// Espressif's tool for Matter's factory data.
pub(crate) struct MatterTool {
    folder: PathBuf,
    program: PathBuf,
}

impl MatterTool {
    /// On the path, or where `cargo xtask interop` has put it.
    pub(crate) fn find(folder: &Path) -> std::result::Result<Self, &'static str> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop/venv-matter/bin");
        let path = env::var_os("PATH").unwrap_or_default();
        let places = std::iter::once(own).chain(env::split_paths(&path));
        let program = places
            .map(|place| place.join("esp-matter-mfg-tool"))
            .find(|program| program.exists());
        let missing =
            "esp-matter-mfg-tool (pip install esp-matter-mfg-tool, or cargo xtask interop --only provision)";
        Ok(Self {
            folder: folder.join("matter"),
            program: program.ok_or(missing)?,
        })
    }

    /// All units in one run.
    pub(crate) fn make(&self, units: u32) -> Result<Duration> {
        fresh(&self.folder)?;
        let mut make = Command::new(&self.program);
        make.current_dir(&self.folder)
            .args(["-v", "0xFFF1", "-p", "0x8000", "-dm", "2"])
            .args(["-n", &units.to_string()]);
        let start = Instant::now();
        run(&mut make)?;
        Ok(start.elapsed())
    }
}

fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.output()?;
    if done.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr)).into())
    }
}
