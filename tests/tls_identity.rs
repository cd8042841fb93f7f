//! A device that shows who it is with a key that never leaves its store.

use std::{
    io::Read,
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    thread,
};

use iotsec::{
    core::{
        cbor::{Limits, Reader},
        crypto::{Aes256GcmSiv, HkdfSha256, P256SigningKey, Sha256, Sign},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    net::{
        surface::{Endpoint, Host, Interface, InterfaceTable, Phase, Protocol},
        time::CertificateTime,
        tls::{self, Alpn, Anchors, Client, ClientAnchors, Identity, Provider, Server, Step, TlsError},
    },
    store::{
        IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite,
        keys::{Algorithm, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring},
    },
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

const NOW: CertificateTime = CertificateTime::exact(UnixTime(1_800_000_000));
const ROOT: &[u8] = include_bytes!("../vectors/certificate/root.der");
const GOOD: &[u8] = include_bytes!("../vectors/certificate/good.der");

/// The scalar of this name in `vectors/certificate/make.py`.
fn scalar(name: &str) -> [u8; 32] {
    let mut carry = 0;
    Sha256::of(&[b"iotsec certificate vectors: ", name.as_bytes()]).map(|byte| {
        let shifted = carry << 7 | byte >> 1;
        carry = byte & 1;
        shifted
    })
}

/// The certificate of this name in `vectors/certificate/chains.cbor`.
fn certificate(name: &str) -> &'static [u8] {
    let limits = Limits {
        depth: 4,
        items: 2000,
        bytes: 1 << 20,
    };
    let mut reader = Reader::new(include_bytes!("../vectors/certificate/chains.cbor"), &limits).unwrap();
    reader.array().unwrap();
    reader.uint().unwrap();
    reader.bytes().unwrap();
    for _ in 0..reader.array().unwrap() {
        reader.bytes().unwrap();
    }
    for _ in 0..reader.array().unwrap() {
        reader.array_len(7).unwrap();
        let found = reader.text().unwrap();
        reader.text().unwrap();
        reader.uint().unwrap();
        reader.uint().unwrap();
        let count = reader.array().unwrap();
        let certificates: Vec<_> = (0..count).map(|_| reader.bytes().unwrap()).collect();
        if found == name {
            return certificates[0];
        }
        reader.uint().unwrap();
        reader.bytes().unwrap();
    }
    panic!("no {name}")
}

/// A service that wants to know who comes, for so many connections.
fn serve(listener: TcpListener, times: usize) -> thread::JoinHandle<Vec<Vec<u8>>> {
    let key = P256SigningKey::from_scalar(&Secret::from_bytes(scalar("good"))).unwrap();
    let identity = Identity::new(&[GOOD], Arc::new(key)).unwrap();
    let server = Server::new(&Provider::ring(), identity, Alpn::Absent)
        .unwrap()
        .with_clients(ClientAnchors::new(&[ROOT], NOW).unwrap());
    thread::spawn(move || {
        let mut seen = Vec::new();
        for _ in 0..times {
            let (mut stream, _) = listener.accept().unwrap();
            let mut handshake = server.start(NOW, Millis(0)).unwrap();
            loop {
                match handshake.advance(&mut stream, Millis(0)) {
                    Ok(Step::Pending(pending)) => handshake = pending,
                    Ok(Step::Done(mut session)) => {
                        seen.push(session.peer_certificate().unwrap().to_vec());
                        session.write(&mut stream, b"welcome", Millis(0)).unwrap();
                        session.close(&mut stream).unwrap();
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
        seen
    })
}

#[test]
fn a_key_behind_a_handle_of_the_store_shows_who_the_device_is() {
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    let region = flash.region().unwrap();
    let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    let mut store = Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .unwrap();
    let keys = KeySuite {
        sign: &[&Algorithm::<P256SigningKey>::NEW],
        ..KeySuite::new(&HkdfSha256)
    };
    let mut keys = Keyring::new(&mut store, keys);
    let spec = KeySpec {
        id: KeyId::new(KeyDomain::Device, 7, 1),
        kind: KeyKind::P256,
        usage: KeyUsage::SIGN,
    };
    let handle = keys.import(&mut flash, spec, &scalar("client")).unwrap();
    let signer = keys.signer(&mut flash, &handle).unwrap();

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let service = serve(listener, 3);
    let endpoint = Endpoint::new(Host::Name("broker.example"), address.port(), Protocol::Tls);
    let interfaces = vec![Interface::endpoint("cloud", "Tests", endpoint)];
    let table: &InterfaceTable = Box::leak(Box::new(InterfaceTable::new(interfaces.leak()).unwrap()));
    let gate = table.gate(Phase::Owned);
    let grant = || {
        gate.grant_outbound("cloud", "broker.example", address.port())
            .unwrap()
    };

    let device = certificate("client");
    let identity = Identity::lent(&[device], &signer).unwrap();
    let anchors = Anchors::new(&[ROOT], NOW).unwrap();
    let client = Client::new(&Provider::ring(), anchors, Alpn::Absent)
        .unwrap()
        .with_identity(identity);
    for _ in 0..2 {
        let connection = tls::lend(&signer, || tls::connect_at(grant(), &[address], &client, NOW));
        let mut heard = String::new();
        connection.unwrap().read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "welcome");
    }
    assert_eq!(signer.error(), None);
    // Whom the key is not lent to makes no connection.
    let alone = tls::connect_at(grant(), &[address], &client, NOW);
    assert!(matches!(alone.err(), Some(TlsError::Signing(_))));
    assert_eq!(service.join().unwrap(), [device, device]);
    // A key of another device does not go with the certificate.
    let other = P256SigningKey::from_scalar(&Secret::from_bytes(scalar("other"))).unwrap();
    assert_eq!(
        Identity::lent(&[device], &other).err(),
        Some(TlsError::IdentityKey)
    );
    assert_ne!(other.public_key(), signer.public_key());
}
