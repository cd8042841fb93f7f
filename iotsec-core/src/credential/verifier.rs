use rand_core::TryCryptoRng;

use super::{
    label::Attempt,
    login::LoginError,
    password::{DevicePassword, UserPassword},
    pbkdf2::pbkdf2,
    pepper::Pepper,
    stretch::{Cost, Iterations, MemoryCost, Scheme},
    throttle::{Matched, Permit},
};
use crate::{
    checksum::crc32,
    crypto::{CryptoError, DIGEST_LEN},
    error::{ErrorCode, Fault},
    secret::Secret,
};

/// What a device stores in place of a password.
///
/// | password | MAC |
/// |---|---|
/// | generated, 60 or 80 bits | HMAC-SHA-256(pepper, `iotsec/credential/code/v1` ‖ salt ‖ length ‖ symbols) |
/// | chosen by a person | HMAC-SHA-256(pepper, `iotsec/credential/text/v1` ‖ salt ‖ length ‖ key), where key is 32 bytes of PBKDF2-HMAC-SHA-256(password, salt, iterations) or of Argon2id(password, salt, memory, passes, one lane) |
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
/// | 1 | 1 | scheme: 1 generated, 2 chosen with PBKDF2, 3 chosen with Argon2id |
/// | 2 | 2 | passes of Argon2id, else zero |
/// | 4 | 4 | PBKDF2 iterations, or KiB of memory of Argon2id; zero for scheme 1 |
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

    /// The verifier of a password that a person chose, stretched by [`Iterations`] or, where there is memory for it, by
    /// a [`MemoryCost`].
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when there is no salt; [`CryptoError::Driver`] from hardware;
    /// [`CryptoError::Algorithm`] for a memory cost without [`Pepper::with_memory_hard`], [`CryptoError::Length`] when
    /// its memory is too small.
    pub fn for_user<R: TryCryptoRng + ?Sized>(
        password: &UserPassword<'_>,
        cost: impl Into<Cost>,
        pepper: &Pepper<'_>,
        rng: &mut R,
    ) -> Result<Self, CryptoError> {
        Self::chosen(password.bytes(), cost.into(), pepper, rng)
    }

    /// A new verifier of a password that was right; [`Login`](super::Login) knows that it was.
    pub(super) fn for_attempt<R: TryCryptoRng + ?Sized>(
        attempt: &Attempt<'_>,
        cost: Cost,
        pepper: &Pepper<'_>,
        rng: &mut R,
    ) -> Result<Self, CryptoError> {
        match attempt.material() {
            (text, false) => Self::chosen(text, cost, pepper, rng),
            // A code is nobody's choice.
            _ => Err(CryptoError::Algorithm),
        }
    }

    fn chosen<R: TryCryptoRng + ?Sized>(
        text: &[u8],
        cost: Cost,
        pepper: &Pepper<'_>,
        rng: &mut R,
    ) -> Result<Self, CryptoError> {
        let scheme = cost.scheme();
        let salt = draw_salt(rng)?;
        let mac = authenticate(scheme, &salt, text, false, pepper)?;
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

    /// Whether a password that was chosen should get a new verifier, because new ones are made at another `cost`. That
    /// can be done at a login only, when the password is at hand:
    /// [`Login::attempt_with_rehash`](super::Login::attempt_with_rehash).
    ///
    /// ```
    /// # use iotsec_testkit::{SimRng, SimRootKey};
    /// use iotsec_core::credential::{Exposure, Iterations, Pepper, UserPassword, Verifier};
    /// use iotsec_core::crypto::HkdfSha256;
    ///
    /// # let (root, mut rng) = (SimRootKey::new(1), SimRng::new(1));
    /// let pepper = Pepper::derive(&root, &HkdfSha256)?;
    /// let password = UserPassword::new("seven small otters swim", Exposure::Online, &[])?;
    /// let verifier = Verifier::for_user(&password, Iterations::MCU, &pepper, &mut rng)?;
    /// assert!(verifier.needs_rehash(Iterations::HOST));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn needs_rehash(&self, cost: impl Into<Cost>) -> bool {
        self.scheme != Scheme::Generated && self.scheme != cost.into().scheme()
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
    /// [`LoginError::Refused`] for any password but the right one; [`LoginError::Crypto`] when the verifier was made at a
    /// memory cost and the pepper has no function or too little memory for it.
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
        let (scheme, passes, count) = match self.scheme {
            Scheme::Generated => (GENERATED, 0, 0),
            Scheme::Chosen(iterations) => (CHOSEN, 0, iterations.count()),
            Scheme::MemoryHard(cost) => (MEMORY_HARD, cost.passes(), cost.kib()),
        };
        let content = [VERSION, scheme]
            .into_iter()
            .chain(passes.to_be_bytes())
            .chain(count.to_be_bytes())
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
        let [version, scheme, p0, p1, i0, i1, i2, i3] =
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
        let passes = u16::from_be_bytes([*p0, *p1]);
        let scheme = match (*scheme, passes, u32::from_be_bytes([*i0, *i1, *i2, *i3])) {
            (GENERATED, 0, 0) => Scheme::Generated,
            (CHOSEN, 0, count) => Scheme::Chosen(Iterations::new(count)?),
            (MEMORY_HARD, passes, kib) => Scheme::MemoryHard(MemoryCost::new(kib, passes)?),
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

crate::claim! {
    provisions: ["5.1-3", "5.4-1"],
    claims: "A password is kept as a salted hash under a key of the device, stretched with PBKDF2 where a person chose it, and checks on no other device",
    code: [Verifier::check],
    tests: [
        "iotsec-core::credential_verifier::a_verifier_is_of_one_device_and_one_salt",
        "iotsec-core::credential_verifier::verifiers_of_chosen_passwords_agree_with_another_implementation",
        "iotsec-core::iotsec_core::credential::pbkdf2::tests::the_vectors_of_rfc_7914_hold",
    ],
}

impl core::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
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
    /// Fewer or more rounds than [`Iterations`] allows, or another [`MemoryCost`].
    #[error("iterations or memory out of bounds")]
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
            let stretched = pbkdf2(pepper.kdf(), password, salt, iterations.count())?;
            finish(context, salt, &stretched, pepper)
        }
        Scheme::MemoryHard(cost) => {
            let function = pepper.memory_hard().ok_or(CryptoError::Algorithm)?;
            let stretched = function.stretch(password, salt, cost.kib(), cost.passes())?;
            finish(context, salt, &stretched, pepper)
        }
    }
}

fn finish(
    context: &[u8],
    salt: &[u8; SALT_LEN],
    stretched: &Secret<32>,
    pepper: &Pepper<'_>,
) -> Result<Secret<DIGEST_LEN>, CryptoError> {
    let len = [0, 32];
    pepper.hmac(&[context, salt, &len, stretched.expose()])
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
const MEMORY_HARD: u8 = 3;
const SALT_LEN: usize = 16;
const CRC_AT: usize = Verifier::LEN - 4;
const CONTEXT_CODE: &[u8] = b"iotsec/credential/code/v1";
const CONTEXT_TEXT: &[u8] = b"iotsec/credential/text/v1";
