//! What an event is filled with.

use crate::registry::{Buckets, Purpose};

/// A value on its way into an event.
///
/// Integers that say nothing about a person convert with `into()`. A personal value does not convert: it
/// becomes a `Value` through [`Personal::bucket`](crate::personal::Personal::bucket) or
/// [`Personal::reveal`](crate::personal::Personal::reveal), and then fits only events of its purpose.
///
/// ```
/// use iotsec_telemetry::value::Value;
///
/// let attempts: Value = 5u16.into();
/// ```
#[derive(Clone, Copy)]
pub struct Value {
    pub(crate) content: Content,
    /// Set for what comes from a person.
    pub(crate) purpose: Option<Purpose>,
}

#[derive(Clone, Copy)]
pub(crate) enum Content {
    Number(i64),
    Bucket { index: u64, of: Buckets },
}

impl Value {
    /// The bucket that a value falls into which says nothing about a person.
    ///
    /// ```
    /// use iotsec_telemetry::{registry::Buckets, value::Value};
    ///
    /// const LATENCY: Buckets = Buckets::new(&[10, 100, 1000]);
    /// let value = Value::bucket(47, LATENCY);
    /// ```
    pub fn bucket(value: i64, of: Buckets) -> Self {
        Self {
            content: Content::in_bucket(value, of),
            purpose: None,
        }
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
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self { content: Content::Number(value.into()), purpose: None }
            }
        }
    )*};
}

from_integer!(bool, u8, u16, u32, i8, i16, i32, i64);
