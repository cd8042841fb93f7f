//! The store through the C interface.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

pub(crate) mod change;
mod count;
mod replay;

use std::ptr;

use iotsec_ffi::{record::*, status::*, store::*};
use iotsec_testkit::Power;

use crate::{
    board::{Board, Fixed},
    login::zeroed,
};

pub(crate) const WIFI: iotsec_key_id_t = 1 << 32 | 1 << 16 | 7;
pub(crate) const IDENTITY: iotsec_key_id_t = 1;

/// A board, and a store in memory that never moves, as C keeps it.
pub(crate) struct Bench {
    pub(crate) board: Board,
    pub(crate) store: Fixed<iotsec_store_t>,
    index: Fixed<[iotsec_index_entry_t; 8]>,
    index_count: u32,
    buffer: Fixed<[u8; 256]>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self::on(Board::new(), 4);
        assert_eq!(bench.open(iotsec_store_format), IOTSEC_OK);
        bench
    }

    /// Without a store yet, on a flash of small pages.
    fn small() -> Self {
        Self::on(Board::small(), 8)
    }

    fn on(board: Board, index_count: u32) -> Self {
        Self {
            board,
            store: Fixed::new(zeroed()),
            index: Fixed::new(zeroed()),
            index_count,
            buffer: Fixed::new([0; 256]),
        }
    }

    pub(crate) fn config(&self) -> iotsec_store_config_t {
        iotsec_store_config_t {
            struct_size: size_of::<iotsec_store_config_t>() as u32,
            index_count: self.index_count,
            flash: self.board.flash(),
            region: self.board.region(0, 6),
            entropy: self.board.entropy(),
            root_key: self.board.root_key(),
            index: self.index.at().cast(),
            buffer: self.buffer.at().cast(),
            buffer_size: 256,
            replay_counter: ptr::null(),
        }
    }

    pub(crate) fn open(
        &self,
        how: unsafe extern "C" fn(*mut iotsec_store_t, *const iotsec_store_config_t) -> iotsec_status_t,
    ) -> iotsec_status_t {
        let config = self.config();
        // SAFETY: see the top.
        unsafe { how(self.store.at(), &raw const config) }
    }

    fn put(&self, key: iotsec_key_id_t, value: &[u8]) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_store_put(self.store.at(), key, value.as_ptr(), value.len()) }
    }

    fn get(&self, key: iotsec_key_id_t) -> Result<Vec<u8>, iotsec_status_t> {
        let (mut out, mut len) = ([0; 64], 0);
        // SAFETY: see the top.
        match unsafe { iotsec_store_get(self.store.at(), key, out.as_mut_ptr(), 64, &raw mut len) } {
            IOTSEC_OK => Ok(out[..len].to_vec()),
            status => Err(status),
        }
    }

    pub(crate) fn close(&self) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_store_close(self.store.at()) }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.close();
    }
}

#[test]
fn a_value_survives_closing_and_mounting() {
    let bench = Bench::new();
    assert_eq!(bench.put(WIFI, b"correct horse"), IOTSEC_OK);
    assert_eq!(bench.close(), IOTSEC_OK);
    assert_eq!(bench.get(WIFI), Err(IOTSEC_ERR_STATE));
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    assert_eq!(bench.get(WIFI), Ok(b"correct horse".to_vec()));
    // SAFETY: see the top.
    assert_eq!(unsafe { iotsec_store_remove(bench.store.at(), WIFI) }, IOTSEC_OK);
    assert_eq!(bench.get(WIFI), Err(IOTSEC_ERR_STORE_NOT_FOUND));
    assert!(!bench.board.flash.contains(b"correct horse"));
}

#[test]
fn a_short_buffer_learns_the_length_and_stays_as_it_was() {
    let bench = Bench::new();
    assert_eq!(bench.put(WIFI, b"correct horse"), IOTSEC_OK);
    let mut out = [0xEE; 13];
    for size in 0..13 {
        let mut len = 0;
        // SAFETY: see the top.
        let status =
            unsafe { iotsec_store_get(bench.store.at(), WIFI, out.as_mut_ptr(), size, &raw mut len) };
        assert_eq!((status, len, out), (IOTSEC_ERR_SHORT_BUFFER, 13, [0xEE; 13]));
    }
    let mut len = 0;
    // SAFETY: see the top. Null with no room asks for the length.
    let status = unsafe { iotsec_store_get(bench.store.at(), WIFI, ptr::null_mut(), 0, &raw mut len) };
    assert_eq!((status, len), (IOTSEC_ERR_SHORT_BUFFER, 13));
}

#[test]
fn an_unknown_key_leaves_the_length_alone() {
    let bench = Bench::new();
    let (mut out, mut len) = ([0; 4], 99);
    for (key, expected) in [
        (WIFI, IOTSEC_ERR_STORE_NOT_FOUND),
        (2 << 32, IOTSEC_ERR_CONFIG),
        (u64::MAX, IOTSEC_ERR_CONFIG),
        (1 << 40, IOTSEC_ERR_CONFIG),
    ] {
        // SAFETY: see the top.
        let status = unsafe { iotsec_store_get(bench.store.at(), key, out.as_mut_ptr(), 4, &raw mut len) };
        assert_eq!((status, len), (expected, 99));
    }
}

#[test]
fn the_owners_values_go_and_the_devices_stay() {
    let bench = Bench::new();
    assert_eq!(bench.put(WIFI, b"correct horse"), IOTSEC_OK);
    assert_eq!(bench.put(IDENTITY, b"device key"), IOTSEC_OK);
    // SAFETY: see the top.
    assert_eq!(unsafe { iotsec_store_erase_user(bench.store.at()) }, IOTSEC_OK);
    let mut steps = 0;
    let mut done = 0;
    while done == 0 {
        // SAFETY: see the top.
        let status = unsafe { iotsec_store_scrub_step(bench.store.at(), &raw mut done) };
        assert_eq!(status, IOTSEC_OK);
        steps += 1;
        assert!(steps < 50);
    }
    assert_eq!(bench.get(WIFI), Err(IOTSEC_ERR_STORE_NOT_FOUND));
    assert_eq!(bench.get(IDENTITY), Ok(b"device key".to_vec()));

    assert_eq!(bench.close(), IOTSEC_OK);
    let (flash, region) = (bench.board.flash(), bench.board.region(0, 6));
    // SAFETY: see the top.
    let status = unsafe { iotsec_store_destroy(&raw const flash, &raw const region) };
    assert_eq!(status, IOTSEC_OK);
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_ERR_STORE_UNFORMATTED);
    assert_eq!(bench.put(WIFI, b"x"), IOTSEC_ERR_STATE);
}

#[test]
fn a_full_index_a_long_value_and_a_small_region_are_refused() {
    let bench = Bench::new();
    for number in 0..4 {
        assert_eq!(bench.put(number, b"x"), IOTSEC_OK);
    }
    assert_eq!(bench.put(4, b"x"), IOTSEC_ERR_STORE_INDEX_FULL);
    assert_eq!(bench.put(0, &[0; 5000]), IOTSEC_ERR_STORE_VALUE_TOO_LONG);
    for open in [iotsec_store_format, iotsec_store_mount] {
        assert_eq!(bench.open(open), IOTSEC_ERR_STATE, "open already");
        assert_eq!(bench.get(3), Ok(b"x".to_vec()), "its index is as it was");
    }
    bench.close();
    let mut config = bench.config();
    config.region.page_count = 2;
    // SAFETY: see the top.
    let status = unsafe { iotsec_store_format(bench.store.at(), &raw const config) };
    assert_eq!(status, IOTSEC_ERR_STORE_LAYOUT);
    config.region.page_count = 1000;
    // SAFETY: see the top.
    let status = unsafe { iotsec_store_format(bench.store.at(), &raw const config) };
    assert_eq!(status, IOTSEC_ERR_FLASH_GEOMETRY);
}

#[test]
fn a_power_cut_anywhere_in_a_put_leaves_the_old_value_or_the_new_one() {
    let (mut cuts, mut old, mut new) = (0, 0, 0);
    loop {
        let mut bench = Bench::new();
        let power = Power::new();
        assert_eq!(bench.put(WIFI, b"old"), IOTSEC_OK);
        *bench.board.flash = bench.board.flash.clone().powered_by(&power);
        power.cut_after(cuts);
        let status = bench.put(WIFI, b"new and longer");
        power.restore();
        bench.close();
        assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK, "cut {cuts}");
        match bench.get(WIFI).as_deref() {
            Ok(b"old") => old += 1,
            Ok(b"new and longer") => new += 1,
            other => panic!("cut {cuts}: {other:?}"),
        }
        if status == IOTSEC_OK {
            break;
        }
        assert_eq!(status, IOTSEC_ERR_FLASH_DRIVER, "cut {cuts}");
        cuts += 1;
    }
    assert!(old > 20 && new >= 1, "{old} old, {new} new");
}

#[test]
fn a_record_in_the_store_is_found_absent_kept_and_refused_after_closing() {
    let bench = Bench::new();
    let mut record: iotsec_record_t = zeroed();
    // SAFETY: see the top.
    unsafe {
        assert_eq!(
            iotsec_store_record(bench.store.at(), IDENTITY, &raw mut record),
            IOTSEC_OK
        );
        let (load, save) = (record.load.unwrap(), record.save.unwrap());
        let (mut out, mut len) = ([0; 8], 0);
        let mut read = || load(record.ctx, record.id, out.as_mut_ptr(), 8, &raw mut len);
        assert_eq!(read(), IOTSEC_RECORD_ABSENT);
        assert_eq!(save(record.ctx, record.id, b"four".as_ptr(), 4), IOTSEC_OK);
        assert_eq!(read(), IOTSEC_OK);
        assert_eq!(bench.close(), IOTSEC_OK);
        assert_eq!(read(), IOTSEC_ERR_STATE);
        assert_eq!((len, &out[..4]), (4, &b"four"[..]));
        assert_eq!(
            iotsec_store_record(bench.store.at(), IDENTITY, &raw mut record),
            IOTSEC_ERR_STATE
        );
    }
}
