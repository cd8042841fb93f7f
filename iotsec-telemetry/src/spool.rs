//! Events that wait for a connection, in flash: what the [queue](crate::queue) is in memory, for weeks instead of
//! hours, and over power cuts.
//!
//! # Where things lie
//! A region is divided into a journal and a ring of pages for each [`Class`], by [`Quotas`]. An event takes a slot of
//! 40 bytes, filled up to whole words, in a page of its class. So a flood of one class reaches no other, critical
//! events have their own room, and the oldest are displaced a page at a time, without a search. When its ring is
//! full, a critical event is refused, newest first; any other class displaces its own oldest page.
//!
//! # Delivery
//! At least once, as with the queue: what a batch carries stays until [`ack`](Spool::ack), and the service recognises
//! an event by its [`EventId`]. An event that cannot be read, or is not what the registry declares, is left out and
//! counted as lost; so is one that the service [refuses](Spool::refused) again and again. Events recorded by an earlier
//! firmware go out under the registry that they were recorded under, in batches of their own.
//!
//! # Power loss
//! | call | before it returns | afterwards |
//! |---|---|---|
//! | [`record`](Spool::record) | the event is there or not; displaced ones are gone and counted, or there | it is there |
//! | [`ack`](Spool::ack) | every class is acknowledged or not; what is not goes out again | acknowledged |
//! | [`refused`](Spool::refused) | set aside or not; how often it was refused is forgotten | as it says |
//! | [`purge_step`](Spool::purge_step) | the page is gone or in part; it is erased after the next boot | gone |
//! | [`mount`](Spool::mount), [`unlock`](Spool::unlock), [`batch`](Spool::batch) | write nothing | |
//!
//! At every moment, for each class: recorded = delivered + [lost](Spool::loss) + [waiting](Spool::len_of).
//! An event whose recording was cut short may count as recorded and lost.
//!
//! # What is stored, and under what keys
//! Every slot is sealed with a cipher that survives a repeated nonce, AES-256-GCM-SIV as a rule, bound to its place,
//! under a key of its class. The key of a purpose that needs consent is the caller's, one for each grant: draw it at
//! random, and remove it when the grant ends. Nothing can then be read, and [`purge_step`](Spool::purge_step) erases
//! the pages as well; before that is done no batch is made.
//!
//! # Limits
//! - Who can write the flash can make events disappear: the newest without a trace, older ones as lost. He can put
//!   back an earlier image, from which events go out again under the numbers that they had. He cannot make one up.
//! - If the head of the newest page of a class decays, the events in that page are gone without being counted.
//! - Region and quotas are for the life of the device: under others, what waits is not found.
//! - A word of more than 40 bytes holds one event all the same.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, CryptoError, Kdf},
    hal::{Millis, Region, UnixTime},
    secret::Secret,
};

use crate::{
    clock::Clock,
    code,
    consent::{ConsentPurpose, ConsentStorage, Consents},
    error::{ConsentError, RecordError},
    loss::{Loss, LossTime, Losses},
    queue::EventId,
    registry::{Class, EventDef, HashedRegistry, Purpose},
    segment::{Entry, MAX_SEQUENCE},
    value::Value,
};

mod erase;
pub(crate) mod error;
mod journal;
mod log;
mod medium;
mod ring;
mod send;
mod span;
mod staged;

use error::SpoolError;
use journal::{ACCOUNT, Account, Journal, MIN_SLOTS};
use log::Log;
use medium::Medium;
use ring::{EVENT, Ring};
use send::Flight;
pub use send::{MAX_REFUSALS, Refusal};

/// What keys are derived with, besides what they are for.
const KEY_LABEL: &[u8] = b"iotsec/telemetry/spool/key/v1";
/// Of the journal among the logs; the classes have 0 to 3.
const JOURNAL: u8 = 4;
/// A page that holds one event is all erases.
const MIN_EVENTS: u32 = 2;

/// Pages of the region for each purpose, at least two each.
///
/// How many events a page of `page` bytes holds: `(page − 68) / 40`, both lengths in whole words. One page of a
/// class is always being filled or about to be overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// For acknowledgements and refused criticals.
    pub journal: u16,
    /// For [`Class::Critical`].
    pub critical: u16,
    /// For [`Class::Security`].
    pub security: u16,
    /// For [`Class::Health`].
    pub health: u16,
    /// For [`Class::Usage`].
    pub usage: u16,
}

/// What a spool is made of.
#[derive(Clone, Copy)]
pub struct SpoolParts<'k> {
    /// Where it lies.
    pub region: Region,
    /// How that is divided.
    pub quotas: Quotas,
    /// The events that this firmware records.
    pub registry: HashedRegistry,
    /// Seals what is stored; must survive a repeated nonce, as AES-256-GCM-SIV and ChaCha20-HMAC-SIV do.
    pub aead: &'k dyn Aead,
    /// Derives keys.
    pub kdf: &'k dyn Kdf,
}

impl core::fmt::Debug for SpoolParts<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SpoolParts")
            .field("region", &self.region)
            .field("quotas", &self.quotas)
            .finish_non_exhaustive()
    }
}

/// Whether a purge is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Call again.
    Pending,
    /// Nothing of a grant that has ended is left.
    Done,
}

/// A queue of events in flash.
///
/// See the [module](self) for what it keeps. `Debug` shows how many events wait, and nothing of what is in them.
///
/// ```
/// use iotsec_core::{crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256}, hal::Millis, secret::Secret};
/// use iotsec_telemetry::{
///     batch::{BatchKey, SizeClass, Sizes}, consent::Consents, detect::BOOT_LOOP, registry,
///     spool::{Purge, Quotas, Spool, SpoolParts},
/// };
/// # use iotsec_testkit::{Geometry, SimFlash, SimRng};
/// # let mut flash = SimFlash::new(Geometry::nrf52840(10));
/// # let mut rng = SimRng::new(1);
///
/// registry!(static PRODUCT = [BOOT_LOOP]);
/// let parts = SpoolParts {
///     region: flash.region()?,
///     quotas: Quotas { journal: 2, critical: 2, security: 2, health: 2, usage: 2 },
///     registry: PRODUCT.hashed(&mut Sha256::new()),
///     aead: &Aes256GcmSiv,
///     kdf: &HkdfSha256,
/// };
/// let (stored, wire) = (Secret::from_bytes([7; 32]), Secret::from_bytes([9; 32]));
/// let consents = Consents::off();
///
/// // At every boot, with a boot number that never repeats.
/// let mut spool = Spool::mount(&mut flash, parts, 7, &stored)?;
/// while spool.purge_step(&mut flash, &consents)? == Purge::Pending {}
/// spool.record(&mut flash, &consents, &BOOT_LOOP, &[3.into()], Millis::from_secs(1))?;
///
/// // After a power cut, when there is a connection.
/// let mut spool = Spool::mount(&mut flash, parts, 8, &stored)?;
/// while spool.purge_step(&mut flash, &consents)? == Purge::Pending {}
/// let key = BatchKey::new(&wire, &ChaCha20Poly1305, &HkdfSha256);
/// let (mut scratch, mut out) = ([0; 256], [0; 256]);
/// let sizes = Sizes::up_to(SizeClass::B256);
/// let sealed = spool.batch(&mut flash, &consents, &key, sizes, &mut rng, &mut scratch, &mut out)?;
/// let sealed = sealed.unwrap();
/// assert_eq!(sealed.events(), 1);
/// // Sent, and answered.
/// let receipt = sealed.into_receipt();
/// spool.ack(&mut flash, receipt)?;
/// assert!(spool.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Spool<'k> {
    medium: Medium<'k>,
    kdf: &'k dyn Kdf,
    registry: HashedRegistry,
    boot: u32,
    journal: Journal,
    rings: [Ring; 4],
    /// By purpose.
    next_sequence: [u32; 3],
    clock: Clock,
    /// The losses that the service has acknowledged in this boot.
    reported: Losses,
    flight: Option<Flight>,
    flights: u32,
    /// Events in a batch at most, while the service refuses some.
    most: usize,
    refusals: u8,
}

impl<'k> Spool<'k> {
    /// Looks at the flash in boot number `boot`, which must be higher at every boot. A region that holds no spool,
    /// or one under another key or cipher, is an empty one.
    ///
    /// `key` is for critical and security events and for what is counted, and stays the same; for the other
    /// classes see [`unlock`](Self::unlock).
    ///
    /// *Power loss:* nothing is written.
    ///
    /// # Errors
    /// [`SpoolError`]; the flash is as it was.
    pub fn mount<F: NorFlash>(
        flash: &mut F,
        parts: SpoolParts<'k>,
        boot: u32,
        key: &Secret<32>,
    ) -> Result<Self, SpoolError> {
        if !parts.aead.algorithm().survives_nonce_reuse() {
            return Err(SpoolError::AeadUnsuitable);
        }
        parts.region.check(flash)?;
        let medium = Medium {
            region: parts.region,
            aead: parts.aead,
        };
        let (journal, rings) = divide(&parts.region, &parts.quotas).ok_or(SpoolError::Layout)?;
        let journal_key = derive(parts.kdf, &parts.region, key, JOURNAL, 0)?;
        let journal = Journal::open(journal, &medium, flash, journal_key, boot)?;
        let mut spool = Self {
            medium,
            kdf: parts.kdf,
            registry: parts.registry,
            boot,
            journal,
            rings: rings.map(Ring::new),
            next_sequence: [0; 3],
            clock: Clock::default(),
            reported: Losses::default(),
            flight: None,
            flights: 0,
            most: usize::MAX,
            refusals: 0,
        };
        for class in [Class::Critical, Class::Security] {
            spool.open(flash, class, key, 0)?;
        }
        Ok(spool)
    }

    /// Gives the key of a purpose that is on: `key` belongs to this very grant. Once a boot, and after each grant.
    ///
    /// *Power loss:* nothing is written.
    ///
    /// # Errors
    /// [`RecordError::NotConsented`] when `P` is off; others of [`SpoolError`]. The purpose stays locked.
    ///
    /// ```
    /// # use embedded_storage::nor_flash::NorFlash;
    /// # use iotsec_core::secret::Secret;
    /// # use iotsec_telemetry::{consent::{Consents, Usage}, error::SpoolError, spool::Spool};
    /// # fn boot(
    /// #     spool: &mut Spool<'_>, flash: &mut impl NorFlash, consents: &Consents, stored: &Secret<32>,
    /// # ) -> Result<(), SpoolError> {
    /// if consents.live::<Usage>().is_some() {
    ///     spool.unlock::<Usage>(flash, consents, stored)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn unlock<P: ConsentPurpose>(
        &mut self,
        flash: &mut impl NorFlash,
        consents: &Consents,
        key: &Secret<32>,
    ) -> Result<(), SpoolError> {
        self.follow(consents);
        let grant = consents
            .grant_number(P::PURPOSE)
            .ok_or(RecordError::NotConsented)?;
        self.open(flash, class_of(P::PURPOSE), key, grant)
    }

    /// Records an event, and returns only once it would survive a power cut. `now` is taken in whole seconds, and
    /// not to be earlier than what was recorded before.
    ///
    /// Reads, writes and erases a few times however much waits: one erase at most.
    ///
    /// *Power loss:* the event is there or not. If its page had to be opened, the oldest page of the class is gone,
    /// and what waited in it is counted as lost.
    ///
    /// # Errors
    /// [`SpoolError`]; nothing is recorded. [`RecordError::Full`] for a critical event when the pages of its class are
    /// full of events that wait; it is counted as lost, in flash. [`RecordError::Expired`] once the last day of the event
    /// is over.
    pub fn record<F: NorFlash>(
        &mut self,
        flash: &mut F,
        consents: &Consents,
        event: &EventDef,
        values: &[Value<'_>],
        now: Millis,
    ) -> Result<EventId, SpoolError> {
        let code = code::encode(self.registry.registry(), event, values)?;
        self.follow(consents);
        let class = event.class();
        let purpose = class.purpose();
        if purpose.needs_consent() && consents.grant_number(purpose).is_none() {
            return Err(RecordError::NotConsented.into());
        }
        if !self.ring(class).is_open() {
            return Err(SpoolError::Locked);
        }
        let uptime = self.clock.advance(now);
        if self.registry.registry().has_expired(event, self.clock.now()) {
            return Err(RecordError::Expired.into());
        }
        let sequence = *purpose.part_of(&mut self.next_sequence);
        if sequence >= MAX_SEQUENCE || self.ring(class).next == u32::MAX {
            self.lose(class, 1);
            return Err(RecordError::Exhausted.into());
        }
        let entry = Entry {
            boot: self.boot,
            sequence,
            uptime,
            code,
        };
        let done = self.write(flash, class, entry);
        if done == Err(SpoolError::Record(RecordError::Full)) {
            self.lose(class, 1);
            let classes = core::iter::once(class);
            self.journal.save(&self.medium, flash, classes, self.boot)?;
        } else {
            // What failed may be there all the same: its numbers are used up.
            *purpose.part_of(&mut self.next_sequence) = sequence.saturating_add(1);
            let ring = self.ring_mut(class);
            ring.next = ring.next.saturating_add(1);
        }
        done.map(|()| EventId {
            purpose,
            boot: self.boot,
            sequence,
        })
    }

    /// Tells the wall-clock time at `uptime`, once it is trustworthy; see
    /// [`Queue::set_clock`](crate::queue::Queue::set_clock).
    pub fn set_clock(&mut self, uptime: Millis, now: UnixTime) {
        self.clock.set(uptime, now);
    }

    /// Turns `P` off as [`Consents::withdraw`] does, for a device without another queue: its events are forgotten in
    /// memory at once, and with them the key. Then remove the stored key, and call
    /// [`purge_step`](Self::purge_step) until the flash has forgotten them too.
    ///
    /// *Power loss:* as [`Consents::withdraw`] says. The purge goes on at the next boot.
    ///
    /// # Errors
    /// [`ConsentError::Storage`]. `P` is off until the next boot all the same.
    pub fn withdraw<P: ConsentPurpose>(
        &mut self,
        consents: &mut Consents,
        at: Option<UnixTime>,
        storage: &mut dyn ConsentStorage,
    ) -> Result<(), ConsentError> {
        consents.turn_off::<P>(at, storage, |consents| self.follow(consents))
    }

    /// Looks at one more page, and erases it if it may hold something of a grant that has ended. To be called until
    /// [`Purge::Done`] after mounting and after every withdrawal; no batch is made before that.
    ///
    /// *Power loss:* call it again after the next boot; the flash says what is left to do.
    ///
    /// # Errors
    /// [`SpoolError::Locked`] when a purpose is on whose key was not given: what belongs to it cannot be told from what
    /// does not. [`SpoolError`] of the flash.
    pub fn purge_step<F: NorFlash>(
        &mut self,
        flash: &mut F,
        consents: &Consents,
    ) -> Result<Purge, SpoolError> {
        self.follow(consents);
        for class in [Class::Health, Class::Usage] {
            let ring = self.ring(class);
            let index = ring.checked;
            if index >= ring.log.pages() {
                continue;
            }
            if !ring.is_open() && consents.grant_number(class.purpose()).is_some() {
                return Err(SpoolError::Locked);
            }
            if !ring.is_page_clean(&self.medium, flash, index)? {
                self.medium
                    .region
                    .erase_page(flash, ring.log.region_page(index))?;
            }
            self.ring_mut(class).checked = index.saturating_add(1);
            return Ok(Purge::Pending);
        }
        Ok(Purge::Done)
    }

    /// Events waiting, those in an unacknowledged batch included. Events that cannot be read count until the batch in
    /// whose place they would be is acknowledged.
    pub fn len(&self) -> u64 {
        Class::ALL.map(|class| u64::from(self.len_of(class))).iter().sum()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Events of `class` waiting.
    pub fn len_of(&self, class: Class) -> u32 {
        let ring = self.ring(class);
        ring.next.saturating_sub(self.base(class))
    }

    /// Events of `class` that were displaced, refused or set aside without having been acknowledged, and when. What is
    /// displaced while in a batch counts until that is acknowledged.
    pub fn loss(&self, class: Class) -> Loss {
        let (ring, account) = (self.ring(class), self.journal.account(class));
        let count = ring.lost.wrapping_add(account.lost);
        ring.span.joined(account.span).loss(count)
    }

    /// Takes over changes of consent: what was recorded under another grant is forgotten, its key first.
    fn follow(&mut self, consents: &Consents) {
        for class in [Class::Health, Class::Usage] {
            let grant = consents.grant_number(class.purpose()).unwrap_or_default();
            if self.journal.account(class).grant != grant {
                *self.journal.account_mut(class) = Account::new(grant);
                self.ring_mut(class).close();
                self.reported.clear(class);
                if let Some(flight) = &mut self.flight {
                    flight.forget(class);
                }
            }
        }
    }

    fn open<F: NorFlash>(
        &mut self,
        flash: &mut F,
        class: Class,
        key: &Secret<32>,
        grant: u32,
    ) -> Result<(), SpoolError> {
        let acked = self.journal.account(class).acked;
        let (medium, boot, registry) = (self.medium, self.boot, self.registry);
        let key = derive(self.kdf, &medium.region, key, class.number(), grant)?;
        let ring = self.ring_mut(class);
        ring.open(&medium, flash, key, boot, acked, registry.hash())
            .inspect_err(|_| ring.close())
    }

    fn write<F: NorFlash>(&mut self, flash: &mut F, class: Class, entry: Entry) -> Result<(), SpoolError> {
        let (medium, registry, now) = (self.medium, self.registry, self.now());
        let acked = self.journal.account(class).acked;
        let ring = self.ring_mut(class);
        if ring.needs_page() && !ring.open_page(&medium, flash, class, acked, now, registry.hash())? {
            return Err(RecordError::Full.into());
        }
        ring.append(&medium, flash, entry)
    }

    /// Counts events that are lost now, to be written with the account of their class.
    fn lose(&mut self, class: Class, more: u32) {
        let now = self.now();
        let account = self.journal.account_mut(class);
        account.lost = account.lost.wrapping_add(more);
        account.span.add(now);
    }

    const fn now(&self) -> LossTime {
        LossTime {
            boot: self.boot,
            uptime_s: self.clock.uptime(),
        }
    }

    /// Number of the first event of `class` that waits.
    fn base(&self, class: Class) -> u32 {
        self.ring(class).base(self.journal.account(class).acked)
    }

    const fn ring(&self, class: Class) -> &Ring {
        per_class(&self.rings, class)
    }

    const fn ring_mut(&mut self, class: Class) -> &mut Ring {
        per_class_mut(&mut self.rings, class)
    }
}

iotsec_core::claim! {
    provisions: ["6-3A", "6-6"],
    claims: "A withdrawal forgets at once what waits for its purpose, and erases the pages that held it",
    code: [Spool::purge_step],
    tests: [
        "iotsec-telemetry::spool::purge::withdrawal_forgets_at_once_and_then_erases_the_pages",
        "iotsec-telemetry::spool::purge::without_its_key_nothing_of_a_purpose_can_be_read",
    ],
}

iotsec_core::claim! {
    provisions: ["5.4-1"],
    claims: "Events that wait in flash show neither their content nor a key",
    code: [Spool::mount],
    tests: ["iotsec-telemetry::spool::hostile::what_is_stored_shows_neither_events_nor_keys"],
}

iotsec_core::claim! {
    provisions: ["5.9-1"],
    claims: "Events wait in flash for a connection; a power cut at any write loses none that was recorded, and every loss is counted",
    code: [Spool::record],
    tests: [
        "iotsec-telemetry::spool::power_cut::a_power_cut_at_every_write_loses_no_acknowledged_event_and_keeps_the_counts_exact",
        "iotsec-telemetry::spool::flood::a_flood_of_low_events_costs_the_spool_no_critical_one_and_every_loss_is_counted",
    ],
}

impl core::fmt::Debug for Spool<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Spool")
            .field("waiting", &Class::ALL.map(|class| self.len_of(class)))
            .field("lost", &Class::ALL.map(|class| self.loss(class).count))
            .finish_non_exhaustive()
    }
}

/// The journal, and the logs of the classes behind it.
fn divide(region: &Region, quotas: &Quotas) -> Option<(Log, [Log; 4])> {
    let sizes = [quotas.critical, quotas.security, quotas.health, quotas.usage];
    let mut first = u32::from(quotas.journal);
    let journal = Log::new(region, JOURNAL, 0, first, ACCOUNT, MIN_SLOTS)?;
    let mut logs = [journal; 4];
    for ((log, class), pages) in logs.iter_mut().zip(Class::ALL).zip(sizes) {
        let pages = u32::from(pages);
        *log = Log::new(region, class.number(), first, pages, EVENT, MIN_EVENTS)?;
        first = first.checked_add(pages)?;
    }
    let fits = first <= region.page_count() && usize::try_from(region.word_size()).ok()? <= medium::MAX_PIECE;
    fits.then_some((journal, logs))
}

/// The key of one log, which is of use for this log in this region only.
fn derive(
    kdf: &dyn Kdf,
    region: &Region,
    key: &Secret<32>,
    log: u8,
    grant: u32,
) -> Result<Secret<32>, CryptoError> {
    let mut out = Secret::zero();
    let (grant, page) = (grant.to_le_bytes(), region.page_size().to_le_bytes());
    let word = region.word_size().to_le_bytes();
    let info: [&[u8]; 6] = [KEY_LABEL, &[log], &grant, &page, &word, &[region.erased()]];
    kdf.hkdf(KEY_LABEL, key.expose(), &info, out.expose_mut())?;
    Ok(out)
}

const fn class_of(purpose: Purpose) -> Class {
    match purpose {
        Purpose::Usage => Class::Usage,
        _ => Class::Health,
    }
}

const fn per_class<T>([critical, security, health, usage]: &[T; 4], class: Class) -> &T {
    match class {
        Class::Critical => critical,
        Class::Security => security,
        Class::Health => health,
        Class::Usage => usage,
    }
}

const fn per_class_mut<T>([critical, security, health, usage]: &mut [T; 4], class: Class) -> &mut T {
    match class {
        Class::Critical => critical,
        Class::Security => security,
        Class::Health => health,
        Class::Usage => usage,
    }
}
