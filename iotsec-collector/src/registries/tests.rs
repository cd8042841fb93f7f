use iotsec_telemetry::{
    epsilon, registry,
    registry::{Aggregate, Buckets, Class, EventDef, Field, Handling, MetricDef, Purpose},
};
use iotsec_testkit::SimRng;

use super::*;

const LOGIN: EventDef = EventDef::new(
    2,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[
        Field::choice("interface", &["serial", "web", "radio"]),
        Field::number("attempts", "1", -3, 65535),
    ],
);
const USED: EventDef = EventDef::new(
    301,
    "device.used",
    Class::Usage,
    "Tells how long a battery has to last",
    &[Field::bucket("hours", "h", Buckets::new(&[1, 8, 24]))],
)
.handled(Handling::new("a@lamps.example", "Lamps Ltd", 30).until(2031, 12, 31));
const METRICS: [MetricDef; 5] = [
    metric(
        1,
        Aggregate::RandomizedResponse {
            answers: &["no", "yes"],
            epsilon: epsilon!(1 / 2),
        },
    ),
    metric(
        2,
        Aggregate::Laplace {
            min: -5,
            max: 24,
            epsilon: epsilon!(3 / 2),
        },
    ),
    metric(3, Aggregate::Count).handled(Handling::new("b@lamps.example", "Lamps Ltd", 7)),
    metric(4, Aggregate::Sum { max: 24 }),
    metric(5, Aggregate::Histogram(Buckets::new(&[-1, 0, 9]))),
];
registry!(static PRODUCT = [LOGIN, USED],
    metrics [METRICS[0], METRICS[1], METRICS[2], METRICS[3], METRICS[4]],
    handling Handling::new("data@lamps.example", "Lamps Ltd", 90));
registry!(static SMALL = [LOGIN]);

const fn metric(id: u16, aggregate: Aggregate) -> MetricDef {
    MetricDef::new(
        id,
        "lamp.lit",
        "h",
        Purpose::Usage,
        "Tells how long lamps last",
        aggregate,
    )
}

fn canonical(registry: &Registry) -> Vec<u8> {
    let mut bytes = Vec::new();
    registry.canonical(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

#[test]
fn a_registry_comes_back_from_its_file_with_the_same_hash() {
    for registry in [&PRODUCT, &SMALL] {
        let bytes = canonical(registry);
        let mut registries = Registries::new();
        let added = registries.add(&bytes).unwrap();
        assert_eq!(added.hash(), registry.hashed(&mut Sha256::new()).hash());
        assert_eq!(added.registry().events(), registry.events());
        assert_eq!(added.registry().metrics(), registry.metrics());
        assert_eq!(added.registry().handling(), registry.handling());
        assert!(registries.find(added.hash()).is_some());
        assert_eq!(
            registries.add(&bytes).unwrap().registry().events().as_ptr(),
            added.registry().events().as_ptr()
        );
        assert_eq!(registries.iter().count(), 1);
    }
}

#[test]
fn json_says_the_same_as_the_canonical_file() {
    for registry in [&PRODUCT, &SMALL] {
        let described = Description::of(registry);
        let text = described.to_json().unwrap();
        let again = Description::from_json(text.as_bytes()).unwrap();
        assert_eq!(again, described);
        assert_eq!(again.to_canonical().unwrap(), canonical(registry));
        assert_eq!(
            Description::from_canonical(&canonical(registry)).unwrap(),
            described
        );
        let hash = *Registries::new().add_json(text.as_bytes()).unwrap().hash();
        assert_eq!(hash, *registry.hashed(&mut Sha256::new()).hash());
    }
}

#[test]
fn every_change_of_a_file_is_refused_or_another_registry() {
    let good = canonical(&PRODUCT);
    let (mut rng, mut refused) = (SimRng::new(1), 0);
    for len in 0..good.len() {
        assert!(Registries::new().add(&good[..len]).is_err());
    }
    let trailing = [good.as_slice(), &[0]].concat();
    assert!(Registries::new().add(&trailing).is_err());
    for _ in 0..5_000 {
        let mut bad = good.clone();
        for _ in 0..=rng.below(2) {
            let at = usize::try_from(rng.below(bad.len() as u64)).unwrap();
            bad[at] = u8::try_from(rng.below(256)).unwrap();
        }
        match Registries::new().add(&bad) {
            // What is taken encodes to what was read: its hash is that of these bytes.
            Ok(added) => assert_eq!(canonical(added.registry()), bad),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn another_form_of_the_same_registry_is_refused() {
    // A choice has the unit 1 in every registry.
    let good = canonical(&SMALL);
    let unit = b"interface\x611";
    let at = good.windows(unit.len()).position(|part| part == unit).unwrap() + unit.len() - 1;
    let mut other = good.clone();
    other[at] = b's';
    assert_eq!(
        Registries::new().add(&other).err(),
        Some(DescriptionError::NotCanonical)
    );
    assert!(Registries::new().add(&good).is_ok());
}

#[test]
fn json_that_is_not_quite_a_description_is_refused() {
    let event = r#"{"id":1,"name":"a","class":"usage","why":"b","fields":[FIELD]}"#;
    let with = |field: &str| {
        let text = format!(r#"{{"events":[{}]}}"#, event.replace("FIELD", field));
        Registries::new().add_json(text.as_bytes()).map(drop)
    };
    assert_eq!(with(""), Ok(()));
    assert_eq!(with(r#"{"name":"n","min":0,"max":9}"#), Ok(()));
    for wrong in [
        r#"{"name":"n"}"#,
        r#"{"name":"n","min":0}"#,
        r#"{"name":"n","min":0,"max":9,"edges":[1]}"#,
        r#"{"name":"n","min":0,"max":9,"more":1}"#,
        r#"{"name":"n","name":"n","min":0,"max":9}"#,
        r#"{"name":"n","unit":"s","labels":["x"]}"#,
        r#"{"name":"n","min":0,"max":9.5}"#,
    ] {
        assert_eq!(with(wrong), Err(DescriptionError::Json), "{wrong}");
    }
    assert_eq!(
        with(r#"{"name":"n","min":9,"max":0}"#),
        Err(iotsec_telemetry::error::RegistryError::Bounds.into())
    );
}
