//! When to connect, from a record that anybody wrote. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{credential::StorageError, hal::Millis};
use iotsec_net::retry::{Failure, Retry, RetryError, RetryPolicy, RetryStorage};
use no_panic::halt;

/// A storage of unknown content, which fails or not.
struct Unknown;

impl RetryStorage for Unknown {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        *record = black_box([0; Retry::LEN]);
        black_box(Ok(Some(Retry::LEN)))
    }
    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        black_box(record);
        black_box(Ok(()))
    }
}

#[entry]
fn main() -> ! {
    let _ = black_box(live());
    halt()
}

fn now() -> Millis {
    black_box(Millis(0))
}

fn random() -> u32 {
    black_box(0)
}

fn live() -> Result<(), RetryError> {
    let policy = RetryPolicy::for_fleet(black_box(10_000), black_box(200), now())?
        .with_stable(now())?
        .with_longest_hint(now())?
        .with_breaker(black_box(5), now())?;
    let mut retry = Retry::restore(policy, &mut Unknown, now(), random())?;
    let attempt = retry.begin(&mut Unknown, now(), random())?;
    let failure = black_box(Failure::Busy { after: Some(now()) });
    retry.failed(&mut Unknown, attempt, failure, now(), random())?;
    let attempt = retry.begin(&mut Unknown, now(), random())?;
    let session = retry.connected(attempt, now());
    black_box(retry.tend(&mut Unknown, &session, now())?);
    retry.lost(&mut Unknown, session, failure, now(), random())?;
    let attempt = retry.begin(&mut Unknown, now(), random())?;
    let session = retry.connected(attempt, now());
    retry.finish(&mut Unknown, session, now(), random())?;
    retry.repair(&mut Unknown, now(), random())?;
    black_box((retry.due(), retry.wait(now()), retry.status()));
    Ok(())
}
