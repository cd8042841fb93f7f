//! The maker's service, as far as the camera sees it: files and a place to post to, over TLS, on this machine.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, mpsc},
    thread,
};

use iotsec::{
    core::crypto::Ed25519SigningKey,
    net::{
        interfaces,
        surface::{Authentication, Interface, Phase, Scope, Service},
        time::CertificateTime,
        tls::{Alpn, Connection, Identity, Listener, Provider, Server},
    },
};

use crate::unit::Result;

/// Where every host of the camera's interface table answers.
pub const PORT: u16 = 4433;

interfaces!(static MACHINE = [Interface::service(
    "cloud", "Stands for the maker's service", Service::tcp(PORT, Scope::Loopback, Authentication::None),
)]);

/// What was posted: where to, and what.
pub type Posted = (String, Vec<u8>);

/// Serves `files` and takes what is posted. The camera has the raw public key pinned (RFC 7250).
pub fn start(
    key: Arc<Ed25519SigningKey>,
    files: HashMap<&'static str, Vec<u8>>,
    time: CertificateTime,
) -> Result<mpsc::Receiver<Posted>> {
    let grant = MACHINE.gate(Phase::Owned).grant_listen("cloud")?;
    let listener = Listener::bind(grant, IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let alpn = Alpn::Require(&[b"http/1.1"]);
    let server = Server::new(&Provider::ring(), Identity::raw(key)?, alpn)?;
    let (sender, posted) = mpsc::channel();
    thread::spawn(move || {
        while let Ok(incoming) = listener.accept() {
            // Who breaks off is the camera's to tell.
            if let Ok(connection) = incoming.handshake(&server, time) {
                let _ = answer(connection, &files, &sender);
            }
        }
    });
    Ok(posted)
}

fn answer(
    connection: Connection,
    files: &HashMap<&'static str, Vec<u8>>,
    posted: &mpsc::Sender<Posted>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(connection);
    loop {
        let (mut path, mut from, mut length) = (None, 0, 0);
        for line in (&mut stream).lines() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            path = path.or_else(|| line.split(' ').nth(1).map(str::to_owned));
            let value = |name: &str| line.strip_prefix(name)?.trim_end_matches('-').parse().ok();
            from = value("Range: bytes=").unwrap_or(from);
            length = value("Content-Length: ").unwrap_or(length);
        }
        let Some(path) = path else { return Ok(()) };
        let mut content = vec![0; length];
        stream.read_exact(&mut content)?;
        let out = stream.get_mut();
        match files.get(path.as_str()) {
            _ if length > 0 => {
                let _ = posted.send((path, content));
                out.write_all(b"HTTP/1.1 204 Thanks\r\n\r\n")?;
            }
            Some(file) => {
                let (all, rest) = (file.len(), file.get(from..).unwrap_or_default());
                let status = match from {
                    0 => "200 OK\r\n".to_owned(),
                    _ => format!("206 Part\r\nContent-Range: bytes {from}-{}/{all}\r\n", all - 1),
                };
                write!(out, "HTTP/1.1 {status}Content-Length: {}\r\n\r\n", rest.len())?;
                out.write_all(rest)?;
            }
            None => out.write_all(b"HTTP/1.1 404 Nothing\r\nContent-Length: 0\r\n\r\n")?,
        }
        out.flush()?;
    }
}
