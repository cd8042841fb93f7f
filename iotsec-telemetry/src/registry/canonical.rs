//! The canonical encoding of a registry, over which it is hashed (`FORMAT.md`, "Registry").

use iotsec_core::cbor::Writer;

use super::{Aggregate, Buckets, EventDef, Field, FieldKind, Handling, MAX_WHY_LEN, MetricDef, Registry};
use crate::privacy::Epsilon;

/// Version of the encoding.
const VERSION: u64 = 1;
/// The longest single item is a reason.
const SCRATCH_LEN: usize = MAX_WHY_LEN.saturating_add(16);

pub(super) fn write(registry: &Registry, sink: &mut dyn FnMut(&[u8])) {
    let mut out = Stream { sink };
    out.array(4);
    out.uint(VERSION);
    out.array(len(registry.events));
    for event in registry.events {
        out.event(event);
    }
    out.array(len(registry.metrics));
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
        self.array(6);
        self.uint(event.id().into());
        self.text(event.name());
        self.uint(event.class().number().into());
        self.text(event.why());
        self.array(len(event.fields()));
        for field in event.fields() {
            self.field(field);
        }
        self.handling(event.handling());
    }

    fn metric(&mut self, metric: &MetricDef) {
        self.array(7);
        self.uint(metric.id().into());
        self.text(metric.name());
        self.text(metric.unit());
        self.uint(metric.purpose().number().into());
        self.text(metric.why());
        match metric.aggregate() {
            Aggregate::RandomizedResponse { answers, epsilon } => {
                self.array(4);
                self.uint(0);
                self.epsilon(epsilon);
                self.texts(answers);
            }
            Aggregate::Laplace { min, max, epsilon } => {
                self.array(5);
                self.uint(1);
                self.epsilon(epsilon);
                self.int(min);
                self.int(max);
            }
            Aggregate::Count => {
                self.array(1);
                self.uint(2);
            }
            Aggregate::Sum { max } => {
                self.array(2);
                self.uint(3);
                self.uint(max);
            }
            Aggregate::Histogram(buckets) => {
                self.array(2);
                self.uint(4);
                self.edges(buckets);
            }
        }
        self.handling(metric.handling());
    }

    fn field(&mut self, field: &Field) {
        let (kind, items) = match field.kind() {
            FieldKind::Number { .. } => (0, 5),
            FieldKind::Choice(_) => (1, 4),
            FieldKind::Bucket(_) => (2, 4),
        };
        self.array(items);
        self.uint(kind);
        self.text(field.name());
        self.text(field.unit());
        match field.kind() {
            FieldKind::Number { min, max } => {
                self.int(min);
                self.int(max);
            }
            FieldKind::Choice(labels) => self.texts(labels),
            FieldKind::Bucket(buckets) => self.edges(buckets),
        }
    }

    fn handling(&mut self, handling: Option<Handling>) {
        let Some(handling) = handling else {
            return self.null();
        };
        self.array(4);
        self.text(handling.owner());
        self.text(handling.recipient());
        self.uint(handling.kept_days().into());
        match handling.last_second() {
            Some(time) => self.uint(time.0),
            None => self.null(),
        }
    }

    fn epsilon(&mut self, epsilon: Epsilon) {
        self.uint(epsilon.n().into());
        self.uint(epsilon.d().into());
    }

    fn texts(&mut self, texts: &[&str]) {
        self.array(len(texts));
        for text in texts {
            self.text(text);
        }
    }

    fn edges(&mut self, buckets: Buckets) {
        self.array(len(buckets.edges()));
        for edge in buckets.edges() {
            self.int(*edge);
        }
    }

    fn array(&mut self, len: u64) {
        self.item(Item::Array(len));
    }

    fn uint(&mut self, number: u64) {
        self.item(Item::Uint(number));
    }

    fn int(&mut self, number: i64) {
        self.item(Item::Int(number));
    }

    fn text(&mut self, text: &str) {
        self.item(Item::Text(text));
    }

    fn null(&mut self) {
        self.item(Item::Null);
    }

    /// Every item fits the buffer because a registry is checked before it exists. One copy of this code, which every
    /// device carries.
    #[inline(never)]
    fn item(&mut self, item: Item<'_>) {
        let mut scratch = [0; SCRATCH_LEN];
        let mut writer = Writer::new(&mut scratch);
        let written = match item {
            Item::Array(len) => writer.array(len),
            Item::Uint(number) => writer.uint(number),
            Item::Int(number) => writer.int(number),
            Item::Text(text) => writer.text(text),
            Item::Null => writer.null(),
        };
        if written.is_ok()
            && let Ok(bytes) = writer.finish()
        {
            (self.sink)(bytes);
        }
    }
}

#[derive(Clone, Copy)]
enum Item<'t> {
    Array(u64),
    Uint(u64),
    Int(i64),
    Text(&'t str),
    Null,
}

fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
