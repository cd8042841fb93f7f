//! One record of the log: a header in front, the sealed value, the tag.

use iotsec_core::{
    crypto::{CryptoError, Kdf, NONCE_LEN, TAG_LEN},
    secret::Secret,
};

use crate::{KeyDomain, StoreError, Suite, bytes::join, header::Header, sealing::Keys};

/// `kind and flags (1) ‖ length and chunk (2) ‖ masked name (3) ‖ check (2)`, little endian.
pub(crate) const HEADER_LEN: usize = 8;
/// The longest value of one record.
pub(crate) const MAX_LEN: u16 = 0x0FFF;
/// The value of a [`Kind::Erase`].
pub(crate) const ERASE_LEN: u16 = 4;
/// The value of a [`Kind::Count`], and its tag.
pub(crate) const COUNT_LEN: u16 = 4;
const COUNT_TAG_LEN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value under a name.
    Put,
    /// The name has no value any more.
    Remove,
    /// Everything of the user domain before this record is erased; its key has this generation.
    Erase,
    /// The value under this name failed authentication when it was to be moved.
    Damaged,
    /// The records of the transaction count.
    Commit,
    /// A counter stands at this number.
    Count,
}

impl Kind {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Put => 1,
            Self::Remove => 2,
            Self::Erase => 3,
            Self::Damaged => 4,
            Self::Commit => 5,
            Self::Count => 6,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Put,
            2 => Self::Remove,
            3 => Self::Erase,
            4 => Self::Damaged,
            5 => Self::Commit,
            6 => Self::Count,
            _ => return None,
        })
    }
}

/// Where a record lies, which is part of what its tag covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Sequence number of its page.
    pub(crate) sequence: u32,
    /// Offset in its page.
    pub(crate) offset: u32,
}

impl Position {
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.sequence.to_le_bytes();
        let [e, f, g, h] = self.offset.to_le_bytes();
        [a, b, c, d, e, f, g, h]
    }

    fn nonce(self) -> [u8; NONCE_LEN] {
        let [a, b, c, d, e, f, g, h] = self.to_bytes();
        [a, b, c, d, e, f, g, h, 0, 0, 0, 0]
    }
}

/// Seals the value that stands behind the header's place in `buffer`, and puts header and tag around it.
pub(crate) fn seal(
    header: Header,
    bytes: [u8; HEADER_LEN],
    position: Position,
    suite: &Suite<'_>,
    keys: &Keys,
    buffer: &mut [u8],
) -> Result<(), StoreError> {
    let (place, value, rest) = parts(header, buffer)?;
    *place = bytes;
    let key = keys.record(sealed_by(header));
    let aad = aad(header, position, &bytes);
    // What fills up the last word.
    rest.fill(0);
    if header.is(Kind::Count) {
        let tag = rest.first_chunk_mut().ok_or(StoreError::Layout)?;
        *tag = count_tag(suite.kdf, key, &aad, value)?;
        mask_count(suite.kdf, key, &aad, tag, value)?;
    } else {
        let tag = rest.first_chunk_mut().ok_or(StoreError::Layout)?;
        *tag = suite.aead.seal(key, &position.nonce(), &aad, value)?;
    }
    Ok(())
}

/// Opens, in its place, the value in `buffer`, which holds the whole record.
pub(crate) fn open(
    header: Header,
    position: Position,
    suite: &Suite<'_>,
    keys: &Keys,
    buffer: &mut [u8],
) -> Result<(), StoreError> {
    let (bytes, value, rest) = parts(header, buffer)?;
    let key = keys.record(sealed_by(header));
    let aad = aad(header, position, bytes);
    if header.is(Kind::Count) {
        let tag = rest.first_chunk::<COUNT_TAG_LEN>().ok_or(StoreError::Layout)?;
        mask_count(suite.kdf, key, &aad, tag, value)?;
        if count_tag(suite.kdf, key, &aad, value)? != *tag {
            value.fill(0);
            return Err(StoreError::Tampered);
        }
        return Ok(());
    }
    let tag = rest.first_chunk::<TAG_LEN>().ok_or(StoreError::Layout)?;
    match suite.aead.open(key, &position.nonce(), &aad, value, tag) {
        Ok(()) => Ok(()),
        Err(CryptoError::Tag) => Err(StoreError::Tampered),
        Err(error) => Err(error.into()),
    }
}

/// The domain whose key seals a record. Only values are sealed with the key of their own domain: the log must make sense
/// when a domain has no key any more.
const fn sealed_by(header: Header) -> KeyDomain {
    if header.is_value() {
        header.domain()
    } else {
        KeyDomain::Device
    }
}

/// Header, value, and what is behind: the tag, and what fills up the last word.
fn parts<'b>(header: Header, record: &'b mut [u8]) -> Result<Parts<'b>, StoreError> {
    let (bytes, rest) = record.split_first_chunk_mut().ok_or(StoreError::Layout)?;
    let (value, rest) = rest
        .split_at_mut_checked(usize::from(header.len()))
        .ok_or(StoreError::Layout)?;
    Ok((bytes, value, rest))
}

type Parts<'b> = (&'b mut [u8; HEADER_LEN], &'b mut [u8], &'b mut [u8]);

const AAD_LEN: usize = 36;

/// Position, header and the name in the clear: a record opens only where and as what it was sealed.
fn aad(header: Header, position: Position, bytes: &[u8; HEADER_LEN]) -> [u8; AAD_LEN] {
    let mut aad = [0; AAD_LEN];
    join(
        &mut aad,
        &[
            b"iotsec/store/r/2",
            &position.to_bytes(),
            &header.name().to_le_bytes(),
            bytes,
        ],
    );
    aad
}

/// A counter's records are short, as there are many of them: their tag has 32 bits, besides those of the header.
fn count_tag(
    kdf: &dyn Kdf,
    key: &Secret<32>,
    aad: &[u8; AAD_LEN],
    value: &[u8],
) -> Result<[u8; COUNT_TAG_LEN], CryptoError> {
    count_mac(kdf, key, &[b"iotsec/store/count-tag/v2", aad, value])
}

/// The mask comes from the tag, and so from the number: at one place the same mask hides the same number.
fn mask_count(
    kdf: &dyn Kdf,
    key: &Secret<32>,
    aad: &[u8; AAD_LEN],
    tag: &[u8; COUNT_TAG_LEN],
    value: &mut [u8],
) -> Result<(), CryptoError> {
    let mask = count_mac(kdf, key, &[b"iotsec/store/count-mask/v2", aad, tag])?;
    for (byte, mask) in value.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    Ok(())
}

#[inline(never)]
fn count_mac(kdf: &dyn Kdf, key: &Secret<32>, parts: &[&[u8]]) -> Result<[u8; COUNT_TAG_LEN], CryptoError> {
    let [a, b, c, d, ..] = kdf.hmac(key.expose(), parts)?;
    Ok([a, b, c, d])
}
