//! The head of a data page: it stands first and is written last, and makes the page part of the log.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, CryptoError, NONCE_LEN, TAG_LEN},
    secret::Secret,
};

use crate::{StoreError, layout::Layout, sealing::SALT_LEN, user_key::VERSION};

/// `salt (16) ‖ sequence number (4) ‖ sealed (28) ‖ tag (16)`; sequence numbers count from 1.
pub(crate) const HEAD_LEN: usize = 64;
const SEALED_LEN: usize = 28;
/// Behind the salt.
const SEQUENCE_AT: u32 = 16;

/// Salt and sequence number of a page, as flash has them.
#[derive(Clone, Copy)]
pub(crate) struct Raw {
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) sequence: u32,
    sealed: [u8; SEALED_LEN],
    tag: [u8; TAG_LEN],
}

/// What the head says of the log when the page was opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Sequence number of the page with which the log begins.
    pub(crate) oldest: u32,
    /// Where the page before ends beyond doubt.
    pub(crate) sure: u32,
    /// Bytes of a record behind that of which nobody knows whether it was written whole.
    pub(crate) doubt: u16,
    /// A transaction is under way.
    pub(crate) in_transaction: bool,
    /// Generation that the user domain's key has, or is to have.
    pub(crate) generation: u32,
    /// Over the headers of the page before, up to `sure`.
    pub(crate) sum: u32,
    /// Where the copies end that were made when the page was opened, in words.
    pub(crate) start: u16,
    /// What the monotonic counter is at, or is to be; zero without one. Six bytes.
    pub(crate) counter: u64,
}

/// The highest number that a page has room for.
pub(crate) const MAX_COUNTER: u64 = 0xFFFF_FFFF_FFFF;

const IN_TRANSACTION: u16 = 1;

impl Opened {
    fn to_bytes(self) -> [u8; SEALED_LEN] {
        let flags = if self.in_transaction { IN_TRANSACTION } else { 0 };
        let mut out = [0; SEALED_LEN];
        let content = self
            .oldest
            .to_le_bytes()
            .into_iter()
            .chain(self.sure.to_le_bytes())
            .chain(self.doubt.to_le_bytes())
            .chain(flags.to_le_bytes())
            .chain(self.generation.to_le_bytes())
            .chain(self.sum.to_le_bytes())
            .chain(self.start.to_le_bytes())
            .chain(self.counter.to_le_bytes());
        for (to, from) in out.iter_mut().zip(content) {
            *to = from;
        }
        out
    }

    fn from_bytes(bytes: &[u8; SEALED_LEN]) -> Self {
        let [
            o0,
            o1,
            o2,
            o3,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            f0,
            f1,
            g0,
            g1,
            g2,
            g3,
            m0,
            m1,
            m2,
            m3,
            e0,
            e1,
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
        ] = *bytes;
        Self {
            oldest: u32::from_le_bytes([o0, o1, o2, o3]),
            sure: u32::from_le_bytes([s0, s1, s2, s3]),
            doubt: u16::from_le_bytes([d0, d1]),
            in_transaction: u16::from_le_bytes([f0, f1]) & IN_TRANSACTION != 0,
            generation: u32::from_le_bytes([g0, g1, g2, g3]),
            sum: u32::from_le_bytes([m0, m1, m2, m3]),
            start: u16::from_le_bytes([e0, e1]),
            counter: u64::from_le_bytes([c0, c1, c2, c3, c4, c5, 0, 0]),
        }
    }
}

impl Raw {
    /// The head of page `sequence` that says `opened`.
    pub(crate) fn seal(
        opened: &Opened,
        sequence: u32,
        salt: [u8; SALT_LEN],
        layout: &Layout,
        aead: &dyn Aead,
        key: &Secret<32>,
    ) -> Result<Self, CryptoError> {
        let mut sealed = opened.to_bytes();
        let tag = aead.seal(key, &nonce(sequence), &aad(layout, &salt, sequence), &mut sealed)?;
        Ok(Self {
            salt,
            sequence,
            sealed,
            tag,
        })
    }

    /// Writes it where it belongs.
    pub(crate) fn write<F: NorFlash>(
        &self,
        flash: &mut F,
        layout: &Layout,
        buffer: &mut [u8],
    ) -> Result<(), StoreError> {
        let len = usize::try_from(layout.head_len()).map_err(|_| StoreError::Layout)?;
        let place = buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        let content = self
            .salt
            .into_iter()
            .chain(self.sequence.to_le_bytes())
            .chain(self.sealed)
            .chain(self.tag)
            .chain(core::iter::repeat(0));
        for (to, from) in place.iter_mut().zip(content) {
            *to = from;
        }
        let at = layout.start(layout.page_of(self.sequence));
        layout.region().write(flash, at, place)?;
        Ok(())
    }
}

/// Reads what stands where the head of data page `page` does; `None` for what cannot be one.
pub(crate) fn read<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    page: u32,
) -> Result<Option<Raw>, StoreError> {
    let mut bytes = [0; HEAD_LEN];
    if !layout.read(flash, layout.start(page), &mut bytes)? {
        return Ok(None);
    }
    let parts = bytes.split_first_chunk::<SALT_LEN>().and_then(|(salt, rest)| {
        let (sequence, rest) = rest.split_first_chunk::<4>()?;
        let (sealed, rest) = rest.split_first_chunk::<SEALED_LEN>()?;
        Some(Raw {
            salt: *salt,
            sequence: u32::from_le_bytes(*sequence),
            sealed: *sealed,
            tag: *rest.first_chunk()?,
        })
    });
    Ok(parts.filter(|raw| raw.sequence > 0 && layout.page_of(raw.sequence) == page))
}

/// The sequence number that stands where the head of data page `page` has it.
pub(crate) fn read_sequence<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    page: u32,
) -> Result<u32, StoreError> {
    let mut bytes = [0; 4];
    let at = layout.start(page).saturating_add(SEQUENCE_AT);
    let readable = layout.read(flash, at, &mut bytes)?;
    Ok(if readable { u32::from_le_bytes(bytes) } else { 0 })
}

/// What a head says that is whole and ours.
///
/// # Errors
/// Failures of the cipher.
pub(crate) fn open(
    raw: &Raw,
    layout: &Layout,
    aead: &dyn Aead,
    key: &Secret<32>,
) -> Result<Option<Opened>, StoreError> {
    let mut sealed = raw.sealed;
    let aad = aad(layout, &raw.salt, raw.sequence);
    match aead.open(key, &nonce(raw.sequence), &aad, &mut sealed, &raw.tag) {
        Ok(()) => Ok(Some(Opened::from_bytes(&sealed))),
        Err(CryptoError::Tag) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

const AAD_LEN: usize = 52;

/// The salt is what the key is derived from, so it needs no other protection; it stands here all the same.
fn aad(layout: &Layout, salt: &[u8; SALT_LEN], sequence: u32) -> [u8; AAD_LEN] {
    let region = layout.region();
    let [w0, w1, ..] = region.word_size().to_le_bytes();
    let content = (*b"iotsec/store/page/v2")
        .into_iter()
        .chain(salt.iter().copied())
        .chain(sequence.to_le_bytes())
        .chain([VERSION, region.erased(), w0, w1])
        .chain(region.page_size().to_le_bytes())
        .chain(region.page_count().to_le_bytes());
    let mut aad = [0; AAD_LEN];
    for (to, from) in aad.iter_mut().zip(content) {
        *to = from;
    }
    aad
}

fn nonce(sequence: u32) -> [u8; NONCE_LEN] {
    let [a, b, c, d] = sequence.to_le_bytes();
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]
}
