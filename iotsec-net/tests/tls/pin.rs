use iotsec_core::{hal::Millis, input::Host};
use iotsec_net::tls::{
    Alpn, Client, Fingerprint, Limits, Observation, Observed, Pin, Provider, TlsError, Watch,
};
use rustls::ServerConnection;

use crate::{
    pki::{certified, certified_as, config, good, host, server},
    vector::Vectors,
    wire::{Peer, link, wire},
};

/// A server that certifies itself.
fn own() -> ServerConnection {
    server(config(certified("selfsigned")))
}

fn observe(mut server: impl Peer) -> Result<Observed, TlsError> {
    let (mut client_end, mut server_end) = wire();
    let mut observation = Observation::start(&Provider::ring(), &host(), Limits::default(), Millis(0))?;
    for second in 1.. {
        observation = match observation.advance(&mut client_end, Millis::from_secs(second))? {
            Watch::Seen(observed) => {
                server.turn(&mut server_end);
                return Ok(observed);
            }
            Watch::Pending(pending) => pending,
        };
        server.turn(&mut server_end);
    }
    unreachable!("a deadline comes before")
}

fn client(pin: Pin) -> Client {
    Client::new(&Provider::ring(), pin, Alpn::Absent).unwrap()
}

#[test]
fn a_server_that_certifies_itself_is_trusted_once_its_owner_says_so() {
    let shown = own();
    let observed = observe(shown).unwrap();
    assert_eq!(
        observed.certificate(),
        Vectors::read().chain("selfsigned").certificates[0]
    );
    // The owner reads it off the server.
    let text = observed.fingerprint().to_string();
    let by_owner = Fingerprint::parse(text.as_bytes()).unwrap();
    let pin = observed.confirm(&by_owner).unwrap();
    // It lives in the store over a reboot.
    let pin = Pin::from_bytes(&pin.to_bytes()).unwrap();
    let link = link(&client(pin), &host(), own()).unwrap();
    assert!(!link.server.is_handshaking());
}

#[test]
fn an_owner_who_sees_another_fingerprint_trusts_nobody() {
    let observed = observe(own()).unwrap();
    let mut other = *observed.fingerprint().as_bytes();
    other[31] ^= 1;
    let answer = observed.confirm(&Fingerprint::from_bytes(other));
    assert_eq!(answer.err(), Some(TlsError::Fingerprint));
}

#[test]
fn a_server_that_has_changed_is_refused() {
    let observed = observe(own()).unwrap();
    let fingerprint = observed.fingerprint();
    let client = client(observed.confirm(&fingerprint).unwrap());
    assert_eq!(link(&client, &host(), good()).unwrap_err(), TlsError::Pin);
    // The certificate is public: who shows it must have the key as well.
    let thief = certified_as(&Vectors::read().chain("selfsigned").certificates, "good");
    assert!(matches!(
        link(&client, &host(), server(config(thief))).unwrap_err(),
        TlsError::Certificate(_)
    ));
    let other = Host::parse(b"other.example").unwrap();
    assert_eq!(link(&client, &other, own()).unwrap_err(), TlsError::Host);
}

#[test]
fn an_observation_ends_before_anything_is_said() {
    let mut server = own();
    let (mut client_end, mut server_end) = wire();
    let mut observation =
        Observation::start(&Provider::ring(), &host(), Limits::default(), Millis(0)).unwrap();
    loop {
        match observation.advance(&mut client_end, Millis(1)).unwrap() {
            Watch::Pending(pending) => observation = pending,
            Watch::Seen(_) => break,
        }
        server.turn(&mut server_end);
    }
    server.turn(&mut server_end);
    // The server never gets a Finished.
    assert!(server.is_handshaking());
}

#[test]
fn bytes_that_are_no_pin_are_refused() {
    let good = [&[1][..], &[7; 32], b"hub.local"].concat();
    assert!(Pin::from_bytes(&good).is_ok());
    for len in 0..=33 {
        assert_eq!(
            Pin::from_bytes(&good[..len]).err(),
            Some(TlsError::PinFormat),
            "{len}"
        );
    }
    let newer = [&[2][..], &good[1..]].concat();
    assert_eq!(Pin::from_bytes(&newer).err(), Some(TlsError::PinFormat));
    let spaced = [&good[..], b" "].concat();
    assert_eq!(Pin::from_bytes(&spaced).err(), Some(TlsError::PinFormat));
    for text in [
        "",
        "AB",
        &"0".repeat(63),
        &"0".repeat(65),
        &"g".repeat(64),
        &" ".repeat(97),
    ] {
        assert_eq!(
            Fingerprint::parse(text.as_bytes()).err(),
            Some(TlsError::Fingerprint)
        );
    }
}
