//! The unprotected area: a hash, a key's name and a signature, and nothing else.

use iotsec_core::crypto::{DIGEST_LEN, WIDE_DIGEST_LEN};

use super::{
    ImageBytes, McubootError,
    key::{MAX_KEY, MAX_SIGNATURE},
};

const MAGIC: u16 = 0x6907;

/// Up to `N` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Short<N> {
    fn read(bytes: &mut dyn ImageBytes, at: u32, len: u16) -> Result<Self, McubootError> {
        let len = usize::from(len);
        let mut read = [0; N];
        let place = read.get_mut(..len).ok_or(McubootError::EntryValue)?;
        bytes.read(at, place)?;
        Ok(Self { bytes: read, len })
    }

    pub(super) fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// Which hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// How the signing key is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyName {
    Hash(Short<WIDE_DIGEST_LEN>),
    Whole(Short<MAX_KEY>),
}

/// Which signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Ed25519,
    Ecdsa,
}

/// Copies of everything in the area, read once. Nothing of it is authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) hash: Hash,
    pub(super) digest: Short<WIDE_DIGEST_LEN>,
    pub(super) key: KeyName,
    pub(super) algorithm: Algorithm,
    pub(super) signature: Short<MAX_SIGNATURE>,
    /// The signature is over the bytes.
    pub(super) pure: bool,
    /// Where the area ends.
    pub(super) end: u32,
}

impl Seal {
    pub(super) fn read(bytes: &mut dyn ImageBytes, from: u32) -> Result<Self, McubootError> {
        let size = bytes.size();
        let [magic, total] = pair(bytes, from, size)?;
        if magic != MAGIC {
            return Err(McubootError::Entries);
        }
        let end = from.checked_add(u32::from(total)).ok_or(McubootError::Size)?;
        if end > size {
            return Err(McubootError::Size);
        }
        let mut found = Found::default();
        let mut at = from.saturating_add(4);
        if at > end {
            return Err(McubootError::Entries);
        }
        // At most as many entries as there are kinds: a repeated one is refused.
        while at < end {
            let [kind, len] = pair(bytes, at, end)?;
            let value = at.saturating_add(4);
            at = value.checked_add(u32::from(len)).ok_or(McubootError::Entries)?;
            if at > end {
                return Err(McubootError::Entries);
            }
            found.take(bytes, kind, value, len)?;
        }
        found.seal(end)
    }
}

#[derive(Default)]
struct Found {
    hash: Option<(Hash, Short<WIDE_DIGEST_LEN>)>,
    key: Option<KeyName>,
    signature: Option<(Algorithm, Short<MAX_SIGNATURE>)>,
    pure: Option<()>,
}

impl Found {
    fn take(&mut self, bytes: &mut dyn ImageBytes, kind: u16, at: u32, len: u16) -> Result<(), McubootError> {
        match (kind, usize::from(len)) {
            (0x10, DIGEST_LEN) => once(&mut self.hash, (Hash::Sha256, Short::read(bytes, at, len)?)),
            (0x12, WIDE_DIGEST_LEN) => once(&mut self.hash, (Hash::Sha512, Short::read(bytes, at, len)?)),
            (0x01, DIGEST_LEN | WIDE_DIGEST_LEN) => {
                once(&mut self.key, KeyName::Hash(Short::read(bytes, at, len)?))
            }
            (0x02, 1..=MAX_KEY) => once(&mut self.key, KeyName::Whole(Short::read(bytes, at, len)?)),
            // A key stands before the signature that it made.
            (0x22 | 0x24, _) if self.key.is_none() => Err(McubootError::KeyUnknown),
            (0x22, 8..=MAX_SIGNATURE) => once(
                &mut self.signature,
                (Algorithm::Ecdsa, Short::read(bytes, at, len)?),
            ),
            (0x24, 64) => once(
                &mut self.signature,
                (Algorithm::Ed25519, Short::read(bytes, at, len)?),
            ),
            (0x25, 1) => {
                if Short::<1>::read(bytes, at, len)?.get() != [1] {
                    return Err(McubootError::EntryValue);
                }
                once(&mut self.pure, ())
            }
            (0x01 | 0x02 | 0x10 | 0x12 | 0x22 | 0x24 | 0x25, _) => Err(McubootError::EntryValue),
            (0x11, _) => Err(McubootError::HashKind),
            (0x30..=0x34, _) => Err(McubootError::Encrypted),
            _ => Err(McubootError::EntryMisplaced),
        }
    }

    fn seal(self, end: u32) -> Result<Seal, McubootError> {
        let (hash, digest) = self.hash.ok_or(McubootError::NoHash)?;
        let (algorithm, signature) = self.signature.ok_or(McubootError::Unsigned)?;
        Ok(Seal {
            hash,
            digest,
            key: self.key.ok_or(McubootError::KeyUnknown)?,
            algorithm,
            signature,
            pure: self.pure.is_some(),
            end,
        })
    }
}

pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Result<(), McubootError> {
    match place {
        Some(_) => Err(McubootError::EntryRepeated),
        None => {
            *place = Some(value);
            Ok(())
        }
    }
}

/// Two numbers of 16 bits at `at`, which end at `end` at the latest.
fn pair(bytes: &mut dyn ImageBytes, at: u32, end: u32) -> Result<[u16; 2], McubootError> {
    if at.checked_add(4).is_none_or(|after| after > end) {
        return Err(McubootError::Entries);
    }
    let mut read = [0; 4];
    bytes.read(at, &mut read)?;
    Ok(halves(read))
}

pub(super) fn halves([a, b, c, d]: [u8; 4]) -> [u16; 2] {
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}
