//! Which record holds the newest value of each key.

use crate::{
    KeyDomain, KeyId, StoreError,
    header::{FIRST, Header, NEXT},
    place::Place,
    record::Position,
};

/// One entry of the RAM index: 12 bytes for a value, and 12 more for each further chunk of a long one. It holds a
/// key's name and place, and nothing secret.
///
/// ```
/// use iotsec_store::IndexEntry;
///
/// // RAM for 32 keys.
/// static INDEX: [IndexEntry; 32] = [IndexEntry::EMPTY; 32];
/// assert_eq!(size_of_val(&INDEX), 384);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// Name, domain, kind and flags, as in the header of a [`Place`].
    id: u32,
    /// Sequence number of the page; zero for an entry that is free.
    sequence: u32,
    /// In words.
    offset: u16,
    /// The length, and the chunk.
    size: u16,
}

impl IndexEntry {
    /// What a fresh index is filled with.
    pub const EMPTY: Self = Self {
        id: 0,
        sequence: 0,
        offset: 0,
        size: 0,
    };

    const fn is_free(&self) -> bool {
        self.sequence == 0
    }

    const fn header(&self) -> Header {
        Header::from_parts(self.id, self.size)
    }

    fn place(&self, word: u32) -> Place {
        Place {
            header: self.header(),
            position: Position {
                sequence: self.sequence,
                offset: u32::from(self.offset).wrapping_mul(word),
            },
        }
    }

    fn new(place: &Place, word: u32) -> Self {
        let offset = place.position.offset.checked_div(word).unwrap_or(0);
        Self {
            id: place.header.id(),
            sequence: place.position.sequence,
            // A page has no more words than that: `Layout::new`.
            offset: u16::try_from(offset).unwrap_or(u16::MAX),
            size: place.header.size(),
        }
    }
}

impl core::fmt::Debug for IndexEntry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.is_free() {
            "IndexEntry(free)"
        } else {
            "IndexEntry(used)"
        })
    }
}

pub(crate) struct Index<'a> {
    entries: &'a mut [IndexEntry],
    /// Bytes in a word of the flash.
    word: u32,
    /// The transaction that waits was completed, and its commit must be written once more before what it replaces goes.
    completed: bool,
}

impl<'a> Index<'a> {
    pub(crate) fn new(entries: &'a mut [IndexEntry], word: u32) -> Self {
        entries.fill(IndexEntry::EMPTY);
        Self {
            entries,
            word,
            completed: false,
        }
    }

    /// Everything that has a record in flash, committed or pending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Place> {
        let used = self.entries.iter().filter(|entry| !entry.is_free());
        used.map(|entry| entry.place(self.word))
    }

    /// What counts.
    pub(crate) fn counting(&self) -> impl Iterator<Item = Place> {
        self.iter().filter(|place| {
            let changed = self.completed && self.is_to_change(place.key());
            place.is_pending() == changed && !place.is_gone()
        })
    }

    /// The value of `key` that counts, chunk by chunk, in no particular order.
    pub(crate) fn chunks(&self, key: KeyId) -> impl Iterator<Item = Place> {
        self.counting().filter(move |place| place.key() == key)
    }

    /// One chunk of the value of `key` that counts.
    pub(crate) fn find(&self, key: KeyId, chunk: u8) -> Option<Place> {
        self.chunks(key).find(|place| place.header.chunk() == chunk)
    }

    /// Takes a record that replaces the value of its key, or the pending one.
    pub(crate) fn replace(&mut self, place: &Place) -> Result<(), StoreError> {
        let chunk = place.header.chunk();
        // Chunks come with the last one first: one that is not below those before begins another value.
        let above =
            |other: Place| other.key() != place.key() || !other.is_pending() || other.header.chunk() > chunk;
        let continues = place.is_pending() && !place.is_gone() && self.iter().all(above);
        if !continues {
            self.retain(|other| other.key() != place.key() || other.is_pending() != place.is_pending());
        }
        self.put(place)
    }

    /// Takes a record in the place of the same one elsewhere.
    pub(crate) fn renew(&mut self, place: &Place) -> Result<(), StoreError> {
        let chunk = place.header.chunk();
        self.retain(|other| {
            other.key() != place.key()
                || other.is_pending() != place.is_pending()
                || other.header.chunk() != chunk
        });
        self.put(place)
    }

    fn put(&mut self, place: &Place) -> Result<(), StoreError> {
        let free = self.entries.iter_mut().find(|entry| entry.is_free());
        *free.ok_or(StoreError::IndexFull)? = IndexEntry::new(place, self.word);
        Ok(())
    }

    /// Entries that are free.
    pub(crate) fn room(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_free()).count()
    }

    /// What is pending counts, and what it replaces stays where it is until [`commit`](Self::commit).
    pub(crate) const fn complete(&mut self) {
        self.completed = true;
    }

    pub(crate) const fn is_completed(&self) -> bool {
        self.completed
    }

    /// What is pending counts from here on.
    pub(crate) fn commit(&mut self) {
        self.completed = false;
        let mut at: usize = 0;
        while let Some(entry) = self.entries.get(at).copied() {
            if !entry.is_free() && entry.header().has(NEXT) {
                let key = entry.header().key();
                self.retain(|other| other.key() != key || other.is_pending());
            }
            at = at.saturating_add(1);
        }
        self.retain(|place| !place.is_gone() && !place.is_doomed());
        self.clear(NEXT);
    }

    /// What is pending never counts, unless it was completed.
    pub(crate) fn abort(&mut self) {
        if self.completed {
            return;
        }
        self.retain(|place| !place.is_pending());
        self.clear(FIRST);
    }

    fn clear(&mut self, flag: u8) {
        for entry in self.entries.iter_mut() {
            entry.id = entry.header().without(flag).id();
        }
    }

    /// Whether a transaction is to change what is under `key`.
    pub(crate) fn is_to_change(&self, key: KeyId) -> bool {
        self.iter().any(|place| place.key() == key && place.is_pending())
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.iter().any(|place| place.is_pending())
    }

    pub(crate) fn remove(&mut self, key: KeyId) {
        self.retain(|place| place.key() != key || place.is_pending());
    }

    pub(crate) fn remove_domain(&mut self, domain: KeyDomain) {
        self.retain(|place| place.key().domain() != domain);
    }

    fn retain(&mut self, keep: impl Fn(&Place) -> bool) {
        for entry in self.entries.iter_mut() {
            if !entry.is_free() && !keep(&entry.place(self.word)) {
                *entry = IndexEntry::EMPTY;
            }
        }
    }
}
