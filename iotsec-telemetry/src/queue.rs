//! Events that wait for a connection, in a fixed piece of memory.
//!
//! # What is kept when there is not room for all
//! A queue of `N` events keeps `reserve` places for [`Class::Critical`]. A critical event may take any
//! other place too, by displacing the oldest event of the lowest class; it is refused, newest first, only
//! when the queue holds nothing but criticals. Any other event displaces the oldest of the lowest class
//! that is not above its own, or is refused. Every event that is displaced or refused is counted in its
//! class, and the counts go out with every batch. Recording takes the same few steps however full the
//! queue is.
//!
//! # Delivery
//! At least once: what a batch carries stays until its [`Receipt`] comes back through
//! [`ack`](Queue::ack), and may go out twice. The service recognises an event by its [`EventId`].
//!
//! # Power loss
//! The queue is memory: a power cut loses it. [`snapshot`](Queue::snapshot) writes it as one record for
//! a store, [`restore`](Queue::restore) takes it back at the next boot; what was recorded in between is
//! lost, and what was acknowledged in between goes out again.

use iotsec_core::hal::{Millis, UnixTime};
use rand_core::TryCryptoRng;

use crate::{
    batch::{self, SealTo, SealedBatch, Sizes},
    clock::Clock,
    code,
    consent::Consents,
    error::{BatchError, RecordError},
    loss::{Loss, LossTime, Losses},
    merge::{self, Merge},
    registry::{Class, EventDef, HashedRegistry, Purpose},
    segment::{Entry, MAX_SEQUENCE},
    stream::{Numbers, Stream},
    value::Value,
};

mod lists;
mod snapshot;

use lists::Lists;
pub use snapshot::Restored;

/// A number for each class.
type PerClass = [u32; 4];

/// What makes an event unique on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// What its batches are for: each purpose has numbers of its own.
    pub purpose: Purpose,
    /// The boot in which it was recorded.
    pub boot: u32,
    /// Its number among those of its purpose in that boot, from zero, without those that were refused.
    pub sequence: u32,
}

/// Proof that a batch was made; handed back when the service has acknowledged it.
#[derive(Debug)]
#[must_use = "without its receipt a batch is sent again"]
pub struct Receipt {
    flight: u32,
}

impl Receipt {
    pub(crate) const fn new(flight: u32) -> Self {
        Self { flight }
    }

    pub(crate) const fn is_of(&self, flight: u32) -> bool {
        self.flight == flight
    }
}

/// A bounded queue of `N` events, 24 bytes each.
///
/// See the [module](self) for what it keeps and the crate for a whole round. `Debug` shows how many events
/// wait, and nothing of what is in them.
pub struct Queue<const N: usize> {
    registry: HashedRegistry,
    boot: u32,
    reserve: usize,
    lists: Lists<N>,
    /// By purpose.
    next_sequence: [u32; 3],
    clock: Clock,
    lost: Losses,
    /// Displaced while in a batch that may have arrived.
    in_doubt: PerClass,
    /// The losses that the service has acknowledged.
    reported: Losses,
    flight: Option<Flight>,
    flights: u32,
    /// The grant under which the events of each purpose were recorded.
    health_grant: Option<u32>,
    usage_grant: Option<u32>,
}

/// The last batch.
#[derive(Clone, Copy, Debug)]
struct Flight {
    number: u32,
    purpose: Purpose,
    lost: Losses,
}

impl<const N: usize> Queue<N> {
    /// An empty queue for boot number `boot`, with `reserve` places for criticals.
    ///
    /// `boot` must grow at every boot: with `sequence` it is what tells a repeated event from a new one.
    /// Take it from a [`MonotonicCounter`](iotsec_core::hal::MonotonicCounter) if an attacker could roll
    /// back the flash, since a repeated number hides new events behind old ones.
    pub fn new(registry: HashedRegistry, boot: u32, reserve: usize) -> Self {
        Self {
            registry,
            boot,
            reserve: reserve.min(N),
            lists: Lists::new(),
            next_sequence: [0; 3],
            clock: Clock::default(),
            lost: Losses::default(),
            in_doubt: [0; 4],
            reported: Losses::default(),
            flight: None,
            flights: 0,
            health_grant: None,
            usage_grant: None,
        }
    }

    /// Records an event.
    ///
    /// `now` is taken in whole seconds, and not to be earlier than what was recorded before.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is recorded.
    pub fn record(
        &mut self,
        consents: &Consents,
        event: &EventDef,
        values: &[Value<'_>],
        now: Millis,
    ) -> Result<EventId, RecordError> {
        let code = code::encode(self.registry.registry(), event, values)?;
        self.follow(consents);
        let class = event.class();
        if !self.is_allowed(class) {
            return Err(RecordError::NotConsented);
        }
        let uptime = self.clock.advance(now);
        if self.registry.registry().has_expired(event, self.clock.now()) {
            return Err(RecordError::Expired);
        }
        let purpose = class.purpose();
        let sequence = *purpose.part_of(&mut self.next_sequence);
        if sequence >= MAX_SEQUENCE {
            self.lose(class, 1);
            return Err(RecordError::Exhausted);
        }
        let entry = Entry {
            boot: self.boot,
            sequence,
            uptime,
            code,
        };
        if !self.admit(class, entry) {
            return Err(RecordError::Full);
        }
        *purpose.part_of(&mut self.next_sequence) = sequence.saturating_add(1);
        Ok(EventId {
            purpose,
            boot: self.boot,
            sequence,
        })
    }

    /// Tells the wall-clock time at `uptime`, once it is trustworthy. Batches then say when this boot
    /// began, so that events recorded before get their time as well.
    ///
    /// ```
    /// # use iotsec_core::{crypto::Sha256, hal::{Millis, UnixTime}};
    /// # use iotsec_telemetry::{detect::BOOT_LOOP, queue::Queue, registry};
    /// # registry!(static PRODUCT = [BOOT_LOOP]);
    /// let mut queue = Queue::<8>::new(PRODUCT.hashed(&mut Sha256::new()), 7, 2);
    /// queue.set_clock(Millis::from_secs(90), UnixTime(1_800_000_090));
    /// ```
    pub fn set_clock(&mut self, uptime: Millis, now: UnixTime) {
        self.clock.set(uptime, now);
    }

    /// Seals the most urgent events, as many as fit, into `out`, to be filed under the name of the device.
    ///
    /// All are of one purpose, the most urgent that has something to tell: to tell everything, call again after
    /// [`ack`](Self::ack). `None` when there is nothing to tell. Nothing leaves the queue before that. The
    /// batch borrows `consents`, so no consent can be withdrawn between sealing and sending.
    ///
    /// `scratch` holds the plaintext and is wiped; it and `out` need [`SizeClass::sealed_len`] bytes of the
    /// largest size allowed.
    ///
    /// [`SizeClass::sealed_len`]: crate::batch::SizeClass::sealed_len
    ///
    /// # Errors
    /// [`BatchError`]; everything stays queued.
    pub fn batch<'a, S: SealTo, R: TryCryptoRng + ?Sized>(
        &mut self,
        consents: &'a Consents,
        key: &S,
        sizes: Sizes,
        rng: &mut R,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, BatchError> {
        self.follow(consents);
        self.give_up_flight();
        let purpose = Purpose::ALL.into_iter().find(|purpose| self.has_news(*purpose));
        let Some(purpose) = purpose else {
            return Ok(None);
        };
        self.batch_for(&Stream::named(purpose), consents, key, sizes, rng, scratch, out)
    }

    /// The same for one [`Stream`]: events and losses of its purpose, to be sent under its name. `None` when there is
    /// nothing to tell for it.
    ///
    /// # Errors
    /// As [`batch`](Self::batch); [`BatchError::Boot`].
    ///
    /// ```
    /// # use iotsec_core::{crypto::{ChaCha20Poly1305, HkdfSha256, Sha256}, hal::Millis, secret::Secret};
    /// # use iotsec_telemetry::{batch::{BatchKey, SizeClass, Sizes}, consent::Consents, detect::BOOT_LOOP};
    /// # use iotsec_telemetry::{error::BatchError, queue::Queue, registry, registry::Purpose, stream::Stream};
    /// # registry!(static PRODUCT = [BOOT_LOOP]);
    /// # let (consents, mut rng) = (Consents::off(), iotsec_testkit::SimRng::new(1));
    /// # let secret = Secret::from_bytes([9; 32]);
    /// # let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    /// # let (mut scratch, mut out) = ([0; 128], [0; 128]);
    /// # let sizes = Sizes::up_to(SizeClass::B128);
    /// let mut queue = Queue::<8>::new(PRODUCT.hashed(&mut Sha256::new()), 7, 2);
    /// queue.record(&consents, &BOOT_LOOP, &[3.into()], Millis::from_secs(1)).unwrap();
    /// for (purpose, events) in [(Purpose::Usage, None), (Purpose::Security, Some(1))] {
    ///     let stream = Stream::named(purpose);
    ///     let batch = queue.batch_for(&stream, &consents, &key, sizes, &mut rng, &mut scratch, &mut out)?;
    ///     assert_eq!(batch.map(|batch| batch.events()), events);
    /// }
    /// # Ok::<(), BatchError>(())
    /// ```
    #[expect(clippy::too_many_arguments, reason = "those of `batch`, and the stream")]
    pub fn batch_for<'a, M: Numbers, S: SealTo, R: TryCryptoRng + ?Sized>(
        &mut self,
        stream: &Stream<M>,
        consents: &'a Consents,
        key: &S,
        sizes: Sizes,
        rng: &mut R,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, BatchError> {
        let largest = sizes.largest();
        let plain = scratch
            .get_mut(..key.plain_len(largest))
            .ok_or(BatchError::Buffer)?;
        let out = out.get_mut(..largest.sealed_len()).ok_or(BatchError::Buffer)?;
        self.follow(consents);
        self.give_up_flight();
        let purpose = stream.purpose();
        if !self.has_news(purpose) {
            return Ok(None);
        }
        let waiting = self.waiting(purpose, Class::Usage);
        let header = batch::Header {
            registry: self.registry.hash(),
            purpose,
            boot: self.boot,
            started: self.clock.started(),
            lost: self.lost,
        };
        let events = |chosen| self.merged(purpose, merge::quota(waiting, chosen));
        let (chosen, len) = batch::fill(plain, stream, &header, waiting.iter().sum(), events)?;
        let bytes = key.seal_message(batch::DOMAIN, sizes, rng, plain, len, out)?;

        let quota = merge::quota(waiting, chosen);
        for (class, quota) in purpose.pair().into_iter().zip(quota) {
            self.lists.mark_front(class, quota);
        }
        self.flights = self.flights.wrapping_add(1);
        self.flight = Some(Flight {
            number: self.flights,
            purpose,
            lost: self.lost,
        });
        Ok(Some(SealedBatch::new(bytes, chosen, Receipt::new(self.flights))))
    }

    /// Forgets the events of the last batch, which the service has acknowledged.
    ///
    /// # Errors
    /// [`BatchError::StaleReceipt`] when another batch was made since; its events are still queued.
    #[expect(clippy::needless_pass_by_value, reason = "a receipt counts once")]
    pub fn ack(&mut self, receipt: Receipt) -> Result<(), BatchError> {
        let flight = self.flight.filter(|flight| receipt.is_of(flight.number));
        let flight = flight.ok_or(BatchError::StaleReceipt)?;
        for class in Class::ALL {
            self.lists.drop_marked(class);
        }
        // What was displaced meanwhile had been sent and has arrived.
        self.in_doubt = [0; 4];
        self.reported.take(flight.purpose, &flight.lost);
        self.flight = None;
        Ok(())
    }

    /// Events waiting, those in an unacknowledged batch included.
    pub fn len(&self) -> usize {
        self.lists.total()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Events of `class` waiting.
    pub fn len_of(&self, class: Class) -> usize {
        self.lists.len(class)
    }

    /// Events of `class` that were displaced or refused without having been acknowledged. While a batch
    /// is under way, those of its events that were displaced are not counted yet.
    pub fn lost(&self, class: Class) -> u32 {
        self.loss(class).count
    }

    /// The same with the times at which it happened.
    ///
    /// ```
    /// # use iotsec_core::{crypto::Sha256, hal::Millis};
    /// # use iotsec_telemetry::{consent::Consents, detect::BOOT_LOOP, queue::Queue, registry, registry::Class};
    /// # registry!(static PRODUCT = [BOOT_LOOP]);
    /// let mut queue = Queue::<1>::new(PRODUCT.hashed(&mut Sha256::new()), 7, 0);
    /// for second in [1, 2, 3] {
    ///     let _ = queue.record(&Consents::off(), &BOOT_LOOP, &[3.into()], Millis::from_secs(second));
    /// }
    /// let (first, last) = queue.loss(Class::Critical).times.unwrap();
    /// assert_eq!((first.uptime_s, last.uptime_s), (2, 3));
    /// ```
    pub fn loss(&self, class: Class) -> Loss {
        self.lost.of(class)
    }

    /// Purges what was recorded under a grant that is no longer the live one.
    pub(crate) fn follow(&mut self, consents: &Consents) {
        let health = consents.grant_number(Purpose::Health);
        let usage = consents.grant_number(Purpose::Usage);
        if self.health_grant != health {
            self.purge(Class::Health);
            self.health_grant = health;
        }
        if self.usage_grant != usage {
            self.purge(Class::Usage);
            self.usage_grant = usage;
        }
    }

    fn is_allowed(&self, class: Class) -> bool {
        match class.purpose() {
            Purpose::Security => true,
            Purpose::Health => self.health_grant.is_some(),
            Purpose::Usage => self.usage_grant.is_some(),
        }
    }

    /// Forgets a class, its counts included: they too say what was recorded.
    fn purge(&mut self, class: Class) {
        self.lists.clear(class);
        self.lost.clear(class);
        if let Some(doubtful) = self.in_doubt.get_mut(class.index()) {
            *doubtful = 0;
        }
        self.reported.clear(class);
        if let Some(flight) = &mut self.flight {
            flight.lost.clear(class);
        }
    }

    /// Puts an entry into its class, if there is or can be made room.
    fn admit(&mut self, class: Class, entry: Entry) -> bool {
        let others = self.len().saturating_sub(self.lists.len(Class::Critical));
        let has_room =
            self.len() < N && (class == Class::Critical || others < N.saturating_sub(self.reserve));
        let admitted = (has_room || self.displace(class)) && self.lists.push(class, entry);
        if !admitted {
            self.lose(class, 1);
        }
        admitted
    }

    /// Drops the oldest event of the lowest class that `class` may displace.
    fn displace(&mut self, class: Class) -> bool {
        for lower in Class::ALL.into_iter().rev() {
            if lower == Class::Critical || lower < class {
                return false;
            }
            if let Some(was_sent) = self.lists.pop(lower) {
                if was_sent {
                    count(&mut self.in_doubt, lower, 1);
                } else {
                    self.lose(lower, 1);
                }
                return true;
            }
        }
        false
    }

    /// Counts events that are lost now.
    fn lose(&mut self, class: Class, more: u32) {
        self.lost.add(class, more, self.now());
    }

    const fn now(&self) -> LossTime {
        LossTime {
            boot: self.boot,
            uptime_s: self.clock.uptime(),
        }
    }

    /// Treats the last batch as not arrived.
    fn give_up_flight(&mut self) {
        for class in Class::ALL {
            self.lists.unmark(class);
            let doubtful = self.in_doubt.get(class.index()).copied().unwrap_or_default();
            self.lose(class, doubtful);
        }
        self.in_doubt = [0; 4];
        self.flight = None;
    }

    /// Whether there are events or new losses of `purpose`.
    fn has_news(&self, purpose: Purpose) -> bool {
        let mut classes = purpose.classes().iter();
        classes.any(|class| self.lists.len(*class) > 0) || !self.lost.agrees(purpose, &self.reported)
    }

    /// How many of the classes of a purpose wait, without those below `least`.
    fn waiting(&self, purpose: Purpose, least: Class) -> [usize; 2] {
        let [first, second] = purpose.pair();
        let len = |class: Class| if class <= least { self.lists.len(class) } else { 0 };
        [len(first), if second == first { 0 } else { len(second) }]
    }

    /// The oldest entries of the classes of a purpose, in the order in which they were recorded.
    fn merged(&self, purpose: Purpose, quota: [usize; 2]) -> Merge<lists::Iter<'_, N>> {
        Merge::new(purpose.pair().map(|class| self.lists.iter(class)), quota)
    }
}

iotsec_core::claim! {
    provisions: ["6-2", "6-3A"],
    claims: "Nothing of a purpose is recorded or sent before the owner agreed to it, or after they no longer do",
    code: [Queue::record],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::queue::tests::nothing_is_recorded_or_sent_before_consent_or_after_withdrawal",
        "iotsec-telemetry::iotsec_telemetry::queue::tests::a_queue_that_missed_a_withdrawal_still_sends_nothing",
    ],
}

iotsec_core::claim! {
    provisions: ["6-6"],
    claims: "What is declared until a day is no longer collected after it",
    code: [Queue::record],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::queue::tests::what_has_expired_is_not_recorded_once_the_date_is_known",
    ],
}

iotsec_core::claim! {
    provisions: ["5.9-2"],
    claims: "Without a network events are kept: each is delivered, waiting, or counted as lost",
    code: [Queue::record],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::queue::tests::model::every_event_is_delivered_waiting_or_counted_as_lost",
        "iotsec-telemetry::iotsec_telemetry::queue::tests::a_batch_is_repeated_until_its_own_receipt_comes_back",
    ],
}

impl<const N: usize> core::fmt::Debug for Queue<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Queue")
            .field("capacity", &N)
            .field("waiting", &Class::ALL.map(|class| self.len_of(class)))
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

fn count(counts: &mut PerClass, class: Class, more: u32) {
    if let Some(count) = counts.get_mut(class.index()) {
        *count = count.saturating_add(more);
    }
}

#[cfg(test)]
mod tests;
