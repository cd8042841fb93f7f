use super::{error::IdentityError, hkdf512};
use crate::{
    crypto::{CryptoError, KeyType, SigningKey, WIDE_DIGEST_LEN, WideDigest},
    hal::DebugState,
    secret::Secret,
};

/// What mode a device booted in (Open Profile for DICE, "Mode Value Details").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiceMode {
    /// At least one protection is not set up.
    NotConfigured,
    /// Verified boot is on, debugging is off, and the usual image runs.
    Normal,
    /// Not in a secure state.
    Debug,
    /// Maintenance: another image than the usual one runs.
    Recovery,
}

impl DiceMode {
    /// The mode that this one comes to when the debug interface is in this state: `Normal` and `Recovery` are for
    /// devices into which nobody can look.
    #[must_use]
    pub const fn with_debug_port(self, state: DebugState) -> Self {
        match (self, state) {
            (Self::Normal | Self::Recovery, DebugState::Open) => Self::Debug,
            (mode, _) => mode,
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::NotConfigured => 0,
            Self::Normal => 1,
            Self::Debug => 2,
            Self::Recovery => 3,
        }
    }
}

/// What one layer measured of the next, before it starts it.
#[derive(Clone, Copy, Debug)]
pub struct DiceInputs<'a> {
    /// SHA-512 of the code.
    pub code: &'a [u8; WIDE_DIGEST_LEN],
    /// Its configuration, or SHA-512 of a longer one.
    pub config: &'a [u8; WIDE_DIGEST_LEN],
    /// SHA-512 of what the code was verified with: the public keys of verified boot.
    pub authority: &'a [u8; WIDE_DIGEST_LEN],
    /// The mode.
    pub mode: DiceMode,
    /// What no certificate shows, zeros for nothing. Another value makes another device of it: sealed data is lost.
    pub hidden: &'a Secret<WIDE_DIGEST_LEN>,
}

/// The two secrets of a layer, its compound device identifiers (Open Profile for DICE 2.6).
///
/// ```text
/// CDI_Attest' = HKDF-SHA-512(32, CDI_Attest, salt = H(code ‖ config ‖ authority ‖ mode ‖ hidden), "CDI_Attest")
/// CDI_Seal'   = HKDF-SHA-512(32, CDI_Seal,   salt = H(authority ‖ mode ‖ hidden),                "CDI_Seal")
/// seed        = HKDF-SHA-512(32, CDI_Attest, ASYM_SALT, "Key Pair")
/// id          = HKDF-SHA-512(20, public key, ID_SALT, "ID"), highest bit cleared
/// ```
///
/// The first layer begins with the UDS, a secret that only ROM or a lock keeps from everybody else. Every other one
/// gets what the layer before it derived from its measurement; so no code can sign in the name of other code, and a
/// changed image makes another key. What is sealed stays readable across updates that the same authority signed.
///
/// *Power loss:* nothing is stored; the next boot derives the same again.
///
/// ```
/// use iotsec_core::{
///     crypto::{Ed25519SigningKey, Sha512, Sign},
///     identity::{DiceInputs, DiceLayer, DiceMode},
///     secret::Secret,
/// };
///
/// let mut hash = Sha512::new();
/// let inputs = DiceInputs {
///     code: &[1; 64],
///     config: &[0; 64],
///     authority: &[2; 64],
///     mode: DiceMode::Normal,
///     hidden: &Secret::zero(),
/// };
/// let rom = DiceLayer::from_uds(&Secret::from_bytes([7; 32]));
/// let loader = rom.next(&inputs, &mut hash)?;
/// let key: Ed25519SigningKey = loader.key(&mut hash)?;
///
/// let changed = rom.next(&DiceInputs { code: &[9; 64], ..inputs }, &mut hash)?;
/// let other: Ed25519SigningKey = changed.key(&mut hash)?;
/// assert_ne!(key.public_key(), other.public_key());
/// assert!(loader.seal().ct_eq(changed.seal()));
/// # Ok::<(), iotsec_core::identity::IdentityError>(())
/// ```
#[derive(Debug)]
pub struct DiceLayer {
    attest: Secret<32>,
    seal: Secret<32>,
}

impl DiceLayer {
    /// The layer that the UDS stands for.
    pub const fn from_uds(uds: &Secret<32>) -> Self {
        Self {
            attest: Secret::from_bytes(*uds.expose()),
            seal: Secret::from_bytes(*uds.expose()),
        }
    }

    /// The layer that the one before handed these over to.
    pub const fn from_cdis(attest: Secret<32>, seal: Secret<32>) -> Self {
        Self { attest, seal }
    }

    /// The secrets for the layer that was measured. Hand over nothing else, and drop this layer first.
    ///
    /// # Errors
    /// [`IdentityError::Crypto`], which software does not give.
    pub fn next(&self, inputs: &DiceInputs<'_>, hash: &mut dyn WideDigest) -> Result<Self, IdentityError> {
        let mode = [inputs.mode.number()];
        let sealing: [&[u8]; 3] = [inputs.authority, &mode, inputs.hidden.expose()];
        let mut digest = |parts: &[&[u8]]| {
            hash.reset();
            for part in parts {
                hash.update(part);
            }
            // The hidden input is in it.
            Secret::<WIDE_DIGEST_LEN>::from_bytes(hash.finish())
        };
        let seal_salt = digest(&sealing);
        let attest_salt = digest(&[
            inputs.code,
            inputs.config,
            inputs.authority,
            &mode,
            inputs.hidden.expose(),
        ]);
        let mut next = Self {
            attest: Secret::zero(),
            seal: Secret::zero(),
        };
        let (attest, seal) = (next.attest.expose_mut(), next.seal.expose_mut());
        hkdf512::derive(
            hash,
            attest_salt.expose(),
            self.attest.expose(),
            b"CDI_Attest",
            attest,
        )?;
        hkdf512::derive(hash, seal_salt.expose(), self.seal.expose(), b"CDI_Seal", seal)?;
        Ok(next)
    }

    /// The key that this layer signs with. An Ed25519 key is its seed; a P-256 key is drawn from the HMAC_DRBG that
    /// the seed starts (RFC 6979 §3.2, with SHA-512, as open-dice does it).
    ///
    /// # Errors
    /// [`IdentityError::Crypto`], which happens with a chance of 2^-256 and then at every boot.
    pub fn key<K: SigningKey>(&self, hash: &mut dyn WideDigest) -> Result<K, IdentityError> {
        let mut seed = Secret::zero();
        hkdf512::derive(
            hash,
            &ASYM_SALT,
            self.attest.expose(),
            b"Key Pair",
            seed.expose_mut(),
        )?;
        match K::KEY_TYPE {
            KeyType::Ed25519 => Ok(K::from_secret(&seed)?),
            KeyType::P256 => scalar(&seed, hash),
            _ => Err(IdentityError::KeyType),
        }
    }

    /// The secret to derive storage keys from: the same for every image of one authority in one mode.
    pub const fn seal(&self) -> &Secret<32> {
        &self.seal
    }

    /// The secret that [`key`](Self::key) derives from, for handing over.
    pub const fn attest(&self) -> &Secret<32> {
        &self.attest
    }
}

/// The name of a DICE key: what its certificate has as serial number, and in hexadecimal as subject.
/// `public` is 32 bytes of Ed25519, or x ‖ y of P-256 with or without the byte 4 in front.
///
/// # Errors
/// [`IdentityError::KeyType`] for another length.
///
/// ```
/// use iotsec_core::{crypto::Sha512, identity::dice_id};
///
/// assert!(dice_id(&[7; 32], &mut Sha512::new())?[0] < 0x80);
/// # Ok::<(), iotsec_core::identity::IdentityError>(())
/// ```
pub fn dice_id(public: &[u8], hash: &mut dyn WideDigest) -> Result<[u8; 20], IdentityError> {
    let public = match public {
        [4, point @ ..] if point.len() == 64 => point,
        other if other.len() == 32 || other.len() == 64 => other,
        _ => return Err(IdentityError::KeyType),
    };
    let mut id = [0; 20];
    hkdf512::derive(hash, &ID_SALT, public, b"ID", &mut id)?;
    // A positive INTEGER.
    if let Some(first) = id.first_mut() {
        *first &= 0x7F;
    }
    Ok(id)
}

/// RFC 6979 §3.2, steps b to h, with the seed in the place of key and message.
fn scalar<K: SigningKey>(seed: &Secret<32>, hash: &mut dyn WideDigest) -> Result<K, IdentityError> {
    let mut key = Secret::<WIDE_DIGEST_LEN>::zero();
    let mut value = Secret::from_bytes([1; WIDE_DIGEST_LEN]);
    for step in [0, 1] {
        key = hkdf512::hmac(hash, key.expose(), &[value.expose(), &[step], seed.expose()]);
        value = hkdf512::hmac(hash, key.expose(), &[value.expose()]);
    }
    // A candidate is no scalar with a chance of 2^-32.
    for _ in 0..8 {
        value = hkdf512::hmac(hash, key.expose(), &[value.expose()]);
        let candidate = value.expose().first_chunk().ok_or(CryptoError::KeyLength)?;
        if let Ok(key) = K::from_secret(&Secret::from_bytes(*candidate)) {
            return Ok(key);
        }
        key = hkdf512::hmac(hash, key.expose(), &[value.expose(), &[0]]);
        value = hkdf512::hmac(hash, key.expose(), &[value.expose()]);
    }
    Err(CryptoError::PublicKey.into())
}

/// Random and fixed by the profile ("Cryptography").
const ASYM_SALT: [u8; 64] = [
    0x63, 0xB6, 0xA0, 0x4D, 0x2C, 0x07, 0x7F, 0xC1, 0x0F, 0x63, 0x9F, 0x21, 0xDA, 0x79, 0x38, 0x44, 0x35,
    0x6C, 0xC2, 0xB0, 0xB4, 0x41, 0xB3, 0xA7, 0x71, 0x24, 0x03, 0x5C, 0x03, 0xF8, 0xE1, 0xBE, 0x60, 0x35,
    0xD3, 0x1F, 0x28, 0x28, 0x21, 0xA7, 0x45, 0x0A, 0x02, 0x22, 0x2A, 0xB1, 0xB3, 0xCF, 0xF1, 0x67, 0x9B,
    0x05, 0xAB, 0x1C, 0xA5, 0xD1, 0xAF, 0xFB, 0x78, 0x9C, 0xCD, 0x2B, 0x0B, 0x3B,
];
const ID_SALT: [u8; 64] = [
    0xDB, 0xDB, 0xAE, 0xBC, 0x80, 0x20, 0xDA, 0x9F, 0xF0, 0xDD, 0x5A, 0x24, 0xC8, 0x3A, 0xA5, 0xA5, 0x42,
    0x86, 0xDF, 0xC2, 0x63, 0x03, 0x1E, 0x32, 0x9B, 0x4D, 0xA1, 0x48, 0x43, 0x06, 0x59, 0xFE, 0x62, 0xCD,
    0xB5, 0xB7, 0xE1, 0xE0, 0x0F, 0xC6, 0x80, 0x30, 0x67, 0x11, 0xEB, 0x44, 0x4A, 0xF7, 0x72, 0x09, 0x35,
    0x94, 0x96, 0xFC, 0xFF, 0x1D, 0xB9, 0x52, 0x0B, 0xA5, 0x1C, 0x7B, 0x29, 0xEA,
];
