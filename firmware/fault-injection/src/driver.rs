//! Hardware of the device: flash, security counter, and a unit that checks signatures.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use iotsec_core::{
    crypto::{CryptoError, KeyType, Sha256, Verify},
    hal::{CounterError, MonotonicCounter},
};

use crate::device::{CAPACITY, PAGE, WORD};

/// Flash in memory.
#[derive(Debug)]
pub(crate) struct Flash<'a>(pub(crate) &'a mut [u8; CAPACITY]);

impl ErrorType for Flash<'_> {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash<'_> {
    const READ_SIZE: usize = 1;

    #[inline(never)]
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let from = self.0.get(offset as usize..).unwrap_or_default();
        let from = from.get(..bytes.len()).ok_or(NorFlashErrorKind::OutOfBounds)?;
        bytes.copy_from_slice(from);
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for Flash<'_> {
    const WRITE_SIZE: usize = WORD as usize;
    const ERASE_SIZE: usize = PAGE as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        let range = self.0.get_mut(from as usize..to as usize);
        range.ok_or(NorFlashErrorKind::OutOfBounds)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let to = self.0.get_mut(offset as usize..).unwrap_or_default();
        let to = to.get_mut(..bytes.len()).ok_or(NorFlashErrorKind::OutOfBounds)?;
        to.copy_from_slice(bytes);
        Ok(())
    }
}

/// A hardware counter.
#[derive(Debug)]
pub(crate) struct Counter(pub(crate) u64);

impl MonotonicCounter for Counter {
    fn read(&mut self) -> Result<u64, CounterError> {
        Ok(core::hint::black_box(self.0))
    }

    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        self.0 = self.0.max(value);
        Ok(())
    }
}

/// Stands for a unit that checks Ed25519 signatures in hardware, in few instructions: so the decisions around it
/// can be attacked one by one. Its "signature" is the SHA-256 of key and message, and once more inverted.
#[derive(Debug)]
pub struct SignatureUnit(pub [u8; 32]);

impl Verify for SignatureUnit {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }

    fn public_key(&self) -> &[u8] {
        &self.0
    }

    #[inline(never)]
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let expected = Sha256::of(&[&self.0, message]);
        let differs = match signature.split_first_chunk::<32>() {
            Some((first, second)) if second.len() == 32 => first
                .iter()
                .zip(second)
                .zip(expected)
                .fold(0, |differs, ((a, b), c)| differs | (a ^ c) | (b ^ !c)),
            _ => 1,
        };
        if differs != 0 {
            return Err(CryptoError::Signature);
        }
        Ok(())
    }
}
