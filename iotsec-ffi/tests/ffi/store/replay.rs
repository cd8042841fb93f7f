//! A store with a counter, and yesterday's image of its flash.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::{
    ffi::c_void,
    mem::{offset_of, size_of_val},
};

use iotsec_ffi::counter::iotsec_counter_t;

use super::*;

type Open = unsafe extern "C" fn(*mut iotsec_store_t, *const iotsec_store_config_t) -> iotsec_status_t;

impl Bench {
    fn open_counted(&self, how: Open, counter: &iotsec_counter_t) -> iotsec_status_t {
        let config = iotsec_store_config_t {
            replay_counter: counter,
            ..self.config()
        };
        // SAFETY: see the top. The counter is copied: it need not outlive the call.
        unsafe { how(self.store.at(), &raw const config) }
    }

    /// Formats, writes, and goes on tomorrow. What a thief of yesterday's flash has.
    fn two_days(&self, open: impl Fn(Open) -> iotsec_status_t) -> iotsec_testkit::SimFlash {
        assert_eq!(open(iotsec_store_format), IOTSEC_OK);
        assert_eq!(self.put(WIFI, b"yesterday"), IOTSEC_OK);
        assert_eq!(self.close(), IOTSEC_OK);
        let yesterday = self.board.flash.clone();
        assert_eq!(open(iotsec_store_mount), IOTSEC_OK);
        assert_eq!(self.put(WIFI, b"today"), IOTSEC_OK);
        assert_eq!(self.close(), IOTSEC_OK);
        yesterday
    }
}

#[test]
fn with_a_counter_yesterdays_image_is_refused_and_todays_is_not() {
    let mut bench = Bench::on(Board::new(), 4);
    let open = |bench: &Bench, how| bench.open_counted(how, &bench.board.counter());
    let yesterday = bench.two_days(|how| open(&bench, how));
    let today = std::mem::replace(&mut *bench.board.flash, yesterday);
    assert_eq!(open(&bench, iotsec_store_mount), IOTSEC_ERR_STORE_ROLLED_BACK);
    assert_eq!(bench.get(WIFI), Err(IOTSEC_ERR_STATE));
    *bench.board.flash = today;
    assert_eq!(open(&bench, iotsec_store_mount), IOTSEC_OK);
    assert_eq!(bench.get(WIFI), Ok(b"today".to_vec()));
    // Nor is what was there before the store was made anew.
    bench.close();
    let before = bench.board.flash.clone();
    assert_eq!(open(&bench, iotsec_store_format), IOTSEC_OK);
    bench.close();
    *bench.board.flash = before;
    assert_eq!(open(&bench, iotsec_store_mount), IOTSEC_ERR_STORE_ROLLED_BACK);
}

#[test]
fn without_a_counter_yesterdays_image_is_taken_for_todays() {
    let mut bench = Bench::on(Board::new(), 4);
    let yesterday = bench.two_days(|how| bench.open(how));
    *bench.board.flash = yesterday;
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    assert_eq!(bench.get(WIFI), Ok(b"yesterday".to_vec()));
}

#[test]
fn a_store_keeps_for_its_life_what_it_was_formatted_with() {
    let bench = Bench::on(Board::new(), 4);
    let counter = bench.board.counter();
    assert_eq!(bench.open_counted(iotsec_store_format, &counter), IOTSEC_OK);
    bench.close();
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_ERR_STORE_REPLAY_PROTECTION);
    assert_eq!(bench.open(iotsec_store_format), IOTSEC_OK);
    bench.close();
    assert_eq!(
        bench.open_counted(iotsec_store_mount, &counter),
        IOTSEC_ERR_STORE_REPLAY_PROTECTION
    );
}

type Change = fn(&mut iotsec_counter_t);

#[test]
fn a_counter_without_its_callbacks_or_that_fails_opens_no_store() {
    unsafe extern "C" fn unreadable(_: *mut c_void, _: *mut u64) -> i32 {
        -1
    }
    unsafe extern "C" fn stuck(_: *mut c_void, _: u64) -> i32 {
        1
    }
    let bench = Bench::on(Board::new(), 4);
    let changes: [(Change, iotsec_status_t); 5] = [
        (|counter| counter.read = None, IOTSEC_ERR_NULL),
        (|counter| counter.advance_to = None, IOTSEC_ERR_NULL),
        (|counter| counter.struct_size += 8, IOTSEC_ERR_CONFIG),
        (
            |counter| counter.read = Some(unreadable),
            IOTSEC_ERR_COUNTER_UNREADABLE,
        ),
        (
            |counter| counter.advance_to = Some(stuck),
            IOTSEC_ERR_COUNTER_EXHAUSTED,
        ),
    ];
    for (change, refusal) in changes {
        let mut counter = bench.board.counter();
        change(&mut counter);
        assert_eq!(bench.open_counted(iotsec_store_format, &counter), refusal);
        assert_eq!(bench.get(WIFI), Err(IOTSEC_ERR_STATE));
    }
}

/// The configuration as a header had it that knew of no counter.
const FIRST: usize = offset_of!(iotsec_store_config_t, replay_counter);

#[test]
fn a_configuration_from_before_there_was_a_counter_is_taken_as_far_as_it_goes() {
    let bench = Bench::on(Board::new(), 4);
    // In memory that is as long as it says, and in memory where something else follows.
    for behind in [0, 16] {
        let open = |how: Open| {
            let mut config = bench.config();
            config.struct_size = FIRST as u32;
            let mut memory = vec![u64::MAX; (FIRST + behind) / 8];
            assert_eq!(size_of_val(&memory[..]), FIRST + behind);
            // SAFETY: both are as long.
            unsafe {
                ptr::copy_nonoverlapping(
                    (&raw const config).cast::<u8>(),
                    memory.as_mut_ptr().cast(),
                    FIRST,
                );
            }
            // SAFETY: see the top; the structure is as long as it says.
            unsafe { how(bench.store.at(), memory.as_ptr().cast()) }
        };
        assert_eq!(open(iotsec_store_format), IOTSEC_OK);
        assert_eq!(bench.put(WIFI, b"correct horse"), IOTSEC_OK);
        bench.close();
        assert_eq!(open(iotsec_store_mount), IOTSEC_OK);
        assert_eq!(bench.get(WIFI), Ok(b"correct horse".to_vec()));
        bench.close();
        assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK, "it has no counter");
        bench.close();
    }
    let whole = size_of::<iotsec_store_config_t>();
    for size in [0, 4, FIRST - 8, FIRST - 1, FIRST + 1, whole - 1, whole + 8] {
        let mut config = bench.config();
        config.struct_size = size as u32;
        // SAFETY: see the top; more of it than is there is not read, as no such size is known.
        let status = unsafe { iotsec_store_mount(bench.store.at(), &raw const config) };
        assert_eq!(status, IOTSEC_ERR_CONFIG, "{size} bytes");
    }
}
