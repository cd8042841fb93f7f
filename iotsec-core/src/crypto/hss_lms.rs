//! HSS-LMS verification (RFC 8554) with SHA-256 and 32-byte hashes, the parameter sets of its §4.1 and §5.1.
//!
//! Written on SHA-256 alone: a signature is checked where it lies, in a few hundred bytes of stack, and the
//! parameter sets share one piece of code.

use super::{CryptoError, DIGEST_LEN, Digest, KeyType, Sha256, Verify};
use crate::secret::ct_eq;

/// An HSS public key (RFC 8554 §6.1): levels, and the root of the topmost tree.
///
/// ```text
/// hss_public_key = levels: u32, lms_public_key                                     ; 60 bytes
/// lms_public_key = type: u32, ots_type: u32, I: 16 bytes, T[1]: 32 bytes
/// ```
///
/// ```
/// use iotsec_core::crypto::{CryptoError, HssLmsPublicKey, KeyType, Verify};
///
/// // One level, LMS_SHA256_M32_H5, LMOTS_SHA256_N32_W8.
/// let mut bytes = [7; 60];
/// bytes[..12].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 4]);
/// let key = HssLmsPublicKey::from_bytes(&bytes)?;
/// assert_eq!(key.key_type(), KeyType::HssLms);
/// assert_eq!(key.verify(b"message", &[0; 1296]), Err(CryptoError::Signature));
/// # Ok::<(), CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HssLmsPublicKey([u8; HssLmsPublicKey::LEN]);

impl HssLmsPublicKey {
    /// Bytes of a public key.
    pub const LEN: usize = 60;
    /// Trees above one another at most (RFC 8554 §6).
    pub const MAX_LEVELS: u32 = 8;

    /// Reads a public key.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`], or [`CryptoError::PublicKey`] for a number of levels or a parameter set
    /// that RFC 8554 does not have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let key = Self(bytes.try_into().map_err(|_| CryptoError::KeyLength)?);
        match key.parts() {
            Some((1..=Self::MAX_LEVELS, _)) => Ok(key),
            _ => Err(CryptoError::PublicKey),
        }
    }

    fn parts(&self) -> Option<(u32, Tree<'_>)> {
        let mut rest = &self.0[..];
        Some((number(&mut rest)?, Tree::read(&mut rest)?))
    }

    /// RFC 8554 §6.3. `None` for a signature that is not genuine.
    fn check(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let (levels, mut tree) = self.parts()?;
        let mut rest = signature;
        if number(&mut rest)?.checked_add(1)? != levels {
            return None;
        }
        for _ in 1..levels {
            let signed = tree.take_signature(&mut rest)?;
            let (public_key, _) = rest.split_at_checked(Tree::LEN)?;
            tree.check(public_key, &signed)?;
            tree = Tree::read(&mut rest)?;
        }
        let signed = tree.take_signature(&mut rest)?;
        if !rest.is_empty() {
            return None;
        }
        tree.check(message, &signed)
    }
}

impl Verify for HssLmsPublicKey {
    fn key_type(&self) -> KeyType {
        KeyType::HssLms
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.check(message, signature).ok_or(CryptoError::Signature)
    }
}

const D_PBLC: u16 = 0x8080;
const D_MESG: u16 = 0x8181;
const D_LEAF: u16 = 0x8282;
const D_INTR: u16 = 0x8383;

type Hash = [u8; DIGEST_LEN];

/// A one-time signature's parameters (RFC 8554 §4.1).
#[derive(Clone, Copy)]
struct OneTime {
    code: u32,
    /// Bits of a Winternitz digit.
    bits: u16,
    /// Digits, those of the checksum included.
    digits: u16,
    /// How far the checksum is shifted to the left.
    shift: u16,
}

impl OneTime {
    const fn of(code: u32) -> Option<Self> {
        let (bits, digits, shift) = match code {
            1 => (1, 265, 7),
            2 => (2, 133, 6),
            3 => (4, 67, 4),
            4 => (8, 34, 0),
            _ => return None,
        };
        Some(Self {
            code,
            bits,
            digits,
            shift,
        })
    }

    const fn most(&self) -> u16 {
        match self.bits {
            1 => 1,
            2 => 3,
            4 => 15,
            _ => 255,
        }
    }

    /// The digits of the message's hash, then those of their checksum (RFC 8554 §4.4).
    fn digits_of(&self, hash: &Hash) -> impl Iterator<Item = u16> {
        let (bits, most) = (self.bits, self.most());
        let of_byte = move |byte: u8| {
            let first = 8u16.saturating_sub(bits);
            let shifts = (0..=first).rev().step_by(usize::from(bits));
            shifts.map(move |shift| (u16::from(byte) >> shift) & most)
        };
        let sum = hash
            .iter()
            .flat_map(|byte| of_byte(*byte))
            .fold(0u16, |sum, digit| sum.wrapping_add(most.wrapping_sub(digit)));
        let checksum = sum.wrapping_shl(u32::from(self.shift)).to_be_bytes();
        let hash = *hash;
        hash.into_iter()
            .chain(checksum)
            .flat_map(of_byte)
            .take(usize::from(self.digits))
    }
}

/// The public key of one tree (RFC 8554 §5.3).
#[derive(Clone, Copy)]
struct Tree<'a> {
    code: u32,
    height: u32,
    one_time: OneTime,
    /// `I`.
    name: &'a [u8; 16],
    /// `T[1]`.
    root: &'a Hash,
}

/// A tree's signature in its parts (RFC 8554 §5.4).
struct Signed<'s> {
    leaf: u32,
    /// `C`.
    nonce: &'s Hash,
    /// `y`, a hash for every digit.
    chains: &'s [u8],
    path: &'s [u8],
}

impl<'a> Tree<'a> {
    const LEN: usize = 56;

    fn read(rest: &mut &'a [u8]) -> Option<Self> {
        let code = number(rest)?;
        let height = match code {
            5 => 5,
            6 => 10,
            7 => 15,
            8 => 20,
            9 => 25,
            _ => return None,
        };
        Some(Self {
            code,
            height,
            one_time: OneTime::of(number(rest)?)?,
            name: chunk(rest)?,
            root: chunk(rest)?,
        })
    }

    /// Cuts this tree's signature off the front of `rest`.
    fn take_signature<'s>(&self, rest: &mut &'s [u8]) -> Option<Signed<'s>> {
        let leaf = number(rest)?;
        if leaf.checked_shr(self.height)? != 0 || number(rest)? != self.one_time.code {
            return None;
        }
        let nonce = chunk(rest)?;
        let chains = hashes(rest, u32::from(self.one_time.digits))?;
        if number(rest)? != self.code {
            return None;
        }
        Some(Signed {
            leaf,
            nonce,
            chains,
            path: hashes(rest, self.height)?,
        })
    }

    /// RFC 8554 §5.4.2.
    fn check(&self, message: &[u8], signed: &Signed<'_>) -> Option<()> {
        let hash = self.hash(signed.leaf, D_MESG, &[signed.nonce, message]);
        let mut public_key = self.begin(signed.leaf, D_PBLC);
        let chains = signed.chains.chunks_exact(DIGEST_LEN);
        for ((place, digit), start) in (0u16..).zip(self.one_time.digits_of(&hash)).zip(chains) {
            let mut link: Hash = start.try_into().ok()?;
            for step in digit..self.one_time.most() {
                let step = [u8::try_from(step).ok()?];
                link = self.hash(signed.leaf, place, &[&step, &link]);
            }
            public_key.update(&link);
        }

        let mut node = 1u32.checked_shl(self.height)?.checked_add(signed.leaf)?;
        let mut value = self.hash(node, D_LEAF, &[&public_key.finish()]);
        for other in signed.path.chunks_exact(DIGEST_LEN) {
            let children: [&[u8]; 2] = if node & 1 == 1 {
                [other, &value]
            } else {
                [&value, other]
            };
            node >>= 1;
            value = self.hash(node, D_INTR, &children);
        }
        ct_eq(&value, self.root).then_some(())
    }

    fn hash(&self, at: u32, what: u16, parts: &[&[u8]]) -> Hash {
        let mut hash = self.begin(at, what);
        for part in parts {
            hash.update(part);
        }
        hash.finish()
    }

    fn begin(&self, at: u32, what: u16) -> Sha256 {
        let mut hash = Sha256::new();
        hash.update(self.name);
        hash.update(&at.to_be_bytes());
        hash.update(&what.to_be_bytes());
        hash
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    chunk(rest).copied().map(u32::from_be_bytes)
}

fn chunk<'s, const N: usize>(rest: &mut &'s [u8]) -> Option<&'s [u8; N]> {
    let (chunk, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(chunk)
}

fn hashes<'s>(rest: &mut &'s [u8], count: u32) -> Option<&'s [u8]> {
    let len = usize::try_from(count).ok()?.checked_mul(DIGEST_LEN)?;
    let (hashes, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(hashes)
}
