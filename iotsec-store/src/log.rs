//! The cyclic log: appending, opening the next page, collecting the oldest.
//!
//! ```text
//!           oldest                         head      free
//!   +------+------+------+------+------+------+------+
//!   |      |  s   | s+1  | s+2  | ...  |  n   |      |      pages in a circle, one always free
//!   +------+------+------+------+------+------+------+
//!
//!   open:  erase the free page; if no other page would be free, copy what is alive of page s into it;
//!          write its head: "page n+1; the log begins at s+1 (or still at s); page n ends at ..."
//! ```
//!
//! The head stands first in the page and is written last. Until it is there the page and the copies in it count for
//! nothing, and the next attempt erases them. From then on page s is free; it is erased when its turn comes.

use embedded_storage::nor_flash::NorFlash;

use crate::{
    KeyDomain, KeyId, Store, StoreError,
    header::{COPY, FIRST, Header},
    page::{Opened, Opening, Raw},
    place::Place,
    record::{self, ERASE_LEN, Kind, Position},
};

/// The page that is written to.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) sequence: u32,
    /// Where the records end that were written whole beyond doubt.
    pub(crate) sure: u32,
    /// Where the records end that count, and the next one goes.
    pub(crate) end: u32,
    /// Over the headers up to `sure`.
    pub(crate) sum: u64,
    /// Whether more may be written here. A word whose programming was cut short can read as erased, and must
    /// not be programmed again: after a mount or a failure the page is closed.
    pub(crate) open: bool,
}

impl Head {
    /// Before the first page.
    pub(crate) const NONE: Self = Self {
        sequence: 0,
        sure: 0,
        end: 0,
        sum: 0,
        open: false,
    };

    /// Where the next record goes.
    pub(crate) const fn position(&self) -> Position {
        Position {
            sequence: self.sequence,
            offset: self.end,
        }
    }

    /// The part of the sum that the next page keeps.
    pub(crate) fn check(&self) -> u32 {
        let [.., a, b, c, d] = self.sum.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

impl Store<'_> {
    /// Writes a record at the end of the log.
    pub(crate) fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        header: Header,
        value: &[u8],
    ) -> Result<Position, StoreError> {
        self.settle(flash)?;
        self.replay.catch_up()?;
        self.room(flash, header)?;
        self.fill(value)?;
        self.append_buffered(flash, header)
    }

    /// Makes ready for a change: what a transaction left that was given up is void. One that was completed, and whose
    /// commit could not be written once more so far, must be settled first.
    pub(crate) fn begin<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        if self.index.is_completed() {
            self.settle(flash)?;
        }
        self.index.abort();
        Ok(())
    }

    /// Writes the record that was the last one when the power went once more, before any other: its last
    /// word may have been cut short and still read right at the moment.
    pub(crate) fn settle<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        let Some(last) = self.doubtful else {
            return Ok(());
        };
        let header = last.header.with(COPY);
        let (key, chunk) = (header.key(), header.chunk());
        self.room(flash, header)?;
        if self.doubtful.is_none() {
            return Ok(());
        }
        let moved = match header.kind() {
            Kind::Put | Kind::Count => {
                let Some(place) = self.index.find(key, chunk) else {
                    self.doubtful = None;
                    return Ok(());
                };
                match self.load(flash, &place) {
                    Ok(()) => Some(place),
                    // There is nothing left to save.
                    Err(StoreError::Tampered | StoreError::KeyLost) => {
                        self.doubtful = None;
                        self.wipe();
                        return Ok(());
                    }
                    Err(error) => {
                        self.wipe();
                        return Err(error);
                    }
                }
            }
            Kind::Damaged => self.index.find(key, chunk),
            Kind::Erase => {
                self.fill(&self.user_generation.to_le_bytes())?;
                None
            }
            Kind::Remove | Kind::Commit => None,
        };
        let position = self.append_buffered(flash, header)?;
        self.doubtful = None;
        if header.is(Kind::Commit) {
            self.index.commit();
        }
        match moved {
            Some(place) => self.index.renew(&place.at(position)),
            None => Ok(()),
        }
    }

    /// Writes the record whose value lies in the buffer at the end of the head, which has room for it.
    fn append_buffered<F: NorFlash>(
        &mut self,
        flash: &mut F,
        header: Header,
    ) -> Result<Position, StoreError> {
        let position = self.head.position();
        let mut sum = self.head.sum;
        let done = self.write_buffered(flash, position, header, &mut sum);
        self.wipe();
        // After a failed write nobody knows what the words hold: the page is closed.
        if done.is_err() {
            self.head.open = false;
        }
        done?;
        let end = position.offset.saturating_add(self.layout.record_len(header));
        (self.head.sure, self.head.end, self.head.sum) = (end, end, sum);
        Ok(position)
    }

    /// Pages that count.
    pub(crate) fn pages_used(&self) -> u32 {
        self.head.sequence.saturating_sub(self.oldest).saturating_add(1)
    }

    /// Opens pages until the head has room for a record.
    fn room<F: NorFlash>(&mut self, flash: &mut F, header: Header) -> Result<(), StoreError> {
        let len = self.layout.record_len(header);
        // Collecting every page once finds the room that `Layout::capacity` promises.
        for _ in 0..=self.layout.data_pages() {
            if self.head.open && self.head.end.saturating_add(len) <= self.layout.region().page_size() {
                return Ok(());
            }
            self.open_page(flash, false)?;
        }
        Err(StoreError::Full)
    }

    /// Makes the free page the head. One erase. Collects the oldest page when no other would be free, or
    /// when asked to.
    pub(crate) fn open_page<F: NorFlash>(&mut self, flash: &mut F, collect: bool) -> Result<(), StoreError> {
        self.replay.before_page()?;
        let sequence = self.head.sequence.checked_add(1).ok_or(StoreError::Exhausted)?;
        let page = self.layout.page_of(sequence);
        // The page may hold the remains of an interrupted erase or opening: it is erased even if it reads blank.
        self.layout
            .region()
            .erase_page(flash, self.layout.flash_page(page))?;
        let last_free = self.pages_used().saturating_add(1) >= self.layout.data_pages();
        let victim = (collect || last_free).then_some(self.oldest);
        let mut head = Head {
            sequence,
            end: self.layout.head_len(),
            open: true,
            ..Head::NONE
        };
        let mut oldest = self.oldest;
        if let Some(victim) = victim {
            self.copy_live(flash, victim, &mut head)?;
            oldest = victim.saturating_add(1);
        }
        head.sure = head.end;
        let word = self.layout.region().word_size();
        let counter = self.replay.for_page()?;
        let opened = Opened::new(&Opening {
            oldest,
            sure: self.head.sure,
            doubt: u16::try_from(self.head.end.saturating_sub(self.head.sure)).unwrap_or(u16::MAX),
            in_transaction: self.index.has_pending(),
            generation: self.user_generation,
            sum: self.head.check(),
            start: u16::try_from(head.end.checked_div(word).unwrap_or(0)).unwrap_or(u16::MAX),
            counter,
        });
        self.write_head(flash, sequence, &opened)?;
        if let Some(victim) = victim {
            self.move_index(victim, sequence);
            if self.is_commit_in(victim) {
                self.index.commit();
                self.doubtful = None;
            }
        }
        self.oldest = oldest;
        self.scrub_until = self.scrub_until.filter(|until| oldest <= *until);
        self.head = head;
        self.replay.page_opened(counter)
    }

    /// Writes the head of page `sequence` and reads it back.
    fn write_head<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        opened: &Opened,
    ) -> Result<(), StoreError> {
        let (layout, suite, keys) = (&self.layout, &self.suite, &self.keys);
        let mut raw = Raw::EMPTY;
        raw.seal(opened, sequence, layout, suite, keys)?;
        raw.write(flash, layout, self.buffer)?;
        let mut read = Opened::EMPTY;
        if self.opened(flash, sequence, &mut read)? && read == *opened {
            Ok(())
        } else {
            Err(StoreError::ReadBack)
        }
    }

    /// Copies the live records of page `victim` to the end of `head`. The index keeps pointing to the originals.
    fn copy_live<F: NorFlash>(
        &mut self,
        flash: &mut F,
        victim: u32,
        head: &mut Head,
    ) -> Result<(), StoreError> {
        let mut from = 0;
        while let Some(mut place) = self.next_in(victim, from) {
            from = place.position.offset.saturating_add(1);
            match self.load(flash, &place) {
                Ok(()) => {}
                // The key must go on to answer `Tampered`, not `NotFound`.
                Err(StoreError::Tampered) => {
                    place = place.damaged(0);
                    self.index.renew(&place)?;
                }
                Err(error) => {
                    self.wipe();
                    return Err(error);
                }
            }
            let doomed = !place.is_pending() && self.index.is_to_change(place.key());
            let header = place.copy_header();
            let header = if doomed { header.with(FIRST) } else { header };
            let copied = self.write_buffered(flash, head.position(), header, &mut head.sum);
            self.wipe();
            copied?;
            head.end = head.end.saturating_add(self.layout.record_len(header));
        }
        if self.is_commit_in(victim) {
            self.write_buffered(flash, head.position(), COMMIT_COPY, &mut head.sum)?;
            head.end = head.end.saturating_add(self.layout.record_len(COMMIT_COPY));
        }
        Ok(())
    }

    /// Whether the end of a transaction lies in page `victim` that was the last record before the power went. It is
    /// copied too, behind all others: it has its own room in the page.
    fn is_commit_in(&self, victim: u32) -> bool {
        let in_victim = |last: Place| last.header.is(Kind::Commit) && last.position.sequence == victim;
        self.doubtful.is_some_and(in_victim)
    }

    /// Lets the index point to the copies that [`copy_live`](Self::copy_live) made, in the same order.
    fn move_index(&mut self, victim: u32, sequence: u32) {
        let mut offset = self.layout.head_len();
        let mut from = 0;
        while let Some(place) = self.next_in(victim, from) {
            from = place.position.offset.saturating_add(1);
            // The key is in the index: there is room for it.
            let _ = self.index.renew(&place.at(Position { sequence, offset }));
            offset = offset.saturating_add(self.layout.record_len(place.header));
        }
    }

    /// The first live record of page `victim` from the offset `from` on.
    fn next_in(&self, victim: u32, from: u32) -> Option<Place> {
        let mut next: Option<Place> = None;
        for place in self.index.iter() {
            let Position { sequence, offset } = place.position;
            if sequence == victim && offset >= from && next.is_none_or(|next| offset < next.position.offset) {
                next = Some(place);
            }
        }
        next
    }

    /// Puts `value` where a record in the buffer has it.
    fn fill(&mut self, value: &[u8]) -> Result<(), StoreError> {
        let place = self
            .buffer
            .get_mut(record::HEADER_LEN..)
            .and_then(|rest| rest.get_mut(..value.len()));
        place.ok_or(StoreError::Layout)?.copy_from_slice(value);
        Ok(())
    }

    /// Seals and writes the record whose value lies in the buffer, and reads it back. Adds its header to the sum over the
    /// page.
    fn write_buffered<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: Header,
        sum: &mut u64,
    ) -> Result<(), StoreError> {
        let len = usize::try_from(self.layout.record_len(header)).unwrap_or(usize::MAX);
        let record = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        let sealed = header.seal(position, self.suite.kdf, self.keys.header())?;
        record::seal(header, sealed.bytes, position, &self.suite, &self.keys, record)?;
        let mut at = self.layout.at(position);
        self.layout.region().write(flash, at, record)?;
        for piece in record.chunks(READ_BACK) {
            let mut back = [0; READ_BACK];
            let back = back.get_mut(..piece.len()).unwrap_or_default();
            if !self.layout.read(flash, at, back)? || back != piece {
                return Err(StoreError::ReadBack);
            }
            at = at.saturating_add(u32::try_from(piece.len()).unwrap_or(u32::MAX));
        }
        *sum = sum.wrapping_add(sealed.sum);
        Ok(())
    }
}

const READ_BACK: usize = 64;

const COMMIT_COPY: Header = Header::new(Kind::Commit, KeyId::from_id(0), 0).with(COPY);

/// An erasure of the user domain, after which its key has the next generation.
pub(crate) const ERASE: Header = Header::new(Kind::Erase, KeyId::new(KeyDomain::User, 0, 0), ERASE_LEN);
