//! Which record holds the newest value of each key.

use crate::{KeyDomain, KeyId, StoreError, place::Place, record::Position};

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
    /// The name in the upper three bytes, then the domain and the flags.
    id: u32,
    /// Sequence number of the page; zero for an entry that is free.
    sequence: u32,
    /// In words.
    offset: u16,
    /// The length in the lower twelve bits, then the chunk.
    size: u16,
}

const USER: u8 = 1;
const DAMAGED: u8 = 2;
const PENDING: u8 = 4;
const ONCE: u8 = 8;
const COUNTER: u8 = 16;
const GONE: u8 = 32;
const DOOMED: u8 = 64;
const LEN_BITS: u32 = 12;

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

    const fn flags(&self) -> u8 {
        let [_, _, _, flags] = self.id.to_be_bytes();
        flags
    }

    const fn key(&self) -> KeyId {
        let domain = if self.flags() & USER == 0 {
            KeyDomain::Device
        } else {
            KeyDomain::User
        };
        let [a, b, c, _] = self.id.to_be_bytes();
        KeyId::from_name(domain, u32::from_be_bytes([0, a, b, c]))
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags() & flag != 0
    }

    fn place(&self, word: u32) -> Place {
        let chunk = self.size.checked_shr(LEN_BITS).unwrap_or(0);
        Place {
            key: self.key(),
            position: Position {
                sequence: self.sequence,
                offset: u32::from(self.offset).saturating_mul(word),
            },
            len: self.size & crate::record::MAX_LEN,
            chunk: u8::try_from(chunk).unwrap_or(0),
            damaged: self.has(DAMAGED),
            pending: self.has(PENDING),
            once: self.has(ONCE),
            counter: self.has(COUNTER),
            gone: self.has(GONE),
            doomed: self.has(DOOMED),
        }
    }

    fn new(place: &Place, word: u32) -> Self {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(place.key.domain() == KeyDomain::User, USER)
            | flag(place.damaged, DAMAGED)
            | flag(place.pending, PENDING)
            | flag(place.once, ONCE)
            | flag(place.counter, COUNTER)
            | flag(place.gone, GONE)
            | flag(place.doomed, DOOMED);
        let [_, a, b, c] = place.key.name().to_be_bytes();
        let offset = place.position.offset.checked_div(word).unwrap_or(0);
        let chunk = u16::from(place.chunk).checked_shl(LEN_BITS).unwrap_or(0);
        Self {
            id: u32::from_be_bytes([a, b, c, flags]),
            sequence: place.position.sequence,
            // A page has no more words than that: `Layout::new`.
            offset: u16::try_from(offset).unwrap_or(u16::MAX),
            size: place.len | chunk,
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
            let changed = self.completed && self.is_to_change(place.key);
            place.pending == changed && !place.gone
        })
    }

    /// The value of `key` that counts, chunk by chunk, in no particular order.
    pub(crate) fn chunks(&self, key: KeyId) -> impl Iterator<Item = Place> {
        self.counting().filter(move |place| place.key == key)
    }

    /// One chunk of the value of `key` that counts.
    pub(crate) fn find(&self, key: KeyId, chunk: u8) -> Option<Place> {
        self.chunks(key).find(|place| place.chunk == chunk)
    }

    /// Takes a record that replaces the value of its key, or the pending one.
    pub(crate) fn replace(&mut self, place: &Place) -> Result<(), StoreError> {
        // Chunks come with the last one first: one that is not below those before begins another value.
        let above = |other: Place| other.key != place.key || !other.pending || other.chunk > place.chunk;
        let continues = place.pending && !place.gone && self.iter().all(above);
        self.retain(|other| other.key != place.key || other.pending != place.pending || continues);
        self.put(place)
    }

    /// Takes a record in the place of the same one elsewhere.
    pub(crate) fn renew(&mut self, place: &Place) -> Result<(), StoreError> {
        self.retain(|other| {
            other.key != place.key || other.pending != place.pending || other.chunk != place.chunk
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
            if !entry.is_free() && entry.has(PENDING) {
                let key = entry.key();
                self.retain(|other| other.key != key || other.pending);
            }
            at = at.saturating_add(1);
        }
        self.retain(|place| !place.gone && !place.doomed);
        self.clear(PENDING);
    }

    /// What is pending never counts, unless it was completed.
    pub(crate) fn abort(&mut self) {
        if self.completed {
            return;
        }
        self.retain(|place| !place.pending);
        self.clear(DOOMED);
    }

    fn clear(&mut self, flag: u8) {
        for entry in self.entries.iter_mut() {
            let [a, b, c, flags] = entry.id.to_be_bytes();
            entry.id = u32::from_be_bytes([a, b, c, flags & !flag]);
        }
    }

    /// Whether a transaction is to change what is under `key`.
    pub(crate) fn is_to_change(&self, key: KeyId) -> bool {
        self.iter().any(|place| place.key == key && place.pending)
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.iter().any(|place| place.pending)
    }

    pub(crate) fn remove(&mut self, key: KeyId) {
        self.retain(|place| place.key != key || place.pending);
    }

    pub(crate) fn remove_domain(&mut self, domain: KeyDomain) {
        self.retain(|place| place.key.domain() != domain);
    }

    fn retain(&mut self, keep: impl Fn(&Place) -> bool) {
        for entry in self.entries.iter_mut() {
            if !entry.is_free() && !keep(&entry.place(self.word)) {
                *entry = IndexEntry::EMPTY;
            }
        }
    }
}
