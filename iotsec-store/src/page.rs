//! The header of a data page.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, CryptoError, NONCE_LEN},
    secret::Secret,
};

use crate::{StoreError, layout::Layout};

/// `magic (4) ‖ sequence number (4, little endian) ‖ tag (16)`; sequence numbers count from 1.
pub(crate) const HEADER_LEN: usize = 24;
const MAGIC: [u8; 4] = *b"iSP1";
const AAD: &[u8] = b"iotsec/store/page/v1";

/// Writes the header that makes an erased page part of the log.
pub(crate) fn write_header<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    aead: &dyn Aead,
    key: &Secret<32>,
    page: u32,
    sequence: u32,
    buffer: &mut [u8],
) -> Result<(), StoreError> {
    let tag = aead.seal(key, &nonce(page, sequence), AAD, &mut [])?;
    let len = usize::try_from(layout.header_len()).map_err(|_| StoreError::Layout)?;
    let place = buffer.get_mut(..len).ok_or(StoreError::Layout)?;
    let content = MAGIC
        .into_iter()
        .chain(sequence.to_le_bytes())
        .chain(tag)
        .chain(core::iter::repeat(0));
    for (to, from) in place.iter_mut().zip(content) {
        *to = from;
    }
    layout.region().write(flash, layout.start(page), place)?;
    Ok(())
}

/// The sequence number of a page whose header is whole and ours.
///
/// # Errors
/// Failures of flash and cipher.
pub(crate) fn read_header<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    aead: &dyn Aead,
    key: &Secret<32>,
    page: u32,
) -> Result<Option<u32>, StoreError> {
    let mut bytes = [0; HEADER_LEN];
    if !layout.read(flash, layout.start(page), &mut bytes)? {
        return Ok(None);
    }
    let [m0, m1, m2, m3, s0, s1, s2, s3, tag @ ..] = bytes;
    let sequence = u32::from_le_bytes([s0, s1, s2, s3]);
    if [m0, m1, m2, m3] != MAGIC || layout.page_of(sequence) != page {
        return Ok(None);
    }
    match aead.open(key, &nonce(page, sequence), AAD, &mut [], &tag) {
        Ok(()) => Ok(Some(sequence)),
        Err(CryptoError::Tag) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn nonce(page: u32, sequence: u32) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    let content = sequence.to_le_bytes().into_iter().chain(page.to_le_bytes());
    for (to, from) in nonce.iter_mut().zip(content) {
        *to = from;
    }
    nonce
}
