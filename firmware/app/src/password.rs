//! A device password is checked, and guessing it is throttled.

use harness::{
    console::{self, require},
    entropy::FixedBytes,
};
use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Login, LoginError, Pepper, StorageError, Throttle, ThrottlePolicy,
        ThrottleStorage, Verifier,
    },
    crypto::HkdfSha256,
    hal::Millis,
    secret::Secret,
};

#[inline(never)]
pub(crate) fn is_checked_and_throttled() {
    let mut rng = FixedBytes::new(1);
    let mut storage = Memory(None);
    let Ok(pepper) = Pepper::new(
        Secret::from_bytes(core::array::from_fn(|at| at as u8)),
        &HkdfSha256,
    ) else {
        console::fail("no pepper")
    };
    let (Ok(password), Ok(())) = (
        DevicePassword::generate(Exposure::Online, &mut rng),
        Throttle::initialise(&mut storage),
    ) else {
        console::fail("no password")
    };
    let Ok(verifier) = Verifier::for_device(&password, &pepper, &mut rng) else {
        console::fail("no verifier")
    };
    let label = password.label();
    let (Ok(right), Ok(wrong)) = (
        Attempt::from_label(label.as_str()),
        Attempt::from_label("K2M4-P6R8-T0V3-6"),
    ) else {
        console::fail("a label was not understood")
    };

    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
    let now = Millis::from_secs(30);
    require(
        login.attempt(&mut storage, &verifier, &right, now).is_ok(),
        "the right password was refused",
    );
    let mut refused = 0;
    while login.attempt(&mut storage, &verifier, &wrong, now).err() == Some(LoginError::Refused) {
        refused += 1;
        require(refused < 20, "guessing was not throttled");
    }
    require(refused > 0, "a wrong password was accepted");
    require(
        login.attempt(&mut storage, &verifier, &right, now).is_err(),
        "a throttled login was taken",
    );
    console::number(
        "password: right one accepted, wrong ones refused until throttled: ",
        refused,
    );
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
