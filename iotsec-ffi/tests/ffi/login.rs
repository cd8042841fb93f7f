//! Passwords and login through the C interface.
//!
//! SAFETY of every call: pointers are to live locals, as large as the length beside them says.

use std::{
    ffi::{c_char, c_void},
    mem::MaybeUninit,
    ptr, slice,
};

use iotsec_ffi::{argon2id::*, login::*, password::*, record::*, status::*};

use crate::board::{Board, Fixed};

/// Two records in memory, and how often they were saved.
#[derive(Default)]
pub(crate) struct Records {
    kept: [Option<Vec<u8>>; 2],
    saves: u32,
    broken: bool,
}

unsafe extern "C" fn load(ctx: *mut c_void, id: u64, bytes: *mut u8, size: usize, len: *mut usize) -> i32 {
    // SAFETY: `ctx` is a live `Records`, and the rest is as the header says; here and below.
    let (records, bytes, len) = unsafe {
        (
            &mut *ctx.cast::<Records>(),
            slice::from_raw_parts_mut(bytes, size),
            &mut *len,
        )
    };
    match &records.kept[id as usize] {
        None => IOTSEC_RECORD_ABSENT,
        Some(kept) => {
            bytes[..kept.len()].copy_from_slice(kept);
            *len = kept.len();
            IOTSEC_OK
        }
    }
}

unsafe extern "C" fn save(ctx: *mut c_void, id: u64, bytes: *const u8, len: usize) -> i32 {
    // SAFETY: as above.
    let (records, bytes) = unsafe { (&mut *ctx.cast::<Records>(), slice::from_raw_parts(bytes, len)) };
    if records.broken {
        return IOTSEC_ERR_FLASH_DRIVER;
    }
    records.saves += 1;
    records.kept[id as usize] = Some(bytes.to_vec());
    IOTSEC_OK
}

/// As little memory as may be lent.
pub(crate) struct Memory(Fixed<[u64; 64 * 128 + 8]>);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Fixed::new([0x5A5A; 64 * 128 + 8]))
    }

    pub(crate) fn lend(&self) -> iotsec_argon2id_t {
        iotsec_argon2id_t {
            struct_size: size_of::<iotsec_argon2id_t>() as u32,
            kib: 64,
            passes: 1,
            reserved: 0,
            memory: self.0.at().cast(),
            memory_words: self.0.len(),
        }
    }

    /// Whether everything is wiped that blocks can lie in.
    fn is_wiped(&self) -> bool {
        self.0[8..64 * 128].iter().all(|word| *word == 0)
    }
}

pub(crate) fn credential(board: &Board, records: &Fixed<Records>) -> iotsec_credential_t {
    let record = |id| iotsec_record_t {
        struct_size: size_of::<iotsec_record_t>() as u32,
        id,
        ctx: ptr::null_mut(),
        load: Some(load),
        save: Some(save),
    };
    let ctx: *mut c_void = records.at().cast();
    iotsec_credential_t {
        struct_size: size_of::<iotsec_credential_t>() as u32,
        verifier: iotsec_record_t { ctx, ..record(0) },
        throttle: iotsec_record_t { ctx, ..record(1) },
        root_key: board.root_key(),
    }
}

/// A device from the factory, its label, and a login.
struct Device {
    board: Board,
    records: Fixed<Records>,
    label: String,
    login: Fixed<iotsec_login_t>,
}

pub(crate) fn zeroed<T>() -> T {
    // SAFETY: used for `repr(C)` structs and arrays of integers, for which zero is a value.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

impl Device {
    fn new() -> Self {
        let board = Board::new();
        let records = Fixed::new(Records::default());
        let credential = credential(&board, &records);
        let mut label = [0u8; IOTSEC_LABEL_MAX];
        let mut len = 0;
        let login: Fixed<iotsec_login_t> = Fixed::new(zeroed());
        // SAFETY: see the top.
        unsafe {
            let at = label.as_mut_ptr().cast();
            let entropy = board.entropy();
            assert_eq!(
                iotsec_password_generate(
                    &raw const credential,
                    &raw const entropy,
                    IOTSEC_EXPOSURE_ONLINE,
                    at,
                    21,
                    &raw mut len
                ),
                IOTSEC_OK
            );
            assert_eq!(
                iotsec_login_open(login.at(), &raw const credential, ptr::null()),
                IOTSEC_OK
            );
        }
        let label = String::from_utf8(label[..len].to_vec()).unwrap();
        Self {
            board,
            records,
            label,
            login,
        }
    }

    fn attempt(&mut self, text: &str, uptime_ms: u64) -> (iotsec_status_t, iotsec_scheme_t) {
        let mut scheme = 0;
        let at: *const c_char = text.as_ptr().cast();
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_login_attempt_label(self.login.at(), at, text.len(), uptime_ms, &raw mut scheme)
        };
        (status, scheme)
    }

    fn status(&mut self, uptime_ms: u64) -> iotsec_login_status_t {
        let mut status = zeroed();
        // SAFETY: see the top.
        let code = unsafe { iotsec_login_status(self.login.at(), uptime_ms, &raw mut status) };
        assert_eq!(code, IOTSEC_OK);
        status
    }
}

/// A label that reads, and is this device's only once in 2^60.
const WRONG: &str = "K2M4-P6R8-T0V3-6";

#[test]
fn the_printed_label_lets_in_and_a_wrong_one_is_counted_first() {
    let mut device = Device::new();
    assert_eq!(device.label.len(), 16);
    assert_eq!(device.attempt(WRONG, 1000), (IOTSEC_ERR_LOGIN_REFUSED, 0));
    assert_eq!(device.status(1000).failures, 1);
    let label = device.label.to_lowercase();
    assert_eq!(device.attempt(&label, 1000), (IOTSEC_OK, IOTSEC_SCHEME_GENERATED));
    assert_eq!(
        device.status(1000),
        iotsec_login_status_t {
            failures: 0,
            left: 100,
            remaining_ms: 0
        }
    );
}

#[test]
fn a_slip_of_the_hand_costs_no_guess_and_no_write() {
    let mut device = Device::new();
    let saves = device.records.saves;
    assert_eq!(
        device.attempt("K2M4-P6R8-T0V3-M", 1000),
        (IOTSEC_ERR_LABEL_CHECK, 0)
    );
    assert_eq!(device.attempt("K2M4", 1000), (IOTSEC_ERR_LABEL_TOO_SHORT, 0));
    assert_eq!((device.records.saves, device.status(1000).failures), (saves, 0));
}

#[test]
fn a_burst_is_throttled_and_opens_again_with_time() {
    let mut device = Device::new();
    for _ in 0..5 {
        assert_eq!(device.attempt(WRONG, 1000).0, IOTSEC_ERR_LOGIN_REFUSED);
    }
    let label = device.label.clone();
    assert_eq!(device.attempt(&label, 1000).0, IOTSEC_ERR_THROTTLE_WAIT);
    assert_eq!(device.status(1500).remaining_ms, 500);
    assert_eq!(device.attempt(&label, 2000).0, IOTSEC_OK);
}

#[test]
fn nothing_is_compared_when_the_count_cannot_be_kept() {
    let mut device = Device::new();
    device.records.broken = true;
    let label = device.label.clone();
    assert_eq!(device.attempt(&label, 1000), (IOTSEC_ERR_FLASH_DRIVER, 0));
}

#[test]
fn a_lock_opens_for_somebody_at_the_device_and_for_nobody_else() {
    unsafe extern "C" fn answer(ctx: *mut c_void) -> i32 {
        // SAFETY: `ctx` is a live `i32`.
        unsafe { *ctx.cast() }
    }
    let mut device = Device::new();
    let credential = credential(&device.board, &device.records);
    let policy = iotsec_login_policy_t {
        struct_size: size_of::<iotsec_login_policy_t>() as u32,
        limit: 2,
        longest_ms: 60_000,
    };
    // SAFETY: see the top.
    unsafe {
        assert_eq!(iotsec_login_close(device.login.at()), IOTSEC_OK);
        assert_eq!(
            iotsec_login_open(device.login.at(), &raw const credential, &raw const policy),
            IOTSEC_OK
        );
    }
    for expected in [
        IOTSEC_ERR_LOGIN_REFUSED,
        IOTSEC_ERR_LOGIN_REFUSED,
        IOTSEC_ERR_THROTTLE_LOCKED,
    ] {
        assert_eq!(device.attempt(WRONG, 1000).0, expected);
    }
    let mut answers = 0;
    let presence = iotsec_presence_t {
        struct_size: size_of::<iotsec_presence_t>() as u32,
        ctx: (&raw mut answers).cast(),
        is_asserted: Some(answer),
    };
    for (there, expected) in [
        (0, IOTSEC_ERR_PRESENCE),
        (-1, IOTSEC_ERR_PRESENCE),
        (1, IOTSEC_OK),
    ] {
        answers = there;
        // SAFETY: see the top.
        let status = unsafe { iotsec_login_unlock(device.login.at(), &raw const presence) };
        assert_eq!(status, expected);
    }
    assert_eq!(answers, 1);
    let label = device.label.clone();
    assert_eq!(device.attempt(&label, 1000).0, IOTSEC_OK);
}

#[test]
fn the_factory_makes_one_password_for_a_unit_and_repeats_a_cut_call() {
    let mut device = Device::new();
    let credential = credential(&device.board, &device.records);
    let entropy = device.board.entropy();
    let mut label = [0xEEu8; IOTSEC_LABEL_MAX];
    let mut len = 77;
    let mut again = |size| {
        // SAFETY: see the top.
        unsafe {
            let at = label.as_mut_ptr().cast();
            iotsec_password_generate(
                &raw const credential,
                &raw const entropy,
                IOTSEC_EXPOSURE_ONLINE,
                at,
                size,
                &raw mut len,
            )
        }
    };
    assert_eq!(again(21), IOTSEC_ERR_THROTTLE_ALREADY_INITIALISED);
    device.records.kept[0] = None;
    assert_eq!(again(20), IOTSEC_ERR_SHORT_BUFFER);
    assert!(device.records.kept[0].is_none());
    assert_eq!(again(21), IOTSEC_OK);
    assert!(device.records.kept[0].is_some());
    assert_eq!((len, label[16]), (16, 0xEE));
}

#[test]
fn an_owner_chooses_a_password_by_the_rules() {
    let mut device = Device::new();
    let credential = credential(&device.board, &device.records);
    let entropy = device.board.entropy();
    let words = [c"Acme Cam 3".as_ptr(), c"SN-00412-7731".as_ptr()];
    let choose = |text: &str, iterations, count| {
        // SAFETY: see the top.
        unsafe {
            iotsec_password_choose(
                &raw const credential,
                &raw const entropy,
                IOTSEC_EXPOSURE_ONLINE,
                iterations,
                text.as_ptr().cast(),
                text.len(),
                words.as_ptr(),
                count,
            )
        }
    };
    let good = "green kettle, blue door";
    assert_eq!(
        choose("kettle", IOTSEC_ITERATIONS_MCU, 2),
        IOTSEC_ERR_PASSWORD_TOO_SHORT
    );
    assert_eq!(
        choose("sn00412-7731 kitchen", IOTSEC_ITERATIONS_MCU, 2),
        IOTSEC_ERR_PASSWORD_CONTEXT
    );
    assert_eq!(choose(good, 100, 2), IOTSEC_ERR_VERIFIER_ITERATIONS);
    assert_eq!(
        choose(good, IOTSEC_ITERATIONS_MCU, IOTSEC_CONTEXT_MAX + 1),
        IOTSEC_ERR_SIZE
    );
    assert_eq!(choose(good, IOTSEC_ITERATIONS_MCU, 2), IOTSEC_OK);

    let label = device.label.clone();
    assert_eq!(device.attempt(&label, 1000).0, IOTSEC_ERR_LOGIN_REFUSED);
    let mut scheme = 0;
    // SAFETY: see the top.
    let status = unsafe {
        let at = good.as_ptr().cast();
        iotsec_login_attempt_text(device.login.at(), at, good.len(), 1000, &raw mut scheme)
    };
    assert_eq!((status, scheme), (IOTSEC_OK, IOTSEC_SCHEME_CHOSEN));
    let not_text = [0xFFu8; 13];
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_login_attempt_text(
            device.login.at(),
            not_text.as_ptr().cast(),
            13,
            1000,
            &raw mut scheme,
        )
    };
    assert_eq!(status, IOTSEC_ERR_TEXT);
}

#[test]
fn a_closed_a_copied_and_a_foreign_login_are_refused() {
    let mut device = Device::new();
    // SAFETY: see the top.
    unsafe {
        let copy = Fixed::new(ptr::read(device.login.at().cast::<MaybeUninit<iotsec_login_t>>()));
        assert_eq!(iotsec_login_close(copy.at().cast()), IOTSEC_ERR_STATE);
        assert_eq!(iotsec_login_close(device.login.at()), IOTSEC_OK);
        assert_eq!(iotsec_login_close(device.login.at()), IOTSEC_ERR_STATE);
    }
    assert_eq!(device.attempt(WRONG, 1000), (IOTSEC_ERR_STATE, 0));
}

#[test]
fn a_struct_of_another_size_is_refused() {
    let device = Device::new();
    for off in [-1i32, 1] {
        let mut outer = credential(&device.board, &device.records);
        let mut inner = outer;
        outer.struct_size = outer.struct_size.wrapping_add_signed(off);
        inner.throttle.struct_size = inner.throttle.struct_size.wrapping_add_signed(off);
        for credential in [outer, inner] {
            let mut login: iotsec_login_t = zeroed();
            // SAFETY: see the top.
            let status = unsafe { iotsec_login_open(&raw mut login, &raw const credential, ptr::null()) };
            assert_eq!(status, IOTSEC_ERR_CONFIG);
        }
    }
}

impl Device {
    fn choose(&self, text: &str, lent: Option<iotsec_argon2id_t>) -> iotsec_status_t {
        let (credential, entropy) = (credential(&self.board, &self.records), self.board.entropy());
        let (credential, entropy) = (&raw const credential, &raw const entropy);
        let (at, len, context) = (text.as_ptr().cast(), text.len(), [c"LAMP-0042".as_ptr()]);
        let online = IOTSEC_EXPOSURE_ONLINE;
        // SAFETY: see the top.
        unsafe {
            match lent {
                Some(lent) => iotsec_password_choose_argon2id(
                    credential,
                    entropy,
                    online,
                    &raw const lent,
                    at,
                    len,
                    context.as_ptr(),
                    1,
                ),
                None => iotsec_password_choose(
                    credential,
                    entropy,
                    online,
                    IOTSEC_ITERATIONS_MCU,
                    at,
                    len,
                    context.as_ptr(),
                    1,
                ),
            }
        }
    }

    fn lend(&self, lent: iotsec_argon2id_t) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_login_lend_argon2id(self.login.at(), &raw const lent) }
    }

    fn enter(&self, text: &str, rehash: bool) -> iotsec_status_t {
        let (at, len, mut scheme, entropy) = (text.as_ptr().cast(), text.len(), 0, self.board.entropy());
        let login = self.login.at();
        // SAFETY: see the top.
        let status = unsafe {
            if rehash {
                let rounds = IOTSEC_ITERATIONS_MCU;
                let entropy = &raw const entropy;
                iotsec_login_attempt_with_rehash(login, entropy, rounds, at, len, 5000, &raw mut scheme)
            } else {
                iotsec_login_attempt_text(login, at, len, 5000, &raw mut scheme)
            }
        };
        assert!(status != IOTSEC_OK || scheme == IOTSEC_SCHEME_CHOSEN);
        status
    }

    /// The number of the scheme in the stored verifier: 2 is PBKDF2, 3 is Argon2id.
    fn scheme(&self) -> u8 {
        self.records.kept[0].as_ref().unwrap()[1]
    }
}

const CHOSEN: &str = "seven small otters swim";

#[test]
fn a_password_under_argon2id_needs_its_memory() {
    let (mut device, memory) = (Device::new(), Memory::new());
    assert_eq!(device.choose(CHOSEN, Some(memory.lend())), IOTSEC_OK);
    assert_eq!((device.scheme(), memory.is_wiped()), (3, true));
    for rehash in [false, true] {
        assert_eq!(device.enter(CHOSEN, rehash), IOTSEC_ERR_CRYPTO_ALGORITHM);
    }
    assert_eq!(device.status(5000).failures, 0);
    assert_eq!(device.lend(memory.lend()), IOTSEC_OK);
    assert_eq!(
        device.enter("seven small otters sink", false),
        IOTSEC_ERR_LOGIN_REFUSED
    );
    assert_eq!(device.status(5000).failures, 1);
    assert_eq!(device.enter(CHOSEN, false), IOTSEC_OK);
    assert!(memory.is_wiped());
    // The same memory again, from elsewhere, between two calls.
    assert_eq!(
        device.choose("eight large otters swim", Some(memory.lend())),
        IOTSEC_OK
    );
    assert_eq!(device.enter("eight large otters swim", false), IOTSEC_OK);
}

#[test]
fn a_right_password_is_stretched_anew_where_it_is_asked_for() {
    let (device, memory) = (Device::new(), Memory::new());
    assert_eq!(device.choose(CHOSEN, None), IOTSEC_OK);
    assert_eq!(device.enter(CHOSEN, true), IOTSEC_OK);
    assert_eq!(device.scheme(), 2);
    assert_eq!(device.lend(memory.lend()), IOTSEC_OK);
    assert_eq!(
        device.enter("seven small otters sink", true),
        IOTSEC_ERR_LOGIN_REFUSED
    );
    assert_eq!(device.enter(CHOSEN, false), IOTSEC_OK);
    assert_eq!(device.scheme(), 2);
    assert_eq!(device.enter(CHOSEN, true), IOTSEC_OK);
    assert_eq!(device.scheme(), 3);
    let before = device.records.kept[0].clone();
    assert_eq!(device.enter(CHOSEN, true), IOTSEC_OK);
    assert_eq!(device.records.kept[0], before);
}

#[test]
fn memory_that_does_not_do_is_refused() {
    let (device, memory) = (Device::new(), Memory::new());
    let refused = |change: &dyn Fn(&mut iotsec_argon2id_t)| {
        let mut lent = memory.lend();
        change(&mut lent);
        let (login, choose) = (device.lend(lent), device.choose(CHOSEN, Some(lent)));
        assert_eq!(login, choose);
        login
    };
    assert_eq!(refused(&|lent| lent.struct_size += 8), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|lent| lent.reserved = 1), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|lent| lent.passes = 65_536), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|lent| lent.passes = 0), IOTSEC_ERR_VERIFIER_ITERATIONS);
    assert_eq!(refused(&|lent| lent.kib = 63), IOTSEC_ERR_VERIFIER_ITERATIONS);
    assert_eq!(refused(&|lent| lent.kib = 65), IOTSEC_ERR_SIZE);
    assert_eq!(refused(&|lent| lent.memory_words = 64 * 128 - 1), IOTSEC_ERR_SIZE);
    assert_eq!(refused(&|lent| lent.memory_words = usize::MAX), IOTSEC_ERR_SIZE);
    let off = |lent: &mut iotsec_argon2id_t| lent.memory = lent.memory.cast::<u8>().wrapping_add(1).cast();
    assert_eq!(refused(&off), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|_| {}), IOTSEC_OK);
}
