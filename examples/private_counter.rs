//! Devices answer a question so that nobody learns what any one of them said.
//!
//! ```text
//! cargo run --release --example private_counter
//! cargo run --release --example private_counter -- --mechanism rr|laplace --epsilon N/D --value V --count K
//! ```
//!
//! With arguments it prints the reports of K devices whose true value is V, one a line: for `rr` V and the reports are
//! 0 or 1; for `laplace` they are whole numbers, with noise for a sensitivity of 1.

use std::{error::Error, io::Write};

use getrandom::SysRng;
use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        secret::Secret,
    },
    telemetry::{
        consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
        epsilon,
        error::{EpsilonError, NoiseError, StorageError},
        personal::Sensitive,
        privacy::{
            Allowance, Answer, Budget, Epsilon, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage,
            Metric, Weights, estimate,
        },
        registry::{Aggregate, Handling, HashedRegistry, MetricDef, Purpose, Registry},
    },
};
use iotsec_testkit::SimCounter;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// In place of the key store.
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

/// What one device says to each value in turn; its budget is that of one answer.
fn device(metric: &Metric, values: &[i64]) -> Fallible<Vec<Result<Vec<u8>, NoiseError>>> {
    let (mut storage, mut counter, mut consents) = (Ram::default(), SimCounter::new(), Consents::off());
    consents.grant::<Usage>(1, None, &mut Ram::default())?;
    let consent = consents.live::<Usage>().ok_or("no consent")?;
    let secret = Secret::from_bytes(*b"from the store, and of this unit");
    let key = LedgerKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (per_metric, in_all) = (metric.epsilon(), metric.epsilon());
    let allowance = Allowance {
        per_metric,
        in_all,
        renewals: 0,
    };
    let mut ledger = Ledger::format(key, allowance, &mut storage, &mut counter)?;
    let (ledger, storage, counter, rng) = (&mut ledger, &mut storage, &mut counter, &mut SysRng);
    let mut budget = Budget {
        ledger,
        storage,
        counter,
        rng,
        now: None,
    };
    let answer = |value: &i64| {
        let report = Sensitive::<i64, Usage>::new(*value).noise(metric, &consent, &mut budget)?;
        Ok(report.bytes().to_vec())
    };
    Ok(values.iter().map(answer).collect())
}

fn yes_or_no(epsilon: Epsilon) -> Aggregate {
    let answers = &["no", "yes"];
    Aggregate::RandomizedResponse { answers, epsilon }
}

/// A product would declare this as a constant and have it checked while compiling.
fn declare(aggregate: Aggregate) -> Fallible<(HashedRegistry, Metric)> {
    let why = "Tells whether the night mode is worth having";
    let question = MetricDef::new(1, "lamp.on-at-night", "1", Purpose::Usage, why, aggregate);
    let handling = Handling::new("data@lamps.example", "Lamps Ltd", 90);
    let registry = Registry::declare(&[], vec![question].leak(), handling)?;
    let registry = Box::leak(Box::new(registry)).hashed(&mut Sha256::new());
    Ok((registry, Metric::new(&registry, &question)?))
}

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.is_empty() {
        return print_reports(&arguments);
    }
    let (registry, metric) = declare(yes_or_no(epsilon!(1 / 1)))?;
    println!("asked:    whether lamps are on at night; epsilon 1, the truth is told 73 times of 100");
    let mut said = device(&metric, &[1, 1, 0])?.into_iter();
    let [first, again, other] = [(); 3].map(|()| said.next());
    println!("sent:     {:02x?}", first.clone().ok_or("nothing")??);
    println!(
        "again:    {}",
        if first == again {
            "the same, and it costs nothing"
        } else {
            "another"
        }
    );
    println!(
        "changed:  {}, so nothing is sent",
        other.ok_or("nothing")?.err().ok_or("it was paid")?
    );

    let (mut yes, fleet) = (0, 20_000);
    for number in 0..fleet {
        let report = device(&metric, &[i64::from(number % 5 == 0)])?.remove(0)?;
        yes += u64::from(Answer::read(&report, &registry)?.value() == 1);
    }
    let lamps = estimate::label(yes, fleet, Weights::new(2, metric.epsilon())?).ok_or("too many")?;
    let (count, error) = (lamps.thousandths / 1000, lamps.error_thousandths / 1000);
    println!("fleet:    {yes} of {fleet} said yes, so {count} are on at night, give or take {error}");
    println!("truth:    {}, which nobody was told", fleet / 5);
    Ok(())
}

fn print_reports(arguments: &[String]) -> Fallible<()> {
    const NAMES: [&str; 4] = ["--mechanism", "--epsilon", "--value", "--count"];
    let mut given = [None; 4];
    for pair in arguments.chunks(2) {
        let at = NAMES.iter().position(|name| *name == pair[0]);
        let at = at.ok_or_else(|| format!("{} is none of {}", pair[0], NAMES.join(", ")))?;
        given[at] = pair.get(1).map(String::as_str);
    }
    if let Some(at) = given.iter().position(Option::is_none) {
        return Err(format!("{} is missing, or has no value", NAMES[at]).into());
    }
    let [mechanism, epsilon, value, count] = given.map(Option::unwrap_or_default);
    let (n, d) = epsilon.split_once('/').ok_or("--epsilon is a fraction N/D")?;
    let number = |text: &str| {
        text.parse()
            .map_err(|_| "--epsilon is a fraction N/D of whole numbers")
    };
    let epsilon = Epsilon::new(number(n)?, number(d)?).map_err(EpsilonError::message)?;
    let value: i64 = value.parse().map_err(|_| "--value is a whole number")?;
    let count: u64 = count.parse().map_err(|_| "--count is a whole number from 0")?;
    let min = value & !1;
    let aggregate = match mechanism {
        "rr" if min == 0 => yes_or_no(epsilon),
        "rr" => return Err("--value is 0 or 1 for rr".into()),
        "laplace" => Aggregate::Laplace {
            min,
            max: min + 1,
            epsilon,
        },
        _ => return Err("--mechanism is rr or laplace".into()),
    };
    let (registry, metric) = declare(aggregate)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for _ in 0..count {
        let report = device(&metric, &[value])?.remove(0)?;
        writeln!(out, "{}", Answer::read(&report, &registry)?.value())?;
    }
    Ok(out.flush()?)
}
