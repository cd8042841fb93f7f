//! The service's side: opening and reading, as strict as the device is.

use iotsec_core::{
    cbor::{self, Limits, Reader, Type},
    cose::Encrypt0,
    hal::UnixTime,
};

use super::{BatchKey, DOMAIN, Header, MAX_LEN, SALT_LEN, SizeClass, VERSION};
use crate::{
    code::{self, Decoded},
    error::DecodeError,
    loss::{Loss, Losses},
    pseudonym::purpose_of,
    queue::EventId,
    registry::{Class, EventDef, FieldKind, HashedRegistry, Purpose, REGISTRY_HASH_LEN},
    segment::Entries,
};

/// Every byte of the longest batch could be an item.
const PLAIN_LIMITS: Limits = Limits {
    depth: 4,
    items: 2048,
    bytes: 2048,
};
const SEALED_LIMITS: Limits = Limits {
    depth: 3,
    items: 16,
    bytes: 2048,
};
const _: () = assert!(MAX_LEN == 2048);

impl BatchKey<'_> {
    /// Decrypts a batch into `out`, which is as long as the message or longer.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but the exact bytes that the holder of this key sealed.
    pub fn open<'o>(&self, sealed: &[u8], out: &'o mut [u8]) -> Result<OpenedBatch<'o>, DecodeError> {
        OpenedBatch::parse(self.open_as(DOMAIN, sealed, out)?)
    }

    /// Decrypts a message of `domain`, padding included.
    pub(crate) fn open_as<'o>(
        &self,
        domain: &[u8],
        sealed: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DecodeError> {
        let class = SizeClass::of_len(sealed.len()).ok_or(DecodeError::SizeClass)?;
        let out = out.get_mut(..class.plain_len()).ok_or(DecodeError::Buffer)?;
        let message = Encrypt0::parse(sealed, &SEALED_LIMITS)?;
        let salt: &[u8; SALT_LEN] = message
            .headers()
            .kid
            .and_then(|kid| kid.try_into().ok())
            .ok_or(DecodeError::Salt)?;
        let key = self.of_message(domain, salt)?;
        let plain = message.open(self.aead, &key, domain, out)?;
        if plain.len() != class.plain_len() {
            return Err(DecodeError::SizeClass);
        }
        Ok(plain)
    }
}

/// A batch that is authentic, but not yet read against a registry.
#[derive(Clone, Debug)]
pub struct OpenedBatch<'a> {
    header: Header<'a>,
    entries: Entries<'a>,
}

impl<'a> OpenedBatch<'a> {
    /// Reads a plaintext that another COSE implementation has authenticated, padding included.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but a batch followed by zeros.
    ///
    /// ```
    /// use iotsec_telemetry::{batch::OpenedBatch, error::DecodeError};
    ///
    /// assert_eq!(OpenedBatch::parse(&[0, 0, 1]).err(), Some(DecodeError::Padding));
    /// ```
    pub fn parse(plain: &'a [u8]) -> Result<Self, DecodeError> {
        let (batch, padding) = cbor::split_first(plain, &PLAIN_LIMITS)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::Padding);
        }
        let mut reader = Reader::new(batch, &PLAIN_LIMITS)?;
        reader.array_len(7)?;
        if reader.uint()? != VERSION {
            return Err(DecodeError::Version);
        }
        let registry = reader.array_of()?;
        let purpose = purpose_of(reader.uint_as()?).ok_or(DecodeError::Range)?;
        let boot = reader.uint_as()?;
        let started = if reader.peek()? == Type::Null {
            reader.null()?;
            None
        } else {
            Some(reader.uint_as()?)
        };
        let lost = Losses::read(&mut reader, purpose.classes(), boot)?;
        Ok(Self {
            header: Header {
                registry,
                purpose,
                boot,
                started,
                lost,
            },
            entries: Entries::new(reader, boot)?,
        })
    }

    /// The hash of the registry that the device used, to find it by.
    pub const fn registry_hash(&self) -> &'a [u8; REGISTRY_HASH_LEN] {
        self.header.registry
    }

    /// Reads all events against the registry that the batch names.
    ///
    /// # Errors
    /// [`DecodeError::UnknownRegistry`] for another registry; otherwise whatever is not as a device
    /// writes it.
    pub fn read(self, registry: &HashedRegistry) -> Result<Batch<'a>, DecodeError> {
        if self.header.registry != registry.hash() {
            return Err(DecodeError::UnknownRegistry);
        }
        let mut entries = self.entries.clone();
        while let Some(entry) = entries.read()? {
            let event = code::decode(registry.registry(), entry.code).ok_or(DecodeError::Undeclared)?;
            if event.definition.class().purpose() != self.header.purpose {
                return Err(DecodeError::Purpose);
            }
        }
        entries.into_rest().finish()?;
        Ok(Batch {
            registry: *registry,
            opened: self,
        })
    }
}

/// A batch of which every byte has been checked.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    registry: HashedRegistry,
    opened: OpenedBatch<'a>,
}

impl<'a> Batch<'a> {
    /// What its events and losses are for.
    pub const fn purpose(&self) -> Purpose {
        self.opened.header.purpose
    }

    /// The boot in which it was sealed. Under a pseudonym this and all other numbers are shifted, each stream by an
    /// amount of its own.
    pub const fn boot(&self) -> u32 {
        self.opened.header.boot
    }

    /// When the seconds of that boot are counted from, if the device knew the time: under its own name from when the boot
    /// began, under a pseudonym from a moment before, which says nothing.
    pub fn started(&self) -> Option<UnixTime> {
        Some(UnixTime(self.opened.header.started?.into()))
    }

    /// How many events of `class` the device has dropped so far that were not acknowledged. Goes back
    /// to zero when the owner withdraws consent, and when the device loses its queue at a reboot.
    pub fn lost(&self, class: Class) -> u32 {
        self.loss(class).count
    }

    /// The same with the times at which it happened.
    pub fn loss(&self, class: Class) -> Loss {
        self.opened.header.lost.of(class)
    }

    /// The events, in the order in which they were recorded.
    pub fn events(&self) -> Events<'a> {
        Events {
            registry: self.registry,
            purpose: self.purpose(),
            boot: self.boot(),
            started: self.started(),
            entries: self.opened.entries.clone(),
        }
    }
}

/// Walks over the events of a [`Batch`].
#[derive(Clone, Debug)]
pub struct Events<'a> {
    registry: HashedRegistry,
    purpose: Purpose,
    boot: u32,
    started: Option<UnixTime>,
    entries: Entries<'a>,
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let entry = self.entries.read().ok()??;
        let decoded = code::decode(self.registry.registry(), entry.code)?;
        let started = self.started.filter(|_| entry.boot == self.boot);
        Some(Event {
            id: EventId {
                purpose: self.purpose,
                boot: entry.boot,
                sequence: entry.sequence,
            },
            uptime: entry.uptime,
            time: started.map(|started| UnixTime(started.0.saturating_add(entry.uptime.into()))),
            decoded,
        })
    }
}

/// One event, as it arrived.
#[derive(Clone, Copy)]
pub struct Event {
    id: EventId,
    uptime: u32,
    time: Option<UnixTime>,
    decoded: Decoded,
}

/// What a field held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A number.
    Number(i64),
    /// A label.
    Choice(&'static str),
    /// A value from `from` up to but without `to`.
    Bucket {
        /// The lower edge, if there is one.
        from: Option<i64>,
        /// The upper edge, if there is one.
        to: Option<i64>,
    },
}

impl Event {
    /// What makes it unique on its device.
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// What kind of event it is.
    pub const fn definition(&self) -> &'static EventDef {
        self.decoded.definition
    }

    /// Seconds from the start of its boot, or, under a pseudonym, from a moment before.
    pub const fn uptime_s(&self) -> u32 {
        self.uptime
    }

    /// When it was recorded; `None` for an earlier boot than the batch's, and for a device without time.
    pub const fn time(&self) -> Option<UnixTime> {
        self.time
    }

    /// Field `index` as a position: of a number from its least value, of a label, of a bucket.
    pub fn position(&self, index: usize) -> Option<u64> {
        self.definition().fields().get(index)?;
        self.decoded.digits.get(index).copied()
    }

    /// Field `index` as it was recorded: a number, or the position of a label or bucket.
    pub fn raw(&self, index: usize) -> Option<i64> {
        let position = self.position(index)?;
        match self.definition().fields().get(index)?.kind() {
            FieldKind::Number { min, .. } => min.checked_add_unsigned(position),
            _ => i64::try_from(position).ok(),
        }
    }

    /// Field `index` as it was declared.
    pub fn held(&self, index: usize) -> Option<Held> {
        let position = usize::try_from(self.position(index)?).ok();
        Some(match self.definition().fields().get(index)?.kind() {
            FieldKind::Number { .. } => Held::Number(self.raw(index)?),
            FieldKind::Choice(labels) => Held::Choice(labels.get(position?)?),
            FieldKind::Bucket(buckets) => {
                let edge = |index: Option<usize>| buckets.edges().get(index?).copied();
                Held::Bucket {
                    from: edge(position?.checked_sub(1)),
                    to: edge(position),
                }
            }
        })
    }
}

impl core::fmt::Debug for Event {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut out = f.debug_struct(self.definition().name());
        out.field("id", &self.id).field("uptime_s", &self.uptime);
        for (index, field) in self.definition().fields().iter().enumerate() {
            out.field(field.name(), &self.held(index));
        }
        out.finish()
    }
}
