use std::{vec, vec::Vec};

use iotsec_core::{
    cbor::{self, Limits},
    crypto::Sha256,
};

use super::*;
use crate::privacy::Epsilon;

const LIMITS: Limits = Limits {
    depth: 8,
    items: 4096,
    bytes: 65_536,
};
const BY_US: Handling = Handling::new("data@lamps.example", "Lamps Ltd", 90);
const HOURS: Buckets = Buckets::new(&[1, 8, 24]);
const EVENT: EventDef = EventDef::new(1, "event", Class::Usage, "Test", &[]);

fn epsilon() -> Epsilon {
    Epsilon::new(1, 2).unwrap()
}

fn metric(id: u16, aggregate: Aggregate) -> MetricDef {
    MetricDef::new(id, "metric", "1", Purpose::Usage, "Test", aggregate)
}

fn declared(
    events: Vec<EventDef>,
    metrics: Vec<MetricDef>,
    handling: Handling,
) -> Result<Registry, RegistryError> {
    Registry::declare(events.leak(), metrics.leak(), handling)
}

fn aggregates() -> Vec<Aggregate> {
    vec![
        Aggregate::RandomizedResponse {
            answers: &["no", "yes"],
            epsilon: epsilon(),
        },
        Aggregate::Laplace {
            min: -5,
            max: 5,
            epsilon: epsilon(),
        },
        Aggregate::Count,
        Aggregate::Sum { max: 24 },
        Aggregate::Histogram(HOURS),
    ]
}

fn hash(registry: Registry) -> [u8; REGISTRY_HASH_LEN] {
    let registry: &'static Registry = std::boxed::Box::leak(std::boxed::Box::new(registry));
    let mut bytes = Vec::new();
    registry.canonical(&mut |piece| bytes.extend_from_slice(piece));
    cbor::Reader::new(&bytes, &LIMITS).unwrap();
    *registry.hashed(&mut Sha256::new()).hash()
}

#[test]
fn metrics_join_with_their_bounds_and_are_found_again() {
    let metrics: Vec<_> = (0u16..)
        .zip(aggregates())
        .map(|(id, kind)| metric(id, kind))
        .collect();
    let registry = declared(vec![EVENT], metrics.clone(), BY_US).unwrap();
    assert!(metrics.iter().all(|metric| registry.has_metric(metric)));
    assert!(!registry.has_metric(&metric(0, Aggregate::Count)));
    assert!(!registry.has_metric(&metric(9, Aggregate::Count)));
}

#[test]
fn malformed_metrics_are_refused() {
    let refused = |aggregate| declared(vec![], vec![metric(1, aggregate)], BY_US).err();
    let epsilon = epsilon();
    for wrong in [
        Aggregate::RandomizedResponse {
            answers: &["alone"],
            epsilon,
        },
        Aggregate::RandomizedResponse {
            answers: &["", "b"],
            epsilon,
        },
        Aggregate::Laplace {
            min: 1,
            max: 1,
            epsilon,
        },
        Aggregate::Laplace {
            min: 0,
            max: 0x8000_0000,
            epsilon,
        },
        Aggregate::Laplace {
            min: i64::MIN,
            max: i64::MAX,
            epsilon,
        },
        Aggregate::Sum { max: 0 },
        Aggregate::Sum { max: 0x1_0000_0000 },
        Aggregate::Histogram(Buckets::new(&[])),
        Aggregate::Histogram(Buckets::new(&[2, 2])),
    ] {
        assert_eq!(refused(wrong), Some(RegistryError::Bounds), "{wrong:?}");
    }
    let twice = vec![metric(1, Aggregate::Count), metric(1, Aggregate::Count)];
    assert_eq!(declared(vec![], twice, BY_US).err(), Some(RegistryError::Order));
    let many = (0..=256).map(|id| metric(id, Aggregate::Count)).collect();
    assert_eq!(declared(vec![], many, BY_US).err(), Some(RegistryError::Count));
    assert_eq!(declared(vec![], vec![], BY_US).err(), Some(RegistryError::Count));
}

#[test]
fn half_a_statement_of_handling_is_refused() {
    let refused = |handling: Handling| {
        let as_default = declared(vec![EVENT], vec![], handling).err();
        assert_eq!(
            declared(vec![EVENT.handled(handling)], vec![], BY_US).err(),
            as_default
        );
        let of_metric = metric(1, Aggregate::Count).handled(handling);
        assert_eq!(declared(vec![], vec![of_metric], BY_US).err(), as_default);
        as_default
    };
    assert_eq!(refused(Handling::UNSTATED), None);
    assert_eq!(refused(BY_US), None);
    assert_eq!(refused(BY_US.until(2031, 2, 28)), None);
    for wrong in [
        Handling::new("", "Lamps Ltd", 90),
        Handling::new("data@lamps.example", "", 90),
        Handling::new("data@lamps.example", "Lamps Ltd", 0),
        BY_US.until(2031, 2, 29),
        BY_US.until(1960, 1, 1),
    ] {
        assert_eq!(refused(wrong), Some(RegistryError::Handling), "{wrong:?}");
    }
    const LONG: &str = "a name of more than forty-eight bytes is too long";
    assert_eq!(
        refused(Handling::new(LONG, "Lamps Ltd", 1)),
        Some(RegistryError::Name)
    );
}

#[test]
fn whatever_is_declared_is_part_of_the_hash() {
    let mut hashes = vec![
        hash(declared(vec![EVENT], vec![], BY_US).unwrap()),
        hash(declared(vec![EVENT], vec![], Handling::UNSTATED).unwrap()),
        hash(declared(vec![EVENT], vec![], BY_US.until(2031, 2, 28)).unwrap()),
        hash(declared(vec![EVENT.handled(BY_US)], vec![], BY_US).unwrap()),
        hash(
            declared(
                vec![EVENT],
                vec![metric(1, Aggregate::Count).handled(BY_US)],
                BY_US,
            )
            .unwrap(),
        ),
    ];
    let third = Epsilon::new(1, 3).unwrap();
    let others = [
        Aggregate::Laplace {
            min: -5,
            max: 6,
            epsilon: epsilon(),
        },
        Aggregate::Laplace {
            min: -5,
            max: 5,
            epsilon: third,
        },
        Aggregate::Sum { max: 25 },
    ];
    for aggregate in aggregates().into_iter().chain(others) {
        hashes.push(hash(
            declared(vec![EVENT], vec![metric(1, aggregate)], BY_US).unwrap(),
        ));
    }
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!((count, hashes.len()), (13, 13));
}
