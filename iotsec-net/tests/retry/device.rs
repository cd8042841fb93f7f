//! A device with the real machine, for a simulated storm.

use iotsec_core::hal::Millis;
use iotsec_net::retry::{Attempt, Failure, Retry, RetryPolicy, Session};
use iotsec_testkit::{Reconnect, SimRng};
use rand_core::Rng;

use crate::memory::Memory;

/// What happens at the beginning of a storm.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    /// A connection that was good breaks.
    Loss,
    /// Power returns.
    Power,
}

pub(crate) struct Device {
    retry: Retry,
    storage: Memory,
    rng: SimRng,
    session: Option<Session>,
    start: Start,
}

impl Device {
    pub(crate) fn new(seed: u64, start: Start) -> Self {
        let (mut storage, mut rng) = (Memory::default(), SimRng::new(seed));
        let mut retry =
            Retry::restore(RetryPolicy::DEFAULT, &mut storage, Millis(0), rng.next_u32()).unwrap();
        let due = retry.due();
        let attempt = retry.begin(&mut storage, due, rng.next_u32()).unwrap();
        let session = retry.connected(attempt, due);
        assert!(
            retry
                .tend(&mut storage, &session, Millis::from_secs(3600))
                .unwrap()
        );
        Self {
            retry,
            storage,
            rng,
            session: Some(session),
            start,
        }
    }

    fn begin(&mut self, now: Millis) -> Attempt {
        self.retry
            .begin(&mut self.storage, now, self.rng.next_u32())
            .unwrap()
    }
}

impl Reconnect for Device {
    fn lost(&mut self, now: Millis) -> Millis {
        let random = self.rng.next_u32();
        match (self.start, self.session.take()) {
            (Start::Loss, Some(session)) => self
                .retry
                .lost(&mut self.storage, session, Failure::Unreachable, now, random)
                .unwrap(),
            _ => {
                self.retry = Retry::restore(RetryPolicy::DEFAULT, &mut self.storage, now, random).unwrap();
            }
        }
        self.retry.due()
    }
    fn failed(&mut self, now: Millis) -> Millis {
        let attempt = self.begin(now);
        let random = self.rng.next_u32();
        self.retry
            .failed(&mut self.storage, attempt, Failure::Unreachable, now, random)
            .unwrap();
        self.retry.due()
    }
    fn connected(&mut self, now: Millis) {
        let attempt = self.begin(now);
        self.session = Some(self.retry.connected(attempt, now));
    }
}
