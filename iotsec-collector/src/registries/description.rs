use iotsec_core::hal::Date;
use iotsec_telemetry::{
    privacy::Epsilon,
    registry::{
        Aggregate, Buckets, Class, EventDef, Field, FieldKind, Handling, MetricDef, Purpose, Registry,
    },
};
use serde::{Deserialize, Serialize};

use super::{canonical, json};
use crate::error::DescriptionError;

/// What a registry declares, not yet checked: read from a file, or taken from a [`Registry`].
///
/// ```
/// use iotsec_collector::registries::Description;
///
/// let lamp = Description::from_json(br#"{
///     "events": [{"id": 1, "name": "login.failed", "class": "security", "why": "Shows attacks",
///                 "fields": [{"name": "interface", "labels": ["web", "radio"]},
///                            {"name": "attempts", "min": 1, "max": 255}]}]
/// }"#)?;
/// let bytes = lamp.to_canonical()?;
/// assert_eq!(Description::from_canonical(&bytes)?, lamp);
/// # Ok::<(), iotsec_collector::error::DescriptionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    #[serde(default)]
    pub(super) events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) metrics: Vec<Metric>,
    /// Of all that says nothing itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handling: Option<Handled>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    pub(super) id: u16,
    pub(super) name: String,
    #[serde(with = "json::class")]
    pub(super) class: Class,
    pub(super) why: String,
    #[serde(default)]
    pub(super) fields: Vec<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handling: Option<Handled>,
}

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "json::Flat", into = "json::Flat")]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number { min: i64, max: i64 },
    Choice(Vec<String>),
    Bucket(Vec<i64>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metric {
    pub(super) id: u16,
    pub(super) name: String,
    #[serde(default = "json::one")]
    pub(super) unit: String,
    #[serde(with = "json::purpose")]
    pub(super) purpose: Purpose,
    pub(super) why: String,
    pub(super) aggregate: Aggregated,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handling: Option<Handled>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub(super) enum Aggregated {
    RandomizedResponse { epsilon: [u32; 2], answers: Vec<String> },
    Laplace { epsilon: [u32; 2], min: i64, max: i64 },
    Count,
    Sum { max: u64 },
    Histogram { edges: Vec<i64> },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Handled {
    pub(super) owner: String,
    pub(super) recipient: String,
    pub(super) kept_days: u16,
    #[serde(default, with = "json::day", skip_serializing_if = "Option::is_none")]
    pub(super) last_day: Option<Date>,
}

impl Description {
    /// Reads the canonical encoding. Strict: what a registry would encode otherwise is refused by
    /// [`Registries::add`](super::Registries::add).
    ///
    /// # Errors
    /// [`DescriptionError`], with the offset where the encoding is at fault.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, DescriptionError> {
        canonical::read(bytes)
    }

    /// Reads the form for people.
    ///
    /// # Errors
    /// [`DescriptionError::Json`] for anything but that form, names that stand twice included.
    pub fn from_json(text: &[u8]) -> Result<Self, DescriptionError> {
        json::read(text)
    }

    /// The form for people.
    ///
    /// # Errors
    /// None that a description could cause.
    pub fn to_json(&self) -> Result<String, DescriptionError> {
        serde_json::to_string_pretty(self).map_err(|_| DescriptionError::Json)
    }

    /// The canonical encoding, once the declarations are found to be sound.
    ///
    /// # Errors
    /// [`DescriptionError`].
    pub fn to_canonical(&self) -> Result<Vec<u8>, DescriptionError> {
        let mut bytes = Vec::new();
        self.clone()
            .declare()?
            .canonical(&mut |piece| bytes.extend_from_slice(piece));
        Ok(bytes)
    }

    /// What a registry declares.
    pub fn of(registry: &Registry) -> Self {
        Self {
            events: registry.events().iter().map(Event::of).collect(),
            metrics: registry.metrics().iter().map(Metric::of).collect(),
            handling: Some(registry.handling())
                .filter(|h| *h != Handling::UNSTATED)
                .map(Handled::of),
        }
    }

    /// The registry. Declarations live as long as the program does: the memory is never given back, whether they
    /// are found to be sound or not.
    ///
    /// # Errors
    /// [`DescriptionError`] for the first rule that is broken.
    pub fn declare(self) -> Result<&'static Registry, DescriptionError> {
        let events: Vec<EventDef> = self
            .events
            .into_iter()
            .map(Event::declare)
            .collect::<Result<_, _>>()?;
        let metrics: Vec<MetricDef> = self
            .metrics
            .into_iter()
            .map(Metric::declare)
            .collect::<Result<_, _>>()?;
        let handling = self.handling.map_or(Handling::UNSTATED, Handled::declare);
        let registry = Registry::declare(events.leak(), metrics.leak(), handling)?;
        Ok(Box::leak(Box::new(registry)))
    }
}

impl Event {
    fn of(event: &EventDef) -> Self {
        Self {
            id: event.id(),
            name: event.name().into(),
            class: event.class(),
            why: event.why().into(),
            fields: event.fields().iter().map(Named::of).collect(),
            handling: event.handling().map(Handled::of),
        }
    }

    fn declare(self) -> Result<EventDef, DescriptionError> {
        let fields: Vec<Field> = self.fields.into_iter().map(Named::declare).collect();
        let event = EventDef::new(
            self.id,
            self.name.leak(),
            self.class,
            self.why.leak(),
            fields.leak(),
        );
        Ok(match self.handling {
            Some(handling) => event.handled(handling.declare()),
            None => event,
        })
    }
}

impl Named {
    fn of(field: &Field) -> Self {
        Self {
            name: field.name().into(),
            unit: field.unit().into(),
            kind: match field.kind() {
                FieldKind::Number { min, max } => Kind::Number { min, max },
                FieldKind::Choice(labels) => Kind::Choice(owned(labels)),
                FieldKind::Bucket(buckets) => Kind::Bucket(buckets.edges().to_vec()),
            },
        }
    }

    /// A choice has the unit 1, whatever was said; another one is found when the encodings are compared.
    fn declare(self) -> Field {
        let (name, unit) = (self.name.leak(), self.unit.leak());
        match self.kind {
            Kind::Number { min, max } => Field::number(name, unit, min, max),
            Kind::Choice(labels) => Field::choice(name, leaked(labels)),
            Kind::Bucket(edges) => Field::bucket(name, unit, Buckets::new(edges.leak())),
        }
    }
}

impl Metric {
    fn of(metric: &MetricDef) -> Self {
        let epsilon = |epsilon: Epsilon| [epsilon.n(), epsilon.d()];
        Self {
            id: metric.id(),
            name: metric.name().into(),
            unit: metric.unit().into(),
            purpose: metric.purpose(),
            why: metric.why().into(),
            aggregate: match metric.aggregate() {
                Aggregate::RandomizedResponse { answers, epsilon: of } => Aggregated::RandomizedResponse {
                    epsilon: epsilon(of),
                    answers: owned(answers),
                },
                Aggregate::Laplace {
                    min,
                    max,
                    epsilon: of,
                } => Aggregated::Laplace {
                    epsilon: epsilon(of),
                    min,
                    max,
                },
                Aggregate::Count => Aggregated::Count,
                Aggregate::Sum { max } => Aggregated::Sum { max },
                Aggregate::Histogram(buckets) => Aggregated::Histogram {
                    edges: buckets.edges().to_vec(),
                },
            },
            handling: metric.handling().map(Handled::of),
        }
    }

    fn declare(self) -> Result<MetricDef, DescriptionError> {
        let aggregate = match self.aggregate {
            Aggregated::RandomizedResponse {
                epsilon: [n, d],
                answers,
            } => Aggregate::RandomizedResponse {
                answers: leaked(answers),
                epsilon: Epsilon::new(n, d)?,
            },
            Aggregated::Laplace {
                epsilon: [n, d],
                min,
                max,
            } => Aggregate::Laplace {
                min,
                max,
                epsilon: Epsilon::new(n, d)?,
            },
            Aggregated::Count => Aggregate::Count,
            Aggregated::Sum { max } => Aggregate::Sum { max },
            Aggregated::Histogram { edges } => Aggregate::Histogram(Buckets::new(edges.leak())),
        };
        let (name, unit, why) = (self.name.leak(), self.unit.leak(), self.why.leak());
        let metric = MetricDef::new(self.id, name, unit, self.purpose, why, aggregate);
        Ok(match self.handling {
            Some(handling) => metric.handled(handling.declare()),
            None => metric,
        })
    }
}

impl Handled {
    fn of(handling: Handling) -> Self {
        Self {
            owner: handling.owner().into(),
            recipient: handling.recipient().into(),
            kept_days: handling.kept_days(),
            last_day: handling.expires(),
        }
    }

    fn declare(self) -> Handling {
        let handling = Handling::new(self.owner.leak(), self.recipient.leak(), self.kept_days);
        match self.last_day {
            Some(day) => handling.until(day.year(), day.month(), day.day()),
            None => handling,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn leaked(texts: Vec<String>) -> &'static [&'static str] {
    let texts: Vec<&'static str> = texts.into_iter().map(|text| &*text.leak()).collect();
    texts.leak()
}
