use super::error::DapError;

/// Bytes in the presentation language of TLS (RFC 8446 §3).
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// That nothing follows.
    pub(crate) const fn finish(&self) -> Result<(), DapError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(DapError::Malformed)
        }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DapError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(DapError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DapError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(DapError::Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DapError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DapError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DapError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DapError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// `opaque <..2^16-1>`.
    pub(crate) fn opaque16(&mut self) -> Result<&'a [u8], DapError> {
        let len = self.u16()?;
        self.take(len.into())
    }
}
