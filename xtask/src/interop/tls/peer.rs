//! Programs that listen on loopback, and end when they are dropped.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use iotsec::net::tls::Connection;

use super::{PATIENCE, Pki};
use crate::tool::Failure;

pub(super) struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Peer {
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A server of OpenSSL with a chain of the vectors, which says each line backwards.
    pub(super) fn openssl(pki: &Pki, chain: &str, options: &[&str]) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = Command::new("openssl");
        command.args(["s_server", "-rev", "-accept", &format!("127.0.0.1:{port}")]);
        command.args([
            "-cert",
            &pki.path(&format!("{chain}.pem")),
            "-key",
            &pki.path(&format!("{chain}.key")),
        ]);
        command.arg("-no_ticket");
        if let Some(issuers) = pki.issuers(chain)? {
            command.args(["-cert_chain", &issuers]);
        }
        command.args(options);
        Self::when_it_says(&mut command, port, "ACCEPT")
    }

    /// A script that is given a port in front of its arguments.
    pub(super) fn script(command: &mut Command) -> Result<Self, Failure> {
        let port = free_port()?;
        command.env("PORT", port.to_string());
        Self::when_it_says(command, port, "READY")
    }

    fn when_it_says(command: &mut Command, port: u16, word: &str) -> Result<Self, Failure> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let peer = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let mut lines = BufReader::new(output);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            if line.contains(word) {
                // What it says later goes nowhere, and does not stop it.
                thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok(peer);
            }
            line.clear();
        }
        Err(format!("{command:?} did not start").into())
    }

    /// A broker that wants the certificate of a device.
    pub(super) fn mosquitto(pki: &Pki, chain: &str) -> Result<Self, Failure> {
        let port = free_port()?;
        let config = pki.path("mosquitto.conf");
        fs::write(
            &config,
            format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\ntls_version tlsv1.3\nrequire_certificate true\n\
                 cafile {}\ncertfile {}\nkeyfile {}\nuser root\n",
                pki.path("devices.pem"),
                pki.path(&format!("{chain}.chain.pem")),
                pki.path(&format!("{chain}.key"))
            ),
        )?;
        let mut command = Command::new("mosquitto");
        command
            .args(["-c", &config])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let peer = Self {
            child: command.spawn()?,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let begin = Instant::now();
        while TcpStream::connect(peer.address).is_err() {
            if begin.elapsed() > PATIENCE {
                return Err("mosquitto did not start".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(peer)
    }

    /// What OpenSSL's client hears.
    pub(super) fn s_client(address: SocketAddr, options: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-quiet",
            "-connect",
            &address.to_string(),
            "-servername",
            "broker.example",
        ]);
        command.args(options).stdin(Stdio::null());
        Ok(String::from_utf8_lossy(&command.output()?.stdout).into_owned())
    }
}

/// Subscribes to a topic of MQTT 3.1.1, publishes there, and returns what comes back.
pub(super) fn publish(mut connection: Connection, text: &str) -> Result<Vec<u8>, Failure> {
    connection.set_read_timeout(Duration::from_secs(5))?;
    let string = |text: &str| -> Result<Vec<u8>, Failure> {
        Ok([&u16::try_from(text.len())?.to_be_bytes(), text.as_bytes()].concat())
    };
    let packet = |kind: u8, body: &[u8]| -> Result<Vec<u8>, Failure> {
        Ok([&[kind, u8::try_from(body.len())?], body].concat())
    };
    let topic = string("state/lamp")?;
    let hello = [&string("MQTT")?[..], &[4, 2, 0, 60], &string("lamp")?].concat();
    connection.write_all(&packet(0x10, &hello)?)?;
    let mut answer = [0; 4];
    connection.read_exact(&mut answer)?;
    if answer != [0x20, 2, 0, 0] {
        return Err("the broker refused".into());
    }
    connection.write_all(&packet(0x82, &[&[0, 1], &topic[..], &[0]].concat())?)?;
    connection.read_exact(&mut [0; 5])?;
    let message = packet(0x30, &[&topic[..], text.as_bytes()].concat())?;
    connection.write_all(&message)?;
    let mut heard = vec![0; message.len()];
    connection.read_exact(&mut heard)?;
    connection.close()?;
    Ok(heard.split_off(message.len() - text.len()))
}
