//! What may be reported, declared once.
//!
//! A maker declares events as constants and joins them with [`registry!`](crate::registry!), which
//! checks them while compiling. An event is recorded as one number below the product of its bounds, so a
//! value that was not declared cannot be written down at all; and every batch names the hash of the
//! registry it was made against, so that nobody reads it against another one.

use iotsec_core::crypto::Digest;

use crate::error::RegistryError;

mod canonical;
mod event;
mod field;
mod handling;
mod metric;

pub use event::EventDef;
pub use field::{Buckets, Field, FieldKind};
pub use handling::Handling;
pub use metric::{Aggregate, MetricDef};

/// Bytes of the SHA-256 over the canonical encoding that name a registry.
pub const REGISTRY_HASH_LEN: usize = 16;
/// Events in one registry at most: its index takes up to 12 bits of every event's number.
pub const MAX_EVENTS: usize = 4096;
/// Metrics in one registry at most: each needs a place in the ledger of the privacy budget.
pub const MAX_METRICS: usize = 256;
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
    /// All purposes, that without need of consent first.
    pub const ALL: [Self; 3] = [Self::Security, Self::Health, Self::Usage];

    /// The classes whose events are for it, most urgent first.
    pub const fn classes(self) -> &'static [Class] {
        match self {
            Self::Security => &[Class::Critical, Class::Security],
            Self::Health => &[Class::Health],
            Self::Usage => &[Class::Usage],
        }
    }

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Security => 0,
            Self::Health => 1,
            Self::Usage => 2,
        }
    }

    /// The two classes of events for it; where it has one, that twice.
    pub(crate) const fn pair(self) -> [Class; 2] {
        match self {
            Self::Security => [Class::Critical, Class::Security],
            Self::Health => [Class::Health; 2],
            Self::Usage => [Class::Usage; 2],
        }
    }

    /// Its own of three.
    pub(crate) const fn part_of<T>(self, [security, health, usage]: &mut [T; 3]) -> &mut T {
        match self {
            Self::Security => security,
            Self::Health => health,
            Self::Usage => usage,
        }
    }

    /// True for every purpose but [`Security`](Self::Security).
    pub const fn needs_consent(self) -> bool {
        !matches!(self, Self::Security)
    }

    /// What data for it are about, in the words that people are shown.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Security => "attacks and damage",
            Self::Health => "how well the device works",
            Self::Usage => "how the device is used",
        }
    }
}

/// All that a product may report, checked.
///
/// Make it with [`registry!`](crate::registry!), so that a mistake does not compile.
#[derive(Clone, Copy, Debug)]
pub struct Registry {
    events: &'static [EventDef],
    metrics: &'static [MetricDef],
    handling: Handling,
}

impl Registry {
    /// Joins the declarations of events, which must stand in ascending order of their ids.
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
        Self::declare(events, &[], Handling::UNSTATED)
    }

    /// Joins the declarations of events and of metrics, each in ascending order of their ids, and says how
    /// what they bring is handled. Where that has a last day, metrics that are split into shares state theirs themselves.
    ///
    /// # Errors
    /// [`RegistryError`] for the first rule that is broken.
    ///
    /// ```
    /// use iotsec_telemetry::registry::{Aggregate, Handling, MetricDef, Purpose, Registry};
    ///
    /// const LIT: MetricDef = MetricDef::new(
    ///     1, "lamp.lit", "h", Purpose::Usage, "Tells how long lamps have to last", Aggregate::Sum { max: 24 },
    /// );
    /// let handling = Handling::new("data@lamps.example", "Lamps Ltd", 90);
    /// assert!(Registry::declare(&[], &[LIT], handling).is_ok());
    /// ```
    pub const fn declare(
        events: &'static [EventDef],
        metrics: &'static [MetricDef],
        handling: Handling,
    ) -> Result<Self, RegistryError> {
        if events.is_empty() && metrics.is_empty() {
            return Err(RegistryError::Count);
        }
        if events.len() > MAX_EVENTS || metrics.len() > MAX_METRICS {
            return Err(RegistryError::Count);
        }
        if let Err(error) = handling.check() {
            return Err(error);
        }
        let count = field::count(events);
        let mut left = events;
        while let [event, rest @ ..] = left {
            if let [next, ..] = rest
                && next.id() <= event.id()
            {
                return Err(RegistryError::Order);
            }
            if let Err(error) = event.check(count) {
                return Err(error);
            }
            left = rest;
        }
        let mut left = metrics;
        while let [metric, rest @ ..] = left {
            if let [next, ..] = rest
                && next.id() <= metric.id()
            {
                return Err(RegistryError::Order);
            }
            if let Err(error) = metric.check() {
                return Err(error);
            }
            // A share is made without the registry, and must end with its last day all the same.
            if metric.is_split() && metric.handling().is_none() && handling.last_second().is_some() {
                return Err(RegistryError::Handling);
            }
            left = rest;
        }
        Ok(Self {
            events,
            metrics,
            handling,
        })
    }

    /// The events, in ascending order of their ids.
    pub const fn events(&self) -> &'static [EventDef] {
        self.events
    }

    /// The metrics, in ascending order of their ids.
    pub const fn metrics(&self) -> &'static [MetricDef] {
        self.metrics
    }

    /// How all is handled that does not say otherwise itself.
    pub const fn handling(&self) -> Handling {
        self.handling
    }

    /// How `event` is handled.
    pub fn handling_of(&self, event: &EventDef) -> Handling {
        event.handling().unwrap_or(self.handling)
    }

    /// How `metric` is handled.
    pub fn handling_of_metric(&self, metric: &MetricDef) -> Handling {
        metric.handling().unwrap_or(self.handling)
    }

    /// True when exactly this metric is declared here.
    pub fn has_metric(&self, metric: &MetricDef) -> bool {
        let found = self.metrics.binary_search_by_key(&metric.id(), MetricDef::id);
        found.is_ok_and(|index| self.metrics.get(index) == Some(metric))
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

    /// Hands the canonical encoding, which is what is hashed, to `sink` piece by piece. Written to a file,
    /// it is what a service needs to read batches.
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
///
/// Metrics, and how what is collected is handled, follow the events:
///
/// ```
/// use iotsec_telemetry::{registry, registry::{Aggregate, Handling, MetricDef, Purpose}};
///
/// const LIT: MetricDef = MetricDef::new(
///     1, "lamp.lit", "h", Purpose::Usage, "Tells how long lamps have to last", Aggregate::Sum { max: 24 },
/// );
/// registry!(static PRODUCT = [], metrics [LIT], handling Handling::new("data@lamps.example", "Lamps Ltd", 90));
/// assert_eq!(PRODUCT.metrics(), [LIT]);
/// ```
#[macro_export]
macro_rules! registry {
    ($(#[$meta:meta])* $visibility:vis static $name:ident = [$($event:expr),* $(,)?]) => {
        $crate::registry! {
            $(#[$meta])*
            $visibility static $name = [$($event),*], metrics [], handling $crate::registry::Handling::UNSTATED
        }
    };
    (
        $(#[$meta:meta])*
        $visibility:vis static $name:ident = [$($event:expr),* $(,)?], handling $handling:expr
    ) => {
        $crate::registry! {
            $(#[$meta])*
            $visibility static $name = [$($event),*], metrics [], handling $handling
        }
    };
    (
        $(#[$meta:meta])*
        $visibility:vis static $name:ident =
            [$($event:expr),* $(,)?], metrics [$($metric:expr),* $(,)?], handling $handling:expr
    ) => {
        $(#[$meta])*
        $visibility static $name: $crate::registry::Registry = {
            const CHECKED: ::core::result::Result<$crate::registry::Registry, $crate::error::RegistryError> =
                $crate::registry::Registry::declare(&[$($event),*], &[$($metric),*], $handling);
            match CHECKED {
                ::core::result::Result::Ok(registry) => registry,
                ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
            }
        };
    };
}

#[cfg(test)]
mod tests;
