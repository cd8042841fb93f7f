//! A root key that the port read.

mod derived;
mod weak;

use super::{RootKey, RootKeyError};
use crate::{
    crypto::{Digest, Kdf},
    secret::Secret,
};

/// A [`RootKey`] from 32 bytes that the port read from fuses, a PUF or a sealed file.
///
/// ```
/// use iotsec_core::{crypto::HkdfSha256, hal::{DeviceRootKey, RootKey, RootKeyError}, secret::Secret};
///
/// let kdf = HkdfSha256;
/// let unprogrammed = Secret::from_bytes([0xFF; 32]);
/// assert_eq!(DeviceRootKey::new(&unprogrammed, &kdf).err(), Some(RootKeyError::Weak));
/// ```
pub struct DeviceRootKey<'a> {
    key: Secret<32>,
    kdf: &'a dyn Kdf,
}

impl<'a> DeviceRootKey<'a> {
    /// Takes a copy of the key.
    ///
    /// # Errors
    /// [`RootKeyError::Weak`] for a key that is known to the public, or would be guessed first: eight different
    /// bytes or fewer, bytes that count up or down, a pattern that repeats, the hash of nothing or of erased
    /// memory, and sample keys of standards and vendors. A random key is one of them once in 2^60 times.
    pub fn new(key: &Secret<32>, kdf: &'a dyn Kdf) -> Result<Self, RootKeyError> {
        if weak::is_weak(key.expose()) {
            return Err(RootKeyError::Weak);
        }
        Ok(Self {
            key: Secret::from_bytes(*key.expose()),
            kdf,
        })
    }

    /// Refuses a key that anyone can compute who knows `ids`: the serial number, MAC address, chip identifier
    /// and the like of this device. Call it once at the factory.
    ///
    /// It looks at each identifier and at all of them in this order: as they are, reversed, and in hexadecimal
    /// of both cases with and without colons; each padded or repeated to 32 bytes, as its SHA-256, and as
    /// HKDF-SHA-256 of it with neither salt nor info. Identifiers in other forms (a MAC address with its first
    /// bits set, a serial number without its prefix) are other identifiers. Beyond 64 bytes they are
    /// looked at as they are only. A key that passes is not random because of that.
    ///
    /// # Errors
    /// [`RootKeyError::Weak`] when it is one of these; [`RootKeyError::Unavailable`] when the key derivation
    /// fails.
    ///
    /// ```
    /// use iotsec_core::{crypto::{HkdfSha256, Sha256}, hal::{DeviceRootKey, RootKeyError}, secret::Secret};
    ///
    /// let mac = [0x02, 0x00, 0x5E, 0x10, 0x00, 0x01];
    /// let key = Secret::from_bytes(Sha256::of(&[b"02:00:5E:10:00:01"]));
    /// let root = DeviceRootKey::new(&key, &HkdfSha256)?;
    /// let checked = root.check_not_derived_from(&[b"SN-4711", &mac], &mut Sha256::new());
    /// assert_eq!(checked, Err(RootKeyError::Weak));
    /// # Ok::<(), RootKeyError>(())
    /// ```
    pub fn check_not_derived_from(&self, ids: &[&[u8]], digest: &mut dyn Digest) -> Result<(), RootKeyError> {
        derived::Check {
            key: &self.key,
            kdf: self.kdf,
            digest,
        }
        .all(ids)
    }
}

crate::claim! {
    provisions: ["5.4-3", "5.4-4"],
    claims: "A root key that everybody knows is refused: constants, sequences, patterns, and sample keys of standards and vendors",
    code: [DeviceRootKey::new],
    tests: [
        "iotsec-core::iotsec_core::hal::device_root_key::weak::tests::sample_keys",
        "iotsec-core::iotsec_core::hal::device_root_key::weak::tests::patterns_that_repeat",
        "iotsec-store::store::refusals::n11_a_root_key_that_is_weak_or_out_of_reach_is_refused",
    ],
}

crate::claim! {
    provisions: ["5.4-4"],
    claims: "A root key that can be computed from the identifiers of the device is refused",
    code: [DeviceRootKey::check_not_derived_from],
    tests: [
        "iotsec-core::iotsec_core::hal::device_root_key::derived::tests::hashes_and_derivations_of_identifiers",
        "iotsec-core::iotsec_core::hal::device_root_key::derived::tests::padded_and_repeated_identifiers",
    ],
}

impl RootKey for DeviceRootKey<'_> {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        self.kdf
            .hkdf(b"iotsec/root/v1", self.key.expose(), &[label], out.expose_mut())
            .map_err(|_| RootKeyError::Unavailable)
    }
}

impl core::fmt::Debug for DeviceRootKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DeviceRootKey(..)")
    }
}
