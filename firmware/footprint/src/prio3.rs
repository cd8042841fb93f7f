//! A measurement split for two servers.

use core::hint::black_box;

use harness::entropy::FixedBytes;
use iotsec_telemetry::{
    consent::Consents,
    prio3::{Measurement, Prio3},
    registry::{Aggregate, Buckets, MetricDef, Purpose},
    value::Value,
};

const fn metric(aggregate: Aggregate) -> MetricDef {
    MetricDef::new(
        1,
        "metric",
        "1",
        Purpose::Security,
        "Shows devices that are attacked or broken",
        aggregate,
    )
}

const RESTARTED: MetricDef = metric(Aggregate::Count);
const RESTARTS: MetricDef = metric(Aggregate::Sum { max: 255 });
const UPTIMES: Buckets = Buckets::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
const UPTIME: MetricDef = metric(Aggregate::Histogram(UPTIMES));

fn split<const N: usize>(metric: &MetricDef, value: Value<'_>) -> bool {
    let consents = Consents::off();
    let Ok(vdaf) = Prio3::of(metric) else { return false };
    let Ok(measurement) = Measurement::new(metric, value, &consents, None) else {
        return false;
    };
    let mut buffer = [0; N];
    let nonce = black_box([7; 16]);
    let shares = vdaf.split(
        measurement,
        black_box(b"context"),
        &nonce,
        &mut FixedBytes::new(4),
        &mut buffer,
    );
    black_box(shares).is_ok()
}

const fn len(metric: &MetricDef) -> usize {
    match Prio3::of(metric) {
        Ok(vdaf) => vdaf.shares_len(),
        Err(_) => 0,
    }
}

/// Yes or no.
#[inline(never)]
pub fn count() -> bool {
    split::<{ len(&RESTARTED) }>(&RESTARTED, black_box(true).into())
}

/// A number up to 255.
#[inline(never)]
pub fn sum() -> bool {
    split::<{ len(&RESTARTS) }>(&RESTARTS, black_box(200_u8).into())
}

/// One of sixteen buckets.
#[inline(never)]
pub fn histogram() -> bool {
    split::<{ len(&UPTIME) }>(&UPTIME, Value::bucket(black_box(9), UPTIMES))
}
