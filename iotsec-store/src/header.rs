//! What stands in front of a record: what it is and whose.

use iotsec_core::{
    crypto::{CryptoError, DIGEST_LEN, Kdf},
    secret::Secret,
};

use crate::{
    KeyDomain, KeyId,
    bytes::at,
    record::{HEADER_LEN, Kind, MAX_LEN, Position},
};

/// The fields as flash has them, but for the mask: small enough to be passed about by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Kind and flags in the upper byte, the name in the others: the flag of the domain and the name are the key.
    id: u32,
    /// The length in the lower twelve bits, then the chunk.
    size: u16,
}

/// The bit above it is the domain, in the place where [`KeyId::id`] has it.
const KIND: u8 = 0x07;
/// The record begins a transaction. A copy so marked counts unless the transaction under way is completed.
pub(crate) const FIRST: u8 = 0x10;
/// It belongs to the transaction that was begun.
pub(crate) const NEXT: u8 = 0x20;
/// The value can be neither replaced nor removed.
pub(crate) const ONCE: u8 = 0x40;
/// Says again what an older record says that still counts.
pub(crate) const COPY: u8 = 0x80;
const CHUNK_SHIFT: u32 = 12;
/// Bytes of a header and a tag, and by how much the tag of a count is shorter.
const OVERHEAD: u32 = 24;
const SHORTER: u32 = 12;
/// Records that one value may have.
pub(crate) const MAX_CHUNKS: u8 = 16;

/// Whether `record`, as it is written to flash, counts for nothing before a later one is written: a change in a
/// transaction.
#[cfg(all(feature = "std", unix))]
pub(crate) fn counts_later(record: &[u8]) -> bool {
    let flags = record.first().copied().unwrap_or_default();
    // A copy is another matter: it may be all that is left of what it repeats.
    let change = flags & (FIRST | NEXT) != 0 && flags & COPY == 0;
    change && flags & KIND != Kind::Commit.code()
}

/// A header in flash, and what it adds to the sum over its page.
pub(crate) struct Sealed {
    pub(crate) bytes: [u8; HEADER_LEN],
    pub(crate) sum: u64,
}

const fn flags_in_id(flags: u8) -> u32 {
    u32::from_be_bytes([flags, 0, 0, 0])
}

impl Header {
    /// One that counts by itself.
    pub(crate) const fn new(kind: Kind, key: KeyId, len: u16) -> Self {
        Self::from_parts(key.id() | flags_in_id(kind.code()), len)
    }

    /// From what [`id`](Self::id) and [`size`](Self::size) said.
    pub(crate) const fn from_parts(id: u32, size: u16) -> Self {
        Self { id, size }
    }

    pub(crate) const fn id(self) -> u32 {
        self.id
    }

    pub(crate) const fn size(self) -> u16 {
        self.size
    }

    /// The same with these flags.
    pub(crate) const fn with(self, flags: u8) -> Self {
        Self::from_parts(self.id | flags_in_id(flags), self.size)
    }

    /// The same without these flags.
    pub(crate) const fn without(self, flags: u8) -> Self {
        Self::from_parts(self.id & !flags_in_id(flags), self.size)
    }

    /// The same, of another kind and length.
    pub(crate) const fn changed(self, kind: Kind, len: u16) -> Self {
        Self::from_parts(
            self.without(KIND).with(kind.code()).id,
            self.size & !MAX_LEN | len & MAX_LEN,
        )
    }

    /// The same for a chunk of a value: which one, the last one first.
    pub(crate) fn for_chunk(self, chunk: u8) -> Self {
        let chunk = u16::from(chunk).checked_shl(CHUNK_SHIFT).unwrap_or(0);
        Self::from_parts(self.id, self.size & MAX_LEN | chunk)
    }

    /// Whether one of these flags is set.
    pub(crate) const fn has(self, flags: u8) -> bool {
        self.id & flags_in_id(flags) != 0
    }

    /// Whether it counts by itself.
    pub(crate) const fn is_single(self) -> bool {
        !self.has(FIRST | NEXT)
    }

    pub(crate) const fn key(self) -> KeyId {
        KeyId::from_id(self.id)
    }

    pub(crate) const fn domain(self) -> KeyDomain {
        self.key().domain()
    }

    /// Three bytes.
    pub(crate) const fn name(self) -> u32 {
        self.key().name()
    }

    pub(crate) fn kind(self) -> Kind {
        // Whoever makes a header gives it a kind.
        Kind::from_code(self.flags() & KIND).unwrap_or(Kind::Damaged)
    }

    /// Whether it is of this kind.
    pub(crate) const fn is(self, kind: Kind) -> bool {
        self.flags() & KIND == kind.code()
    }

    /// Whether the record holds what an application stored.
    pub(crate) const fn is_value(self) -> bool {
        self.is(Kind::Put) || self.is(Kind::Count)
    }

    pub(crate) const fn len(self) -> u16 {
        self.size & MAX_LEN
    }

    pub(crate) fn chunk(self) -> u8 {
        let [_, upper] = self.size.to_le_bytes();
        upper >> 4
    }

    /// Bytes of the record without what fills up the last word.
    pub(crate) fn record_len(self) -> u32 {
        OVERHEAD
            .saturating_sub(if self.is(Kind::Count) { SHORTER } else { 0 })
            .saturating_add(u32::from(self.len()))
    }

    const fn flags(self) -> u8 {
        let [flags, ..] = self.id.to_be_bytes();
        flags
    }

    pub(crate) fn seal(
        self,
        position: Position,
        kdf: &dyn Kdf,
        key: &Secret<32>,
    ) -> Result<Sealed, CryptoError> {
        let pad = Pad::new(position, kdf, key)?;
        let sum = pad.sum(self);
        let [s0, s1] = self.size.to_le_bytes();
        let [n0, n1, n2, _] = (self.id ^ pad.mask()).to_le_bytes();
        let [c0, c1] = check(sum);
        Ok(Sealed {
            bytes: [self.flags(), s0, s1, n0, n1, n2, c0, c1],
            sum,
        })
    }
}

/// A record, and what its header adds to the sum over the page.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) header: Header,
    pub(crate) position: Position,
    pub(crate) sum: u64,
}

impl Found {
    /// To be looked for.
    pub(crate) const fn at(position: Position) -> Self {
        Self {
            header: Header::from_parts(0, 0),
            position,
            sum: 0,
        }
    }

    /// Whether `bytes` are a header that was written whole, by this store, at this very place; then it is here, with what
    /// it adds to the sum over its page.
    pub(crate) fn open(
        &mut self,
        bytes: &[u8; HEADER_LEN],
        kdf: &dyn Kdf,
        key: &Secret<32>,
    ) -> Result<bool, CryptoError> {
        let [flags, s0, s1, n0, n1, n2, c0, c1] = *bytes;
        if flags & (FIRST | NEXT) == FIRST | NEXT || Kind::from_code(flags & KIND).is_none() {
            return Ok(false);
        }
        let pad = Pad::new(self.position, kdf, key)?;
        let masked = u32::from_le_bytes([n0, n1, n2, flags]);
        self.header = Header::from_parts(masked ^ pad.mask(), u16::from_le_bytes([s0, s1]));
        self.sum = pad.sum(self.header);
        Ok(check(self.sum) == [c0, c1])
    }
}

/// The upper two bytes. They let the log be walked, also where the key of a value is gone; the sum over a page, of
/// which four bytes are kept in the next one, vouches for the headers of the page, and a value's tag for it and its
/// name.
fn check(sum: u64) -> [u8; 2] {
    let [.., a, b] = sum.to_le_bytes();
    [a, b]
}

/// What hides and authenticates the header at one position: two factors, a term and the mask of the name.
struct Pad([u8; DIGEST_LEN]);

impl Pad {
    fn new(position: Position, kdf: &dyn Kdf, key: &Secret<32>) -> Result<Self, CryptoError> {
        let mac = kdf.hmac(key.expose(), &[b"iotsec/store/header/v2", &position.to_bytes()])?;
        Ok(Self(mac))
    }

    fn mask(&self) -> u32 {
        let [a, b, c] = at(&self.0, 24);
        u32::from_le_bytes([a, b, c, 0])
    }

    /// A one-time authenticator, of which the upper bits are used: pair-multiply-shift (Dietzfelbinger 1996), strongly
    /// universal.
    #[inline(never)]
    fn sum(&self, header: Header) -> u64 {
        let number = |from| u64::from_le_bytes(at(&self.0, from));
        let [s0, s1] = header.size.to_le_bytes();
        let start = u32::from_le_bytes([header.flags(), s0, s1, 0]);
        number(0)
            .wrapping_mul(u64::from(start))
            .wrapping_add(number(8).wrapping_mul(u64::from(header.name())))
            .wrapping_add(number(16))
    }
}
