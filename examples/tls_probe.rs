//! Whether a device would speak to this server.
//!
//! ```text
//! cargo run --example tls_probe -- ADDR HOST CA_DER [options]
//!
//! ADDR                    where the server is: address and port
//! HOST                    who it has to be
//! CA_DER                  the certificate of the CA that has to say so, a file in DER
//! --provider ring|aws-lc  whose cryptography; ring without this
//! --pq prefer|require     X25519MLKEM768, with aws-lc; prefer without this
//! --cert FILE --key FILE  who the device is: its chain in PEM, and its key (Ed25519 or P-256) in PEM
//! --alpn NAME             what is spoken, which the server must agree to
//! --say TEXT              is said, and what the server answers is printed
//! --seconds N             most time for the handshake
//! ```
//!
//! Ends with 0 only when the handshake was accepted. RSA servers from 2048 bits are: who buys a back end often has no
//! other. Without arguments it starts servers of its own, good ones and bad ones, and fails unless each gets what it
//! deserves.

use iotsec::core::{
    cbor::{self, Reader},
    crypto::{Ed25519SigningKey, P256SigningKey, Sha256, Sign},
    error::ErrorCode,
    hal::{Millis, UnixTime},
    input::Encoding,
    secret::Secret,
};
use iotsec::net::surface::{Endpoint, Host as Who, Interface, InterfaceTable, Phase, Protocol};
use iotsec::net::time::CertificateTime;
use iotsec::net::tls::{
    self, Alpn, Anchors, Client, ClientAnchors, Connection, Identity, Limits, PostQuantum, Provider, Server,
    Step, TlsError,
};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Answer<T> = Result<T, Box<dyn Error>>;

fn main() -> Answer<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        show()?;
        return Ok(ExitCode::SUCCESS);
    }
    match probe(&arguments) {
        Ok(connection) => {
            let session = connection.session();
            println!(
                "ACCEPT {:?}, suite {:04x}, group {}",
                session.version(),
                session.cipher_suite().unwrap_or_default(),
                session.group().unwrap_or_default()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("REJECT {error}, {}", code(&*error));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn probe(arguments: &[String]) -> Answer<Connection> {
    let [address, host, anchor, options @ ..] = arguments else {
        return Err("usage: tls_probe ADDR HOST CA_DER [options]".into());
    };
    let option = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1).map(String::as_str)
    };
    let provider = match (option("--provider"), option("--pq")) {
        (None | Some("ring"), None) => Provider::ring(),
        (Some("aws-lc"), None | Some("prefer")) => Provider::aws_lc(PostQuantum::Prefer),
        (Some("aws-lc"), Some("require")) => Provider::aws_lc(PostQuantum::Require),
        _ => return Err("--provider ring|aws-lc, and --pq prefer|require with aws-lc".into()),
    };
    let now = CertificateTime::exact(UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()));
    let anchors = Anchors::new(&[&std::fs::read(anchor)?], now)?;
    let alpn = match option("--alpn") {
        Some(name) => Alpn::Require(vec![&*name.as_bytes().to_vec().leak()].leak()),
        None => Alpn::Absent,
    };
    let mut client = Client::new(&provider, anchors, alpn)?;
    if let Some(seconds) = option("--seconds") {
        let handshake = Millis::from_secs(seconds.parse()?);
        client = client.with_limits(Limits {
            handshake,
            ..Limits::default()
        })?;
    }
    if let Some((chain, key)) = option("--cert").zip(option("--key")) {
        let chain = blocks(&std::fs::read_to_string(chain)?, "CERTIFICATE")?;
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        client = client.with_identity(Identity::new(&chain, read_key(&std::fs::read_to_string(key)?)?)?);
    }
    let address = address.to_socket_addrs()?.next().ok_or("no such address")?;
    let mut connection = connect(&client, address, host, now)?;
    if let Some(text) = option("--say") {
        connection.write_all(text.replace("\\n", "\n").as_bytes())?;
        connection.set_read_timeout(Duration::from_secs(5))?;
        let mut buffer = [0; 4096];
        let read = connection.read(&mut buffer)?;
        println!("{}", String::from_utf8_lossy(&buffer[..read]));
    }
    Ok(connection)
}

/// A product declares its endpoints once. A probe goes wherever it is told to.
fn connect(client: &Client, address: SocketAddr, host: &str, now: CertificateTime) -> Answer<Connection> {
    let endpoint = Endpoint::new(Who::Controller, address.port(), Protocol::Tls);
    let interfaces = vec![Interface::endpoint("probe", "Whatever was asked for", endpoint)];
    let table = InterfaceTable::new(interfaces.leak())?;
    let grant = table
        .gate(Phase::Factory)
        .grant_outbound("probe", host, address.port())?;
    Ok(tls::connect_at(grant, &[address], client, now)?)
}

/// The contents of blocks of a PEM file (RFC 7468) whose label ends so.
fn blocks(text: &str, label: &str) -> Answer<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for block in text.split("-----BEGIN ").skip(1) {
        let (name, rest) = block.split_once("-----").ok_or("no PEM")?;
        let (body, _) = rest.split_once("-----END").ok_or("no PEM")?;
        if name.ends_with(label) {
            let body: String = body.split_whitespace().collect();
            let mut der = vec![0; body.len()];
            found.push(Encoding::Base64.decode(body.as_bytes(), &mut der)?.to_vec());
        }
    }
    Ok(found)
}

/// A key as openssl writes it: PKCS #8 (RFC 5958) or SEC 1 (RFC 5915). A device has its key in a store or a chip.
fn read_key(text: &str) -> Answer<Arc<dyn Sign + Send + Sync>> {
    let keys = blocks(text, "PRIVATE KEY")?;
    let der = keys.first().ok_or("no key")?;
    let secret = |head: &[u8]| {
        let at = der.windows(head.len()).position(|window| window == head)? + head.len();
        Some(Secret::from_bytes(der.get(at..at + 32)?.try_into().ok()?))
    };
    if let Some(seed) = secret(&[0x06, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20]) {
        return Ok(Arc::new(Ed25519SigningKey::from_seed(&seed)));
    }
    let scalar = secret(&[2, 1, 1, 4, 0x20]).ok_or("neither Ed25519 nor P-256")?;
    Ok(Arc::new(P256SigningKey::from_scalar(&scalar)?))
}

/// Chains of `vectors/certificate`, and the number of the error that a server gets who shows them; zero for none.
const SERVERS: [(&str, u16); 8] = [
    ("good", 0),
    ("viainter", 0),
    ("ed25519", 0),
    ("wronghost", 5022),
    ("expired", 5014),
    ("untrusted", 5012),
    ("selfsigned", 5012),
    ("clientonly", 5021),
];

fn show() -> Answer<()> {
    let now = CertificateTime::exact(UnixTime(1_800_000_000));
    let root: &[u8] = include_bytes!("../vectors/certificate/root.der");
    let anchors = Anchors::new(&[root], now)?;
    for provider in [Provider::ring(), Provider::aws_lc(PostQuantum::Prefer)] {
        let client = Client::new(&provider, anchors.clone(), Alpn::Require(&[b"mqtt"]))?;
        for (name, expected) in SERVERS {
            expect(
                name,
                expected,
                &client,
                serve(server(&provider, name)?, now)?,
                now,
            )?;
        }
        let asking = server(&provider, "good")?.with_clients(ClientAnchors::new(&[root], now)?);
        let known = client.clone().with_identity(identity("client")?);
        expect("asks who it is, is told", 0, &known, serve(asking, now)?, now)?;
        // Nobody else than the server that was meant learns who the device is.
        expect(
            "does not ask",
            5420,
            &known,
            serve(server(&provider, "good")?, now)?,
            now,
        )?;
        let limits = Limits {
            handshake: Millis(200),
            ..Limits::default()
        };
        let hasty = client.clone().with_limits(limits)?;
        expect("says nothing", 5401, &hasty, speak(b"")?, now)?;
        expect(
            "speaks HTTP",
            5413,
            &client,
            speak(b"HTTP/1.1 400 Bad Request\r\n\r\n")?,
            now,
        )?;
        let other = Client::new(&provider, anchors.clone(), Alpn::Require(&[b"h2"]))?;
        let wrong = serve(server(&provider, "good")?, now)?;
        expect("speaks another protocol", 5415, &other, wrong, now)?;
    }
    Ok(())
}

/// The number of an error of ours; 1 of anything else.
fn code(error: &(dyn Error + 'static)) -> u16 {
    let inner = error.downcast_ref::<std::io::Error>().and_then(TlsError::of);
    let own = error.downcast_ref::<TlsError>().copied().or(inner);
    own.map_or(1, |error| error.code())
}

fn expect(name: &str, expected: u16, client: &Client, at: SocketAddr, now: CertificateTime) -> Answer<()> {
    let answer = connect(client, at, "broker.example", now).and_then(|mut connection| {
        let mut hello = [0; 5];
        connection.read_exact(&mut hello)?;
        Ok(hello)
    });
    let code = match &answer {
        Ok(hello) => u16::from(hello != b"hello"),
        Err(error) => code(&**error),
    };
    match &answer {
        Ok(_) => println!("{name:<24} accepted"),
        Err(error) => println!("{name:<24} refused, {code}: {error}"),
    }
    if code == expected {
        Ok(())
    } else {
        Err(format!("{name}: {expected} was expected").into())
    }
}

/// A server with a chain of the vectors.
fn server(provider: &Provider, name: &str) -> Answer<Server> {
    Ok(Server::new(provider, identity(name)?, Alpn::Require(&[b"mqtt"]))?)
}

/// One connection, to which it says hello.
fn serve(server: Server, now: CertificateTime) -> Answer<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
        let (mut stream, _) = listener.accept()?;
        let mut handshake = server.start(now, Millis(0))?;
        loop {
            match handshake.advance(&mut stream, Millis(0))? {
                Step::Pending(pending) => handshake = pending,
                Step::Done(mut session) => {
                    session.write(&mut stream, b"hello", Millis(0))?;
                    return Ok(session.close(&mut stream)?);
                }
            }
        }
    });
    Ok(address)
}

/// A server that says this and waits.
fn speak(bytes: &'static [u8]) -> Answer<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        stream.write_all(bytes)?;
        std::io::copy(&mut stream, &mut std::io::sink())
    });
    Ok(address)
}

/// A chain of the vectors, and its key, which follows from its name: nobody may trust these.
fn identity(name: &str) -> Answer<Identity> {
    let seed = Sha256::of(&[b"iotsec certificate vectors: ", name.as_bytes()]);
    let key: Arc<dyn Sign + Send + Sync> = if name == "ed25519" {
        Arc::new(Ed25519SigningKey::from_seed(&Secret::from_bytes(seed)))
    } else {
        let mut scalar = seed;
        let carried = [0].iter().chain(&seed);
        for ((to, high), low) in scalar.iter_mut().zip(carried).zip(&seed) {
            *to = high << 7 | low >> 1;
        }
        Arc::new(P256SigningKey::from_scalar(&Secret::from_bytes(scalar))?)
    };
    let chain = chain(name)?;
    Ok(Identity::new(&chain, key)?)
}

fn chain(name: &str) -> Answer<Vec<&'static [u8]>> {
    let limits = cbor::Limits {
        depth: 4,
        items: 2000,
        bytes: 1 << 20,
    };
    let mut reader = Reader::new(include_bytes!("../vectors/certificate/chains.cbor"), &limits)?;
    reader.array()?;
    reader.uint()?;
    reader.bytes()?;
    for _ in 0..reader.array()? {
        reader.bytes()?;
    }
    for _ in 0..reader.array()? {
        reader.array_len(7)?;
        let found = reader.text()?;
        reader.text()?;
        reader.uint()?;
        reader.uint()?;
        let mut certificates = Vec::new();
        for _ in 0..reader.array()? {
            certificates.push(reader.bytes()?);
        }
        if found == name {
            return Ok(certificates);
        }
        reader.uint()?;
        reader.bytes()?;
    }
    Err("no such chain".into())
}
