//! Applying the records of the log, page by page, to the index.

use embedded_storage::nor_flash::NorFlash;

use crate::{
    KeyDomain, ReplayLevel, Store, StoreError,
    header::{COPY, Found, Header, NEXT},
    layout::LAST_READS,
    log::Head,
    page::Opened,
    place::Place,
    record::{Kind, Position},
};

impl Store<'_> {
    /// Applies the records of a page behind which the log goes on, up to where it said that this one ends.
    pub(crate) fn replay_page<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        this: &Opened,
        next: &Opened,
    ) -> Result<(), StoreError> {
        let mut chain = Chain::new(sequence);
        self.chain(flash, &mut chain, this, next.sure())?;
        if let Some(last) = chain.last {
            self.take(flash, &mut chain, &last)?;
        }
        if chain.head.end != next.sure() || chain.head.check() != next.sum() {
            return Err(StoreError::Tampered);
        }
        // The last one may have been cut short. If it was, it is here no more, or once more in the next
        // page.
        let mut last = Found::at(chain.head.position());
        if next.doubt() > 0
            && self.find_at(flash, &mut last)?
            && self.is_whole(flash, last.position, last.header)?
        {
            self.doubt(flash, &chain, &last)?;
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
        let mut chain = Chain::new(sequence);
        self.chain(flash, &mut chain, this, u32::MAX)?;
        let end = chain.head.end;
        if end < chain.start {
            // The copies were complete before the page had its head.
            return Err(StoreError::Tampered);
        }
        chain.head.sure = end;
        let mut torn = end;
        if let Some(last) = chain.last {
            let (header, position) = (last.header, last.position);
            if position.offset < chain.start {
                self.take(flash, &mut chain, &last)?;
            } else {
                chain.head.sure = position.offset;
                if self.is_whole(flash, position, header)? {
                    chain.counted = chain.counted.saturating_add(self.counts(this, header));
                    if header.is_single() {
                        self.doubt(flash, &chain, &last)?;
                    } else {
                        // Its transaction was cut.
                        chain.head.end = position.offset;
                    }
                } else {
                    // Torn bits may have passed for the header, and then its length says nothing.
                    chain.head.end = position.offset;
                    torn = position.offset;
                }
            }
        }
        self.check_blank(flash, sequence, torn.saturating_add(self.layout.max_record()))?;
        self.head = chain.head;
        Ok(chain.counted)
    }

    /// Applies the records of a page from its beginning on, as far as they are in order and begin before `limit`, but
    /// for the last one.
    fn chain<F: NorFlash>(
        &mut self,
        flash: &mut F,
        chain: &mut Chain,
        this: &Opened,
        limit: u32,
    ) -> Result<(), StoreError> {
        self.enter(chain.head.sequence, this);
        chain.head.end = self.layout.head_len();
        (chain.start, chain.counted) = (self.start(this), this.counter());
        while chain.head.end < limit {
            let mut found = Found::at(chain.head.position());
            if !self.find_at(flash, &mut found)? {
                break;
            }
            // Another record follows, so the one before was written to its end.
            if let Some(before) = chain.last {
                chain.counted = chain.counted.saturating_add(self.counts(this, before.header));
                self.take(flash, chain, &before)?;
            }
            chain.last = Some(found);
            chain.head.end = chain
                .head
                .end
                .saturating_add(self.layout.record_len(found.header));
        }
        Ok(())
    }

    /// Applies a record that was written to its end.
    fn take<F: NorFlash>(
        &mut self,
        flash: &mut F,
        chain: &mut Chain,
        found: &Found,
    ) -> Result<(), StoreError> {
        // Behind the copies with which a page begins, the first record since the power went says again what was in
        // doubt, if whoever wrote it could read that.
        if found.position.offset >= chain.start && !self.is_commit_doubtful() {
            self.doubtful = None;
        }
        chain.head.sum = chain.head.sum.wrapping_add(found.sum);
        self.apply(flash, found.header, found.position, chain.start, false)
    }

    /// Applies the record that was the last one when the power went, and was found to be whole.
    fn doubt<F: NorFlash>(&mut self, flash: &mut F, chain: &Chain, last: &Found) -> Result<(), StoreError> {
        let (header, position) = (last.header, last.position);
        self.doubtful = Some(Place { header, position });
        // A transaction counts when this is certain: `Store::mount`.
        if header.is(Kind::Commit) {
            return Ok(());
        }
        self.apply(flash, header, position, chain.start, true)
    }

    /// Whether the record that was the last one when the power went completes a transaction.
    pub(crate) fn is_commit_doubtful(&self) -> bool {
        self.doubtful.is_some_and(|last| last.header.is(Kind::Commit))
    }

    /// One for a record that moves the monotonic counter, if there is one.
    fn counts(&self, this: &Opened, header: Header) -> u64 {
        u64::from(
            this.counter() > 0
                && self.replay.level() == ReplayLevel::EachWrite
                && header.is_single()
                && !header.has(COPY),
        )
    }

    fn enter(&mut self, sequence: u32, this: &Opened) {
        if !this.in_transaction() {
            self.index.abort();
            // Whoever opened this page read no commit at the end of the one before. If it reads right again by now, it
            // must not complete what came since.
            if self.is_commit_doubtful() {
                self.doubtful = None;
            }
        }
        if this.generation() > self.user_generation {
            // The record of an erasure that was the last one of the page before reads right no more.
            self.index.remove_domain(KeyDomain::User);
            self.scrub_until = Some(sequence.saturating_sub(1));
        }
        self.user_generation = this.generation();
    }

    /// Whether a record opens, each time that it is read.
    fn is_whole<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: Header,
    ) -> Result<bool, StoreError> {
        let key_fits = self.key_generation == Some(self.user_generation);
        if !key_fits && header.is_value() && header.domain() == KeyDomain::User {
            // It cannot be opened, and must not be dropped either: what it replaced would come back, if only until the
            // erasure that follows, and the index may have no room for that.
            return Ok(true);
        }
        for _ in 0..LAST_READS {
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
        header: Header,
        position: Position,
        start: u32,
        opened: bool,
    ) -> Result<(), StoreError> {
        if !header.has(COPY) && !header.has(NEXT) && !header.is(Kind::Commit) {
            // Whatever was pending before was given up.
            self.index.abort();
        }
        let (kind, place) = (header.kind(), Place::of(header, position));
        if !header.is_value() && kind != Kind::Damaged && !opened {
            match self.open_at(flash, position, header) {
                Err(StoreError::Tampered) if kind == Kind::Remove => {
                    return self.index.replace(&place.damaged(header.len()));
                }
                opened => opened?,
            }
        }
        match kind {
            // `get` opens it. A copy behind `start` says again what may have been lost, and replaces what that did.
            Kind::Put | Kind::Count if !header.has(COPY) || position.offset >= start => {
                self.index.replace(&place)?;
            }
            Kind::Put | Kind::Count | Kind::Damaged => self.index.renew(&place)?,
            Kind::Remove if place.is_pending() => self.index.replace(&place)?,
            Kind::Remove => self.index.remove(place.key()),
            Kind::Commit => {
                self.index.commit();
                self.doubtful = None;
            }
            Kind::Erase => {
                let generation = self.value().first_chunk().ok_or(StoreError::Layout)?;
                self.user_generation = u32::from_le_bytes(*generation);
                self.index.remove_domain(header.domain());
                self.scrub_until = Some(position.sequence);
            }
        }
        Ok(())
    }
}

/// What was found in a page.
struct Chain {
    /// The page. Its end is behind the last record; its sum lacks that one until it is taken.
    head: Head,
    /// Where the copies end with which the page begins.
    start: u32,
    /// What the log says that the monotonic counter is at.
    counted: u64,
    last: Option<Found>,
}

impl Chain {
    const fn new(sequence: u32) -> Self {
        Self {
            head: Head {
                sequence,
                ..Head::NONE
            },
            start: 0,
            counted: 0,
            last: None,
        }
    }
}
