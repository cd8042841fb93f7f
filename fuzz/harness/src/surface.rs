//! What listens, as Linux tells it, and what opens a debug port.

use iotsec_core::{
    cose::Sign1Builder,
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign},
    hal::Millis,
    input::DeviceSerial,
    secret::Secret,
};
use iotsec_net::{
    interfaces,
    surface::{
        Authentication, Interface, Phase, Scope, Service,
        audit::{Listener, MAX_LINE_LEN, ProcError, SocketFile, audit, read_sockets},
        debug::{UnlockChallenge, UnlockContent, UnlockError, Unlocked},
    },
};
use iotsec_testkit::SimRng;

use crate::Seed;

interfaces!(static TABLE = [Interface::service(
    "app",
    "An example",
    Service::tcp(8443, Scope::Loopback, Authentication::Password),
)]);

/// A table has no more sockets than lines, and nothing after an error; each socket is judged once.
pub fn sockets(input: &[u8]) -> bool {
    let lines = input.split(|byte| *byte == b'\n').count();
    let mut accepted = false;
    for file in SocketFile::ALL {
        let all: Vec<Result<Listener<'_>, ProcError>> = read_sockets(file, input).collect();
        assert!(all.len() <= lines);
        let failed = all.iter().position(Result::is_err);
        assert!(failed.is_none_or(|at| at + 1 == all.len()));
        accepted |= failed.is_none();
        let listeners: Vec<Listener<'_>> = all.into_iter().flatten().collect();
        for listener in &listeners {
            assert!(listener.bound.to_string().len() <= 16 + 4 * MAX_LINE_LEN);
        }
        let counts = audit(&TABLE.gate(Phase::Owned), &listeners).counts();
        let bound: usize = [counts.undeclared, counts.wider, counts.closed]
            .map(usize::from)
            .iter()
            .sum();
        assert!(bound <= listeners.len() && counts.closed == 0);
        assert_eq!(usize::from(counts.open()), bound);
    }
    accepted
}

/// Tables as kernels write them, and some that no kernel writes.
pub fn socket_seeds() -> Vec<Seed> {
    const TCP: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    const UNIX: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    const PACKET: &str = "sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n";
    let tcp = "   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1673 1 0 100\n";
    let tcp6 = tcp
        .replace("0100007F", "B80D0120000000000000000001000000")
        .replace("00000000:0000 ", "00000000000000000000000000000000:0000 ");
    let unix = "0000000000000000: 00000002 00000000 00010000 0001 01 1898128 /run/agent\n";
    vec![
        Seed::new("valid-tcp", format!("{TCP}{tcp}{tcp}")),
        Seed::new("valid-tcp6", format!("{TCP}{tcp6}")),
        Seed::new(
            "valid-unix",
            format!("{UNIX}{unix}0: 00000003 00000000 00000000 0002 01 7 @0001f\n"),
        ),
        Seed::new(
            "valid-packet",
            format!("{PACKET}0000000000000000 3      3    0003   2     1 0      0      12345\n"),
        ),
        Seed::new("valid-none", TCP),
        Seed::new("near-header", tcp),
        Seed::new("near-sign", format!("{TCP}{}", tcp.replace("1673", "-1673"))),
        Seed::new("near-port", format!("{TCP}{}", tcp.replace(":20FB", ":120FB"))),
        Seed::new(
            "near-path-with-line",
            format!("{UNIX}{}", unix.replace("agent", "a\nb")),
        ),
        Seed::new(
            "near-long",
            format!("{UNIX}{}", unix.replace("agent", &"a".repeat(MAX_LINE_LEN))),
        ),
    ]
}

fn key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

/// The challenge of a device whose entropy repeats.
fn challenge() -> UnlockChallenge<'static> {
    let serial = DeviceSerial::parse(b"L2-000001").expect("a serial number");
    UnlockChallenge::new(serial, &mut SimRng::new(7), Millis(1000)).expect("entropy")
}

fn opened(token: &[u8]) -> Result<Unlocked, UnlockError> {
    let public = Ed25519PublicKey::from_bytes(key().public_key()).expect("a key");
    challenge().check(token, &public, Millis(1500), &mut vec![0; token.len() + 256])
}

fn sign(payload: &[u8]) -> Vec<u8> {
    let (mut scratch, mut out) = (vec![0; payload.len() + 256], vec![0; payload.len() + 256]);
    let token = Sign1Builder::new().sign(&key(), payload, b"", &mut scratch, &mut out);
    token.expect("there is room").to_vec()
}

/// The input is a token, what the maker signs, or a challenge. What is read has one encoding, and a port opens for
/// no longer than a day.
pub fn unlock(input: &[u8]) -> bool {
    let mut accepted = false;
    for token in [input, &sign(input)] {
        if let Ok(unlocked) = opened(token) {
            accepted = true;
            assert!((2000..=1000 + 86_400_000).contains(&unlocked.until().0));
        }
    }
    let mut out = [0; UnlockContent::MAX_LEN];
    if let Ok(content) = UnlockContent::parse(input) {
        assert_eq!(content.write(&mut out), Ok(input));
    }
    if let Ok(content) = UnlockContent::answer(input, 60) {
        assert!(UnlockContent::parse(content.write(&mut out).expect("it fits")).is_ok());
    }
    accepted
}

/// Seeds of [`unlock`].
pub fn unlock_seeds() -> Vec<Seed> {
    let mut out = [0; UnlockChallenge::MAX_LEN];
    let question = challenge().write(&mut out).expect("it fits").to_vec();
    let content = UnlockContent::answer(&question, 3600).expect("a challenge");
    let payload = |content: UnlockContent<'_>| -> Vec<u8> {
        content
            .write(&mut [0; UnlockContent::MAX_LEN])
            .expect("it fits")
            .to_vec()
    };
    let right = payload(content);
    let token = sign(&right);
    let other = DeviceSerial::parse(b"L2-000002").expect("a serial number");
    vec![
        Seed::new("valid-token", token.clone()),
        Seed::new("valid-content", right.clone()),
        Seed::new(
            "valid-second",
            payload(UnlockContent {
                lifetime_s: 1,
                ..content
            }),
        ),
        Seed::new("near-challenge", question.clone()),
        Seed::new(
            "near-device",
            payload(UnlockContent {
                serial: other,
                ..content
            }),
        ),
        Seed::new(
            "near-nonce",
            payload(UnlockContent {
                nonce: [1; 16],
                ..content
            }),
        ),
        Seed::new("near-cut", &token[..token.len() - 1]),
        Seed::new("near-content-cut", &right[..right.len() - 1]),
    ]
}
