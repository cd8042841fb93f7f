//! Sealed batches: opened, read, counted once.
//!
//! # Memory
//! For each device and purpose: which events came, as ranges of sequence numbers; when its last boots began; its loss counters.
//! [`Limits`] bounds all three. A device that goes beyond them harms itself alone: events of a boot that is
//! forgotten count as seen. What is kept here is lost when the program ends, and then events that are sent again count
//! again: [export](Collector::export) it, and [import](Collector::import) it in the next run.

use std::collections::BTreeMap;

use iotsec_core::{
    crypto::{ChaCha20Poly1305, HkdfSha256},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{Batch, BatchKey, Event, MAX_LEN, OpenedBatch},
    queue::EventId,
    registry::{Class, Purpose},
};

use crate::{error::CollectError, registries::Registries};

mod clock;
mod losses;
mod seen;
mod service_keys;
mod state;

use clock::Clocks;
pub use clock::{Believable, When};
use losses::Losses;
use seen::{Seen, Sight};
pub use service_keys::{ServiceKeys, ServiceSuite};

/// Where the keys of devices are: a database, a key service, a map.
pub trait DeviceKeys {
    /// The telemetry key of the device that an authenticated session is with; `None` for one that is unknown,
    /// revoked or retired.
    fn key(&self, device: &str) -> Option<Secret<32>>;

    /// Whether anything is taken from this device. Another answer than whether it has a key is for devices that seal
    /// to a [key of the service](ServiceKeys), and share none.
    fn is_known(&self, device: &str) -> bool {
        self.key(device).is_some()
    }
}

impl DeviceKeys for BTreeMap<String, Secret<32>> {
    fn key(&self, device: &str) -> Option<Secret<32>> {
        self.get(device).map(|key| Secret::from_bytes(*key.expose()))
    }
}

/// What a collector keeps at most, and what it believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Devices. Further ones are refused.
    pub devices: usize,
    /// Boots of one device that are told apart, for each purpose. Events of earlier ones count as seen.
    pub boots: usize,
    /// Ranges of sequence numbers of one device and purpose, 8 bytes each. Beyond, the lowest gap counts as seen.
    pub ranges: usize,
    /// What a device may say about the time.
    pub believable: Believable,
}

impl Default for Limits {
    /// A hundred thousand devices, 16 boots and 1024 ranges each: 8 KB for a device whose queue is torn to pieces,
    /// a hundred bytes for a usual one. A year in a drawer and a reset a day are told apart from a replay by less.
    fn default() -> Self {
        Self {
            devices: 100_000,
            boots: 16,
            ranges: 1024,
            believable: Believable::default(),
        }
    }
}

/// Takes batches in.
pub struct Collector<K> {
    registries: Registries,
    keys: K,
    service_keys: ServiceKeys,
    limits: Limits,
    devices: BTreeMap<String, Device>,
}

/// What is known of a device, by purpose: each has numbers of its own, and those of one say nothing about another.
struct Device([Stream; 3]);

/// What is known of what a device sent for one purpose.
struct Stream {
    seen: Seen,
    losses: Losses,
    clocks: Clocks,
}

/// What a batch brought.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// The events that had not come before, in the order in which they were recorded.
    pub records: Vec<Record>,
    /// Events that had.
    pub repeated: u32,
    /// Events of a boot that this collector has forgotten: nobody knows whether they came.
    pub forgotten: u32,
    /// By class, what the device has lost since the batch before.
    pub lost: [u64; 4],
    /// The device says a time that cannot be.
    pub clock_refused: bool,
}

/// An event, and when it happened.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// What the device recorded.
    pub event: Event,
    /// When that was, by the device's clock.
    pub when: When,
}

impl<K: DeviceKeys> Collector<K> {
    /// Knows these registries and keys, and no device yet.
    pub fn new(registries: Registries, keys: K, limits: Limits) -> Self {
        Self {
            registries,
            keys,
            service_keys: ServiceKeys::new(),
            limits,
            devices: BTreeMap::new(),
        }
    }

    /// Also opens what is sealed to one of these, beside what is sealed under the keys of devices. Anybody can seal to a
    /// public key: who sent such a batch is known from the session alone.
    #[must_use]
    pub fn with_service_keys(mut self, keys: ServiceKeys) -> Self {
        self.service_keys = keys;
        self
    }

    /// Opens a message that came through the authenticated session of `device` at `now`.
    ///
    /// Acknowledge it when what it brought is stored, also when all of it had come before.
    ///
    /// # Errors
    /// [`CollectError`]; nothing is counted, and the device keeps what it sent until it is acknowledged.
    pub fn receive(&mut self, device: &str, message: &[u8], now: UnixTime) -> Result<Delivery, CollectError> {
        if !self.keys.is_known(device) {
            return Err(CollectError::UnknownDevice);
        }
        let mut plain = [0; MAX_LEN];
        if ServiceKeys::is_for_one(message) {
            let opened = self.service_keys.open(message, &mut plain)?;
            return self.accept(device, opened, now);
        }
        let key = self.keys.key(device).ok_or(CollectError::UnknownDevice)?;
        let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
        let opened = key.open(message, &mut plain)?;
        self.accept(device, opened, now)
    }

    /// Takes a batch that has been authenticated as that of `device` by other means.
    ///
    /// # Errors
    /// [`CollectError`]; nothing is counted.
    pub fn accept(
        &mut self,
        device: &str,
        opened: OpenedBatch<'_>,
        now: UnixTime,
    ) -> Result<Delivery, CollectError> {
        let registry = self.registries.find(opened.registry_hash());
        let batch = opened.read(registry.ok_or(CollectError::UnknownRegistry)?)?;
        if !self.devices.contains_key(device) {
            if self.devices.len() >= self.limits.devices {
                return Err(CollectError::TooManyDevices);
            }
            self.devices.insert(device.to_owned(), Device::new(&self.limits));
        }
        let known = self.devices.get_mut(device).ok_or(CollectError::UnknownDevice)?;
        Ok(known.0[number(batch.purpose())].count(&batch, now))
    }

    /// What `device` has lost of `class`, as far as it has said: exactly, unless its queue was lost with it or its
    /// owner changed a consent, and then at least.
    pub fn lost(&self, device: &str, class: Class) -> u64 {
        let device = self.devices.get(device);
        device.map_or(0, |device| {
            device.of(class.purpose()).losses.total()[index(class)]
        })
    }

    /// When an event that came without a time happened, by what its device has said since: a device learns the time
    /// late, and then tells when its boot began.
    pub fn when(&self, device: &str, id: EventId, uptime_s: u32) -> When {
        let device = self.devices.get(device);
        device.map_or(When::Unknown, |device| {
            device.of(id.purpose).clocks.when(id.boot, uptime_s)
        })
    }

    /// Forgets a device, as when its owner has its data deleted.
    pub fn forget(&mut self, device: &str) {
        self.devices.remove(device);
    }

    /// The registries that are known.
    pub const fn registries(&mut self) -> &mut Registries {
        &mut self.registries
    }

    /// The devices that something came from.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.devices.keys().map(String::as_str)
    }
}

impl<K> core::fmt::Debug for Collector<K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Collector")
            .field("devices", &self.devices.len())
            .finish_non_exhaustive()
    }
}

impl Device {
    fn new(limits: &Limits) -> Self {
        Self(Purpose::ALL.map(|_| Stream::new(limits)))
    }

    fn of(&self, purpose: Purpose) -> &Stream {
        &self.0[number(purpose)]
    }
}

impl Stream {
    fn new(limits: &Limits) -> Self {
        Self {
            seen: Seen::new(limits.boots, limits.ranges),
            losses: Losses::default(),
            clocks: Clocks::new(limits.boots, limits.believable),
        }
    }

    fn count(&mut self, batch: &Batch<'_>, now: UnixTime) -> Delivery {
        let latest = batch
            .events()
            .filter(|event| event.id().boot == batch.boot())
            .last();
        // Without an event of that boot nobody knows how far it has come.
        let clock_refused = match (batch.started(), &latest) {
            (Some(started), Some(latest)) => {
                !self.clocks.learn(batch.boot(), started, latest.uptime_s(), now)
            }
            _ => false,
        };
        let mut delivery = Delivery {
            clock_refused,
            ..Delivery::default()
        };
        for event in batch.events() {
            match self.seen.insert(event.id()) {
                Sight::New => {
                    let when = match self.clocks.when(event.id().boot, event.uptime_s()) {
                        When::Unknown => event.time().map_or(When::Unknown, When::Unbelievable),
                        known => known,
                    };
                    delivery.records.push(Record { event, when });
                }
                Sight::Repeated => delivery.repeated += 1,
                Sight::Forgotten => delivery.forgotten += 1,
            }
        }
        let lost = Class::ALL.map(|class| batch.lost(class));
        let sequence = latest.map(|event| event.id().sequence);
        delivery.lost = self.losses.follow(batch.boot(), sequence, lost);
        delivery
    }
}

/// Its place in arrays by purpose.
fn number(purpose: Purpose) -> usize {
    usize::from(purpose.number())
}

/// Its place in arrays by class.
pub(crate) fn index(class: Class) -> usize {
    usize::from(class.number())
}

#[cfg(test)]
mod tests;
