//! Our TLS with OpenSSL, mosquitto, and servers that lie.

mod peer;
mod pki;
mod proxy;

use std::{
    io::{Read, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use iotsec::{
    core::{
        error::ErrorCode,
        hal::{Millis, UnixTime},
    },
    net::{
        surface::{
            Authentication, Endpoint, Host, Interface, InterfaceTable, ListenGrant, Phase, Protocol, Scope,
            Service,
        },
        time::CertificateTime,
        tls::{
            self, Alpn, Anchors, Client, ClientAnchors, Connection, Identity, Limits, Listener, PostQuantum,
            Provider, Server, TlsError,
        },
    },
};

use super::{Place, Venv};
use crate::tool::{self, Failure};
use peer::{Peer, free_port};
use pki::Pki;

/// What the servers that lie are made of, and what makes the chains.
const PEERS: &[&str] = &["cryptography==50.0.2", "tlslite-ng==0.8.2"];

pub(super) fn check(place: &Place) -> Result<(), Failure> {
    for (program, package) in [
        ("openssl", "openssl"),
        ("mosquitto", "mosquitto"),
        ("python3", "python3-venv"),
    ] {
        tool::need(program, &format!("apt-get install {package}"))?;
    }
    let python = Venv::new(&place.root.join("target/interop/venv-tls"), PEERS)?;
    let folder = place.work.join("tls");
    let mut make = python.run(&place.root.join("vectors/certificate/make.py"));
    tool::run(make.arg("--live").arg(&folder))?;
    let pki = Pki::make(&folder, &place.root)?;
    matrix(&pki)?;
    settings(&pki)?;
    clients_of_ours(&pki)?;
    mosquitto(&pki)?;
    hostile(&pki, &place.root, &python)
}

fn now() -> Result<CertificateTime, Failure> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(CertificateTime::exact(UnixTime(seconds)))
}

fn providers() -> [(&'static str, Provider); 2] {
    [
        ("ring", Provider::ring()),
        ("AWS-LC", Provider::aws_lc(PostQuantum::Prefer)),
    ]
}

fn connect(client: &Client, host: &str, address: SocketAddr) -> Result<Connection, TlsError> {
    let endpoint = Endpoint::new(Host::Controller, address.port(), Protocol::Mqtts);
    let interfaces = vec![Interface::endpoint("peer", "Another implementation", endpoint)];
    let table = InterfaceTable::new(interfaces.leak()).map_err(|_| TlsError::Unexpected)?;
    let gate = table.gate(Phase::Owned);
    let grant = gate.grant_outbound("peer", host, address.port())?;
    let time = now().map_err(|_| TlsError::Unexpected)?;
    tls::connect_at(grant, &[address], client, time)
}

fn code<T>(answer: &Result<T, TlsError>) -> u16 {
    answer.as_ref().map_or_else(ErrorCode::code, |_| 0)
}

fn expect<T>(what: &str, expected: u16, answer: &Result<T, TlsError>) -> Result<(), Failure> {
    match code(answer) {
        found if found == expected => Ok(()),
        found => Err(format!("TLS: {what} gives {found}, not {expected}").into()),
    }
}

/// Each chain, shown by OpenSSL.
fn matrix(pki: &Pki) -> Result<(), Failure> {
    let anchors = Anchors::new(&pki.anchors(), now()?)?;
    let (mut accepted, mut refused) = (0, 0);
    for (name, provider) in providers() {
        let client = Client::new(&provider, anchors.clone(), Alpn::Absent)?;
        for chain in &pki.chains {
            // OpenSSL does not show what it cannot read.
            if chain.name == "broken" {
                continue;
            }
            let server = Peer::openssl(pki, &chain.name, &["-cipher", "DEFAULT@SECLEVEL=0"])?;
            let expected = match &*chain.name {
                // No scheme of TLS 1.3 goes with this curve, so the server has nothing to show.
                "k1" => 5415,
                _ => chain.error,
            };
            let answer = connect(&client, &chain.host, server.address());
            expect(&format!("{name}, {}", chain.name), expected, &answer)?;
            *if expected == 0 {
                &mut accepted
            } else {
                &mut refused
            } += 1;
        }
    }
    println!(
        "TLS: chains shown by openssl s_server, two providers: {accepted} accepted, {refused} refused, each as it must be"
    );
    Ok(())
}

/// What servers of OpenSSL can be set to.
fn settings(pki: &Pki) -> Result<(), Failure> {
    const MQTT: Alpn = Alpn::Require(&[b"mqtt"]);
    const NONE: Alpn = Alpn::Absent;
    let anchors = Anchors::new(&pki.anchors(), now()?)?;
    let cases: &[(&[&str], Alpn, u16)] = &[
        (&["-tls1_3"], NONE, 0),
        // It asks again for a key on the other curve (HelloRetryRequest).
        (&["-groups", "P-256"], NONE, 0),
        (&["-groups", "X25519"], NONE, 0),
        (&["-groups", "P-521"], NONE, 5415),
        (&["-ciphersuites", "TLS_AES_128_GCM_SHA256"], NONE, 0),
        (&["-ciphersuites", "TLS_AES_256_GCM_SHA384"], NONE, 0),
        (&["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], NONE, 0),
        (&["-ciphersuites", "TLS_AES_128_CCM_8_SHA256"], NONE, 5415),
        (&["-tls1_2"], NONE, 5415),
        (&["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], NONE, 5415),
        (&["-alpn", "mqtt"], MQTT, 0),
        (&["-alpn", "http/1.1,mqtt"], MQTT, 0),
        (&["-alpn", "http/1.1"], MQTT, 5415),
        (&[], MQTT, 5416),
    ];
    for (name, provider) in providers() {
        for (options, alpn, expected) in cases {
            let client = Client::new(&provider, anchors.clone(), *alpn)?;
            let server = Peer::openssl(pki, "good", options)?;
            let answer = connect(&client, "broker.example", server.address());
            expect(&format!("{name}, {options:?}"), *expected, &answer)?;
        }
        let old = Client::new(&provider, anchors.clone(), NONE)?.with_tls12();
        for (options, expected) in [
            (&["-tls1_2"][..], 0),
            (&["-tls1_2", "-cipher", "AES128-SHA256:AES128-GCM-SHA256"], 5415),
            (&["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], 5415),
        ] {
            let server = Peer::openssl(pki, "good", options)?;
            let answer = connect(&old, "broker.example", server.address());
            expect(&format!("{name}, 1.2 allowed, {options:?}"), expected, &answer)?;
        }
        for device in ["device_p256", "device_ed25519"] {
            let options = [
                "-Verify",
                "2",
                "-verify_return_error",
                "-CAfile",
                &pki.path("devices.pem"),
            ];
            let server = Peer::openssl(pki, "good", &options)?;
            let known = Client::new(&provider, anchors.clone(), NONE)?.with_identity(pki.identity(device)?);
            let answer = connect(&known, "broker.example", server.address());
            let answer = answer.and_then(|connection| echo(connection, "who I am is known"));
            expect(&format!("{name}, {device}"), 0, &answer)?;
            let server = Peer::openssl(pki, "good", &[])?;
            let answer = connect(&known, "broker.example", server.address());
            expect(&format!("{name}, {device} that is not asked"), 5420, &answer)?;
        }
    }
    let strict = Client::new(&Provider::aws_lc(PostQuantum::Require), anchors, NONE)?;
    let server = Peer::openssl(pki, "good", &["-groups", "X25519:P-256"])?;
    let answer = connect(&strict, "broker.example", server.address());
    expect("ML-KEM required, and not there", 5415, &answer)?;
    println!(
        "TLS: versions, groups, suites, protocols and client certificates of openssl s_server: 2 x {} as they must be",
        cases.len() + 7
    );
    Ok(())
}

/// A server of OpenSSL started with `-rev` says each line backwards.
fn echo(mut connection: Connection, text: &str) -> Result<(), TlsError> {
    let of = |error: std::io::Error| TlsError::of(&error).unwrap_or(TlsError::Unexpected);
    connection.write_all(format!("{text}\n").as_bytes()).map_err(of)?;
    let mut heard = vec![0; text.len()];
    connection.read_exact(&mut heard).map_err(of)?;
    let is_same = heard.iter().rev().eq(text.as_bytes());
    is_same.then_some(()).ok_or(TlsError::Unexpected)
}

/// Our server, and OpenSSL's client.
fn clients_of_ours(pki: &Pki) -> Result<(), Failure> {
    let time = now()?;
    let devices = ClientAnchors::new(&[&pki.read("devices.der")?], time)?;
    let mut tried = 0;
    for (_, provider) in providers() {
        for chain in ["good", "ed25519"] {
            let plain = Server::new(
                &provider,
                pki.vector_identity(chain)?,
                Alpn::Offer(&[b"http/1.1"]),
            )?;
            let asking = plain.clone().with_clients(devices.clone());
            let root = pki.path("root.pem");
            let base = [
                "-verify_return_error",
                "-verify_hostname",
                "broker.example",
                "-CAfile",
                &root,
            ];
            let (cert, key) = (pki.path("device_ed25519.pem"), pki.path("device_ed25519.key"));
            let shown = ["-cert", &cert, "-key", &key];
            let cases: &[(&Server, &[&str], bool)] = &[
                (&plain, &["-tls1_3"], true),
                (&plain, &["-alpn", "http/1.1"], true),
                (&plain, &["-alpn", "h2"], false),
                (&plain, &["-tls1_2"], false),
                (&asking, &shown, true),
                (&asking, &["-tls1_3"], false),
            ];
            for (server, options, is_good) in cases {
                let (listener, address) = listener()?;
                let server = Server::clone(server);
                let served = thread::spawn(move || -> Result<(), TlsError> {
                    let mut connection = listener.accept()?.handshake(&server, time)?;
                    connection.write_all(b"welcome\n").map_err(|_| TlsError::Cut)?;
                    connection.close()
                });
                let heard = Peer::s_client(address, &[&base[..], options].concat())?;
                let answer = served.join().map_err(|_| "the server panicked")?;
                if answer.is_ok() != *is_good || heard.contains("welcome") != *is_good {
                    return Err(format!("TLS: s_client {options:?}: {answer:?}, {heard}").into());
                }
                tried += 1;
            }
        }
    }
    println!("TLS: our server and openssl s_client: {tried} as they must be");
    Ok(())
}

fn listener() -> Result<(Listener, SocketAddr), Failure> {
    let port = free_port()?;
    let service = Service::tcp(port, Scope::Loopback, Authentication::None);
    let interfaces = vec![Interface::service("app", "Another implementation", service)];
    let table = InterfaceTable::new(interfaces.leak())?;
    let grant: ListenGrant = table.gate(Phase::Owned).grant_listen("app")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Ok((Listener::bind(grant, address.ip())?, address))
}

/// A broker that wants certificates of devices, and what can be seen on the way to it.
fn mosquitto(pki: &Pki) -> Result<(), Failure> {
    const SECRET: &str = "the front door is open";
    let anchors = Anchors::new(&pki.anchors(), now()?)?;
    let mut connections = 0;
    for server in ["good", "ed25519"] {
        let broker = Peer::mosquitto(pki, server)?;
        for (name, provider) in providers() {
            for device in ["device_p256", "device_ed25519"] {
                let client = Client::new(&provider, anchors.clone(), Alpn::Offer(&[b"mqtt"]))?
                    .with_identity(pki.identity(device)?);
                let proxy = proxy::start(broker.address())?;
                let heard = connect(&client, "broker.example", proxy.address())
                    .map_err(Failure::from)
                    .and_then(|connection| peer::publish(connection, SECRET))
                    .map_err(|error| format!("TLS: mosquitto with {server}, {name}, {device}: {error}"))?;
                if heard != SECRET.as_bytes() {
                    return Err("TLS: mosquitto gave back something else".into());
                }
                let seen = proxy.finish()?;
                for plain in [SECRET, "state/lamp", device, "devices"] {
                    if seen.windows(plain.len()).any(|window| window == plain.as_bytes()) {
                        return Err(format!("TLS: {plain:?} can be read on the way").into());
                    }
                }
                // The name of the server is told to everybody, so this does look where it should.
                if !seen.windows(14).any(|window| window == b"broker.example") {
                    return Err("TLS: nothing was recorded".into());
                }
                connections += 1;
            }
            let nobody = Client::new(&provider, anchors.clone(), Alpn::Absent)?;
            let answer = connect(&nobody, "broker.example", broker.address())
                .map_err(Failure::from)
                .and_then(|connection| peer::publish(connection, SECRET));
            if answer.is_ok() {
                return Err("TLS: mosquitto took a client without a certificate".into());
            }
        }
    }
    println!("TLS: mosquitto with client certificates: {connections} connections, no plaintext on the wire");
    Ok(())
}

/// Servers that do what none should. Each must be refused, and within the time of a handshake.
fn hostile(pki: &Pki, root: &Path, python: &Venv) -> Result<(), Failure> {
    const MODES: &[(&str, &str, &[u16])] = &[
        ("good", "good", &[0]),
        ("expired", "expired", &[5014]),
        ("tls12", "good", &[5415]),
        ("tls11", "good", &[5415]),
        // They answer with the older version all the same.
        ("force12", "good", &[5410, 5411, 5412]),
        ("force11", "good", &[5410, 5411, 5412]),
        ("cut_hello", "good", &[5403]),
        ("cut_certificate", "good", &[5403]),
        ("cut_finished", "good", &[5403]),
        ("stall_hello", "good", &[5401]),
        ("stall_certificate", "good", &[5401]),
        ("drip", "good", &[5401]),
        ("garbage", "good", &[5413]),
        ("garbage_after_hello", "good", &[5412, 5413, 5414]),
        ("huge_record", "good", &[5413, 5414]),
        ("huge_message", "good", &[5402, 5413]),
        ("bad_finished", "good", &[5412, 5414]),
        ("bad_signature", "good", &[5033]),
        ("other_key", "good", &[5033]),
        ("no_certificate", "good", &[5412, 5413, 5417]),
        ("wrong_group", "good", &[5411, 5412]),
        ("wrong_suite", "good", &[5411, 5412]),
    ];
    let anchors = Anchors::new(&pki.anchors(), now()?)?;
    let limits = Limits {
        handshake: Millis(1500),
        ..Limits::default()
    };
    let mut tried = 0;
    for (mode, chain, expected) in MODES {
        for (name, provider) in providers() {
            let client = Client::new(&provider, anchors.clone(), Alpn::Absent)?.with_limits(limits)?;
            let mut script = python.script(root, "tls_hostile.py");
            script.args([
                *mode,
                &pki.path(&format!("{chain}.chain.pem")),
                &pki.path(&format!("{chain}.key")),
            ]);
            let server = Peer::script(&mut script)?;
            let answer = connect(&client, "broker.example", server.address());
            let found = code(&answer);
            if !expected.contains(&found) {
                return Err(format!(
                    "TLS: a server that is {mode:?} gives {found} with {name}, not {expected:?}"
                )
                .into());
            }
            tried += 1;
        }
    }
    println!("TLS: servers of tlslite-ng that lie, stall or are cut: {tried} as they must be");
    Ok(())
}

/// Time for a program to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// An [`Identity`] of a key that is shared.
fn identity(
    chain: &[&[u8]],
    key: Arc<dyn iotsec::core::crypto::Sign + Send + Sync>,
) -> Result<Identity, Failure> {
    Ok(Identity::new(chain, key)?)
}
