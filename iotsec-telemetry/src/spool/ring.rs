//! The pages of one class.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::secret::Secret;

use super::{
    error::SpoolError,
    log::{Head, Log},
    medium::{Found, Medium, is_blank},
    span::Span,
};
use crate::{
    loss::LossTime,
    registry::{Class, REGISTRY_HASH_LEN},
    segment::Entry,
};

/// Numbers of an event in its slot.
pub(super) const EVENT: usize = 6;

/// A place in the ring to read from: sequence number of the page, and slot.
pub(super) type Cursor = (u32, u32);

pub(super) struct Ring {
    pub(super) log: Log,
    key: Secret<32>,
    /// Whether the key is here and the pages were looked at.
    is_open: bool,
    /// Events before this one were displaced, if they had not left before.
    pub(super) passed: u32,
    /// Displaced without having been acknowledged.
    pub(super) lost: u32,
    pub(super) span: Span,
    /// Number of the next event.
    pub(super) next: u32,
    /// Whether the newest page is for the present registry.
    is_ours: bool,
    /// Nothing that waits is before it.
    pub(super) front: Cursor,
    /// Pages known to hold nothing of a grant that has ended.
    pub(super) checked: u32,
}

/// An event with its number in the ring.
#[derive(Clone, Copy)]
pub(super) struct Numbered {
    pub(super) entry: Entry,
    pub(super) number: u32,
}

impl Numbered {
    const fn to_numbers(self) -> [u32; EVENT] {
        let Entry {
            boot,
            sequence,
            uptime,
            code,
        } = self.entry;
        let [a, b, c, d, e, f, g, h] = code.to_le_bytes();
        let (low, high) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        [low, high, boot, sequence, uptime, self.number]
    }

    fn from_numbers([low, high, boot, sequence, uptime, number]: [u32; EVENT]) -> Self {
        Self {
            entry: Entry {
                boot,
                sequence,
                uptime,
                code: u64::from(high) << 32 | u64::from(low),
            },
            number,
        }
    }
}

impl Ring {
    pub(super) const fn new(log: Log) -> Self {
        Self {
            log,
            key: Secret::zero(),
            is_open: false,
            passed: 0,
            lost: 0,
            span: Span::NEVER,
            next: 0,
            is_ours: false,
            front: (1, 0),
            checked: 0,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Forgets everything, the key first of all.
    pub(super) fn close(&mut self) {
        let mut log = self.log;
        log.reset();
        *self = Self::new(log);
    }

    /// Looks at the pages with `key`, in boot number `boot`; events before `acked` were acknowledged.
    pub(super) fn open<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: Secret<32>,
        boot: u32,
        acked: u32,
        registry: &[u8; REGISTRY_HASH_LEN],
    ) -> Result<(), SpoolError> {
        self.close();
        self.key = key;
        let newest = self.log.find(medium, flash, &self.key)?;
        self.next = acked;
        if let Some(head) = newest {
            self.resume(medium, flash, boot, head, registry)?;
            self.next = self.next.max(acked);
            self.front = self.find_front(medium, flash, self.base(acked))?;
        }
        self.is_open = true;
        Ok(())
    }

    fn resume<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        boot: u32,
        mut head: Head,
        registry: &[u8; REGISTRY_HASH_LEN],
    ) -> Result<(), SpoolError> {
        let end = self.log.end::<F, EVENT>(medium, flash, &self.key)?;
        let last = end.last.map(|(_, numbers)| Numbered::from_numbers(numbers));
        let last_boot = last.map_or(head.boot, |last| last.entry.boot);
        if head.boot >= boot || last_boot >= boot {
            return Err(SpoolError::Boot);
        }
        let after = last.map_or(head.start, |last| last.number.saturating_add(1));
        // What was cut short and left a trace has its number too, and will be counted as lost.
        self.next = after.saturating_add(end.torn);
        if end.end == 0 {
            // Its head may have been cut short and read right by luck. Nothing is behind it, so it is written
            // again; the page before says the same of what was displaced, once that is worked out again.
            self.log.newest = self.log.newest.saturating_sub(1);
            if self.log.newest >= self.log.oldest
                && let Some(previous) = self.log.head(medium, flash, &self.key, self.log.newest)?
            {
                head = previous;
            }
        } else {
            self.log.resume(end.end, last_boot, boot);
            self.is_ours = head.registry == *registry;
        }
        (self.passed, self.lost, self.span) = (head.passed, head.lost, head.span);
        Ok(())
    }

    /// The page with the first event that waits.
    fn find_front<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        base: u32,
    ) -> Result<Cursor, SpoolError> {
        for sequence in (self.log.oldest..=self.log.newest).rev() {
            let head = self.log.head(medium, flash, &self.key, sequence)?;
            if head.is_some_and(|head| head.start <= base) {
                return Ok((sequence, 0));
            }
        }
        Ok((self.log.oldest, 0))
    }

    /// Number of the first event that waits.
    pub(super) fn base(&self, acked: u32) -> u32 {
        self.passed.max(acked)
    }

    /// Whether the next event needs another page.
    pub(super) const fn needs_page(&self) -> bool {
        self.log.newest == 0 || self.log.is_full() || !self.is_ours
    }

    /// Takes the next page, and displaces what is in it. `false` when that is not allowed to this class.
    pub(super) fn open_page<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        class: Class,
        acked: u32,
        now: LossTime,
        registry: &[u8; REGISTRY_HASH_LEN],
    ) -> Result<bool, SpoolError> {
        let base = self.base(acked);
        let mut head = Head {
            start: self.next,
            passed: self.passed,
            lost: self.lost,
            span: self.span,
            boot: now.boot,
            registry: *registry,
        };
        if let Some(victim) = self.log.victim() {
            let end = self.start_behind(medium, flash, victim)?;
            let displaced = end.saturating_sub(base);
            if displaced > 0 && class == Class::Critical {
                return Ok(false);
            }
            if displaced > 0 {
                head.passed = end;
                head.lost = head.lost.wrapping_add(displaced);
                head.span.add(now);
            }
        }
        self.log.open_page(medium, flash, &self.key, &head)?;
        (self.passed, self.lost, self.span) = (head.passed, head.lost, head.span);
        self.is_ours = true;
        if self.front.0 < self.log.oldest {
            self.front = (self.log.oldest, 0);
        }
        Ok(true)
    }

    /// Number of the first event behind page `sequence`.
    fn start_behind<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        sequence: u32,
    ) -> Result<u32, SpoolError> {
        for sequence in sequence.saturating_add(1)..=self.log.newest {
            if let Some(head) = self.log.head(medium, flash, &self.key, sequence)? {
                return Ok(head.start);
            }
        }
        Ok(self.next)
    }

    /// Writes the next event.
    pub(super) fn append<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        entry: Entry,
    ) -> Result<(), SpoolError> {
        let event = Numbered {
            entry,
            number: self.next,
        };
        self.log.append(medium, flash, &self.key, event.to_numbers())
    }

    /// The head of page `sequence`.
    pub(super) fn head<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        sequence: u32,
    ) -> Result<Option<Head>, SpoolError> {
        self.log.head(medium, flash, &self.key, sequence)
    }

    /// The event at `at`, if one can be read there.
    pub(super) fn read<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        (sequence, slot): Cursor,
    ) -> Result<Option<Numbered>, SpoolError> {
        let place = self.log.slot(&medium.region, sequence, slot);
        Ok(match medium.open(flash, &place, &self.key)? {
            Found::Good(numbers) => Some(Numbered::from_numbers(numbers)),
            _ => None,
        })
    }

    /// Whether page `index` holds nothing, or what was recorded under the grant that is live.
    pub(super) fn is_page_clean<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        index: u32,
    ) -> Result<bool, SpoolError> {
        if self.is_open
            && let Some((sequence, _)) = self.log.head_at(medium, flash, &self.key, index)?
            && sequence >= self.log.oldest
            && sequence <= self.log.next_sequence()
        {
            return Ok(true);
        }
        Ok(is_blank(&medium.region, flash, self.log.region_page(index))?)
    }
}
