//! The service's private keys, for batches that are sealed to a public one.

use std::collections::BTreeMap;

use iotsec_core::crypto::{AgreementCurve, KeyAgreement, hpke};
use iotsec_telemetry::batch::{KEY_ID_LEN, OpenedBatch, ServiceSecret, key_id};

use crate::error::CollectError;

/// The algorithms that devices seal to a key with (HPKE, RFC 9180, base mode, HKDF-SHA256).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceSuite {
    /// X25519, ChaCha20-Poly1305.
    X25519ChaCha20Poly1305,
    /// X25519, AES-128-GCM.
    X25519Aes128Gcm,
    /// P-256, ChaCha20-Poly1305.
    P256ChaCha20Poly1305,
    /// P-256, AES-128-GCM.
    P256Aes128Gcm,
}

impl ServiceSuite {
    const fn curve(self) -> AgreementCurve {
        match self {
            Self::X25519ChaCha20Poly1305 | Self::X25519Aes128Gcm => AgreementCurve::X25519,
            Self::P256ChaCha20Poly1305 | Self::P256Aes128Gcm => AgreementCurve::P256,
        }
    }
}

/// A key in memory, or behind a driver of the machine that guards it.
type Key = Box<dyn KeyAgreement + Send + Sync>;

/// The private halves of the [keys](iotsec_telemetry::batch::ServiceKey) that devices seal to, by their names. An old
/// one stays for as long as devices may have batches under it.
///
/// ```
/// use iotsec_collector::{collector::{ServiceKeys, ServiceSuite}, error::CollectError};
/// use iotsec_core::{crypto::X25519Key, secret::Secret};
///
/// let mut keys = ServiceKeys::new();
/// let key = || Box::new(X25519Key::from_scalar(&Secret::from_bytes([7; 32])));
/// keys.add(*b"2026-key", ServiceSuite::X25519ChaCha20Poly1305, key())?;
/// let again = keys.add(*b"2026-key", ServiceSuite::X25519ChaCha20Poly1305, key());
/// assert_eq!(again, Err(CollectError::KeyRepeated));
/// # Ok::<(), CollectError>(())
/// ```
#[derive(Default)]
pub struct ServiceKeys {
    keys: BTreeMap<[u8; KEY_ID_LEN], (ServiceSuite, Key)>,
}

impl ServiceKeys {
    /// None.
    pub const fn new() -> Self {
        Self {
            keys: BTreeMap::new(),
        }
    }

    /// Adds the key that devices know by the name `id`, and seal to with `suite`.
    ///
    /// # Errors
    /// [`CollectError::Suite`] for a key on another curve, [`CollectError::KeyRepeated`] for a name that is taken.
    pub fn add(
        &mut self,
        id: [u8; KEY_ID_LEN],
        suite: ServiceSuite,
        key: Box<dyn KeyAgreement + Send + Sync>,
    ) -> Result<(), CollectError> {
        if key.curve() != suite.curve() {
            return Err(CollectError::Suite);
        }
        if self.keys.contains_key(&id) {
            return Err(CollectError::KeyRepeated);
        }
        self.keys.insert(id, (suite, key));
        Ok(())
    }

    /// Whether a message says that it is sealed to a key by its name.
    pub(super) fn is_for_one(message: &[u8]) -> bool {
        key_id(message).is_some()
    }

    /// Decrypts a batch into `plain`.
    pub(super) fn open<'o>(
        &self,
        message: &[u8],
        plain: &'o mut [u8],
    ) -> Result<OpenedBatch<'o>, CollectError> {
        let id = key_id(message).ok_or(CollectError::UnknownServiceKey)?;
        let (suite, key) = self.keys.get(id).ok_or(CollectError::UnknownServiceKey)?;
        let (key, id): (&dyn KeyAgreement, _) = (key.as_ref(), *id);
        let opened = match suite {
            ServiceSuite::X25519ChaCha20Poly1305 => {
                ServiceSecret::new(hpke::X25519_CHACHA20_POLY1305, key, id).open(message, plain)
            }
            ServiceSuite::X25519Aes128Gcm => {
                ServiceSecret::new(hpke::X25519_AES_128_GCM, key, id).open(message, plain)
            }
            ServiceSuite::P256ChaCha20Poly1305 => {
                ServiceSecret::new(hpke::P256_CHACHA20_POLY1305, key, id).open(message, plain)
            }
            ServiceSuite::P256Aes128Gcm => {
                ServiceSecret::new(hpke::P256_AES_128_GCM, key, id).open(message, plain)
            }
        };
        Ok(opened?)
    }
}

/// Shows no key.
impl core::fmt::Debug for ServiceKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ServiceKeys")
            .field("keys", &self.keys.len())
            .finish()
    }
}
