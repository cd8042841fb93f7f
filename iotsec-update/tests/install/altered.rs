//! A flash that reads otherwise than it was written.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use iotsec_testkit::{SimFlash, SimFlashError};

/// Changes what comes of a byte when it is read.
pub trait Alter {
    fn alter(&mut self, at: u32, byte: &mut u8);
}

pub struct Altered<A> {
    pub inner: SimFlash,
    pub alter: A,
}

impl<A> ErrorType for Altered<A> {
    type Error = SimFlashError;
}

impl<A: Alter> ReadNorFlash for Altered<A> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimFlashError> {
        self.inner.read(offset, bytes)?;
        for (at, byte) in (offset..).zip(bytes) {
            self.alter.alter(at, byte);
        }
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.inner.capacity()
    }
}

impl<A: Alter> NorFlash for Altered<A> {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimFlashError> {
        self.inner.write(offset, bytes)
    }
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimFlashError> {
        self.inner.erase(from, to)
    }
}
