//! A factory station of ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::Result;

/// Which device keys, and who certifies them.
#[derive(Clone, Copy)]
pub(crate) enum Keys {
    Ed25519,
    Ed25519Certified,
    P256Certified,
}

/// Runs `iotsec` in a folder that is made anew for each measurement.
pub(crate) struct Station {
    iotsec: PathBuf,
    folder: PathBuf,
}

const PRODUCT: &str = r#"
[product]
name = "Lamp"
model = "lamp-2"
vendor = "Example Lighting Ltd"
[serial]
prefix = "L2-"
[credential]
setup-code = true
"#;
const MATTER: &str = r#"
[matter]
vendor-id = 0xFFF1
product-id = 0x8000
discovery = ["ble"]
"#;
const P256: &str = "[identity]\nkind = \"p256\"\n";

impl Station {
    pub(crate) fn new(iotsec: &Path, folder: &Path) -> Self {
        Self {
            iotsec: iotsec.to_owned(),
            folder: folder.to_owned(),
        }
    }

    /// Passwords, set-up codes and device keys.
    pub(crate) fn mint(&self, keys: Keys, units: u32) -> Result<Duration> {
        let authority = match keys {
            Keys::Ed25519 => None,
            Keys::Ed25519Certified => Some("ed25519"),
            Keys::P256Certified => Some("p256"),
        };
        let more = if authority == Some("p256") { P256 } else { "" };
        self.begin(&format!("{PRODUCT}{more}"))?;
        if let Some(kind) = authority {
            self.run(&["ca", "init", "--organization", "Example", "--kind", kind])?;
        }
        let start = Instant::now();
        self.batch(units)?;
        Ok(start.elapsed())
    }

    /// The same with Matter, and what units and labels get of it.
    pub(crate) fn matter(&self, units: u32) -> Result<Duration> {
        self.begin(&format!("{PRODUCT}{MATTER}"))?;
        let start = Instant::now();
        self.batch(units)?;
        let keys = ["--key", "station/recipient.key", "--signer", "batch/signer.pub"];
        let export = [
            "provision",
            "export",
            "batch",
            "--format",
            "esp-nvs",
            "--out",
            "nvs",
        ];
        self.run(&[&export[..], &keys].concat())?;
        let labels = ["provision", "labels", "batch", "--only", "png", "--out", "labels"];
        self.run(&[&labels[..], &keys].concat())?;
        Ok(start.elapsed())
    }

    fn begin(&self, product: &str) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        Ok(fs::write(self.folder.join("iotsec.toml"), product)?)
    }

    fn batch(&self, units: u32) -> Result<()> {
        let count = units.to_string();
        let manifest = ["provision", "batch", "--manifest", "iotsec.toml"];
        self.run(&[&manifest[..], &["--out", "batch", "--count", &count]].concat())
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        let done = Command::new(&self.iotsec)
            .args(arguments)
            .current_dir(&self.folder)
            .output()?;
        if done.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into())
        }
    }
}
