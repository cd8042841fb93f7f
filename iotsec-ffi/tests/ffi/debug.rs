//! The debug port: as closed as it should be, and opened to its maker alone.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec::{
    core::{
        cose::Sign1Builder,
        crypto::{Ed25519SigningKey, Sign},
        secret::Secret,
    },
    net::surface::debug::UnlockContent,
};
use iotsec_ffi::{
    attest::*,
    device::{
        IOTSEC_DEVICE_FACTORY, IOTSEC_DEVICE_OWNED, IOTSEC_DEVICE_RETIRED, IOTSEC_SERIAL_MAX,
        iotsec_device_state_t,
    },
    entropy::iotsec_entropy_t,
    signer::IOTSEC_KEY_ED25519,
    status::*,
    surface::{debug::*, *},
    update::config::iotsec_trust_anchor_t,
};

use crate::{
    board::{Board, Fixed},
    login::zeroed,
    surface::{APP, TELNET},
};

const SERIAL: &str = "LAMP-2026.00417";
/// The uptime at which the challenge is drawn.
const NOW: u64 = 100_000;

pub(crate) const SWD: iotsec_interface_t = iotsec_interface_t {
    id: c"swd".as_ptr(),
    purpose: c"Tests on the line".as_ptr(),
    kind: IOTSEC_INTERFACE_DEBUG,
    number: IOTSEC_DEBUG_PORT_SWD as u32,
    phases: IOTSEC_PHASE_FACTORY,
    scope: 0,
    authentication: 0,
    ..APP
};

fn check(
    table: &[iotsec_interface_t],
    phase: iotsec_device_state_t,
    debug: iotsec_debug_t,
) -> iotsec_status_t {
    // SAFETY: see the top; here and below.
    unsafe { iotsec_surface_check_debug(table.as_ptr(), table.len(), phase, debug) }
}

#[test]
fn a_port_is_open_in_the_factory_alone_and_authenticates_only_where_it_is_declared() {
    let repair = iotsec_interface_t {
        phases: IOTSEC_PHASE_FACTORY | IOTSEC_PHASE_OWNED | IOTSEC_PHASE_RETIRED,
        ..SWD
    };
    let (line, repair, none) = ([APP, SWD], [APP, repair], [APP]);
    let (factory, owned, retired) = (IOTSEC_DEVICE_FACTORY, IOTSEC_DEVICE_OWNED, IOTSEC_DEVICE_RETIRED);
    assert_eq!(check(&line, factory, IOTSEC_DEBUG_OPEN), IOTSEC_OK);
    assert_eq!(check(&line, owned, IOTSEC_DEBUG_OPEN), IOTSEC_ERR_DEBUG_OPEN);
    assert_eq!(
        check(&line, owned, IOTSEC_DEBUG_AUTHENTICATED),
        IOTSEC_ERR_DEBUG_UNDECLARED
    );
    assert_eq!(check(&line, owned, IOTSEC_DEBUG_CLOSED), IOTSEC_OK);
    assert_eq!(check(&repair, owned, IOTSEC_DEBUG_AUTHENTICATED), IOTSEC_OK);
    assert_eq!(check(&repair, retired, IOTSEC_DEBUG_OPEN), IOTSEC_ERR_DEBUG_OPEN);
    assert_eq!(
        check(&none, factory, IOTSEC_DEBUG_OPEN),
        IOTSEC_ERR_DEBUG_UNDECLARED
    );
    assert_eq!(check(&none, factory, IOTSEC_DEBUG_CLOSED), IOTSEC_OK);
    assert_eq!(check(&line, owned, 0), IOTSEC_ERR_CONFIG);
    assert_eq!(check(&line, 0, IOTSEC_DEBUG_CLOSED), IOTSEC_ERR_CONFIG);
    assert_eq!(check(&[], owned, IOTSEC_DEBUG_CLOSED), IOTSEC_ERR_TABLE_COUNT);
    for number in [0, 6, u32::MAX] {
        let strange = iotsec_interface_t { number, ..SWD };
        assert_eq!(check(&[strange], owned, IOTSEC_DEBUG_CLOSED), IOTSEC_ERR_CONFIG);
    }
    // It is no service, and no socket.
    // SAFETY: see the top.
    unsafe {
        assert_eq!(iotsec_surface_check(line.as_ptr(), 2), IOTSEC_OK);
        let listen = iotsec_surface_may_listen(line.as_ptr(), 2, factory, 0, c"swd".as_ptr(), 3);
        assert_eq!(listen, IOTSEC_ERR_SURFACE_KIND);
        let (mut found, mut len, mut open) = (zeroed::<iotsec_surface_finding_t>(), 9, 9);
        let socket = iotsec_listener_t {
            kind: IOTSEC_INTERFACE_DEBUG,
            ..TELNET
        };
        let (found, len, open) = (&raw mut found, &raw mut len, &raw mut open);
        let audited = iotsec_surface_audit(line.as_ptr(), 2, factory, 0, ptr::null(), 0, found, 1, len, open);
        assert_eq!((audited, *len), (IOTSEC_OK, 0), "nothing listens that should");
        let audited = iotsec_surface_audit(
            line.as_ptr(),
            2,
            factory,
            0,
            &raw const socket,
            1,
            found,
            1,
            len,
            open,
        );
        assert_eq!(audited, IOTSEC_ERR_CONFIG);
    }
}

/// The maker's service. Its public key is that of `crate::attest`.
pub(crate) fn maker() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

pub(crate) fn anchor(key: &[u8; 32]) -> iotsec_trust_anchor_t {
    iotsec_trust_anchor_t {
        struct_size: size_of::<iotsec_trust_anchor_t>() as u32,
        key_type: IOTSEC_KEY_ED25519,
        key: key.as_ptr(),
        key_len: key.len(),
    }
}

/// What Rust at the maker answers.
pub(crate) fn answer(challenge: &[u8], lifetime_s: u32, key: &Ed25519SigningKey) -> Vec<u8> {
    let content = UnlockContent::answer(challenge, lifetime_s).unwrap();
    let (mut payload, mut scratch, mut out) = ([0; UnlockContent::MAX_LEN], [0; 256], [0; 256]);
    let payload = content.write(&mut payload).unwrap();
    let signed = Sign1Builder::new().sign(key, payload, b"", &mut scratch, &mut out);
    signed.unwrap().to_vec()
}

struct Probe {
    board: Board,
    unlock: Fixed<iotsec_unlock_t>,
    key: [u8; 32],
}

impl Probe {
    fn new() -> Self {
        let probe = Self {
            board: Board::new(),
            unlock: Fixed::new(zeroed()),
            key: maker().public_key().try_into().unwrap(),
        };
        assert_eq!(probe.open(SERIAL), IOTSEC_OK);
        probe
    }

    fn open(&self, serial: &str) -> iotsec_status_t {
        let entropy = self.board.entropy();
        let (at, len) = (serial.as_ptr().cast(), serial.len());
        // SAFETY: as above.
        unsafe { iotsec_unlock_open(self.unlock.at(), at, len, &raw const entropy, NOW) }
    }

    fn reopen(&self) {
        // SAFETY: as above.
        assert_eq!(unsafe { iotsec_unlock_close(self.unlock.at()) }, IOTSEC_OK);
        assert_eq!(self.open(SERIAL), IOTSEC_OK);
    }

    fn challenge(&self) -> Result<Vec<u8>, iotsec_status_t> {
        let (mut bytes, mut len) = ([0; IOTSEC_UNLOCK_CHALLENGE_MAX], 0);
        // SAFETY: as above.
        match unsafe {
            iotsec_unlock_challenge(self.unlock.at(), bytes.as_mut_ptr(), bytes.len(), &raw mut len)
        } {
            IOTSEC_OK => Ok(bytes[..len].to_vec()),
            error => Err(error),
        }
    }

    fn answer(&self, token: &[u8], now: u64) -> Result<u64, iotsec_status_t> {
        let (anchor, mut until) = (anchor(&self.key), 0);
        let (at, len) = (token.as_ptr(), token.len());
        // SAFETY: as above.
        match unsafe {
            iotsec_unlock_answer(self.unlock.at(), &raw const anchor, at, len, now, &raw mut until)
        } {
            IOTSEC_OK => Ok(until),
            error => Err(error),
        }
    }

    fn is_open(&self, now: u64) -> bool {
        let mut is_open = -1;
        // SAFETY: as above.
        let status = unsafe { iotsec_unlock_is_open(self.unlock.at(), now, &raw mut is_open) };
        assert_eq!(status, IOTSEC_OK);
        is_open == 1
    }
}

#[test]
fn an_answer_of_the_maker_opens_the_port_for_its_time() {
    let probe = Probe::new();
    let challenge = probe.challenge().unwrap();
    assert_eq!(probe.challenge(), Ok(challenge.clone()), "the same each time");
    assert!(!probe.is_open(NOW), "not before it was answered");
    let token = answer(&challenge, 60, &maker());
    assert_eq!(probe.answer(&token, NOW + 30_000), Ok(NOW + 60_000));
    assert!(probe.is_open(NOW + 59_999) && !probe.is_open(NOW + 60_000));
    assert_eq!(probe.challenge(), Err(IOTSEC_ERR_STATE));
    assert_eq!(probe.answer(&token, NOW), Err(IOTSEC_ERR_STATE), "good for one");
    assert!(probe.is_open(NOW + 59_999), "a second answer ends nothing");
    // The answer is worth nothing after that.
    probe.reopen();
    assert_ne!(probe.challenge(), Ok(challenge));
    assert_eq!(probe.answer(&token, NOW), Err(IOTSEC_ERR_UNLOCK_WRONG_NONCE));
    assert!(!probe.is_open(NOW));
}

#[test]
fn an_answer_for_anything_else_opens_nothing_and_ends_the_challenge() {
    let probe = Probe::new();
    let refused = |token: &dyn Fn(&[u8]) -> Vec<u8>, now: u64, expected: iotsec_status_t| {
        probe.reopen();
        let token = token(&probe.challenge().unwrap());
        assert_eq!(probe.answer(&token, now), Err(expected));
        assert_eq!(probe.answer(&token, now), Err(IOTSEC_ERR_STATE), "one try");
        assert_eq!(probe.challenge(), Err(IOTSEC_ERR_STATE));
        assert!(!probe.is_open(NOW));
    };
    let good = |challenge: &[u8]| answer(challenge, 60, &maker());
    refused(&good, NOW + 60_000, IOTSEC_ERR_UNLOCK_EXPIRED);
    refused(&good, NOW - 1, IOTSEC_ERR_UNLOCK_EXPIRED);
    let stranger = Ed25519SigningKey::from_seed(&Secret::from_bytes([8; 32]));
    refused(
        &|challenge| answer(challenge, 60, &stranger),
        NOW,
        IOTSEC_ERR_CRYPTO_SIGNATURE,
    );
    let flipped = |challenge: &[u8]| {
        let mut token = answer(challenge, 60, &maker());
        *token.last_mut().unwrap() ^= 1;
        token
    };
    refused(&flipped, NOW, IOTSEC_ERR_CRYPTO_SIGNATURE);
    let elsewhere = |challenge: &[u8]| {
        let mut other = challenge.to_vec();
        let at = other.windows(4).position(|four| four == b"LAMP").unwrap();
        other[at] = b'D';
        answer(&other, 60, &maker())
    };
    refused(&elsewhere, NOW, IOTSEC_ERR_UNLOCK_WRONG_DEVICE);
    refused(&|_| vec![0xFF; 600], NOW, IOTSEC_ERR_CBOR_BYTES);
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let probe = Probe::new();
    assert_eq!(probe.open(SERIAL), IOTSEC_ERR_STATE, "open already");
    // SAFETY: as above.
    unsafe {
        assert_eq!(iotsec_unlock_close(probe.unlock.at()), IOTSEC_OK);
        assert_eq!(iotsec_unlock_close(probe.unlock.at()), IOTSEC_ERR_STATE);
    }
    for serial in ["", "-L2", "L2/7", &"7".repeat(IOTSEC_SERIAL_MAX + 1)] {
        assert_ne!(probe.open(serial), IOTSEC_OK, "{serial}");
    }
    assert_eq!(probe.open(&"7".repeat(IOTSEC_SERIAL_MAX)), IOTSEC_OK);
    let longest = probe.challenge().unwrap();
    assert!(
        longest
            .windows(IOTSEC_SERIAL_MAX)
            .any(|part| part == [b'7'; IOTSEC_SERIAL_MAX])
    );
    // SAFETY: as above.
    assert_eq!(unsafe { iotsec_unlock_close(probe.unlock.at()) }, IOTSEC_OK);
    unsafe extern "C" fn none(_: *mut std::ffi::c_void, _: *mut u8, _: usize) -> i32 {
        1
    }
    let entropy = iotsec_entropy_t {
        fill: Some(none),
        ..probe.board.entropy()
    };
    // SAFETY: as above.
    let dry = unsafe {
        iotsec_unlock_open(
            probe.unlock.at(),
            SERIAL.as_ptr().cast(),
            SERIAL.len(),
            &raw const entropy,
            NOW,
        )
    };
    assert_eq!(dry, IOTSEC_ERR_UNLOCK_ENTROPY);
    assert_eq!(probe.open(SERIAL), IOTSEC_OK);
}
