use std::{vec, vec::Vec};

use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::CounterError,
};
use iotsec_testkit::{FailingRng, SimCounter, SimRng, StuckRng};

use super::*;
use crate::{
    epsilon,
    privacy::tests::{BIT, FIVE, TEN, metric},
};

#[derive(Clone, Default)]
pub(in crate::privacy) struct Ram {
    pub(in crate::privacy) record: Option<Vec<u8>>,
    unreadable: bool,
    /// Fails after the record has reached the flash.
    fails: bool,
    pub(in crate::privacy) writes: u32,
}

impl LedgerStorage for Ram {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        if self.unreadable {
            return Err(StorageError::unspecified());
        }
        Ok(self.record.as_ref().map(|stored| {
            record[..stored.len()].copy_from_slice(stored);
            stored.len()
        }))
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        self.record = Some(record.to_vec());
        self.writes += 1;
        if self.fails {
            return Err(StorageError::unspecified());
        }
        Ok(())
    }
}

const ALLOWANCE: Allowance = Allowance {
    per_metric: epsilon!(2 / 1),
    in_all: epsilon!(3 / 1),
    renewals: 2,
};

static SECRET: Secret<32> = Secret::from_bytes([3; 32]);

fn key() -> LedgerKey<'static> {
    LedgerKey::new(&SECRET, &Aes256GcmSiv, &HkdfSha256)
}

struct Device {
    storage: Ram,
    counter: SimCounter,
    rng: SimRng,
    ledger: Ledger<'static>,
}

impl Device {
    fn new() -> Self {
        let (mut storage, mut counter) = (Ram::default(), SimCounter::new());
        let ledger = Ledger::format(key(), ALLOWANCE, &mut storage, &mut counter).unwrap();
        Self {
            storage,
            counter,
            rng: SimRng::new(1),
            ledger,
        }
    }

    fn reboot(&mut self) -> Result<(), LedgerError> {
        self.ledger = Ledger::load(key(), ALLOWANCE, &mut self.storage, &mut self.counter)?;
        Ok(())
    }

    fn report(
        &mut self,
        definition: &crate::registry::MetricDef,
        value: i64,
    ) -> Result<Vec<u8>, LedgerError> {
        self.report_for(&metric(definition), value)
    }

    fn report_for(&mut self, metric: &Metric, value: i64) -> Result<Vec<u8>, LedgerError> {
        let (storage, counter) = (&mut self.storage, &mut self.counter);
        let debit = self
            .ledger
            .debit(metric, value, storage, counter, &mut self.rng)?;
        Ok(debit.draw().unwrap().bytes().to_vec())
    }

    fn renew(&mut self, renewal: Renewal<'_>) -> Result<(), LedgerError> {
        self.ledger.renew(renewal, &mut self.storage, &mut self.counter)
    }
}

#[test]
fn a_repetition_gives_the_same_bytes_and_costs_nothing() {
    let mut device = Device::new();
    let first = device.report(&BIT, 1).unwrap();
    let writes = device.storage.writes;
    for _ in 0..100 {
        assert_eq!(device.report(&BIT, 1).unwrap(), first);
        device.reboot().unwrap();
    }
    assert_eq!(device.storage.writes, writes);
    // There is room for the other value, so nothing was debited but once.
    device.report(&BIT, 0).unwrap();
    assert_eq!(device.report(&BIT, 1).unwrap(), first);
}

#[test]
fn a_metric_and_all_together_end_exactly_at_their_budget() {
    let mut device = Device::new();
    device.report(&BIT, 0).unwrap();
    device.report(&FIVE, 4).unwrap();
    // 1 + 2 of 3: the metric has room and the device has none.
    assert_eq!(device.report(&BIT, 1), Err(LedgerError::Exhausted));
    assert_eq!(device.report(&FIVE, 1), Err(LedgerError::MetricExhausted));
    assert_eq!(device.report(&TEN, 1), Err(LedgerError::Exhausted));
    // What was paid for is still answered.
    device.report(&FIVE, 4).unwrap();
    device.reboot().unwrap();
    assert_eq!(device.report(&TEN, 1), Err(LedgerError::Exhausted));
}

#[test]
fn nothing_is_drawn_or_written_once_the_budget_is_exhausted() {
    let mut device = Device::new();
    device.report(&FIVE, 0).unwrap();
    device.report(&BIT, 0).unwrap();
    let (writes, before) = (device.storage.writes, device.counter.value());
    for value in 0..1000 {
        device.report(&TEN, value).unwrap_err();
    }
    assert_eq!((device.storage.writes, device.counter.value()), (writes, before));
}

#[test]
fn a_metric_with_another_epsilon_or_other_bounds_is_paid_for_again() {
    let mut device = Device::new();
    let old = metric(&TEN);
    device.report_for(&old, 3).unwrap();
    let wider = Metric {
        mechanism: Mechanism::Laplace { min: 0, max: 11 },
        ..old
    };
    device.report_for(&wider, 3).unwrap();
    let finer = Metric {
        epsilon: epsilon!(1 / 2),
        ..old
    };
    assert_eq!(device.report_for(&finer, 3), Err(LedgerError::MetricExhausted));
}

#[test]
fn an_epoch_has_sixteen_debits_at_most() {
    let mut device = Device::new();
    let cheap = Metric {
        epsilon: epsilon!(1 / 100),
        ..metric(&TEN)
    };
    for value in 0..=10 {
        device.report_for(&cheap, value).unwrap();
    }
    let other = Metric { id: 99, ..cheap };
    for value in 0..5 {
        device.report_for(&other, value).unwrap();
    }
    assert_eq!(device.report_for(&other, 5), Err(LedgerError::Full));
    assert_eq!(
        device.storage.record.as_ref().unwrap().len(),
        LEDGER_RECORD_MAX_LEN
    );
    let last = device.report_for(&other, 4).unwrap();
    device.reboot().unwrap();
    assert_eq!(device.report_for(&other, 4).unwrap(), last);
}

#[test]
fn an_epoch_begins_by_a_counter_or_the_maker_and_is_counted() {
    let mut device = Device::new();
    let first = device.report(&FIVE, 2).unwrap();
    let mut periods = SimCounter::new();
    assert_eq!(
        device.renew(Renewal::Counter(&mut periods)),
        Err(LedgerError::NotRenewed)
    );
    periods.advance_to(7).unwrap();
    device.renew(Renewal::Counter(&mut periods)).unwrap();
    assert_ne!(device.report(&FIVE, 2).unwrap(), first);
    assert_eq!(
        device.renew(Renewal::Counter(&mut periods)),
        Err(LedgerError::NotRenewed)
    );
    device.reboot().unwrap();
    assert_eq!(
        device.renew(Renewal::Counter(&mut periods)),
        Err(LedgerError::NotRenewed)
    );
    let mut lower = SimCounter::new().at(6);
    assert_eq!(
        device.renew(Renewal::Counter(&mut lower)),
        Err(LedgerError::NotRenewed)
    );
    device.renew(Renewal::Maker).unwrap();
    assert_eq!(device.ledger.renewals(), 2);
    device.reboot().unwrap();
    assert_eq!(device.ledger.renewals(), 2);
    assert_eq!(device.renew(Renewal::Maker), Err(LedgerError::NoRenewal));
    periods.advance_to(8).unwrap();
    assert_eq!(
        device.renew(Renewal::Counter(&mut periods)),
        Err(LedgerError::NoRenewal)
    );
}

#[test]
fn an_epoch_does_not_begin_without_a_step_of_the_counter() {
    let mut device = Device::new();
    device.report(&FIVE, 2).unwrap();
    device.report(&BIT, 1).unwrap();
    let counter = device.counter.clone();
    device.counter = device.counter.with_limit(counter.value());
    let exhausted = Err(LedgerError::Counter(CounterError::Exhausted));
    assert_eq!(device.renew(Renewal::Maker), exhausted);
    assert_eq!(device.ledger.renewals(), 0);
    assert_eq!(device.report(&TEN, 1), Err(LedgerError::Exhausted));
    // The record is in storage, and is not believed while the counter cannot follow.
    assert_eq!(device.reboot(), exhausted);
}

#[test]
fn a_record_that_was_put_back_is_refused() {
    let mut device = Device::new();
    let fresh = device.storage.clone();
    device.report(&BIT, 1).unwrap();
    let used = device.storage.clone();
    device.storage = fresh;
    // At the next boot, and before it as well.
    assert_eq!(device.reboot(), Err(LedgerError::RolledBack));
    device.storage = used.clone();
    device.reboot().unwrap();
    device.renew(Renewal::Maker).unwrap();
    device.storage = used;
    assert_eq!(device.reboot(), Err(LedgerError::RolledBack));
}

#[test]
fn a_counter_that_others_moved_stops_the_ledger() {
    let mut device = Device::new();
    device.report(&BIT, 1).unwrap();
    device.counter.advance_to(50).unwrap();
    assert_eq!(device.report(&BIT, 1), Err(LedgerError::RolledBack));
    assert_eq!(device.report(&BIT, 0), Err(LedgerError::RolledBack));
    assert_eq!(device.renew(Renewal::Maker), Err(LedgerError::RolledBack));
    device.counter.set_unreadable(true);
    let unreadable = Err(LedgerError::Counter(CounterError::Unreadable));
    assert_eq!(device.report(&BIT, 1), unreadable);
    assert_eq!(device.reboot().err(), unreadable.err());
}

#[test]
fn a_record_that_is_not_as_written_is_refused() {
    let mut device = Device::new();
    device.report(&BIT, 1).unwrap();
    let good = device.storage.record.clone().unwrap();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            device.storage.record = Some(bad);
            let want = if at == 0 {
                LedgerError::Version
            } else {
                LedgerError::Corrupt
            };
            assert_eq!(device.reboot(), Err(want), "byte {at}");
        }
    }
    for len in 0..good.len() {
        device.storage.record = Some(good[..len].to_vec());
        assert_eq!(device.reboot(), Err(LedgerError::Corrupt), "{len} bytes");
    }
    let other = Secret::from_bytes([4; 32]);
    device.storage.record = Some(good);
    let key = LedgerKey::new(&other, &Aes256GcmSiv, &HkdfSha256);
    let opened = Ledger::load(key, ALLOWANCE, &mut device.storage, &mut device.counter);
    assert_eq!(opened.err(), Some(LedgerError::Corrupt));
}

#[test]
fn firmware_that_does_not_know_the_version_sends_nothing_and_wipes_nothing() {
    let mut device = Device::new();
    let report = device.report(&BIT, 1).unwrap();
    let record = device.storage.record.clone();
    for version in (0..=255).filter(|version| *version != record::VERSION) {
        device.storage.record.as_mut().unwrap()[0] = version;
        let before = device.storage.record.clone();
        assert_eq!(device.reboot(), Err(LedgerError::Version));
        let formatted = Ledger::format(key(), ALLOWANCE, &mut device.storage, &mut device.counter);
        assert_eq!(formatted.err(), Some(LedgerError::Version));
        assert_eq!(device.storage.record, before);
    }
    // Back on the newer firmware, all is as it was.
    device.storage.record = record;
    device.reboot().unwrap();
    assert_eq!(device.report(&BIT, 1).unwrap(), report);
}

#[test]
fn a_missing_or_unreadable_record_is_no_budget() {
    let mut device = Device::new();
    device.storage.unreadable = true;
    assert_eq!(
        device.reboot(),
        Err(LedgerError::Storage(StorageError::unspecified()))
    );
    let formatted = Ledger::format(key(), ALLOWANCE, &mut device.storage, &mut device.counter);
    assert!(formatted.is_err());
    device.storage = Ram::default();
    assert_eq!(device.reboot(), Err(LedgerError::Missing));
}

#[test]
fn formatting_does_not_renew() {
    let mut device = Device::new();
    device.report(&FIVE, 1).unwrap();
    let formatted = Ledger::format(key(), ALLOWANCE, &mut device.storage, &mut device.counter);
    assert_eq!(formatted.err(), Some(LedgerError::Exists));
    // Nor does it bless a record that was put back.
    let old = device.storage.clone();
    device.report(&BIT, 1).unwrap();
    device.storage = old;
    let formatted = Ledger::format(key(), ALLOWANCE, &mut device.storage, &mut device.counter);
    assert_eq!(formatted.err(), Some(LedgerError::Exists));
    // The next owner's is newer than every record of the last.
    let last = device.storage.clone();
    device.storage = Ram::default();
    let formatted = Ledger::format(key(), ALLOWANCE, &mut device.storage, &mut device.counter);
    device.ledger = formatted.unwrap();
    device.report(&FIVE, 1).unwrap();
    device.storage = last;
    assert_eq!(device.reboot(), Err(LedgerError::RolledBack));
}

#[test]
fn a_storage_that_fails_gives_no_answer_and_no_number_twice() {
    let mut device = Device::new();
    device.storage.fails = true;
    let failed = Err(LedgerError::Storage(StorageError::unspecified()));
    assert_eq!(device.report(&FIVE, 1), failed);
    let reached = device.storage.clone();
    device.storage.fails = false;
    device.report(&BIT, 1).unwrap();
    // The record of the failed write does not know of the later one.
    device.storage = Ram {
        fails: false,
        ..reached
    };
    assert_eq!(device.reboot(), Err(LedgerError::RolledBack));
}

#[test]
fn a_counter_that_fails_gives_no_answer_until_it_follows() {
    let mut device = Device::new();
    let value = device.counter.value();
    device.counter = device.counter.clone().with_limit(value);
    let exhausted = Err(LedgerError::Counter(CounterError::Exhausted));
    assert_eq!(device.report(&BIT, 1), exhausted);
    assert_eq!(device.report(&BIT, 1), exhausted);
    device.counter = device.counter.clone().with_limit(u64::MAX);
    let report = device.report(&BIT, 1).unwrap();
    device.reboot().unwrap();
    assert_eq!(device.report(&BIT, 1).unwrap(), report);
}

#[test]
fn a_source_that_fails_or_repeats_itself_sends_nothing_and_is_counted() {
    let mut device = Device::new();
    let metric = metric(&BIT);
    let Device {
        storage,
        counter,
        ledger,
        ..
    } = &mut device;
    let writes = storage.writes;
    let entropy = Some(LedgerError::Crypto(CryptoError::Entropy));
    let mut failing = FailingRng::after(0);
    assert_eq!(
        ledger.debit(&metric, 1, storage, counter, &mut failing).err(),
        entropy
    );
    let mut stuck = StuckRng(0x5A);
    assert_eq!(
        ledger.debit(&metric, 1, storage, counter, &mut stuck).err(),
        entropy
    );
    assert_eq!((ledger.entropy_failures(), storage.writes), (2, writes));
    let mut again = SimRng::new(8);
    assert!(ledger.debit(&metric, 1, storage, counter, &mut again).is_ok());
    let mut again = SimRng::new(8);
    assert_eq!(
        ledger.debit(&metric, 0, storage, counter, &mut again).err(),
        entropy
    );
    assert_eq!(ledger.entropy_failures(), 3);
}

#[test]
fn the_record_shows_no_seed_and_debug_shows_no_budget() {
    let mut device = Device::new();
    device.report(&BIT, 1).unwrap();
    let seed = device.ledger.debits.iter().next().unwrap().seed.expose().to_vec();
    let record = device.storage.record.clone().unwrap();
    assert!(
        record
            .windows(8)
            .all(|window| !seed.windows(8).any(|part| part == window))
    );
    let text = std::format!("{:?} {:?}", device.ledger, key());
    assert_eq!(text, "Ledger(..) LedgerKey(..)");
}

#[test]
fn any_sequence_of_reports_reboots_and_renewals_stays_within_the_budget() {
    let metrics = [metric(&BIT), metric(&FIVE), metric(&TEN)].map(|metric| Metric {
        epsilon: epsilon!(2 / 3),
        ..metric
    });
    for seed in 0..30 {
        let mut choice = SimRng::new(seed);
        let mut device = Device::new();
        // Values that were answered, by metric: each costs two thirds.
        let mut told: [Vec<i64>; 3] = [vec![], vec![], vec![]];
        for _ in 0..200 {
            match choice.below(20) {
                0 => device.reboot().unwrap(),
                1 => {
                    if device.renew(Renewal::Maker).is_ok() {
                        told = [vec![], vec![], vec![]];
                    }
                }
                _ => {
                    let at = usize::try_from(choice.below(3)).unwrap();
                    let value = i64::try_from(choice.below(2)).unwrap() + i64::from(at > 0);
                    let all: usize = told.iter().map(Vec::len).sum();
                    let known = told[at].contains(&value);
                    let free = told[at].len() < 3 && all < 4;
                    let report = device.report_for(&metrics[at], value);
                    assert_eq!(report.is_ok(), known || free, "seed {seed}: {told:?}");
                    if report.is_ok() && !known {
                        told[at].push(value);
                    }
                }
            }
        }
    }
}

#[test]
fn a_metric_is_not_answered_or_paid_for_after_its_last_day() {
    use crate::{
        consent::Consents,
        error::NoiseError,
        privacy::Budget,
        registry::{Aggregate, Handling, MetricDef, Purpose},
    };
    use iotsec_core::{crypto::Sha256, hal::UnixTime};

    const ENDS: Handling = Handling::new("data@lamps.example", "Lamps Ltd", 90).until(2027, 1, 15);
    const YES: Aggregate = Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 1),
    };
    const OLD: MetricDef = MetricDef::new(1, "old", "1", Purpose::Security, "Test", YES);
    const NEW: MetricDef =
        MetricDef::new(2, "new", "1", Purpose::Security, "Test", YES).handled(ENDS.until(2030, 1, 1));
    // The last day is what the registry says of all that does not say its own.
    crate::registry!(static BOTH = [], metrics [OLD, NEW], handling ENDS);
    let registry = BOTH.hashed(&mut Sha256::new());
    let [old, new] = [&OLD, &NEW].map(|metric| Metric::new(&registry, metric).unwrap());
    let (mut device, consents) = (Device::new(), Consents::off());
    let mut answer = |metric: &Metric, now: Option<u64>| {
        let mut budget = Budget {
            ledger: &mut device.ledger,
            storage: &mut device.storage,
            counter: &mut device.counter,
            rng: &mut device.rng,
            now: now.map(UnixTime),
        };
        let refused = budget.noise(metric, 1, &consents).err();
        (refused, device.storage.writes)
    };
    let midnight = ENDS.last_second().unwrap().0 + 1;
    let (expired, before) = answer(&old, Some(midnight));
    assert_eq!(expired, Some(NoiseError::Expired));
    assert_eq!(answer(&old, Some(u64::MAX)), (Some(NoiseError::Expired), before));
    assert_eq!(answer(&old, Some(midnight - 1)), (None, before + 1));
    assert_eq!(answer(&new, Some(midnight)), (None, before + 2));
    // Unknown time ends nothing.
    assert_eq!(answer(&old, None), (None, before + 2));
    // What was answered before is not repeated either.
    assert_eq!(
        answer(&old, Some(midnight)),
        (Some(NoiseError::Expired), before + 2)
    );
}
