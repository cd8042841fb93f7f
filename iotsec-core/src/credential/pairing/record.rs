use rand_core::TryCryptoRng;
use spake2plus::{P256Sha256, ProverSecret, VerifierRecord};

use super::{super::pbkdf2::pbkdf2_block, MAX_NAME, PairingCode, check_name, error::PairingError};
use crate::{checksum::crc32, crypto::Kdf, secret::Secret};

/// How a code is stretched: iterations and salt. Public.
///
/// ```text
/// parameters = iterations (4 bytes, big-endian) ‖ salt (16 bytes)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairingParameters([u8; Self::LEN]);

impl PairingParameters {
    /// Bytes of the parameters.
    pub const LEN: usize = 20;
    /// Fewest iterations, as Matter has them. The code has so few bits that more help little; what protects it is
    /// that the record never leaves the device.
    pub const MIN_ITERATIONS: u32 = 1000;
    /// Most iterations: a peer must not keep the owner's phone busy.
    pub const MAX_ITERATIONS: u32 = 100_000;

    /// Draws a salt.
    ///
    /// # Errors
    /// [`PairingError::Parameters`] for iterations out of bounds; [`PairingError::Crypto`] when the source fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(iterations: u32, rng: &mut R) -> Result<Self, PairingError> {
        let salt = Secret::<16>::random(rng)?;
        let mut bytes = [0; Self::LEN];
        let source = iterations.to_be_bytes();
        for (to, from) in bytes.iter_mut().zip(source.iter().chain(salt.expose())) {
            *to = *from;
        }
        Self::parse(&bytes)
    }

    /// Reads parameters.
    ///
    /// # Errors
    /// [`PairingError::Parameters`] for another length, or iterations out of bounds.
    pub fn parse(bytes: &[u8]) -> Result<Self, PairingError> {
        let bytes: [u8; Self::LEN] = bytes.try_into().map_err(|_| PairingError::Parameters)?;
        let parameters = Self(bytes);
        if (Self::MIN_ITERATIONS..=Self::MAX_ITERATIONS).contains(&parameters.iterations()) {
            Ok(parameters)
        } else {
            Err(PairingError::Parameters)
        }
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The iterations.
    pub const fn iterations(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    fn salt(&self) -> &[u8] {
        self.0.last_chunk::<16>().map_or(&[], |salt| salt)
    }
}

/// The owner's half, `w0` and `w1`.
pub(super) fn stretch(
    code: &PairingCode,
    device: &[u8],
    parameters: &PairingParameters,
    kdf: &dyn Kdf,
) -> Result<ProverSecret<P256Sha256>, PairingError> {
    check_name(device)?;
    // The code and the two names of RFC 9383 §3.2, of which that of the owner is empty.
    let mut password = Secret::<{ 3 * 8 + 8 + MAX_NAME }>::zero();
    let len = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes();
    let parts: [&[u8]; 5] = [
        &len(code.digits()),
        code.digits(),
        &len(&[]),
        &len(device),
        device,
    ];
    let mut used = 0usize;
    let source = parts.into_iter().flatten();
    for (to, from) in password.expose_mut().iter_mut().zip(source) {
        *to = *from;
        used = used.saturating_add(1);
    }
    let password = password.expose().get(..used).unwrap_or_default();

    halves(password, parameters.salt(), parameters.iterations(), kdf)
}

/// `w0` and `w1` of RFC 9383 §3.2, from 40 bytes of PBKDF2-HMAC-SHA-256 each.
pub(super) fn halves(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    kdf: &dyn Kdf,
) -> Result<ProverSecret<P256Sha256>, PairingError> {
    let mut output = Secret::<80>::zero();
    for (number, chunk) in (1u32..).zip(output.expose_mut().chunks_mut(32)) {
        let block = pbkdf2_block(kdf, password, salt, iterations, number)?;
        for (to, from) in chunk.iter_mut().zip(block.expose()) {
            *to = *from;
        }
    }
    // A half that is zero modulo the order happens with a chance of 2^-256.
    ProverSecret::from_pbkdf_output(output.expose()).map_err(|_| PairingError::Parameters)
}

/// What a device stores in place of its set-up code. Belongs into the encrypted store: with it somebody can pose as the
/// device, and try all codes. Wiped on drop.
///
/// # Bytes
/// Integers are big-endian.
///
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 3 | zero |
/// | 4 | 20 | [`PairingParameters`] |
/// | 24 | 32 | `w0` |
/// | 56 | 65 | `L`, uncompressed |
/// | 121 | 4 | CRC-32 (ISO-HDLC) of bytes 0 to 120 |
///
/// ```
/// # let mut rng = iotsec_testkit::SimRng::new(1);
/// use iotsec_core::{
///     credential::pairing::{PairingCode, PairingParameters, PairingRecord},
///     crypto::HkdfSha256,
/// };
///
/// // In the factory; the code goes on the label, the record into the device.
/// let code = PairingCode::parse("20202021")?;
/// let parameters = PairingParameters::generate(1000, &mut rng)?;
/// let record = PairingRecord::register(&code, b"LAMP-0042", &parameters, &HkdfSha256)?;
/// let again = PairingRecord::parse(record.expose())?;
/// assert_eq!(*again.parameters(), parameters);
/// # Ok::<(), iotsec_core::credential::pairing::PairingError>(())
/// ```
pub struct PairingRecord {
    bytes: Secret<{ Self::LEN }>,
    parameters: PairingParameters,
    record: VerifierRecord<P256Sha256>,
}

impl PairingRecord {
    /// Bytes of the record.
    pub const LEN: usize = 125;

    /// Makes the record of a code. It takes as long as one [`Owner::new`](super::Owner::new).
    ///
    /// # Errors
    /// [`PairingError::Name`] for a device name out of bounds; [`PairingError::Crypto`] from a driver.
    pub fn register(
        code: &PairingCode,
        device: &[u8],
        parameters: &PairingParameters,
        kdf: &dyn Kdf,
    ) -> Result<Self, PairingError> {
        let record = stretch(code, device, parameters, kdf)?.verifier_record();
        let half = record.to_bytes();
        let mut bytes = Secret::<{ Self::LEN }>::zero();
        let source = [VERSION, 0, 0, 0].into_iter().chain(*parameters.as_bytes());
        for (to, from) in bytes.expose_mut().iter_mut().zip(source.chain(*half)) {
            *to = from;
        }
        if let Some((content, check)) = bytes.expose_mut().split_last_chunk_mut() {
            *check = crc32(content).to_be_bytes();
        }
        Ok(Self {
            bytes,
            parameters: *parameters,
            record,
        })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`PairingError::Record`] for anything that [`register`](Self::register) does not make.
    pub fn parse(bytes: &[u8]) -> Result<Self, PairingError> {
        let damaged = |_| PairingError::Record;
        let bytes = Secret::<{ Self::LEN }>::from_slice(bytes).map_err(|_| PairingError::Record)?;
        let (content, check) = bytes.expose().split_last_chunk().ok_or(PairingError::Record)?;
        let [VERSION, 0, 0, 0, rest @ ..] = content else {
            return Err(PairingError::Record);
        };
        if crc32(content).to_be_bytes() != *check {
            return Err(PairingError::Record);
        }
        let (parameters, half) = rest
            .split_at_checked(PairingParameters::LEN)
            .ok_or(PairingError::Record)?;
        let parameters = PairingParameters::parse(parameters).map_err(damaged)?;
        let record = VerifierRecord::from_bytes(half).map_err(|_| PairingError::Record)?;
        Ok(Self {
            bytes,
            parameters,
            record,
        })
    }

    /// The bytes to store. Every use of this is a place to review.
    pub const fn expose(&self) -> &[u8; Self::LEN] {
        self.bytes.expose()
    }

    /// What the owner needs to know to stretch the code.
    pub const fn parameters(&self) -> &PairingParameters {
        &self.parameters
    }

    pub(super) const fn verifier(&self) -> &VerifierRecord<P256Sha256> {
        &self.record
    }
}

impl core::fmt::Debug for PairingRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PairingRecord")
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
