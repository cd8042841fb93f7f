//! A privacy budget in the key store, on flash whose power goes at every step: never more is told than it allows.

use std::collections::BTreeSet;

use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256, Sha256},
        error::ErrorCode,
        secret::Secret,
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite},
    telemetry::{
        consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
        epsilon,
        error::{LedgerError, NoiseError, StorageError},
        personal::Personal,
        privacy::{
            Allowance, Answer, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, Metric,
            Renewal,
        },
        registry,
        registry::{Aggregate, Handling, MetricDef, Purpose},
    },
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, SimRng, SimRootKey, Sweep, Violation, World};

const NIGHT: MetricDef = MetricDef::new(
    1,
    "lamp.on-at-night",
    "1",
    Purpose::Usage,
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
    Purpose::Usage,
    "Tells how long lamps have to last",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 2),
    },
);
registry!(static PRODUCT = [], metrics [NIGHT, HOURS], handling Handling::UNSTATED);

/// For one answer about the night and two about the hours.
const ALLOWANCE: Allowance = Allowance {
    per_metric: epsilon!(1 / 1),
    in_all: epsilon!(2 / 1),
    renewals: 3,
};
const RECORD: KeyId = KeyId::new(KeyDomain::User, 9, 1);
const SECRET: Secret<32> = Secret::from_bytes([0x5A; 32]);

/// What outlives a power cut, and what the world has seen.
struct Unit {
    flash: SimFlash,
    counter: SimCounter,
    seed: u64,
    seen: BTreeSet<Vec<u8>>,
}

impl Clone for Unit {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        Self {
            counter: self.counter.clone().powered_by(flash.power()),
            flash,
            seed: self.seed,
            seen: self.seen.clone(),
        }
    }
}

impl World for Unit {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

struct InStore<'s, 'm> {
    store: Store<'m>,
    flash: &'s mut SimFlash,
}

impl LedgerStorage for InStore<'_, '_> {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, RECORD, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::new(&error)),
        }
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        let stored = self.store.put(self.flash, RECORD, record);
        stored.map_err(|error| StorageError::new(&error))
    }
}

struct Granted;

impl ConsentStorage for Granted {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

fn key<'k>(secret: &'k Secret<32>) -> LedgerKey<'k> {
    LedgerKey::new(secret, &Aes256GcmSiv, &HkdfSha256)
}

fn suite(root: &SimRootKey) -> Suite<'_> {
    Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root,
    }
}

impl Unit {
    fn new(geometry: Geometry) -> Self {
        let flash = SimFlash::new(geometry);
        let mut unit = Self {
            counter: SimCounter::new().powered_by(flash.power()),
            flash,
            seed: 1,
            seen: BTreeSet::new(),
        };
        let (region, root) = (unit.flash.region().unwrap(), SimRootKey::new(1));
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 8], [0; 512]);
        let store = Store::format(
            &mut unit.flash,
            region,
            suite(&root),
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut SimRng::new(1),
        );
        let mut storage = InStore {
            store: store.unwrap(),
            flash: &mut unit.flash,
        };
        Ledger::format(key(&SECRET), ALLOWANCE, &mut storage, &mut unit.counter).unwrap();
        unit
    }

    /// From a boot on: the store is mounted and the ledger read, and `work` has the budget.
    fn boot<T>(
        &mut self,
        work: impl FnOnce(&mut Budget<'_, '_, SimRng>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        // Every boot has fresh randomness.
        self.seed += 1;
        let mut rng = SimRng::new(self.seed);
        let (region, root) = (self.flash.region().unwrap(), SimRootKey::new(1));
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 8], [0; 512]);
        let mounted = Store::mount(
            &mut self.flash,
            region,
            suite(&root),
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        );
        let store = mounted.map_err(|error| LedgerError::Storage(StorageError::new(&error)))?;
        let mut storage = InStore {
            store,
            flash: &mut self.flash,
        };
        let secret = SECRET;
        let mut ledger = Ledger::load(key(&secret), ALLOWANCE, &mut storage, &mut self.counter)?;
        work(&mut Budget {
            ledger: &mut ledger,
            storage: &mut storage,
            counter: &mut self.counter,
            rng: &mut rng,
            now: None,
        })
    }

    /// Sends about `value`, which the world sees even if the power goes right after.
    fn send(&mut self, definition: &MetricDef, value: i64) -> Result<Vec<u8>, LedgerError> {
        let registry = PRODUCT.hashed(&mut Sha256::new());
        let metric = Metric::new(&registry, definition).unwrap();
        let mut consents = Consents::off();
        consents.grant::<Usage>(1, None, &mut Granted).unwrap();
        let consent = consents.live::<Usage>().unwrap();
        let sent =
            self.boot(
                |budget| match Personal::<i64, Usage>::new(value).noise(&metric, &consent, budget) {
                    Ok(report) => Ok(report.bytes().to_vec()),
                    Err(NoiseError::Ledger(error)) => Err(error),
                    Err(other) => panic!("{other:?}"),
                },
            );
        if let Ok(report) = &sent {
            self.seen.insert(report.clone());
        }
        sent
    }

    fn renew(&mut self) -> Result<u32, LedgerError> {
        self.boot(|budget| {
            budget
                .ledger
                .renew(Renewal::Maker, budget.storage, budget.counter)?;
            Ok(budget.ledger.renewals())
        })
    }

    /// Different answers that the world has seen of a metric.
    fn told(&self, definition: &MetricDef) -> usize {
        let registry = PRODUCT.hashed(&mut Sha256::new());
        let of =
            |report: &&Vec<u8>| Answer::read(report, &registry).unwrap().metric().id() == definition.id();
        self.seen.iter().filter(of).count()
    }
}

/// Everything that the budget allows, tried twice and in excess.
fn send_all(unit: &mut Unit) {
    for _ in 0..2 {
        for value in 0..2 {
            let _ = unit.send(&NIGHT, value);
        }
        for value in 0..4 {
            let _ = unit.send(&HOURS, value);
        }
    }
}

fn told_no_more_than_allowed(unit: &Unit) {
    assert!(
        unit.told(&NIGHT) <= 1,
        "{} answers about the night",
        unit.told(&NIGHT)
    );
    assert!(
        unit.told(&HOURS) <= 2,
        "{} answers about the hours",
        unit.told(&HOURS)
    );
}

#[test]
fn a_report_cut_off_at_any_step_is_paid_for_once_and_given_again() {
    let fresh = Unit::new(Geometry::nrf52840(8));
    let points = Sweep::new().rounds(2).each_cut(
        || fresh.clone(),
        |unit| unit.send(&NIGHT, 1),
        |unit, outcome| {
            let again = unit.send(&NIGHT, 1).unwrap();
            if let Ok(report) = outcome.result {
                assert_eq!(again, report);
            }
            assert_eq!(unit.send(&NIGHT, 0), Err(LedgerError::MetricExhausted));
            send_all(unit);
            told_no_more_than_allowed(unit);
            // Nothing was lost to the cut either.
            assert_eq!((unit.told(&NIGHT), unit.told(&HOURS)), (1, 2));
        },
    );
    assert!(points > 20, "{points}");
}

#[test]
fn cuts_at_every_step_of_a_whole_epoch_never_overdraw_it() {
    let fresh = Unit::new(Geometry::nrf52840(8));
    let points = Sweep::new().quick(7).each_cut(
        || fresh.clone(),
        send_all,
        |unit, _| {
            send_all(unit);
            told_no_more_than_allowed(unit);
            assert_eq!((unit.told(&NIGHT), unit.told(&HOURS)), (1, 2));
        },
    );
    assert!(points > 20, "{points}");
}

#[test]
fn a_renewal_cut_off_at_any_step_is_counted_or_did_not_happen() {
    let mut spent = Unit::new(Geometry::nrf52840(8));
    send_all(&mut spent);
    spent.seen.clear();
    let (mut old, mut new) = (0, 0);
    Sweep::new().rounds(2).each_cut(
        || spent.clone(),
        Unit::renew,
        |unit, outcome| {
            let renewals = unit.boot(|budget| Ok(budget.ledger.renewals())).unwrap();
            if outcome.result.is_ok() {
                assert_eq!(renewals, 1);
            }
            let answer = unit.send(&NIGHT, 0);
            match renewals {
                // Before the cut, the night's budget went on the other value or this one.
                0 => old += 1,
                1 => {
                    new += 1;
                    answer.unwrap();
                }
                other => panic!("{other} renewals"),
            }
            send_all(unit);
            assert!(unit.told(&NIGHT) <= 1 && unit.told(&HOURS) <= 2);
        },
    );
    assert!(old > 0 && new > 0, "{old} and {new}");
}

#[test]
fn reboots_and_a_clock_that_went_back_renew_nothing() {
    // There is no clock in any signature; what else a device could come back with is its boot.
    let mut unit = Unit::new(Geometry::nrf52840(8));
    for _ in 0..40 {
        send_all(&mut unit);
    }
    told_no_more_than_allowed(&unit);
    let mut answers = 0;
    for _ in 0..5 {
        answers += u32::from(unit.renew().is_ok());
        send_all(&mut unit);
    }
    assert_eq!(answers, ALLOWANCE.renewals);
    assert_eq!(unit.renew(), Err(LedgerError::NoRenewal));
    assert_eq!((unit.told(&NIGHT), unit.told(&HOURS)), (4, 8));
}

#[test]
fn flash_put_back_to_any_earlier_image_tells_nothing_more() {
    let mut unit = Unit::new(Geometry::nrf52840(8));
    let mut images = vec![unit.flash.clone()];
    for (metric, value) in [(&NIGHT, 1), (&HOURS, 3), (&HOURS, 7)] {
        unit.send(metric, value).unwrap();
        images.push(unit.flash.clone());
    }
    let last = images.pop().unwrap();
    for image in images {
        let mut rolled = unit.clone();
        rolled.flash = image;
        rolled.counter = unit.counter.clone().powered_by(rolled.flash.power());
        for value in 0..24 {
            assert_eq!(rolled.send(&HOURS, value), Err(LedgerError::RolledBack));
            assert_eq!(rolled.send(&NIGHT, value), Err(LedgerError::RolledBack));
        }
        assert_eq!(rolled.renew(), Err(LedgerError::RolledBack));
        // Back with the last one, it goes on.
        rolled.flash = last.clone();
        rolled.counter = unit.counter.clone().powered_by(rolled.flash.power());
        assert!(rolled.send(&NIGHT, 1).is_ok());
        assert_eq!(rolled.seen, unit.seen);
    }
}

#[test]
fn older_firmware_sends_nothing_and_the_newer_goes_on_after_it() {
    let mut unit = Unit::new(Geometry::nrf52840(8));
    let report = unit.send(&NIGHT, 1).unwrap();
    let change = |unit: &mut Unit, from: u8, to: u8| {
        let (region, root) = (unit.flash.region().unwrap(), SimRootKey::new(1));
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 8], [0; 512]);
        let mut store = Store::mount(
            &mut unit.flash,
            region,
            suite(&root),
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut SimRng::new(3),
        )
        .unwrap();
        let mut record = [0; LEDGER_RECORD_MAX_LEN];
        let len = store.get(&mut unit.flash, RECORD, &mut record).unwrap().len();
        assert_eq!(record[0], from);
        record[0] = to;
        store.put(&mut unit.flash, RECORD, &record[..len]).unwrap();
    };
    // As a later version would have left it.
    change(&mut unit, 1, 2);
    assert_eq!(unit.send(&NIGHT, 1), Err(LedgerError::Version));
    assert_eq!(unit.send(&HOURS, 1).map_err(|error| error.code()), Err(4622));
    assert_eq!(unit.renew(), Err(LedgerError::Version));
    change(&mut unit, 2, 1);
    assert_eq!(unit.send(&NIGHT, 1).unwrap(), report);
}

#[test]
fn raw_flash_shows_neither_the_key_nor_which_value_was_answered() {
    let (mut one, mut zero) = (Unit::new(Geometry::nrf52840(8)), Unit::new(Geometry::nrf52840(8)));
    one.send(&NIGHT, 1).unwrap();
    zero.send(&NIGHT, 0).unwrap();
    assert!(!one.flash.contains(&[0x5A; 16]));
    let written = |unit: &Unit| unit.flash.image().iter().filter(|byte| **byte != 0xFF).count();
    assert!(written(&one).abs_diff(written(&zero)) < 16);
}
