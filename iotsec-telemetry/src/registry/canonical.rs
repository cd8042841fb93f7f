//! The canonical encoding of a registry, over which it is hashed (`FORMAT.md`, "Registry").

use iotsec_core::cbor::{CborError, Writer};

use super::{Aggregate, Buckets, EventDef, Field, FieldKind, Handling, MAX_WHY_LEN, MetricDef, Registry};
use crate::privacy::Epsilon;

/// Version of the encoding.
const VERSION: u64 = 1;
/// The longest single item is a reason.
const SCRATCH_LEN: usize = MAX_WHY_LEN.saturating_add(16);

pub(super) fn write(registry: &Registry, sink: &mut dyn FnMut(&[u8])) {
    let mut out = Stream { sink };
    out.item(|w| w.array(4)?.uint(VERSION)?.array(len(registry.events)).map(drop));
    for event in registry.events {
        out.event(event);
    }
    out.item(|w| w.array(len(registry.metrics)).map(drop));
    for metric in registry.metrics {
        out.metric(metric);
    }
    out.handling(Some(registry.handling));
}

/// Encodes item by item through a small buffer, so that no registry needs one of its own size.
struct Stream<'s> {
    sink: &'s mut dyn FnMut(&[u8]),
}

impl Stream<'_> {
    fn event(&mut self, event: &EventDef) {
        self.item(|w| {
            w.array(6)?.uint(event.id().into())?.text(event.name())?;
            w.uint(event.class().number().into()).map(drop)
        });
        self.item(|w| w.text(event.why()).map(drop));
        self.item(|w| w.array(len(event.fields())).map(drop));
        for field in event.fields() {
            self.field(field);
        }
        self.handling(event.handling());
    }

    fn metric(&mut self, metric: &MetricDef) {
        self.item(|w| {
            w.array(7)?.uint(metric.id().into())?.text(metric.name())?;
            w.text(metric.unit())?
                .uint(metric.purpose().number().into())
                .map(drop)
        });
        self.item(|w| w.text(metric.why()).map(drop));
        match metric.aggregate() {
            Aggregate::RandomizedResponse { answers, epsilon } => {
                self.item(|w| w.array(4)?.uint(0).map(drop));
                self.epsilon(epsilon);
                self.texts(answers);
            }
            Aggregate::Laplace { min, max, epsilon } => {
                self.item(|w| w.array(5)?.uint(1).map(drop));
                self.epsilon(epsilon);
                self.item(|w| w.int(min)?.int(max).map(drop));
            }
            Aggregate::Count => self.item(|w| w.array(1)?.uint(2).map(drop)),
            Aggregate::Sum { max } => self.item(|w| w.array(2)?.uint(3)?.uint(max).map(drop)),
            Aggregate::Histogram(buckets) => {
                self.item(|w| w.array(2)?.uint(4).map(drop));
                self.edges(buckets);
            }
        }
        self.handling(metric.handling());
    }

    fn epsilon(&mut self, epsilon: Epsilon) {
        self.item(|w| {
            w.uint(epsilon.n().into())?;
            w.uint(epsilon.d().into()).map(drop)
        });
    }

    fn handling(&mut self, handling: Option<Handling>) {
        let Some(handling) = handling else {
            return self.item(|w| w.null().map(drop));
        };
        self.item(|w| {
            w.array(4)?.text(handling.owner())?.text(handling.recipient())?;
            w.uint(handling.kept_days().into()).map(drop)
        });
        self.item(|w| match handling.expires() {
            Some(date) => w.uint(date.start().0).map(drop),
            None => w.null().map(drop),
        });
    }

    fn texts(&mut self, texts: &[&str]) {
        self.item(|w| w.array(len(texts)).map(drop));
        for text in texts {
            self.item(|w| w.text(text).map(drop));
        }
    }

    fn edges(&mut self, buckets: Buckets) {
        self.item(|w| w.array(len(buckets.edges())).map(drop));
        for edge in buckets.edges() {
            self.item(|w| w.int(*edge).map(drop));
        }
    }

    fn field(&mut self, field: &Field) {
        let (kind, head_len) = match field.kind() {
            FieldKind::Number { .. } => (0, 5),
            FieldKind::Choice(_) => (1, 4),
            FieldKind::Bucket(_) => (2, 4),
        };
        self.item(|w| {
            w.array(head_len)?.uint(kind)?.text(field.name())?;
            w.text(field.unit()).map(drop)
        });
        match field.kind() {
            FieldKind::Number { min, max } => self.item(|w| w.int(min)?.int(max).map(drop)),
            FieldKind::Choice(labels) => self.texts(labels),
            FieldKind::Bucket(buckets) => self.edges(buckets),
        }
    }

    /// Every item fits the buffer because a registry is checked before it exists.
    fn item(&mut self, content: impl FnOnce(&mut Writer<'_>) -> Result<(), CborError>) {
        let mut scratch = [0; SCRATCH_LEN];
        let mut writer = Writer::new(&mut scratch);
        if content(&mut writer).is_ok()
            && let Ok(bytes) = writer.finish()
        {
            (self.sink)(bytes);
        }
    }
}

fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
