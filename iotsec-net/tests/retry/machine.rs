use iotsec_core::{error::ErrorCode, hal::Millis};
use iotsec_net::retry::{Attempt, Failure, Forgetful, Retry, RetryError, RetryPolicy, RetryStorage, Session};
use iotsec_testkit::SimRng;
use rand_core::Rng;

use crate::memory::Memory;

const POLICY: RetryPolicy = RetryPolicy::DEFAULT;
const LEAST: u32 = 0;
const MOST: u32 = u32::MAX;
const SECOND: u64 = 1000;

fn boot(storage: &mut impl RetryStorage, random: u32) -> Retry {
    Retry::restore(POLICY, storage, Millis(0), random).unwrap()
}

/// Begins as soon as the machine permits.
fn begin(retry: &mut Retry, storage: &mut impl RetryStorage) -> (Attempt, Millis) {
    let due = retry.due();
    (retry.begin(storage, due, LEAST).unwrap(), due)
}

fn fail(retry: &mut Retry, storage: &mut impl RetryStorage, failure: Failure, random: u32) -> Millis {
    let (attempt, now) = begin(retry, storage);
    retry.failed(storage, attempt, failure, now, random).unwrap();
    retry.wait(now)
}

fn connect(retry: &mut Retry, storage: &mut impl RetryStorage) -> (Session, Millis) {
    let (attempt, now) = begin(retry, storage);
    (retry.connected(attempt, now), now)
}

#[test]
fn the_first_attempt_of_a_boot_lies_within_the_first_window() {
    for (random, wait) in [(LEAST, 0), (1 << 31, 30_000), (MOST, 60_000)] {
        assert_eq!(boot(&mut Memory::default(), random).wait(Millis(0)), Millis(wait));
    }
}

#[test]
fn windows_double_up_to_the_longest_and_no_wait_is_below_a_second() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    for seconds in [120, 240, 300, 300, 300] {
        // The same state, restored.
        let mut twin = boot(&mut storage, MOST);
        assert_eq!(
            fail(&mut twin, &mut storage.clone(), Failure::Unreachable, LEAST),
            Millis(SECOND)
        );
        assert_eq!(
            fail(&mut retry, &mut storage, Failure::Unreachable, MOST),
            Millis(seconds * SECOND)
        );
    }
}

#[test]
fn before_its_time_there_is_no_attempt_and_no_write() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, MOST);
    let refused = retry.begin(&mut storage, Millis(59_999), LEAST).unwrap_err();
    assert_eq!(refused, RetryError::Wait { remaining: Millis(1) });
    assert_eq!((refused.code(), storage.saves), (5201, 0));
    assert!(retry.begin(&mut storage, Millis(60_000), LEAST).is_ok());
}

#[test]
fn an_attempt_that_is_never_reported_counts_as_failed() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    drop(retry.begin(&mut storage, Millis(0), MOST).unwrap());
    assert_eq!(retry.wait(Millis(0)), Millis(120 * SECOND));
}

#[test]
fn a_server_that_accepts_and_hangs_up_is_met_with_ever_longer_waits() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    for seconds in [120, 240, 300, 300] {
        let (session, since) = connect(&mut retry, &mut storage);
        let now = Millis(since.0 + 299 * SECOND);
        assert!(!retry.tend(&mut storage, &session, now).unwrap());
        retry
            .lost(&mut storage, session, Failure::Unreachable, now, MOST)
            .unwrap();
        assert_eq!(retry.wait(now), Millis(seconds * SECOND));
    }
}

#[test]
fn after_a_stable_period_windows_start_with_the_first_and_are_jittered() {
    for is_tended in [true, false] {
        let mut storage = Memory::default();
        let mut retry = boot(&mut storage, LEAST);
        for _ in 0..4 {
            fail(&mut retry, &mut storage, Failure::Refused, LEAST);
        }
        let (session, since) = connect(&mut retry, &mut storage);
        let now = Millis(since.0 + 300 * SECOND);
        if is_tended {
            assert!(retry.tend(&mut storage, &session, now).unwrap());
            let saves = storage.saves;
            assert!(retry.tend(&mut storage, &session, now).unwrap());
            assert_eq!(storage.saves, saves, "a second look writes nothing");
        }
        retry
            .lost(&mut storage, session, Failure::Unreachable, now, 1 << 31)
            .unwrap();
        assert_eq!(retry.wait(now), Millis(30 * SECOND));
        assert_eq!((retry.status().attempts, retry.status().refusals), (0, 0));
    }
}

#[test]
fn a_device_that_sleeps_after_its_work_keeps_the_first_window() {
    let mut storage = Memory::default();
    for _ in 0..5 {
        let mut retry = boot(&mut storage, MOST);
        assert_eq!(retry.wait(Millis(0)), Millis(60 * SECOND));
        let (session, now) = connect(&mut retry, &mut storage);
        retry.finish(&mut storage, session, now, MOST).unwrap();
    }
}

#[test]
fn a_boot_loop_does_not_start_over() {
    let mut storage = Memory::default();
    let mut waits = Vec::new();
    for _ in 0..6 {
        let mut retry = boot(&mut storage, MOST);
        waits.push(retry.wait(Millis(0)).0 / SECOND);
        let (_crashes, _) = begin(&mut retry, &mut storage);
    }
    assert_eq!(waits, [60, 120, 240, 300, 300, 300]);
    assert_eq!(
        storage.saves, 3,
        "where the window is the longest nothing is written"
    );
}

#[test]
fn a_hint_is_followed_jittered_and_clamped() {
    let busy = |seconds| Failure::Busy {
        after: Some(Millis::from_secs(seconds)),
    };
    let wait = |failure, random| {
        let mut storage = Memory::default();
        let mut retry = boot(&mut storage, LEAST);
        fail(&mut retry, &mut storage, failure, random).0 / SECOND
    };
    assert_eq!(wait(busy(600), LEAST), 600);
    assert_eq!(wait(busy(600), MOST), 1200);
    // The window is the least spread: a hint of nothing must not bring everybody back at once.
    assert_eq!(wait(busy(0), LEAST), 1);
    assert_eq!(wait(busy(0), MOST), 121);
    assert_eq!(wait(busy(u64::MAX / 1000), LEAST), 3600);
    assert_eq!(wait(busy(u64::MAX / 1000), MOST), 7200);
    assert_eq!(wait(Failure::Busy { after: None }, MOST), 120);
}

#[test]
fn a_device_that_comes_too_often_goes_to_the_longest_window() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    let wait = fail(&mut retry, &mut storage, Failure::TooOften { after: None }, MOST);
    assert_eq!(wait, Millis(300 * SECOND));
    assert_eq!(boot(&mut storage, MOST).wait(Millis(0)), Millis(300 * SECOND));
}

#[test]
fn refusals_open_the_breaker_which_a_reboot_does_not_close() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    for _ in 0..4 {
        assert!(fail(&mut retry, &mut storage, Failure::Refused, MOST) <= Millis(300 * SECOND));
        assert!(!retry.status().is_open);
    }
    assert_eq!(
        fail(&mut retry, &mut storage, Failure::Refused, LEAST),
        Millis(1800 * SECOND)
    );
    assert!(retry.status().is_open);
    assert_eq!(
        fail(&mut retry, &mut storage, Failure::Unreachable, MOST),
        Millis(3600 * SECOND)
    );

    let mut retry = boot(&mut storage, LEAST);
    assert_eq!(retry.wait(Millis(0)), Millis(1800 * SECOND));
    retry.repair(&mut storage, Millis(0), 1 << 31).unwrap();
    assert_eq!(retry.wait(Millis(0)), Millis(30 * SECOND));
    assert!(!boot(&mut storage, LEAST).status().is_open);
}

#[test]
fn a_connection_that_is_kicked_does_not_close_the_breaker() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    for _ in 0..5 {
        let (session, now) = connect(&mut retry, &mut storage);
        retry
            .lost(&mut storage, session, Failure::Refused, now, MOST)
            .unwrap();
    }
    assert!(retry.status().is_open);
}

#[test]
fn without_a_durable_count_there_is_no_attempt() {
    let mut storage = Memory::default();
    let mut retry = boot(&mut storage, LEAST);
    storage.fails = true;
    let refused = retry.begin(&mut storage, Millis(0), MOST).unwrap_err();
    assert_eq!(refused.code(), 3999);
    assert_eq!(retry.wait(Millis(0)), Millis(120 * SECOND), "nor a busy loop");
}

#[test]
fn damage_and_forgetfulness_count_as_a_long_outage() {
    let longest = Millis(300 * SECOND);
    assert_eq!(boot(&mut Forgetful, MOST).wait(Millis(0)), longest);
    for record in [vec![], vec![0; 8], vec![0xFF; 8], vec![1; 9]] {
        let mut storage = Memory {
            record: Some(record),
            ..Memory::default()
        };
        let mut retry = boot(&mut storage, MOST);
        assert_eq!(retry.wait(Millis(0)), longest);
        let (session, since) = connect(&mut retry, &mut storage);
        let now = Millis(since.0 + 300 * SECOND);
        retry.tend(&mut storage, &session, now).unwrap();
        assert_eq!(boot(&mut storage, MOST).wait(Millis(0)), Millis(60 * SECOND));
    }
}

#[test]
fn policies_have_bounds() {
    let seconds = Millis::from_secs;
    let new = |first, longest| RetryPolicy::new(Millis(first), Millis(longest)).is_ok();
    assert!(new(1_000, 1_000) && new(600_000, 86_400_000));
    assert!(!new(999, 1_000) && !new(600_001, 700_000) && !new(2_000, 1_999) && !new(1_000, 86_400_001));
    assert!(POLICY.with_stable(seconds(59)).is_err() && POLICY.with_stable(seconds(60)).is_ok());
    assert!(POLICY.with_longest_hint(seconds(59)).is_err());
    assert!(POLICY.with_breaker(0, seconds(3600)).is_err());
    assert!(POLICY.with_breaker(101, seconds(3600)).is_err());
    assert!(POLICY.with_breaker(1, seconds(299)).is_err());
    assert!(RetryPolicy::for_fleet(1, 0, seconds(300)).is_err());
    let small = RetryPolicy::for_fleet(1, 1000, seconds(300)).unwrap();
    assert_eq!(small.window(0), seconds(1));
}

/// Whatever happens, in whatever order: the rate stays below one attempt in a second, in the long run below what full
/// jitter over the windows gives, and after enough failures no faster than the longest window.
#[test]
fn random_lives_never_come_too_often() {
    for seed in 0..300 {
        let mut rng = SimRng::new(seed);
        let mut storage = Memory::default();
        let (mut now, mut attempts) = (0_u64, Vec::new());
        let mut retry = boot(&mut storage, rng.next_u32());
        let mut had_success = false;
        while attempts.len() < 200 {
            now = now.max(retry.due().0) + rng.below(3);
            let attempt = retry.begin(&mut storage, Millis(now), rng.next_u32()).unwrap();
            attempts.push(now);
            let failure = match rng.below(4) {
                0 => Failure::Unreachable,
                1 => Failure::Busy {
                    after: (rng.below(2) == 0).then(|| Millis(rng.next_u64() >> rng.below(64))),
                },
                2 => Failure::TooOften { after: None },
                _ => Failure::Refused,
            };
            match rng.below(8) {
                0 => drop(attempt),
                1 => {
                    let session = retry.connected(attempt, Millis(now));
                    now += rng.below(600_000);
                    had_success |= retry.tend(&mut storage, &session, Millis(now)).unwrap();
                    retry
                        .lost(&mut storage, session, failure, Millis(now), rng.next_u32())
                        .unwrap();
                }
                _ => {
                    now += rng.below(30_000);
                    retry
                        .failed(&mut storage, attempt, failure, Millis(now), rng.next_u32())
                        .unwrap();
                }
            }
            let wait = retry.wait(Millis(now)).0;
            assert!(wait <= 7_200 * SECOND, "seed {seed}: {wait}");
        }
        assert!(
            attempts
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= SECOND || had_success),
            "seed {seed}"
        );
        let span = attempts[attempts.len() - 1] - attempts[0];
        let mean = span / (attempts.len() as u64 - 1);
        assert!(mean > 60 * SECOND, "seed {seed}: one attempt in {mean} ms");
    }
}
