//! One event recorded, one batch sealed: from memory, and from flash.

use core::hint::black_box;

use harness::{
    entropy::FixedBytes,
    flash::{self, SimulatedFlash},
};
use iotsec_core::{
    cose::Encrypt0,
    crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Kdf, Sha256},
    hal::{Millis, Region},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::Consents,
    error::SpoolError,
    queue::Queue,
    registry,
    registry::{Class, EventDef, Field},
    spool::{Purge, Quotas, Spool, SpoolParts},
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

const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 4,
    health: 2,
    usage: 2,
};
/// Pages of the [`QUOTAS`].
const PAGES: u32 = 12;

/// The queue in flash with an event that waits from before a power cut: mounted, one more recorded, both sealed in a batch,
/// that acknowledged.
#[inline(never)]
pub fn spool(flash: &mut SimulatedFlash) -> bool {
    spool_once(flash, 8) == Ok(2)
}

/// The event that waits. Its code counts with the rest.
pub fn prepare_spool(flash: &mut SimulatedFlash) -> bool {
    let key = Secret::from_bytes(black_box([7; 32]));
    let values = black_box([1.into(), 5.into()]);
    let now = Millis::from_secs(90);
    let waiting = parts()
        .and_then(|parts| Spool::mount(flash, parts, 7, &key))
        .and_then(|mut spool| spool.record(flash, &Consents::off(), &LOGIN_FAILED, &values, now));
    waiting.is_ok()
}

fn parts() -> Result<SpoolParts<'static>, SpoolError> {
    let (page, word) = (flash::PAGE as u32, flash::WORD as u32);
    Ok(SpoolParts {
        region: Region::new(0, page, PAGES, word)?,
        quotas: QUOTAS,
        registry: PRODUCT.hashed(&mut Sha256::new()),
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
    })
}

fn spool_once(flash: &mut SimulatedFlash, boot: u32) -> Result<usize, SpoolError> {
    let consents = Consents::off();
    let (stored, wire) = black_box(([7; 32], [9; 32]));
    let (stored, wire) = (Secret::from_bytes(stored), Secret::from_bytes(wire));
    let mut spool = Spool::mount(flash, parts()?, boot, &stored)?;
    while spool.purge_step(flash, &consents)? == Purge::Pending {}
    let values = black_box([1.into(), 5.into()]);
    spool.record(flash, &consents, &LOGIN_FAILED, &values, Millis::from_secs(90))?;
    let key = BatchKey::new(&wire, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let (sizes, rng) = (Sizes::up_to(SizeClass::B256), &mut FixedBytes::new(4));
    let sealed = spool.batch(flash, &consents, &key, sizes, rng, &mut scratch, &mut out)?;
    let Some(sealed) = black_box(sealed) else {
        return Ok(0);
    };
    let events = sealed.events();
    let receipt = sealed.into_receipt();
    spool.ack(flash, receipt)?;
    Ok(events)
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
