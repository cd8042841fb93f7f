use rand_core::TryCryptoRng;

use super::{
    checksum::crc32,
    label::Attempt,
    login::LoginError,
    password::{DevicePassword, UserPassword},
    pbkdf2::pbkdf2,
    pepper::Pepper,
    throttle::{Matched, Permit},
};
use crate::{
    crypto::{CryptoError, DIGEST_LEN},
    error::{ErrorCode, Fault},
    secret::Secret,
};

/// What a device stores in place of a password.
///
/// | password | MAC |
/// |---|---|
/// | generated, 60 or 80 bits | HMAC-SHA-256(pepper, `iotsec/credential/code/v1` ‖ salt ‖ length ‖ symbols) |
/// | chosen by a person | HMAC-SHA-256(pepper, `iotsec/credential/text/v1` ‖ salt ‖ length ‖ key), where key = PBKDF2-HMAC-SHA-256(password, salt, iterations), 32 bytes |
///
/// The length is that of what follows, in two bytes; symbols are one byte each, 0 to 31.
/// The salt is 16 random bytes, the [`Pepper`] is the device's own. A generated password needs no
/// stretching: nobody counts to 2^60 through the pepper. Comparison is of two MACs, in constant time,
/// and costs a [`Permit`], so that no guess goes uncounted.
///
/// # Bytes
/// Integers are big-endian. `vectors/credential` has examples.
///
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | scheme: 1 generated, 2 chosen |
/// | 2 | 2 | zero |
/// | 4 | 4 | PBKDF2 iterations, zero for scheme 1 |
/// | 8 | 16 | salt |
/// | 24 | 32 | MAC |
/// | 56 | 4 | CRC-32 (ISO-HDLC) of bytes 0 to 55: tells a damaged record from a wrong password |
///
/// The record is no secret as long as the pepper is one, but belongs into the encrypted store, which
/// also notices when somebody puts an old one back.
///
/// ```
/// # use iotsec_testkit::{SimRng, SimRootKey};
/// use iotsec_core::{credential::{DevicePassword, Exposure, Pepper, Verifier}, crypto::HkdfSha256};
///
/// # let mut rng = SimRng::new(1);
/// # let root = SimRootKey::new(1);
/// let pepper = Pepper::derive(&root, &HkdfSha256)?;
/// let password = DevicePassword::generate(Exposure::Online, &mut rng)?;
/// let record = Verifier::for_device(&password, &pepper, &mut rng)?.to_bytes();
/// let verifier = Verifier::from_bytes(&record)?;
/// # let _ = verifier;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Only generated or chosen passwords have one; a literal does not compile:
/// ```compile_fail,E0308
/// # use iotsec_testkit::{SimRng, SimRootKey};
/// use iotsec_core::{credential::{Pepper, Verifier}, crypto::HkdfSha256};
///
/// # let mut rng = SimRng::new(1);
/// # let root = SimRootKey::new(1);
/// let pepper = Pepper::derive(&root, &HkdfSha256).unwrap();
/// let verifier = Verifier::for_device("admin", &pepper, &mut rng);
/// ```
pub struct Verifier {
    scheme: Scheme,
    salt: [u8; SALT_LEN],
    mac: Secret<DIGEST_LEN>,
}

/// How a password was turned into a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// A [`DevicePassword`], the preset credential of the unit.
    Generated,
    /// A [`UserPassword`], stretched.
    Chosen(Iterations),
}

impl Verifier {
    /// Bytes of a stored verifier.
    pub const LEN: usize = 60;

    /// The verifier of the password that was made for this unit.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when there is no salt; [`CryptoError::Driver`] from hardware.
    pub fn for_device<R: TryCryptoRng + ?Sized>(
        password: &DevicePassword,
        pepper: &Pepper<'_>,
        rng: &mut R,
    ) -> Result<Self, CryptoError> {
        let salt = draw_salt(rng)?;
        let mac = authenticate(Scheme::Generated, &salt, password.symbols(), true, pepper)?;
        Ok(Self {
            scheme: Scheme::Generated,
            salt,
            mac,
        })
    }

    /// The verifier of a password that a person chose.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when there is no salt; [`CryptoError::Driver`] from hardware.
    pub fn for_user<R: TryCryptoRng + ?Sized>(
        password: &UserPassword<'_>,
        iterations: Iterations,
        pepper: &Pepper<'_>,
        rng: &mut R,
    ) -> Result<Self, CryptoError> {
        let scheme = Scheme::Chosen(iterations);
        let salt = draw_salt(rng)?;
        let mac = authenticate(scheme, &salt, password.bytes(), false, pepper)?;
        Ok(Self { scheme, salt, mac })
    }

    /// A verifier that no password has, for a user name that does not exist: the answer is the same as
    /// for a wrong password and takes as long. `scheme` is that of the accounts that do exist.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails.
    pub fn decoy<R: TryCryptoRng + ?Sized>(scheme: Scheme, rng: &mut R) -> Result<Self, CryptoError> {
        Ok(Self {
            scheme,
            salt: draw_salt(rng)?,
            mac: Secret::random(rng)?,
        })
    }

    /// How this verifier was made. [`Scheme::Generated`] is a preset credential, which the owner may
    /// still have to replace.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Compares, for a permit. [`Login::attempt`](super::Login::attempt) does the whole sequence.
    ///
    /// Without a permit, and so without a count in flash, it does not compile:
    /// ```compile_fail,E0061
    /// use iotsec_core::credential::{Attempt, Pepper, Verifier};
    ///
    /// fn guess(verifier: &Verifier, attempt: &Attempt<'_>, pepper: &Pepper<'_>) -> bool {
    ///     verifier.check(attempt, pepper).is_ok()
    /// }
    /// ```
    /// A permit lasts for one guess:
    /// ```compile_fail,E0382
    /// use iotsec_core::credential::{Attempt, Pepper, Permit, Verifier};
    ///
    /// fn guess_twice(verifier: &Verifier, permit: Permit, a: &Attempt<'_>, b: &Attempt<'_>, pepper: &Pepper<'_>) {
    ///     let _ = verifier.check(permit, a, pepper);
    ///     let _ = verifier.check(permit, b, pepper);
    /// }
    /// ```
    /// And nobody but the throttle makes one:
    /// ```compile_fail,E0423
    /// use iotsec_core::credential::Permit;
    ///
    /// let permit = Permit(());
    /// ```
    ///
    /// # Errors
    /// [`LoginError::Refused`] for any password but the right one.
    pub fn check(
        &self,
        permit: Permit,
        attempt: &Attempt<'_>,
        pepper: &Pepper<'_>,
    ) -> Result<Matched, LoginError> {
        let (password, is_code) = attempt.material();
        let mac = authenticate(self.scheme, &self.salt, password, is_code, pepper)?;
        if mac.ct_eq(&self.mac) {
            Ok(permit.matched(self.scheme))
        } else {
            Err(LoginError::Refused)
        }
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let (scheme, iterations) = match self.scheme {
            Scheme::Generated => (GENERATED, 0),
            Scheme::Chosen(Iterations(count)) => (CHOSEN, count),
        };
        let content = [VERSION, scheme, 0, 0]
            .into_iter()
            .chain(iterations.to_be_bytes())
            .chain(self.salt)
            .chain(*self.mac.expose());
        let mut out = [0; Self::LEN];
        fill(&mut out, content);
        let crc = crc32(out.get(..CRC_AT).unwrap_or_default());
        fill(out.get_mut(CRC_AT..).unwrap_or_default(), crc.to_be_bytes());
        out
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// Each [`VerifierError`] for what is wrong with the record. None of them leaves a way in: the device
    /// goes back to its factory credential or to the owner's recovery path.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VerifierError> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().map_err(|_| VerifierError::Length)?;
        let [content @ .., c0, c1, c2, c3] = bytes;
        let [version, scheme, zeros @ .., i0, i1, i2, i3] =
            content.first_chunk::<8>().ok_or(VerifierError::Length)?;
        let (salt, mac) = content
            .get(8..)
            .and_then(|rest| rest.split_first_chunk::<SALT_LEN>())
            .ok_or(VerifierError::Length)?;
        if *version != VERSION {
            return Err(VerifierError::Version);
        }
        if u32::from_be_bytes([*c0, *c1, *c2, *c3]) != crc32(content) {
            return Err(VerifierError::Damaged);
        }
        if zeros != &[0, 0] {
            return Err(VerifierError::Scheme);
        }
        let scheme = match (*scheme, u32::from_be_bytes([*i0, *i1, *i2, *i3])) {
            (GENERATED, 0) => Scheme::Generated,
            (CHOSEN, count) => Scheme::Chosen(Iterations::new(count)?),
            _ => return Err(VerifierError::Scheme),
        };
        let mac = Secret::from_slice(mac).map_err(|_| VerifierError::Length)?;
        Ok(Self {
            scheme,
            salt: *salt,
            mac,
        })
    }
}

impl core::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// Rounds of PBKDF2, at least 10 000 and at most 1 000 000.
///
/// The upper bound keeps a forged record from holding a Linux device for more than about a second. A
/// microcontroller relies on its store, which does not read forged records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iterations(u32);

impl Iterations {
    /// 10 000: 40 000 SHA-256 blocks, some seconds on a Cortex-M at 64 MHz. The pepper carries the
    /// security on such a device, see [`Verifier`].
    pub const MCU: Self = Self(10_000);
    /// 600 000, the OWASP recommendation for PBKDF2-HMAC-SHA-256.
    pub const HOST: Self = Self(600_000);

    /// A number of rounds.
    ///
    /// # Errors
    /// [`VerifierError::Iterations`] outside the bounds.
    pub const fn new(count: u32) -> Result<Self, VerifierError> {
        if count < Self::MCU.0 || count > 1_000_000 {
            return Err(VerifierError::Iterations);
        }
        Ok(Self(count))
    }

    /// The number.
    pub const fn count(self) -> u32 {
        self.0
    }
}

/// Why a stored verifier does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// Not [`Verifier::LEN`] bytes.
    #[error("verifier record of wrong length")]
    Length,
    /// Another version of the format.
    #[error("verifier version unknown")]
    Version,
    /// The checksum does not fit.
    #[error("verifier record damaged")]
    Damaged,
    /// A scheme that this version does not know, or fields that do not belong to it.
    #[error("verifier scheme unknown")]
    Scheme,
    /// Fewer or more rounds than [`Iterations`] allows.
    #[error("iterations out of bounds")]
    Iterations,
}

impl ErrorCode for VerifierError {
    fn code(&self) -> u16 {
        match self {
            Self::Length => 1321,
            Self::Version => 1322,
            Self::Damaged => 1323,
            Self::Scheme => 1324,
            Self::Iterations => 1325,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Iterations => Fault::Misuse,
            _ => Fault::Device,
        }
    }
}

fn authenticate(
    scheme: Scheme,
    salt: &[u8; SALT_LEN],
    password: &[u8],
    is_code: bool,
    pepper: &Pepper<'_>,
) -> Result<Secret<DIGEST_LEN>, CryptoError> {
    // A code typed for a chosen password, or the reverse, costs the same and never matches.
    let context = if is_code { CONTEXT_CODE } else { CONTEXT_TEXT };
    match scheme {
        Scheme::Generated => {
            let len = u16::try_from(password.len()).map_err(|_| CryptoError::Length)?;
            pepper.hmac(&[context, salt, &len.to_be_bytes(), password])
        }
        Scheme::Chosen(iterations) => {
            let stretched = pbkdf2(pepper.kdf(), password, salt, iterations.0)?;
            let len = [0, 32];
            pepper.hmac(&[context, salt, &len, stretched.expose()])
        }
    }
}

fn draw_salt<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<[u8; SALT_LEN], CryptoError> {
    Secret::random(rng).map(|salt| *salt.expose())
}

fn fill(out: &mut [u8], content: impl IntoIterator<Item = u8>) {
    for (place, byte) in out.iter_mut().zip(content) {
        *place = byte;
    }
}

const VERSION: u8 = 1;
const GENERATED: u8 = 1;
const CHOSEN: u8 = 2;
const SALT_LEN: usize = 16;
const CRC_AT: usize = Verifier::LEN - 4;
const CONTEXT_CODE: &[u8] = b"iotsec/credential/code/v1";
const CONTEXT_TEXT: &[u8] = b"iotsec/credential/text/v1";
