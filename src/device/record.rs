//! The records that the life cycle keeps in the store, and the store as the parts want to see it.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::credential::{StorageError, Throttle, ThrottleStorage};
use iotsec_store::{KeyDomain, KeyId, Store, StoreError};
use iotsec_telemetry::{
    consent::{CONSENT_RECORD_LEN, ConsentStorage},
    error::StorageError as ConsentStorageError,
    pseudonym::{self, TRAIL_RECORD_LEN, TrailStorage},
    registry::Purpose,
};

use crate::{
    erase::{Keeper, Place},
    identity,
};

/// The namespace that applications leave alone.
pub(crate) const NAMESPACE: u8 = 0xFF;
/// The one of the rotating identity, in the device domain.
pub(crate) const IDENTITY_NAMESPACE: u8 = 0xFE;

/// Whether a value is the device's own, and no application's.
pub(crate) const fn is_reserved(key: KeyId) -> bool {
    let identity = key.namespace() == IDENTITY_NAMESPACE && matches!(key.domain(), KeyDomain::Device);
    key.namespace() == NAMESPACE || identity
}

/// Whether a value is a request to the service.
pub(crate) fn is_request(key: KeyId) -> bool {
    TRAILS.contains(&key)
}

/// Whether a value is a key under which events wait in flash.
pub(crate) fn is_spool_key(key: KeyId) -> bool {
    SPOOL_KEYS.contains(&key)
}

const fn device(number: u16) -> KeyId {
    KeyId::new(KeyDomain::Device, NAMESPACE, number)
}

const fn user(number: u16) -> KeyId {
    KeyId::new(KeyDomain::User, NAMESPACE, number)
}

/// The life cycle state: one byte.
pub(crate) const STATE: KeyId = device(1);
/// The serial number, as text.
pub(crate) const SERIAL: KeyId = device(2);
/// The verifier of the label's password.
pub(crate) const LABEL_VERIFIER: KeyId = device(3);
/// The throttle of the login.
pub(crate) const THROTTLE: KeyId = device(4);
/// The seed of the identity key.
pub(crate) const IDENTITY: KeyId = device(5);
/// The key for telemetry batches.
pub(crate) const TELEMETRY_KEY: KeyId = device(6);
/// How often the device was started: four bytes, little endian.
pub(crate) const BOOTS: KeyId = device(7);
/// The newest erasure: [`Erasure`](super::announcement::Erasure).
pub(crate) const ERASURE: KeyId = device(8);
/// The receipt of a device that is retired, signed while it had its identity.
pub(crate) const RECEIPT: KeyId = device(9);
/// What the device has in the place of its set-up code.
pub(crate) const PAIRING: KeyId = device(10);
/// The throttle of pairing attempts.
pub(crate) const PAIRING_THROTTLE: KeyId = device(11);
/// In which of the lives between two erasures a window was opened by power-on: their number, four bytes, little endian.
#[cfg(feature = "pairing")]
pub(crate) const PAIRING_WINDOW: KeyId = device(12);
/// How far the set-up has come, and in which life.
pub(crate) const SETUP: KeyId = device(13);
/// What identifiers come from, and what is to be deleted at the service. In the device domain, since it outlives the
/// owner's data until the service has answered.
pub(crate) const TRAILS: [KeyId; pseudonym::TRAILS] = [
    device(14),
    device(15),
    device(16),
    device(17),
    device(18),
    device(19),
];
/// The mode that a guard has put the device in.
pub(crate) const GUARD: KeyId = device(20);
/// That there is an owner: one byte.
pub(crate) const OWNER: KeyId = user(1);
/// The verifier of the password that the owner chose.
pub(crate) const OWNER_VERIFIER: KeyId = user(2);
/// The owner's consents.
pub(crate) const CONSENT: KeyId = user(3);
/// Queued events.
pub(crate) const QUEUE: KeyId = user(4);

/// The network that the device joins.
pub(crate) const NETWORK: KeyId = user(5);

/// The key of the spool, for security events and for what is counted.
pub(crate) const SPOOL_KEY: KeyId = user(6);
/// The key of the spool for a purpose that needs consent; one for each grant.
pub(crate) const fn spool_key_of(purpose: Purpose) -> KeyId {
    match purpose {
        Purpose::Security => SPOOL_KEY,
        Purpose::Health => user(7),
        Purpose::Usage => user(8),
    }
}
const SPOOL_KEYS: [KeyId; 3] = [
    SPOOL_KEY,
    spool_key_of(Purpose::Health),
    spool_key_of(Purpose::Usage),
];

/// What detectors learned, one behind the other.
pub(crate) const BASELINES: KeyId = user(9);

/// What the ledger of the privacy budget is sealed under; it comes with the ledger, once in a life.
pub(crate) const LEDGER_KEY: KeyId = user(10);
/// That ledger.
pub(crate) const LEDGER: KeyId = user(11);

/// What these records and the queue in memory hold of the owner.
pub(crate) const PLACES: [Place; 11] = [
    Place::of(
        Keeper::Key(OWNER),
        "that there is an owner",
        "to know whether the device can be claimed",
    ),
    Place::of(
        Keeper::Key(OWNER_VERIFIER),
        "verifier of the password that the owner chose",
        "to let the owner in",
    ),
    Place::of(
        Keeper::Key(CONSENT),
        "what the owner agreed to, and when",
        "to report nothing else",
    ),
    Place::of(
        Keeper::Key(QUEUE),
        "events that wait, kept over a reboot",
        "telemetry that the owner agreed to",
    ),
    Place::of(
        Keeper::Key(NETWORK),
        "name and password of the network",
        "to join it",
    ),
    Place::of(
        Keeper::Spool,
        "keys of the events that wait in flash",
        "telemetry that the owner agreed to",
    ),
    Place::of(
        Keeper::Key(BASELINES),
        "how much traffic and how many broken connections are usual",
        "to notice attacks",
    ),
    Place::of(
        Keeper::Key(LEDGER),
        "which questions were answered in noise, and from which draws",
        "to tell no more than the budget allows",
    ),
    Place::of(
        Keeper::Key(LEDGER_KEY),
        "what that is sealed under",
        "to tell no more than the budget allows",
    ),
    Place::of(
        Keeper::Requests,
        "what the service knows this device's events by",
        "to ask the service to delete them",
    ),
    Place::of(
        Keeper::Memory,
        "events that wait",
        "telemetry that the owner agreed to",
    ),
];

/// Everything in the device domain that retiring takes away; [`STATE`] stays.
pub(crate) fn secrets() -> impl Iterator<Item = KeyId> {
    let trails = TRAILS.into_iter();
    SECRETS
        .into_iter()
        .chain(trails)
        .chain(identity::values(IDENTITY_NAMESPACE))
}

const SECRETS: [KeyId; 7] = [
    LABEL_VERIFIER,
    THROTTLE,
    IDENTITY,
    TELEMETRY_KEY,
    SERIAL,
    PAIRING,
    PAIRING_THROTTLE,
];

/// The store with its flash: one record of it is what the consents write.
pub(crate) struct Records<'s, 'd, F> {
    pub(crate) store: &'s mut Store<'d>,
    pub(crate) flash: &'s mut F,
}

/// The record of a throttle.
pub(crate) struct Count<'s, 'd, F> {
    pub(crate) store: &'s mut Store<'d>,
    pub(crate) flash: &'s mut F,
    pub(crate) key: KeyId,
}

impl<F: NorFlash> ThrottleStorage for Count<'_, '_, F> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, self.key, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.store
            .put(self.flash, self.key, record)
            .map_err(|error| StorageError::of(&error))
    }
}

impl<F: NorFlash> ConsentStorage for Records<'_, '_, F> {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, ConsentStorageError> {
        match self.store.get(self.flash, CONSENT, record) {
            // A shorter record would leave zeros behind it, which the checksum refuses.
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(ConsentStorageError::new(&error)),
        }
    }

    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), ConsentStorageError> {
        self.store
            .put(self.flash, CONSENT, record)
            .map_err(|error| ConsentStorageError::new(&error))
    }
}

impl<F: NorFlash> TrailStorage for Records<'_, '_, F> {
    fn load(
        &mut self,
        place: usize,
        record: &mut [u8; TRAIL_RECORD_LEN],
    ) -> Result<bool, ConsentStorageError> {
        let Some(key) = TRAILS.get(place) else {
            return Ok(false);
        };
        match self.store.get(self.flash, *key, record) {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            // It will not read again: zeros are no trail.
            Err(StoreError::Tampered | StoreError::Buffer) => {
                record.fill(0);
                Ok(true)
            }
            Err(error) => Err(ConsentStorageError::new(&error)),
        }
    }

    fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), ConsentStorageError> {
        let key = TRAILS.get(place).ok_or(ConsentStorageError::unspecified())?;
        let stored = self.store.put(self.flash, *key, record);
        stored.map_err(|error| ConsentStorageError::new(&error))
    }

    fn remove(&mut self, place: usize) -> Result<(), ConsentStorageError> {
        let key = TRAILS.get(place).ok_or(ConsentStorageError::unspecified())?;
        let removed = self.store.remove(self.flash, *key);
        removed.map_err(|error| ConsentStorageError::new(&error))
    }
}
