//! The cyclic log: appending, opening the next page, collecting the oldest.
//!
//! ```text
//!           oldest                         head      free
//!   +------+------+------+------+------+------+------+
//!   |      |  s   | s+1  | s+2  | ...  |  n   |      |      pages in a circle, one always free
//!   +------+------+------+------+------+------+------+
//!
//!   open:     erase the free page, write its header (n+1); it becomes the head
//!   collect:  copy what is alive of page s behind that header, then the note "oldest = s+1"
//!             from then on page s is free; it is erased when its turn comes
//! ```
//!
//! Until the note is written the copies count for nothing: a cut in between is undone by starting the page
//! over.

use embedded_storage::nor_flash::NorFlash;
use zeroize::Zeroize;

use crate::{
    KeyDomain, Store, StoreError,
    index::Place,
    page,
    record::{self, Header, Kind, Position},
    store::FIRST_SEQUENCE,
};

/// The page that is written to.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) page: u32,
    pub(crate) sequence: u32,
    /// Where the next record goes; `None` when nothing more may be written here.
    pub(crate) tail: Option<u32>,
}

impl Store<'_> {
    /// Writes a record at the end of the log.
    pub(crate) fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        header: &Header,
        value: &[u8],
    ) -> Result<Position, StoreError> {
        let len = self.layout.record_len(value.len());
        let (head, offset) = self.room(flash, len)?;
        let position = Position {
            sequence: head.sequence,
            offset,
        };
        let done = self.write_record(flash, head.page, position, header, value);
        self.buffer.zeroize();
        // After a failed write nobody knows what the words hold: the page is closed.
        let tail = done.is_ok().then_some(offset.saturating_add(len));
        self.head = Some(Head { tail, ..head });
        done.map(|()| position)
    }

    /// Reads and opens the record of an index entry; the value lies in the buffer.
    pub(crate) fn load<F: NorFlash>(&mut self, flash: &mut F, place: &Place) -> Result<&[u8], StoreError> {
        if place.damaged {
            return Err(StoreError::Tampered);
        }
        let page = self.page_of(place.position.sequence);
        let header = self
            .read_record(flash, page, place.position)?
            .ok_or(StoreError::Tampered)?;
        let expected = header.kind == Kind::Put
            && header.domain == place.key.domain()
            && header.name == place.key.name()
            && header.len == place.len;
        if !expected {
            return Err(StoreError::Tampered);
        }
        header
            .open(place.position, self.suite.aead, &self.keys, self.buffer)
            .map(|value| &*value)
    }

    /// Reads the record at `position` into the buffer. `None` when there is no whole header, or one that
    /// announces more than the page or the buffer holds.
    pub(crate) fn read_record<F: NorFlash>(
        &mut self,
        flash: &mut F,
        page: u32,
        position: Position,
    ) -> Result<Option<Header>, StoreError> {
        let at = self.layout.start(page).saturating_add(position.offset);
        let room = self.layout.region().page_size().saturating_sub(position.offset);
        let least = self.layout.record_len(0);
        if room < least {
            return Ok(None);
        }
        let Some(bytes) = self.buffer.first_chunk_mut::<{ record::HEADER_LEN }>() else {
            return Err(StoreError::Layout);
        };
        if self.layout.region().read(flash, at, bytes).is_err() {
            // A torn word of ECC flash faults when it is read.
            return Ok(None);
        }
        let Some(header) = Header::from_bytes(bytes, position, self.suite.kdf, &self.keys) else {
            return Ok(None);
        };
        let len = self.layout.record_len(usize::from(header.len));
        if len > room {
            return Ok(None);
        }
        let len = usize::try_from(len).map_err(|_| StoreError::Layout)?;
        let place = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        match self.layout.region().read(flash, at, place) {
            Ok(()) => Ok(Some(header)),
            Err(_) => Ok(None),
        }
    }

    /// The data page that has this sequence number, for one within the log.
    pub(crate) fn page_of(&self, sequence: u32) -> u32 {
        let Some(head) = self.head else { return 0 };
        let back = head.sequence.saturating_sub(sequence);
        let pages = self.layout.data_pages();
        head.page
            .saturating_add(pages)
            .saturating_sub(back)
            .checked_rem(pages)
            .unwrap_or(0)
    }

    /// Pages that count.
    pub(crate) fn pages_used(&self) -> u32 {
        self.head.map_or(0, |head| {
            head.sequence.saturating_sub(self.oldest).saturating_add(1)
        })
    }

    /// A place for `len` bytes, opening pages until there is one.
    fn room<F: NorFlash>(&mut self, flash: &mut F, len: u32) -> Result<(Head, u32), StoreError> {
        // Collecting every page once finds the room that `Layout::capacity` promises.
        for _ in 0..=self.layout.data_pages() {
            if let Some(head) = self.head
                && let Some(tail) = head.tail
                && tail.saturating_add(len) <= self.record_limit()
            {
                return Ok((head, tail));
            }
            self.open_page(flash, false)?;
        }
        Err(StoreError::Full)
    }

    /// Where records must end; the rest of a page is for the note.
    fn record_limit(&self) -> u32 {
        self.layout.header_len().saturating_add(self.layout.usable())
    }

    /// Makes the free page the head. One erase. Collects the oldest page when no other would be free, or
    /// when asked to.
    pub(crate) fn open_page<F: NorFlash>(&mut self, flash: &mut F, collect: bool) -> Result<(), StoreError> {
        let (page, sequence) = match self.head {
            Some(head) => (
                self.layout.after(head.page),
                head.sequence.checked_add(1).ok_or(StoreError::Exhausted)?,
            ),
            None => (0, FIRST_SEQUENCE),
        };
        // The page may hold the remains of an interrupted erase or header: it is erased even if it reads
        // blank.
        self.layout
            .region()
            .erase_page(flash, crate::layout::Layout::flash_page(page))?;
        page::write_header(
            flash,
            &self.layout,
            self.suite.aead,
            &self.keys.page,
            page,
            sequence,
            self.buffer,
        )?;
        let mut offset = self.layout.header_len();
        let last_free = self.pages_used().saturating_add(1) >= self.layout.data_pages();
        if self.head.is_some() && (collect || last_free) {
            let victim = self.oldest;
            offset = self.copy_live(flash, victim, page, sequence)?;
            let next = victim.saturating_add(1);
            let note = Header {
                kind: Kind::Oldest,
                domain: KeyDomain::Device,
                name: 0,
                len: NOTE,
            };
            let position = Position { sequence, offset };
            let noted = self.write_record(flash, page, position, &note, &next.to_le_bytes());
            self.buffer.zeroize();
            noted?;
            self.move_index(victim, sequence);
            offset = offset.saturating_add(self.layout.record_len(record::NOTE_LEN));
            self.oldest = next;
            if self.scrub_until.is_some_and(|until| next > until) {
                self.scrub_until = None;
            }
        }
        self.head = Some(Head {
            page,
            sequence,
            tail: Some(offset),
        });
        Ok(())
    }

    /// Copies the live records of page `victim` behind the header of `page`; returns where they end. The
    /// index is left alone.
    fn copy_live<F: NorFlash>(
        &mut self,
        flash: &mut F,
        victim: u32,
        page: u32,
        sequence: u32,
    ) -> Result<u32, StoreError> {
        let mut offset = self.layout.header_len();
        let mut last = None;
        while let Some(place) = self.next_in(victim, last) {
            last = Some(place.position.offset);
            let position = Position { sequence, offset };
            let (key, len) = (place.key, place.len);
            let opened = self.load(flash, &place).map(|_| ());
            let (header, len) = match opened {
                Ok(()) => (
                    Header {
                        kind: Kind::Put,
                        domain: key.domain(),
                        name: key.name(),
                        len,
                    },
                    len,
                ),
                Err(StoreError::Tampered) => {
                    // The key must go on to answer `Tampered`, not `NotFound`.
                    let len = 0;
                    self.index.set(Place {
                        len,
                        damaged: true,
                        ..place
                    })?;
                    (
                        Header {
                            kind: Kind::Damaged,
                            domain: key.domain(),
                            name: key.name(),
                            len,
                        },
                        len,
                    )
                }
                Err(error) => {
                    self.buffer.zeroize();
                    return Err(error);
                }
            };
            let copied = self.write_buffered(flash, page, position, &header);
            self.buffer.zeroize();
            copied?;
            offset = offset.saturating_add(self.layout.record_len(usize::from(len)));
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

    fn write_record<F: NorFlash>(
        &mut self,
        flash: &mut F,
        page: u32,
        position: Position,
        header: &Header,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let place = self
            .buffer
            .get_mut(record::HEADER_LEN..)
            .and_then(|rest| rest.get_mut(..value.len()));
        place.ok_or(StoreError::Layout)?.copy_from_slice(value);
        self.write_buffered(flash, page, position, header)
    }

    /// Seals and writes the record whose value lies in the buffer, and reads it back.
    fn write_buffered<F: NorFlash>(
        &mut self,
        flash: &mut F,
        page: u32,
        position: Position,
        header: &Header,
    ) -> Result<(), StoreError> {
        let len = usize::try_from(self.layout.record_len(usize::from(header.len))).unwrap_or(usize::MAX);
        let record = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        header.seal(position, self.suite.aead, self.suite.kdf, &self.keys, record)?;
        let at = self.layout.start(page).saturating_add(position.offset);
        let region = self.layout.region();
        region.write(flash, at, record)?;
        let mut at = at;
        for piece in record.chunks(READ_BACK) {
            let mut back = [0; READ_BACK];
            let back = back.get_mut(..piece.len()).unwrap_or_default();
            region.read(flash, at, back)?;
            if back != piece {
                return Err(StoreError::ReadBack);
            }
            at = at.saturating_add(u32::try_from(piece.len()).unwrap_or(u32::MAX));
        }
        Ok(())
    }
}

const READ_BACK: usize = 64;
const NOTE: u16 = 4;
