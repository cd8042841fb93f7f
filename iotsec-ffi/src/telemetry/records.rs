//! What telemetry keeps besides its events: answers of the owner, keys, boots, identifiers.

use iotsec::core::{
    crypto::{HkdfSha256, Kdf},
    secret::Secret,
};
use iotsec::telemetry::{
    consent::{CONSENT_RECORD_LEN, ConsentStorage},
    error::{LedgerError, SpoolError, StorageError},
    privacy::{LEDGER_RECORD_MAX_LEN, LedgerStorage},
    pseudonym::{TRAIL_RECORD_LEN, TRAILS, TrailStorage},
    registry::Purpose,
};

use crate::{
    entropy::CEntropy,
    record::{CRecord, CallbackError, IOTSEC_RECORD_MAX, iotsec_record_t},
    status::{CallError, Status},
};

/// Records of the owner, counted from the id of `owner_records`: they go when the owner goes.
pub const IOTSEC_TELEMETRY_OWNER_RECORDS: usize = 6;
/// Records of the device, counted from the id of `device_records`: they outlive the owner.
pub const IOTSEC_TELEMETRY_DEVICE_RECORDS: usize = 7;

const _: () = assert!(IOTSEC_TELEMETRY_DEVICE_RECORDS == 1 + TRAILS);
const _: () = assert!(CONSENT_RECORD_LEN <= IOTSEC_RECORD_MAX && TRAIL_RECORD_LEN <= IOTSEC_RECORD_MAX);

// Of the owner.
const CONSENT: u64 = 0;
const KEY: u64 = 1;
const HEALTH_KEY: u64 = 2;
const USAGE_KEY: u64 = 3;
const LEDGER_KEY: u64 = 4;
const LEDGER: u64 = 5;
// Of the device.
const BOOTS: u64 = 0;
const FIRST_TRAIL: u64 = 1;

/// More than either has.
const APART: u64 = 8;

const LIFE_LABEL: &[u8] = b"iotsec/ffi/telemetry/life/v1";

/// The records, by the two that they are counted from.
#[derive(Clone, Copy)]
pub(crate) struct Records {
    owner: CRecord,
    device: CRecord,
}

impl Records {
    /// Checks the callbacks, and that the two do not run into each other.
    pub(crate) fn new(owner: iotsec_record_t, device: iotsec_record_t) -> Result<Self, Status> {
        let records = Self {
            owner: CRecord::new(owner)?,
            device: CRecord::new(device)?,
        };
        if owner.ctx == device.ctx && owner.id.abs_diff(device.id) < APART {
            return Err(CallError::Config.into());
        }
        Ok(records)
    }

    const fn owner(&self, number: u64) -> CRecord {
        self.owner.counted(number)
    }

    const fn device(&self, number: u64) -> CRecord {
        self.device.counted(number)
    }

    /// The key of what is stored, which goes with the owner.
    pub(crate) fn key(&self, entropy: &mut CEntropy) -> Result<Secret<32>, Status> {
        self.key_or_draw(KEY, entropy)
    }

    /// The key of a purpose that is on.
    pub(crate) fn key_of(&self, purpose: Purpose, entropy: &mut CEntropy) -> Result<Secret<32>, Status> {
        self.key_or_draw(number_of(purpose), entropy)
    }

    /// The key of the ledger; none before there is one.
    pub(crate) fn ledger_key(&self) -> Result<Secret<32>, Status> {
        self.kept(LEDGER_KEY)?.ok_or(LedgerError::Missing.into())
    }

    /// The same, drawn if there is none.
    pub(crate) fn ledger_key_or_draw(&self, entropy: &mut CEntropy) -> Result<Secret<32>, Status> {
        self.key_or_draw(LEDGER_KEY, entropy)
    }

    /// A new key of a purpose that is about to be turned on.
    pub(crate) fn draw_key_of(&self, purpose: Purpose, entropy: &mut CEntropy) -> Result<Secret<32>, Status> {
        self.draw(number_of(purpose), entropy)
    }

    /// Forgets the key of a purpose that is off.
    pub(crate) fn forget_key_of(&self, purpose: Purpose) -> Result<(), Status> {
        let mut record = self.owner(number_of(purpose));
        let mut bytes = Secret::<IOTSEC_RECORD_MAX>::zero();
        match record.load(bytes.expose_mut())? {
            None | Some(0) => Ok(()),
            Some(_) => Ok(record.save(&[])?),
        }
    }

    /// Counts this boot and returns its number.
    pub(crate) fn next_boot(&self) -> Result<u32, Status> {
        let mut record = self.device(BOOTS);
        let mut bytes = [0; 4];
        let last = match record.load(&mut bytes)? {
            None => 0,
            Some(4) => u32::from_be_bytes(bytes),
            Some(_) => return Err(CallError::Size.into()),
        };
        let boot = last.checked_add(1).ok_or(SpoolError::Boot)?;
        record.save(&boot.to_be_bytes())?;
        Ok(boot)
    }

    fn key_or_draw(&self, number: u64, entropy: &mut CEntropy) -> Result<Secret<32>, Status> {
        match self.kept(number)? {
            None => self.draw(number, entropy),
            Some(key) => Ok(key),
        }
    }

    fn kept(&self, number: u64) -> Result<Option<Secret<32>>, Status> {
        let mut bytes = Secret::<IOTSEC_RECORD_MAX>::zero();
        match self.owner(number).load(bytes.expose_mut())? {
            None | Some(0) => Ok(None),
            Some(len) => Ok(Some(Secret::from_slice(
                bytes.expose().get(..len).unwrap_or_default(),
            )?)),
        }
    }

    fn draw(&self, number: u64, entropy: &mut CEntropy) -> Result<Secret<32>, Status> {
        let key = Secret::<32>::random(entropy)?;
        self.owner(number).save(key.expose())?;
        Ok(key)
    }
}

/// A number that another owner does not have: it comes from a key that goes with the owner.
pub(crate) fn life_of(key: &Secret<32>) -> Result<u32, Status> {
    let hash = HkdfSha256.hmac(key.expose(), &[LIFE_LABEL])?;
    let first = hash.first_chunk::<4>().copied().unwrap_or_default();
    Ok(u32::from_be_bytes(first))
}

const fn number_of(purpose: Purpose) -> u64 {
    match purpose {
        Purpose::Usage => USAGE_KEY,
        _ => HEALTH_KEY,
    }
}

impl ConsentStorage for Records {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        match stored(self.owner(CONSENT).load(record.as_mut_slice()))? {
            None => Ok(false),
            Some(CONSENT_RECORD_LEN) => Ok(true),
            Some(_) => Err(StorageError::unspecified()),
        }
    }

    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        stored(self.owner(CONSENT).save(record))
    }
}

impl TrailStorage for Records {
    fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
        // One of another length leaves bytes that are found damaged.
        let len = stored(self.device(trail(place)).load(record.as_mut_slice()))?;
        Ok(len.is_some_and(|len| len > 0))
    }

    fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
        stored(self.device(trail(place)).save(record))
    }

    fn remove(&mut self, place: usize) -> Result<(), StorageError> {
        stored(self.device(trail(place)).save(&[]))
    }
}

impl LedgerStorage for Records {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        let len = stored(self.owner(LEDGER).load(record.as_mut_slice()))?;
        Ok(len.filter(|len| *len > 0))
    }

    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        stored(self.owner(LEDGER).save(record))
    }
}

fn stored<T>(result: Result<T, CallbackError>) -> Result<T, StorageError> {
    result.map_err(|error| StorageError::new(&error))
}

fn trail(place: usize) -> u64 {
    FIRST_TRAIL.saturating_add(u64::try_from(place).unwrap_or_default())
}
