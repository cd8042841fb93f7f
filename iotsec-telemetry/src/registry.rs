//! What may be reported, declared once.
//!
//! A maker declares events as constants and joins them with [`registry!`](crate::registry!), which
//! checks them while compiling. An event is recorded as one number below the product of its bounds, so a
//! value that was not declared cannot be written down at all; and every batch names the hash of the
//! registry it was made against, so that nobody reads it against another one.

use iotsec_core::crypto::Digest;

use crate::error::RegistryError;

mod canonical;
mod field;

pub use field::{Buckets, Field, FieldKind};

/// Bytes of the SHA-256 over the canonical encoding that name a registry.
pub const REGISTRY_HASH_LEN: usize = 16;
/// Events in one registry at most: its index takes up to 12 bits of every event's number.
pub const MAX_EVENTS: usize = 4096;
/// Fields of one event at most.
pub const MAX_FIELDS: usize = 8;
/// Bytes of a name, a unit or a label at most.
pub const MAX_NAME_LEN: usize = 48;
/// Bytes of a reason at most: two plain sentences.
pub const MAX_WHY_LEN: usize = 200;
/// Ids from here on belong to events that this crate declares, such as those of [`detect`](crate::detect).
pub const RESERVED_IDS: u16 = 0xF000;

/// How urgent an event is, which also decides what it needs to be sent.
///
/// When the queue is full a class may displace only itself and the classes below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The device is under attack or damaged. Has reserved room and is never displaced.
    Critical,
    /// Worth a security team's attention. For [`Purpose::Security`], as criticals are.
    Security,
    /// How well the device works. For [`Purpose::Health`].
    Health,
    /// How the device is used. For [`Purpose::Usage`].
    Usage,
}

impl Class {
    /// All classes, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Security, Self::Health, Self::Usage];

    /// What events of this class are sent for.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Critical | Self::Security => Purpose::Security,
            Self::Health => Purpose::Health,
            Self::Usage => Purpose::Usage,
        }
    }

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Critical => 0,
            Self::Security => 1,
            Self::Health => 2,
            Self::Usage => 3,
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Critical => 0,
            Self::Security => 1,
            Self::Health => 2,
            Self::Usage => 3,
        }
    }
}

/// Why data leaves the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Keeping this device and others safe. Needs no consent, and so may carry no personal data: no
    /// [`Personal`](crate::personal::Personal) value can reach an event of this purpose. Whether sending
    /// these events has another legal basis is the maker's decision, not this crate's.
    Security,
    /// Keeping the device working. Needs the owner's consent.
    Health,
    /// Learning how it is used. Needs the owner's consent.
    Usage,
}

impl Purpose {
    /// True for every purpose but [`Security`](Self::Security).
    pub const fn needs_consent(self) -> bool {
        !matches!(self, Self::Security)
    }
}

/// The declaration of one event.
///
/// ```
/// use iotsec_telemetry::registry::{Class, EventDef, Field};
///
/// const STORAGE_LOW: EventDef = EventDef::new(
///     12, "storage.low", Class::Health, "Tells when a device is about to stop recording",
///     &[Field::number("free", "%", 0, 100)],
/// );
/// assert_eq!(STORAGE_LOW.fields().len(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventDef {
    id: u16,
    name: &'static str,
    class: Class,
    why: &'static str,
    fields: &'static [Field],
}

impl EventDef {
    /// Declares an event. It is checked when it joins a [`Registry`].
    ///
    /// `why` says in plain words what it is collected for. The field with the widest bounds should stand
    /// last: its size on the wire then follows the value and not the bounds.
    pub const fn new(
        id: u16,
        name: &'static str,
        class: Class,
        why: &'static str,
        fields: &'static [Field],
    ) -> Self {
        Self {
            id,
            name,
            class,
            why,
            fields,
        }
    }

    /// Its number, which keeps its meaning for ever.
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How urgent it is.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Why it is collected.
    pub const fn why(&self) -> &'static str {
        self.why
    }

    /// What it carries.
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// One more than the largest number that the fields give together.
    const fn combinations(&self) -> Result<u64, RegistryError> {
        let mut product = 1u64;
        let mut fields = self.fields;
        while let [field, rest @ ..] = fields {
            product = match field.check() {
                Ok(range) => match product.checked_mul(range) {
                    Some(product) => product,
                    None => return Err(RegistryError::TooWide),
                },
                Err(error) => return Err(error),
            };
            fields = rest;
        }
        Ok(product)
    }
}

/// All events that a product may report, checked.
///
/// Make it with [`registry!`](crate::registry!), so that a mistake does not compile.
#[derive(Clone, Copy, Debug)]
pub struct Registry {
    events: &'static [EventDef],
}

impl Registry {
    /// Joins declarations, which must stand in ascending order of their ids.
    ///
    /// # Errors
    /// [`RegistryError`] for the first rule that is broken.
    ///
    /// ```
    /// use iotsec_telemetry::{error::RegistryError, registry::{Class, EventDef, Registry}};
    ///
    /// const A: EventDef = EventDef::new(1, "a", Class::Usage, "An example", &[]);
    /// assert!(Registry::new(&[A]).is_ok());
    /// assert_eq!(Registry::new(&[A, A]).err(), Some(RegistryError::Order));
    /// ```
    pub const fn new(events: &'static [EventDef]) -> Result<Self, RegistryError> {
        if events.is_empty() || events.len() > MAX_EVENTS {
            return Err(RegistryError::Count);
        }
        let mut count = 0u64;
        let mut left = events;
        while let [_, rest @ ..] = left {
            count = count.saturating_add(1);
            left = rest;
        }
        let mut left = events;
        while let [event, rest @ ..] = left {
            if let [next, ..] = rest
                && next.id <= event.id
            {
                return Err(RegistryError::Order);
            }
            if event.name.is_empty() || event.name.len() > MAX_NAME_LEN {
                return Err(RegistryError::Name);
            }
            if event.why.is_empty() || event.why.len() > MAX_WHY_LEN {
                return Err(RegistryError::Why);
            }
            if event.fields.len() > MAX_FIELDS {
                return Err(RegistryError::Count);
            }
            match event.combinations() {
                Ok(combinations) if combinations.checked_mul(count).is_some() => {}
                Ok(_) => return Err(RegistryError::TooWide),
                Err(error) => return Err(error),
            }
            left = rest;
        }
        Ok(Self { events })
    }

    /// The declarations, in ascending order of their ids.
    pub const fn events(&self) -> &'static [EventDef] {
        self.events
    }

    /// Computes the hash, with SHA-256.
    pub fn hashed(&'static self, digest: &mut dyn Digest) -> HashedRegistry {
        digest.reset();
        canonical::write(self, &mut |bytes| digest.update(bytes));
        let mut hash = [0; REGISTRY_HASH_LEN];
        for (to, from) in hash.iter_mut().zip(digest.finish()) {
            *to = from;
        }
        HashedRegistry { registry: self, hash }
    }

    /// Hands the canonical encoding, which is what is hashed, to `sink` piece by piece.
    pub fn canonical(&self, sink: &mut dyn FnMut(&[u8])) {
        canonical::write(self, sink);
    }
}

/// A registry and its hash, which belong together.
#[derive(Clone, Copy, Debug)]
pub struct HashedRegistry {
    registry: &'static Registry,
    hash: [u8; REGISTRY_HASH_LEN],
}

impl HashedRegistry {
    /// The registry.
    pub const fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// The first bytes of the SHA-256 over its canonical encoding.
    pub const fn hash(&self) -> &[u8; REGISTRY_HASH_LEN] {
        &self.hash
    }
}

/// Declares a [`Registry`] as a static and checks it while compiling.
///
/// ```
/// use iotsec_telemetry::{registry, registry::{Class, EventDef}};
///
/// const STARTED: EventDef = EventDef::new(1, "device.started", Class::Health, "Counts restarts", &[]);
/// registry!(
///     /// What this product reports.
///     pub static PRODUCT = [STARTED]
/// );
/// assert_eq!(PRODUCT.events().len(), 1);
/// ```
///
/// ```compile_fail
/// # use iotsec_telemetry::{registry, registry::{Class, EventDef}};
/// const NAMELESS: EventDef = EventDef::new(1, "", Class::Health, "Counts restarts", &[]);
/// registry!(static PRODUCT = [NAMELESS]);
/// ```
#[macro_export]
macro_rules! registry {
    ($(#[$meta:meta])* $visibility:vis static $name:ident = [$($event:expr),* $(,)?]) => {
        $(#[$meta])*
        $visibility static $name: $crate::registry::Registry = {
            const CHECKED: ::core::result::Result<$crate::registry::Registry, $crate::error::RegistryError> =
                $crate::registry::Registry::new(&[$($event),*]);
            match CHECKED {
                ::core::result::Result::Ok(registry) => registry,
                ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
            }
        };
    };
}
