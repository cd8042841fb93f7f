//! Memory that behaves as flash and costs no more than the memory does: `SimFlash` books every byte, which
//! takes longer than the hashing that is to be measured.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Pages of 4 KiB, words of 4 bytes.
#[derive(Clone)]
pub(crate) struct RamFlash(Vec<u8>);

impl RamFlash {
    pub(crate) fn new(pages: usize) -> Self {
        Self(vec![0xFF; pages * Self::ERASE_SIZE])
    }

    /// The same contents as `other`, in the memory that this one has already.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }

    fn part(&mut self, from: u32, len: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        let from = usize::try_from(from).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        let part = self.0.get_mut(from..).and_then(|rest| rest.get_mut(..len));
        part.ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl ErrorType for RamFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(self.part(offset, bytes.len())?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        check_erase(self, from, to)?;
        let len = usize::try_from(to - from).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        self.part(from, len)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        check_write(self, offset, bytes.len())?;
        self.part(offset, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }
}
