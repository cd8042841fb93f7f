//! What is kept in the encrypted store: the count of guesses, the owner's consent, when to try again.

use harness::flash::SimulatedFlash;
use iotsec::{
    core::{
        credential::{StorageError, Throttle, ThrottleStorage},
        crypto::{Aes256GcmSiv, HkdfSha256},
        hal::DeviceRootKey,
    },
    net::retry::{Retry, RetryStorage},
    store::{KeyDomain, KeyId, Store, StoreError, Suite},
    telemetry::{
        consent::{CONSENT_RECORD_LEN, ConsentStorage},
        error as consent,
    },
};

pub const VERIFIER: KeyId = KeyId::new(KeyDomain::Device, 1, 1);
const THROTTLE: KeyId = KeyId::new(KeyDomain::Device, 1, 2);
const RETRY: KeyId = KeyId::new(KeyDomain::Device, 1, 3);
pub const BATCH_KEY: KeyId = KeyId::new(KeyDomain::Device, 1, 4);
const CONSENT: KeyId = KeyId::new(KeyDomain::User, 1, 1);
pub const LIMIT: KeyId = KeyId::new(KeyDomain::User, 1, 2);

pub fn suite<'a>(root: &'a DeviceRootKey<'_>) -> Suite<'a> {
    Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root,
    }
}

/// The store with its flash, for all that keeps a record there.
pub struct Kept<'k, 's> {
    pub store: &'k mut Store<'s>,
    pub flash: &'k mut SimulatedFlash,
}

impl Kept<'_, '_> {
    fn read(&mut self, key: KeyId, record: &mut [u8]) -> Result<Option<usize>, StoreError> {
        match self.store.get(self.flash, key, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ThrottleStorage for Kept<'_, '_> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        self.read(THROTTLE, record)
            .map_err(|error| StorageError::of(&error))
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        let written = self.store.put(self.flash, THROTTLE, record);
        written.map_err(|error| StorageError::of(&error))
    }
}

impl RetryStorage for Kept<'_, '_> {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        self.read(RETRY, record).map_err(|error| StorageError::of(&error))
    }

    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        let written = self.store.put(self.flash, RETRY, record);
        written.map_err(|error| StorageError::of(&error))
    }
}

impl ConsentStorage for Kept<'_, '_> {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, consent::StorageError> {
        let read = self.read(CONSENT, record);
        let read = read.map_err(|error| consent::StorageError::new(&error))?;
        Ok(read == Some(CONSENT_RECORD_LEN))
    }

    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), consent::StorageError> {
        let written = self.store.put(self.flash, CONSENT, record);
        written.map_err(|error| consent::StorageError::new(&error))
    }
}
