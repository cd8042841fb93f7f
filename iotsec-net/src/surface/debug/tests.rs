use std::vec::Vec;

use iotsec_core::{
    cose::{CoseError, Sign1Builder},
    crypto::{CryptoError, Ed25519PublicKey, Ed25519SigningKey, Sign},
    hal::Millis,
    input::DeviceSerial,
    secret::Secret,
};
use iotsec_testkit::SimRng;

use super::*;
use crate::{
    interfaces,
    surface::{Debug, Interface, Phases},
};

struct Port(DebugState);
impl DebugPort for Port {
    fn state(&self) -> DebugState {
        self.0
    }
}

interfaces!(static LINE = [Interface::debug("swd", "x", Debug::Swd)]);
interfaces!(static REPAIR = [Interface::debug("swd", "x", Debug::Swd).during(Phases::ALWAYS)]);
interfaces!(static NONE = [Interface::radio("wifi", "x", crate::surface::Radio::Wifi)]);

#[test]
fn a_port_is_open_in_the_factory_alone_and_authenticates_only_where_declared() {
    use DebugError::{Open, Undeclared};
    for (table, phase, state, expected) in [
        (&LINE, Phase::Factory, DebugState::Open, None),
        (&LINE, Phase::Provisioned, DebugState::Open, Some(Open)),
        (&LINE, Phase::Owned, DebugState::Authenticated, Some(Undeclared)),
        (&LINE, Phase::Owned, DebugState::Closed, None),
        (&REPAIR, Phase::Owned, DebugState::Authenticated, None),
        (&REPAIR, Phase::Owned, DebugState::Open, Some(Open)),
        (&REPAIR, Phase::Retired, DebugState::Open, Some(Open)),
        (&NONE, Phase::Factory, DebugState::Open, Some(Undeclared)),
        (&NONE, Phase::Factory, DebugState::Closed, None),
    ] {
        let gate = table.gate(phase);
        let refused = check_debug_port(&Port(state), &gate, DebugPolicy::Refuse);
        assert_eq!(refused.err(), expected, "{phase:?} {state:?}");
        let reported = check_debug_port(&Port(state), &gate, DebugPolicy::Report).unwrap();
        assert_eq!((reported.state(), reported.finding()), (state, expected));
    }
}

const NOW: Millis = Millis::from_secs(100);

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn challenge(rng: &mut SimRng) -> UnlockChallenge<'static> {
    let serial = DeviceSerial::parse(b"L2-000001").unwrap();
    UnlockChallenge::new(serial, rng, NOW).unwrap()
}

fn content(challenge: &UnlockChallenge<'_>) -> UnlockContent<'static> {
    let mut out = [0; UnlockChallenge::MAX_LEN];
    let content = UnlockContent::answer(challenge.write(&mut out).unwrap(), 60).unwrap();
    UnlockContent {
        serial: DeviceSerial::parse(b"L2-000001").unwrap(),
        ..content
    }
}

fn sign(payload: &[u8], key: &Ed25519SigningKey) -> Vec<u8> {
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    let token = Sign1Builder::new().sign(key, payload, b"", &mut scratch, &mut out);
    token.unwrap().to_vec()
}

fn token(content: &UnlockContent<'_>) -> Vec<u8> {
    sign(content.write(&mut [0; UnlockContent::MAX_LEN]).unwrap(), &key(9))
}

fn check(challenge: UnlockChallenge<'_>, token: &[u8], now: Millis) -> Result<Unlocked, UnlockError> {
    let anchor = Ed25519PublicKey::from_bytes(key(9).public_key()).unwrap();
    challenge.check(token, &anchor, now, &mut [0; 256])
}

#[test]
fn an_answer_opens_the_port_for_its_time() {
    let mut rng = SimRng::new(1);
    let challenge = challenge(&mut rng);
    let token = token(&content(&challenge));
    let unlocked = check(challenge, &token, Millis::from_secs(130)).unwrap();
    assert_eq!(unlocked.until(), Millis::from_secs(160));
    assert!(unlocked.is_open(Millis(159_999)) && !unlocked.is_open(Millis(160_000)));
}

#[test]
fn an_answer_for_anything_else_opens_nothing() {
    let mut rng = SimRng::new(2);
    let other = content(&challenge(&mut rng));
    let wrong_nonce = challenge(&mut rng);
    assert_eq!(
        check(wrong_nonce, &token(&other), NOW).unwrap_err(),
        UnlockError::WrongNonce
    );
    let one = challenge(&mut rng);
    let elsewhere = UnlockContent {
        serial: DeviceSerial::parse(b"L2-000002").unwrap(),
        ..content(&one)
    };
    assert_eq!(
        check(one, &token(&elsewhere), NOW).unwrap_err(),
        UnlockError::WrongDevice
    );
    for now in [Millis::from_secs(160), Millis(u64::MAX), Millis::from_secs(99)] {
        let one = challenge(&mut rng);
        let token = token(&content(&one));
        assert_eq!(check(one, &token, now).unwrap_err(), UnlockError::Expired);
    }
    let one = challenge(&mut rng);
    let mut payload = [0; UnlockContent::MAX_LEN];
    let stranger = sign(content(&one).write(&mut payload).unwrap(), &key(8));
    assert_eq!(
        check(one, &stranger, NOW).unwrap_err(),
        UnlockError::Cose(CoseError::Crypto(CryptoError::Signature))
    );
    // The challenge itself, signed.
    let one = challenge(&mut rng);
    let mut out = [0; UnlockChallenge::MAX_LEN];
    let echo = sign(one.write(&mut out).unwrap(), &key(9));
    assert!(matches!(
        check(one, &echo, NOW).unwrap_err(),
        UnlockError::Encoding(_)
    ));
}

#[test]
fn a_lifetime_is_bounded() {
    let mut rng = SimRng::new(3);
    let content = content(&challenge(&mut rng));
    for lifetime_s in [0, MAX_LIFETIME_S + 1, u32::MAX] {
        let content = UnlockContent {
            lifetime_s,
            ..content
        };
        let error = content.write(&mut [0; UnlockContent::MAX_LEN]).unwrap_err();
        assert_eq!(error, UnlockError::Lifetime);
    }
    // The same from somebody who writes without asking.
    let mut payload = [0; UnlockContent::MAX_LEN];
    let mut payload = content.write(&mut payload).unwrap().to_vec();
    assert_eq!(payload[payload.len() - 2..], [24, 60]);
    payload.truncate(payload.len() - 2);
    payload.push(0);
    assert_eq!(UnlockContent::parse(&payload).unwrap_err(), UnlockError::Lifetime);
}

#[test]
fn no_flipped_bit_and_no_prefix_opens_anything() {
    let mut rng = SimRng::new(4);
    let length = token(&content(&challenge(&mut rng))).len();
    for bit in 0..length * 8 {
        let one = challenge(&mut rng);
        let mut token = token(&content(&one));
        token[bit / 8] ^= 1 << (bit % 8);
        assert!(check(one, &token, NOW).is_err(), "bit {bit}");
    }
    for end in 0..length {
        let one = challenge(&mut rng);
        let token = token(&content(&one));
        assert!(check(one, &token[..end], NOW).is_err(), "{end} bytes");
    }
}

/// The blocks of hexadecimal digits in the document.
fn vectors() -> Vec<Vec<u8>> {
    let document = include_str!("../FORMAT.md");
    let (_, vectors) = document.split_once("## Test vector").unwrap();
    let blocks = vectors.split("```text\n").skip(1);
    blocks
        .map(|block| {
            let (digits, _) = block.split_once("```").unwrap();
            let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
            let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
            digits.chunks(2).map(byte).collect()
        })
        .collect()
}

#[test]
fn the_messages_are_as_the_document_shows_them() {
    let challenge = UnlockChallenge {
        serial: DeviceSerial::parse(b"L2-000001").unwrap(),
        nonce: core::array::from_fn(|at| u8::try_from(at).unwrap()),
        issued: NOW,
    };
    let mut out = [0; UnlockChallenge::MAX_LEN];
    let question = challenge.write(&mut out).unwrap();
    let token = token(&UnlockContent::answer(question, 3600).unwrap());
    assert_eq!(vectors(), [question.to_vec(), token.clone()], "{token:02x?}");
    let unlocked = check(challenge, &token, NOW).unwrap();
    assert_eq!(unlocked.until(), Millis::from_secs(3700));
}
