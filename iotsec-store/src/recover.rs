//! Applying the records of the log, page by page, to the index.

use embedded_storage::nor_flash::NorFlash;

use crate::{
    KeyDomain, ReplayLevel, Store, StoreError,
    header::{Header, Member},
    log::Head,
    page::Opened,
    place::Place,
    record::{Kind, Position},
};

/// Reads before the last record counts. What it says is written once more before anything else.
const LAST_READS: usize = 4;

impl Store<'_> {
    /// Applies the records of a page behind which the log goes on, up to where it said that this one ends.
    pub(crate) fn replay_page<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        this: &Opened,
        next: &Opened,
    ) -> Result<(), StoreError> {
        self.enter(sequence, this);
        let start = self.start(this);
        let mut head = Head {
            sequence,
            end: self.layout.head_len(),
            ..Head::NONE
        };
        while head.end < next.sure {
            let position = Position {
                sequence,
                offset: head.end,
            };
            let (header, sum) = self.header_at(flash, position)?.ok_or(StoreError::Tampered)?;
            self.pass(position, start);
            self.apply(flash, &header, position, start, false)?;
            head.sum = head.sum.wrapping_add(sum);
            head.end = head.end.saturating_add(self.layout.record_len(&header));
        }
        if head.end != next.sure || head.check() != next.sum {
            return Err(StoreError::Tampered);
        }
        // The last one may have been cut short. If it was, it is here no more, or once more in the next
        // page.
        let position = Position {
            sequence,
            offset: head.end,
        };
        if next.doubt > 0
            && let Some((header, _)) = self.header_at(flash, position)?
            && self.is_whole(flash, position, &header, LAST_READS)?
        {
            self.doubtful = Some((header, position));
            if header.kind != Kind::Commit {
                self.apply(flash, &header, position, start, true)?;
            }
        }
        Ok(())
    }

    /// Applies the records of the newest page. Its last one may have been cut short, and then does not count. Returns
    /// what the log says that the monotonic counter is at.
    pub(crate) fn replay_head<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        this: &Opened,
    ) -> Result<u64, StoreError> {
        self.enter(sequence, this);
        let start = self.start(this);
        let mut head = Head {
            sequence,
            end: self.layout.head_len(),
            ..Head::NONE
        };
        let mut counted = this.counter;
        let mut last: Option<(Header, Position, u64)> = None;
        loop {
            let position = Position {
                sequence,
                offset: head.end,
            };
            let Some((header, sum)) = self.header_at(flash, position)? else {
                break;
            };
            // Another record follows, so the one before was written to its end.
            let before = last.replace((header, position, sum));
            if let Some((header, position, sum)) = before {
                self.pass(position, start);
                self.apply(flash, &header, position, start, false)?;
                head.sum = head.sum.wrapping_add(sum);
                counted = counted.saturating_add(self.counts(this, &header));
            }
            head.end = head.end.saturating_add(self.layout.record_len(&header));
        }
        if head.end < start {
            // The copies were complete before the page had its head.
            return Err(StoreError::Tampered);
        }
        head.sure = head.end;
        let mut torn = head.end.saturating_add(self.layout.max_record());
        if let Some((header, position, sum)) = last {
            if position.offset < start {
                self.apply(flash, &header, position, start, false)?;
                head.sum = head.sum.wrapping_add(sum);
            } else if self.is_whole(flash, position, &header, LAST_READS)? {
                head.sure = position.offset;
                counted = counted.saturating_add(self.counts(this, &header));
                if header.member != Member::Single {
                    // Its transaction was cut.
                    head.end = head.sure;
                } else {
                    self.doubtful = Some((header, position));
                    // A transaction counts when this is certain: `Store::mount`.
                    if header.kind != Kind::Commit {
                        self.apply(flash, &header, position, start, true)?;
                    }
                }
            } else {
                // Torn bits may have passed for the header, and then its length says nothing.
                (head.sure, head.end) = (position.offset, position.offset);
                torn = position.offset.saturating_add(self.layout.max_record());
            }
        }
        self.check_blank(flash, sequence, torn)?;
        self.head = head;
        Ok(counted)
    }

    /// One for a record that moves the monotonic counter, if there is one.
    fn counts(&self, this: &Opened, header: &Header) -> u64 {
        u64::from(
            this.counter > 0
                && self.replay.level() == ReplayLevel::EachWrite
                && header.member == Member::Single
                && !header.copy,
        )
    }

    fn open_unless<F: NorFlash>(
        &mut self,
        opened: bool,
        flash: &mut F,
        position: Position,
        header: &Header,
    ) -> Result<(), StoreError> {
        if opened {
            return Ok(());
        }
        self.open_at(flash, position, header)
    }

    fn enter(&mut self, sequence: u32, this: &Opened) {
        if !this.in_transaction {
            self.index.abort();
            // Whoever opened this page read no commit at the end of the one before. If it reads right again by now, it
            // must not complete what came since.
            self.doubtful = self.doubtful.filter(|(header, _)| header.kind != Kind::Commit);
        }
        if this.generation > self.user_generation {
            // The record of an erasure that was the last one of the page before reads right no more.
            self.index.remove_domain(KeyDomain::User);
            self.scrub_until = Some(sequence.saturating_sub(1));
        }
        self.user_generation = this.generation;
    }

    /// Notes that a record stands at `position`. Behind the copies with which a page begins, at `start`, the first one
    /// since the power went says again what was in doubt, if whoever wrote it could read that.
    fn pass(&mut self, position: Position, start: u32) {
        if position.offset >= start {
            self.doubtful = self.doubtful.filter(|(header, _)| header.kind == Kind::Commit);
        }
    }

    /// Whether a record opens, each of `times` times that it is read.
    fn is_whole<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: &Header,
        times: usize,
    ) -> Result<bool, StoreError> {
        let key_fits = self.key_generation == Some(self.user_generation);
        if !key_fits && header.kind.is_value() && header.domain == KeyDomain::User {
            // It cannot be opened, and must not be dropped either: what it replaced would come back, if only until the
            // erasure that follows, and the index may have no room for that.
            return Ok(true);
        }
        for _ in 0..times {
            match self.open_at(flash, position, header) {
                Ok(()) => {}
                Err(StoreError::Tampered) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Takes note of a record. `start` is where the copies of its page end. `opened` says that it was found to be whole
    /// just now, and that its value is in the buffer: it may not read right once more.
    fn apply<F: NorFlash>(
        &mut self,
        flash: &mut F,
        header: &Header,
        position: Position,
        start: u32,
        opened: bool,
    ) -> Result<(), StoreError> {
        if !header.copy && header.member != Member::Next && header.kind != Kind::Commit {
            // Whatever was pending before was given up.
            self.index.abort();
        }
        let place = Place::of(header, position);
        match header.kind {
            // `get` opens it. A copy behind `start` says again what may have been lost, and replaces what that did.
            Kind::Put | Kind::Count if !header.copy || position.offset >= start => self.index.replace(&place),
            Kind::Put | Kind::Count | Kind::Damaged => self.index.renew(&place),
            Kind::Remove => match self.open_unless(opened, flash, position, header) {
                Ok(()) if place.gone => self.index.replace(&place),
                Ok(()) => {
                    self.index.remove(place.key);
                    Ok(())
                }
                Err(StoreError::Tampered) => self.index.replace(&Place {
                    damaged: true,
                    gone: false,
                    ..place
                }),
                Err(error) => Err(error),
            },
            Kind::Commit => {
                self.open_unless(opened, flash, position, header)?;
                self.index.commit();
                self.doubtful = None;
                Ok(())
            }
            Kind::Erase => {
                self.open_unless(opened, flash, position, header)?;
                let generation = self.value().first_chunk().ok_or(StoreError::Layout)?;
                self.user_generation = u32::from_le_bytes(*generation);
                self.index.remove_domain(header.domain);
                self.scrub_until = Some(position.sequence);
                Ok(())
            }
        }
    }
}
