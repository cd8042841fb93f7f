//! Answers of the TPM, which may be anything.

use std::io::{self, Read};

use zeroize::Zeroize;

use super::{
    TpmError,
    command::{TAG_PLAIN, TAG_SESSIONS},
};

/// Tag, length, response code.
const HEADER_LEN: usize = 10;
/// `TPM2_MAX_RESPONSE_SIZE` of the PC Client profile.
const MAX_LEN: usize = 4096;

/// An answer that says success, wiped when dropped.
pub(super) struct Response {
    bytes: [u8; MAX_LEN],
    len: usize,
    tag: u16,
}

impl Response {
    /// Reads one answer to a command with this tag.
    ///
    /// A device gives the whole answer at the first read, a socket whatever has arrived.
    pub(super) fn read(transport: &mut impl Read, tag: u16) -> Result<Self, TpmError> {
        let mut response = Self {
            bytes: [0; MAX_LEN],
            len: 0,
            tag,
        };
        let mut wanted = HEADER_LEN;
        while response.len < wanted {
            let room = response.bytes.get_mut(response.len..).unwrap_or_default();
            match transport.read(room) {
                Ok(0) => return Err(TpmError::Io(io::ErrorKind::UnexpectedEof)),
                Ok(count) => response.len = response.len.saturating_add(count).min(MAX_LEN),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if response.len >= HEADER_LEN {
                wanted = response.said_len()?;
            }
        }
        if response.len != wanted {
            return Err(TpmError::Response);
        }
        response.check_header()?;
        Ok(response)
    }

    fn said_len(&self) -> Result<usize, TpmError> {
        let mut header = self.from(2)?;
        match usize::try_from(header.u32()?) {
            Ok(len) if (HEADER_LEN..=MAX_LEN).contains(&len) => Ok(len),
            _ => Err(TpmError::Response),
        }
    }

    fn check_header(&self) -> Result<(), TpmError> {
        let mut header = self.from(0)?;
        let tag = header.u16()?;
        header.u32()?;
        match header.u32()? {
            0 if tag == self.tag => Ok(()),
            0 => Err(TpmError::Response),
            // A refusal has no sessions, and nothing behind it.
            code if tag == TAG_PLAIN && self.len == HEADER_LEN => Err(TpmError::Refused(code)),
            _ => Err(TpmError::Response),
        }
    }

    /// The handle that some answers begin with.
    pub(super) fn handle(&self) -> Result<u32, TpmError> {
        self.from(HEADER_LEN)?.u32()
    }

    /// The parameters, behind `handles` handles.
    pub(super) fn parameters(&self, handles: usize) -> Result<Fields<'_>, TpmError> {
        let start = HEADER_LEN.saturating_add(handles.saturating_mul(4));
        let mut fields = self.from(start)?;
        if self.tag != TAG_SESSIONS {
            return Ok(fields);
        }
        let len = usize::try_from(fields.u32()?).map_err(|_| TpmError::Response)?;
        let (parameters, session) = fields.0.split_at_checked(len).ok_or(TpmError::Response)?;
        // Of a password: no nonce, attributes, no authorisation.
        match session {
            [0, 0, _, 0, 0] => Ok(Fields(parameters)),
            _ => Err(TpmError::Response),
        }
    }

    fn from(&self, start: usize) -> Result<Fields<'_>, TpmError> {
        self.bytes
            .get(start..self.len)
            .map(Fields)
            .ok_or(TpmError::Response)
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Big-endian fields, taken from the front.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn u16(&mut self) -> Result<u16, TpmError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(TpmError::Response)?;
        self.0 = rest;
        Ok(u16::from_be_bytes(*number))
    }

    pub(super) fn u32(&mut self) -> Result<u32, TpmError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(TpmError::Response)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    /// A structure behind its length in two bytes.
    pub(super) fn sized(&mut self) -> Result<&'a [u8], TpmError> {
        let len = usize::from(self.u16()?);
        let (field, rest) = self.0.split_at_checked(len).ok_or(TpmError::Response)?;
        self.0 = rest;
        Ok(field)
    }

    /// Refuses what is left over.
    pub(super) const fn end(&self) -> Result<(), TpmError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(TpmError::Response)
        }
    }
}
