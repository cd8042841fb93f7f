//! A privacy budget among the owner's values.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    hal::{MonotonicCounter, UnixTime},
    secret::Secret,
};
use iotsec_store::{Store, StoreError};
use iotsec_telemetry::{
    consent::Consents,
    error::StorageError,
    privacy::{Allowance, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, Renewal},
};
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Owned, record};

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// Answers questions in noise, within a budget that belongs to this owner.
    ///
    /// The ledger begins with the first call in the time of an owner, and goes with them: a reset and a transfer erase it,
    /// and nothing else begins a new one. A withdrawal and another consent do not, and neither does a record that is
    /// missing or damaged, after which nothing is answered. `counter` is the ledger's own, `allowance` the product's,
    /// `now` the time, once it is trustworthy. Store and record buffer must hold
    /// [`LEDGER_RECORD_MAX_LEN`] bytes.
    ///
    /// Who can put back an image of the flash from before the owner's first answer gets a whole budget, unless the
    /// store notices that itself ([`ReplayProtection`](iotsec_store::ReplayProtection)); any later image is refused by
    /// the counter.
    ///
    /// *Power loss:* there is no ledger or the new one; then as [`Budget::noise`] says.
    ///
    /// # Errors
    /// [`DeviceError::Ledger`]; whatever `work` gives; failures of store and entropy. Nothing is answered then.
    ///
    /// ```
    /// # use iotsec::{core::hal::{MonotonicCounter, UnixTime}, device::{Device, DeviceError, Owned}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::telemetry::{
    ///     consent::Usage, epsilon, error::NoiseError, personal::Personal, privacy::{Allowance, Metric, Report},
    /// };
    ///
    /// const ALLOWANCE: Allowance = Allowance { per_metric: epsilon!(1 / 1), in_all: epsilon!(2 / 1), renewals: 12 };
    ///
    /// fn answer<'d>(
    ///     device: &'d mut Device<'_, Owned, SimFlash, SimRng, 16>,
    ///     counter: &mut dyn MonotonicCounter,
    ///     night: &Metric,
    ///     is_lit: Personal<u32, Usage>,
    ///     now: Option<UnixTime>,
    /// ) -> Result<Report<'d>, DeviceError> {
    ///     device.with_budget(ALLOWANCE, counter, now, |budget, consents| {
    ///         let consent = consents.live::<Usage>().ok_or(NoiseError::NotConsented)?;
    ///         Ok(is_lit.noise(night, &consent, budget)?)
    ///     })
    /// }
    /// ```
    pub fn with_budget<'a, T>(
        &'a mut self,
        allowance: Allowance,
        counter: &mut dyn MonotonicCounter,
        now: Option<UnixTime>,
        work: impl FnOnce(&mut Budget<'_, '_, R>, &'a Consents) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        let secret = self.ledger_key()?;
        let suite = self.product.suite;
        let mut storage = InStore {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            fresh: None,
        };
        let mut ledger = open(&secret, suite, allowance, &mut storage, counter)?;
        let mut budget = Budget {
            ledger: &mut ledger,
            storage: &mut storage,
            counter,
            rng: &mut self.hardware.rng,
            now,
        };
        work(&mut budget, &self.consents)
    }

    /// Begins a new epoch of the budget: [`Ledger::renew`].
    ///
    /// # Errors
    /// As [`with_budget`](Self::with_budget). The old epoch goes on.
    pub fn renew_budget(
        &mut self,
        allowance: Allowance,
        renewal: Renewal<'_>,
        counter: &mut dyn MonotonicCounter,
    ) -> Result<(), DeviceError> {
        let secret = self.ledger_key()?;
        let suite = self.product.suite;
        let mut storage = InStore {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            fresh: None,
        };
        let mut ledger = open(&secret, suite, allowance, &mut storage, counter)?;
        Ok(ledger.renew(renewal, &mut storage, counter)?)
    }

    /// The key of this owner's ledger; drawn when there is none yet.
    fn ledger_key(&mut self) -> Result<LedgerSecret, DeviceError> {
        let mut secret = Secret::zero();
        let flash = &mut self.hardware.flash;
        match self.store.get(flash, record::LEDGER_KEY, secret.expose_mut()) {
            Ok(read) if read.len() == 32 => Ok(LedgerSecret {
                secret,
                is_new: false,
            }),
            Ok(_) => Err(DeviceError::Damaged),
            // Without its key a ledger was never there: they are written together.
            Err(StoreError::NotFound) if !self.store.contains(record::LEDGER) => Ok(LedgerSecret {
                secret: Secret::random(&mut self.hardware.rng)?,
                is_new: true,
            }),
            Err(StoreError::NotFound) => Err(DeviceError::Damaged),
            Err(error) => Err(error.into()),
        }
    }
}

struct LedgerSecret {
    secret: Secret<32>,
    /// Not in the store yet.
    is_new: bool,
}

fn open<'k, F: NorFlash>(
    key: &'k LedgerSecret,
    suite: super::Suite<'k>,
    allowance: Allowance,
    storage: &mut InStore<'_, '_, 'k, F>,
    counter: &mut dyn MonotonicCounter,
) -> Result<Ledger<'k>, DeviceError> {
    let ledger_key = LedgerKey::new(&key.secret, suite.storage, suite.kdf);
    if !key.is_new {
        return Ok(Ledger::load(ledger_key, allowance, storage, counter)?);
    }
    storage.fresh = Some(&key.secret);
    let ledger = Ledger::format(ledger_key, allowance, storage, counter)?;
    storage.fresh = None;
    Ok(ledger)
}

/// The record of the ledger.
struct InStore<'s, 'd, 'k, F> {
    store: &'s mut Store<'d>,
    flash: &'s mut F,
    /// A key that is to be stored with the record, in one write.
    fresh: Option<&'k Secret<32>>,
}

impl<F: NorFlash> LedgerStorage for InStore<'_, '_, '_, F> {
    fn load(&mut self, bytes: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, record::LEDGER, bytes) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::new(&error)),
        }
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let stored = match self.fresh {
            None => self.store.put(self.flash, record::LEDGER, bytes),
            Some(key) => {
                let mut both = || {
                    let mut change = self.store.transaction();
                    change.put(self.flash, record::LEDGER_KEY, key.expose())?;
                    change.put(self.flash, record::LEDGER, bytes)?;
                    change.commit(self.flash)
                };
                both()
            }
        };
        stored.map_err(|error| StorageError::new(&error))
    }
}
