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
use zeroize::Zeroize;

use crate::{
    KeyDomain, KeyId, Store, StoreError,
    header::Header,
    layout::Layout,
    page::{self, Opened, Raw},
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
        header: &Header,
        value: &[u8],
    ) -> Result<Position, StoreError> {
        self.settle(flash)?;
        self.replay.catch_up()?;
        let head = self.room(flash, header)?;
        self.fill(value)?;
        self.append_buffered(flash, head, header)
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
        let Some((header, _)) = self.doubtful else {
            return Ok(());
        };
        let header = Header { copy: true, ..header };
        let key = KeyId::from_name(header.domain, header.name);
        let head = self.room(flash, &header)?;
        if self.doubtful.is_none() {
            return Ok(());
        }
        let moved = match header.kind {
            Kind::Put | Kind::Count => {
                let Some(place) = self.index.find(key, header.chunk) else {
                    self.doubtful = None;
                    return Ok(());
                };
                match self.load(flash, &place) {
                    Ok(()) => Some(place),
                    // There is nothing left to save.
                    Err(StoreError::Tampered | StoreError::KeyLost) => {
                        self.doubtful = None;
                        self.buffer.zeroize();
                        return Ok(());
                    }
                    Err(error) => {
                        self.buffer.zeroize();
                        return Err(error);
                    }
                }
            }
            Kind::Damaged => self.index.find(key, header.chunk),
            Kind::Erase => {
                self.fill(&self.user_generation.to_le_bytes())?;
                None
            }
            Kind::Remove | Kind::Commit => None,
        };
        let position = self.append_buffered(flash, head, &header)?;
        self.doubtful = None;
        if header.kind == Kind::Commit {
            self.index.commit();
        }
        match moved {
            Some(place) => self.index.renew(&place.at(position)),
            None => Ok(()),
        }
    }

    /// Writes the record whose value lies in the buffer at the end of `head`.
    fn append_buffered<F: NorFlash>(
        &mut self,
        flash: &mut F,
        head: Head,
        header: &Header,
    ) -> Result<Position, StoreError> {
        let position = Position {
            sequence: head.sequence,
            offset: head.end,
        };
        let done = self.write_buffered(flash, position, header);
        self.buffer.zeroize();
        // After a failed write nobody knows what the words hold: the page is closed.
        self.head = match done {
            Ok(sum) => {
                let end = head.end.saturating_add(self.layout.record_len(header));
                Head {
                    sure: end,
                    end,
                    sum: head.sum.wrapping_add(sum),
                    ..head
                }
            }
            Err(_) => Head { open: false, ..head },
        };
        done.map(|_| position)
    }

    /// Pages that count.
    pub(crate) fn pages_used(&self) -> u32 {
        self.head.sequence.saturating_sub(self.oldest).saturating_add(1)
    }

    /// The head, with room for a record, after opening pages until there is.
    fn room<F: NorFlash>(&mut self, flash: &mut F, header: &Header) -> Result<Head, StoreError> {
        let len = self.layout.record_len(header);
        // Collecting every page once finds the room that `Layout::capacity` promises.
        for _ in 0..=self.layout.data_pages() {
            let head = self.head;
            if head.open && head.end.saturating_add(len) <= self.layout.region().page_size() {
                return Ok(head);
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
        self.layout.region().erase_page(flash, Layout::flash_page(page))?;
        let last_free = self.pages_used().saturating_add(1) >= self.layout.data_pages();
        let victim = (collect || last_free).then_some(self.oldest);
        let (start, sum, oldest) = match victim {
            Some(victim) => {
                let (start, sum) = self.copy_live(flash, victim, sequence)?;
                (start, sum, victim.saturating_add(1))
            }
            None => (self.layout.head_len(), 0, self.oldest),
        };
        let word = self.layout.region().word_size();
        let opened = Opened {
            oldest,
            sure: self.head.sure,
            doubt: u16::try_from(self.head.end.saturating_sub(self.head.sure)).unwrap_or(u16::MAX),
            in_transaction: self.index.has_pending(),
            generation: self.user_generation,
            sum: self.head.check(),
            start: u16::try_from(start.checked_div(word).unwrap_or(0)).unwrap_or(u16::MAX),
            counter: self.replay.for_page()?,
        };
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
        self.head = Head {
            sequence,
            sure: start,
            end: start,
            sum,
            open: true,
        };
        self.replay.page_opened(opened.counter)
    }

    /// Writes the head of page `sequence` and reads it back.
    fn write_head<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        opened: &Opened,
    ) -> Result<(), StoreError> {
        let (layout, aead, key) = (&self.layout, self.suite.aead, &self.keys.page);
        Raw::seal(opened, sequence, self.salt, layout, aead, key)?.write(flash, layout, self.buffer)?;
        let written = page::read(flash, layout, layout.page_of(sequence))?;
        match written.map(|raw| page::open(&raw, layout, aead, key)) {
            Some(read) if read? == Some(*opened) => Ok(()),
            _ => Err(StoreError::ReadBack),
        }
    }

    /// Copies the live records of page `victim` behind the place of the head of page `sequence`; returns where they
    /// end, and the sum over their headers. The index keeps pointing to the originals.
    fn copy_live<F: NorFlash>(
        &mut self,
        flash: &mut F,
        victim: u32,
        sequence: u32,
    ) -> Result<(u32, u64), StoreError> {
        let (mut offset, mut sum) = (self.layout.head_len(), 0u64);
        let mut last = None;
        while let Some(mut place) = self.next_in(victim, last) {
            last = Some(place.position.offset);
            match self.load(flash, &place) {
                Ok(()) => {}
                // The key must go on to answer `Tampered`, not `NotFound`.
                Err(StoreError::Tampered) => {
                    place = Place {
                        len: 0,
                        damaged: true,
                        ..place
                    };
                    self.index.renew(&place)?;
                }
                Err(error) => {
                    self.buffer.zeroize();
                    return Err(error);
                }
            }
            place.doomed = !place.pending && self.index.is_to_change(place.key);
            let header = place.copy_header();
            let copied = self.write_buffered(flash, Position { sequence, offset }, &header);
            self.buffer.zeroize();
            sum = sum.wrapping_add(copied?);
            offset = offset.saturating_add(self.layout.record_len(&header));
        }
        if self.is_commit_in(victim) {
            let committed = self.write_buffered(flash, Position { sequence, offset }, &COMMIT_COPY)?;
            sum = sum.wrapping_add(committed);
            offset = offset.saturating_add(self.layout.record_len(&COMMIT_COPY));
        }
        Ok((offset, sum))
    }

    /// Whether the end of a transaction lies in page `victim` that was the last record before the power went. It is
    /// copied too, behind all others: it has its own room in the page.
    fn is_commit_in(&self, victim: u32) -> bool {
        self.doubtful
            .is_some_and(|(header, position)| header.kind == Kind::Commit && position.sequence == victim)
    }

    /// Lets the index point to the copies that [`copy_live`](Self::copy_live) made, in the same order.
    fn move_index(&mut self, victim: u32, sequence: u32) {
        let mut offset = self.layout.head_len();
        let mut last = None;
        while let Some(place) = self.next_in(victim, last) {
            last = Some(place.position.offset);
            // The key is in the index: there is room for it.
            let _ = self.index.renew(&place.at(Position { sequence, offset }));
            offset = offset.saturating_add(self.layout.record_len(&place.copy_header()));
        }
    }

    /// The live record of page `victim` that follows the one at offset `last`.
    fn next_in(&self, victim: u32, last: Option<u32>) -> Option<Place> {
        self.index
            .iter()
            .filter(|place| place.position.sequence == victim)
            .filter(|place| last.is_none_or(|last| place.position.offset > last))
            .min_by_key(|place| place.position.offset)
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

    /// Seals and writes the record whose value lies in the buffer, and reads it back. Returns what its header adds to
    /// the sum over the page.
    fn write_buffered<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: &Header,
    ) -> Result<u64, StoreError> {
        let len = usize::try_from(self.layout.record_len(header)).unwrap_or(usize::MAX);
        let record = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        let sealed = header.seal(position, self.suite.kdf, &self.keys.header)?;
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
        Ok(sealed.sum)
    }
}

const READ_BACK: usize = 64;

const COMMIT_COPY: Header = Header {
    copy: true,
    ..Header::new(Kind::Commit, KeyDomain::Device, 0, 0)
};

/// An erasure of the user domain, after which its key has the next generation.
pub(crate) const ERASE: Header = Header::new(Kind::Erase, KeyDomain::User, 0, ERASE_LEN);
