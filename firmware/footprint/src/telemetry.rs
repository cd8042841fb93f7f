//! One event recorded, one batch sealed.

use core::hint::black_box;

use harness::entropy::FixedBytes;
use iotsec_core::{
    cose::Encrypt0,
    crypto::{ChaCha20Poly1305, HkdfSha256, Kdf, Sha256},
    hal::Millis,
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::Consents,
    queue::Queue,
    registry,
    registry::{Class, EventDef, Field},
};

const LOGIN_FAILED: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[
        Field::choice("interface", &["web", "radio"]),
        Field::number("attempts", "1", 1, 255),
    ],
);
registry!(static PRODUCT = [LOGIN_FAILED]);

/// A queue of sixteen events, one in it, one batch of it.
#[inline(never)]
pub fn run() -> bool {
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let consents = Consents::off();
    let mut queue = Queue::<16>::new(registry, 7, 4);
    let values = black_box([1.into(), 5.into()]);
    let recorded = queue.record(&consents, &LOGIN_FAILED, &values, Millis::from_secs(90));
    let key = Secret::from_bytes(black_box([9; 32]));
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let sizes = Sizes::up_to(SizeClass::B256);
    let sealed = queue.batch(
        &consents,
        &key,
        sizes,
        &mut FixedBytes::new(4),
        &mut scratch,
        &mut out,
    );
    recorded.is_ok() && matches!(black_box(&sealed), Ok(Some(_)))
}

/// A registry's hash, a key derived, a message of 128 bytes sealed.
#[inline(never)]
pub fn seal() -> bool {
    let hash = Sha256::of(&[black_box(&[1; 64])]);
    let mut key = Secret::zero();
    let derived = HkdfSha256.hkdf(black_box(&hash), &[9; 32], &[b"sealing"], key.expose_mut());
    let (salt, nonce, plain) = black_box(([1; 8], [2; 12], [3; 80]));
    let mut out = [0; 256];
    let sealed = Encrypt0::seal(
        &ChaCha20Poly1305,
        &key,
        &nonce,
        &salt,
        b"sealing",
        &plain,
        &mut out,
    );
    derived.is_ok() && black_box(&sealed).is_ok()
}
