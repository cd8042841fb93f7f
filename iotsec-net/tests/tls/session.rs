use std::io::{Read, Write};

use iotsec_core::hal::Millis;
use iotsec_net::tls::{Limits, TlsError};
use rustls::ServerConnection;

use crate::{
    pki::{client, client_with, good, host, providers},
    wire::{Link, Peer, link},
};

/// The client says something, the server hears it and says it again.
fn echo(link: &mut Link<ServerConnection>, message: &[u8], now: Millis) -> Vec<u8> {
    let mut left = message;
    let mut heard = Vec::new();
    let mut back = Vec::new();
    while !left.is_empty() || back.len() < message.len() {
        if !left.is_empty() {
            let taken = link.client.write(&mut link.client_end, left, now).unwrap();
            left = &left[taken..];
        }
        link.server.turn(&mut link.server_end);
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = link.server.reader().read(&mut buffer) {
            heard.extend_from_slice(&buffer[..read]);
            link.server.writer().write_all(&buffer[..read]).unwrap();
        }
        link.server.turn(&mut link.server_end);
        loop {
            match link.client.read(&mut link.client_end, &mut buffer, now) {
                Ok(read) => back.extend_from_slice(&buffer[..read]),
                Err(TlsError::Blocked) => break,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert_eq!(heard, message);
    back
}

#[test]
fn bytes_come_out_as_they_went_in_and_nobody_sees_them() {
    for provider in providers() {
        let mut link = link(&client_with(&provider), &host(), good()).unwrap();
        let message: Vec<u8> = b"what only the two of us know; ".repeat(2000);
        assert_eq!(echo(&mut link, &message, Millis(2)), message);
        for end in [&link.client_end, &link.server_end] {
            let sent = end.sent();
            assert!(sent.len() > message.len());
            assert!(!sent.windows(9).any(|window| window == b"what only"));
            // The name of the server is the one thing that is told to everybody (RFC 6066 §3).
            assert_eq!(
                sent.windows(14)
                    .filter(|window| window == b"broker.example")
                    .count(),
                usize::from(core::ptr::eq(end, &link.client_end))
            );
        }
    }
}

#[test]
fn records_that_are_sent_are_as_small_as_was_asked_for() {
    let limits = Limits {
        fragment: 1400,
        ..Limits::default()
    };
    let client = client().with_limits(limits).unwrap();
    let mut link = link(&client, &host(), good()).unwrap();
    let before = link.client_end.sent().len();
    assert_eq!(echo(&mut link, &[7; 10_000], Millis(2)), [7; 10_000]);
    let sent = link.client_end.sent();
    let (mut at, mut count) = (before, 0);
    while let Some(&[23, 3, 3, high, low]) = sent.get(at..at + 5) {
        let len = usize::from(u16::from_be_bytes([high, low]));
        // The kind of the content, and a tag.
        assert!(len <= 1400 + 1 + 16, "{len}");
        at += 5 + len;
        count += 1;
    }
    assert_eq!((at, count >= 8), (sent.len(), true));
}

#[test]
fn the_first_message_is_one_record_with_a_large_key_exchange_too() {
    for provider in providers() {
        let link = link(&client_with(&provider), &host(), good()).unwrap();
        let sent = link.client_end.sent();
        let len = usize::from(u16::from_be_bytes([sent[3], sent[4]]));
        // A record of the handshake, of which the message takes all.
        assert_eq!(
            (sent[0], &sent[5..9]),
            (22, &[1, 0, sent[3], sent[4] - 4][..]),
            "{len}"
        );
    }
}

#[test]
fn a_peer_that_takes_nothing_does_not_fill_the_memory() {
    struct Full;
    impl Read for Full {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::WouldBlock.into())
        }
    }
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::WouldBlock.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut link = link(&client(), &host(), good()).unwrap();
    let mut taken = 0;
    let end = loop {
        match link.client.write(&mut Full, &[7; 1000], Millis(2)) {
            Ok(count) => taken += count,
            Err(error) => break error,
        }
        assert!(taken <= 16_384);
    };
    assert_eq!(end, TlsError::Blocked);
    assert!(link.client.wants_write());
    assert_eq!(link.client.flush(&mut Full), Err(TlsError::Blocked));
    // With room again, nothing was lost.
    link.client.flush(&mut link.client_end).unwrap();
    link.server.turn(&mut link.server_end);
    let mut heard = vec![0; taken];
    link.server.reader().read_exact(&mut heard).unwrap();
    assert!(heard.iter().all(|byte| *byte == 7));
}

#[test]
fn keys_are_exchanged_after_bytes_and_after_time_and_the_bytes_go_on() {
    let limits = Limits {
        refresh_bytes: 5000,
        refresh_after: Millis::from_secs(100),
        ..Limits::default()
    };
    let client = client().with_limits(limits).unwrap();
    let mut link = link(&client, &host(), good()).unwrap();
    let mut now = Millis::from_secs(10);
    assert_eq!(echo(&mut link, &[1; 2000], now), [1; 2000]);
    assert_eq!(link.client.refreshes(), 0);
    for round in 1..=5 {
        // 4000 bytes each time, in both directions together.
        assert_eq!(echo(&mut link, &[2; 2000], now), [2; 2000]);
        assert!(link.client.refreshes() >= round * 4 / 5, "round {round}");
    }
    let by_bytes = link.client.refreshes();
    now = Millis::from_secs(109);
    assert_eq!(
        link.client.read(&mut link.client_end, &mut [0; 1], now),
        Err(TlsError::Blocked)
    );
    let sent = link.client_end.sent().len();
    now = Millis::from_secs(111);
    // A device that only listens does so too.
    assert_eq!(
        link.client.read(&mut link.client_end, &mut [0; 1], now),
        Err(TlsError::Blocked)
    );
    assert_eq!(link.client.refreshes(), by_bytes + 1);
    // A KeyUpdate is one record of 5 bytes, the kind, and a tag of 16 (RFC 8446 §4.6.3).
    assert_eq!(link.client_end.sent().len(), sent + 5 + 5 + 1 + 16);
    let answered = link.server_end.sent().len();
    assert_eq!(echo(&mut link, &[3; 100], now), [3; 100]);
    // And the server answers with one of its own, in front of what it says.
    assert_eq!(link.server_end.sent().len(), answered + 27 + 100 + 5 + 1 + 16);
}

#[test]
fn an_end_that_the_peer_announced_is_an_end_and_any_other_is_a_cut() {
    let mut closed = link(&client(), &host(), good()).unwrap();
    closed.server.send_close_notify();
    closed.server.turn(&mut closed.server_end);
    let mut buffer = [0; 8];
    let read = closed.client.read(&mut closed.client_end, &mut buffer, Millis(2));
    assert_eq!(read, Ok(0));

    let mut cut = link(&client(), &host(), good()).unwrap();
    cut.server_end.hang_up();
    let read = cut.client.read(&mut cut.client_end, &mut buffer, Millis(2));
    assert_eq!(read, Err(TlsError::Cut));

    let mut ours = link(&client(), &host(), good()).unwrap();
    ours.client.close(&mut ours.client_end).unwrap();
    ours.server.turn(&mut ours.server_end);
    assert_eq!(ours.server.reader().read(&mut buffer).unwrap(), 0);
}

#[test]
fn bytes_that_were_changed_end_the_connection() {
    let mut link = link(&client(), &host(), good()).unwrap();
    link.server.writer().write_all(b"open the door").unwrap();
    link.server.turn(&mut link.server_end);
    let mut bytes = link.client_end.drain();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    link.server_end.write_all(&bytes).unwrap();
    for _ in 0..2 {
        let mut buffer = [0; 32];
        // The tickets of the server come first and are fine.
        let read = link.client.read(&mut link.client_end, &mut buffer, Millis(2));
        assert_eq!((read, buffer), (Err(TlsError::Record), [0; 32]));
    }
}
