//! Which network the device joins: the one secret of the owner's that the set-up needs before there is an owner.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::credential::Authenticated;
use iotsec_store::{KeyId, StoreError};
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Owned, record};

/// Bytes of what is said of a network at most: a Wi-Fi network as a QR code has it takes up to 220, a Thread data set
/// 254.
pub(crate) const MAX_NETWORK: usize = 256;

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// The network to join, as it was given in the [set-up](crate::setup) or by [`set_network`](Self::set_network); `None`
    /// if it never was. `out` has 256 bytes, and is wiped by whoever lends it.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn network<'o>(&mut self, out: &'o mut [u8]) -> Result<Option<&'o [u8]>, DeviceError> {
        self.read_network(out)
    }

    /// Has the device join another network: 1 to 256 bytes, in the product's own words.
    ///
    /// *Power loss:* the network before or this one.
    ///
    /// # Errors
    /// [`StoreError::Buffer`] for another length; failures of the store.
    ///
    /// ```
    /// # use iotsec::core::{credential::Authenticated, qr::WifiNetwork};
    /// # use iotsec::device::{Device, DeviceError, Owned};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// fn move_house(
    ///     device: &mut Device<'_, Owned, SimFlash, SimRng, 16>,
    ///     owner: &Authenticated,
    ///     scanned: &str,
    /// ) -> Result<bool, DeviceError> {
    ///     if WifiNetwork::parse(scanned).is_err() {
    ///         return Ok(false);
    ///     }
    ///     device.set_network(owner, scanned.as_bytes())?;
    ///     Ok(device.network(&mut [0; 256])? == Some(scanned.as_bytes()))
    /// }
    /// ```
    pub fn set_network(&mut self, _owner: &Authenticated, network: &[u8]) -> Result<(), DeviceError> {
        if !(1..=MAX_NETWORK).contains(&network.len()) {
            return Err(StoreError::Buffer.into());
        }
        self.write_network(network)
    }
}

impl<S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    pub(crate) fn write_network(&mut self, network: &[u8]) -> Result<(), DeviceError> {
        self.write(record::NETWORK, network)
    }

    pub(crate) fn read_network<'o>(&mut self, out: &'o mut [u8]) -> Result<Option<&'o [u8]>, DeviceError> {
        self.read(record::NETWORK, out)
    }

    pub(crate) fn has_network(&self) -> bool {
        self.store.contains(record::NETWORK)
    }

    /// Which of its lives between two erasures this is.
    pub(crate) const fn life(&self) -> [u8; 4] {
        self.store.erasures().to_le_bytes()
    }

    pub(crate) fn write_setup(&mut self, progress: &[u8]) -> Result<(), DeviceError> {
        self.write(record::SETUP, progress)
    }

    /// How far the set-up had come; what does not fit `out` is nothing.
    pub(crate) fn read_setup<'o>(&mut self, out: &'o mut [u8]) -> Result<Option<&'o [u8]>, DeviceError> {
        match self.read(record::SETUP, out) {
            Err(DeviceError::Store(StoreError::Buffer)) => Ok(None),
            read => read,
        }
    }

    fn read<'o>(&mut self, key: KeyId, out: &'o mut [u8]) -> Result<Option<&'o [u8]>, DeviceError> {
        match self.store.get(&mut self.hardware.flash, key, out) {
            Ok(read) => Ok(Some(read)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
