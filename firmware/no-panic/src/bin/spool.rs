//! Events kept in flash of unknown content, sent and settled, with all cryptography in hardware. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
    detect::BOOT_LOOP,
    error::{SpoolError, StorageError},
    registry,
    registry::{Class, EventDef, Field},
    spool::{Quotas, Spool, SpoolParts},
};
use no_panic::{Hardware, UnknownDigest, UnknownFlash, halt, region};

const USED: EventDef = EventDef::new(
    1,
    "used",
    Class::Usage,
    "An example",
    &[Field::number("hours", "h", 0, 0xFFFF_FFFF)],
);
registry!(static PRODUCT = [USED, BOOT_LOOP]);

/// A storage of unknown content, which fails or not.
struct Unknown;

impl ConsentStorage for Unknown {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        *record = black_box([0; CONSENT_RECORD_LEN]);
        black_box(Ok(true))
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        black_box(record);
        black_box(Ok(()))
    }
}

#[entry]
fn main() -> ! {
    let _ = black_box(live());
    halt()
}

fn now() -> Millis {
    black_box(Millis(0))
}

fn live() -> Result<(), SpoolError> {
    let quotas = Quotas {
        journal: black_box(2),
        critical: black_box(2),
        security: black_box(2),
        health: black_box(2),
        usage: black_box(2),
    };
    let parts = SpoolParts {
        region: region()?,
        quotas,
        registry: PRODUCT.hashed(&mut UnknownDigest),
        aead: &Hardware,
        kdf: &Hardware,
    };
    let (key, wire) = (
        Secret::from_bytes(black_box([1; 32])),
        Secret::from_bytes(black_box([2; 32])),
    );
    let wire = BatchKey::new(&wire, &Hardware, &Hardware);
    let mut flash = UnknownFlash;
    let mut consents = Consents::load(&mut Unknown);
    let mut spool = Spool::mount(&mut flash, parts, black_box(7), &key)?;
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    while black_box(true) {
        black_box(spool.unlock::<Health>(&mut flash, &consents, &key).is_ok());
        black_box(spool.unlock::<Usage>(&mut flash, &consents, &key).is_ok());
        black_box(spool.purge_step(&mut flash, &consents).is_ok());
        spool.set_clock(now(), UnixTime(black_box(0)));
        let values = [black_box(5u32).into()];
        for event in [&USED, &BOOT_LOOP] {
            black_box(spool.record(&mut flash, &consents, event, &values, now()).is_ok());
        }
        let sizes = Sizes::up_to(black_box(SizeClass::B512));
        let sealed = spool.batch(
            &mut flash,
            &consents,
            &wire,
            sizes,
            &mut Hardware,
            &mut scratch,
            &mut out,
        )?;
        if let Some(sealed) = sealed {
            let receipt = black_box(sealed).into_receipt();
            if black_box(true) {
                black_box(spool.ack(&mut flash, receipt).is_ok());
            } else {
                black_box(spool.refused(&mut flash, receipt).is_ok());
            }
        }
        black_box((spool.len(), spool.is_empty()));
        black_box(Class::ALL.map(|class| (spool.len_of(class), spool.loss(class))));
        black_box(spool.withdraw::<Usage>(&mut consents, None, &mut Unknown).is_ok());
    }
    Ok(())
}
