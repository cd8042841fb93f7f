//! An attempt that fails, and one that succeeds and lasts.

use core::hint::black_box;

use iotsec_core::{credential::StorageError, hal::Millis};
use iotsec_net::retry::{Failure, Retry, RetryError, RetryPolicy, RetryStorage};

struct Memory(Option<[u8; Retry::LEN]>);

impl RetryStorage for Memory {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.0.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

/// Restores the machine, fails once, connects, and clears the record.
pub fn run() -> bool {
    play(black_box(1 << 31)) == Ok(true)
}

fn play(random: u32) -> Result<bool, RetryError> {
    let mut storage = Memory(None);
    let mut retry = Retry::restore(RetryPolicy::DEFAULT, &mut storage, Millis(0), random)?;
    let now = retry.due();
    let attempt = retry.begin(&mut storage, now, random)?;
    let busy = Failure::Busy {
        after: Some(Millis::from_secs(90)),
    };
    retry.failed(&mut storage, attempt, busy, now, random)?;
    let now = retry.due();
    let attempt = retry.begin(&mut storage, now, random)?;
    let session = retry.connected(attempt, now);
    retry.tend(&mut storage, &session, Millis(now.0.saturating_add(300_000)))
}
