//! When a connection is tried again.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec_ffi::{retry::*, status::*};

use crate::{
    board::{Board, Fixed},
    login::zeroed,
    telemetry::{Records, record},
};

const HOUR: u64 = 3_600_000;

type Change = fn(&mut iotsec_retry_policy_t);

/// A retry in memory that never moves, and the record that outlives it.
struct Link {
    board: Board,
    records: Fixed<Records>,
    retry: Fixed<iotsec_retry_t>,
}

impl Link {
    fn new() -> Self {
        let link = Self {
            board: Board::new(),
            records: Fixed::new(Records::default()),
            retry: Fixed::new(zeroed()),
        };
        assert_eq!(link.open(), IOTSEC_OK);
        link
    }

    fn open(&self) -> iotsec_status_t {
        let (record, entropy) = (record(&self.records, 1), self.board.entropy());
        // SAFETY: see the top; here and below.
        unsafe {
            iotsec_retry_open(
                self.retry.at(),
                &raw const record,
                &raw const entropy,
                ptr::null(),
                0,
            )
        }
    }

    fn close(&self) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_retry_close(self.retry.at()) }
    }

    fn status(&self, uptime_ms: u64) -> iotsec_retry_status_t {
        let mut status = zeroed();
        // SAFETY: as above.
        let told = unsafe { iotsec_retry_status(self.retry.at(), uptime_ms, &raw mut status) };
        assert_eq!(told, IOTSEC_OK);
        status
    }

    fn call(
        &self,
        call: unsafe extern "C" fn(*mut iotsec_retry_t, u64) -> iotsec_status_t,
        uptime_ms: u64,
    ) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { call(self.retry.at(), uptime_ms) }
    }

    fn ended(&self, failure: iotsec_retry_failure_t, after_ms: u64, uptime_ms: u64) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_retry_ended(self.retry.at(), failure, after_ms, uptime_ms) }
    }

    /// Waits as long as it takes, and begins.
    fn begun(&self, uptime_ms: u64) -> u64 {
        let due = uptime_ms + self.status(uptime_ms).wait_ms;
        assert_eq!(self.call(iotsec_retry_begin, due), IOTSEC_OK);
        due
    }
}

#[test]
fn each_wait_is_longer_and_a_connection_that_lasted_starts_anew() {
    let link = Link::new();
    let first = link.status(0);
    assert!((1..=60_000).contains(&first.wait_ms), "{first:?}");
    assert_eq!(
        link.call(iotsec_retry_begin, first.wait_ms - 1),
        IOTSEC_ERR_RETRY_WAIT
    );
    let mut now = 0;
    for attempt in 1..=9 {
        now = link.begun(now);
        assert_eq!(link.ended(IOTSEC_RETRY_UNREACHABLE, 0, now), IOTSEC_OK);
        assert_eq!(link.status(now).attempts, attempt.min(3));
        assert!(link.status(now).wait_ms <= 300_000);
    }
    link.close();
    assert_eq!(link.open(), IOTSEC_OK);
    assert_eq!(link.status(0).attempts, 3, "a reboot gains nothing");
    let now = link.begun(0);
    assert_eq!(link.call(iotsec_retry_connected, now), IOTSEC_OK);
    assert_eq!(
        link.call(iotsec_retry_begin, now + HOUR),
        IOTSEC_ERR_STATE,
        "connected"
    );
    assert_eq!(link.call(iotsec_retry_tend, now + 299_999), IOTSEC_OK);
    assert_eq!(link.status(now).attempts, 3);
    assert_eq!(link.call(iotsec_retry_tend, now + 300_000), IOTSEC_OK);
    assert_eq!(link.status(now).attempts, 0);
    assert_eq!(link.ended(IOTSEC_RETRY_UNREACHABLE, 0, now + HOUR), IOTSEC_OK);
    let now = link.begun(now + HOUR);
    assert_eq!(link.call(iotsec_retry_connected, now), IOTSEC_OK);
    assert_eq!(
        link.call(iotsec_retry_finish, now + 1),
        IOTSEC_OK,
        "done, and good"
    );
    assert_eq!(link.status(now).attempts, 0);
}

#[test]
fn refusals_open_the_breaker_and_what_a_server_asks_for_is_followed() {
    let link = Link::new();
    let mut now = 0;
    for refusal in 1..=5 {
        now = link.begun(now);
        assert_eq!(link.ended(IOTSEC_RETRY_REFUSED, 0, now), IOTSEC_OK);
        assert_eq!(link.status(now).is_open, i32::from(refusal == 5));
    }
    assert!(link.status(now).wait_ms >= HOUR / 2);
    assert_eq!(link.call(iotsec_retry_repair, now), IOTSEC_OK);
    assert_eq!((link.status(now).is_open, link.status(now).refusals), (0, 0));
    for failure in [IOTSEC_RETRY_BUSY, IOTSEC_RETRY_TOO_OFTEN] {
        now = link.begun(now);
        assert_eq!(link.ended(failure, 1_000_000, now), IOTSEC_OK);
        assert!(link.status(now).wait_ms >= 1_000_000);
    }
}

#[test]
fn an_attempt_that_cannot_be_counted_is_not_made_and_steps_out_of_order_change_nothing() {
    let mut link = Link::new();
    for out_of_order in [iotsec_retry_connected, iotsec_retry_finish] {
        assert_eq!(link.call(out_of_order, 0), IOTSEC_ERR_STATE);
    }
    assert_eq!(link.ended(IOTSEC_RETRY_UNREACHABLE, 0, 0), IOTSEC_ERR_STATE);
    assert_eq!(link.call(iotsec_retry_tend, 0), IOTSEC_OK);
    let due = link.status(0).wait_ms;
    link.records.broken = Some(1);
    assert_eq!(link.call(iotsec_retry_begin, due), IOTSEC_ERR_FLASH_DRIVER);
    assert_eq!(link.call(iotsec_retry_connected, due), IOTSEC_ERR_STATE);
    link.records.broken = None;
    let now = link.begun(due);
    assert_eq!(link.ended(0, 0, now), IOTSEC_ERR_CONFIG);
    assert_eq!(
        link.call(iotsec_retry_finish, now),
        IOTSEC_ERR_STATE,
        "not connected"
    );
    assert_eq!(
        link.call(iotsec_retry_connected, now),
        IOTSEC_OK,
        "the attempt stands"
    );
    // A record that is damaged, and none at all, count as a long outage.
    link.close();
    link.records.kept.insert(1, vec![9; 8]);
    assert_eq!(link.open(), IOTSEC_OK);
    assert!(link.status(0).attempts > 1);
    link.close();
    let entropy = link.board.entropy();
    let open = |policy: *const iotsec_retry_policy_t| {
        // SAFETY: see the top.
        unsafe { iotsec_retry_open(link.retry.at(), ptr::null(), &raw const entropy, policy, 0) }
    };
    assert_eq!(open(ptr::null()), IOTSEC_OK);
    assert!(link.status(0).attempts > 1);
    link.close();
    let policy = iotsec_retry_policy_t {
        struct_size: size_of::<iotsec_retry_policy_t>() as u32,
        refusals: 0,
        first_ms: 1000,
        longest_ms: 2000,
        stable_ms: 0,
        longest_hint_ms: 0,
        pause_ms: 0,
    };
    assert_eq!(open(&raw const policy), IOTSEC_OK);
    assert!(link.status(0).wait_ms <= 2000);
    link.close();
    let changes: [(Change, iotsec_status_t); 7] = [
        (|policy| policy.first_ms = 999, IOTSEC_ERR_RETRY_POLICY),
        (|policy| policy.longest_ms = 999, IOTSEC_ERR_RETRY_POLICY),
        (|policy| policy.stable_ms = 999, IOTSEC_ERR_RETRY_POLICY),
        (
            |policy| policy.longest_hint_ms = 86_400_001,
            IOTSEC_ERR_RETRY_POLICY,
        ),
        (|policy| policy.refusals = 101, IOTSEC_ERR_RETRY_POLICY),
        (|policy| policy.pause_ms = 1999, IOTSEC_ERR_RETRY_POLICY),
        (|policy| policy.struct_size += 8, IOTSEC_ERR_CONFIG),
    ];
    for (change, refusal) in changes {
        let mut policy = policy;
        change(&mut policy);
        assert_eq!(open(&raw const policy), refusal);
    }
}
