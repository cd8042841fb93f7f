use std::sync::Arc;

use iotsec_core::crypto::Sign;
use iotsec_core::hal::Millis;
use iotsec_core::{crypto::KeyType, error::ErrorCode, identity::SubjectPublicKey, input::Host};
use iotsec_net::{
    certificate::{CertificateError, Wildcards},
    tls::{Alpn, Anchors, Client, Limits, PostQuantum, Provider, RawKeys, TlsError, Version},
};
use rustls::{
    ServerConfig,
    server::AlwaysResolvesServerRawPublicKeys,
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS12,
};

use crate::{
    pki::{
        WITHOUT_KEY, anchors, anybody, certified, certified_as, client, client_with, config, config_with,
        ed25519_key, good, host, p256_key, pkcs8, providers, ring, server,
    },
    vector::{NOW, Vectors, file},
    wire::{Script, link},
};

#[test]
fn every_chain_that_a_server_shows_gets_the_answer_it_must_get_by_both_providers() {
    let vectors = Vectors::read();
    let mut count = 0;
    for provider in providers() {
        let client = client_with(&provider);
        for chain in &vectors.chains {
            // In these files a chain has the key of its name, but for the one that a device signed.
            let key = match chain.name {
                name if WITHOUT_KEY.contains(&name) || name == "broken" => continue,
                name => name,
            };
            count += 1;
            let server = server(config(certified_as(&chain.certificates, key)));
            let answer = link(&client, &chain.host, server);
            let code = answer.as_ref().map_or_else(ErrorCode::code, |_| 0);
            assert_eq!(u64::from(code), chain.error, "{}: {answer:?}", chain.name);
        }
    }
    assert_eq!(count, 2 * (vectors.chains.len() - WITHOUT_KEY.len() - 1));
}

#[test]
fn a_connection_is_tls_1_3_with_forward_secrecy() {
    for provider in providers() {
        let link = link(&client_with(&provider), &host(), good()).unwrap();
        assert_eq!(link.client.version(), Version::Tls13);
        assert!((0x1301..=0x1303).contains(&link.client.cipher_suite().unwrap()));
        assert_eq!(link.client.group(), Some(29));
        assert_eq!(link.client.peer_certificate(), Some(file!("good.der")));
    }
}

#[test]
fn another_host_than_the_one_that_was_asked_for_is_refused() {
    let other = Host::parse(b"other.example").unwrap();
    assert_eq!(
        link(&client(), &other, good()).unwrap_err(),
        TlsError::Certificate(CertificateError::Host)
    );
    let below = Host::parse(b"a.broker.example").unwrap();
    let many = || server(config(certified("wildcard_two")));
    assert!(link(&client(), &below, many()).is_err());
    let anchors = anchors().with_wildcards(Wildcards::LeftmostLabel);
    let client = Client::new(&Provider::ring(), anchors, Alpn::Absent).unwrap();
    assert!(link(&client, &below, many()).is_ok());
}

#[test]
fn an_address_is_believed_where_the_policy_says_so() {
    let address = Host::parse(b"192.0.2.1").unwrap();
    let known_by_it = || server(config(certified("address")));
    assert_eq!(
        link(&client(), &address, known_by_it()).unwrap_err(),
        TlsError::Certificate(CertificateError::Address)
    );
    let client = Client::new(&Provider::ring(), anchors().with_ip(), Alpn::Absent).unwrap();
    assert!(link(&client, &address, known_by_it()).is_ok());
}

#[test]
fn what_is_spoken_inside_must_be_agreed() {
    const MQTT: Alpn = Alpn::Require(&[b"mqtt"]);
    const MAYBE: Alpn = Alpn::Offer(&[b"mqtt"]);
    let answer = |alpn, names: &[&[u8]]| {
        let client = Client::new(&Provider::ring(), anchors(), alpn).unwrap();
        let mut config = config(certified("good"));
        config.alpn_protocols = names.iter().map(|name| name.to_vec()).collect();
        let link = link(&client, &host(), server(config));
        link.map(|link| link.client.alpn().map(<[u8]>::to_vec))
    };
    assert_eq!(answer(MQTT, &[b"http/1.1", b"mqtt"]), Ok(Some(b"mqtt".to_vec())));
    assert_eq!(answer(MAYBE, &[b"mqtt"]), Ok(Some(b"mqtt".to_vec())));
    assert_eq!(answer(MAYBE, &[]), Ok(None));
    assert_eq!(answer(Alpn::Absent, &[b"mqtt"]), Ok(None));
    assert_eq!(answer(MQTT, &[]), Err(TlsError::Alpn));
    // no_application_protocol (RFC 7301 §3.2), whoever notices it first.
    assert_eq!(answer(MQTT, &[b"http/1.1"]), Err(TlsError::Alert(120)));
    assert_eq!(answer(MAYBE, &[b"http/1.1"]), Err(TlsError::Alert(120)));
    for list in [
        Alpn::Require(&[]),
        Alpn::Offer(&[b""]),
        Alpn::Require(&[&[b'x'; 256]]),
    ] {
        let client = Client::new(&Provider::ring(), anchors(), list);
        assert_eq!(client.err(), Some(TlsError::AlpnList));
    }
}

/// A server that knows TLS 1.2 alone.
fn old() -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring()));
    let builder = builder.with_protocol_versions(&[&TLS12]).unwrap();
    let resolver = Arc::new(SingleCertAndKey::from(certified("good")));
    builder.with_no_client_auth().with_cert_resolver(resolver)
}

#[test]
fn an_older_version_is_refused_unless_the_application_asks_for_it() {
    // protocol_version (RFC 8446 §6.2): the client offers 1.3 alone.
    assert_eq!(
        link(&client(), &host(), server(old())).unwrap_err(),
        TlsError::Alert(70)
    );
    let client = client().with_tls12();
    let both = link(&client, &host(), server(old())).unwrap();
    assert_eq!(both.client.version(), Version::Tls12);
    // ECDHE with ECDSA and AES-256-GCM.
    assert_eq!(both.client.cipher_suite(), Some(0xC02C));
    let newer = link(&client, &host(), good()).unwrap();
    assert_eq!(newer.client.version(), Version::Tls13);
    let names_another = server({
        let mut config = old();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(certified("wronghost")));
        config
    });
    assert_eq!(
        link(&client, &host(), names_another).unwrap_err(),
        TlsError::Certificate(CertificateError::Host)
    );
}

/// ServerHello with this version, suite and these extensions (RFC 8446 §4.1.3), in a record.
fn server_hello(version: u16, random: [u8; 32], suite: u16, extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![2, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    record(22, &message)
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], content].concat()
}

#[test]
fn a_server_that_answers_with_an_older_version_is_refused_whatever_it_is() {
    // TLS 1.2, 1.1, 1.0 and SSL 3, as such servers say it, and 1.2 with the mark of a downgrade (RFC 8446 §4.1.3).
    let mut downgraded = [7; 32];
    downgraded[24..].copy_from_slice(b"DOWNGRD\x01");
    for (version, random, suite) in [
        (0x0303, [7; 32], 0xC02B),
        (0x0303, downgraded, 0xC02B),
        (0x0302, [7; 32], 0xC009),
        (0x0301, [7; 32], 0x002F),
        (0x0300, [7; 32], 0x000A),
    ] {
        let answer = server_hello(version, random, suite, &[]);
        let error = link(&client(), &host(), Script(|_: &[u8]| answer.clone())).unwrap_err();
        assert!(
            matches!(
                error,
                TlsError::Version | TlsError::Incompatible | TlsError::Misbehaved
            ),
            "{version:04x}: {error:?}"
        );
    }
    // With 1.2 allowed, the mark of a downgrade is seen.
    let answer = server_hello(0x0303, downgraded, 0xC02B, &[]);
    let client = client().with_tls12();
    let error = link(&client, &host(), Script(|_: &[u8]| answer.clone())).unwrap_err();
    assert_eq!(error, TlsError::Misbehaved);
}

#[test]
fn a_server_that_sends_anything_else_is_refused() {
    let answers: [(&str, Vec<u8>, TlsError); 7] = [
        (
            "HTTP",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            TlsError::Malformed,
        ),
        ("zeros", vec![0; 64], TlsError::Malformed),
        (
            "a record of 65,535 bytes",
            [&[22, 3, 3, 0xFF, 0xFF][..], &[0; 100]].concat(),
            TlsError::Malformed,
        ),
        (
            "a record of 16,385 bytes and more",
            [&[22, 3, 3, 0x48, 1][..], &[0; 100]].concat(),
            TlsError::Malformed,
        ),
        (
            "a message of 16 MB",
            record(22, &[2, 0xFF, 0xFF, 0xFF, 0, 0]),
            TlsError::Malformed,
        ),
        (
            "data before the handshake",
            record(23, b"hello"),
            TlsError::Misbehaved,
        ),
        ("an alert", record(21, &[2, 40]), TlsError::Alert(40)),
    ];
    for (name, bytes, expected) in answers {
        let error = link(&client(), &host(), Script(|_: &[u8]| bytes.clone())).unwrap_err();
        assert_eq!(error, expected, "{name}");
    }
}

#[test]
fn more_bytes_than_a_handshake_needs_are_not_read() {
    let junk = vec![0x30; 10_000];
    let chain: Vec<&[u8]> = core::iter::repeat_n(&junk[..], 5).collect();
    let heavy = server(config(certified_as(&chain, "good")));
    assert_eq!(
        link(&client(), &host(), heavy).unwrap_err(),
        TlsError::HandshakeLength
    );
}

#[test]
fn a_server_that_says_nothing_or_too_slowly_has_until_the_deadline() {
    let silent = Script(|_: &[u8]| Vec::new());
    assert_eq!(link(&client(), &host(), silent).unwrap_err(), TlsError::Deadline);
    // A byte each second, of a flight that would be good.
    let mut behind = Vec::new();
    let mut real = good();
    let slow = Script(|received: &[u8]| {
        let mut received = received;
        while !received.is_empty() {
            real.read_tls(&mut received).unwrap();
            real.process_new_packets().unwrap();
        }
        real.write_tls(&mut behind).unwrap();
        vec![behind.remove(0)]
    });
    assert_eq!(link(&client(), &host(), slow).unwrap_err(), TlsError::Deadline);
    let hurried = Limits {
        handshake: Millis(1),
        ..Limits::default()
    };
    let client = client().with_limits(hurried).unwrap();
    assert_eq!(link(&client, &host(), good()).unwrap_err(), TlsError::Deadline);
    for wrong in [
        Limits {
            handshake: Millis(0),
            ..Limits::default()
        },
        Limits {
            handshake: Millis::from_secs(301),
            ..Limits::default()
        },
        Limits {
            fragment: 511,
            ..Limits::default()
        },
        Limits {
            refresh_bytes: 0,
            ..Limits::default()
        },
    ] {
        assert_eq!(client.clone().with_limits(wrong).err(), Some(TlsError::Limits));
    }
}

#[test]
fn a_key_exchange_that_outlives_quantum_computers_can_be_preferred_or_required() {
    let aws_lc = || {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        server(config_with(provider, anybody, certified("good")))
    };
    let client = |mode| client_with(&Provider::aws_lc(mode));
    for mode in [PostQuantum::Prefer, PostQuantum::Require] {
        let link = link(&client(mode), &host(), aws_lc()).unwrap();
        assert_eq!(link.client.group(), Some(4588));
    }
    let plain = link(&client(PostQuantum::Prefer), &host(), good()).unwrap();
    assert_eq!(plain.client.group(), Some(29));
    // handshake_failure: a server without it has nothing to choose.
    assert_eq!(
        link(&client(PostQuantum::Require), &host(), good()).unwrap_err(),
        TlsError::Alert(40)
    );
}

#[test]
fn a_server_that_is_known_by_its_key_needs_no_certificate() {
    let raw = |key: &str| {
        let spki = if key.starts_with("ed") {
            spki(&ed25519_key(key))
        } else {
            spki(&p256_key(key))
        };
        let signing = rustls::crypto::ring::sign::any_supported_type(&pkcs8(key)).unwrap();
        let certified = Arc::new(CertifiedKey::new(vec![spki.into()], signing));
        let builder = ServerConfig::builder_with_provider(Arc::new(ring()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let resolver = Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified));
        server(builder.with_no_client_auth().with_cert_resolver(resolver))
    };
    let (ed, p256) = (ed25519_key("ed25519"), p256_key("good"));
    let keys = [
        SubjectPublicKey::of(&ed).unwrap(),
        SubjectPublicKey::of(&p256).unwrap(),
    ];
    for provider in providers() {
        let client = Client::new(&provider, RawKeys::new(&keys).unwrap(), Alpn::Absent).unwrap();
        for key in ["ed25519", "good"] {
            let link = link(&client, &host(), raw(key)).unwrap();
            assert!(
                link.client
                    .peer_certificate()
                    .unwrap()
                    .ends_with(if key == "good" {
                        p256.public_key()
                    } else {
                        ed.public_key()
                    })
            );
        }
        assert_eq!(
            link(&client, &host(), raw("wronghost")).unwrap_err(),
            TlsError::RawKey
        );
        // A server that has certificates alone does not get by with one.
        assert!(link(&client, &host(), good()).is_err());
    }
    // Nor does a server that knows keys alone, with a client that wants certificates.
    assert!(link(&client(), &host(), raw("good")).is_err());
    let five = [SubjectPublicKey::new(KeyType::Ed25519, &[7; 32]).unwrap(); 5];
    assert_eq!(RawKeys::new(&five).err(), Some(TlsError::RawKeyList));
}

fn spki(key: &dyn Sign) -> Vec<u8> {
    let mut out = [0; 96];
    SubjectPublicKey::of(key)
        .unwrap()
        .write(&mut out)
        .unwrap()
        .to_vec()
}

#[test]
fn a_server_with_the_right_chain_and_another_key_is_refused() {
    let vectors = Vectors::read();
    let stolen = certified_as(&vectors.chain("good").certificates, "wronghost");
    assert_eq!(
        link(&client(), &host(), server(config(stolen))).unwrap_err(),
        TlsError::Certificate(CertificateError::HandshakeSignature)
    );
}

#[test]
fn pins_and_revocation_stand_on_top_of_the_chain() {
    use iotsec_core::crypto::Sha256;
    use iotsec_net::certificate::{Depth, UnknownStatus};
    let root = Sha256::of(&[&spki(&p256_key("root"))]);
    let check = |anchors: Anchors| {
        let client = Client::new(&Provider::ring(), anchors, Alpn::Absent).unwrap();
        link(&client, &host(), good()).map(|_| ())
    };
    assert_eq!(check(anchors().with_pins(&[root, [1; 32]]).unwrap()), Ok(()));
    let refused = |error| Err(TlsError::Certificate(error));
    assert_eq!(
        check(anchors().with_pins(&[[2; 32], [1; 32]]).unwrap()),
        refused(CertificateError::Pin)
    );
    assert!(anchors().with_pins(&[root]).is_err());
    let with = |list| {
        anchors()
            .with_revocation(&[list], Depth::Leaf, UnknownStatus::Refuse)
            .unwrap()
    };
    assert_eq!(check(with(file!("crl_root_clean.der"))), Ok(()));
    assert_eq!(
        check(with(file!("crl_root_good_revoked.der"))),
        refused(CertificateError::Revoked)
    );
    assert_eq!(
        check(with(file!("crl_root_ended.der"))),
        refused(CertificateError::RevocationEnded)
    );
    assert!(Anchors::new(&[file!("anchor_ended.der")], NOW).is_err());
    assert!(anchors().with_min_rsa_bits(1024).is_err());
}
