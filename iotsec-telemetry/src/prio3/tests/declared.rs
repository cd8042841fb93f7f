//! What may be measured.

use iotsec_core::hal::UnixTime;

use crate::{
    consent::{Consents, Health, Usage as UsageData},
    error::{Prio3Error, RegistryError},
    personal::Personal,
    prio3::{Measurement, Prio3},
    registry::{Aggregate, Buckets, Handling, MetricDef, Purpose, Registry},
    value::Value,
};

const HOURS: Buckets = Buckets::new(&[1, 8, 24]);

const fn metric(purpose: Purpose, aggregate: Aggregate) -> MetricDef {
    MetricDef::new(
        1,
        "metric",
        "1",
        purpose,
        "Tells whether measurements are checked",
        aggregate,
    )
}

fn measured(purpose: Purpose, aggregate: Aggregate, value: Value<'_>) -> Result<(Prio3, u64), Prio3Error> {
    let consents = Consents::off();
    let measurement = Measurement::new(&metric(purpose, aggregate), value, &consents, None)?;
    Ok((measurement.vdaf(), measurement.value()))
}

#[test]
fn only_declared_values_can_be_measured() {
    let security = |aggregate, value| measured(Purpose::Security, aggregate, value);
    let sum = Aggregate::Sum { max: 9 };
    assert_eq!(security(Aggregate::Count, true.into()), Ok((Prio3::COUNT, 1)));
    assert_eq!(security(sum, 9u8.into()), Ok((Prio3::sum(9).unwrap(), 9)));
    let histogram = Prio3::histogram(4, 2).unwrap();
    assert_eq!(
        security(Aggregate::Histogram(HOURS), Value::bucket(30, HOURS)),
        Ok((histogram, 3))
    );

    assert_eq!(
        security(Aggregate::Count, 2u8.into()),
        Err(Prio3Error::OutOfBounds)
    );
    assert_eq!(
        security(Aggregate::Count, (-1i8).into()),
        Err(Prio3Error::OutOfBounds)
    );
    assert_eq!(security(sum, 10u8.into()), Err(Prio3Error::OutOfBounds));
    assert_eq!(security(sum, i64::MIN.into()), Err(Prio3Error::OutOfBounds));
    assert_eq!(security(sum, Value::bucket(1, HOURS)), Err(Prio3Error::Kind));
    assert_eq!(
        security(Aggregate::Histogram(HOURS), 1u8.into()),
        Err(Prio3Error::Kind)
    );
    let other = Buckets::new(&[1, 8, 25]);
    assert_eq!(
        security(Aggregate::Histogram(HOURS), Value::bucket(1, other)),
        Err(Prio3Error::Kind)
    );
    let noised = Aggregate::Laplace {
        min: 0,
        max: 9,
        epsilon: crate::epsilon!(1 / 1),
    };
    assert_eq!(security(noised, 1u8.into()), Err(Prio3Error::Aggregate));
}

#[test]
fn nothing_is_measured_without_consent_or_for_another_purpose() {
    for purpose in [Purpose::Health, Purpose::Usage] {
        assert_eq!(
            measured(purpose, Aggregate::Count, true.into()),
            Err(Prio3Error::NotConsented)
        );
    }
    let health = || Personal::<u32, Health>::new(5).bucket(HOURS);
    let usage = || Personal::<u32, UsageData>::new(5).bucket(HOURS);
    for purpose in [Purpose::Security, Purpose::Usage] {
        assert_eq!(
            measured(purpose, Aggregate::Histogram(HOURS), health()),
            Err(Prio3Error::Purpose)
        );
    }
    let usage = measured(Purpose::Usage, Aggregate::Histogram(HOURS), usage());
    assert_eq!(usage, Err(Prio3Error::NotConsented));
}

#[test]
fn nothing_is_measured_after_the_last_day_once_the_date_is_known() {
    const ENDS: Handling = Handling::new("data@lamps.example", "Lamps Ltd", 90).until(2027, 1, 15);
    let (consents, midnight) = (Consents::off(), ENDS.last_second().unwrap().0 + 1);
    let measure = |handling: Handling, now: Option<u64>| {
        let metric = metric(Purpose::Security, Aggregate::Count).handled(handling);
        Measurement::new(&metric, true.into(), &consents, now.map(UnixTime)).err()
    };
    assert_eq!(measure(ENDS, Some(midnight)), Some(Prio3Error::Expired));
    assert_eq!(measure(ENDS, Some(midnight - 1)), None);
    assert_eq!(measure(ENDS, None), None);
    assert_eq!(measure(ENDS.until(2027, 1, 16), Some(midnight)), None);

    // A registry that ends cannot leave a metric without an end of its own.
    const COUNT: MetricDef = metric(Purpose::Security, Aggregate::Count);
    const OWN: MetricDef = COUNT.handled(ENDS);
    assert_eq!(
        Registry::declare(&[], &[COUNT], ENDS).err(),
        Some(RegistryError::Handling)
    );
    assert!(Registry::declare(&[], &[OWN], ENDS).is_ok());
}
