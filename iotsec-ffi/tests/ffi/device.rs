//! A device's life through the C interface: factory, set-up, owner, erasure and its receipt.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

mod argon2id;
pub(crate) mod identity;
mod life;
mod security;

use std::{ffi::c_void, ptr};

use iotsec_ffi::{
    counter::iotsec_counter_t,
    device::{erase::*, owner::*, *},
    erased::*,
    login::*,
    password::*,
    record::*,
    security::*,
    setup::*,
    signer::IOTSEC_KEY_ED25519,
    status::*,
    store::*,
};
use iotsec_testkit::SimFlash;

use crate::{
    board::{Board, Fixed},
    login::zeroed,
};

pub(crate) const NETWORK: &[u8] = b"WIFI:T:WPA;S:Home;P:correct horse;;";
pub(crate) const PASSWORD: &str = "seven small otters swim";
pub(crate) const SCHEDULE: iotsec_key_id_t = 1 << 32 | 1 << 16 | 7;
pub(crate) const NONCE: &[u8] = b"a fresh number";
pub(crate) const PLAN: iotsec_setup_plan_t = iotsec_setup_plan_t {
    struct_size: size_of::<iotsec_setup_plan_t>() as u32,
    online: 1,
    identity: 1,
    reserved: 0,
    made_s: 1_790_000_000,
};
pub(crate) const OBSERVED: iotsec_observed_t = iotsec_observed_t {
    struct_size: size_of::<iotsec_observed_t>() as u32,
    software: IOTSEC_OBSERVED_SOFTWARE_UNMEASURED,
    updates: IOTSEC_OBSERVED_UPDATES_UNWATCHED,
    updates_ask: 0,
    undeclared: -1,
    debug: 0,
    support_until_s: 0,
    time_s: 0,
};

pub(crate) const ERASED: iotsec_erased_t = iotsec_erased_t {
    struct_size: size_of::<iotsec_erased_t>() as u32,
    reason: IOTSEC_ERASED_REQUEST,
    scope: IOTSEC_ERASED_NAMESPACES,
    erasures: 3,
    values: 5,
    scrubbed: 0,
    boot: 12,
    namespace_count: 2,
    uptime_ms: 1_000,
    time_s: 1_795_000_000,
    namespaces: {
        let mut namespaces = [0; IOTSEC_RECEIPT_NAMESPACES_MAX];
        (namespaces[0], namespaces[1]) = (4, 9);
        namespaces
    },
    device: [0; 32],
};

/// A board, and a device in memory that never moves, as C keeps it.
pub(crate) struct Unit {
    pub(crate) board: Board,
    pub(crate) device: Fixed<iotsec_device_t>,
    index: Fixed<[iotsec_index_entry_t; 32]>,
    buffer: Fixed<[u8; 512]>,
    replay: Option<Fixed<iotsec_counter_t>>,
    label: String,
    enrolment: iotsec_enrolment_t,
}

type Open = unsafe extern "C" fn(*mut iotsec_device_t, *const iotsec_device_config_t) -> iotsec_status_t;

impl Unit {
    /// Formatted, and no more.
    pub(crate) fn blank() -> Self {
        Self::blank_with(true)
    }

    /// The same, with or without a counter that refuses an earlier flash.
    pub(crate) fn blank_with(replay: bool) -> Self {
        let board = Board::new();
        let replay = replay.then(|| Fixed::new(board.counter()));
        let unit = Self {
            board,
            device: Fixed::new(zeroed()),
            index: Fixed::new(zeroed()),
            buffer: Fixed::new([0; 512]),
            replay,
            label: String::new(),
            enrolment: zeroed(),
        };
        assert_eq!(unit.open(iotsec_device_format), IOTSEC_OK);
        unit
    }

    /// With its label, and no owner.
    pub(crate) fn provisioned() -> Self {
        Self::provisioned_with(true)
    }

    fn provisioned_with(replay: bool) -> Self {
        let mut unit = Self::blank_with(replay);
        assert_eq!(unit.draw(), IOTSEC_OK);
        assert_eq!(unit.provision("LAMP-0042"), IOTSEC_OK);
        unit
    }

    /// From the factory to its set-up.
    pub(crate) fn begin_with_label(&mut self) {
        assert_eq!(
            (self.draw(), self.provision("LAMP-0042"), self.begin()),
            (IOTSEC_OK, IOTSEC_OK, IOTSEC_OK)
        );
    }

    /// Set up, and somebody's.
    pub(crate) fn owned() -> Self {
        Self::owned_with(true)
    }

    fn owned_with(replay: bool) -> Self {
        let unit = Self::provisioned_with(replay);
        unit.set_up(20_000);
        unit
    }

    pub(crate) fn config(&self) -> iotsec_device_config_t {
        iotsec_device_config_t {
            struct_size: size_of::<iotsec_device_config_t>() as u32,
            index_count: 32,
            flash: self.board.flash(),
            region: self.board.region(0, 8),
            entropy: self.board.entropy(),
            root_key: self.board.root_key(),
            replay_counter: self.replay.as_ref().map_or(ptr::null(), |counter| counter.at()),
            policy: ptr::null(),
            index: self.index.at().cast(),
            buffer: self.buffer.at().cast(),
            buffer_size: 512,
            places: ptr::null(),
            place_count: 0,
        }
    }

    fn open(&self, how: Open) -> iotsec_status_t {
        let config = self.config();
        // SAFETY: see the top.
        unsafe { how(self.device.at(), &raw const config) }
    }

    pub(crate) fn close(&self) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_device_close(self.device.at()) }
    }

    pub(crate) fn reboot(&self) -> iotsec_device_state_t {
        self.close();
        assert_eq!(self.open(iotsec_device_open), IOTSEC_OK);
        self.state()
    }

    fn state(&self) -> iotsec_device_state_t {
        let mut state = 0;
        // SAFETY: see the top.
        let status = unsafe { iotsec_device_state(self.device.at(), &raw mut state) };
        assert_eq!(status, IOTSEC_OK);
        state
    }

    fn draw(&mut self) -> iotsec_status_t {
        let (mut label, mut len) = ([0u8; IOTSEC_LABEL_MAX], 0);
        // SAFETY: see the top.
        let status = unsafe {
            let (at, out) = (self.device.at(), label.as_mut_ptr().cast());
            iotsec_device_draw_code(at, IOTSEC_EXPOSURE_ONLINE, out, label.len(), &raw mut len)
        };
        self.label = String::from_utf8(label[..len].to_vec()).unwrap();
        status
    }

    fn provision(&mut self, serial: &str) -> iotsec_status_t {
        let (at, enrolment) = (self.device.at(), &raw mut self.enrolment);
        // SAFETY: see the top.
        unsafe { iotsec_device_provision(at, serial.as_ptr().cast(), serial.len(), enrolment) }
    }

    fn begin(&self) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_setup_begin(self.device.at(), &PLAN) }
    }

    fn present(&self, label: &str, uptime_ms: u64) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_setup_present_label(self.device.at(), label.as_ptr().cast(), label.len(), uptime_ms) }
    }

    fn give(&self, network: &[u8]) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_setup_give_network(self.device.at(), network.as_ptr(), network.len()) }
    }

    fn report(&self, report: iotsec_report_t) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_setup_report(self.device.at(), report) }
    }

    fn set_time(&self, time_s: u64) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_setup_set_time(self.device.at(), time_s) }
    }

    fn claim(&self, password: &str) -> iotsec_status_t {
        let context = [c"LAMP-0042".as_ptr()];
        // SAFETY: see the top.
        unsafe {
            iotsec_setup_claim(
                self.device.at(),
                IOTSEC_EXPOSURE_ONLINE,
                IOTSEC_ITERATIONS_MCU,
                password.as_ptr().cast(),
                password.len(),
                context.as_ptr(),
                1,
            )
        }
    }

    fn step(&self) -> (iotsec_setup_step_t, u32) {
        let mut status: iotsec_setup_status_t = zeroed();
        // SAFETY: see the top.
        let done = unsafe { iotsec_setup_status(self.device.at(), 90_000, &raw mut status) };
        assert_eq!(done, IOTSEC_OK);
        (status.step, status.decisions)
    }

    pub(crate) fn set_up(&self, uptime_ms: u64) {
        assert_eq!(self.begin(), IOTSEC_OK);
        assert_eq!(self.present(&self.label, uptime_ms), IOTSEC_OK);
        assert_eq!(self.give(NETWORK), IOTSEC_OK);
        assert_eq!(self.report(IOTSEC_REPORT_NETWORK_JOINED), IOTSEC_OK);
        assert_eq!(self.set_time(1_795_000_000), IOTSEC_OK);
        assert_eq!(self.report(IOTSEC_REPORT_UPDATE_CURRENT), IOTSEC_OK);
        assert_eq!(self.report(IOTSEC_REPORT_IDENTITY_ACCEPTED), IOTSEC_OK);
        assert_eq!(self.claim(PASSWORD), IOTSEC_OK);
    }

    pub(crate) fn login(&self, password: &str, uptime_ms: u64) -> Result<iotsec_owner_t, iotsec_status_t> {
        let (at, mut owner) = (self.device.at(), 0);
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_device_login(
                at,
                password.as_ptr().cast(),
                password.len(),
                uptime_ms,
                &raw mut owner,
            )
        };
        if status == IOTSEC_OK {
            Ok(owner)
        } else {
            Err(status)
        }
    }

    fn put(&self, key: iotsec_key_id_t, value: &[u8]) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_device_put(self.device.at(), key, value.as_ptr(), value.len()) }
    }

    fn get(&self, key: iotsec_key_id_t) -> Result<Vec<u8>, iotsec_status_t> {
        let (mut out, mut len) = ([0; 300], 0);
        // SAFETY: see the top.
        match unsafe { iotsec_device_get(self.device.at(), key, out.as_mut_ptr(), 300, &raw mut len) } {
            IOTSEC_OK => Ok(out[..len].to_vec()),
            status => Err(status),
        }
    }

    pub(crate) fn reset(&self, owner: iotsec_owner_t) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_device_reset(self.device.at(), owner, 60_000, 0) }
    }

    fn scrub(&self) {
        let mut done = 0;
        for _ in 0..200 {
            // SAFETY: see the top.
            let status = unsafe { iotsec_device_scrub_step(self.device.at(), &raw mut done) };
            assert_eq!(status, IOTSEC_OK);
            if done == 1 {
                return;
            }
        }
        panic!("never scrubbed");
    }

    fn receipt(&self) -> Result<Vec<u8>, iotsec_status_t> {
        let (mut out, mut len) = ([0; IOTSEC_RECEIPT_MAX], 0);
        // SAFETY: see the top.
        let status = unsafe {
            let (at, room) = (self.device.at(), out.len());
            iotsec_device_receipt(
                at,
                NONCE.as_ptr(),
                NONCE.len(),
                out.as_mut_ptr(),
                room,
                &raw mut len,
            )
        };
        if status == IOTSEC_OK {
            Ok(out[..len].to_vec())
        } else {
            Err(status)
        }
    }

    fn checked(&self, receipt: &[u8]) -> iotsec_erased_t {
        let mut erased = zeroed();
        let status = verify(&self.enrolment.identity, receipt, NONCE, &mut erased);
        assert_eq!(status, IOTSEC_OK);
        erased
    }

    fn security(&self, observed: &iotsec_observed_t) -> (Vec<iotsec_finding_t>, iotsec_verdict_t) {
        let (mut findings, mut len, mut verdict): ([iotsec_finding_t; IOTSEC_CHECKS], _, _) =
            (zeroed(), 0, 9);
        // SAFETY: see the top.
        let status = unsafe {
            let (at, to) = (self.device.at(), findings.as_mut_ptr());
            iotsec_security_status(
                at,
                observed,
                90_000,
                to,
                findings.len(),
                &raw mut len,
                &raw mut verdict,
            )
        };
        assert_eq!((status, len), (IOTSEC_OK, IOTSEC_CHECKS));
        (findings.to_vec(), verdict)
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.close();
    }
}

fn verify(key: &[u8; 32], receipt: &[u8], nonce: &[u8], erased: &mut iotsec_erased_t) -> iotsec_status_t {
    // SAFETY: see the top.
    unsafe {
        iotsec_erased_verify(
            IOTSEC_KEY_ED25519,
            key.as_ptr(),
            32,
            receipt.as_ptr(),
            receipt.len(),
            nonce.as_ptr(),
            nonce.len(),
            erased,
        )
    }
}

pub(crate) fn presence(there: bool) -> iotsec_presence_t {
    unsafe extern "C" fn yes(_: *mut c_void) -> i32 {
        1
    }
    unsafe extern "C" fn no(_: *mut c_void) -> i32 {
        0
    }
    iotsec_presence_t {
        struct_size: size_of::<iotsec_presence_t>() as u32,
        ctx: ptr::null_mut(),
        is_asserted: Some(if there { yes } else { no }),
    }
}
