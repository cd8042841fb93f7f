//! The counting flash as the drivers that other stores want.

use std::{
    fmt::Debug,
    pin::pin,
    task::{Context, Poll, Waker},
};

use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use iotsec_testkit::SimFlashError;

use super::workload::{Chip, PAGE, Result};

/// Words of `WORD` bytes, to be read from any byte.
#[derive(Clone)]
pub(crate) struct Nor<const WORD: usize>(pub(crate) Chip);

impl<const WORD: usize> ErrorType for Nor<WORD> {
    type Error = SimFlashError;
}

impl<const WORD: usize> ReadNorFlash for Nor<WORD> {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> std::result::Result<(), SimFlashError> {
        self.0.borrow_mut().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.borrow().capacity()
    }
}

impl<const WORD: usize> NorFlash for Nor<WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> std::result::Result<(), SimFlashError> {
        self.0.borrow_mut().erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> std::result::Result<(), SimFlashError> {
        self.0.borrow_mut().write(offset, bytes)
    }
}

/// The result of something asynchronous that never has to wait.
pub(crate) fn at_once<T, E: Debug>(future: impl Future<Output = std::result::Result<T, E>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => plain(result),
        Poll::Pending => Err("waits, and nothing would wake it".into()),
    }
}

/// The error as text, since not all of them are `Error`.
pub(crate) fn plain<T, E: Debug>(result: std::result::Result<T, E>) -> Result<T> {
    result.map_err(|error| format!("{error:?}").into())
}
