//! Values that say something about a person.

use core::marker::PhantomData;

use rand_core::TryCryptoRng;

use crate::{
    consent::{ConsentPurpose, Consented},
    error::NoiseError,
    privacy::{Budget, Metric, Report},
    registry::Buckets,
    value::{Content, Value},
};

mod seal;
mod sensitive;

pub use seal::OpenedValue;
pub use sensitive::Sensitive;

/// A personal value, kept for purpose `P` and no other.
///
/// It has no `Debug`, no `Display`, no comparison and no encoding, and it does not convert into a
/// [`Value`]. There are three ways out: [`bucket`](Self::bucket) coarsens it, [`noise`](Self::noise) answers
/// for it within a budget, and [`reveal`](Self::reveal) needs the owner's live consent to the same purpose. What
/// comes out of any fits only events or metrics of that purpose, so it cannot reach the security events that need
/// no consent.
///
/// The value is still in memory: whoever reads the device's RAM reads it.
///
/// ```
/// use iotsec_telemetry::{consent::Usage, personal::Personal, registry::Buckets};
///
/// const HOURS: Buckets = Buckets::new(&[1, 8, 24]);
/// let worn: Personal<u32, Usage> = Personal::new(13);
/// let coarse = worn.bucket(HOURS);
/// ```
///
/// ```compile_fail
/// # use iotsec_telemetry::{consent::Usage, personal::Personal};
/// let worn: Personal<u32, Usage> = Personal::new(13);
/// println!("{worn:?}");
/// ```
pub struct Personal<T, P> {
    value: T,
    purpose: PhantomData<P>,
}

impl<T, P: ConsentPurpose> Personal<T, P> {
    /// Marks `value` as personal, as close to where it arises as possible.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            purpose: PhantomData,
        }
    }
}

impl<T: Into<i64>, P: ConsentPurpose> Personal<T, P> {
    /// Keeps only which of `buckets` it falls into. They must be the ones that the event's field
    /// declares.
    pub fn bucket(self, buckets: Buckets) -> Value<'static> {
        let content = Content::in_bucket(self.value.into(), buckets);
        Value::new(content, Some(P::PURPOSE))
    }

    /// A noised answer for it, which is paid for from `budget` first and sent without saying whose it is. For a
    /// metric of labels the value is the position of one. [`privacy`](crate::privacy) has an example.
    ///
    /// Noise does not replace consent: it bounds what the answer tells, and not whether to answer.
    ///
    /// # Errors
    /// [`NoiseError::Purpose`] when the metric is of another purpose, and what [`Budget::noise`] says. Then
    /// nothing of the value is left.
    pub fn noise<'c, R: TryCryptoRng + ?Sized>(
        self,
        metric: &Metric,
        consent: &Consented<'c, P>,
        budget: &mut Budget<'_, '_, R>,
    ) -> Result<Report<'c>, NoiseError> {
        budget.noise_for(metric, self.value.into(), consent)
    }

    /// The value itself, for which the owner's live consent to `P` is shown.
    ///
    /// ```compile_fail
    /// # use iotsec_telemetry::{consent::{Consents, Health, Usage}, personal::Personal};
    /// # let consents = Consents::off();
    /// let worn: Personal<u32, Usage> = Personal::new(13);
    /// let health = consents.live::<Health>().unwrap();
    /// worn.reveal(&health); // consent to another purpose
    /// ```
    pub fn reveal<'c>(self, _consent: &Consented<'c, P>) -> Value<'c> {
        Value::new(Content::Number(self.value.into()), Some(P::PURPOSE))
    }
}
