use std::io::{Read, Write};

use iotsec_core::hal::Millis;
use iotsec_net::tls::{Client, Step, TlsError};

use crate::{
    pki::{certified, client, config, host, server},
    vector::NOW,
    wire::{End, Peer, link, wire},
};

/// What a good server of Ed25519, whose flight always has the same length, sends on a handshake of this client.
fn flight_len() -> usize {
    let link = link(&client(), &host(), server(quiet())).unwrap();
    link.server_end.sent().len()
}

/// Without tickets, so that the flight ends with the handshake.
fn quiet() -> rustls::ServerConfig {
    let mut config = config(certified("ed25519"));
    config.send_tls13_tickets = 0;
    config
}

/// A handshake whose server's flight is changed on its way, and cut after it.
fn through(client: &Client, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), TlsError> {
    let (mut client_end, server_end) = wire();
    let handshake = client.start(&host(), NOW, Millis(0)).unwrap();
    let Step::Pending(mut handshake) = handshake.advance(&mut client_end, Millis(1))? else {
        panic!("nobody has answered");
    };
    let mut flight = answer(&server_end.drain());
    change(&mut flight);
    let mut server_end: End = server_end;
    server_end.write_all(&flight).unwrap();
    server_end.hang_up();
    loop {
        match handshake.advance(&mut client_end, Millis(2))? {
            Step::Done(mut session) => {
                // Whoever cuts it here has cut a session, and that is seen too.
                let read = session.read(&mut client_end, &mut [0; 16], Millis(3));
                assert_eq!(read, Err(TlsError::Cut));
                return Ok(());
            }
            Step::Pending(pending) => handshake = pending,
        }
    }
}

/// What a server answers to the first flight of a client.
fn answer(hello: &[u8]) -> Vec<u8> {
    let (mut near, mut far) = wire();
    near.write_all(hello).unwrap();
    server(quiet()).turn(&mut far);
    let mut flight = Vec::new();
    far.hang_up();
    near.read_to_end(&mut flight).unwrap();
    flight
}

#[test]
fn a_flight_that_is_cut_at_any_byte_makes_no_connection() {
    let client = client();
    let len = flight_len();
    assert!(len > 600);
    for at in 0..len {
        let cut = through(&client, |flight| flight.truncate(at));
        assert_eq!(cut, Err(TlsError::Cut), "at {at} of {len}");
    }
    assert_eq!(through(&client, |flight| assert_eq!(flight.len(), len)), Ok(()));
}

#[test]
fn a_flight_that_is_changed_at_any_byte_makes_no_connection() {
    let client = client();
    let len = flight_len();
    for at in 0..len {
        let mut is_version = false;
        let changed = through(&client, |flight| {
            is_version = versions(flight).contains(&at);
            flight[at] ^= 1 << (at % 8);
        });
        // The version in front of a record says nothing, and is ignored for all purposes (RFC 8446 §5.1).
        assert!(changed.is_err() || is_version, "at {at} of {len}");
    }
}

/// Where the versions of records are.
fn versions(flight: &[u8]) -> Vec<usize> {
    let (mut at, mut places) = (0, Vec::new());
    while let Some(&[_, _, _, high, low]) = flight.get(at..at + 5) {
        places.extend([at + 1, at + 2]);
        at += 5 + usize::from(u16::from_be_bytes([high, low]));
    }
    places
}

#[test]
fn parts_of_a_flight_that_are_left_out_or_sent_twice_make_no_connection() {
    let client = client();
    let records = |flight: &[u8]| {
        let (mut at, mut records) = (0, Vec::new());
        while let Some(&[_, _, _, high, low]) = flight.get(at..at + 5) {
            let end = at + 5 + usize::from(u16::from_be_bytes([high, low]));
            records.push(flight[at..end].to_vec());
            at = end;
        }
        records
    };
    let mut count = 0;
    through(&client, |flight| count = records(flight).len()).unwrap();
    assert!(count >= 3);
    let mut tried = 0;
    for at in 0..count {
        let mut is_change_cipher_spec = false;
        let mut with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            tried += 1;
            through(&client, |flight| {
                let mut parts = records(flight);
                is_change_cipher_spec = parts[at][0] == 20;
                change(&mut parts);
                *flight = parts.concat();
            })
        };
        let dropped = with(&|parts| drop(parts.remove(at)));
        let doubled = with(&|parts| parts.insert(at, parts[at].clone()));
        // change_cipher_spec has no meaning in TLS 1.3 and is dropped unseen (RFC 8446 §5).
        assert!(dropped.is_err() || is_change_cipher_spec, "{at} left out");
        assert!(doubled.is_err() || is_change_cipher_spec, "{at} twice");
    }
    assert_eq!(tried, 2 * count);
}
