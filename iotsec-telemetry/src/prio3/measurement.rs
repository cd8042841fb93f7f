use core::marker::PhantomData;

use iotsec_core::hal::UnixTime;
use zeroize::Zeroize;

use super::{Kind, Prio3, error::Prio3Error};
use crate::{
    consent::Consents,
    registry::{Aggregate, MetricDef},
    value::{Content, Value},
};

/// A value that may be split: declared, within its bounds, of the right purpose, and consented to.
///
/// It is split once and wiped on drop, and it borrows the consents, so it cannot outlive a withdrawal.
pub struct Measurement<'c> {
    vdaf: Prio3,
    value: u64,
    consents: PhantomData<&'c Consents>,
}

impl<'c> Measurement<'c> {
    /// Measures `value` for `metric`: 0, 1 or a `bool` for a count, a number up to the maximum for a sum, and
    /// one of the declared buckets for a histogram. What comes from a person comes through
    /// [`Personal`](crate::personal::Personal).
    ///
    /// ```
    /// use iotsec_telemetry::{
    ///     consent::{Consents, Usage}, error::Prio3Error, personal::Personal, prio3::Measurement,
    ///     registry::{Aggregate, Buckets, MetricDef, Purpose},
    /// };
    ///
    /// const HOURS: Buckets = Buckets::new(&[1, 8, 24]);
    /// const WORN: MetricDef = MetricDef::new(
    ///     2, "worn", "h", Purpose::Usage, "Tells how long people wear it", Aggregate::Histogram(HOURS),
    /// );
    /// let worn: Personal<u32, Usage> = Personal::new(13);
    /// let consents = Consents::off();
    /// let refused = Measurement::new(&WORN, worn.bucket(HOURS), &consents, None);
    /// assert_eq!(refused.err(), Some(Prio3Error::NotConsented));
    /// ```
    ///
    /// `now` is the time, once it is trustworthy.
    ///
    /// # Errors
    /// [`Prio3Error`]; what is out of bounds is never moved into them. [`Prio3Error::Expired`] once the last day of the
    /// metric is over.
    pub fn new(
        metric: &MetricDef,
        value: Value<'_>,
        consents: &'c Consents,
        now: Option<UnixTime>,
    ) -> Result<Self, Prio3Error> {
        let vdaf = Prio3::of(metric)?;
        if let (Some(handling), Some(now)) = (metric.handling(), now)
            && handling.has_expired(now)
        {
            return Err(Prio3Error::Expired);
        }
        if value.purpose.is_some_and(|purpose| purpose != metric.purpose()) {
            return Err(Prio3Error::Purpose);
        }
        if metric.purpose().needs_consent() && consents.grant_number(metric.purpose()).is_none() {
            return Err(Prio3Error::NotConsented);
        }
        let value = match (metric.aggregate(), value.content) {
            (Aggregate::Histogram(declared), Content::Bucket { index, of }) if declared == of => index,
            (Aggregate::Count | Aggregate::Sum { .. }, Content::Number(number)) => {
                u64::try_from(number).map_err(|_| Prio3Error::OutOfBounds)?
            }
            _ => return Err(Prio3Error::Kind),
        };
        Self::within(vdaf, value)
    }

    pub(crate) fn within(vdaf: Prio3, value: u64) -> Result<Self, Prio3Error> {
        let last = match vdaf.0 {
            Kind::Count => 1,
            Kind::Sum { max, .. } => max,
            Kind::Histogram { buckets, .. } => {
                u64::try_from(buckets.saturating_sub(1)).map_err(|_| Prio3Error::Parameters)?
            }
        };
        if value > last {
            return Err(Prio3Error::OutOfBounds);
        }
        Ok(Self {
            vdaf,
            value,
            consents: PhantomData,
        })
    }

    /// In other chunks than [`Prio3::of`] chooses, because the servers' task says so.
    ///
    /// # Errors
    /// [`Prio3Error::Parameters`] unless this is for a histogram and [`Prio3::histogram`] takes the length.
    pub fn in_chunks_of(mut self, chunk: usize) -> Result<Self, Prio3Error> {
        let Kind::Histogram { buckets, .. } = self.vdaf.0 else {
            return Err(Prio3Error::Parameters);
        };
        self.vdaf = Prio3::histogram(buckets, chunk)?;
        Ok(self)
    }

    /// For a task that aggregates the same, in whatever chunks.
    #[cfg(feature = "dap")]
    pub(crate) fn for_task(mut self, task: Prio3) -> Option<Self> {
        let same = match (self.vdaf.0, task.0) {
            (Kind::Histogram { buckets, .. }, Kind::Histogram { buckets: those, .. }) => buckets == those,
            (ours, theirs) => ours == theirs,
        };
        self.vdaf = task;
        same.then_some(self)
    }

    pub(crate) const fn vdaf(&self) -> Prio3 {
        self.vdaf
    }

    pub(crate) const fn value(&self) -> u64 {
        self.value
    }
}

impl Drop for Measurement<'_> {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl core::fmt::Debug for Measurement<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Measurement(..)")
    }
}
