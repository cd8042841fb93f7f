//! The canonical encoding of a registry, over which it is hashed (`FORMAT.md`, "Registry").

use iotsec_core::cbor::{CborError, Writer};

use super::{EventDef, Field, FieldKind, MAX_WHY_LEN, Registry};

/// Version of the encoding.
const VERSION: u64 = 1;
/// The longest single item is a reason.
const SCRATCH_LEN: usize = MAX_WHY_LEN.saturating_add(16);

pub(super) fn write(registry: &Registry, sink: &mut dyn FnMut(&[u8])) {
    let mut out = Stream { sink };
    out.item(|w| w.array(2)?.uint(VERSION)?.array(len(registry.events)).map(drop));
    for event in registry.events {
        out.event(event);
    }
}

/// Encodes item by item through a small buffer, so that no registry needs one of its own size.
struct Stream<'s> {
    sink: &'s mut dyn FnMut(&[u8]),
}

impl Stream<'_> {
    fn event(&mut self, event: &EventDef) {
        self.item(|w| {
            w.array(5)?.uint(event.id.into())?.text(event.name)?;
            w.uint(event.class.number().into()).map(drop)
        });
        self.item(|w| w.text(event.why).map(drop));
        self.item(|w| w.array(len(event.fields)).map(drop));
        for field in event.fields {
            self.field(field);
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
            FieldKind::Choice(labels) => {
                self.item(|w| w.array(len(labels)).map(drop));
                for label in labels {
                    self.item(|w| w.text(label).map(drop));
                }
            }
            FieldKind::Bucket(buckets) => {
                self.item(|w| w.array(len(buckets.edges())).map(drop));
                for edge in buckets.edges() {
                    self.item(|w| w.int(*edge).map(drop));
                }
            }
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
