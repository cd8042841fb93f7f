use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use iotsec_core::hal::Millis;
use iotsec_net::{
    surface::{
        Authentication, Endpoint, Host, Interface, InterfaceTable, Phase, Protocol, Scope, Service,
        SurfaceError,
    },
    tls::{
        self, Alpn, Client, ClientAnchors, Fingerprint, Identity, Limits, Listener, Provider, Server,
        TlsError,
    },
};

use crate::{
    pki::{ROOT, certified, client, config, p256_key, server},
    vector::{NOW, Vectors},
};

/// A table with one endpoint and one service, at ports that are known only now.
fn table(port: u16, protocol: Protocol) -> &'static InterfaceTable {
    let interfaces = vec![
        Interface::endpoint(
            "cloud",
            "Tests",
            Endpoint::new(Host::Name("broker.example"), port, protocol),
        ),
        Interface::endpoint("hub", "Tests", Endpoint::new(Host::Local, port, Protocol::Mqtts)),
        Interface::service(
            "app",
            "Tests",
            Service::tcp(port, Scope::Loopback, Authentication::Certificate),
        ),
    ];
    Box::leak(Box::new(InterfaceTable::new(interfaces.leak()).unwrap()))
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server of rustls that says again what it hears, to one client.
fn echo(listener: TcpListener) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = server(config(certified("good")));
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let mut buffer = [0; 64];
        while let Ok(read @ 1..) = tls.read(&mut buffer) {
            tls.write_all(&buffer[..read]).unwrap();
        }
    })
}

fn connect(client: &Client, address: SocketAddr) -> Result<tls::Connection, TlsError> {
    let gate = table(address.port(), Protocol::Mqtts).gate(Phase::Owned);
    let grant = gate
        .grant_outbound("cloud", "broker.example", address.port())
        .unwrap();
    tls::connect_at(grant, &[address], client, NOW)
}

#[test]
fn a_granted_connection_reads_and_writes() {
    let (listener, address) = listen();
    let peer = echo(listener);
    let mut connection = connect(&client(), address).unwrap();
    assert_eq!(connection.peer_address(), Ok(address));
    for message in [&b"hello"[..], &[7; 5000]] {
        connection.write_all(message).unwrap();
        connection.flush().unwrap();
        let mut back = vec![0; message.len()];
        connection.read_exact(&mut back).unwrap();
        assert_eq!(back, message);
    }
    // Nobody speaks: the call comes back, and the connection lives on.
    connection.set_read_timeout(Duration::from_millis(1)).unwrap();
    let error = connection.read(&mut [0; 8]).unwrap_err();
    assert_eq!(
        (error.kind(), TlsError::of(&error)),
        (std::io::ErrorKind::WouldBlock, Some(TlsError::Blocked))
    );
    connection.set_read_timeout(Duration::from_secs(10)).unwrap();
    connection.write_all(b"again").unwrap();
    connection.read_exact(&mut [0; 5]).unwrap();
    connection.close().unwrap();
    peer.join().unwrap();
}

#[test]
fn what_was_not_granted_is_not_opened() {
    let (_listener, address) = listen();
    let gate = table(address.port(), Protocol::Mqtts).gate(Phase::Owned);
    let grant = || {
        gate.grant_outbound("cloud", "broker.example", address.port())
            .unwrap()
    };
    let other = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port() ^ 1));
    assert_eq!(
        tls::connect_at(grant(), &[other], &client(), NOW).err(),
        Some(TlsError::Port)
    );
    assert_eq!(
        tls::connect_at(grant(), &[], &client(), NOW).err(),
        Some(TlsError::Resolve)
    );
    let gate = table(address.port(), Protocol::Coaps).gate(Phase::Owned);
    let datagrams = gate
        .grant_outbound("cloud", "broker.example", address.port())
        .unwrap();
    assert_eq!(
        tls::connect_at(datagrams, &[address], &client(), NOW).err(),
        Some(TlsError::Protocol)
    );
    drop(_listener);
    assert_eq!(connect(&client(), address).err(), Some(TlsError::Unreachable));
}

#[test]
fn a_server_that_stalls_or_drips_is_left_at_the_deadline() {
    let limits = Limits {
        handshake: Millis(300),
        ..Limits::default()
    };
    let client = client().with_limits(limits).unwrap();
    for drips in [false, true] {
        let (listener, address) = listen();
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The head of a record that never ends, a byte at a time, for as long as somebody listens.
            let mut bytes = [22, 3, 3, 0x40, 0].into_iter().chain(core::iter::repeat(0));
            while drips && stream.write_all(&[bytes.next().unwrap()]).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
            let _ = stream.read_to_end(&mut Vec::new());
        });
        assert_eq!(connect(&client, address).err(), Some(TlsError::Deadline));
        peer.join().unwrap();
    }
}

#[test]
fn a_hub_in_the_home_is_pinned_over_the_network() {
    let (listener, address) = listen();
    let peer = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = server(config(certified("selfsigned")));
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let _ = tls.write_all(b"welcome");
        }
    });
    let gate = table(address.port(), Protocol::Mqtts).gate(Phase::Owned);
    let grant = || gate.grant_outbound("hub", "127.0.0.1", address.port()).unwrap();
    let observed = tls::observe(grant(), &Provider::ring(), Limits::default()).unwrap();
    let by_owner = Fingerprint::parse(observed.fingerprint().to_string().as_bytes()).unwrap();
    let pin = observed.confirm(&by_owner).unwrap();
    let client = Client::new(&Provider::ring(), pin, Alpn::Absent).unwrap();
    let mut connection = tls::connect(grant(), &client, NOW).unwrap();
    let mut buffer = [0; 7];
    connection.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"welcome");
    peer.join().unwrap();
}

#[test]
fn a_service_listens_as_it_is_declared() {
    let (free, address) = listen();
    drop(free);
    let gate = table(address.port(), Protocol::Mqtts).gate(Phase::Owned);
    let grant = || gate.grant_listen("app").unwrap();
    assert_eq!(
        Listener::bind(grant(), Ipv4Addr::UNSPECIFIED.into()).err(),
        Some(TlsError::Surface(SurfaceError::Scope))
    );
    let listener = Listener::bind(grant(), Ipv4Addr::LOCALHOST.into()).unwrap();
    let identity = |name: &str| {
        Identity::new(
            &Vectors::read().chain(name).certificates,
            Arc::new(p256_key(name)),
        )
        .unwrap()
    };
    let open = Server::new(&Provider::ring(), identity("good"), Alpn::Absent).unwrap();
    let closed = open
        .clone()
        .with_clients(ClientAnchors::new(&[ROOT], NOW).unwrap());
    let peer = thread::spawn(move || {
        let first = listener.accept().unwrap().handshake(&open, NOW);
        assert_eq!(first.err(), Some(TlsError::Authentication));
        let mut second = listener.accept().unwrap().handshake(&closed, NOW).unwrap();
        second.write_all(b"welcome").unwrap();
        second.close().unwrap();
    });
    let client = client().with_identity(identity("client"));
    assert!(connect(&client, address).is_err());
    let mut connection = connect(&client, address).unwrap();
    let mut text = Vec::new();
    connection.read_to_end(&mut text).unwrap();
    assert_eq!(text, b"welcome");
    peer.join().unwrap();
}
