//! A mosquitto that speaks TLS 1.3 and asks for certificates, with an authority of its own. What the device and its
//! service do with it stands in the example.

use std::{
    error::Error,
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use getrandom::SysRng;
use iotsec::{
    core::{
        crypto::Ed25519SigningKey,
        identity::{CertificationRequest, Subject},
    },
    net::tls::Identity,
};

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

pub(crate) const HOST: &str = "broker.example";
pub(crate) const PORT: u16 = 18_883;

const AUTHORITY: &str = "basicConstraints=critical,CA:TRUE";
const AUTHORITY_USAGE: &str = "keyUsage=critical,keyCertSign,cRLSign";
const LEAF: &str = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n";

/// What is missing to run one, and how to install it.
pub(crate) fn missing() -> Option<&'static str> {
    let starts = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok()
    };
    if !starts("openssl", "version") {
        return Some("apt-get install openssl");
    }
    if program().is_none() {
        return Some("apt-get install mosquitto");
    }
    None
}

/// Distributions keep it where users do not look.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let mut files = folders.into_iter().map(|folder| folder.join("mosquitto"));
    files.find(|file| file.exists())
}

/// The broker, and its folder.
pub(crate) struct Mosquitto {
    folder: PathBuf,
    child: Option<Child>,
    back_at: Option<Instant>,
}

impl Mosquitto {
    /// With a new authority and a certificate for `broker.example`.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let folder = &Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(name);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let broker = Self {
            folder: folder.to_owned(),
            child: None,
            back_at: None,
        };
        let authority =
            "req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=Example-CA";
        broker.openssl(authority, &["-addext", AUTHORITY, "-addext", AUTHORITY_USAGE])?;
        broker.openssl("x509 -in ca.pem -outform DER -out ca.der", &[])?;
        broker.openssl(
            "req -newkey ed25519 -nodes -keyout server.key -out server.csr -subj /CN=broker.example",
            &[],
        )?;
        broker.certify(
            "server",
            "-inform PEM -outform PEM -out server.pem",
            "serverAuth\nsubjectAltName=DNS:broker.example",
        )?;
        let lines = [
            &format!("listener {PORT} 127.0.0.1"),
            "tls_version tlsv1.3",
            "require_certificate true",
            "use_identity_as_username true",
            "cafile ca.pem",
            "certfile server.pem",
            "keyfile server.key",
            // What it acknowledges is on disk soon after, its sessions too.
            "persistence true",
            "autosave_on_changes true",
            "autosave_interval 1",
            "user root",
        ];
        fs::write(folder.join("mosquitto.conf"), lines.join("\n") + "\n")?;
        Ok(broker)
    }

    /// The certificate of the authority.
    pub(crate) fn authority(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.folder.join("ca.der"))?)
    }

    /// A key that nobody else sees, and the authority's certificate for it, as in a factory.
    pub(crate) fn enrol(&self, name: &str) -> Result<Identity> {
        let key = Ed25519SigningKey::generate(&mut SysRng)?;
        let mut out = [0; CertificationRequest::MAX_LEN];
        let request = CertificationRequest::write(&Subject::new(name)?.common_name(name)?, &key, &mut out)?;
        fs::write(self.folder.join(format!("{name}.csr")), request)?;
        let files = format!("-inform DER -outform DER -out {name}.der");
        self.certify(name, &files, "clientAuth")?;
        let certificate = fs::read(self.folder.join(format!("{name}.der")))?;
        Ok(Identity::new(&[&certificate], Arc::new(key))?)
    }

    pub(crate) fn start(&mut self) -> Result {
        let mut command = Command::new(program().ok_or("mosquitto is missing")?);
        command.args(["-c", "mosquitto.conf"]).current_dir(&self.folder);
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", PORT)).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err("mosquitto does not listen".into())
    }

    /// Kills it without a word to anybody (SIGKILL), the first time that this is called.
    pub(crate) fn kill_once_for(&mut self, time: Duration) -> Result {
        if self.back_at.is_none() {
            self.kill()?;
            self.back_at = Some(Instant::now() + time);
            println!("      the broker is killed");
        }
        Ok(())
    }

    /// Starts it again when it is time.
    pub(crate) fn tend(&mut self) -> Result {
        if self.child.is_none() && self.back_at.is_some_and(|back| Instant::now() >= back) {
            self.start()?;
            println!("      the broker is back");
        }
        Ok(())
    }

    fn kill(&mut self) -> Result {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn certify(&self, name: &str, files: &str, usage: &str) -> Result {
        fs::write(
            self.folder.join("extensions"),
            format!("{LEAF}extendedKeyUsage={usage}\n"),
        )?;
        let how = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions";
        self.openssl(&format!("x509 -req -in {name}.csr {how} {files}"), &[])
    }

    fn openssl(&self, line: &str, more: &[&str]) -> Result {
        let mut command = Command::new("openssl");
        let output = command
            .args(line.split(' '))
            .args(more)
            .current_dir(&self.folder)
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("openssl {line}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
