//! The maker's update server: static files, as any object store has them, over a bad link.

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

use super::device::Result;

interfaces!(static MACHINE = [Interface::service(
    "files", "Releases for lamps", Service::tcp(8443, Scope::Loopback, Authentication::None),
)]);

/// Serves `files` and takes reports, which come out of the channel. The first question is answered by "later"; every
/// connection of those after it breaks after `link` bytes of content.
pub(crate) fn start(
    key: Arc<Ed25519SigningKey>,
    time: CertificateTime,
    files: HashMap<String, Vec<u8>>,
    link: usize,
) -> Result<mpsc::Receiver<Vec<u8>>> {
    let grant = MACHINE.gate(Phase::Owned).grant_listen("files")?;
    let listener = Listener::bind(grant, IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let server = Server::new(
        &Provider::ring(),
        Identity::raw(key)?,
        Alpn::Require(&[b"http/1.1"]),
    )?;
    let (reports, received) = mpsc::channel();
    thread::spawn(move || {
        for number in 0.. {
            // One lamp, one connection after the other. A broken one is the lamp's to notice.
            let Ok(incoming) = listener.accept() else { return };
            if let Ok(connection) = incoming.handshake(&server, time) {
                let _ = serve(connection, &files, link, number == 0, &reports);
            }
        }
    });
    Ok(received)
}

fn serve(
    connection: Connection,
    files: &HashMap<String, Vec<u8>>,
    mut link: usize,
    busy: bool,
    reports: &mpsc::Sender<Vec<u8>>,
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
        if busy {
            out.write_all(b"HTTP/1.1 503 Busy\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n")?;
        } else if length > 0 {
            let _ = reports.send(content);
            out.write_all(b"HTTP/1.1 204 Thanks\r\n\r\n")?;
        } else if let Some(file) = files.get(&path) {
            let (all, rest) = (file.len(), &file[from..]);
            let status = if from == 0 { "200 OK" } else { "206 Part" };
            let part = match from {
                0 => String::new(),
                _ => format!("Content-Range: bytes {from}-{}/{all}\r\n", all - 1),
            };
            write!(
                out,
                "HTTP/1.1 {status}\r\n{part}Content-Length: {}\r\n\r\n",
                rest.len()
            )?;
            let sent = rest.len().min(link);
            out.write_all(&rest[..sent])?;
            link -= sent;
            if sent < rest.len() {
                return out.flush();
            }
        } else {
            out.write_all(b"HTTP/1.1 404 Nothing\r\nContent-Length: 0\r\n\r\n")?;
        }
        out.flush()?;
    }
}
