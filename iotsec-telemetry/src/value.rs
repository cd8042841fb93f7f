//! What an event is filled with.

use core::marker::PhantomData;

use crate::{
    consent::Consents,
    registry::{Buckets, Purpose},
};

/// A value on its way into an event.
///
/// Integers that say nothing about a person convert with `into()`. A personal value does not convert: it
/// becomes a `Value` through [`Personal::bucket`](crate::personal::Personal::bucket) or
/// [`Personal::reveal`](crate::personal::Personal::reveal), and then fits only events of its purpose. A
/// revealed value borrows the consent `'c` that it was revealed under, and so cannot outlive a withdrawal.
///
/// ```
/// use iotsec_telemetry::value::Value;
///
/// let attempts: Value<'_> = 5u16.into();
/// ```
#[derive(Clone, Copy)]
pub struct Value<'c> {
    pub(crate) content: Content,
    /// Set for what comes from a person.
    pub(crate) purpose: Option<Purpose>,
    consent: PhantomData<&'c Consents>,
}

#[derive(Clone, Copy)]
pub(crate) enum Content {
    Number(i64),
    Bucket { index: u64, of: Buckets },
}

impl Value<'_> {
    pub(crate) const fn new(content: Content, purpose: Option<Purpose>) -> Self {
        Self {
            content,
            purpose,
            consent: PhantomData,
        }
    }

    /// The bucket that a value falls into which says nothing about a person.
    ///
    /// ```
    /// use iotsec_telemetry::{registry::Buckets, value::Value};
    ///
    /// const LATENCY: Buckets = Buckets::new(&[10, 100, 1000]);
    /// let value = Value::bucket(47, LATENCY);
    /// ```
    pub fn bucket(value: i64, of: Buckets) -> Self {
        Self::new(Content::in_bucket(value, of), None)
    }
}

impl Content {
    pub(crate) fn in_bucket(value: i64, of: Buckets) -> Self {
        Self::Bucket {
            index: u64::try_from(of.index_of(value)).unwrap_or(u64::MAX),
            of,
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value<'_> {
            fn from(value: $integer) -> Self {
                Self::new(Content::Number(value.into()), None)
            }
        }
    )*};
}

from_integer!(bool, u8, u16, u32, i8, i16, i32, i64);
