//! The header of a data page.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, NONCE_LEN, TAG_LEN},
    secret::Secret,
};

use crate::{StoreError, layout::Layout};

/// `magic (4) ‖ sequence number (4, little endian) ‖ tag (16)`.
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
pub(crate) fn read_header<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    aead: &dyn Aead,
    key: &Secret<32>,
    page: u32,
) -> Option<u32> {
    let mut bytes = [0; HEADER_LEN];
    // A header that cannot be read was torn, or never there.
    layout.region().read(flash, layout.start(page), &mut bytes).ok()?;
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (sequence, rest) = rest.split_first_chunk::<4>()?;
    let tag = rest.first_chunk::<TAG_LEN>()?;
    let sequence = u32::from_le_bytes(*sequence);
    if *magic != MAGIC {
        return None;
    }
    aead.open(key, &nonce(page, sequence), AAD, &mut [], tag).ok()?;
    Some(sequence)
}

fn nonce(page: u32, sequence: u32) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    let content = sequence.to_le_bytes().into_iter().chain(page.to_le_bytes());
    for (to, from) in nonce.iter_mut().zip(content) {
        *to = from;
    }
    nonce
}
