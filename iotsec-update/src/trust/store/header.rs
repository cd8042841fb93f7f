//! The two halves of a store's region, and their headers.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{crypto::DIGEST_LEN, hal::Region};

use super::{super::error::TrustError, TrustStore};
use crate::{
    checksum::crc32,
    slot::{MAX_WORD, read_block},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    First,
    Second,
}

impl Half {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

const HEADER_LEN: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) len: u32,
    pub(super) serial: u32,
    pub(super) tag: [u8; DIGEST_LEN],
}

impl Header {
    /// What the tag covers.
    pub(super) fn head(&self) -> [u8; 16] {
        let mut head = [0; 16];
        let fields = b"iTRU\x01\0\0\0".iter().copied();
        let fields = fields
            .chain(self.len.to_le_bytes())
            .chain(self.serial.to_le_bytes());
        for (to, from) in head.iter_mut().zip(fields) {
            *to = from;
        }
        head
    }

    pub(super) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        for (to, from) in out.iter_mut().zip(self.head().into_iter().chain(self.tag)) {
            *to = from;
        }
        let crc = crc32(out.get(..48).unwrap_or_default());
        for (to, from) in out.iter_mut().skip(48).zip(crc.to_le_bytes()) {
            *to = from;
        }
        out
    }

    /// The header of a half; `None` where nothing was written.
    pub(super) fn read<F: NorFlash>(
        flash: &mut F,
        region: &Region,
        half: Half,
    ) -> Result<Option<Self>, TrustError> {
        let mut block = [0; MAX_WORD];
        let bytes = read_block(flash, region, start_of(region, half), HEADER_LEN, &mut block)?;
        if bytes.iter().all(|byte| *byte == region.erased()) {
            return Ok(None);
        }
        let number = |at: usize| {
            let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map(|bytes| u32::from_le_bytes(*bytes))
        };
        let tag = bytes.get(16..).and_then(|rest| rest.first_chunk());
        let (Some(len), Some(serial), Some(tag)) = (number(8), number(12), tag) else {
            return Err(TrustError::Corrupt);
        };
        let header = Self {
            len,
            serial,
            tag: *tag,
        };
        if bytes == header.encode() && len <= TrustStore::capacity(region) {
            Ok(Some(header))
        } else {
            Err(TrustError::Corrupt)
        }
    }
}

/// Bytes that the header takes in flash. Words are powers of two.
pub(super) const fn header_space(region: &Region) -> u32 {
    if region.word_size() > 64 {
        region.word_size()
    } else {
        64
    }
}

/// Where the bundle starts in its half, behind the header and the mark.
pub(super) const fn body_offset(region: &Region) -> u32 {
    let mark = if region.word_size() > 4 {
        region.word_size()
    } else {
        4
    };
    header_space(region).saturating_add(mark)
}

pub(super) const fn half_len(region: &Region) -> u32 {
    region.page_size().saturating_mul(region.page_count() >> 1)
}

pub(super) fn page_of(region: &Region, half: Half) -> u32 {
    match half {
        Half::First => 0,
        Half::Second => region.page_count() >> 1,
    }
}

pub(super) fn start_of(region: &Region, half: Half) -> u32 {
    page_of(region, half).saturating_mul(region.page_size())
}
