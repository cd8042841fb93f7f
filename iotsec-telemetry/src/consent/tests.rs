#![expect(clippy::cast_possible_truncation, reason = "test numbers are small")]

use std::vec::Vec;

use iotsec_testkit::SimRng;

use super::*;

#[derive(Default)]
struct Ram {
    record: Option<[u8; CONSENT_RECORD_LEN]>,
    unreadable: bool,
    unwritable: bool,
}

impl ConsentStorage for Ram {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        *record = self.record.unwrap_or(*record);
        if self.unreadable {
            return Err(StorageError::unspecified());
        }
        Ok(self.record.is_some())
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        if self.unwritable {
            return Err(StorageError::unspecified());
        }
        self.record = Some(*record);
        Ok(())
    }
}

fn is_off(consents: &Consents) -> bool {
    consents.live::<Health>().is_none() && consents.live::<Usage>().is_none()
}

fn both_granted() -> Ram {
    let mut storage = Ram::default();
    let mut consents = Consents::load(&mut storage);
    let at = Some(UnixTime(1_800_000_000));
    consents.grant::<Health>(7, at, &mut storage).unwrap();
    consents.grant::<Usage>(8, None, &mut storage).unwrap();
    storage
}

#[test]
fn a_missing_record_is_off() {
    let consents = Consents::load(&mut Ram::default());
    assert!(is_off(&consents));
    assert_eq!(consents.loaded(), Loaded::Missing);
}

#[test]
fn an_unreadable_record_is_off() {
    let mut storage = both_granted();
    storage.unreadable = true;
    let consents = Consents::load(&mut storage);
    assert!(is_off(&consents));
    assert_eq!(consents.loaded(), Loaded::Refused);
}

#[test]
fn every_flipped_bit_and_every_flipped_pair_is_off() {
    let good = both_granted().record.unwrap();
    let bits = good.len() * 8;
    for first in 0..bits {
        for second in first..bits {
            let mut bad = good;
            bad[first / 8] ^= 1 << (first % 8);
            if second != first {
                bad[second / 8] ^= 1 << (second % 8);
            }
            let mut storage = Ram {
                record: Some(bad),
                ..Ram::default()
            };
            let consents = Consents::load(&mut storage);
            assert!(is_off(&consents), "bits {first} and {second}");
            assert_eq!(consents.loaded(), Loaded::Refused);
        }
    }
}

#[test]
fn erased_torn_and_random_records_are_off() {
    let good = both_granted().record.unwrap();
    let mut records: Vec<[u8; CONSENT_RECORD_LEN]> =
        [0x00, 0xFF].map(|byte| [byte; CONSENT_RECORD_LEN]).to_vec();
    for erased in [0x00, 0xFF] {
        for len in 0..CONSENT_RECORD_LEN {
            let mut torn = good;
            torn[len..].fill(erased);
            if torn != good {
                records.push(torn);
            }
        }
    }
    let mut rng = SimRng::new(1);
    records.extend((0..1000).map(|_| core::array::from_fn(|_| rng.below(256) as u8)));
    for record in records {
        let mut storage = Ram {
            record: Some(record),
            ..Ram::default()
        };
        assert!(is_off(&Consents::load(&mut storage)));
    }
}

#[test]
fn an_answer_is_kept_with_its_text_and_time() {
    let consents = Consents::load(&mut both_granted());
    assert_eq!(consents.loaded(), Loaded::Record);
    let health = consents.answer::<Health>();
    assert_eq!((health.answer(), health.text_version()), (Answer::Granted, 7));
    assert_eq!(health.at(), Some(UnixTime(1_800_000_000)));
    assert_eq!(consents.answer::<Usage>().at(), None);
}

#[test]
fn a_grant_that_is_not_stored_is_no_grant() {
    let mut storage = Ram {
        unwritable: true,
        ..Ram::default()
    };
    let mut consents = Consents::load(&mut storage);
    let refused = consents.grant::<Usage>(1, None, &mut storage).unwrap_err();
    assert_eq!((refused.code(), refused.fault()), (4203, Fault::Device));
    assert!(is_off(&consents));
}

#[test]
fn withdrawing_one_purpose_leaves_the_other() {
    with_queue(|consents, queue, storage| {
        consents
            .withdraw::<Usage, 2>(Some(UnixTime(9)), queue, storage)
            .unwrap();
        let consents = Consents::load(storage);
        assert!(consents.live::<Usage>().is_none() && consents.live::<Health>().is_some());
        let usage = consents.answer::<Usage>();
        assert_eq!((usage.answer(), usage.text_version()), (Answer::Withdrawn, 8));
        assert_eq!(usage.at(), Some(UnixTime(9)));
    });
}

#[test]
fn a_withdrawal_that_is_not_stored_is_off_and_says_so() {
    with_queue(|consents, queue, storage| {
        storage.unwritable = true;
        assert!(consents.withdraw::<Usage, 2>(None, queue, storage).is_err());
        assert!(consents.live::<Usage>().is_none());
        storage.unwritable = false;
        consents.withdraw::<Usage, 2>(None, queue, storage).unwrap();
        assert!(Consents::load(storage).live::<Usage>().is_none());
    });
}

fn with_queue(test: impl FnOnce(&mut Consents, &mut Queue<2>, &mut Ram)) {
    use crate::registry::{Class, EventDef};
    const STARTED: EventDef = EventDef::new(1, "started", Class::Health, "Test", &[]);
    crate::registry!(static PRODUCT = [STARTED]);
    let registry = PRODUCT.hashed(&mut iotsec_core::crypto::Sha256::new());
    let mut storage = both_granted();
    let mut consents = Consents::load(&mut storage);
    test(&mut consents, &mut Queue::new(registry, 1, 0), &mut storage);
}
