//! What stands in front of a record: what it is and whose.

use iotsec_core::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

use crate::{
    KeyDomain,
    record::{HEADER_LEN, Kind, MAX_LEN, Position},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) domain: KeyDomain,
    /// Three bytes.
    pub(crate) name: u32,
    pub(crate) len: u16,
    /// Which part of a value in several records, the last one first.
    pub(crate) chunk: u8,
    pub(crate) member: Member,
    /// The value can be neither replaced nor removed.
    pub(crate) once: bool,
    /// Says again what an older record says that still counts.
    pub(crate) copy: bool,
}

/// Whether a record counts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// It does.
    Single,
    /// It begins a transaction. A copy so marked counts unless the transaction under way is completed.
    First,
    /// It belongs to the transaction that was begun.
    Next,
}

const DOMAIN: u8 = 0x08;
const FIRST: u8 = 0x10;
const NEXT: u8 = 0x20;
const ONCE: u8 = 0x40;
const COPY: u8 = 0x80;
const CHUNK_SHIFT: u32 = 12;
/// Records that one value may have.
pub(crate) const MAX_CHUNKS: u8 = 16;

/// A header in flash, and what it adds to the sum over its page.
pub(crate) struct Sealed {
    pub(crate) bytes: [u8; HEADER_LEN],
    pub(crate) sum: u64,
}

impl Header {
    /// One that counts by itself.
    pub(crate) const fn new(kind: Kind, domain: KeyDomain, name: u32, len: u16) -> Self {
        Self {
            kind,
            domain,
            name,
            len,
            chunk: 0,
            member: Member::Single,
            once: false,
            copy: false,
        }
    }

    /// Bytes of the record without what fills up the last word.
    pub(crate) fn record_len(&self) -> usize {
        HEADER_LEN
            .saturating_add(usize::from(self.len))
            .saturating_add(self.kind.tag_len())
    }

    fn flags(&self) -> u8 {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let member = match self.member {
            Member::Single => 0,
            Member::First => FIRST,
            Member::Next => NEXT,
        };
        self.kind.code()
            | member
            | flag(self.domain == KeyDomain::User, DOMAIN)
            | flag(self.once, ONCE)
            | flag(self.copy, COPY)
    }

    pub(crate) fn seal(
        &self,
        position: Position,
        kdf: &dyn Kdf,
        key: &Secret<32>,
    ) -> Result<Sealed, CryptoError> {
        let pad = Pad::new(position, kdf, key)?;
        let size = self.len | u16::from(self.chunk).checked_shl(CHUNK_SHIFT).unwrap_or(0);
        let [s0, s1] = size.to_le_bytes();
        let start = [self.flags(), s0, s1];
        let sum = pad.sum(start, self.name);
        let [n0, n1, n2, _] = (self.name ^ pad.mask).to_le_bytes();
        let [c0, c1] = check(sum);
        Ok(Sealed {
            bytes: [self.flags(), s0, s1, n0, n1, n2, c0, c1],
            sum,
        })
    }

    /// Reads a header that was written whole, by this store, at this very place, with what it adds to the sum over
    /// its page. `None` for anything else.
    pub(crate) fn open(
        bytes: &[u8; HEADER_LEN],
        position: Position,
        kdf: &dyn Kdf,
        key: &Secret<32>,
    ) -> Result<Option<(Self, u64)>, CryptoError> {
        let [flags, s0, s1, n0, n1, n2, c0, c1] = *bytes;
        let member = match flags & (FIRST | NEXT) {
            0 => Member::Single,
            FIRST => Member::First,
            NEXT => Member::Next,
            _ => return Ok(None),
        };
        let Some(kind) = Kind::from_code(flags & 7) else {
            return Ok(None);
        };
        let pad = Pad::new(position, kdf, key)?;
        let [m0, m1, m2, _] = pad.mask.to_le_bytes();
        let name = u32::from_le_bytes([n0 ^ m0, n1 ^ m1, n2 ^ m2, 0]);
        let sum = pad.sum([flags, s0, s1], name);
        if check(sum) != [c0, c1] {
            return Ok(None);
        }
        let size = u16::from_le_bytes([s0, s1]);
        let header = Self {
            kind,
            domain: if flags & DOMAIN == 0 {
                KeyDomain::Device
            } else {
                KeyDomain::User
            },
            name,
            len: size & MAX_LEN,
            chunk: u8::try_from(size.checked_shr(CHUNK_SHIFT).unwrap_or(0)).unwrap_or(0),
            member,
            once: flags & ONCE != 0,
            copy: flags & COPY != 0,
        };
        Ok(Some((header, sum)))
    }
}

/// The upper two bytes. They let the log be walked, also where the key of a value is gone; the sum over a page, of
/// which four bytes are kept in the next one, vouches for the headers of the page, and a value's tag for it and its
/// name.
fn check(sum: u64) -> [u8; 2] {
    let [.., a, b] = sum.to_le_bytes();
    [a, b]
}

/// What hides and authenticates the header at one position.
struct Pad {
    mask: u32,
    factors: [u64; 2],
    term: u64,
}

impl Pad {
    fn new(position: Position, kdf: &dyn Kdf, key: &Secret<32>) -> Result<Self, CryptoError> {
        let mac = kdf.hmac(key.expose(), &[b"iotsec/store/header/v2", &position.to_bytes()])?;
        let mut rest = mac.as_slice();
        let mut number = || match rest.split_first_chunk::<8>() {
            Some((bytes, more)) => {
                rest = more;
                u64::from_le_bytes(*bytes)
            }
            None => 0,
        };
        let factors = [number(), number()];
        let term = number();
        let [a, b, c, ..] = number().to_le_bytes();
        Ok(Self {
            mask: u32::from_le_bytes([a, b, c, 0]),
            factors,
            term,
        })
    }

    /// A one-time authenticator, of which the upper bits are used: pair-multiply-shift (Dietzfelbinger 1996), strongly
    /// universal.
    fn sum(&self, [f, a, b]: [u8; 3], name: u32) -> u64 {
        let [x, y] = self.factors;
        x.wrapping_mul(u64::from(u32::from_le_bytes([f, a, b, 0])))
            .wrapping_add(y.wrapping_mul(u64::from(name)))
            .wrapping_add(self.term)
    }
}
