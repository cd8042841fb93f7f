use rand_core::TryCryptoRng;

use super::Personal;
use crate::{
    consent::{ConsentPurpose, Consented},
    error::NoiseError,
    privacy::{Budget, Metric, Report},
    registry::Buckets,
    value::Value,
};

/// A value that never leaves in clear, whatever the owner agreed to: a heart rate, a place, who is at home.
///
/// As [`Personal`], but without [`reveal`](Personal::reveal), and there is no way from one to the other.
///
/// ```
/// use iotsec_telemetry::{consent::Health, personal::Sensitive, registry::Buckets};
///
/// const RATES: Buckets = Buckets::new(&[50, 100]);
/// let heart_rate: Sensitive<u32, Health> = Sensitive::new(62);
/// let coarse = heart_rate.bucket(RATES);
/// ```
///
/// ```compile_fail
/// # use iotsec_telemetry::{consent::{Consented, Health}, personal::Sensitive};
/// # fn f(consent: &Consented<'_, Health>) {
/// let heart_rate: Sensitive<u32, Health> = Sensitive::new(62);
/// heart_rate.reveal(consent); // not even with consent
/// # }
/// ```
pub struct Sensitive<T, P>(pub(super) Personal<T, P>);

impl<T, P: ConsentPurpose> Sensitive<T, P> {
    /// Marks `value` as sensitive, as close to where it arises as possible.
    pub const fn new(value: T) -> Self {
        Self(Personal::new(value))
    }
}

impl<T: Into<i64>, P: ConsentPurpose> Sensitive<T, P> {
    /// As [`Personal::bucket`].
    pub fn bucket(self, buckets: Buckets) -> Value<'static> {
        self.0.bucket(buckets)
    }

    /// As [`Personal::noise`].
    ///
    /// # Errors
    /// As [`Personal::noise`].
    pub fn noise<'c, R: TryCryptoRng + ?Sized>(
        self,
        metric: &Metric,
        consent: &Consented<'c, P>,
        budget: &mut Budget<'_, '_, R>,
    ) -> Result<Report<'c>, NoiseError> {
        self.0.noise(metric, consent, budget)
    }
}
