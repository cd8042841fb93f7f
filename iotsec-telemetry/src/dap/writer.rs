use super::error::DapError;

/// Bytes one after the other.
pub(crate) struct Writer<'o>(&'o mut [u8]);

impl<'o> Writer<'o> {
    pub(crate) const fn new(out: &'o mut [u8]) -> Self {
        Self(out)
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<&mut Self, DapError> {
        let (to, rest) = core::mem::take(&mut self.0)
            .split_at_mut_checked(bytes.len())
            .ok_or(DapError::Buffer)?;
        for (to, from) in to.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.0 = rest;
        Ok(self)
    }

    /// What is not written yet.
    pub(crate) fn rest(&mut self) -> &mut [u8] {
        self.0
    }

    /// The same, for as long as the bytes live.
    pub(crate) const fn into_rest(self) -> &'o mut [u8] {
        self.0
    }
}
