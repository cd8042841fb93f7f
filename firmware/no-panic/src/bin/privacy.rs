//! A ledger loaded, formatted and renewed, values noised, reports read and counts estimated. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{hal::MonotonicCounter, secret::Secret};
use iotsec_telemetry::{
    consent::{Consents, Usage},
    epsilon,
    error::{LedgerError, StorageError},
    personal::{Personal, Sensitive},
    privacy::{
        Allowance, Answer, Budget, Epsilon, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, Metric,
        Renewal, Sensitivity, Weights, estimate,
    },
    registry,
    registry::{Aggregate, Handling, HashedRegistry, MetricDef, Purpose},
};
use no_panic::{Hardware, UnknownCounter, UnknownDigest, halt, unknown};

const NIGHT: MetricDef = MetricDef::new(
    1,
    "night",
    "1",
    Purpose::Usage,
    "x",
    Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 1),
    },
);
const HOURS: MetricDef = MetricDef::new(
    2,
    "hours",
    "h",
    Purpose::Usage,
    "x",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 2),
    },
);
registry!(static PRODUCT = [], metrics [NIGHT, HOURS], handling Handling::UNSTATED);

/// A storage of unknown content that may fail at any time.
struct UnknownStorage;

impl LedgerStorage for UnknownStorage {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        black_box(record);
        black_box(Ok(Some(0)))
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        black_box(record);
        black_box(Ok(()))
    }
}

#[entry]
fn main() -> ! {
    let registry = PRODUCT.hashed(&mut UnknownDigest);
    black_box(send(&registry).is_ok());
    collect(&registry, &[0; 512]);
    halt()
}

fn send(registry: &HashedRegistry) -> Result<(), LedgerError> {
    let secret = Secret::from_bytes(black_box([7; 32]));
    let key = || LedgerKey::new(&secret, &Hardware, &Hardware);
    let allowance = black_box(Allowance {
        per_metric: epsilon!(1 / 1),
        in_all: epsilon!(2 / 1),
        renewals: 5,
    });
    let (mut storage, mut counter) = (UnknownStorage, UnknownCounter);
    let mut ledger = match Ledger::load(key(), allowance, &mut storage, &mut counter) {
        Ok(ledger) => ledger,
        Err(_) => Ledger::format(key(), allowance, &mut storage, &mut counter)?,
    };
    let periods: &mut dyn MonotonicCounter = &mut UnknownCounter;
    ledger.renew(Renewal::Counter(periods), &mut storage, &mut counter)?;
    let consents = black_box(Consents::off());
    let mut budget = Budget {
        ledger: &mut ledger,
        storage: &mut storage,
        counter: &mut counter,
        rng: &mut Hardware,
        now: None,
    };
    let metric = |definition: &MetricDef| Metric::new(registry, black_box(definition));
    let (Ok(night), Ok(hours)) = (metric(&NIGHT), metric(&HOURS)) else {
        return Ok(());
    };
    let Some(consent) = consents.live::<Usage>() else {
        return Ok(());
    };
    let value = black_box(7u32);
    let report = Personal::<u32, Usage>::new(value).noise(&night, &consent, &mut budget);
    black_box(report.is_ok_and(|report| black_box(report.bytes()).is_empty()));
    let report = Sensitive::<u32, Usage>::new(value).noise(&hours, &consent, &mut budget);
    black_box(report.is_ok_and(|report| black_box(report.bytes()).is_empty()));
    let report = budget.noise(&hours, black_box(-7), &consents);
    black_box(report.is_ok());
    black_box((ledger.renewals(), ledger.entropy_failures()));
    Ok(())
}

fn collect(registry: &HashedRegistry, input: &[u8; 512]) {
    black_box(Answer::read(unknown(input), registry).is_ok());
    let Ok(epsilon) = Epsilon::new(black_box(1), black_box(2)) else {
        return;
    };
    if let Ok(weights) = Weights::new(black_box(2), epsilon) {
        black_box(estimate::label(black_box(3), black_box(9), weights));
    }
    if let Ok(sensitivity) = Sensitivity::of(black_box(0), black_box(9)) {
        black_box(estimate::sum(black_box(3), black_box(9), epsilon, sensitivity));
    }
}
