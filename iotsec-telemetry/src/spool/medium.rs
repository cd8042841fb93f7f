//! Sealed pieces in flash: each is some numbers, has its place, and is authentic nowhere else.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, CryptoError, NONCE_LEN, TAG_LEN},
    hal::{FlashError, Region},
    secret::Secret,
};

use super::error::SpoolError;

/// Bytes of the longest piece with what fills up its last word: the longest word, since no piece has more.
pub(super) const MAX_PIECE: usize = 256;
/// In front of the head of a page: its sequence number, in the clear.
pub(super) const CLEAR_LEN: usize = 4;
const DOMAIN: &[u8] = b"iotsec/telemetry/spool/v1";

/// The flash, and what seals what is in it.
#[derive(Clone, Copy)]
pub(super) struct Medium<'k> {
    pub(super) region: Region,
    pub(super) aead: &'k dyn Aead,
}

/// Where a piece stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// From the start of the region.
    pub(super) at: u32,
    /// The log it belongs to.
    pub(super) log: u8,
    /// Sequence number of its page.
    pub(super) sequence: u32,
    /// 0 for the head of the page, from 1 for what follows.
    pub(super) number: u32,
}

impl Place {
    const fn clear_len(&self) -> usize {
        if self.number == 0 { CLEAR_LEN } else { 0 }
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let [a, b, c, d] = self.sequence.to_le_bytes();
        let [e, f, g, h] = self.number.to_le_bytes();
        [a, b, c, d, e, f, g, h, self.log, 0, 0, 0]
    }
}

/// What a place holds.
pub(super) enum Found<const N: usize> {
    /// Erased bytes.
    Blank,
    /// Something else than what was written there.
    Bad,
    /// The numbers.
    Good([u32; N]),
}

impl Medium<'_> {
    /// Bytes that a piece of `numbers` takes, with `clear` bytes before it.
    pub(super) fn piece_len(region: &Region, clear: usize, numbers: usize) -> u32 {
        let len = numbers
            .saturating_mul(4)
            .saturating_add(clear)
            .saturating_add(TAG_LEN);
        let len = u32::try_from(len).ok().and_then(|len| region.align_up(len));
        len.unwrap_or(u32::MAX)
    }

    /// Writes, and reads back.
    pub(super) fn write<F: NorFlash, const N: usize>(
        &self,
        flash: &mut F,
        place: &Place,
        key: &Secret<32>,
        numbers: [u32; N],
    ) -> Result<(), SpoolError> {
        let mut buffer = [0; MAX_PIECE];
        let len = self.len::<N>(place);
        let piece = buffer.get_mut(..len).ok_or(SpoolError::Layout)?;
        let (clear, rest) = piece
            .split_at_mut_checked(place.clear_len())
            .ok_or(SpoolError::Layout)?;
        for (to, from) in clear.iter_mut().zip(place.sequence.to_le_bytes()) {
            *to = from;
        }
        let (sealed, rest) = rest
            .split_at_mut_checked(N.saturating_mul(4))
            .ok_or(SpoolError::Layout)?;
        for (to, from) in sealed
            .iter_mut()
            .zip(numbers.iter().flat_map(|number| number.to_le_bytes()))
        {
            *to = from;
        }
        let tag = self.aead.seal(key, &place.nonce(), DOMAIN, sealed)?;
        for (to, from) in rest.iter_mut().zip(tag) {
            *to = from;
        }
        self.region.write(flash, place.at, piece)?;
        let mut back = [0; MAX_PIECE];
        let back = back.get_mut(..len).ok_or(SpoolError::Layout)?;
        if self.read(flash, place.at, back)? && back == piece {
            Ok(())
        } else {
            Err(SpoolError::ReadBack)
        }
    }

    /// Reads what stands at `place`.
    pub(super) fn open<F: NorFlash, const N: usize>(
        &self,
        flash: &mut F,
        place: &Place,
        key: &Secret<32>,
    ) -> Result<Found<N>, SpoolError> {
        let mut buffer = [0; MAX_PIECE];
        let piece = buffer.get_mut(..self.len::<N>(place)).ok_or(SpoolError::Layout)?;
        if !self.read(flash, place.at, piece)? {
            return Ok(Found::Bad);
        }
        if piece.iter().all(|byte| *byte == self.region.erased()) {
            return Ok(Found::Blank);
        }
        let parts = piece.get_mut(place.clear_len()..);
        let parts = parts.and_then(|rest| rest.split_at_mut_checked(N.saturating_mul(4)));
        let (sealed, rest) = parts.ok_or(SpoolError::Layout)?;
        let tag: &[u8; TAG_LEN] = rest.first_chunk().ok_or(SpoolError::Layout)?;
        match self.aead.open(key, &place.nonce(), DOMAIN, sealed, tag) {
            Ok(()) => {}
            Err(CryptoError::Tag) => return Ok(Found::Bad),
            Err(error) => return Err(error.into()),
        }
        let mut numbers = [0; N];
        for (number, bytes) in numbers.iter_mut().zip(sealed.as_chunks().0) {
            *number = u32::from_le_bytes(*bytes);
        }
        Ok(Found::Good(numbers))
    }

    /// Reads. `false` when this very place cannot be read, as a torn word of flash with error correction; an error
    /// when the driver fails altogether. A place is bad when it fails right after another was read.
    pub(super) fn read<F: NorFlash>(
        &self,
        flash: &mut F,
        at: u32,
        bytes: &mut [u8],
    ) -> Result<bool, FlashError> {
        self.region.read_place(flash, at, bytes)
    }

    fn len<const N: usize>(&self, place: &Place) -> usize {
        usize::try_from(Self::piece_len(&self.region, place.clear_len(), N)).unwrap_or(usize::MAX)
    }
}

/// Whether a whole page reads erased.
pub(super) fn is_blank<F: NorFlash>(region: &Region, flash: &mut F, page: u32) -> Result<bool, FlashError> {
    let mut at = page.saturating_mul(region.page_size());
    let end = at.saturating_add(region.page_size());
    let mut chunk = [0; MAX_PIECE];
    while at < end {
        let len = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let chunk = chunk.get_mut(..len.min(MAX_PIECE)).unwrap_or_default();
        if !region.read_place(flash, at, chunk)? || chunk.iter().any(|byte| *byte != region.erased()) {
            return Ok(false);
        }
        at = at.saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
    }
    Ok(true)
}
