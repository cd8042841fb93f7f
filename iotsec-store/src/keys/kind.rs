use iotsec_core::crypto::{AeadAlgorithm, AgreementCurve, KeyType, KeyWrapAlgorithm};

use super::KeyUsage;

/// Bytes of the longest key.
pub(super) const MAX_KEY_LEN: usize = 32;

/// What a stored key is. A key serves one algorithm.
///
/// ```
/// use iotsec_store::keys::{KeyKind, KeyUsage};
///
/// assert!(KeyKind::Ed25519.allows(KeyUsage::SIGN | KeyUsage::EXPORT));
/// assert!(!KeyKind::Ed25519.allows(KeyUsage::DERIVE));
/// assert_eq!(KeyKind::Aes128Wrap.key_len(), 16);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// Ed25519 (RFC 8032): the seed. `SIGN`, `VERIFY`.
    Ed25519,
    /// ECDSA on P-256 (FIPS 186-5): the scalar. `SIGN`, `VERIFY`.
    P256,
    /// X25519 key agreement (RFC 7748). `DERIVE`, `REVEAL`.
    X25519,
    /// Key agreement on P-256 (SP 800-56A). `DERIVE`, `REVEAL`.
    P256Agreement,
    /// AES-256-GCM-SIV (RFC 8452). `ENCRYPT`, `DECRYPT`.
    Aes256GcmSiv,
    /// ChaCha20-Poly1305 (RFC 8439). `ENCRYPT`, `DECRYPT`.
    ChaCha20Poly1305,
    /// HMAC-SHA-256 (RFC 2104). `SIGN`, `VERIFY`.
    HmacSha256,
    /// HKDF-SHA-256 (RFC 5869). `DERIVE`, `REVEAL`.
    HkdfSha256,
    /// AES-128 key wrap (RFC 3394). `UNWRAP`, `REVEAL`.
    Aes128Wrap,
    /// AES-256 key wrap (RFC 3394). `UNWRAP`, `REVEAL`.
    Aes256Wrap,
}

impl KeyKind {
    /// Bytes of such a key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Wrap => 16,
            _ => MAX_KEY_LEN,
        }
    }

    /// Whether a key of this type can have this usage: at least one, and each either `EXPORT`, which all can
    /// have, or one of those that stand with the type.
    pub const fn allows(self, usage: KeyUsage) -> bool {
        let own = match self {
            Self::Ed25519 | Self::P256 | Self::HmacSha256 => KeyUsage::SIGN.and(KeyUsage::VERIFY),
            Self::X25519 | Self::P256Agreement | Self::HkdfSha256 => KeyUsage::DERIVE.and(KeyUsage::REVEAL),
            Self::Aes256GcmSiv | Self::ChaCha20Poly1305 => KeyUsage::ENCRYPT.and(KeyUsage::DECRYPT),
            Self::Aes128Wrap | Self::Aes256Wrap => KeyUsage::UNWRAP.and(KeyUsage::REVEAL),
        };
        !usage.is_empty() && own.and(KeyUsage::EXPORT).contains(usage)
    }

    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::P256 => 2,
            Self::X25519 => 3,
            Self::P256Agreement => 4,
            Self::Aes256GcmSiv => 5,
            Self::ChaCha20Poly1305 => 6,
            Self::HmacSha256 => 7,
            Self::HkdfSha256 => 8,
            Self::Aes128Wrap => 9,
            Self::Aes256Wrap => 10,
        }
    }

    pub(super) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Ed25519,
            2 => Self::P256,
            3 => Self::X25519,
            4 => Self::P256Agreement,
            5 => Self::Aes256GcmSiv,
            6 => Self::ChaCha20Poly1305,
            7 => Self::HmacSha256,
            8 => Self::HkdfSha256,
            9 => Self::Aes128Wrap,
            10 => Self::Aes256Wrap,
            _ => return None,
        })
    }

    /// What it signs with.
    pub(super) const fn signature(self) -> Option<KeyType> {
        match self {
            Self::Ed25519 => Some(KeyType::Ed25519),
            Self::P256 => Some(KeyType::P256),
            _ => None,
        }
    }

    pub(super) const fn curve(self) -> Option<AgreementCurve> {
        match self {
            Self::X25519 => Some(AgreementCurve::X25519),
            Self::P256Agreement => Some(AgreementCurve::P256),
            _ => None,
        }
    }

    pub(super) const fn aead(self) -> Option<AeadAlgorithm> {
        match self {
            Self::Aes256GcmSiv => Some(AeadAlgorithm::Aes256GcmSiv),
            Self::ChaCha20Poly1305 => Some(AeadAlgorithm::ChaCha20Poly1305),
            _ => None,
        }
    }

    pub(super) const fn wrap(self) -> Option<KeyWrapAlgorithm> {
        match self {
            Self::Aes128Wrap => Some(KeyWrapAlgorithm::Aes128),
            Self::Aes256Wrap => Some(KeyWrapAlgorithm::Aes256),
            _ => None,
        }
    }
}
