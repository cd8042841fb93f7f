//! Values noised on the device.

use core::hint::black_box;

use harness::entropy::FixedBytes;
use iotsec_core::{
    crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
    hal::{CounterError, MonotonicCounter},
    secret::Secret,
};
use iotsec_telemetry::{
    consent::Consents,
    epsilon,
    error::StorageError,
    privacy::{Allowance, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, Metric},
    registry,
    registry::{Aggregate, Handling, MetricDef, Purpose},
};

const NIGHT: MetricDef = MetricDef::new(
    1,
    "lamp.on-at-night",
    "1",
    Purpose::Security,
    "Tells whether the night mode is worth having",
    Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 1),
    },
);
const HOURS: MetricDef = MetricDef::new(
    2,
    "lamp.lit",
    "h",
    Purpose::Security,
    "Tells how long lamps have to last",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 1),
    },
);
registry!(static ONE = [], metrics [NIGHT], handling Handling::UNSTATED);
registry!(static BOTH = [], metrics [NIGHT, HOURS], handling Handling::UNSTATED);

/// A record and a counter in RAM.
struct Ram {
    record: [u8; LEDGER_RECORD_MAX_LEN],
    len: Option<usize>,
}

impl LedgerStorage for Ram {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        *record = self.record;
        Ok(self.len)
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        for (to, from) in self.record.iter_mut().zip(record) {
            *to = *from;
        }
        self.len = Some(record.len());
        Ok(())
    }
}

struct Counter(u64);

impl MonotonicCounter for Counter {
    fn read(&mut self) -> Result<u64, CounterError> {
        Ok(self.0)
    }
    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        self.0 = self.0.max(value);
        Ok(())
    }
}

/// One bit, in a ledger that is formatted first.
#[inline(never)]
pub fn run() -> bool {
    noise(&ONE, &[&NIGHT])
}

/// A bit and a number.
#[inline(never)]
pub fn run_both() -> bool {
    noise(&BOTH, &[&NIGHT, &HOURS])
}

#[inline(always)]
fn noise(registry: &'static registry::Registry, metrics: &[&MetricDef]) -> bool {
    let registry = registry.hashed(&mut Sha256::new());
    let mut storage = Ram {
        record: [0; LEDGER_RECORD_MAX_LEN],
        len: None,
    };
    let (mut counter, mut rng) = (Counter(0), FixedBytes::new(4));
    let secret = Secret::from_bytes(black_box([9; 32]));
    let key = LedgerKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let allowance = Allowance {
        per_metric: epsilon!(1 / 1),
        in_all: epsilon!(2 / 1),
        renewals: 12,
    };
    let Ok(mut ledger) = Ledger::format(key, allowance, &mut storage, &mut counter) else {
        return false;
    };
    let mut budget = Budget {
        ledger: &mut ledger,
        storage: &mut storage,
        counter: &mut counter,
        rng: &mut rng,
        now: None,
    };
    let consents = Consents::off();
    let mut sent = true;
    for definition in metrics {
        let report = Metric::new(&registry, definition)
            .ok()
            .and_then(|metric| budget.noise(&metric, black_box(1), &consents).ok());
        sent &= black_box(&report).is_some();
    }
    sent
}
