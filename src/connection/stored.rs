use embedded_storage::nor_flash::NorFlash;
use iotsec_core::credential::StorageError;
#[cfg(feature = "certificate")]
use iotsec_net::certificate::{AnchorRotation, AnchorStorage};
use iotsec_net::time::{TimeStorage, TrustedTime};
use iotsec_store::{KeyId, Store, StoreError};

/// The floor of a [`TrustedTime`] as a value of a [`Store`]. It belongs to the device and not to its owner, so a
/// value of the device domain.
///
/// *Power loss:* each save is one write of the store, which leaves the old or the new value.
#[derive(Debug)]
pub struct StoredTime<'s, 'd, F> {
    /// The store.
    pub store: &'s mut Store<'d>,
    /// Its flash.
    pub flash: &'s mut F,
    /// The value.
    pub id: KeyId,
}

impl<F: NorFlash> TimeStorage for StoredTime<'_, '_, F> {
    fn load(&mut self, record: &mut [u8; TrustedTime::LEN]) -> Result<Option<usize>, StorageError> {
        load(self.store, self.flash, self.id, record)
    }

    fn save(&mut self, record: &[u8; TrustedTime::LEN]) -> Result<(), StorageError> {
        save(self.store, self.flash, self.id, record)
    }
}

/// The record of an [`AnchorRotation`] as a value of a [`Store`], of the device domain as well.
///
/// *Power loss:* each save is one write of the store, which leaves the old or the new value.
#[cfg(feature = "certificate")]
#[derive(Debug)]
pub struct StoredAnchors<'s, 'd, F> {
    /// The store; its values must be allowed [`AnchorRotation::MAX_LEN`] bytes.
    pub store: &'s mut Store<'d>,
    /// Its flash.
    pub flash: &'s mut F,
    /// The value.
    pub id: KeyId,
}

#[cfg(feature = "certificate")]
impl<F: NorFlash> AnchorStorage for StoredAnchors<'_, '_, F> {
    fn load(&mut self, record: &mut [u8; AnchorRotation::MAX_LEN]) -> Result<Option<usize>, StorageError> {
        load(self.store, self.flash, self.id, record)
    }

    fn save(&mut self, record: &[u8]) -> Result<(), StorageError> {
        save(self.store, self.flash, self.id, record)
    }
}

fn load<F: NorFlash>(
    store: &mut Store<'_>,
    flash: &mut F,
    id: KeyId,
    record: &mut [u8],
) -> Result<Option<usize>, StorageError> {
    match store.get(flash, id, record) {
        Ok(read) => Ok(Some(read.len())),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(StorageError::of(&error)),
    }
}

fn save<F: NorFlash>(
    store: &mut Store<'_>,
    flash: &mut F,
    id: KeyId,
    record: &[u8],
) -> Result<(), StorageError> {
    store
        .put(flash, id, record)
        .map_err(|error| StorageError::of(&error))
}
