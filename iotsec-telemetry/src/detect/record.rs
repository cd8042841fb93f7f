//! What the stored forms share: a version in front, a CRC-32 behind, every byte checked.

use crate::consent::crc32;

/// The checksum's bytes.
const CRC_LEN: usize = 4;

/// The fields with their checksum. They fill the record up to it.
pub(super) fn close<const N: usize>(fields: impl Iterator<Item = u8>) -> [u8; N] {
    let mut record = [0; N];
    let (body, checksum) = record.split_at_mut(N.saturating_sub(CRC_LEN));
    for (to, from) in body.iter_mut().zip(fields) {
        *to = from;
    }
    for (to, from) in checksum.iter_mut().zip(crc32(body).to_be_bytes()) {
        *to = from;
    }
    record
}

/// The fields of a record of this version, if its checksum holds.
pub(super) fn open<const N: usize>(record: &[u8; N], version: u8) -> Option<&[u8]> {
    let (body, checksum) = record.split_at_checked(N.saturating_sub(CRC_LEN))?;
    let (first, fields) = body.split_first()?;
    (checksum == crc32(body).to_be_bytes() && *first == version).then_some(fields)
}

/// The next four bytes as a number.
pub(super) fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// The next two bytes as a number.
pub(super) fn short(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}
