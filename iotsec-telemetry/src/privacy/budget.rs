use iotsec_core::hal::{MonotonicCounter, UnixTime};
use rand_core::TryCryptoRng;

use super::{Ledger, LedgerStorage, Metric, Report};
use crate::{
    consent::{ConsentPurpose, Consented, Consents},
    error::NoiseError,
};

/// The ledger with what it needs to be used: where it is stored, its counter, and a source of randomness whose
/// health tests fail as an error.
pub struct Budget<'b, 'k, R: ?Sized> {
    /// What was spent.
    pub ledger: &'b mut Ledger<'k>,
    /// Where that is kept.
    pub storage: &'b mut dyn LedgerStorage,
    /// The ledger's counter.
    pub counter: &'b mut dyn MonotonicCounter,
    /// A source that is fit for keys.
    pub rng: &'b mut R,
    /// The time, once it is trustworthy: a metric ends with its last day.
    pub now: Option<UnixTime>,
}

impl<R: TryCryptoRng + ?Sized> Budget<'_, '_, R> {
    /// Noises `value` for `metric`. It is brought within the metric's bounds first.
    ///
    /// The first time in an epoch it is paid for, in storage, before the answer is drawn. The same value gives
    /// the same bytes until the epoch ends, for nothing: repeat after a lost connection. Another value of the same
    /// metric costs as much again, and when the budget does not allow it nothing is sent: silence tells then that
    /// the value changed. So ask once an epoch, or allow for as many changes as you want to hear of.
    ///
    /// *Timing:* how long it takes depends on the noise, and on whether the answer was paid for already. Send on
    /// a schedule, not when this returns.
    ///
    /// *Power loss:* nothing was paid and nothing drawn, or the debit is in storage and this gives the report that
    /// it would have given.
    ///
    /// # Errors
    /// [`NoiseError::NotConsented`]; [`NoiseError::Expired`]; [`NoiseError::Ledger`] when there is no budget for it, or storage, counter or
    /// entropy failed; [`NoiseError::Draw`].
    pub fn noise<'c>(
        &mut self,
        metric: &Metric,
        value: i64,
        consents: &'c Consents,
    ) -> Result<Report<'c>, NoiseError> {
        if metric.purpose().needs_consent() && consents.grant_number(metric.purpose()).is_none() {
            return Err(NoiseError::NotConsented);
        }
        self.draw(metric, value)
    }

    /// The same for a value that was collected for `P` alone.
    pub(crate) fn noise_for<'c, P: ConsentPurpose>(
        &mut self,
        metric: &Metric,
        value: i64,
        _consent: &Consented<'c, P>,
    ) -> Result<Report<'c>, NoiseError> {
        if metric.purpose() != P::PURPOSE {
            return Err(NoiseError::Purpose);
        }
        self.draw(metric, value)
    }

    fn draw<'c>(&mut self, metric: &Metric, value: i64) -> Result<Report<'c>, NoiseError> {
        if self.now.is_some_and(|now| metric.handling.has_expired(now)) {
            return Err(NoiseError::Expired);
        }
        let debit = self
            .ledger
            .debit(metric, value, self.storage, self.counter, self.rng)?;
        Ok(debit.draw()?)
    }
}

impl<R: ?Sized> core::fmt::Debug for Budget<'_, '_, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Budget(..)")
    }
}
