//! Private reports as a collector reads them, and the ledger that pays for them.

use std::sync::OnceLock;

use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256, Sha256},
    hal::MonotonicCounter,
    secret::Secret,
};
use iotsec_telemetry::{
    consent::Consents,
    epsilon,
    error::{LedgerError, NoiseError, StorageError},
    privacy::{
        Allowance, Answer, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, Mechanism,
        Metric, Renewal,
    },
    registry,
    registry::{Aggregate, Handling, HashedRegistry, MetricDef, Purpose},
};
use iotsec_testkit::{SimCounter, SimRng};

use crate::{Seed, telemetry::granted};

const NIGHT: MetricDef = MetricDef::new(
    1,
    "lamp.on-at-night",
    "1",
    Purpose::Health,
    "Tells whether the night mode is worth having",
    Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 1),
    },
);
const HOURS: MetricDef = MetricDef::new(
    2,
    "lamp.hours",
    "h",
    Purpose::Health,
    "Tells how long lamps last",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 1),
    },
);
registry!(static PRODUCT = [], metrics [NIGHT, HOURS], handling Handling::new("data@lamps.example", "Lamps Ltd", 90));
const ALLOWANCE: Allowance = Allowance {
    per_metric: epsilon!(1 / 1),
    in_all: epsilon!(2 / 1),
    renewals: 3,
};
const KEY: [u8; 32] = [7; 32];

fn hashed() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

/// A report that is accepted is one of a declared metric, within its bounds, and has one encoding.
pub fn report(input: &[u8]) -> bool {
    let registry = hashed();
    let Ok(answer) = Answer::read(input, &registry) else {
        return false;
    };
    let (metric, value) = (answer.metric(), answer.value());
    let encoded = match metric.mechanism() {
        Mechanism::RandomizedResponse { labels } => {
            assert!((0..i64::from(labels)).contains(&value), "{value}");
            vec![u8::try_from(value).expect("labels are few")]
        }
        _ => value.to_be_bytes().to_vec(),
    };
    let parts: [&[u8]; 5] = [
        &[1],
        registry.hash(),
        &metric.id().to_be_bytes(),
        answer.id(),
        &encoded,
    ];
    assert_eq!(parts.concat(), input);
    true
}

/// Whatever is put in place of the record, copies of earlier ones too, what was paid for stays paid: only the last
/// record is taken, and it has no budget left for another answer.
pub fn ledger(input: &[u8]) -> bool {
    let last = history().last().expect("several");
    let mut counter = SimCounter::new().at(last.counter);
    let mut storage = Stored(input.to_vec());
    let secret = Secret::from_bytes(KEY);
    let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
    let mut ledger = match Ledger::load(key, ALLOWANCE, &mut storage, &mut counter) {
        Ok(ledger) => ledger,
        Err(error) => {
            assert!(
                matches!(
                    error,
                    LedgerError::Missing
                        | LedgerError::Version
                        | LedgerError::Corrupt
                        | LedgerError::RolledBack
                ),
                "{error:?}"
            );
            assert_ne!(input, last.record);
            return false;
        }
    };
    assert_eq!(input, last.record, "another record than the last was taken");
    assert_eq!(ledger.renewals(), 1);
    let metric = Metric::new(&hashed(), &NIGHT).expect("declared");
    let consents = granted();
    let mut rng = SimRng::new(1);
    let mut budget = Budget {
        ledger: &mut ledger,
        storage: &mut storage,
        counter: &mut counter,
        rng: &mut rng,
        now: None,
    };
    let another = budget.noise(&metric, 0, &consents).err();
    assert_eq!(another, Some(NoiseError::Ledger(LedgerError::MetricExhausted)));
    true
}

/// The ledger at one moment.
struct Moment {
    record: Vec<u8>,
    counter: u64,
}

/// Formatted, paid, renewed, paid again.
fn history() -> &'static [Moment] {
    static HISTORY: OnceLock<Vec<Moment>> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let (mut storage, mut counter) = (Stored(Vec::new()), SimCounter::new());
        let secret = Secret::from_bytes(KEY);
        let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
        let mut ledger =
            Ledger::format(key, ALLOWANCE, &mut storage, &mut counter).expect("nothing is stored yet");
        let mut history = Vec::new();
        let mut keep = |storage: &Stored, counter: &mut SimCounter| {
            history.push(Moment {
                record: storage.0.clone(),
                counter: counter.read().expect("it works"),
            });
        };
        keep(&storage, &mut counter);
        pay(&mut ledger, &mut storage, &mut counter);
        keep(&storage, &mut counter);
        ledger
            .renew(Renewal::Maker, &mut storage, &mut counter)
            .expect("three are allowed");
        keep(&storage, &mut counter);
        pay(&mut ledger, &mut storage, &mut counter);
        keep(&storage, &mut counter);
        history
    })
}

fn pay(ledger: &mut Ledger<'_>, storage: &mut Stored, counter: &mut SimCounter) -> Vec<Vec<u8>> {
    let consents: Consents = granted();
    let mut rng = SimRng::new(1);
    let mut budget = Budget {
        ledger,
        storage,
        counter,
        rng: &mut rng,
        now: None,
    };
    let mut report = |definition: &MetricDef, value| {
        let metric = Metric::new(&hashed(), definition).expect("declared");
        let report = budget.noise(&metric, value, &consents).expect("there is budget");
        report.bytes().to_vec()
    };
    [(&NIGHT, 1), (&HOURS, 7)]
        .map(|(definition, value)| report(definition, value))
        .to_vec()
}

struct Stored(Vec<u8>);

impl LedgerStorage for Stored {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        // What is too long for a record reads as its beginning, like a fixed place in flash.
        let len = self.0.len().min(record.len());
        record[..len].copy_from_slice(&self.0[..len]);
        Ok((len > 0).then_some(len))
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        self.0 = record.to_vec();
        Ok(())
    }
}

/// Reports as they travel.
#[must_use]
pub fn report_seeds() -> Vec<Seed> {
    let (mut storage, mut counter) = (Stored(Vec::new()), SimCounter::new());
    let secret = Secret::from_bytes(KEY);
    let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
    let mut ledger =
        Ledger::format(key, ALLOWANCE, &mut storage, &mut counter).expect("nothing is stored yet");
    let reports = pay(&mut ledger, &mut storage, &mut counter);
    let [night, hours] = [reports[0].clone(), reports[1].clone()];
    let mut third_answer = night.clone();
    if let Some(answer) = third_answer.last_mut() {
        *answer = 2;
    }
    vec![
        Seed::new("near-third-answer", third_answer),
        Seed::new("near-cut", &hours[..hours.len() - 1]),
        Seed::new("near-trailing", [night.as_slice(), &[0]].concat()),
        Seed::new("valid-response", night),
        Seed::new("valid-laplace", hours),
    ]
}

/// Records of the ledger.
#[must_use]
pub fn ledger_seeds() -> Vec<Seed> {
    let [formatted, paid, renewed, last] = history() else {
        return Vec::new();
    };
    vec![
        Seed::new("near-formatted", formatted.record.as_slice()),
        Seed::new("near-before-renewal", paid.record.as_slice()),
        Seed::new("near-unpaid", renewed.record.as_slice()),
        Seed::new("valid-last", last.record.as_slice()),
    ]
}
