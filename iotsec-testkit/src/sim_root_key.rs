//! A root key for tests.

use iotsec_core::{
    crypto::HkdfSha256,
    hal::{DeviceRootKey, RootKey, RootKeyError},
    secret::Secret,
};

/// The root key of simulated device number `n`: fixed, public, and derived with HKDF-SHA-256 as
/// [`DeviceRootKey`] does.
///
/// ```
/// use iotsec_core::{hal::RootKey, secret::Secret};
/// use iotsec_testkit::SimRootKey;
///
/// let (mut one, mut two) = (Secret::zero(), Secret::zero());
/// SimRootKey::new(1).derive(b"store", &mut one)?;
/// SimRootKey::new(2).derive(b"store", &mut two)?;
/// assert!(!one.ct_eq(&two));
/// # Ok::<(), iotsec_core::hal::RootKeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimRootKey {
    device: u64,
    available: bool,
}

impl SimRootKey {
    /// That of device number `device`.
    #[must_use]
    pub const fn new(device: u64) -> Self {
        Self {
            device,
            available: true,
        }
    }

    /// One whose hardware refuses.
    #[must_use]
    pub const fn unavailable() -> Self {
        Self {
            device: 0,
            available: false,
        }
    }
}

impl RootKey for SimRootKey {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        if !self.available {
            return Err(RootKeyError::Unavailable);
        }
        let mut key = *b"iotsec-testkit: a public key....";
        for (byte, device) in key.iter_mut().rev().zip(self.device.to_le_bytes()) {
            *byte ^= device;
        }
        DeviceRootKey::new(&Secret::from_bytes(key), &HkdfSha256)?.derive(label, out)
    }
}
