//! Minting unique credentials at the factory station.
//!
//! Every password comes from the generator, and no two units of a batch share one: the batch remembers
//! keyed hashes, under a key that is drawn for it and goes with it, so that nothing here needs guarding
//! but the units themselves.

mod batch_key;

pub use batch_key::{BatchKey, StreamError, UnitStream};
pub use iotsec_core::credential::SetupCode;

use alloc::{collections::BTreeSet, string::String};

use iotsec_core::{
    credential::{DevicePassword, Exposure},
    crypto::{CryptoError, DIGEST_LEN, Kdf},
    error::{ErrorCode, Fault},
    secret::Secret,
};
use rand_core::TryCryptoRng;

/// Units that are minted together.
///
/// ```
/// use iotsec::{core::{credential::Exposure, crypto::HkdfSha256}, factory::Batch};
///
/// # let mut rng = iotsec_testkit::SimRng::new(1);
/// let mut batch = Batch::new(&HkdfSha256, &mut rng)?;
/// let unit = batch.mint("SN-0001", Exposure::Online, &mut rng)?;
/// assert_eq!(unit.serial(), "SN-0001");
/// assert!(batch.mint("SN-0001", Exposure::Online, &mut rng).is_err(), "a serial is used once");
/// # Ok::<(), iotsec::factory::FactoryError>(())
/// ```
pub struct Batch<'k> {
    kdf: &'k dyn Kdf,
    key: Secret<32>,
    passwords: BTreeSet<[u8; DIGEST_LEN]>,
    serials: BTreeSet<String>,
}

/// One unit's serial number and password.
///
/// The serial number is public. The password goes to the unit's label and into its verifier, and is
/// wiped with the unit.
#[derive(Debug)]
pub struct Unit {
    serial: String,
    password: DevicePassword,
}

impl<'k> Batch<'k> {
    /// An empty batch.
    ///
    /// # Errors
    /// [`FactoryError::Crypto`] when the entropy source fails.
    pub fn new<R: TryCryptoRng + ?Sized>(kdf: &'k dyn Kdf, rng: &mut R) -> Result<Self, FactoryError> {
        Ok(Self {
            kdf,
            key: Secret::random(rng)?,
            passwords: BTreeSet::new(),
            serials: BTreeSet::new(),
        })
    }

    /// Draws a password for the unit `serial`, different from every other one of the batch.
    ///
    /// # Errors
    /// [`FactoryError::SerialRepeated`]; [`FactoryError::PasswordRepeated`] when the entropy source
    /// repeats itself, which at 60 bits does not happen by chance; [`FactoryError::Crypto`].
    pub fn mint<R: TryCryptoRng + ?Sized>(
        &mut self,
        serial: &str,
        exposure: Exposure,
        rng: &mut R,
    ) -> Result<Unit, FactoryError> {
        if self.serials.contains(serial) {
            return Err(FactoryError::SerialRepeated);
        }
        let password = DevicePassword::generate(exposure, rng)?;
        let hash = self
            .kdf
            .hmac(self.key.expose(), &[password.label().as_str().as_bytes()])?;
        if !self.passwords.insert(hash) {
            return Err(FactoryError::PasswordRepeated);
        }
        self.serials.insert(serial.into());
        Ok(Unit {
            serial: serial.into(),
            password,
        })
    }

    /// Units minted so far.
    pub fn len(&self) -> usize {
        self.serials.len()
    }

    /// True before the first unit.
    pub fn is_empty(&self) -> bool {
        self.serials.is_empty()
    }
}

impl core::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Batch")
            .field("units", &self.len())
            .finish_non_exhaustive()
    }
}

impl Unit {
    /// The serial number.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The password, for the label and for the device's verifier.
    pub const fn password(&self) -> &DevicePassword {
        &self.password
    }
}

/// Why a unit could not be minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FactoryError {
    /// This serial number was used in the batch before.
    #[error("serial number used twice")]
    SerialRepeated,
    /// The generator gave a password of the batch again: stop the station and test its entropy source.
    #[error("entropy source repeats itself")]
    PasswordRepeated,
    /// Drawing or hashing failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for FactoryError {
    fn code(&self) -> u16 {
        match self {
            Self::SerialRepeated => 6101,
            Self::PasswordRepeated => 6102,
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::SerialRepeated => Fault::Misuse,
            Self::PasswordRepeated => Fault::Device,
            Self::Crypto(error) => error.fault(),
        }
    }
}
