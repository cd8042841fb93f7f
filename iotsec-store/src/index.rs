//! Which record holds the newest value of each key.

use crate::{KeyDomain, KeyId, StoreError, record::Position};

/// One entry of the RAM index: 20 bytes a key. It holds a key's name and place, and nothing secret.
///
/// ```
/// use iotsec_store::IndexEntry;
///
/// // RAM for 32 keys.
/// static INDEX: [IndexEntry; 32] = [IndexEntry::EMPTY; 32];
/// assert_eq!(size_of_val(&INDEX), 640);
/// ```
#[derive(Clone, Copy)]
pub struct IndexEntry(Option<Place>);

impl IndexEntry {
    /// What a fresh index is filled with.
    pub const EMPTY: Self = Self(None);
}

impl core::fmt::Debug for IndexEntry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.0.is_some() {
            "IndexEntry(used)"
        } else {
            "IndexEntry(free)"
        })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) key: KeyId,
    pub(crate) position: Position,
    pub(crate) len: u16,
    /// The value failed authentication before; there is nothing to read.
    pub(crate) damaged: bool,
}

pub(crate) struct Index<'a>(&'a mut [IndexEntry]);

impl<'a> Index<'a> {
    pub(crate) fn new(entries: &'a mut [IndexEntry]) -> Self {
        entries.fill(IndexEntry::EMPTY);
        Self(entries)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter_map(|entry| entry.0.as_ref())
    }

    pub(crate) fn find(&self, key: KeyId) -> Option<Place> {
        self.iter().find(|place| place.key == key).copied()
    }

    /// Room for `key`, new or known.
    pub(crate) fn has_room(&self, key: KeyId) -> bool {
        self.find(key).is_some() || self.0.iter().any(|entry| entry.0.is_none())
    }

    pub(crate) fn set(&mut self, place: Place) -> Result<(), StoreError> {
        let known = self
            .0
            .iter()
            .position(|entry| entry.0.is_some_and(|other| other.key == place.key));
        let free = || self.0.iter().position(|entry| entry.0.is_none());
        let at = known.or_else(free).ok_or(StoreError::IndexFull)?;
        let entry = self.0.get_mut(at).ok_or(StoreError::IndexFull)?;
        entry.0 = Some(place);
        Ok(())
    }

    pub(crate) fn remove(&mut self, key: KeyId) {
        self.retain(|place| place.key != key);
    }

    pub(crate) fn remove_domain(&mut self, domain: KeyDomain) {
        self.retain(|place| place.key.domain() != domain);
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Place) -> bool) {
        for entry in self.0.iter_mut() {
            if entry.0.as_ref().is_some_and(|place| !keep(place)) {
                entry.0 = None;
            }
        }
    }
}
