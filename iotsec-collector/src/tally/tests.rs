use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256, Sha256},
    secret::Secret,
};
use iotsec_telemetry::{
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
    epsilon,
    error::StorageError,
    personal::Personal,
    privacy::{Allowance, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage},
    registry,
    registry::{Aggregate, Handling, HashedRegistry, MetricDef, Purpose},
};
use iotsec_testkit::{SimCounter, SimRng};

use super::*;

const NIGHT: MetricDef = MetricDef::new(
    1,
    "lamp.mode",
    "1",
    Purpose::Usage,
    "Tells which mode is worth having",
    Aggregate::RandomizedResponse {
        answers: &["day", "night", "party"],
        epsilon: epsilon!(2 / 1),
    },
);
const LIT: MetricDef = MetricDef::new(
    2,
    "lamp.lit",
    "h",
    Purpose::Usage,
    "Tells how long lamps have to last",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 1),
    },
);
registry!(static PRODUCT = [], metrics [NIGHT, LIT], handling Handling::new("a@lamps.example", "Lamps Ltd", 90));
const ALLOWANCE: Allowance = Allowance {
    per_metric: epsilon!(2 / 1),
    in_all: epsilon!(4 / 1),
    renewals: 1,
};

#[derive(Default)]
struct Ram(Vec<u8>);

impl LedgerStorage for Ram {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        record[..self.0.len()].copy_from_slice(&self.0);
        Ok((!self.0.is_empty()).then_some(self.0.len()))
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        self.0 = record.to_vec();
        Ok(())
    }
}

impl ConsentStorage for Ram {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// The report of a device with this value.
fn report(registry: &HashedRegistry, definition: &MetricDef, value: u32, seed: u64) -> Answer {
    let (mut flash, mut counter, mut rng) = (Ram::default(), SimCounter::new(), SimRng::new(seed));
    let mut consents = Consents::off();
    consents.grant::<Usage>(1, None, &mut Ram::default()).unwrap();
    let secret = Secret::from_bytes([7; 32]);
    let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
    let mut ledger = Ledger::format(key, ALLOWANCE, &mut flash, &mut counter).unwrap();
    let mut budget = Budget {
        ledger: &mut ledger,
        storage: &mut flash,
        counter: &mut counter,
        rng: &mut rng,
        now: None,
    };
    let metric = Metric::new(registry, definition).unwrap();
    let consent = consents.live::<Usage>().unwrap();
    let report = Personal::<u32, Usage>::new(value).noise(&metric, &consent, &mut budget);
    Answer::read(report.unwrap().bytes(), registry).unwrap()
}

#[test]
fn a_tally_over_many_devices_is_near_the_truth_by_its_own_standard_error() {
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let of = |definition| Tally::new(Metric::new(&registry, definition).unwrap(), 500).unwrap();
    let (mut modes, mut hours, mut guard) = (of(&NIGHT), of(&LIT), Guard::new(10_000));
    let (mut truth, mut sum) = ([0i64; 3], 0i64);
    for device in 0..2000u32 {
        let mode = if device % 10 < 7 { 0 } else { device % 3 };
        truth[mode as usize] += 1;
        sum += i64::from(device % 25);
        modes
            .add(&report(&registry, &NIGHT, mode, u64::from(device)), &mut guard)
            .unwrap();
        hours
            .add(
                &report(&registry, &LIT, device % 25, 10_000 + u64::from(device)),
                &mut guard,
            )
            .unwrap();
    }
    let near = |estimate: Estimate, truth: i64| {
        let off = (estimate.thousandths - truth * 1000).unsigned_abs();
        assert!(off < 4 * estimate.error_thousandths, "{estimate:?} for {truth}");
        assert!(estimate.error_thousandths > 0);
    };
    let Outcome::Labels(labels) = modes.finish().unwrap() else {
        panic!("labels")
    };
    assert_eq!(labels.len(), 3);
    for (estimate, truth) in labels.into_iter().zip(truth) {
        near(estimate, truth);
    }
    let Outcome::Sum(estimate) = hours.finish().unwrap() else {
        panic!("a sum")
    };
    near(estimate, sum);
}

#[test]
fn too_few_reports_give_no_result_and_each_counts_once() {
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let metric = Metric::new(&registry, &NIGHT).unwrap();
    assert_eq!(Tally::new(metric, 19).err(), Some(TallyError::Minimum));
    let (mut tally, mut guard) = (Tally::new(metric, 20).unwrap(), Guard::new(20));
    for device in 0..19 {
        let answer = report(&registry, &NIGHT, 1, device);
        tally.add(&answer, &mut guard).unwrap();
        assert_eq!(tally.add(&answer, &mut guard), Err(TallyError::Repeated));
    }
    let other = report(&registry, &LIT, 1, 99);
    assert_eq!(tally.add(&other, &mut guard), Err(TallyError::OtherMetric));
    assert_eq!(tally.reports(), 19);
    assert_eq!(tally.finish(), Err(TallyError::TooFew));

    // Into another tally of the same period neither.
    let mut next = Tally::new(metric, 20).unwrap();
    assert_eq!(
        next.add(&report(&registry, &NIGHT, 1, 3), &mut guard),
        Err(TallyError::Repeated)
    );
    next.add(&report(&registry, &NIGHT, 1, 100), &mut guard).unwrap();
    assert_eq!(
        next.add(&report(&registry, &NIGHT, 1, 101), &mut guard),
        Err(TallyError::Full)
    );
    assert_eq!(next.reports(), 1);
}
