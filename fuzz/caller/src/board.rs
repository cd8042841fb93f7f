//! Hardware behind callbacks that fail when the input says so.
//!
//! SAFETY of every callback: `ctx` is the [`Board`] of a [`World`](crate::world::World), which outlives every object
//! that was given it. Nothing else refers to it during a call from C, and a callback that calls back in holds no
//! reference when it does.

use std::{collections::BTreeMap, ffi::c_void, slice};

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec::core::{
    hal::{MonotonicCounter, RootKey},
    secret::Secret,
};
use iotsec_ffi::{
    counter::iotsec_counter_t,
    entropy::iotsec_entropy_t,
    flash::{iotsec_flash_t, iotsec_region_t},
    login::iotsec_presence_t,
    record::{IOTSEC_RECORD_ABSENT, iotsec_record_t},
    root_key::iotsec_root_key_t,
    status::{IOTSEC_ERR_FLASH_DRIVER, IOTSEC_ERR_STATE, IOTSEC_OK},
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, SimRootKey};
use rand_core::TryRng;

const PAGE: u32 = 512;
const WORD: u32 = 4;

/// A call, and the object that it is made on.
type CallBack = (fn(*mut c_void) -> i32, *mut c_void);

pub(crate) struct Board {
    pub(crate) flash: SimFlash,
    counter: SimCounter,
    rng: SimRng,
    root: SimRootKey,
    records: BTreeMap<u64, Vec<u8>>,
    /// Callbacks until one fails.
    pub(crate) fuse: Option<u8>,
    /// A record says that it is longer than its buffer.
    pub(crate) lies: bool,
    pub(crate) is_present: i32,
    /// Calls back into the object that is in a call; gives what that returned.
    pub(crate) call_back: Option<CallBack>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            flash: SimFlash::new(Geometry::new(&[PAGE; 48], WORD)),
            counter: SimCounter::new(),
            rng: SimRng::new(1),
            root: SimRootKey::new(1),
            records: BTreeMap::new(),
            fuse: None,
            lies: false,
            is_present: 0,
            call_back: None,
        }
    }

    /// Whether it is this callback that fails.
    fn fails(&mut self) -> bool {
        let left = self.fuse.map(|left| left.checked_sub(1));
        self.fuse = left.flatten();
        left == Some(None)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "sizes of small structs")]
pub(crate) const fn size<T>() -> u32 {
    size_of::<T>() as u32
}

pub(crate) const fn region(first: u32, count: u32) -> iotsec_region_t {
    iotsec_region_t {
        start: first * PAGE,
        page_size: PAGE,
        page_count: count,
        word_size: WORD,
        erased: 0xFF,
    }
}

pub(crate) const fn flash(ctx: *mut c_void) -> iotsec_flash_t {
    iotsec_flash_t {
        struct_size: size::<iotsec_flash_t>(),
        capacity: 48 * PAGE,
        ctx,
        read: Some(read),
        write: Some(write),
        erase: Some(erase),
    }
}

pub(crate) const fn entropy(ctx: *mut c_void) -> iotsec_entropy_t {
    iotsec_entropy_t {
        struct_size: size::<iotsec_entropy_t>(),
        ctx,
        fill: Some(fill),
    }
}

pub(crate) const fn counter(ctx: *mut c_void) -> iotsec_counter_t {
    iotsec_counter_t {
        struct_size: size::<iotsec_counter_t>(),
        ctx,
        read: Some(count),
        advance_to: Some(advance_to),
    }
}

pub(crate) const fn root_key(ctx: *mut c_void) -> iotsec_root_key_t {
    iotsec_root_key_t {
        struct_size: size::<iotsec_root_key_t>(),
        ctx,
        derive: Some(derive),
    }
}

pub(crate) const fn presence(ctx: *mut c_void) -> iotsec_presence_t {
    iotsec_presence_t {
        struct_size: size::<iotsec_presence_t>(),
        ctx,
        is_asserted: Some(is_asserted),
    }
}

pub(crate) const fn record(ctx: *mut c_void, id: u64) -> iotsec_record_t {
    iotsec_record_t {
        struct_size: size::<iotsec_record_t>(),
        id,
        ctx,
        load: Some(load),
        save: Some(save),
    }
}

/// # Safety
/// See the top.
unsafe fn board<'b>(ctx: *mut c_void) -> &'b mut Board {
    // SAFETY: the caller's word, passed on.
    unsafe { &mut *ctx.cast() }
}

unsafe extern "C" fn read(ctx: *mut c_void, offset: u32, bytes: *mut u8, len: usize) -> i32 {
    // SAFETY: see the top.
    let called_back = unsafe { board(ctx) }.call_back.take();
    if let Some((call, object)) = called_back {
        assert_eq!(call(object), IOTSEC_ERR_STATE, "a call from inside a call");
    }
    // SAFETY: see the top; the header says that the buffer is so long.
    let (board, bytes) = unsafe { (board(ctx), slice::from_raw_parts_mut(bytes, len)) };
    i32::from(board.fails() || board.flash.read(offset, bytes).is_err())
}

unsafe extern "C" fn write(ctx: *mut c_void, offset: u32, bytes: *const u8, len: usize) -> i32 {
    // SAFETY: as above.
    let (board, bytes) = unsafe { (board(ctx), slice::from_raw_parts(bytes, len)) };
    i32::from(board.fails() || board.flash.write(offset, bytes).is_err())
}

unsafe extern "C" fn erase(ctx: *mut c_void, offset: u32, len: u32) -> i32 {
    // SAFETY: see the top.
    let board = unsafe { board(ctx) };
    let end = offset.checked_add(len).expect("inside of the flash");
    i32::from(board.fails() || board.flash.erase(offset, end).is_err())
}

unsafe extern "C" fn fill(ctx: *mut c_void, bytes: *mut u8, len: usize) -> i32 {
    // SAFETY: as above.
    let (board, bytes) = unsafe { (board(ctx), slice::from_raw_parts_mut(bytes, len)) };
    i32::from(board.fails() || board.rng.try_fill_bytes(bytes).is_err())
}

unsafe extern "C" fn count(ctx: *mut c_void, value: *mut u64) -> i32 {
    // SAFETY: as above.
    let (board, value) = unsafe { (board(ctx), &mut *value) };
    if board.fails() {
        return 1;
    }
    board
        .counter
        .read()
        .map(|present| *value = present)
        .map_or(-1, |()| 0)
}

unsafe extern "C" fn advance_to(ctx: *mut c_void, value: u64) -> i32 {
    // SAFETY: see the top.
    let board = unsafe { board(ctx) };
    if board.fails() {
        return i32::MIN;
    }
    board.counter.advance_to(value).map_or(-1, |()| 0)
}

unsafe extern "C" fn derive(ctx: *mut c_void, label: *const u8, len: usize, key: *mut u8) -> i32 {
    // SAFETY: as above.
    let (board, label, key) = unsafe {
        (
            board(ctx),
            slice::from_raw_parts(label, len),
            slice::from_raw_parts_mut(key, 32),
        )
    };
    let mut derived = Secret::zero();
    if board.fails() || board.root.derive(label, &mut derived).is_err() {
        return -1;
    }
    key.copy_from_slice(derived.expose());
    0
}

unsafe extern "C" fn is_asserted(ctx: *mut c_void) -> i32 {
    // SAFETY: see the top.
    unsafe { board(ctx) }.is_present
}

unsafe extern "C" fn load(ctx: *mut c_void, id: u64, bytes: *mut u8, size: usize, len: *mut usize) -> i32 {
    // SAFETY: as above.
    let (board, bytes, len) = unsafe { (board(ctx), slice::from_raw_parts_mut(bytes, size), &mut *len) };
    if board.fails() {
        return i32::MAX;
    }
    if board.lies {
        *len = size + 1;
        return IOTSEC_OK;
    }
    match board.records.get(&id) {
        None => IOTSEC_RECORD_ABSENT,
        Some(kept) if kept.len() > size => IOTSEC_ERR_FLASH_DRIVER,
        Some(kept) => {
            bytes[..kept.len()].copy_from_slice(kept);
            *len = kept.len();
            IOTSEC_OK
        }
    }
}

unsafe extern "C" fn save(ctx: *mut c_void, id: u64, bytes: *const u8, len: usize) -> i32 {
    // SAFETY: as above.
    let (board, bytes) = unsafe { (board(ctx), slice::from_raw_parts(bytes, len)) };
    if board.fails() {
        return IOTSEC_ERR_FLASH_DRIVER;
    }
    board.records.insert(id, bytes.to_vec());
    IOTSEC_OK
}
