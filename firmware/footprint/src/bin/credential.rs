//! A typed device password checked against its verifier, throttle included.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use harness::{console, entropy::FixedBytes, measure};
use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Login, Pepper, StorageError, Throttle, ThrottlePolicy,
        ThrottleStorage, Verifier,
    },
    crypto::HkdfSha256,
    hal::Millis,
    secret::Secret,
};

#[entry]
fn main() -> ! {
    let mut rng = FixedBytes::new(1);
    let mut storage = Memory(None);
    let pepper = Pepper::new(
        Secret::from_bytes(core::array::from_fn(|at| at as u8)),
        &HkdfSha256,
    );
    let password = DevicePassword::generate(Exposure::Online, &mut rng);
    let (Ok(pepper), Ok(password), Ok(())) = (pepper, password, Throttle::initialise(&mut storage)) else {
        console::fail("no password")
    };
    let Ok(verifier) = Verifier::for_device(&password, &pepper, &mut rng) else {
        console::fail("no verifier")
    };
    let label = password.label();
    measure::report(|| {
        let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
        Attempt::from_label(black_box(label.as_str())).is_ok_and(|attempt| {
            login
                .attempt(&mut storage, &verifier, &attempt, Millis::from_secs(30))
                .is_ok()
        })
    })
}

/// The throttle's record, for as long as there is power.
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
