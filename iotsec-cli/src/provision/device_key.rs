//! Device keys that the station makes.

use getrandom::SysRng;
use iotsec::core::{
    crypto::{
        CryptoError, Ed25519PublicKey, Ed25519SigningKey, KeyType, P256PublicKey, P256SigningKey, Sign,
        Verify,
    },
    secret::Secret,
};

use iotsec_product::factory::KeyKind;

use crate::key::unhex;

/// A private key with its public half. Wiped on drop.
pub(super) struct DeviceKey {
    kind: KeyKind,
    secret: Secret<32>,
    public: Box<dyn Verify + Send>,
}

impl DeviceKey {
    /// Draws a key.
    pub(super) fn draw(kind: KeyKind) -> Result<Self, CryptoError> {
        for _ in 0..MAX_DRAWS {
            match Self::of(kind, Secret::random(&mut SysRng)?) {
                Err(CryptoError::PublicKey) => {}
                key => return key,
            }
        }
        Err(CryptoError::Entropy)
    }

    /// The key of a seed (Ed25519) or a scalar (P-256).
    pub(super) fn of(kind: KeyKind, secret: Secret<32>) -> Result<Self, CryptoError> {
        let public: Box<dyn Verify + Send> = match kind {
            KeyKind::Ed25519 => {
                let key = Ed25519SigningKey::from_seed(&secret);
                Box::new(Ed25519PublicKey::from_bytes(key.public_key())?)
            }
            KeyKind::P256 => {
                let key = P256SigningKey::from_scalar(&secret)?;
                Box::new(P256PublicKey::from_sec1(key.public_key())?)
            }
        };
        Ok(Self { kind, secret, public })
    }

    pub(super) const fn kind(&self) -> KeyKind {
        self.kind
    }
    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.secret
    }
    pub(super) fn public(&self) -> &dyn Verify {
        self.public.as_ref()
    }
}

/// A public key as the manifest has it: 32 bytes of Ed25519, or the 65 of an uncompressed point on P-256, in the one
/// spelling of each.
pub(super) fn public_key(text: &str) -> Option<Box<dyn Verify>> {
    let key: Box<dyn Verify> = match unhex::<32>(text) {
        Some(bytes) => Box::new(Ed25519PublicKey::from_bytes(&bytes).ok()?),
        None => Box::new(P256PublicKey::from_sec1(&unhex::<65>(text)?).ok()?),
    };
    (crate::key::hex(key.public_key()) == text).then_some(key)
}

/// The kind of a key that [`public_key`] has read.
pub(super) fn kind_of(key: &dyn Verify) -> KeyKind {
    match key.key_type() {
        KeyType::P256 => KeyKind::P256,
        _ => KeyKind::Ed25519,
    }
}

/// A draw is no scalar of P-256 with a chance of 2^-32.
const MAX_DRAWS: usize = 8;
