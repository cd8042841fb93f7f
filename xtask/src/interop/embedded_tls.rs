//! A microcontroller with embedded-tls and our verifier, against OpenSSL: the matrix of chains that a TLS client must
//! get right, each in a whole handshake over the serial port of an emulated Cortex-M4.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Place, Venv};
use crate::{
    image::{self, THUMBV7EM_HF},
    qemu::{self, Board},
    tool::{self, Failure},
};

const PACKAGE: &str = "embedded-tls-device";
/// A handshake takes four seconds of a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    qemu::need()?;
    tool::run(&mut image::build(&place.root, PACKAGE, THUMBV7EM_HF)?)?;
    let image = image::path(&place.root, THUMBV7EM_HF, PACKAGE);
    let pki = place.work.join("pki");
    let make = place.root.join("vectors/certificate/make.py");
    tool::run(python.run(&make).arg("--live").arg(&pki))?;
    let index: Value = serde_json::from_str(&fs::read_to_string(pki.join("index.json"))?)?;
    let (mut accepted, mut refused, mut unsent) = (0, 0, 0);
    for chain in index.as_array().ok_or("no chains")? {
        let name = chain["name"].as_str().ok_or("a chain without a name")?;
        if chain["matrix"].as_bool() != Some(true) {
            continue;
        }
        let expected = chain["small"].as_u64().ok_or("a chain without an answer")?;
        let server = Server::start(&pki, name)?;
        let serial = format!("tcp:127.0.0.1:{}", server.port);
        // The second serial port; the first leads nowhere.
        let answer = qemu::run_with(&image, Board::MPS2_AN386, &["-serial", &serial], PATIENCE);
        match (answer.map_err(|error| error.to_string()), expected) {
            (Ok(_), 0) => accepted += 1,
            (Ok(_), _) => return Err(format!("embedded-tls: {name} was accepted").into()),
            (Err(printed), 0) => return Err(format!("embedded-tls: {name} was refused: {printed}").into()),
            // OpenSSL has no signature for some keys that the client could check, and ends the handshake itself.
            (Err(printed), _) if printed.contains("not because of a certificate") => unsent += 1,
            (Err(printed), _) if printed.contains(&format!("refused {expected}\n")) => refused += 1,
            (Err(printed), _) => {
                return Err(
                    format!("embedded-tls: {name} was not refused with {expected}: {printed}").into(),
                );
            }
        }
    }
    if accepted < 4 || refused < 15 || unsent > 4 {
        return Err(format!("embedded-tls: {accepted} accepted and {refused} refused are too few").into());
    }
    println!(
        "embedded-tls on a Cortex-M4 against OpenSSL: {accepted} chains accepted, {refused} refused each for its \
         reason, {unsent} not sent by OpenSSL"
    );
    Ok(())
}

/// `openssl s_server` with a chain.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(pki: &Path, name: &str) -> Result<Self, Failure> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let whole = fs::read_to_string(pki.join(format!("{name}.chain.pem")))?;
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-www", "-quiet", "-cipher", "DEFAULT@SECLEVEL=0"])
            .args(["-accept", &format!("127.0.0.1:{port}")])
            .arg("-cert")
            .arg(pki.join(format!("{name}.pem")))
            .arg("-key")
            .arg(pki.join(format!("{name}.key")));
        let end = "-----END CERTIFICATE-----\n";
        if let Some((_, issuers)) = whole.split_once(end).filter(|(_, issuers)| !issuers.is_empty()) {
            let path = pki.join("issuers.pem");
            fs::write(&path, issuers)?;
            command.arg("-cert_chain").arg(path);
        }
        let spawned = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = spawned.map_err(|error| format!("openssl: {error}: apt-get install openssl"))?;
        let server = Self { child, port };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err(format!("openssl does not serve {name}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
