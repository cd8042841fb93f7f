use std::collections::BTreeSet;

use iotsec_core::crypto::HkdfSha256;
use iotsec_testkit::SimRng;

use super::*;
use crate::{
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Health, Usage, crc32},
    queue::Queue,
    registry::{Class, EventDef},
};

const STARTED: EventDef = EventDef::new(1, "started", Class::Health, "Test", &[]);
crate::registry!(static PRODUCT = [STARTED]);

/// Storage that fails when it is told to, and counts what is written.
#[derive(Clone, Default)]
pub(crate) struct Ram {
    pub(crate) consent: Option<[u8; CONSENT_RECORD_LEN]>,
    pub(crate) trails: [Option<[u8; TRAIL_RECORD_LEN]>; TRAILS],
    pub(crate) unwritable: bool,
    pub(crate) unreadable: bool,
    pub(crate) writes: usize,
}

impl Ram {
    fn write(&mut self) -> Result<(), StorageError> {
        if self.unwritable {
            return Err(StorageError::unspecified());
        }
        self.writes += 1;
        Ok(())
    }
}

impl ConsentStorage for Ram {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        *record = self.consent.unwrap_or(*record);
        Ok(self.consent.is_some())
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        self.write()?;
        self.consent = Some(*record);
        Ok(())
    }
}

impl TrailStorage for Ram {
    fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
        if self.unreadable {
            return Err(StorageError::unspecified());
        }
        *record = self.trails[place].unwrap_or(*record);
        Ok(self.trails[place].is_some())
    }
    fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
        self.write()?;
        self.trails[place] = Some(*record);
        Ok(())
    }
    fn remove(&mut self, place: usize) -> Result<(), StorageError> {
        self.write()?;
        self.trails[place] = None;
        Ok(())
    }
}

pub(crate) fn granted() -> (Consents, Ram) {
    let mut storage = Ram::default();
    let mut consents = Consents::load(&mut storage);
    consents.grant::<Health>(1, None, &mut storage).unwrap();
    consents.grant::<Usage>(1, None, &mut storage).unwrap();
    (consents, storage)
}

pub(crate) fn withdraw_usage(consents: &mut Consents, storage: &mut Ram) -> Result<(), TrailError> {
    let registry = PRODUCT.hashed(&mut iotsec_core::crypto::Sha256::new());
    let withdrawn = consents.withdraw::<Usage, 2>(None, &mut Queue::new(registry, 1, 0), storage);
    withdrawn.map_err(|crate::error::ConsentError::Storage(error)| error.into())
}

fn one(
    storage: &mut Ram,
    life: u32,
    consents: &Consents,
    purpose: Purpose,
    epoch: u32,
) -> Result<Pseudonym, TrailError> {
    let seed = u64::try_from(storage.writes).unwrap();
    let mut trails = Trails::new(life, &HkdfSha256, storage);
    trails.pseudonym(consents, purpose, Epoch(epoch), &mut SimRng::new(seed))
}

fn due(storage: &mut Ram, life: u32, consents: &Consents) -> Option<Purpose> {
    let mut trails = Trails::new(life, &HkdfSha256, storage);
    trails.due(consents).unwrap().map(|request| request.purpose())
}

#[test]
fn without_consent_there_is_no_identifier_and_nothing_is_stored() {
    let mut storage = Ram::default();
    let consents = Consents::off();
    for purpose in [Purpose::Health, Purpose::Usage] {
        let refused = one(&mut storage, 0, &consents, purpose, 1);
        assert_eq!(refused, Err(TrailError::NotConsented));
    }
    assert_eq!(storage.trails, [None; TRAILS]);
    // Security needs none.
    one(&mut storage, 0, &consents, Purpose::Security, 1).unwrap();
}

#[test]
fn purposes_epochs_consents_and_lives_have_identifiers_that_share_nothing() {
    let (mut consents, mut storage) = granted();
    let mut seen = BTreeSet::new();
    for purpose in [Purpose::Security, Purpose::Health, Purpose::Usage] {
        for epoch in [3, 4, 2] {
            let first = one(&mut storage, 0, &consents, purpose, epoch).unwrap();
            assert_eq!(one(&mut storage, 0, &consents, purpose, epoch), Ok(first));
            assert!(seen.insert(first));
        }
    }
    consents.grant::<Usage>(2, None, &mut storage).unwrap();
    assert!(seen.insert(one(&mut storage, 0, &consents, Purpose::Usage, 3).unwrap()));
    assert!(seen.insert(one(&mut storage, 1, &consents, Purpose::Usage, 3).unwrap()));
    // All of them from four secrets and the two of what came after.
    assert_eq!(storage.trails.iter().flatten().count(), 5);
}

#[test]
fn what_is_not_in_storage_is_not_handed_out() {
    let (consents, mut storage) = granted();
    storage.unwritable = true;
    assert!(one(&mut storage, 0, &consents, Purpose::Usage, 5).is_err());
    storage.unwritable = false;
    one(&mut storage, 0, &consents, Purpose::Usage, 5).unwrap();
    let writes = storage.writes;
    // The same epoch is in storage already, the next one not.
    storage.unwritable = true;
    one(&mut storage, 0, &consents, Purpose::Usage, 5).unwrap();
    assert!(one(&mut storage, 0, &consents, Purpose::Usage, 6).is_err());
    assert!(one(&mut storage, 0, &consents, Purpose::Usage, 4).is_err());
    assert_eq!(storage.writes, writes);
    storage.unreadable = true;
    assert!(one(&mut storage, 0, &consents, Purpose::Usage, 5).is_err());
}

#[test]
fn a_clock_gone_wild_does_not_widen_a_request_beyond_its_limit() {
    let (consents, mut storage) = granted();
    let mut at = |epoch| one(&mut storage, 0, &consents, Purpose::Usage, epoch);
    at(5000).unwrap();
    assert_eq!(at(u32::MAX), Err(TrailError::Epoch));
    at(5000 + MAX_EPOCHS - 1).unwrap();
    assert_eq!(at(4999), Err(TrailError::Epoch));
    assert_eq!(at(5000 + MAX_EPOCHS), Err(TrailError::Epoch));
}

#[test]
fn who_gets_no_acknowledgement_runs_out_of_identifiers_and_not_of_requests() {
    let consents = Consents::off();
    let mut storage = Ram::default();
    for life in 0..6 {
        one(&mut storage, life, &consents, Purpose::Security, 1).unwrap();
    }
    assert_eq!(
        one(&mut storage, 6, &consents, Purpose::Security, 1),
        Err(TrailError::Full)
    );
    let waiting = (0..TRAILS).filter(|place| {
        let trail = storage.trails[*place].and_then(|bytes| Trail::from_bytes(&bytes));
        trail.is_some_and(|trail| trail.is_due(6, &consents))
    });
    assert_eq!(waiting.count(), TRAILS);
}

#[test]
fn a_withdrawal_makes_its_purpose_due_and_no_other() {
    let (mut consents, mut storage) = granted();
    for purpose in [Purpose::Security, Purpose::Health, Purpose::Usage] {
        one(&mut storage, 0, &consents, purpose, 1).unwrap();
    }
    assert_eq!(due(&mut storage, 0, &consents), None);
    withdraw_usage(&mut consents, &mut storage).unwrap();
    assert_eq!(due(&mut storage, 0, &consents), Some(Purpose::Usage));
    let waiting = storage.trails.iter().flatten().filter(|bytes| {
        Trail::from_bytes(bytes).is_some_and(|trail| trail.is_due(0, &Consents::load(&mut storage.clone())))
    });
    assert_eq!(waiting.count(), 1);
    // It survives that the owner changes their mind, and so does the new consent.
    consents.grant::<Usage>(2, None, &mut storage).unwrap();
    assert_eq!(due(&mut storage, 0, &consents), Some(Purpose::Usage));
    one(&mut storage, 0, &consents, Purpose::Usage, 1).unwrap();
}

#[test]
fn a_consent_record_that_is_lost_or_damaged_sends_nothing_and_deletes_nothing() {
    let (consents, mut storage) = granted();
    one(&mut storage, 0, &consents, Purpose::Usage, 1).unwrap();
    let mut damaged = storage.clone();
    damaged.consent.as_mut().unwrap()[20] ^= 1;
    storage.consent = None;
    for mut storage in [storage, damaged] {
        let consents = Consents::load(&mut storage);
        assert_eq!(due(&mut storage, 0, &consents), None);
        let refused = one(&mut storage, 0, &consents, Purpose::Usage, 1);
        assert_eq!(refused, Err(TrailError::NotConsented));
    }
}

#[test]
fn a_wipe_makes_everything_due_without_a_write() {
    let (consents, mut storage) = granted();
    for purpose in [Purpose::Security, Purpose::Health, Purpose::Usage] {
        one(&mut storage, 7, &consents, purpose, 1).unwrap();
    }
    let writes = storage.writes;
    let off = Consents::off();
    for place in 0..3 {
        assert!(due(&mut storage, 8, &off).is_some());
        storage.trails[place] = None;
    }
    assert_eq!((due(&mut storage, 8, &off), storage.writes), (None, writes));
}

#[test]
fn an_owner_may_ask_without_leaving() {
    let (consents, mut storage) = granted();
    let before = one(&mut storage, 0, &consents, Purpose::Health, 1).unwrap();
    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    trails.ask(Purpose::Health).unwrap();
    assert_eq!(due(&mut storage, 0, &consents), Some(Purpose::Health));
    assert_ne!(one(&mut storage, 0, &consents, Purpose::Health, 1), Ok(before));
}

#[test]
fn every_flipped_bit_of_a_record_is_damage_that_is_counted_and_given_up_by_hand() {
    let (consents, mut storage) = granted();
    let first = one(&mut storage, 0, &consents, Purpose::Usage, 1).unwrap();
    let good = storage.trails[0].unwrap();
    for bit in 0..TRAIL_RECORD_LEN * 8 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        storage.trails[0] = Some(bad);
        let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
        assert_eq!(trails.damaged(), Ok(1), "bit {bit}");
        assert!(trails.due(&Consents::off()).unwrap().is_none());
    }
    assert_ne!(one(&mut storage, 0, &consents, Purpose::Usage, 1), Ok(first));
    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    trails.discard_damaged().unwrap();
    assert_eq!(trails.damaged(), Ok(0));
    assert!(storage.trails[0].is_none() && storage.trails[1].is_some());
}

#[test]
fn a_record_is_refused_that_no_device_writes() {
    type Edit = fn(&mut [u8; TRAIL_RECORD_LEN]);
    let (consents, mut storage) = granted();
    one(&mut storage, 0, &consents, Purpose::Usage, 9).unwrap();
    let good = storage.trails[0].unwrap();
    let sealed = |edit: Edit| {
        let mut bytes = good;
        edit(&mut bytes);
        let crc = crc32(&bytes[..52]).to_be_bytes();
        bytes[52..].copy_from_slice(&crc);
        Trail::from_bytes(&bytes).is_some()
    };
    assert!(sealed(|_| ()));
    let edits: [Edit; 9] = [
        |bytes| bytes[0] = 2,
        |bytes| bytes[1] = 3,
        |bytes| bytes[1] = 0xFF,
        // Security has no consent.
        |bytes| bytes[1] = 0,
        |bytes| bytes[2] = 0,
        |bytes| bytes[3] = 1,
        // Usage has one.
        |bytes| bytes[8..12].fill(0),
        // From the 9th epoch to the 8th, and too far.
        |bytes| bytes[19] = 8,
        |bytes| bytes[17] = 1,
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        assert!(!sealed(edit), "edit {index}");
    }
}

#[test]
fn nothing_that_is_printed_shows_an_identifier() {
    let (consents, mut storage) = granted();
    let pseudonym = one(&mut storage, 0, &consents, Purpose::Usage, 1).unwrap();
    assert_eq!(std::format!("{pseudonym:?}"), "Pseudonym(..)");
    let trails = Trails::new(3, &HkdfSha256, &mut storage);
    assert_eq!(std::format!("{trails:?}"), "Trails { life: 3, .. }");
}
