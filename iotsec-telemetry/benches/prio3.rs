//! Time to split one measurement, beside libprio on the same machine in the same run.
//!
//! `cargo bench -p iotsec-telemetry --bench prio3`. Rounds of both alternate, and the median round counts; what
//! a microcontroller needs stands in `docs/footprint.md`.

use std::{hint::black_box, time::Instant};

use iotsec_telemetry::{
    consent::Consents,
    prio3::{Measurement, Prio3},
    registry::{Aggregate, Buckets, MetricDef, Purpose},
    value::Value,
};
use iotsec_testkit::SimRng;
use prio::vdaf::{
    Client,
    prio3::{Prio3Count, Prio3Histogram, Prio3Sum},
};

const ROUNDS: usize = 31;
const SPLITS: u32 = 200;
const CONTEXT: &[u8] = b"some context";
const NONCE: [u8; 16] = [7; 16];

const EIGHT: Buckets = Buckets::new(&[1, 2, 3, 4, 5, 6, 7]);
const SIXTEEN: Buckets = Buckets::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

const fn metric(aggregate: Aggregate) -> MetricDef {
    MetricDef::new(
        1,
        "metric",
        "1",
        Purpose::Security,
        "Tells how long a split takes",
        aggregate,
    )
}

/// Microseconds for one split.
fn round(mut split: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..SPLITS {
        split();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(SPLITS)
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn compare<V: Client<16>>(
    name: &str,
    aggregate: Aggregate,
    value: fn() -> Value<'static>,
    libprio: &V,
    theirs: &V::Measurement,
) {
    let metric = metric(aggregate);
    let vdaf = Prio3::of(&metric).expect("a metric of shares");
    let consents = Consents::off();
    let mut rng = SimRng::new(1);
    let mut buffer = vec![0; vdaf.shares_len()];
    let (mut ours_rounds, mut their_rounds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours_rounds.push(round(|| {
            let measurement =
                Measurement::new(&metric, black_box(value()), &consents, None).expect("declared");
            let shares = vdaf.split(measurement, CONTEXT, &NONCE, &mut rng, &mut buffer);
            black_box(shares.expect("a good source"));
        }));
        their_rounds.push(round(|| {
            black_box(
                libprio
                    .shard(CONTEXT, black_box(theirs), &NONCE)
                    .expect("a good measurement"),
            );
        }));
    }
    println!(
        "| {name} | {} | {:.1} | {:.1} |",
        vdaf.shares_len(),
        median(ours_rounds),
        median(their_rounds)
    );
}

fn main() {
    println!("| split | bytes | ours, us | libprio, us |\n|---|--:|--:|--:|");
    compare(
        "Count",
        Aggregate::Count,
        || true.into(),
        &Prio3Count::new_count(2).expect("two"),
        &true,
    );
    for (name, max) in [("Sum to 255", 255), ("Sum to 65535", 65_535)] {
        let libprio = Prio3Sum::new_sum(2, max).expect("a sum");
        compare(name, Aggregate::Sum { max }, || 200_u8.into(), &libprio, &200);
    }
    let eight = Prio3Histogram::new_histogram(2, 8, 3).expect("a histogram");
    compare(
        "Histogram of 8",
        Aggregate::Histogram(EIGHT),
        || Value::bucket(5, EIGHT),
        &eight,
        &5,
    );
    let sixteen = Prio3Histogram::new_histogram(2, 16, 6).expect("a histogram");
    compare(
        "Histogram of 16",
        Aggregate::Histogram(SIXTEEN),
        || Value::bucket(5, SIXTEEN),
        &sixteen,
        &5,
    );
}
