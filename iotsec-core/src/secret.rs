//! Key material that cleans up after itself.

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::crypto::CryptoError;

/// `N` secret bytes.
///
/// Wiped on drop; not `Clone`, not `PartialEq`; `Debug` prints the length and nothing else.
/// Moving a `Secret` may leave a copy on the stack, so keep it where it was made and pass references.
///
/// ```
/// use iotsec_core::secret::Secret;
///
/// let key = Secret::from_bytes([0x42; 32]);
/// assert_eq!(format!("{key:?}"), "Secret<32>(..)");
/// assert!(key.ct_eq(&Secret::from_bytes([0x42; 32])));
/// ```
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// All zeros, to be filled by [`Secret::expose_mut`].
    pub const fn zero() -> Self {
        Self([0; N])
    }

    /// Takes the bytes over. The caller's copy, if any, is the caller's to wipe.
    pub const fn from_bytes(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Copies a slice of exactly `N` bytes.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut secret = Self::zero();
        if bytes.len() != N {
            return Err(CryptoError::KeyLength);
        }
        secret.0.copy_from_slice(bytes);
        Ok(secret)
    }

    /// Draws `N` bytes.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails, or returns one value for every byte, which
    /// for 16 bytes and more does not happen by chance.
    pub fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        let mut secret = Self::zero();
        rng.try_fill_bytes(&mut secret.0)
            .map_err(|_| CryptoError::Entropy)?;
        if N >= 16 && secret.is_constant() {
            return Err(CryptoError::Entropy);
        }
        Ok(secret)
    }

    /// The bytes. Every use of this is a place to review.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be written.
    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// Equality in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// True when all bytes are equal, as an erased fuse or a dead entropy source gives.
    pub fn is_constant(&self) -> bool {
        is_constant(&self.0)
    }
}

impl<const N: usize> core::fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Secret<{N}>(..)")
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

// Out of line: it is inlined wherever a secret ends.
#[inline(never)]
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.zeroize();
}

#[inline(never)]
fn is_constant(bytes: &[u8]) -> bool {
    let mut differs = 0;
    for pair in bytes.windows(2) {
        if let [a, b] = pair {
            differs |= a ^ b;
        }
    }
    differs == 0
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

/// Equality of two byte strings in constant time; unequal lengths compare at once as unequal.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use rand_core::{TryCryptoRng, TryRng};

    struct Stuck(u8);
    impl TryRng for Stuck {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from_ne_bytes([self.0; 4]))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from_ne_bytes([self.0; 8]))
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
            dst.fill(self.0);
            Ok(())
        }
    }
    impl TryCryptoRng for Stuck {}

    #[test]
    fn debug_shows_no_byte() {
        let text = std::format!("{:?}", Secret::from_bytes([0xAB; 16]));
        assert!(!text.to_lowercase().contains("ab,") && !text.contains("171"));
    }

    #[test]
    fn a_stuck_source_is_refused() {
        assert_eq!(
            Secret::<32>::random(&mut Stuck(0)).err(),
            Some(CryptoError::Entropy)
        );
        assert_eq!(
            Secret::<16>::random(&mut Stuck(0xFF)).err(),
            Some(CryptoError::Entropy)
        );
    }

    #[test]
    fn length_is_exact() {
        assert_eq!(
            Secret::<4>::from_slice(&[1, 2, 3]).err(),
            Some(CryptoError::KeyLength)
        );
        assert_eq!(
            Secret::<4>::from_slice(&[1, 2, 3, 4]).unwrap().expose(),
            &[1, 2, 3, 4]
        );
    }
}
