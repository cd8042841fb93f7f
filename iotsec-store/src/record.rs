//! One record of the log: a header in front, the sealed value, the tag.

use iotsec_core::{
    crypto::{Aead, CryptoError, Kdf, NONCE_LEN, TAG_LEN},
    hal::RootKeyError,
    secret::Secret,
};

use crate::{KeyDomain, StoreError, Suite};

/// `kind (1) ‖ domain (1) ‖ length (2) ‖ masked name (4) ‖ check (4)`, little endian.
pub(crate) const HEADER_LEN: usize = 12;
/// The longest value of the store's own records: four numbers.
pub(crate) const NOTE_LEN: usize = 16;
/// [`NOTE_LEN`], and the length of an [`Kind::Erase`], as they stand in a header.
pub(crate) const OPENED_LEN: u16 = 16;
pub(crate) const ERASE_LEN: u16 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value under a name.
    Put,
    /// The name has no value any more.
    Remove,
    /// This page is part of the log from here on; says where the log begins and where the page before ends.
    Opened,
    /// Everything of this domain before this record is erased; its key has this generation.
    Erase,
    /// The value under this name failed authentication when it was to be moved.
    Damaged,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Put => 1,
            Self::Remove => 2,
            Self::Opened => 3,
            Self::Erase => 4,
            Self::Damaged => 5,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Put,
            2 => Self::Remove,
            3 => Self::Opened,
            4 => Self::Erase,
            5 => Self::Damaged,
            _ => return None,
        })
    }

    /// The domain whose key seals a record of this kind. Only values are sealed with the key of their own
    /// domain: the log must make sense when a domain has no key any more.
    const fn sealed_by(self, domain: KeyDomain) -> KeyDomain {
        match self {
            Self::Put => domain,
            Self::Remove | Self::Opened | Self::Erase | Self::Damaged => KeyDomain::Device,
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

#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// Hides names and authenticates record headers.
    header: Secret<32>,
    /// Seal records, by [`KeyDomain::code`].
    record: [Secret<32>; 2],
}

impl Keys {
    /// From the domains' keys and the root key. The root key makes the keys of two devices differ even if
    /// their entropy does not.
    ///
    /// Without a user key, the place of the one that is derived from it is taken by one with which nothing
    /// is ever sealed or opened.
    pub(crate) fn derive(
        suite: &Suite<'_>,
        device: &Secret<32>,
        user: Option<&Secret<32>>,
    ) -> Result<Self, StoreError> {
        let salt = salt(suite)?;
        let derive = |key, label| derive(suite.kdf, &salt, key, label);
        Ok(Self {
            page: derive(device, b"iotsec/store/page-key/v1")?,
            header: derive(device, b"iotsec/store/header-key/v1")?,
            record: [
                derive(device, DEVICE_LABEL)?,
                derive(user.unwrap_or(device), USER_LABEL)?,
            ],
        })
    }

    /// Takes another user key.
    pub(crate) fn replace_user(&mut self, suite: &Suite<'_>, user: &Secret<32>) -> Result<(), StoreError> {
        let [_, record] = &mut self.record;
        *record = derive(suite.kdf, &salt(suite)?, user, USER_LABEL)?;
        Ok(())
    }

    fn seals(&self, header: &Header) -> &Secret<32> {
        let [device, user] = &self.record;
        match header.kind.sealed_by(header.domain) {
            KeyDomain::Device => device,
            KeyDomain::User => user,
        }
    }
}

const DEVICE_LABEL: &[u8] = b"iotsec/store/record-key/device/v1";
const USER_LABEL: &[u8] = b"iotsec/store/record-key/user/v1";
const SALT_LABEL: &[u8] = b"iotsec/store/salt/v1";

fn salt(suite: &Suite<'_>) -> Result<Secret<32>, RootKeyError> {
    let mut salt = Secret::zero();
    suite.root.derive(SALT_LABEL, &mut salt)?;
    Ok(salt)
}

fn derive(
    kdf: &dyn Kdf,
    salt: &Secret<32>,
    key: &Secret<32>,
    label: &[u8],
) -> Result<Secret<32>, CryptoError> {
    let mut out = Secret::zero();
    kdf.hkdf(salt.expose(), key.expose(), &[label], out.expose_mut())?;
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

    /// Opens, in its place, the value in `buffer`, which holds the whole record.
    pub(crate) fn open(
        &self,
        position: Position,
        aead: &dyn Aead,
        keys: &Keys,
        buffer: &mut [u8],
    ) -> Result<(), StoreError> {
        let (bytes, rest) = buffer
            .split_first_chunk_mut::<HEADER_LEN>()
            .ok_or(StoreError::Layout)?;
        let (value, rest) = rest
            .split_at_mut_checked(usize::from(self.len))
            .ok_or(StoreError::Layout)?;
        let tag = rest.first_chunk::<TAG_LEN>().ok_or(StoreError::Layout)?;
        let aad = self.aad(position, bytes);
        match aead.open(keys.seals(self), &nonce(position), &aad, value, tag) {
            Ok(()) => Ok(()),
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
        let pad = Pad::new(position, kdf, keys)?;
        let [l0, l1] = self.len.to_le_bytes();
        let start = [self.kind.code(), self.domain.code(), l0, l1];
        let [n0, n1, n2, n3] = (self.name ^ pad.mask).to_le_bytes();
        let [c0, c1, c2, c3] = pad.check(start, self.name).to_le_bytes();
        let [k, d, ..] = start;
        Ok([k, d, l0, l1, n0, n1, n2, n3, c0, c1, c2, c3])
    }

    /// Reads a header that was written whole, by this store, at this very place. `None` for anything else.
    pub(crate) fn from_bytes(
        bytes: &[u8; HEADER_LEN],
        position: Position,
        kdf: &dyn Kdf,
        keys: &Keys,
    ) -> Result<Option<Self>, CryptoError> {
        let [k, d, l0, l1, n0, n1, n2, n3, c0, c1, c2, c3] = *bytes;
        let (Some(kind), Some(domain)) = (Kind::from_code(k), KeyDomain::from_code(d)) else {
            return Ok(None);
        };
        let pad = Pad::new(position, kdf, keys)?;
        let name = u32::from_le_bytes([n0, n1, n2, n3]) ^ pad.mask;
        let whole = pad.check([k, d, l0, l1], name) == u32::from_le_bytes([c0, c1, c2, c3]);
        Ok(whole.then_some(Self {
            kind,
            domain,
            name,
            len: u16::from_le_bytes([l0, l1]),
        }))
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

/// What hides and authenticates the header at one position.
struct Pad {
    mask: u32,
    factors: [u64; 2],
    term: u64,
}

impl Pad {
    fn new(position: Position, kdf: &dyn Kdf, keys: &Keys) -> Result<Self, CryptoError> {
        let (sequence, offset) = (position.sequence.to_le_bytes(), position.offset.to_le_bytes());
        let mac = kdf.hmac(
            keys.header.expose(),
            &[b"iotsec/store/header/v1", &sequence, &offset],
        )?;
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
        let [a, b, c, d, ..] = number().to_le_bytes();
        Ok(Self {
            mask: u32::from_le_bytes([a, b, c, d]),
            factors,
            term,
        })
    }

    /// A one-time authenticator: pair-multiply-shift (Dietzfelbinger 1996), strongly universal, so that a
    /// header which this store did not write here passes with a probability of 2^-32. It lets the log be
    /// walked, also where the key of a value is gone; the value itself is vouched for by its tag.
    fn check(&self, start: [u8; 4], name: u32) -> u32 {
        let [a, b] = self.factors;
        let sum = a
            .wrapping_mul(u64::from(u32::from_le_bytes(start)))
            .wrapping_add(b.wrapping_mul(u64::from(name)))
            .wrapping_add(self.term);
        let [.., w, x, y, z] = sum.to_le_bytes();
        u32::from_le_bytes([w, x, y, z])
    }
}
