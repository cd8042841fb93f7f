use super::{
    der::{self, Reader, Writer},
    error::IdentityError,
};
use crate::crypto::{DIGEST_LEN, Digest, KeyType, Sign};

/// `id-Ed25519`, without parameters (RFC 8410 §3).
const ED25519: &[u8] = &[0x06, 0x03, 0x2B, 0x65, 0x70];
/// `id-ecPublicKey` with `secp256r1` (RFC 5480 §2.1.1).
const P256: &[u8] = &[
    0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03,
    0x01, 0x07,
];
const ED25519_LEN: usize = 32;
/// An uncompressed point.
const P256_LEN: usize = 65;

/// A public key in the form that certificates carry it in, SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
///
/// ```text
/// SubjectPublicKeyInfo = SEQUENCE { SEQUENCE { algorithm OID, ? curve OID }, BIT STRING }
/// ```
///
/// | key | bytes | source |
/// |---|---:|---|
/// | Ed25519 | 44 | RFC 8410 §4 |
/// | P-256, uncompressed | 91 | RFC 5480 §2 |
///
/// ```
/// use iotsec_core::{
///     crypto::{Ed25519SigningKey, KeyType, Sha256},
///     identity::SubjectPublicKey,
///     secret::Secret,
/// };
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let public = SubjectPublicKey::of(&key)?;
/// let mut out = [0; SubjectPublicKey::MAX_LEN];
/// let der = public.write(&mut out)?;
/// assert_eq!((public.key_type(), der.len()), (KeyType::Ed25519, 44));
/// // What a label or a server can remember instead of the key.
/// let fingerprint = public.fingerprint(&mut Sha256::new());
/// assert_eq!(fingerprint, Sha256::of(&[der]));
/// # Ok::<(), iotsec_core::identity::IdentityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectPublicKey<'a> {
    key_type: KeyType,
    key: &'a [u8],
}

impl<'a> SubjectPublicKey<'a> {
    /// Bytes of the longest encoding.
    pub const MAX_LEN: usize = 91;

    /// The public half of a device key.
    ///
    /// # Errors
    /// [`IdentityError::KeyType`] for anything but Ed25519 and P-256.
    pub fn of(key: &'a dyn Sign) -> Result<Self, IdentityError> {
        Self::new(key.key_type(), key.public_key())
    }

    /// A public key by its bytes, in the form that [`KeyType`] states.
    ///
    /// # Errors
    /// [`IdentityError::KeyType`] for anything but Ed25519 and P-256, or another length.
    pub fn new(key_type: KeyType, key: &'a [u8]) -> Result<Self, IdentityError> {
        match (key_type, key) {
            (KeyType::Ed25519, key) if key.len() == ED25519_LEN => Ok(Self { key_type, key }),
            (KeyType::P256, [4, ..]) if key.len() == P256_LEN => Ok(Self { key_type, key }),
            _ => Err(IdentityError::KeyType),
        }
    }

    /// What kind of key it is.
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Its bytes, in the form that [`KeyType`] states.
    pub const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Writes the DER.
    ///
    /// # Errors
    /// [`IdentityError::BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes are enough.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], IdentityError> {
        let mut writer = Writer::new(out);
        self.put(&mut writer)?;
        let len = writer.settle();
        out.get(..len).ok_or(IdentityError::BufferFull)
    }

    /// SHA-256 of the DER, as certificate pins (RFC 7469 §2.4) and our labels have it.
    pub fn fingerprint(&self, hash: &mut dyn Digest) -> [u8; DIGEST_LEN] {
        let mut out = [0; Self::MAX_LEN];
        hash.reset();
        // A key of this type fits, by the numbers above.
        hash.update(self.write(&mut out).unwrap_or_default());
        hash.finish()
    }

    pub(super) fn put(&self, writer: &mut Writer<'_>) -> Result<(), IdentityError> {
        let mark = writer.mark();
        writer.bytes(self.key)?;
        // No unused bits in the last byte.
        writer.bytes(&[0])?;
        writer.wrap(der::BIT_STRING, mark)?;
        let algorithm = match self.key_type {
            KeyType::P256 => P256,
            _ => ED25519,
        };
        writer.value(der::SEQUENCE, algorithm)?;
        writer.wrap(der::SEQUENCE, mark)
    }

    /// Reads the content of a SubjectPublicKeyInfo.
    pub(super) fn read(mut info: Reader<'a>) -> Option<Self> {
        let algorithm = info.value(der::SEQUENCE)?;
        let [0, key @ ..] = info.value(der::BIT_STRING)? else {
            return None;
        };
        let key_type = match algorithm {
            ED25519 => KeyType::Ed25519,
            P256 => KeyType::P256,
            _ => return None,
        };
        info.is_at_end().then_some(())?;
        Self::new(key_type, key).ok()
    }
}
