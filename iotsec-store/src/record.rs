//! One record of the log: a header in front, the sealed value, the tag.

use iotsec_core::{
    crypto::{Aead, CryptoError, Kdf, NONCE_LEN, TAG_LEN},
    secret::Secret,
};

use crate::{KeyDomain, StoreError};

/// `kind (1) ‖ domain (1) ‖ length (2) ‖ masked name (4) ‖ check (4)`, little endian.
pub(crate) const HEADER_LEN: usize = 12;
/// The value of the store's own records: one number.
pub(crate) const NOTE_LEN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value under a name.
    Put,
    /// The name has no value any more.
    Remove,
    /// Pages below the sequence number in this record are no longer part of the log.
    Oldest,
    /// Everything of this domain before this record is erased; its key has at least this generation.
    Erase,
    /// The value under this name failed authentication when it was to be moved.
    Damaged,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Put => 1,
            Self::Remove => 2,
            Self::Oldest => 3,
            Self::Erase => 4,
            Self::Damaged => 5,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Put,
            2 => Self::Remove,
            3 => Self::Oldest,
            4 => Self::Erase,
            5 => Self::Damaged,
            _ => return None,
        })
    }

    /// The domain whose key seals a record of this kind: what must outlive an erased domain is sealed
    /// with the device's.
    const fn sealed_by(self, domain: KeyDomain) -> KeyDomain {
        match self {
            Self::Put | Self::Remove | Self::Damaged => domain,
            Self::Oldest | Self::Erase => KeyDomain::Device,
        }
    }
}

/// Where a record lies, which is part of what its tag covers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Sequence number of its page.
    pub(crate) sequence: u32,
    /// Offset in its page.
    pub(crate) offset: u32,
}

#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) domain: KeyDomain,
    pub(crate) name: u32,
    pub(crate) len: u16,
}

/// The keys that every record needs.
pub(crate) struct Keys {
    /// Authenticates page headers.
    pub(crate) page: Secret<32>,
    /// Hides names.
    name: Secret<32>,
    /// Seal records, by [`KeyDomain::code`].
    record: [Secret<32>; 2],
}

impl Keys {
    /// From the domains' keys.
    pub(crate) fn derive(kdf: &dyn Kdf, domains: &[Secret<32>; 2]) -> Result<Self, CryptoError> {
        let [device, user] = domains;
        Ok(Self {
            page: derive(kdf, device, b"iotsec/store/page-key/v1")?,
            name: derive(kdf, device, b"iotsec/store/name-key/v1")?,
            record: [
                derive(kdf, device, b"iotsec/store/record-key/device/v1")?,
                derive(kdf, user, b"iotsec/store/record-key/user/v1")?,
            ],
        })
    }

    fn seals(&self, header: &Header) -> &Secret<32> {
        let [device, user] = &self.record;
        match header.kind.sealed_by(header.domain) {
            KeyDomain::Device => device,
            KeyDomain::User => user,
        }
    }
}

fn derive(kdf: &dyn Kdf, key: &Secret<32>, label: &[u8]) -> Result<Secret<32>, CryptoError> {
    let mut out = Secret::zero();
    kdf.hkdf(b"iotsec/store/v1", key.expose(), &[label], out.expose_mut())?;
    Ok(out)
}

impl Header {
    /// Seals the value that stands behind the header's place in `buffer`, and puts header and tag around
    /// it.
    pub(crate) fn seal(
        &self,
        position: Position,
        aead: &dyn Aead,
        kdf: &dyn Kdf,
        keys: &Keys,
        buffer: &mut [u8],
    ) -> Result<(), StoreError> {
        let bytes = self.to_bytes(position, kdf, keys)?;
        let (place, rest) = buffer
            .split_first_chunk_mut::<HEADER_LEN>()
            .ok_or(StoreError::Layout)?;
        *place = bytes;
        let (value, rest) = rest
            .split_at_mut_checked(usize::from(self.len))
            .ok_or(StoreError::Layout)?;
        let aad = self.aad(position, &bytes);
        let tag = aead.seal(keys.seals(self), &nonce(position), &aad, value)?;
        let (place, padding) = rest
            .split_first_chunk_mut::<TAG_LEN>()
            .ok_or(StoreError::Layout)?;
        *place = tag;
        padding.fill(0);
        Ok(())
    }

    /// Opens the value in `buffer`, which holds the whole record.
    pub(crate) fn open<'b>(
        &self,
        position: Position,
        aead: &dyn Aead,
        keys: &Keys,
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], StoreError> {
        let (bytes, rest) = buffer
            .split_first_chunk_mut::<HEADER_LEN>()
            .ok_or(StoreError::Layout)?;
        let (value, rest) = rest
            .split_at_mut_checked(usize::from(self.len))
            .ok_or(StoreError::Layout)?;
        let tag = rest.first_chunk::<TAG_LEN>().ok_or(StoreError::Layout)?;
        let aad = self.aad(position, bytes);
        match aead.open(keys.seals(self), &nonce(position), &aad, value, tag) {
            Ok(()) => Ok(value),
            Err(CryptoError::Tag) => Err(StoreError::Tampered),
            Err(error) => Err(error.into()),
        }
    }

    fn to_bytes(
        self,
        position: Position,
        kdf: &dyn Kdf,
        keys: &Keys,
    ) -> Result<[u8; HEADER_LEN], StoreError> {
        let [l0, l1] = self.len.to_le_bytes();
        let [n0, n1, n2, n3] = (self.name ^ mask(position, kdf, keys)?).to_le_bytes();
        let content = [self.kind.code(), self.domain.code(), l0, l1, n0, n1, n2, n3];
        let [c0, c1, c2, c3] = check(position, &content).to_le_bytes();
        let [k, d, ..] = content;
        Ok([k, d, l0, l1, n0, n1, n2, n3, c0, c1, c2, c3])
    }

    /// Reads a header that was written whole, at this very place. `None` for anything else.
    pub(crate) fn from_bytes(
        bytes: &[u8; HEADER_LEN],
        position: Position,
        kdf: &dyn Kdf,
        keys: &Keys,
    ) -> Option<Self> {
        let (content, checked) = bytes.split_first_chunk::<8>()?;
        if check(position, content).to_le_bytes() != *checked {
            return None;
        }
        let [kind, domain, l0, l1, n0, n1, n2, n3] = *content;
        Some(Self {
            kind: Kind::from_code(kind)?,
            domain: KeyDomain::from_code(domain)?,
            name: u32::from_le_bytes([n0, n1, n2, n3]) ^ mask(position, kdf, keys).ok()?,
            len: u16::from_le_bytes([l0, l1]),
        })
    }

    /// Position, header and the name in the clear: a record opens only where and as what it was sealed.
    fn aad(&self, position: Position, bytes: &[u8; HEADER_LEN]) -> [u8; 40] {
        let mut aad = [0; 40];
        let content = (*b"iotsec/store/r/1")
            .into_iter()
            .chain(position.sequence.to_le_bytes())
            .chain(position.offset.to_le_bytes())
            .chain(self.name.to_le_bytes())
            .chain(*bytes);
        for (to, from) in aad.iter_mut().zip(content) {
            *to = from;
        }
        aad
    }
}

fn nonce(position: Position) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    let content = position
        .sequence
        .to_le_bytes()
        .into_iter()
        .chain(position.offset.to_le_bytes());
    for (to, from) in nonce.iter_mut().zip(content) {
        *to = from;
    }
    nonce
}

/// Hides a name, differently at every position, so that flash shows neither names nor which records
/// share one.
fn mask(position: Position, kdf: &dyn Kdf, keys: &Keys) -> Result<u32, CryptoError> {
    let (sequence, offset) = (position.sequence.to_le_bytes(), position.offset.to_le_bytes());
    let mac = kdf.hmac(keys.name.expose(), &[b"iotsec/store/name/v1", &sequence, &offset])?;
    let [a, b, c, d, ..] = mac;
    Ok(u32::from_le_bytes([a, b, c, d]))
}

/// CRC-32 (IEEE 802.3) over position and content. It tells a whole header from a torn one so that the log
/// can be walked; what the record says is vouched for by its tag.
fn check(position: Position, content: &[u8; 8]) -> u32 {
    let bytes = position
        .sequence
        .to_le_bytes()
        .into_iter()
        .chain(position.offset.to_le_bytes())
        .chain(*content);
    let crc = bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            let shifted = crc >> 1;
            if crc & 1 == 1 {
                shifted ^ 0xEDB8_8320
            } else {
                shifted
            }
        })
    });
    !crc
}
