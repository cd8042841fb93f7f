//! Values that say something about a person.

use core::marker::PhantomData;

use crate::{
    consent::{ConsentPurpose, Consented},
    registry::Buckets,
    value::{Content, Value},
};

/// A personal value, kept for purpose `P` and no other.
///
/// It has no `Debug`, no `Display`, no comparison and no encoding, and it does not convert into a
/// [`Value`]. There are two ways out: [`bucket`](Self::bucket) coarsens it, and
/// [`reveal`](Self::reveal) needs the owner's live consent to the same purpose. What comes out of either
/// fits only events of that purpose, so it cannot reach the security events that need no consent.
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
