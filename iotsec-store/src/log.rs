//! The cyclic log: appending, opening the next page, collecting the oldest.
//!
//! ```text
//!           oldest                         head      free
//!   +------+------+------+------+------+------+------+
//!   |      |  s   | s+1  | s+2  | ...  |  n   |      |      pages in a circle, one always free
//!   +------+------+------+------+------+------+------+
//!
//!   open:  erase the free page; write its header (n+1);
//!          if no other page would be free, copy what is alive of page s;
//!          write the note: "the log begins at s+1 (or still at s), page n ends at ..."
//! ```
//!
//! The note makes the page the head. Until it is written the page and the copies in it count for nothing,
//! and the next attempt erases them. From then on page s is free; it is erased when its turn comes.

use embedded_storage::nor_flash::NorFlash;
use zeroize::Zeroize;

use crate::{
    KeyDomain, KeyId, Store, StoreError,
    index::Place,
    layout::{FIRST_SEQUENCE, Layout},
    page,
    record::{self, ERASE_LEN, Header, Kind, OPENED_LEN, Position},
};

/// The page that is written to.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) page: u32,
    pub(crate) sequence: u32,
    /// Where the records end that were written whole beyond doubt.
    pub(crate) sure: u32,
    /// Where the records end that count, and the next one goes.
    pub(crate) end: u32,
    /// Whether more may be written here. A word whose programming was cut short can read as erased, and must
    /// not be programmed again: after a mount or a failure the page is closed.
    pub(crate) open: bool,
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
        let head = self.room(flash, header)?;
        self.fill(value)?;
        self.append_buffered(flash, head, header)
    }

    /// Writes the record that was the last one when the power went once more, before any other: its last
    /// word may have been cut short and still read right at the moment.
    fn settle<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        let Some(header) = self.doubtful else {
            return Ok(());
        };
        let key = KeyId::from_name(header.domain, header.name);
        let head = self.room(flash, &header)?;
        let moved = match header.kind {
            Kind::Put => {
                let Some(place) = self.index.find(key) else {
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
            Kind::Damaged => self.index.find(key),
            Kind::Erase => {
                self.fill(&self.user_generation.to_le_bytes())?;
                None
            }
            Kind::Remove | Kind::Opened => None,
        };
        let position = self.append_buffered(flash, head, &header)?;
        self.doubtful = None;
        match moved {
            Some(place) => self.index.set(Place { position, ..place }),
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
        let end = if done.is_ok() {
            head.end
                .saturating_add(self.layout.record_len(usize::from(header.len)))
        } else {
            head.end
        };
        self.head = Some(Head {
            sure: end,
            end,
            open: done.is_ok(),
            ..head
        });
        done.map(|()| position)
    }

    /// Pages that count.
    pub(crate) fn pages_used(&self) -> u32 {
        self.head.map_or(0, |head| {
            head.sequence.saturating_sub(self.oldest).saturating_add(1)
        })
    }

    /// The head, with room for a record, after opening pages until there is.
    fn room<F: NorFlash>(&mut self, flash: &mut F, header: &Header) -> Result<Head, StoreError> {
        let len = self.layout.record_len(usize::from(header.len));
        // Collecting every page once finds the room that `Layout::capacity` promises.
        for _ in 0..=self.layout.data_pages() {
            if let Some(head) = self.head
                && head.open
                && head.end.saturating_add(len) <= self.layout.region().page_size()
            {
                return Ok(head);
            }
            self.open_page(flash, false)?;
        }
        Err(StoreError::Full)
    }

    /// Makes the free page the head. One erase. Collects the oldest page when no other would be free, or
    /// when asked to.
    pub(crate) fn open_page<F: NorFlash>(&mut self, flash: &mut F, collect: bool) -> Result<(), StoreError> {
        let sequence = match self.head {
            Some(head) => head.sequence.checked_add(1).ok_or(StoreError::Exhausted)?,
            None => FIRST_SEQUENCE,
        };
        let page = self.layout.page_of(sequence);
        // The page may hold the remains of an interrupted erase or header: it is erased even if it reads
        // blank.
        self.layout.region().erase_page(flash, Layout::flash_page(page))?;
        page::write_header(
            flash,
            &self.layout,
            self.suite.aead,
            &self.keys.page,
            page,
            sequence,
            self.buffer,
        )?;
        let last_free = self.pages_used().saturating_add(1) >= self.layout.data_pages();
        let victim = (self.head.is_some() && (collect || last_free)).then_some(self.oldest);
        let (offset, oldest) = match victim {
            Some(victim) => (self.copy_live(flash, victim, sequence)?, victim.saturating_add(1)),
            None => (self.layout.header_len(), self.oldest),
        };
        let opened = Opened {
            oldest,
            sure: self.head.map_or(0, |head| head.sure),
            end: self.head.map_or(0, |head| head.end),
            generation: self.user_generation,
        };
        let note = Header {
            kind: Kind::Opened,
            domain: KeyDomain::Device,
            name: 0,
            len: OPENED_LEN,
        };
        self.fill(&opened.to_bytes())?;
        let noted = self.write_buffered(flash, Position { sequence, offset }, &note);
        self.buffer.zeroize();
        noted?;
        if let Some(victim) = victim {
            self.move_index(victim, sequence);
        }
        self.oldest = oldest;
        self.scrub_until = self.scrub_until.filter(|until| oldest <= *until);
        let end = offset.saturating_add(self.layout.record_len(record::NOTE_LEN));
        self.head = Some(Head {
            page,
            sequence,
            sure: end,
            end,
            open: true,
        });
        Ok(())
    }

    /// Copies the live records of page `victim` behind the header of page `sequence`; returns where they
    /// end. The index keeps pointing to the originals.
    fn copy_live<F: NorFlash>(
        &mut self,
        flash: &mut F,
        victim: u32,
        sequence: u32,
    ) -> Result<u32, StoreError> {
        let mut offset = self.layout.header_len();
        let mut last = None;
        while let Some(mut place) = self.next_in(victim, last) {
            last = Some(place.position.offset);
            match self.load(flash, &place) {
                Ok(()) => {}
                // The key must go on to answer `Tampered`, not `NotFound`.
                Err(StoreError::Tampered) => {
                    place.len = 0;
                    place.damaged = true;
                    self.index.set(place)?;
                }
                Err(error) => {
                    self.buffer.zeroize();
                    return Err(error);
                }
            }
            let header = Header {
                kind: if place.damaged { Kind::Damaged } else { Kind::Put },
                domain: place.key.domain(),
                name: place.key.name(),
                len: place.len,
            };
            let copied = self.write_buffered(flash, Position { sequence, offset }, &header);
            self.buffer.zeroize();
            copied?;
            offset = offset.saturating_add(self.layout.record_len(usize::from(place.len)));
        }
        Ok(offset)
    }

    /// Lets the index point to the copies that [`copy_live`](Self::copy_live) made, in the same order.
    fn move_index(&mut self, victim: u32, sequence: u32) {
        let mut offset = self.layout.header_len();
        let mut last = None;
        while let Some(place) = self.next_in(victim, last) {
            last = Some(place.position.offset);
            let moved = Place {
                position: Position { sequence, offset },
                ..place
            };
            // The key is in the index: there is room for it.
            let _ = self.index.set(moved);
            offset = offset.saturating_add(self.layout.record_len(usize::from(place.len)));
        }
    }

    /// The live record of page `victim` that follows the one at offset `last`.
    fn next_in(&self, victim: u32, last: Option<u32>) -> Option<Place> {
        self.index
            .iter()
            .filter(|place| place.position.sequence == victim)
            .filter(|place| last.is_none_or(|last| place.position.offset > last))
            .min_by_key(|place| place.position.offset)
            .copied()
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

    /// Seals and writes the record whose value lies in the buffer, and reads it back.
    fn write_buffered<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: &Header,
    ) -> Result<(), StoreError> {
        let len = usize::try_from(self.layout.record_len(usize::from(header.len))).unwrap_or(usize::MAX);
        let record = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        header.seal(position, self.suite.aead, self.suite.kdf, &self.keys, record)?;
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
        Ok(())
    }
}

/// The value of a [`Kind::Opened`].
#[derive(Clone, Copy)]
pub(crate) struct Opened {
    /// Sequence number of the page with which the log begins.
    pub(crate) oldest: u32,
    /// [`Head::sure`] and [`Head::end`] of the page before.
    pub(crate) sure: u32,
    pub(crate) end: u32,
    /// Generation that the user domain's key has, or is to have.
    pub(crate) generation: u32,
}

impl Opened {
    pub(crate) fn to_bytes(self) -> [u8; record::NOTE_LEN] {
        let [a, b, c, d] = self.oldest.to_le_bytes();
        let [e, f, g, h] = self.sure.to_le_bytes();
        let [i, j, k, l] = self.end.to_le_bytes();
        let [m, n, o, p] = self.generation.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    pub(crate) fn from_bytes(bytes: [u8; record::NOTE_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        Self {
            oldest: u32::from_le_bytes([a, b, c, d]),
            sure: u32::from_le_bytes([e, f, g, h]),
            end: u32::from_le_bytes([i, j, k, l]),
            generation: u32::from_le_bytes([m, n, o, p]),
        }
    }
}

const READ_BACK: usize = 64;

/// An erasure of the user domain, after which its key has the next generation.
pub(crate) const ERASE: Header = Header {
    kind: Kind::Erase,
    domain: KeyDomain::User,
    name: 0,
    len: ERASE_LEN,
};
