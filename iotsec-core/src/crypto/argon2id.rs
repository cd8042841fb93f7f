use core::cell::RefCell;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroize;

use super::{CryptoError, MemoryHard, apart::apart};
use crate::secret::Secret;

/// How deep it goes, in bytes of stack.
const DEPTH: usize = 8480;

/// One KiB of the memory of [`Argon2id`].
pub use argon2::Block as Argon2Block;

/// Argon2id in memory that the caller lends, which is wiped after each use.
///
/// ```
/// use iotsec_core::crypto::{Argon2Block, Argon2id, CryptoError, MemoryHard};
///
/// let mut memory = vec![Argon2Block::new(); 64];
/// let function = Argon2id::new(&mut memory);
/// assert!(function.stretch(b"password", b"somesalt", 64, 1).is_ok());
/// assert!(matches!(function.stretch(b"password", b"somesalt", 65, 1), Err(CryptoError::Length)));
/// ```
pub struct Argon2id<'m> {
    memory: RefCell<&'m mut [Argon2Block]>,
}

impl<'m> Argon2id<'m> {
    /// With `memory` of as many KiB as the most expensive verifier wants.
    pub const fn new(memory: &'m mut [Argon2Block]) -> Self {
        Self {
            memory: RefCell::new(memory),
        }
    }
}

impl core::fmt::Debug for Argon2id<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Argon2id(..)")
    }
}

impl MemoryHard for Argon2id<'_> {
    fn stretch(
        &self,
        password: &[u8],
        salt: &[u8],
        kib: u32,
        passes: u16,
    ) -> Result<Secret<32>, CryptoError> {
        let mut memory = self.memory.try_borrow_mut().map_err(|_| CryptoError::Driver)?;
        let blocks = usize::try_from(kib).map_err(|_| CryptoError::Length)?;
        let memory = memory.get_mut(..blocks).ok_or(CryptoError::Length)?;
        apart::<DEPTH, _>(|| {
            let mut out = Secret::zero();
            let params = Params::new(kib, passes.into(), 1, Some(out.expose().len()));
            let argon2 = Argon2::new(
                Algorithm::Argon2id,
                Version::V0x13,
                params.map_err(|_| CryptoError::Length)?,
            );
            let done = argon2.hash_password_into_with_memory(password, salt, out.expose_mut(), &mut *memory);
            memory.iter_mut().for_each(Zeroize::zeroize);
            done.map_err(|_| CryptoError::Length)?;
            Ok(out)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    /// From the test program of the reference implementation, github.com/P-H-C/phc-winner-argon2, test.c.
    #[test]
    fn the_vectors_of_the_reference_hold() {
        let mut memory = vec![Argon2Block::new(); 256];
        let function = Argon2id::new(&mut memory);
        let out = function.stretch(b"password", b"somesalt", 256, 2).unwrap();
        assert_eq!(
            out.expose()[..16],
            0x9dfe_b910_e80b_ad03_11fe_e20f_9c0e_2b12_u128.to_be_bytes()
        );
        assert_eq!(
            out.expose()[16..],
            0xc179_87b4_cac9_0c2e_f54d_5b30_21c6_8bfe_u128.to_be_bytes()
        );
    }

    #[test]
    fn memory_is_wiped() {
        let mut memory = vec![Argon2Block::new(); 64];
        let done = Argon2id::new(&mut memory).stretch(b"password", b"somesalt", 64, 1);
        assert!(done.is_ok());
        assert!(
            memory
                .iter()
                .all(|block| block.as_ref().iter().all(|word| *word == 0))
        );
    }
}
