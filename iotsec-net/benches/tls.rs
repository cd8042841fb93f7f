//! What our TLS costs over plain rustls with its default configuration, against the same server in the same run.
//!
//! ```text
//! cargo bench -p iotsec-net --bench tls
//! ```
//!
//! Both clients do full handshakes, TLS 1.3, with a server of rustls in memory that sends no tickets. The time is that
//! of the client alone, the best of many rounds in which both take turns; the server's would only hide the difference.

#[path = "../tests/tls/pki.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod pki;
#[path = "../tests/certificate/vector.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod vector;
#[path = "../tests/tls/wire.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod wire;

use std::{
    io::{Read, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use iotsec_core::hal::Millis;
use iotsec_net::tls::{Alpn, Anchors, Client, PostQuantum, Provider, Session, Step, TlsError};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, crypto::CryptoProvider,
};
use rustls_pki_types::{CertificateDer, ServerName};
use wire::{Peer, wire};

const ROUNDS: usize = 1500;
const TRANSFER: usize = 1 << 20;

fn main() {
    println!(
        "{:<44} {:>12} {:>12} {:>10}",
        "the client's part", "plain rustls", "ours", "difference"
    );
    for (name, ours, theirs) in [
        ("ring", Provider::ring(), rustls::crypto::ring::default_provider()),
        (
            "AWS-LC, X25519MLKEM768",
            Provider::aws_lc(PostQuantum::Prefer),
            rustls::crypto::aws_lc_rs::default_provider(),
        ),
    ] {
        for chain in ["good", "viainter", "ed25519"] {
            compare(&format!("{name}, {chain}"), chain, &ours, &theirs);
        }
    }
}

/// What a client did.
#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    bytes: usize,
}

impl Cost {
    const MOST: Self = Self {
        time: Duration::MAX,
        bytes: 0,
    };

    fn best(&mut self, other: Self) {
        self.time = self.time.min(other.time);
        self.bytes = other.bytes;
    }
}

fn compare(name: &str, chain: &str, ours: &Provider, theirs: &CryptoProvider) {
    let mut config = pki::config_with(theirs.clone(), pki::anybody, pki::certified(chain));
    config.send_tls13_tickets = 0;
    let server = Arc::new(config);
    let anchors = vector::Vectors::read().anchors;
    let client = Client::new(ours, Anchors::new(&anchors, vector::NOW).unwrap(), Alpn::Absent).unwrap();
    let plain = Arc::new(plain(theirs, &anchors));

    let (mut best, mut transfer) = ([Cost::MOST; 2], [Cost::MOST; 2]);
    for round in 0..ROUNDS {
        let (cost, mut connection) = handshake_plain(&plain, &server);
        best[0].best(cost);
        let (cost, mut session) = handshake_ours(&client, &server);
        best[1].best(cost);
        if round % 50 == 0 {
            transfer[0].best(upload(|bytes, end| {
                let taken = connection.writer().write(bytes).unwrap();
                while connection.wants_write() {
                    connection.write_tls(end).unwrap();
                }
                taken
            }));
            transfer[1].best(upload(|bytes, end| session.write(end, bytes, Millis(1)).unwrap()));
        }
    }
    let percent = |one: f64, other: f64| format!("{:+.1} %", (other / one - 1.0) * 100.0);
    let rate = |cost: Cost| 1.0 / cost.time.as_secs_f64();
    let [plain, own] = best;
    let line = |what: &str, plain: String, own: String, difference: String| {
        println!(
            "{:<44} {plain:>12} {own:>12} {difference:>10}",
            format!("{name}: {what}")
        );
    };
    line(
        "handshakes/s",
        format!("{:.0}", rate(plain)),
        format!("{:.0}", rate(own)),
        percent(plain.time.as_secs_f64(), own.time.as_secs_f64()),
    );
    #[allow(clippy::cast_precision_loss, reason = "counts of bytes are small")]
    let bytes = |cost: Cost| cost.bytes as f64;
    line(
        "bytes of one",
        plain.bytes.to_string(),
        own.bytes.to_string(),
        percent(bytes(plain), bytes(own)),
    );
    if chain == "good" {
        let [plain, own] = transfer;
        let speed = |cost: Cost| format!("{:.0}", bytes(cost) / cost.time.as_secs_f64() / 1e6);
        line(
            "MB/s sent",
            speed(plain),
            speed(own),
            percent(plain.time.as_secs_f64(), own.time.as_secs_f64()),
        );
        line(
            "bytes for 1 MiB",
            plain.bytes.to_string(),
            own.bytes.to_string(),
            percent(bytes(plain), bytes(own)),
        );
    }
}

/// As the first page of the documentation of rustls has it.
fn plain(provider: &CryptoProvider, anchors: &[&'static [u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots.add(CertificateDer::from(*anchor)).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(provider.clone()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn handshake_plain(config: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Cost, ClientConnection) {
    let (mut near, mut far) = wire();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    let mut time = Duration::ZERO;
    let start = Instant::now();
    let name = ServerName::try_from("broker.example").unwrap();
    let mut client = ClientConnection::new(config.clone(), name).unwrap();
    time += start.elapsed();
    while client.is_handshaking() || client.wants_write() {
        let start = Instant::now();
        while client.wants_write() {
            client.write_tls(&mut near).unwrap();
        }
        if client.is_handshaking() && client.read_tls(&mut near).is_ok() {
            client.process_new_packets().unwrap();
        }
        time += start.elapsed();
        server.turn(&mut far);
    }
    let bytes = near.sent().len() + far.sent().len();
    (Cost { time, bytes }, client)
}

fn handshake_ours(client: &Client, server: &Arc<ServerConfig>) -> (Cost, Session) {
    let (mut near, mut far) = wire();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    let start = Instant::now();
    let mut handshake = client.start(&pki::host(), vector::NOW, Millis(0)).unwrap();
    let mut time = start.elapsed();
    loop {
        let start = Instant::now();
        let step = handshake.advance(&mut near, Millis(1));
        time += start.elapsed();
        match step.unwrap() {
            Step::Pending(pending) => handshake = pending,
            Step::Done(session) => {
                let bytes = near.sent().len() + far.sent().len();
                return (Cost { time, bytes }, session);
            }
        }
        server.turn(&mut far);
    }
}

/// Sends 1 MiB to nobody who reads it.
fn upload(mut write: impl FnMut(&[u8], &mut Sink) -> usize) -> Cost {
    let (message, mut sink) = (vec![7; TRANSFER], Sink(0));
    let start = Instant::now();
    let mut left = &message[..];
    while !left.is_empty() {
        let taken = write(left, &mut sink);
        left = &left[taken..];
    }
    Cost {
        time: start.elapsed(),
        bytes: sink.0,
    }
}

struct Sink(usize);

impl Read for Sink {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(TlsError::Blocked.into())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
