//! Saved states as bytes, least significant first.

use super::PayloadError;

/// Writes a state.
pub(super) struct Store<'a> {
    to: &'a mut [u8],
    len: usize,
}

impl<'a> Store<'a> {
    pub(super) const fn new(to: &'a mut [u8]) -> Self {
        Self { to, len: 0 }
    }

    /// Bytes written.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// `None` when there is no room.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.to.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }
}

/// Reads a state, of which nothing is believed.
pub(super) struct Load<'a> {
    rest: &'a [u8],
}

impl<'a> Load<'a> {
    pub(super) const fn new(state: &'a [u8]) -> Self {
        Self { rest: state }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PayloadError> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(PayloadError::State)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn u16(&mut self) -> Result<u16, PayloadError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, PayloadError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn fill(&mut self, to: &mut [u8]) -> Result<(), PayloadError> {
        let (first, rest) = self.rest.split_at_checked(to.len()).ok_or(PayloadError::State)?;
        to.copy_from_slice(first);
        self.rest = rest;
        Ok(())
    }

    /// Nothing may follow.
    pub(super) fn finish(self) -> Result<(), PayloadError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(PayloadError::State)
        }
    }
}
