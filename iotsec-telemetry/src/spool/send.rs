//! Batches of what waits in flash, and what becomes of them.

use embedded_storage::nor_flash::NorFlash;
use rand_core::TryCryptoRng;

use super::{
    Spool,
    error::SpoolError,
    per_class_mut,
    ring::{Cursor, Numbered},
    staged::{Packed, Packer},
};
use crate::{
    batch::{self, SealTo, SealedBatch, Sizes},
    code,
    consent::Consents,
    error::BatchError,
    loss::Losses,
    merge::{self, Merge},
    queue::Receipt,
    registry::{Class, Purpose, REGISTRY_HASH_LEN},
    stream::{Numbers, Stream},
};

/// How often the service may refuse one and the same event before it is set aside.
pub const MAX_REFUSALS: u8 = 3;
/// Slots of one class that are looked at for one batch: three times what the longest batch can hold.
const MAX_SLOTS: u32 = 1536;

/// The last batch.
#[derive(Clone, Copy)]
pub(super) struct Flight {
    number: u32,
    purpose: Purpose,
    /// The losses that it tells.
    lost: Losses,
    /// Events in it.
    events: usize,
    /// Of the classes of its purpose.
    sent: [Sent; 2],
}

impl Flight {
    /// Acknowledging it says nothing of `class` any more, which is the only one of its purpose.
    pub(super) fn forget(&mut self, class: Class) {
        if class.purpose() == self.purpose {
            self.sent = [Sent::default(); 2];
        }
        self.lost.clear(class);
    }
}

/// What of one class is in a batch.
#[derive(Clone, Copy, Default)]
struct Sent {
    /// Number of the first event that waited.
    from: u32,
    /// Behind the last event that is in the batch, or could not be read.
    to: u32,
    /// Events in the batch.
    count: u32,
    /// Where to read on.
    cursor: Option<Cursor>,
}

/// What is packed for a batch.
struct Staged {
    purpose: Purpose,
    /// The losses to tell.
    lost: Losses,
    /// Of the classes of the purpose.
    sent: [Sent; 2],
    /// From where to where each class lies in the buffer.
    packed: [(usize, usize); 2],
    registry: [u8; REGISTRY_HASH_LEN],
}

impl Staged {
    /// How many events of each class are packed.
    fn available(&self) -> [usize; 2] {
        self.sent
            .map(|sent| usize::try_from(sent.count).unwrap_or(usize::MAX))
    }
}

impl Sent {
    /// Events that could not be read.
    const fn unreadable(&self) -> u32 {
        self.to.saturating_sub(self.from).saturating_sub(self.count)
    }
}

/// What was done about a batch that the service has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It will be tried again, with fewer events.
    Again,
    /// The event that was alone in it was refused too often. It is counted as lost.
    SetAside,
}

impl Spool<'_> {
    /// Seals the most urgent events, as many as fit, into `out`, all of one purpose, to be filed under the name of the
    /// device; see [`Queue::batch`](crate::queue::Queue::batch). Nothing leaves the spool before [`ack`](Self::ack).
    ///
    /// Reads each event once, and writes nothing. Meanwhile the events are in `out`, where they take about a fifth
    /// more than in the batch: with an `out` that is longer than the largest size, batches are fuller.
    ///
    /// # Errors
    /// [`SpoolError::Unpurged`] and [`SpoolError::Locked`] until [`purge_step`](Self::purge_step) is done;
    /// others of [`SpoolError`]. Everything stays in the spool.
    #[expect(clippy::too_many_arguments, reason = "as the queue's, and the flash")]
    pub fn batch<'a, F: NorFlash, S: SealTo, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        consents: &'a Consents,
        key: &S,
        sizes: Sizes,
        rng: &mut R,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, SpoolError> {
        self.begin(consents)?;
        for purpose in Purpose::ALL {
            if let Some(staged) = self.stage(flash, purpose, sizes, out)? {
                let stream = Stream::named(purpose);
                return self
                    .seal(&staged, &stream, key, sizes, rng, scratch, out)
                    .map(Some);
            }
        }
        Ok(None)
    }

    /// The same for one [`Stream`]; see [`Queue::batch_for`](crate::queue::Queue::batch_for).
    ///
    /// # Errors
    /// As [`batch`](Self::batch); [`BatchError::Boot`].
    ///
    /// ```
    /// # use embedded_storage::nor_flash::NorFlash;
    /// # use iotsec_telemetry::{batch::{BatchKey, SealedBatch, Sizes}, consent::Consents, error::SpoolError};
    /// # use iotsec_telemetry::{registry::Purpose, spool::Spool, stream::Stream};
    /// # use rand_core::TryCryptoRng;
    /// fn usage<'a>(
    ///     spool: &mut Spool<'_>, flash: &mut impl NorFlash, consents: &'a Consents, key: &BatchKey<'_>, sizes: Sizes,
    ///     rng: &mut impl TryCryptoRng, scratch: &mut [u8], out: &'a mut [u8],
    /// ) -> Result<Option<SealedBatch<'a>>, SpoolError> {
    ///     let stream = Stream::named(Purpose::Usage);
    ///     spool.batch_for(flash, &stream, consents, key, sizes, rng, scratch, out)
    /// }
    /// ```
    #[expect(clippy::too_many_arguments, reason = "those of `batch`, and the stream")]
    pub fn batch_for<'a, F: NorFlash, N: Numbers, S: SealTo, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        stream: &Stream<N>,
        consents: &'a Consents,
        key: &S,
        sizes: Sizes,
        rng: &mut R,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, SpoolError> {
        self.begin(consents)?;
        let Some(staged) = self.stage(flash, stream.purpose(), sizes, out)? else {
            return Ok(None);
        };
        self.seal(&staged, stream, key, sizes, rng, scratch, out)
            .map(Some)
    }

    fn begin(&mut self, consents: &Consents) -> Result<(), SpoolError> {
        self.follow(consents);
        self.check_purged(consents)?;
        self.flight = None;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "those of `batch_for`")]
    fn seal<'a, N: Numbers, S: SealTo, R: TryCryptoRng + ?Sized>(
        &mut self,
        staged: &Staged,
        stream: &Stream<N>,
        key: &S,
        sizes: Sizes,
        rng: &mut R,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<SealedBatch<'a>, SpoolError> {
        let largest = sizes.largest();
        let plain = scratch.get_mut(..key.plain_len(largest));
        let plain = plain.ok_or(BatchError::Buffer)?;
        let header = batch::Header {
            registry: &staged.registry,
            purpose: staged.purpose,
            boot: self.boot,
            started: self.clock.started(),
            lost: staged.lost,
        };
        let mut sent = staged.sent;
        let available = staged.available();
        let streams = staged
            .packed
            .map(|(from, to)| Packed::new(out.get(from..to).unwrap_or_default()));
        let events = |chosen| Merge::new(streams.clone(), merge::quota(available, chosen));
        let total = available.iter().sum::<usize>().min(self.most);
        let (chosen, len) = batch::fill(plain, stream, &header, total, events)?;
        for ((sent, stream), quota) in sent.iter_mut().zip(streams).zip(merge::quota(available, chosen)) {
            sent.keep(stream, quota);
        }
        let out = out.get_mut(..largest.sealed_len()).ok_or(BatchError::Buffer)?;
        let bytes = key.seal_message(batch::DOMAIN, sizes, rng, plain, len, out)?;
        self.flights = self.flights.wrapping_add(1);
        self.flight = Some(Flight {
            number: self.flights,
            purpose: staged.purpose,
            lost: staged.lost,
            events: chosen,
            sent,
        });
        Ok(SealedBatch::new(bytes, chosen, Receipt::new(self.flights)))
    }

    /// Forgets the events of the last batch, which the service has acknowledged. One erase at most.
    ///
    /// *Power loss:* what is not marked as acknowledged yet goes out again, under the numbers that it had.
    ///
    /// # Errors
    /// [`BatchError::StaleReceipt`] when another batch was made since, whose events still wait; failures of the
    /// flash, after which some of the events go out again.
    pub fn ack<F: NorFlash>(&mut self, flash: &mut F, receipt: Receipt) -> Result<(), SpoolError> {
        let flight = self.take_flight(receipt)?;
        self.settle(flash, &flight)?;
        self.reported.take(flight.purpose, &flight.lost);
        self.most = self.most.saturating_mul(2);
        self.refusals = 0;
        Ok(())
    }

    /// Takes note that the service has refused the last batch, for what is in it and not for want of a connection.
    ///
    /// The next one has half as many events, until the one that is at fault is alone; after [`MAX_REFUSALS`]
    /// refusals that is set aside and counted as lost. One erase at most.
    ///
    /// *Power loss:* the refusals so far are forgotten.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    ///
    /// ```
    /// # use embedded_storage::nor_flash::NorFlash;
    /// # use iotsec_telemetry::{batch::SealedBatch, error::SpoolError, spool::{Refusal, Spool}};
    /// # fn answered(
    /// #     spool: &mut Spool<'_>, flash: &mut impl NorFlash, sent: SealedBatch<'_>, status: u16,
    /// # ) -> Result<(), SpoolError> {
    /// match status {
    ///     200..300 => spool.ack(flash, sent.into_receipt())?,
    ///     400 | 413 | 422 => _ = spool.refused(flash, sent.into_receipt())?,
    ///     _ => {} // Later.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn refused<F: NorFlash>(&mut self, flash: &mut F, receipt: Receipt) -> Result<Refusal, SpoolError> {
        let mut flight = self.take_flight(receipt)?;
        if flight.events > 1 {
            self.most = flight.events.checked_div(2).unwrap_or(1);
            self.refusals = 0;
            return Ok(Refusal::Again);
        }
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals < MAX_REFUSALS {
            return Ok(Refusal::Again);
        }
        self.refusals = 0;
        for sent in &mut flight.sent {
            // As if it could not be read.
            sent.count = 0;
        }
        self.settle(flash, &flight)?;
        if flight.events == 0 {
            // Nothing but the losses: they are told again when there is something else to tell.
            self.reported.take(flight.purpose, &flight.lost);
        }
        Ok(Refusal::SetAside)
    }

    #[expect(clippy::needless_pass_by_value, reason = "a receipt counts once")]
    fn take_flight(&mut self, receipt: Receipt) -> Result<Flight, SpoolError> {
        let flight = self.flight.filter(|flight| receipt.is_of(flight.number));
        let flight = flight.ok_or(BatchError::StaleReceipt)?;
        self.flight = None;
        Ok(flight)
    }

    /// Moves what is in `flight` out of the spool.
    fn settle<F: NorFlash>(&mut self, flash: &mut F, flight: &Flight) -> Result<(), SpoolError> {
        let mut changed = [false; 4];
        for (class, sent) in flight.purpose.pair().into_iter().zip(flight.sent) {
            if sent.to <= sent.from {
                continue;
            }
            let displaced = self.ring(class).passed.min(sent.to).saturating_sub(sent.from);
            let unreadable = sent.unreadable();
            if unreadable > 0 {
                self.lose(class, unreadable);
            }
            let account = self.journal.account_mut(class);
            account.lost = account.lost.wrapping_sub(displaced);
            account.acked = account.acked.max(sent.to);
            let ring = self.ring_mut(class);
            if let Some(cursor) = sent.cursor.filter(|(sequence, _)| *sequence >= ring.log.oldest) {
                ring.front = cursor;
            }
            *per_class_mut(&mut changed, class) = true;
        }
        let classes = Class::ALL.into_iter().zip(changed);
        let classes = classes.filter_map(|(class, changed)| changed.then_some(class));
        self.journal.save(&self.medium, flash, classes, self.boot)
    }

    fn check_purged(&self, consents: &Consents) -> Result<(), SpoolError> {
        for class in [Class::Health, Class::Usage] {
            let ring = self.ring(class);
            if !ring.is_open() && consents.grant_number(class.purpose()).is_some() {
                return Err(SpoolError::Locked);
            }
            if ring.checked < ring.log.pages() {
                return Err(SpoolError::Unpurged);
            }
        }
        Ok(())
    }

    /// Packs the most urgent events of `purpose` into `out`, all of one registry. `None` when there is nothing to tell.
    fn stage<F: NorFlash>(
        &mut self,
        flash: &mut F,
        purpose: Purpose,
        sizes: Sizes,
        out: &mut [u8],
    ) -> Result<Option<Staged>, SpoolError> {
        if out.len() < sizes.largest().sealed_len() {
            return Err(BatchError::Buffer.into());
        }
        let mut staged = Staged {
            purpose,
            lost: Losses::default(),
            sent: [Sent::default(); 2],
            packed: [(0, 0); 2],
            registry: *self.registry.hash(),
        };
        let (mut registry, mut used, mut left, mut is_full) = (None, 0, self.most, false);
        let places = staged.sent.iter_mut().zip(&mut staged.packed);
        for (class, (sent, packed)) in purpose.classes().iter().zip(places) {
            staged.lost.merge(*class, self.loss(*class));
            if is_full {
                continue;
            }
            let mut packer = Packer::new(out.get_mut(used..).unwrap_or_default());
            (*sent, is_full) = self.stage_class(flash, *class, &mut registry, &mut packer, left)?;
            let end = packer.len().saturating_add(used);
            left = left.saturating_sub(packer.count);
            staged.lost.add(*class, sent.unreadable(), self.now());
            *packed = (used, end);
            used = end;
        }
        staged.registry = registry.unwrap_or(staged.registry);
        let has_news = staged.available() != [0; 2] || !staged.lost.agrees(purpose, &self.reported);
        Ok(has_news.then_some(staged))
    }

    /// Also tells whether something found no room.
    fn stage_class<F: NorFlash>(
        &mut self,
        flash: &mut F,
        class: Class,
        registry: &mut Option<[u8; REGISTRY_HASH_LEN]>,
        packer: &mut Packer<'_>,
        most: usize,
    ) -> Result<(Sent, bool), SpoolError> {
        let from = self.base(class);
        let ring = self.ring(class);
        let mut sent = Sent {
            from,
            to: from,
            count: 0,
            cursor: None,
        };
        let mut at = ring.front;
        let (mut head, mut is_full) = (None, false);
        for _ in 0..MAX_SLOTS {
            let (sequence, slot) = at;
            let is_behind = slot >= ring.log.end_of(sequence);
            if sequence > ring.log.newest || (sequence == ring.log.newest && is_behind) {
                // What is missing at the end will not come any more.
                sent.to = ring.next.max(from);
                break;
            }
            if is_behind {
                at = (sequence.saturating_add(1), 0);
                head = None;
                continue;
            }
            if head.is_none() {
                head = ring.head(&self.medium, flash, sequence)?;
            }
            let Some(head) = head else {
                at = (sequence.saturating_add(1), 0);
                continue;
            };
            if registry.is_some_and(|registry| registry != head.registry) {
                sent.to = sent.to.max(head.start);
                break;
            }
            let event = ring.read(&self.medium, flash, at)?;
            let event = event.filter(|event| self.is_sendable(class, event, &head.registry, sent.to));
            let event = event.filter(|event| packer.last().is_none_or(|last| last.is_before(event)));
            if let Some(event) = event {
                if packer.count >= most || !packer.push(event, at) {
                    is_full = true;
                    break;
                }
                *registry = Some(head.registry);
                sent.to = event.number.saturating_add(1);
                sent.count = sent.count.saturating_add(1);
            }
            at = (sequence, slot.saturating_add(1));
        }
        sent.cursor = Some(at);
        if sent.count == 0 {
            // Nothing before it can be read.
            self.ring_mut(class).front = at;
        }
        Ok((sent, is_full))
    }

    /// Whether an event may go into a batch, behind those before `from`.
    fn is_sendable(
        &self,
        class: Class,
        event: &Numbered,
        registry: &[u8; REGISTRY_HASH_LEN],
        from: u32,
    ) -> bool {
        let is_declared = registry != self.registry.hash()
            || code::decode(self.registry.registry(), event.entry.code)
                .is_some_and(|decoded| decoded.definition.class() == class);
        is_declared && event.number >= from && event.entry.boot <= self.boot
    }
}

impl Numbered {
    fn is_before(&self, other: &Self) -> bool {
        let key = |event: &Self| (event.entry.boot, event.entry.sequence);
        key(self) < key(other)
    }
}

impl Sent {
    /// Leaves the first `quota` of the events that were packed.
    fn keep(&mut self, mut packed: Packed<'_>, quota: usize) {
        let quota = u32::try_from(quota).unwrap_or(u32::MAX);
        if quota >= self.count {
            return;
        }
        (self.to, self.cursor) = (self.from, None);
        for _ in 0..quota {
            if let Some(event) = packed.next_numbered() {
                self.to = event.number.saturating_add(1);
                self.cursor = Some(packed.at);
            }
        }
        self.count = quota;
    }
}
