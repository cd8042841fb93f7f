use std::{collections::BTreeSet, vec, vec::Vec};

use super::*;
use crate::{
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
    error::{RegistryError, StorageError},
    personal::Personal,
    registry::{Buckets, Class},
};

const HOURS: Buckets = Buckets::new(&[-5, 0, 24]);
const OTHER: Buckets = Buckets::new(&[-5, 0, 25]);
const PLAIN: EventDef = EventDef::new(1, "plain", Class::Security, "Test", &[]);
const MIXED: EventDef = EventDef::new(
    5,
    "mixed",
    Class::Usage,
    "Test",
    &[
        Field::choice("interface", &["web", "radio", "serial"]),
        Field::bucket("worn", "h", HOURS),
        Field::number("degrees", "Cel", -3, 6),
    ],
);
const LAST: EventDef = EventDef::new(
    9,
    "last",
    Class::Security,
    "Test",
    &[Field::number("n", "1", 7, 7)],
);
crate::registry!(static PRODUCT = [PLAIN, MIXED, LAST]);

fn mixed(interface: u8, worn: i64, degrees: i64) -> [Value<'static>; 3] {
    [interface.into(), Value::bucket(worn, HOURS), degrees.into()]
}

#[test]
fn every_declared_event_has_one_number_and_every_other_number_is_refused() {
    let mut numbers = BTreeSet::new();
    numbers.insert(encode(&PRODUCT, &PLAIN, &[]).unwrap());
    numbers.insert(encode(&PRODUCT, &LAST, &[7.into()]).unwrap());
    for interface in 0..3 {
        for worn in [-6, -5, 0, 24] {
            for degrees in -3..=6 {
                numbers.insert(encode(&PRODUCT, &MIXED, &mixed(interface, worn, degrees)).unwrap());
            }
        }
    }
    assert_eq!(numbers.len(), 2 + 3 * 4 * 10);
    for code in 0..100_000 {
        assert_eq!(
            decode(&PRODUCT, code).is_some(),
            numbers.contains(&code),
            "{code}"
        );
    }
    assert!(decode(&PRODUCT, u64::MAX).is_none());
}

#[test]
fn what_was_encoded_is_what_is_decoded() {
    let decoded = decode(&PRODUCT, encode(&PRODUCT, &MIXED, &mixed(2, 23, -1)).unwrap()).unwrap();
    assert_eq!(decoded.definition, &MIXED);
    assert_eq!(decoded.digits[..3], [2, 2, 2]);
}

#[test]
fn what_is_not_declared_cannot_be_recorded() {
    const STRANGER: EventDef = EventDef::new(2, "stranger", Class::Usage, "Test", &[]);
    const IMPOSTOR: EventDef = EventDef::new(1, "plain", Class::Usage, "Test", &[]);
    let cases: Vec<(&EventDef, Vec<Value<'_>>, RecordError)> = vec![
        (&STRANGER, vec![], RecordError::Undeclared),
        (&IMPOSTOR, vec![], RecordError::Undeclared),
        (&PLAIN, vec![1.into()], RecordError::Arity),
        (&MIXED, mixed(0, 0, 0)[..2].to_vec(), RecordError::Arity),
        (&MIXED, mixed(3, 0, 0).to_vec(), RecordError::OutOfBounds),
        (&MIXED, mixed(0, 0, -4).to_vec(), RecordError::OutOfBounds),
        (&MIXED, mixed(0, 0, 7).to_vec(), RecordError::OutOfBounds),
        (
            &MIXED,
            vec![(-1).into(), Value::bucket(0, HOURS), 0.into()],
            RecordError::OutOfBounds,
        ),
        (&MIXED, vec![0.into(), 0.into(), 0.into()], RecordError::Kind),
        (
            &MIXED,
            vec![0.into(), Value::bucket(0, OTHER), 0.into()],
            RecordError::Kind,
        ),
        (
            &MIXED,
            vec![0.into(), Value::bucket(0, HOURS), Value::bucket(0, HOURS)],
            RecordError::Kind,
        ),
        (&LAST, vec![i64::MAX.into()], RecordError::OutOfBounds),
        (&LAST, vec![i64::MIN.into()], RecordError::OutOfBounds),
    ];
    for (index, (event, values, error)) in cases.into_iter().enumerate() {
        assert_eq!(encode(&PRODUCT, event, &values), Err(error), "case {index}");
    }
}

#[test]
fn a_coarsened_personal_value_fits_only_events_of_its_purpose() {
    const SECURITY: EventDef = EventDef::new(
        1,
        "security",
        Class::Security,
        "Test",
        &[Field::bucket("worn", "h", HOURS)],
    );
    const USAGE: EventDef = EventDef::new(
        2,
        "usage",
        Class::Usage,
        "Test",
        &[Field::bucket("worn", "h", HOURS)],
    );
    crate::registry!(static BOTH = [SECURITY, USAGE]);
    let usage = || Personal::<i64, Usage>::new(30).bucket(HOURS);
    assert!(encode(&BOTH, &USAGE, &[usage()]).is_ok());
    assert_eq!(encode(&BOTH, &SECURITY, &[usage()]), Err(RecordError::Purpose));
    let health = Personal::<i64, Health>::new(30).bucket(HOURS);
    assert_eq!(encode(&BOTH, &USAGE, &[health]), Err(RecordError::Purpose));
}

#[test]
fn malformed_declarations_are_refused() {
    fn check(fields: Vec<Field>) -> Option<RegistryError> {
        let event = EventDef::new(1, "event", Class::Usage, "Test", fields.leak());
        let events: &'static [EventDef] = vec![event].leak();
        Registry::new(events).err()
    }
    const WIDE: Field = Field::number("wide", "1", 0, u32::MAX as i64);
    assert_eq!(check(vec![]), None);
    assert_eq!(check(vec![WIDE]), None);
    assert_eq!(check(vec![Field::number("n", "1", 0, i64::MAX)]), None);
    assert_eq!(
        check(vec![Field::number("n", "1", i64::MIN, i64::MAX)]),
        Some(RegistryError::TooWide)
    );
    assert_eq!(
        check(vec![WIDE, WIDE, Field::choice("c", &["a", "b"])]),
        Some(RegistryError::TooWide)
    );
    assert_eq!(
        check(vec![Field::number("n", "1", 1, 0)]),
        Some(RegistryError::Bounds)
    );
    assert_eq!(check(vec![Field::choice("c", &[])]), Some(RegistryError::Bounds));
    assert_eq!(
        check(vec![Field::choice("c", &[""])]),
        Some(RegistryError::Bounds)
    );
    assert_eq!(
        check(vec![Field::bucket("b", "1", Buckets::new(&[]))]),
        Some(RegistryError::Bounds)
    );
    assert_eq!(
        check(vec![Field::bucket("b", "1", Buckets::new(&[1, 1]))]),
        Some(RegistryError::Bounds)
    );
    assert_eq!(
        check(vec![Field::number("", "1", 0, 1)]),
        Some(RegistryError::Name)
    );
    assert_eq!(
        check(vec![Field::number("n", "", 0, 1)]),
        Some(RegistryError::Name)
    );
    assert_eq!(check(vec![WIDE; 9]), Some(RegistryError::Count));
    assert_eq!(Registry::new(&[]).err(), Some(RegistryError::Count));
    assert_eq!(Registry::new(&[LAST, PLAIN]).err(), Some(RegistryError::Order));
    // Three events leave no room for a field of 63 bits.
    const BIG: EventDef = EventDef::new(
        2,
        "big",
        Class::Usage,
        "Test",
        &[Field::number("n", "1", 0, i64::MAX)],
    );
    assert_eq!(
        Registry::new(&[PLAIN, BIG, LAST]).err(),
        Some(RegistryError::TooWide)
    );
}

#[test]
fn a_revealed_personal_value_is_exact_and_fits_only_events_of_its_purpose() {
    const FIELDS: &[Field] = &[Field::number("pulse", "1", 0, 300)];
    const SECURITY: EventDef = EventDef::new(1, "security", Class::Security, "Test", FIELDS);
    const USAGE: EventDef = EventDef::new(2, "usage", Class::Usage, "Test", FIELDS);
    crate::registry!(static BOTH = [SECURITY, USAGE]);
    let mut consents = Consents::off();
    assert!(consents.live::<Usage>().is_none());
    consents.grant::<Usage>(1, None, &mut Accepting).unwrap();
    let proof = consents.live::<Usage>().unwrap();
    let pulse = || Personal::<u32, Usage>::new(62).reveal(&proof);
    let code = encode(&BOTH, &USAGE, &[pulse()]).unwrap();
    assert_eq!(decode(&BOTH, code).unwrap().digits[0], 62);
    assert_eq!(encode(&BOTH, &SECURITY, &[pulse()]), Err(RecordError::Purpose));
}

struct Accepting;

impl ConsentStorage for Accepting {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

#[test]
fn dividing_bit_by_bit_is_dividing() {
    let numbers = [
        0,
        1,
        2,
        3,
        7,
        255,
        0xFFFF_FFFF,
        0x1_0000_0000,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ];
    for number in numbers {
        assert_eq!(divide_by_bits(number, 0), None);
        for by in numbers.into_iter().filter(|by| *by != 0) {
            let expected = Some((number / by, number % by));
            assert_eq!(
                (divide_by_bits(number, by), divide(number, by)),
                (expected, expected)
            );
        }
    }
}
