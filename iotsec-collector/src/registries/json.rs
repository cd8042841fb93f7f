//! The form of a description that people read and write.

use iotsec_core::{
    hal::Date,
    input::json::{Limits, check},
};
use iotsec_telemetry::registry::{Class, Purpose};
use serde::{Deserialize, Serialize};

use super::description::{Description, Kind, Named};
use crate::error::DescriptionError;

/// No name twice, nothing behind the end, and no number that another reader would read otherwise.
pub(super) fn read(text: &[u8]) -> Result<Description, DescriptionError> {
    check(text, &Limits::LARGE).map_err(|_| DescriptionError::Json)?;
    serde_json::from_slice(text).map_err(|_| DescriptionError::Json)
}

pub(super) fn one() -> String {
    "1".into()
}

/// A field with its kind among its names: bounds, labels or edges.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flat {
    name: String,
    #[serde(default = "one")]
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edges: Option<Vec<i64>>,
}

impl TryFrom<Flat> for Named {
    type Error = DescriptionError;

    fn try_from(flat: Flat) -> Result<Self, DescriptionError> {
        let kind = match (flat.min, flat.max, flat.labels, flat.edges) {
            (Some(min), Some(max), None, None) => Kind::Number { min, max },
            (None, None, Some(labels), None) if flat.unit == one() => Kind::Choice(labels),
            (None, None, None, Some(edges)) => Kind::Bucket(edges),
            _ => return Err(DescriptionError::Kind),
        };
        Ok(Self {
            name: flat.name,
            unit: flat.unit,
            kind,
        })
    }
}

impl From<Named> for Flat {
    fn from(named: Named) -> Self {
        let mut flat = Self {
            name: named.name,
            unit: named.unit,
            min: None,
            max: None,
            labels: None,
            edges: None,
        };
        match named.kind {
            Kind::Number { min, max } => (flat.min, flat.max) = (Some(min), Some(max)),
            Kind::Choice(labels) => flat.labels = Some(labels),
            Kind::Bucket(edges) => flat.edges = Some(edges),
        }
        flat
    }
}

/// `serde(with)` for what has a name in JSON.
macro_rules! names {
    ($module:ident, $type:ty, $($variant:ident = $name:literal),* $(,)?) => {
        pub(super) mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub(in crate::registries) fn serialize<S: Serializer>(value: &$type, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(match value { $(<$type>::$variant => $name,)* })
            }

            pub(in crate::registries) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<$type, D::Error> {
                match String::deserialize(from)?.as_str() {
                    $($name => Ok(<$type>::$variant),)*
                    _ => Err(D::Error::custom("unknown")),
                }
            }
        }
    };
}

names!(
    class,
    super::Class,
    Critical = "critical",
    Security = "security",
    Health = "health",
    Usage = "usage"
);
names!(
    purpose,
    super::Purpose,
    Security = "security",
    Health = "health",
    Usage = "usage"
);

/// A day as RFC 3339 has it.
pub(super) mod day {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Date;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(in crate::registries) fn serialize<S: Serializer>(
        day: &Option<Date>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match day {
            Some(day) => out.collect_str(&format_args!(
                "{:04}-{:02}-{:02}",
                day.year(),
                day.month(),
                day.day()
            )),
            None => out.serialize_none(),
        }
    }

    pub(in crate::registries) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Option<Date>, D::Error> {
        let text = String::deserialize(from)?;
        let day = || {
            let mut parts = text.splitn(3, '-');
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            let digits = (year.len(), month.len(), day.len()) == (4, 2, 2)
                && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
            let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
            date.filter(|_| digits)
        };
        day().map(Some).ok_or_else(|| D::Error::custom("no day"))
    }
}
