//! Reading the log: one record, and what a page begins with.

use embedded_storage::nor_flash::NorFlash;

use crate::{
    KeyDomain, Store, StoreError, domain_key,
    index::Place,
    layout::{ATTEMPTS, Layout},
    log::Opened,
    record::{self, Header, Kind, OPENED_LEN, Position},
};

impl Store<'_> {
    /// Reads and opens the record of an index entry; the value is then in the buffer.
    pub(crate) fn load<F: NorFlash>(&mut self, flash: &mut F, place: &Place) -> Result<(), StoreError> {
        if place.key.domain() == KeyDomain::User && self.user_key_missing {
            return Err(StoreError::KeyLost);
        }
        if place.damaged {
            return Err(StoreError::Tampered);
        }
        let mut done = Err(StoreError::Tampered);
        for _ in 0..ATTEMPTS {
            done = self.load_once(flash, place);
            if done != Err(StoreError::Tampered) {
                break;
            }
        }
        done
    }

    fn load_once<F: NorFlash>(&mut self, flash: &mut F, place: &Place) -> Result<(), StoreError> {
        let expected = Header {
            kind: Kind::Put,
            domain: place.key.domain(),
            name: place.key.name(),
            len: place.len,
        };
        if self.header_at(flash, place.position)? != Some(expected) {
            return Err(StoreError::Tampered);
        }
        self.open_at(flash, place.position, &expected)
    }

    /// Reads the header of the record at `position`. `None` when there is no whole one, or one that announces
    /// more than the page holds.
    pub(crate) fn header_at<F: NorFlash>(
        &self,
        flash: &mut F,
        position: Position,
    ) -> Result<Option<Header>, StoreError> {
        let room = self.layout.region().page_size().saturating_sub(position.offset);
        if room < self.layout.record_len(0) {
            return Ok(None);
        }
        let mut bytes = [0; record::HEADER_LEN];
        if !self.layout.read(flash, self.layout.at(position), &mut bytes)? {
            return Ok(None);
        }
        let header = Header::from_bytes(&bytes, position, self.suite.kdf, &self.keys)?;
        Ok(header.filter(|header| self.layout.record_len(usize::from(header.len)) <= room))
    }

    /// Reads the record at `position` and opens its value in the buffer.
    pub(crate) fn open_at<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: &Header,
    ) -> Result<(), StoreError> {
        let len = usize::try_from(self.layout.record_len(usize::from(header.len))).unwrap_or(usize::MAX);
        let record = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        if !self.layout.read(flash, self.layout.at(position), record)? {
            return Err(StoreError::Tampered);
        }
        header.open(position, self.suite.aead, &self.keys, record)
    }

    /// The value that [`open_at`](Self::open_at) left in the buffer.
    pub(crate) fn value(&self) -> &[u8] {
        self.buffer.get(record::HEADER_LEN..).unwrap_or_default()
    }

    /// Passes the copies with which a page begins and reads the note behind them, if there is one. Also says
    /// where the records after it begin.
    pub(crate) fn opening<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
    ) -> Result<Option<(Opened, u32)>, StoreError> {
        let mut offset = self.layout.header_len();
        loop {
            let position = Position { sequence, offset };
            let Some(header) = self.header_at(flash, position)? else {
                return Ok(None);
            };
            offset = offset.saturating_add(self.layout.record_len(usize::from(header.len)));
            match header.kind {
                Kind::Put | Kind::Damaged => {}
                Kind::Opened if header.len == OPENED_LEN => {
                    let note = self.opened_at(flash, position, &header)?;
                    return Ok(note.map(|note| (note, offset)));
                }
                _ => return Ok(None),
            }
        }
    }

    /// The note at `position`, if it is whole.
    pub(crate) fn opened_at<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: &Header,
    ) -> Result<Option<Opened>, StoreError> {
        match self.open_at(flash, position, header) {
            Ok(()) => Ok(self.value().first_chunk().copied().map(Opened::from_bytes)),
            Err(StoreError::Tampered) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Refuses a page of the log that holds something behind `offset`, where a write was under way at most.
    pub(crate) fn check_blank<F: NorFlash>(
        &self,
        flash: &mut F,
        sequence: u32,
        offset: u32,
    ) -> Result<(), StoreError> {
        let page = Layout::flash_page(self.layout.page_of(sequence));
        if domain_key::is_blank(flash, &self.layout, page, offset)? {
            Ok(())
        } else {
            Err(StoreError::Tampered)
        }
    }
}
