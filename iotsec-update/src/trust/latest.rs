use iotsec_core::{
    cbor::Writer,
    cose::Key,
    crypto::{CryptoError, DIGEST_LEN, Verify},
    hal::UnixTime,
};
use rand_core::TryCryptoRng;

use super::{
    Trust,
    bundle::Role,
    error::TrustError,
    statement::{self, Fields},
};
use crate::{DeviceIdentity, SequenceNumber};

const DOMAIN: &str = "iotsec-latest/1";
const NONCE_LEN: usize = 16;

/// A question that only a fresh statement answers: what is the latest manifest?
///
/// For devices without a clock, which cannot tell an old answer from a new one by its date. Keep the
/// challenge in memory until the answer is used, then drop it.
///
/// ```
/// use iotsec_testkit::SimRng;
/// use iotsec_update::trust::Challenge;
///
/// let challenge = Challenge::new(&mut SimRng::new(7))?;
/// let request = challenge.nonce(); // 16 bytes to the freshness service
/// # assert_eq!(request.len(), 16);
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
#[derive(Debug)]
pub struct Challenge {
    nonce: [u8; NONCE_LEN],
}

impl Challenge {
    /// A fresh one.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails.
    pub fn new<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        let mut nonce = [0; NONCE_LEN];
        rng.try_fill_bytes(&mut nonce).map_err(|_| CryptoError::Entropy)?;
        // A generator that is not running gives what memory or a bus at rest holds.
        if nonce.iter().all(|byte| Some(byte) == nonce.first()) {
            return Err(CryptoError::Entropy);
        }
        Ok(Self { nonce })
    }

    /// What to send.
    pub const fn nonce(&self) -> &[u8; NONCE_LEN] {
        &self.nonce
    }

    /// Checks that `message` answers this challenge for this class of device, signed by enough keys of
    /// the freshness role. `now`, `load` and `scratch` as in [`Trust`].
    ///
    /// # Errors
    /// [`TrustError::RoleThreshold`], [`TrustError::Nonce`], [`TrustError::Product`],
    /// [`TrustError::Expired`], and of the encoding.
    pub fn check<K: Verify>(
        &self,
        message: &[u8],
        trust: &Trust<'_>,
        device: &DeviceIdentity<'_>,
        now: Option<UnixTime>,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
        scratch: &mut [u8],
    ) -> Result<Latest, TrustError> {
        let payload = statement::open(message, trust, Role::Freshness, now, load, scratch)?;
        let content = LatestContent::parse(payload)?;
        if content.nonce != self.nonce {
            return Err(TrustError::Nonce);
        }
        if content.vendor != device.vendor || content.class != device.class {
            return Err(TrustError::Product);
        }
        Ok(Latest {
            sequence: content.sequence,
            manifest_digest: content.manifest_digest,
            trust_version: content.trust_version,
            trust_behind: content.trust_version > trust.bundle().version(),
            time: content.time,
        })
    }
}

iotsec_core::claim! {
    provisions: ["5.3-2"],
    claims: "Whoever holds updates back is noticed: an answer about the latest one counts for one challenge, and only that one is admitted",
    code: [Challenge::check],
    tests: [
        "iotsec-update::trust::statement::freeze_and_replay_an_answer_counts_for_its_challenge_alone",
        "iotsec-update::trust::statement::freeze_only_the_latest_manifest_is_admitted",
    ],
}

/// What the latest manifest is, as of the moment of the challenge. Only [`Challenge::check`] makes one;
/// [`Policy::latest`](crate::Policy::latest) holds it, and then only that manifest is admitted.
///
/// ```
/// use iotsec_core::crypto::Ed25519PublicKey;
/// use iotsec_update::{
///     DeviceIdentity, Policy, SequenceNumber,
///     trust::{Challenge, TimeFloor, Trust, TrustError},
/// };
///
/// /// What a device does with the answer to its challenge.
/// fn policy(
///     challenge: &Challenge,
///     answer: &[u8],
///     trust: &Trust<'_>,
///     device: &DeviceIdentity<'_>,
///     installed: SequenceNumber,
///     floor: &mut TimeFloor,
/// ) -> Result<Policy, TrustError> {
///     let load = Ed25519PublicKey::from_cose;
///     let latest = challenge.check(answer, trust, device, None, load, &mut [0; 512])?;
///     if let Some(time) = latest.time() {
///         floor.raise(time);
///     }
///     Ok(Policy { latest: Some(latest), now: latest.time(), ..Policy::newer_than(installed) })
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    sequence: SequenceNumber,
    manifest_digest: [u8; DIGEST_LEN],
    trust_version: u64,
    trust_behind: bool,
    time: Option<UnixTime>,
}

impl Latest {
    /// Its sequence number.
    pub const fn sequence_number(&self) -> SequenceNumber {
        self.sequence
    }
    /// SHA-256 of the manifest.
    pub const fn manifest_digest(&self) -> &[u8; DIGEST_LEN] {
        &self.manifest_digest
    }
    /// The latest trust bundle.
    pub const fn trust_version(&self) -> u64 {
        self.trust_version
    }
    /// Whether there is a later trust bundle than the one that this was checked with. Rotate first, then
    /// ask again: nothing is admitted under this statement.
    pub const fn trust_is_behind(&self) -> bool {
        self.trust_behind
    }
    /// The time when it was signed, which is after the challenge was made: trusted time for a
    /// [`TimeFloor`](super::TimeFloor), and for a device without a clock.
    pub const fn time(&self) -> Option<UnixTime> {
        self.time
    }
}

/// A statement to be signed, for the freshness service.
///
/// ```text
/// Latest = {
///   0 => "iotsec-latest/1",
///   1 => bstr .size 16, ; nonce of the challenge
///   2 => bstr .size 16, ; vendor identifier
///   3 => bstr .size 16, ; class identifier
///   4 => uint,          ; sequence number of the latest manifest
///   5 => bstr .size 32, ; SHA-256 of that manifest
///   6 => uint,          ; version of the latest trust bundle
///   ? 7 => uint,        ; now, Unix seconds
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestContent {
    /// Nonce of the challenge.
    pub nonce: [u8; NONCE_LEN],
    /// Vendor identifier.
    pub vendor: [u8; 16],
    /// Class identifier.
    pub class: [u8; 16],
    /// Sequence number of the latest manifest.
    pub sequence: SequenceNumber,
    /// SHA-256 of that manifest.
    pub manifest_digest: [u8; DIGEST_LEN],
    /// Version of the latest trust bundle.
    pub trust_version: u64,
    /// Now.
    pub time: Option<UnixTime>,
}

impl LatestContent {
    /// Bytes that any fits in.
    pub const MAX_LEN: usize = 160;

    /// Reads one. It says nothing of who signed it.
    ///
    /// # Errors
    /// [`TrustError::Domain`], [`TrustError::Encoding`].
    pub fn parse(payload: &[u8]) -> Result<Self, TrustError> {
        let mut fields = Fields::new(payload, DOMAIN)?;
        let content = Self {
            nonce: *fields.expect(1)?.array_of()?,
            vendor: *fields.expect(2)?.array_of()?,
            class: *fields.expect(3)?.array_of()?,
            sequence: SequenceNumber(fields.expect(4)?.uint()?),
            manifest_digest: *fields.expect(5)?.array_of()?,
            trust_version: fields.expect(6)?.uint()?,
            time: match fields.find(7)? {
                Some(value) => Some(UnixTime(value.uint()?)),
                None => None,
            },
        };
        fields.end()?;
        Ok(content)
    }

    /// Writes what [`SignBuilder`](iotsec_core::cose::SignBuilder) signs.
    ///
    /// # Errors
    /// [`TrustError::Encoding`] when `out` is too small.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], TrustError> {
        let mut writer = Writer::new(out);
        writer.map(if self.time.is_some() { 8 } else { 7 })?;
        writer.uint(0)?.text(DOMAIN)?.uint(1)?.bytes(&self.nonce)?;
        writer.uint(2)?.bytes(&self.vendor)?.uint(3)?.bytes(&self.class)?;
        writer
            .uint(4)?
            .uint(self.sequence.0)?
            .uint(5)?
            .bytes(&self.manifest_digest)?;
        writer.uint(6)?.uint(self.trust_version)?;
        if let Some(time) = self.time {
            writer.uint(7)?.uint(time.0)?;
        }
        Ok(writer.finish()?)
    }
}
