//! The debug port: whether it is as closed as it should be, and how its maker opens it.

use std::mem::MaybeUninit;

use iotsec::net::surface::debug::UnlockContent;
use iotsec_ffi::{
    attest::IOTSEC_DEBUG_OPEN,
    device::IOTSEC_DEVICE_FACTORY,
    signer::IOTSEC_KEY_ED25519,
    status::{IOTSEC_ERR_STATE, IOTSEC_OK},
    surface::{debug::*, *},
    update::config::iotsec_trust_anchor_t,
};

use super::{Step, filled, freshness::changed, on_copy, plain::APP, plain_call};
use crate::{
    Input, board,
    board::size,
    guarded::Guarded,
    vectors::{self, By},
    world::World,
};

/// What an unlocking was asked and has said since it was opened.
#[derive(Default)]
pub(crate) struct Asked {
    challenge: Vec<u8>,
    drawn_ms: u64,
    is_answered: bool,
    until_ms: Option<u64>,
}

const PORT: iotsec_interface_t = iotsec_interface_t {
    id: c"swd".as_ptr(),
    purpose: c"Repair, by the maker's leave".as_ptr(),
    kind: IOTSEC_INTERFACE_DEBUG,
    number: 2,
    phases: IOTSEC_PHASE_FACTORY | IOTSEC_PHASE_OWNED,
    scope: 0,
    authentication: 0,
    ..APP
};

/// What the service of the maker, or somebody else, says to the challenge or to another one; or any bytes. True when it is
/// the maker's word on this challenge.
fn answer(world: &World, input: &mut Input<'_>) -> (bool, Vec<u8>) {
    let by = match input.byte() % 3 {
        0 => By::Maker,
        1 => By::Freshness,
        _ => By::Recovery,
    };
    let lifetime = u32::try_from(input.wide()).unwrap_or(u32::MAX);
    let (mut challenge, flip) = (world.asked.challenge.clone(), input.byte());
    if let Some(last) = challenge.last_mut() {
        *last ^= flip;
    }
    let mut out = [0; UnlockContent::MAX_LEN];
    let content = UnlockContent::answer(&challenge, lifetime);
    match content.and_then(|content| content.write(&mut out)) {
        Ok(payload) => (
            by == By::Maker && flip == 0,
            changed(vectors::sign1(payload, by), input),
        ),
        Err(_) => (false, input.piece().to_vec()),
    }
}

fn challenge(world: &World, out: &mut Guarded) -> i32 {
    let (at, size, len) = (out.at(), out.size(), out.len());
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    unsafe { iotsec_unlock_challenge(world.unlock.at(), at, size, len) }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_surface_check_debug", |_, input| {
        let (table, phase, debug) = ([PORT, APP], input.number(), input.number());
        // From neither of the two to both.
        let (first, count) = match input.byte() % 4 {
            0 => (0, 1),
            1 => (1, 1),
            2 => (0, 2),
            _ => (0, 0),
        };
        // SAFETY: as above.
        let status = unsafe { iotsec_surface_check_debug(table[first..].as_ptr(), count, phase, debug) };
        if status == IOTSEC_OK && debug == IOTSEC_DEBUG_OPEN {
            assert_eq!(phase, IOTSEC_DEVICE_FACTORY, "open outside of the factory");
            assert!(first == 0 && count > 0, "open, and not declared");
        }
        status
    }),
    ("iotsec_unlock_open", |world, input| {
        let (serial, now, entropy) = (input.piece(), input.wide(), board::entropy(world.ctx()));
        let serial = if serial.is_empty() { b"LAMP-0042" } else { serial };
        let (at, text, len) = (world.unlock.at(), serial.as_ptr().cast(), serial.len());
        // SAFETY: as above.
        let status = unsafe { iotsec_unlock_open(at, text, len, &raw const entropy, now) };
        if status == IOTSEC_OK {
            world.asked = Asked {
                drawn_ms: now,
                ..Asked::default()
            };
        }
        status
    }),
    ("iotsec_unlock_challenge", |world, input| {
        let at = world.unlock.at();
        // SAFETY: as above.
        let (status, challenge) = filled(input, |out, size, len| unsafe {
            iotsec_unlock_challenge(at, out, size, len)
        });
        if status == IOTSEC_OK {
            let asked = &mut world.asked;
            assert!(!asked.is_answered && challenge.len() <= IOTSEC_UNLOCK_CHALLENGE_MAX);
            assert!(asked.challenge.is_empty() || asked.challenge == challenge);
            asked.challenge = challenge;
        }
        status
    }),
    ("iotsec_unlock_answer", |world, input| {
        let (now, anchor, mut until) = (input.wide(), vectors::public_key(), u64::MAX);
        let anchor = iotsec_trust_anchor_t {
            struct_size: size::<iotsec_trust_anchor_t>(),
            key_type: IOTSEC_KEY_ED25519,
            key: anchor.as_ptr(),
            key_len: anchor.len(),
        };
        let (is_right, token) = answer(world, input);
        let (at, from, len) = (world.unlock.at(), token.as_ptr(), token.len());
        // SAFETY: as above.
        let status = unsafe { iotsec_unlock_answer(at, &raw const anchor, from, len, now, &raw mut until) };
        let asked = &mut world.asked;
        if status == IOTSEC_OK {
            assert!(!asked.is_answered, "a challenge with two answers");
            assert!(is_right, "what nobody signed");
            assert!((asked.drawn_ms..until).contains(&now), "too late");
            let most = u64::from(IOTSEC_UNLOCK_LIFETIME_MAX_S) * 1000;
            assert!(until - asked.drawn_ms <= most, "for too long");
            asked.until_ms = Some(until);
        } else {
            assert_eq!(until, u64::MAX);
        }
        asked.is_answered = true;
        // Right or wrong, it was the only one.
        let mut out = Guarded::new(IOTSEC_UNLOCK_CHALLENGE_MAX);
        let after = challenge(world, &mut out);
        out.judge(after);
        assert_eq!(after, IOTSEC_ERR_STATE);
        status
    }),
    ("iotsec_unlock_is_open", |world, input| {
        let (now, mut is_open) = (input.wide(), 7);
        // SAFETY: as above.
        let status = unsafe { iotsec_unlock_is_open(world.unlock.at(), now, &raw mut is_open) };
        let permitted = world.asked.until_ms.is_some_and(|until| now < until);
        let expected = if status == IOTSEC_OK {
            i32::from(permitted)
        } else {
            7
        };
        assert_eq!(is_open, expected);
        status
    }),
    plain_call!(unlock, iotsec_unlock_close),
    ("a copy of an unlocking", |world, _| {
        let (copy, mut out) = (world.unlock.copied(), MaybeUninit::<i32>::uninit());
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_unlock_is_open(copy, 0, out.as_mut_ptr()) })
    }),
];
