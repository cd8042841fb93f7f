//! Ed25519 verification in little flash: the curve arithmetic of `salty`, and no tables.

use salty::{CompressedY, EdwardsPoint};
use sha2::Digest as _;

use super::{CryptoError, KeyType, SIGNATURE_LEN, Verify, is_canonical_y};

/// An Ed25519 public key for a boot loader with little room: less than half the flash and stack of
/// [`Ed25519PublicKey`](super::Ed25519PublicKey), and exactly the same answers.
///
/// Verification is strict (RFC 8032 §5.1.7, without the cofactor): S < L, the encodings of the key and of R
/// are the canonical ones, and neither is of small order. Everything here is public, so time may depend on
/// it. Cores with UMAAL (Armv7E-M, Armv8-M main line) run salty's assembly for the field. On others its
/// portable field takes ten times as long as `Ed25519PublicKey` and more stack, for a third less flash.
///
/// ```
/// use iotsec_core::{
///     crypto::{Ed25519SigningKey, Ed25519SmallPublicKey, Sign, Verify},
///     secret::Secret,
/// };
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let mut signature = [0; 64];
/// key.sign(b"hello", &mut signature)?;
/// let public = Ed25519SmallPublicKey::from_bytes(key.public_key())?;
/// assert!(public.verify(b"hello", &signature).is_ok());
/// assert!(public.verify(b"hellO", &signature).is_err());
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Ed25519SmallPublicKey([u8; 32]);

impl Ed25519SmallPublicKey {
    /// Reads a 32-byte public key.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`], or [`CryptoError::PublicKey`] for a point that is not on the
    /// curve, not canonically encoded, or weak.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| CryptoError::KeyLength)?;
        point(bytes)?;
        Ok(Self(*bytes))
    }
}

impl core::fmt::Debug for Ed25519SmallPublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Ed25519SmallPublicKey").field(&self.0).finish()
    }
}

impl Verify for Ed25519SmallPublicKey {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let bytes: &[u8; SIGNATURE_LEN] = signature.try_into().map_err(|_| CryptoError::Signature)?;
        let (r, s) = bytes.split_first_chunk::<32>().ok_or(CryptoError::Signature)?;
        let s = limbs(s);
        if minus_order(&s).is_some() {
            return Err(CryptoError::Signature);
        }
        let k = challenge(r, &self.0, message);
        // The other sign of x makes the negative of the key; where x is zero, the key is weak anyway.
        let mut negative = self.0;
        let [.., last] = &mut negative;
        *last ^= 0x80;
        let negative = point(&negative);
        // Used where it is: points are large.
        let negative = negative.as_ref().map_err(|error| *error)?;
        // The equation is checked on encodings, so an R that is not canonical cannot pass.
        let expected = combine(&s, &k, negative);
        if is_small_order(&expected) || expected.compressed().as_bytes() != r {
            return Err(CryptoError::Signature);
        }
        Ok(())
    }
}

/// The point that `bytes` encode, if it may be a key.
fn point(bytes: &[u8; 32]) -> Result<EdwardsPoint, CryptoError> {
    let point = CompressedY(*bytes).decompressed();
    let point = point.map_err(|_| CryptoError::PublicKey)?;
    if !is_canonical_y(bytes) || is_small_order(&point) {
        return Err(CryptoError::PublicKey);
    }
    Ok(point)
}

/// Whether eight times the point is the neutral element.
fn is_small_order(point: &EdwardsPoint) -> bool {
    let mut multiple = *point;
    for _ in 0..3 {
        multiple = &multiple + &multiple;
    }
    multiple == EdwardsPoint::neutral_element()
}

/// A number of 256 bits, the least significant limb first.
type Number = [u32; 8];

/// The order of the base point, 2^252 + 27742317777372353535851937790883648493.
const ORDER: Number = [
    0x5CF5_D3ED,
    0x5812_631A,
    0xA2F7_9CD6,
    0x14DE_F9DE,
    0,
    0,
    0,
    0x1000_0000,
];

fn limbs(bytes: &[u8]) -> Number {
    let mut number = [0; 8];
    let (words, _) = bytes.as_chunks::<4>();
    for (limb, word) in number.iter_mut().zip(words) {
        *limb = u32::from_le_bytes(*word);
    }
    number
}

/// `number` less the order, unless it lies below.
fn minus_order(number: &Number) -> Option<Number> {
    let mut difference = [0; 8];
    let mut borrow = 0;
    for ((out, limb), order) in difference.iter_mut().zip(number).zip(&ORDER) {
        let wide = u64::from(*limb)
            .wrapping_sub(u64::from(*order))
            .wrapping_sub(borrow);
        *out = u32::try_from(wide & u64::from(u32::MAX)).unwrap_or(0);
        borrow = wide >> 63;
    }
    (borrow == 0).then_some(difference)
}

/// SHA-512 of R, the key and the message, reduced by the order.
fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Number {
    let mut hash = sha2::Sha512::new();
    // One place that hashes, three that are hashed.
    for part in [&r[..], key, message] {
        hash.update(part);
    }
    let wide: [u8; 64] = hash.finalize().into();
    reduce(&wide)
}

/// The little-endian number in `wide` modulo the order, bit by bit: what is short here is also plainly right.
fn reduce(wide: &[u8; 64]) -> Number {
    let mut rest: Number = [0; 8];
    for byte in wide.iter().rev() {
        for bit in (0..8).rev() {
            // Below the order, which has 253 bits: twice that and one more fits.
            let mut carry = u32::from(byte >> bit & 1);
            for limb in &mut rest {
                (*limb, carry) = (*limb << 1 | carry, *limb >> 31);
            }
            if let Some(less) = minus_order(&rest) {
                rest = less;
            }
        }
    }
    rest
}

/// `s` times the base point plus `k` times `point`.
fn combine(s: &Number, k: &Number, point: &EdwardsPoint) -> EdwardsPoint {
    let base = EdwardsPoint::basepoint();
    let both = &base + point;
    let mut sum = EdwardsPoint::neutral_element();
    for (s, k) in s.iter().zip(k).rev() {
        for bit in (0..32).rev() {
            sum = &sum + &sum;
            let addend = match (s >> bit & 1, k >> bit & 1) {
                (0, 0) => continue,
                (_, 0) => &base,
                (0, _) => point,
                _ => &both,
            };
            sum = &sum + addend;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order with all its 253 bits, and its neighbours.
    #[test]
    fn numbers_are_reduced_to_what_lies_below_the_order() {
        let mut wide = [0; 64];
        for (bytes, limb) in wide.chunks_mut(4).zip(ORDER) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
        assert_eq!(reduce(&wide), [0; 8]);
        wide[0] += 5;
        assert_eq!(reduce(&wide), [5, 0, 0, 0, 0, 0, 0, 0]);
        wide[0] -= 6;
        assert_eq!(reduce(&wide)[0], ORDER[0] - 1);
        assert_eq!(minus_order(&ORDER), Some([0; 8]));
    }

    /// 2^512 - 1 modulo the order, computed with Python's integers.
    #[test]
    fn the_largest_number_is_reduced() {
        let expected: Number = [
            0x449C_0F00,
            0xA406_11E3,
            0x6885_9347,
            0xD00E_1BA7,
            0x17F5_BE65,
            0xCEEC_73D2,
            0x7C30_9A3D,
            0x0399_411B,
        ];
        assert_eq!(reduce(&[0xFF; 64]), expected);
    }
}
