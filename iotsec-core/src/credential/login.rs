use rand_core::TryCryptoRng;

use super::{
    label::Attempt,
    pepper::Pepper,
    stretch::Cost,
    throttle::{Authenticated, Throttle, ThrottleError, ThrottleStorage},
    verifier::Verifier,
};
use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::Millis,
};

/// The whole of a login, in the order that matters: count, compare, clear.
///
/// What a power cut leaves behind is in the table at [`Throttle`].
///
/// ```
/// # use iotsec_testkit::{SimRng, SimRootKey};
/// # use iotsec_core::credential::StorageError;
/// use iotsec_core::{
///     credential::{
///         Attempt, DevicePassword, Exposure, Login, LoginError, Pepper, Throttle, ThrottlePolicy,
///         ThrottleStorage, Verifier,
///     },
///     crypto::HkdfSha256,
///     hal::Millis,
/// };
///
/// # #[derive(Default)]
/// # struct Memory(Option<[u8; Throttle::LEN]>);
/// # impl ThrottleStorage for Memory {
/// #     fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
/// #         Ok(self.0.map(|kept| { *record = kept; kept.len() }))
/// #     }
/// #     fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
/// #         self.0 = Some(*record);
/// #         Ok(())
/// #     }
/// # }
/// # let mut rng = SimRng::new(1);
/// # let root = SimRootKey::new(1);
/// # let mut storage = Memory::default();
/// // In the factory.
/// let pepper = Pepper::derive(&root, &HkdfSha256)?;
/// let password = DevicePassword::generate(Exposure::Online, &mut rng)?;
/// let label = password.label();
/// let verifier = Verifier::for_device(&password, &pepper, &mut rng)?;
/// Throttle::initialise(&mut storage)?;
///
/// // In the field.
/// let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
/// let wrong = Attempt::from_label("K2M4-P6R8-T0V3-6")?;
/// let right = Attempt::from_label(label.as_str())?;
/// let now = Millis::from_secs(30);
/// assert_eq!(
///     login.attempt(&mut storage, &verifier, &wrong, now).err(),
///     Some(LoginError::Refused)
/// );
/// assert!(login.attempt(&mut storage, &verifier, &right, now).is_ok());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Login<'p> {
    throttle: Throttle,
    pepper: &'p Pepper<'p>,
}

impl<'p> Login<'p> {
    /// A login for this boot, for one interface.
    pub const fn new(throttle: Throttle, pepper: &'p Pepper<'p>) -> Self {
        Self { throttle, pepper }
    }

    /// Takes one guess at uptime `now`. For a user name that does not exist, pass
    /// [`Verifier::decoy`].
    ///
    /// # Errors
    /// [`LoginError::Refused`] for a wrong password; [`LoginError::Throttle`] when no guess was taken,
    /// or a right one could not be noted.
    pub fn attempt<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        verifier: &Verifier,
        attempt: &Attempt<'_>,
        now: Millis,
    ) -> Result<Authenticated, LoginError> {
        let permit = self.throttle.begin(storage, now)?;
        let matched = verifier.check(permit, attempt, self.pepper)?;
        Ok(self.throttle.succeed(storage, matched)?)
    }

    /// [`attempt`](Self::attempt), and after a right password that a person chose a new verifier of it, if the stored one
    /// was made at another `cost`: it takes the place of `verifier`. A new verifier that cannot be made is none, and
    /// the login counts.
    ///
    /// ```
    /// # use iotsec_testkit::{SimRng, SimRootKey};
    /// # use iotsec_core::credential::StorageError;
    /// use iotsec_core::credential::{
    ///     Attempt, Exposure, Iterations, Login, Pepper, Scheme, Throttle, ThrottlePolicy, ThrottleStorage,
    ///     UserPassword, Verifier,
    /// };
    /// use iotsec_core::{crypto::HkdfSha256, hal::Millis};
    ///
    /// # #[derive(Default)]
    /// # struct Memory(Option<[u8; Throttle::LEN]>);
    /// # impl ThrottleStorage for Memory {
    /// #     fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
    /// #         Ok(self.0.map(|kept| { *record = kept; kept.len() }))
    /// #     }
    /// #     fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
    /// #         self.0 = Some(*record);
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let (mut rng, root, mut storage) = (SimRng::new(1), SimRootKey::new(1), Memory::default());
    /// # Throttle::initialise(&mut storage)?;
    /// let pepper = Pepper::derive(&root, &HkdfSha256)?;
    /// let password = UserPassword::new("seven small otters swim", Exposure::Online, &[])?;
    /// let stored = Verifier::for_user(&password, Iterations::MCU, &pepper, &mut rng)?;
    ///
    /// let (cost, now) = (Iterations::new(20_000)?, Millis::from_secs(30));
    /// let attempt = Attempt::from_text("seven small otters swim")?;
    /// let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
    /// let (_owner, again) = login.attempt_with_rehash(&mut storage, &stored, &attempt, now, cost, &mut rng)?;
    /// assert_eq!(again.map(|verifier| verifier.scheme()), Some(Scheme::Chosen(cost)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt).
    pub fn attempt_with_rehash<S: ThrottleStorage + ?Sized, R: TryCryptoRng + ?Sized>(
        &mut self,
        storage: &mut S,
        verifier: &Verifier,
        attempt: &Attempt<'_>,
        now: Millis,
        cost: impl Into<Cost>,
        rng: &mut R,
    ) -> Result<(Authenticated, Option<Verifier>), LoginError> {
        let proof = self.attempt(storage, verifier, attempt, now)?;
        let cost = cost.into();
        let again = if verifier.needs_rehash(cost) {
            Verifier::for_attempt(attempt, cost, self.pepper, rng).ok()
        } else {
            None
        };
        Ok((proof, again))
    }

    /// The throttle, for its status and for an unlock.
    pub const fn throttle(&mut self) -> &mut Throttle {
        &mut self.throttle
    }
}

crate::claim! {
    provisions: ["5.1-3"],
    claims: "Nobody is let in whose password does not match, or whose success cannot be stored",
    code: [Login::attempt],
    tests: [
        "iotsec-core::credential_login::the_right_password_gets_in_and_the_wrong_one_does_not",
        "iotsec-core::credential_login::a_success_that_cannot_be_stored_lets_nobody_in",
    ],
}

/// Why a login did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Not the password. The one value for everything that has to do with it.
    #[error("refused")]
    Refused,
    /// No guess was taken, or its count could not be kept.
    #[error(transparent)]
    Throttle(#[from] ThrottleError),
    /// The MAC could not be computed. The guess is counted.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for LoginError {
    fn code(&self) -> u16 {
        match self {
            Self::Refused => 1341,
            Self::Throttle(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Refused => Fault::Input,
            Self::Throttle(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
        }
    }
}
