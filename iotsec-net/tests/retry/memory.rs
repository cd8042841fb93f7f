use iotsec_core::credential::StorageError;
use iotsec_core::error::{ErrorCode, Fault};
use iotsec_net::retry::{Retry, RetryStorage};

/// A record in memory, with the faults that a storage can have.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) record: Option<Vec<u8>>,
    pub(crate) saves: u32,
    pub(crate) fails: bool,
}

struct Broken;

impl ErrorCode for Broken {
    fn code(&self) -> u16 {
        3999
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

impl RetryStorage for Memory {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.record.as_ref().map(|kept| {
            for (to, from) in record.iter_mut().zip(kept) {
                *to = *from;
            }
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        if self.fails {
            return Err(StorageError::of(&Broken));
        }
        self.saves += 1;
        self.record = Some(record.to_vec());
        Ok(())
    }
}
