use embedded_storage::nor_flash::NorFlash;
use iotsec_core::credential::{Authenticated, Iterations, UserPassword};
use rand_core::TryCryptoRng;

use super::{Setup, SetupError};
use crate::device::{Device, Owned};

/// A set-up that waits for nothing but the owner's password. Only [`Setup::ready`] makes one.
///
/// ```compile_fail,E0451
/// # use iotsec::{core::credential::Authenticated, setup::{Ready, Setup}};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn forge(setup: Setup<'_, SimFlash, SimRng, 16>, proof: Authenticated) {
///     let _ = Ready { setup, proof };
/// }
/// ```
#[must_use = "the device has no owner yet"]
pub struct Ready<'d, F, R, const N: usize> {
    pub(super) setup: Setup<'d, F, R, N>,
    pub(super) proof: Authenticated,
}

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Ready<'d, F, R, N> {
    /// Makes whoever showed the label the owner, with the password that they chose. No event of use is recorded or sent
    /// until they consent.
    ///
    /// *Power loss:* the device has an owner and their password, or neither.
    ///
    /// # Errors
    /// Failures of store and entropy. The set-up comes back, without the proof.
    #[allow(
        clippy::result_large_err,
        clippy::type_complexity,
        reason = "the device must come back"
    )]
    pub fn claim(
        self,
        password: &UserPassword<'_>,
        iterations: Iterations,
    ) -> Result<Device<'d, Owned, F, R, N>, (Setup<'d, F, R, N>, SetupError)> {
        let Self { setup, proof } = self;
        let claimed = setup.device.claim_with(proof, password, iterations);
        claimed.map_err(|(device, error)| {
            let (joined, time) = (setup.joined, setup.time);
            let mut setup = Setup::resume(device, setup.plan, setup.progress);
            (setup.joined, setup.time) = (joined, time);
            (setup, error.into())
        })
    }

    /// Back, to give another network first.
    pub fn back(self) -> Setup<'d, F, R, N> {
        let Self { mut setup, proof } = self;
        setup.proof = Some(proof);
        setup
    }
}

impl<F, R, const N: usize> core::fmt::Debug for Ready<'_, F, R, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ready(..)")
    }
}
