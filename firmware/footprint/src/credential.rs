//! A typed device password checked against its verifier, throttle included.

use core::hint::black_box;

use harness::entropy::FixedBytes;
use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Label, Login, Pepper, StorageError, Throttle, ThrottlePolicy,
        ThrottleStorage, Verifier,
    },
    crypto::HkdfSha256,
    hal::Millis,
    secret::Secret,
};

/// What the factory leaves on the device, and on its label.
#[derive(Debug)]
pub struct Prepared {
    pepper: Pepper<'static>,
    verifier: Verifier,
    label: Label,
    storage: Memory,
}

/// Plays the factory.
pub fn prepare() -> Option<Prepared> {
    let mut rng = FixedBytes::new(1);
    let mut storage = Memory(None);
    let pepper = Pepper::new(
        Secret::from_bytes(core::array::from_fn(|at| at as u8)),
        &HkdfSha256,
    )
    .ok()?;
    let password = DevicePassword::generate(Exposure::Online, &mut rng).ok()?;
    Throttle::initialise(&mut storage).ok()?;
    let verifier = Verifier::for_device(&password, &pepper, &mut rng).ok()?;
    Some(Prepared {
        pepper,
        verifier,
        label: password.label(),
        storage,
    })
}

/// One login.
#[inline(never)]
pub fn run(prepared: &mut Prepared) -> bool {
    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &prepared.pepper);
    let storage = &mut prepared.storage;
    Attempt::from_label(black_box(prepared.label.as_str())).is_ok_and(|attempt| {
        login
            .attempt(storage, &prepared.verifier, &attempt, Millis::from_secs(30))
            .is_ok()
    })
}

/// The throttle's record, for as long as there is power.
#[derive(Debug)]
struct Memory(Option<[u8; Throttle::LEN]>);

impl ThrottleStorage for Memory {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.0.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}
