use iotsec_core::crypto::DIGEST_LEN;

use super::policy::PolicyError;

/// Keys one of which must be in the path: the server's own, an issuer's, or the anchor's.
///
/// A pin is the SHA-256 of a SubjectPublicKeyInfo (RFC 7469 §2.4). Pins stand on top of everything else that is
/// checked. There must be two at least, for two different keys: the second one belongs to a key that is kept offline,
/// so that the loss of the first does not cut the devices off.
///
/// ```
/// use iotsec_core::crypto::Sha256;
/// use iotsec_net::certificate::{PinSet, PolicyError};
///
/// fn sha256(bytes: &[u8]) -> [u8; 32] {
///     Sha256::of(&[bytes])
/// }
/// let pins = [[1; 32], [2; 32]];
/// assert!(PinSet::new(&pins, sha256).is_ok());
/// assert_eq!(PinSet::new(&pins[..1], sha256).unwrap_err(), PolicyError::Pins);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PinSet<'a> {
    pins: &'a [[u8; DIGEST_LEN]],
    digest: fn(&[u8]) -> [u8; DIGEST_LEN],
}

impl<'a> PinSet<'a> {
    /// Pins, and SHA-256.
    ///
    /// # Errors
    /// [`PolicyError::Pins`] unless there are two that differ.
    pub fn new(
        pins: &'a [[u8; DIGEST_LEN]],
        digest: fn(&[u8]) -> [u8; DIGEST_LEN],
    ) -> Result<Self, PolicyError> {
        match pins {
            [first, others @ ..] if others.iter().any(|other| other != first) => Ok(Self { pins, digest }),
            _ => Err(PolicyError::Pins),
        }
    }

    /// Whether the key with this SubjectPublicKeyInfo is one of them.
    pub fn contains(&self, public_key: &[u8]) -> bool {
        self.pins.contains(&(self.digest)(public_key))
    }
}
