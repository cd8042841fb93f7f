//! The ledger: how much has been told in this epoch, and by which answers.

use iotsec_core::{
    crypto::{Aead, CryptoError, Kdf},
    hal::MonotonicCounter,
    secret::Secret,
};
use rand_core::TryCryptoRng;

use super::{Epsilon, Mechanism, Metric, draws::SEED_LEN, sum::Sum};
use crate::error::{LedgerError, StorageError};

mod record;

/// Bytes of the longest stored record (`FORMAT.md`, "Ledger").
pub const LEDGER_RECORD_MAX_LEN: usize = record::MAX_LEN;
/// Debits in one epoch at most: a dozen metrics, some of which change their value. Each takes 32 bytes of RAM and
/// of the record.
pub const MAX_DEBITS: usize = 16;
/// With 16 debits an accidental match has a chance below 2^-56.
const TAG_OF_VALUE_LEN: usize = 8;

/// Where the record is kept; one record, replaced as a whole.
///
/// *Power loss:* an interrupted [`store`](Self::store) leaves the old record or the new one. The record is sealed
/// before it comes here.
pub trait LedgerStorage {
    /// Reads the record and returns its length; `None` when there is none.
    ///
    /// # Errors
    /// [`StorageError`], and nothing is sent.
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError>;
    /// Replaces the record, and returns only once it would survive a power cut.
    ///
    /// # Errors
    /// [`StorageError`], and nothing is sent.
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError>;
}

/// The key of the ledger, and the algorithms to use it with.
///
/// 32 bytes that are used for nothing else and leave with the owner: whoever has them reads which answers were
/// given for which values.
pub struct LedgerKey<'k> {
    key: &'k Secret<32>,
    aead: &'k dyn Aead,
    kdf: &'k dyn Kdf,
}

impl<'k> LedgerKey<'k> {
    /// Binds a key to its algorithms.
    pub const fn new(key: &'k Secret<32>, aead: &'k dyn Aead, kdf: &'k dyn Kdf) -> Self {
        Self { key, aead, kdf }
    }
}

impl core::fmt::Debug for LedgerKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LedgerKey(..)")
    }
}

/// How much may be told.
///
/// Epsilons add up (basic composition): all that a device tells in its life is at most `in_all` times one more
/// than `renewals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// By each metric in one epoch.
    pub per_metric: Epsilon,
    /// By all metrics together in one epoch.
    pub in_all: Epsilon,
    /// How often a new epoch may begin.
    pub renewals: u32,
}

/// Why a new epoch begins. There is no way to say "because of the time": whoever sets the clock would set the
/// budget.
pub enum Renewal<'a> {
    /// A counter that others move has risen since the last renewal: a number that the service signs with each
    /// period, or the security counter of the firmware.
    Counter(&'a mut dyn MonotonicCounter),
    /// The maker decides so. It is counted like the others.
    Maker,
}

/// One debit, and with it the answer that it paid for.
struct Entry {
    metric: u16,
    /// As it was when it was debited, whatever the registry says now.
    epsilon: Epsilon,
    tag: [u8; TAG_OF_VALUE_LEN],
    seed: Secret<SEED_LEN>,
}

struct State {
    /// What the hardware counter is at least once this record is the last.
    counter: u64,
    renewals: u32,
    /// The counter of renewals at the last one.
    renewed_at: u64,
}

struct Debits {
    entries: [Option<Entry>; MAX_DEBITS],
    len: usize,
}

impl Debits {
    const EMPTY: Self = Self {
        entries: [const { None }; MAX_DEBITS],
        len: 0,
    };

    fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    fn push(&mut self, entry: Entry) -> Option<()> {
        *self.entries.get_mut(self.len)? = Some(entry);
        self.len = self.len.saturating_add(1);
        Some(())
    }

    fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        if let Some(entry) = self.entries.get_mut(self.len) {
            *entry = None;
        }
    }
}

/// The right to draw one answer, paid for in storage.
///
/// Made by [`Budget`](super::Budget) alone and used up by the draw.
///
/// ```compile_fail,E0451
/// use iotsec_telemetry::privacy::Debit;
/// let _ = Debit { seed: todo!(), metric: todo!(), kdf: todo!(), value: 0 };
/// ```
pub struct Debit<'k> {
    pub(super) seed: Secret<SEED_LEN>,
    pub(super) kdf: &'k dyn Kdf,
    pub(super) metric: Metric,
    /// Within the metric's bounds.
    pub(super) value: i64,
}

/// What has been told in this epoch, and by which answers. It lives as long as the power is on; the truth is in
/// storage.
///
/// Every debit and every renewal raises a [`MonotonicCounter`] by one. The counter is the ledger's own.
///
/// *Power loss:* a debit is in storage before the answer that it pays for can be drawn, and with it what the answer
/// is drawn from: after a cut the same value gives the same report and costs nothing more.
///
/// *Attackers:* a record that was put back is older than the counter and refused. One who writes the flash *and*
/// cuts the power between record and counter can choose which of the two records is the last, and so wins back one
/// debit a cut. The record is sealed: one who reads the flash sees how many answers there were.
///
/// Remaining budget cannot be asked for: it is a trace of what the person did, and would end up in a report.
///
/// ```
/// use iotsec_core::{crypto::{Aes256GcmSiv, HkdfSha256}, hal::MonotonicCounter, secret::Secret};
/// use iotsec_telemetry::{
///     epsilon, error::LedgerError, privacy::{Allowance, Ledger, LedgerKey, LedgerStorage, Renewal},
/// };
/// # use iotsec_telemetry::{error::StorageError, privacy::LEDGER_RECORD_MAX_LEN};
/// # use iotsec_testkit::SimCounter;
/// # #[derive(Clone, Default)]
/// # struct Flash(Vec<u8>);
/// # impl LedgerStorage for Flash {
/// #     fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
/// #         record[..self.0.len()].copy_from_slice(&self.0);
/// #         Ok((!self.0.is_empty()).then_some(self.0.len()))
/// #     }
/// #     fn store(&mut self, record: &[u8]) -> Result<(), StorageError> { self.0 = record.to_vec(); Ok(()) }
/// # }
/// # let (mut flash, mut counter, mut periods) = (Flash::default(), SimCounter::new(), SimCounter::new());
/// let allowance = Allowance { per_metric: epsilon!(1 / 1), in_all: epsilon!(2 / 1), renewals: 12 };
/// let secret = Secret::from_bytes([7; 32]);
/// let key = || LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
///
/// // At the factory.
/// assert_eq!(Ledger::load(key(), allowance, &mut flash, &mut counter).err(), Some(LedgerError::Missing));
/// Ledger::format(key(), allowance, &mut flash, &mut counter)?;
/// # let old = flash.clone();
///
/// // At every boot.
/// let mut ledger = Ledger::load(key(), allowance, &mut flash, &mut counter)?;
///
/// // When the service has signed that a new period begins.
/// periods.advance_to(1)?;
/// ledger.renew(Renewal::Counter(&mut periods), &mut flash, &mut counter)?;
/// assert_eq!(ledger.renewals(), 1);
///
/// // After somebody put the flash of the factory back.
/// # let mut flash = old;
/// assert_eq!(Ledger::load(key(), allowance, &mut flash, &mut counter).err(), Some(LedgerError::RolledBack));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ledger<'k> {
    key: LedgerKey<'k>,
    allowance: Allowance,
    state: State,
    debits: Debits,
    entropy_failures: u32,
}

impl<'k> Ledger<'k> {
    /// Reads the ledger. Without one nothing can be noised, so whatever is wrong with the record, nothing is sent.
    ///
    /// *Power loss:* finishes the step of the counter that a cut interrupted.
    ///
    /// # Errors
    /// [`LedgerError::Missing`], [`LedgerError::Version`], [`LedgerError::Corrupt`],
    /// [`LedgerError::RolledBack`], or that storage, counter or cryptography failed.
    pub fn load(
        key: LedgerKey<'k>,
        allowance: Allowance,
        storage: &mut dyn LedgerStorage,
        counter: &mut dyn MonotonicCounter,
    ) -> Result<Self, LedgerError> {
        let (state, debits) = read(&key, storage)?;
        if state.counter < counter.read()? {
            return Err(LedgerError::RolledBack);
        }
        counter.advance_to(state.counter)?;
        Ok(Self {
            key,
            allowance,
            state,
            debits,
            entropy_failures: 0,
        })
    }

    /// Begins an empty ledger: once at the factory, and at a reset by the owner, after the record of the last
    /// owner is erased. Never as an answer to an error of [`load`](Self::load), which would hand out a new
    /// budget to whoever can spoil the record.
    ///
    /// *Power loss:* there is no ledger or the new one.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] when there is a record under this key, older than the counter or not;
    /// [`LedgerError::Version`] when there is one of an unknown version; or that storage, counter or cryptography
    /// failed.
    pub fn format(
        key: LedgerKey<'k>,
        allowance: Allowance,
        storage: &mut dyn LedgerStorage,
        counter: &mut dyn MonotonicCounter,
    ) -> Result<Self, LedgerError> {
        match read(&key, storage) {
            Ok(_) => return Err(LedgerError::Exists),
            Err(LedgerError::Missing | LedgerError::Corrupt) => {}
            Err(error) => return Err(error),
        }
        let mut ledger = Self {
            key,
            allowance,
            state: State {
                counter: counter.read()?,
                renewals: 0,
                renewed_at: 0,
            },
            debits: Debits::EMPTY,
            entropy_failures: 0,
        };
        ledger.step(counter)?;
        ledger.persist(storage, counter)?;
        Ok(ledger)
    }

    /// Begins a new epoch: what was told is forgotten, the budget is whole, and every answer is drawn anew.
    ///
    /// Whoever sees the reports of several epochs sees several answers for one value. Let an epoch be as long as
    /// the question allows.
    ///
    /// *Power loss:* the old epoch or the new one, and the renewal is counted.
    ///
    /// # Errors
    /// [`LedgerError::NotRenewed`] when the counter of renewals has not risen; [`LedgerError::NoRenewal`] when
    /// the allowance grants no more; [`LedgerError::RolledBack`]; or that storage, a counter or cryptography
    /// failed. The old epoch goes on.
    pub fn renew(
        &mut self,
        renewal: Renewal<'_>,
        storage: &mut dyn LedgerStorage,
        counter: &mut dyn MonotonicCounter,
    ) -> Result<(), LedgerError> {
        let renewed_at = match renewal {
            Renewal::Maker => self.state.renewed_at,
            Renewal::Counter(counter) => match counter.read()? {
                value if value > self.state.renewed_at => value,
                _ => return Err(LedgerError::NotRenewed),
            },
        };
        if self.state.renewals >= self.allowance.renewals {
            return Err(LedgerError::NoRenewal);
        }
        self.step(counter)?;
        let old = core::mem::replace(&mut self.debits, Debits::EMPTY);
        let (old_renewals, old_renewed_at) = (self.state.renewals, self.state.renewed_at);
        self.state.renewals = old_renewals.saturating_add(1);
        self.state.renewed_at = renewed_at;
        let renewed = self.persist(storage, counter);
        if renewed.is_err() {
            self.debits = old;
            (self.state.renewals, self.state.renewed_at) = (old_renewals, old_renewed_at);
        }
        renewed
    }

    /// How often a new epoch has begun.
    pub const fn renewals(&self) -> u32 {
        self.state.renewals
    }

    /// How often since this boot the entropy source failed, or repeated itself, and nothing was sent because of it.
    pub const fn entropy_failures(&self) -> u32 {
        self.entropy_failures
    }

    /// Pays for one report of `metric` about `value`: once in an epoch, and again for nothing.
    pub(super) fn debit<R: TryCryptoRng + ?Sized>(
        &mut self,
        metric: &Metric,
        value: i64,
        storage: &mut dyn LedgerStorage,
        counter: &mut dyn MonotonicCounter,
        rng: &mut R,
    ) -> Result<Debit<'k>, LedgerError> {
        let value = metric.mechanism().clamped(value);
        let tag = self.tag_of(metric, value)?;
        let paid = self.debits.iter().find(|entry| entry.is_for(metric, &tag));
        if let Some(seed) = paid.map(|entry| Secret::from_bytes(*entry.seed.expose())) {
            // The cut may have come, or the counter failed, just after the record was written.
            self.check_counter(counter)?;
            counter.advance_to(self.state.counter)?;
            return Ok(self.token(metric, value, seed));
        }
        self.check_budget(metric)?;
        let seed = self.fresh_seed(rng)?;
        self.step(counter)?;
        let entry = Entry {
            metric: metric.id(),
            epsilon: metric.epsilon(),
            tag,
            seed: Secret::from_bytes(*seed.expose()),
        };
        self.debits.push(entry).ok_or(LedgerError::Full)?;
        if let Err(error) = self.write(storage) {
            self.debits.pop();
            return Err(error);
        }
        counter.advance_to(self.state.counter)?;
        Ok(self.token(metric, value, seed))
    }

    const fn token(&self, metric: &Metric, value: i64, seed: Secret<SEED_LEN>) -> Debit<'k> {
        Debit {
            seed,
            kdf: self.key.kdf,
            metric: *metric,
            value,
        }
    }

    /// A value as this metric sees it. With other bounds or another epsilon it is another one, since an answer
    /// drawn for those tells something more.
    fn tag_of(&self, metric: &Metric, value: i64) -> Result<[u8; TAG_OF_VALUE_LEN], CryptoError> {
        let (kind, min, max) = match metric.mechanism() {
            Mechanism::RandomizedResponse { labels } => (0u8, 0, i64::from(labels)),
            Mechanism::Laplace { min, max } => (1, min, max),
        };
        let [a, b] = metric.id().to_be_bytes();
        self.key.tag_of(&[
            &[kind, a, b],
            &min.to_be_bytes(),
            &max.to_be_bytes(),
            &epsilon_bytes(metric.epsilon()),
            &value.to_be_bytes(),
        ])
    }

    fn check_budget(&self, metric: &Metric) -> Result<(), LedgerError> {
        let spent = |of: Option<u16>| {
            let debits = self.debits.iter();
            debits
                .filter(|entry| of.is_none_or(|metric| metric == entry.metric))
                .try_fold(Sum::ZERO, |sum, entry| sum.plus(entry.epsilon))
                .and_then(|sum| sum.plus(metric.epsilon()))
        };
        let within = |sum: Option<Sum>, limit| sum.is_some_and(|sum| sum.is_within(limit));
        if !within(spent(Some(metric.id())), self.allowance.per_metric) {
            return Err(LedgerError::MetricExhausted);
        }
        if !within(spent(None), self.allowance.in_all) {
            return Err(LedgerError::Exhausted);
        }
        if self.debits.len >= MAX_DEBITS {
            return Err(LedgerError::Full);
        }
        Ok(())
    }

    fn fresh_seed<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<Secret<SEED_LEN>, LedgerError> {
        let seed = Secret::random(rng);
        let repeats = |seed: &Secret<SEED_LEN>| self.debits.iter().any(|entry| entry.seed.ct_eq(seed));
        match seed {
            Ok(seed) if !repeats(&seed) => Ok(seed),
            _ => {
                self.entropy_failures = self.entropy_failures.saturating_add(1);
                Err(CryptoError::Entropy.into())
            }
        }
    }

    fn check_counter(&self, counter: &mut dyn MonotonicCounter) -> Result<(), LedgerError> {
        if counter.read()? > self.state.counter {
            return Err(LedgerError::RolledBack);
        }
        Ok(())
    }

    /// Takes the next number. It is not given back when the write fails: the record may be in the flash all the
    /// same, and no two records may have one number.
    fn step(&mut self, counter: &mut dyn MonotonicCounter) -> Result<(), LedgerError> {
        self.check_counter(counter)?;
        let next = self.state.counter.checked_add(1);
        self.state.counter = next.ok_or(iotsec_core::hal::CounterError::Exhausted)?;
        Ok(())
    }

    fn persist(
        &self,
        storage: &mut dyn LedgerStorage,
        counter: &mut dyn MonotonicCounter,
    ) -> Result<(), LedgerError> {
        self.write(storage)?;
        Ok(counter.advance_to(self.state.counter)?)
    }

    fn write(&self, storage: &mut dyn LedgerStorage) -> Result<(), LedgerError> {
        let mut bytes = [0; LEDGER_RECORD_MAX_LEN];
        let len = record::seal(&self.key, &self.state, &self.debits, &mut bytes)?;
        let sealed = bytes.get(..len).ok_or(LedgerError::Corrupt)?;
        Ok(storage.store(sealed)?)
    }
}

iotsec_core::claim! {
    provisions: ["6-8"],
    claims: "A noised answer tells no more than its epsilon, and a budget that reboots do not renew bounds all of them",
    code: [Ledger::debit],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::privacy::tests::attacker::no_answer_tells_more_than_epsilon_and_the_likeliest_tells_no_less",
        "iotsec-telemetry::iotsec_telemetry::privacy::ledger::tests::any_sequence_of_reports_reboots_and_renewals_stays_within_the_budget",
    ],
}

impl core::fmt::Debug for Ledger<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ledger(..)")
    }
}

impl Entry {
    fn is_for(&self, metric: &Metric, tag: &[u8; TAG_OF_VALUE_LEN]) -> bool {
        self.metric == metric.id() && self.tag == *tag
    }
}

fn epsilon_bytes(epsilon: Epsilon) -> [u8; 8] {
    let mut bytes = [0; 8];
    let parts = epsilon
        .n()
        .to_be_bytes()
        .into_iter()
        .chain(epsilon.d().to_be_bytes());
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = from;
    }
    bytes
}

fn read(key: &LedgerKey<'_>, storage: &mut dyn LedgerStorage) -> Result<(State, Debits), LedgerError> {
    let mut bytes = [0; LEDGER_RECORD_MAX_LEN];
    let len = storage.load(&mut bytes)?.ok_or(LedgerError::Missing)?;
    let record = bytes.get_mut(..len).ok_or(LedgerError::Corrupt)?;
    record::open(key, record)
}

#[cfg(test)]
pub(super) mod tests;
