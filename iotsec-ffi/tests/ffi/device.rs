//! A device's life through the C interface: factory, set-up, owner, erasure and its receipt.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

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

const NETWORK: &[u8] = b"WIFI:T:WPA;S:Home;P:correct horse;;";
const PASSWORD: &str = "seven small otters swim";
const SCHEDULE: iotsec_key_id_t = 1 << 32 | 1 << 16 | 7;
const NONCE: &[u8] = b"a fresh number";
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
    device: Fixed<iotsec_device_t>,
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
    fn blank_with(replay: bool) -> Self {
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
    fn provisioned() -> Self {
        Self::provisioned_with(true)
    }

    fn provisioned_with(replay: bool) -> Self {
        let mut unit = Self::blank_with(replay);
        assert_eq!(unit.draw(), IOTSEC_OK);
        assert_eq!(unit.provision("LAMP-0042"), IOTSEC_OK);
        unit
    }

    /// Set up, and somebody's.
    fn owned() -> Self {
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
        }
    }

    fn open(&self, how: Open) -> iotsec_status_t {
        let config = self.config();
        // SAFETY: see the top.
        unsafe { how(self.device.at(), &raw const config) }
    }

    fn close(&self) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_device_close(self.device.at()) }
    }

    fn reboot(&self) -> iotsec_device_state_t {
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

    fn set_up(&self, uptime_ms: u64) {
        assert_eq!(self.begin(), IOTSEC_OK);
        assert_eq!(self.present(&self.label, uptime_ms), IOTSEC_OK);
        assert_eq!(self.give(NETWORK), IOTSEC_OK);
        assert_eq!(self.report(IOTSEC_REPORT_NETWORK_JOINED), IOTSEC_OK);
        assert_eq!(self.set_time(1_795_000_000), IOTSEC_OK);
        assert_eq!(self.report(IOTSEC_REPORT_UPDATE_CURRENT), IOTSEC_OK);
        assert_eq!(self.report(IOTSEC_REPORT_IDENTITY_ACCEPTED), IOTSEC_OK);
        assert_eq!(self.claim(PASSWORD), IOTSEC_OK);
    }

    fn login(&self, password: &str, uptime_ms: u64) -> Result<iotsec_owner_t, iotsec_status_t> {
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

    fn reset(&self, owner: iotsec_owner_t) -> iotsec_status_t {
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

fn presence(there: bool) -> iotsec_presence_t {
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

#[test]
fn a_whole_life_from_the_factory_to_retirement() {
    let unit = Unit::owned();
    assert_eq!(unit.state(), IOTSEC_DEVICE_OWNED);
    assert_eq!(unit.put(SCHEDULE, b"07:30 on"), IOTSEC_OK);
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_OWNED);
    assert_eq!(unit.get(SCHEDULE), Ok(b"07:30 on".to_vec()));
    let (mut out, mut len) = ([0; IOTSEC_NETWORK_MAX], 0);
    // SAFETY: see the top.
    let status = unsafe { iotsec_device_network(unit.device.at(), out.as_mut_ptr(), 256, &raw mut len) };
    assert_eq!((status, &out[..len]), (IOTSEC_OK, NETWORK));
    assert_eq!(unit.receipt(), Err(IOTSEC_ERR_DEVICE_NOT_ERASED));

    let owner = unit.login(PASSWORD, 1_000).unwrap();
    assert_eq!(unit.reset(owner), IOTSEC_OK);
    assert_eq!(unit.state(), IOTSEC_DEVICE_PROVISIONED);
    assert!(!unit.board.flash.contains(b"07:30 on"));
    let early = unit.checked(&unit.receipt().unwrap());
    assert_eq!((early.scrubbed, early.erasures), (0, 1));
    unit.scrub();
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_PROVISIONED, "the receipt survives");
    let erased = unit.checked(&unit.receipt().unwrap());
    assert_eq!(
        (
            erased.reason,
            erased.scope,
            erased.scrubbed,
            erased.uptime_ms,
            erased.time_s
        ),
        (IOTSEC_ERASED_RESET, IOTSEC_ERASED_USER, 1, 60_000, 0)
    );
    assert!(erased.values >= 4, "owner, verifier, network, schedule");

    unit.set_up(20_000);
    assert_eq!(unit.get(SCHEDULE), Err(IOTSEC_ERR_STORE_NOT_FOUND));
    let owner = unit.login(PASSWORD, 30_000).unwrap();
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_device_retire(
            unit.device.at(),
            owner,
            0,
            1_800_000_000,
            NONCE.as_ptr(),
            NONCE.len(),
        )
    };
    assert_eq!((status, unit.state()), (IOTSEC_OK, IOTSEC_DEVICE_RETIRED));
    unit.scrub();
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_RETIRED);
    let last = unit.checked(&unit.receipt().unwrap());
    assert_eq!(
        (last.reason, last.scope, last.scrubbed, last.erasures, last.time_s),
        (
            IOTSEC_ERASED_RETIREMENT,
            IOTSEC_ERASED_DEVICE,
            0,
            2,
            1_800_000_000
        )
    );
    assert_eq!(unit.begin(), IOTSEC_ERR_STATE);
    assert_eq!(unit.login(PASSWORD, 90_000), Err(IOTSEC_ERR_STATE));
}

#[test]
fn the_set_up_asks_for_one_thing_after_the_other() {
    let unit = Unit::provisioned();
    assert_eq!(unit.give(NETWORK), IOTSEC_ERR_STATE, "not begun");
    assert_eq!(unit.begin(), IOTSEC_OK);
    assert_eq!(unit.begin(), IOTSEC_ERR_STATE);
    assert_eq!(unit.step(), (IOTSEC_SETUP_PAIRING, 3));
    assert_eq!(unit.give(NETWORK), IOTSEC_ERR_SETUP_NOT_YET);
    assert_eq!(unit.claim(PASSWORD), IOTSEC_ERR_SETUP_NOT_YET);
    assert_eq!(
        unit.report(IOTSEC_REPORT_NETWORK_JOINED),
        IOTSEC_ERR_SETUP_NOT_YET
    );
    let slip = unit.label.replacen(|_: char| true, "U", 1);
    assert_eq!(unit.present(&slip, 20_000), IOTSEC_ERR_LABEL_CHARACTER);
    assert_eq!(unit.present("K2M4-P6R8-T0V3-6", 20_000), IOTSEC_ERR_LOGIN_REFUSED);
    assert_eq!(unit.present(&unit.label, 21_000), IOTSEC_OK);
    assert_eq!(unit.step(), (IOTSEC_SETUP_NETWORK, 2));
    assert_eq!(unit.give(&[]), IOTSEC_ERR_SETUP_NETWORK);
    assert_eq!(unit.give(&[b'x'; 257]), IOTSEC_ERR_SETUP_NETWORK);
    assert_eq!(unit.give(NETWORK), IOTSEC_OK);
    assert_eq!(unit.report(IOTSEC_REPORT_NETWORK_REFUSED), IOTSEC_OK);
    assert_eq!(unit.step().0, IOTSEC_SETUP_NETWORK);
    assert_eq!(unit.set_time(1_795_000_000), IOTSEC_ERR_SETUP_NOT_YET);
    assert_eq!(unit.report(IOTSEC_REPORT_NETWORK_JOINED), IOTSEC_OK);
    assert_eq!(unit.set_time(1_700_000_000), IOTSEC_ERR_SETUP_TIME);
    assert_eq!(unit.set_time(1_795_000_000), IOTSEC_OK);
    assert_eq!(unit.report(IOTSEC_REPORT_UPDATE_CURRENT), IOTSEC_OK);
    assert_eq!(unit.report(99), IOTSEC_ERR_CONFIG);

    // Power goes: what was given and found stays, the proof does not.
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_PROVISIONED);
    assert_eq!(unit.begin(), IOTSEC_OK);
    assert_eq!(unit.step(), (IOTSEC_SETUP_NETWORK, 2));
    assert_eq!(unit.report(IOTSEC_REPORT_NETWORK_JOINED), IOTSEC_OK);
    assert_eq!(unit.set_time(1_795_000_000), IOTSEC_OK);
    assert_eq!(unit.report(IOTSEC_REPORT_IDENTITY_ACCEPTED), IOTSEC_OK);
    assert_eq!(unit.step(), (IOTSEC_SETUP_PAIRING, 2));
    assert_eq!(unit.present(&unit.label, 40_000), IOTSEC_OK);
    assert_eq!(unit.claim("short"), IOTSEC_ERR_PASSWORD_TOO_SHORT);
    assert_eq!(unit.claim("LAMP-0042-2026"), IOTSEC_ERR_PASSWORD_CONTEXT);
    assert_eq!(unit.step(), (IOTSEC_SETUP_OWNER, 1));
    assert_eq!(unit.claim(PASSWORD), IOTSEC_OK);
    assert_eq!(unit.state(), IOTSEC_DEVICE_OWNED);
    assert_eq!(unit.claim(PASSWORD), IOTSEC_ERR_STATE);
}

#[test]
fn a_set_up_is_left_and_begun_anew_by_somebody_at_the_device() {
    let unit = Unit::provisioned();
    assert_eq!(unit.begin(), IOTSEC_OK);
    assert_eq!(unit.present(&unit.label, 20_000), IOTSEC_OK);
    assert_eq!(unit.give(NETWORK), IOTSEC_OK);
    let (at, nobody, somebody) = (unit.device.at(), presence(false), presence(true));
    // SAFETY: see the top.
    unsafe {
        assert_eq!(iotsec_setup_leave(at), IOTSEC_OK);
        assert_eq!(unit.give(b"another"), IOTSEC_ERR_SETUP_NOT_YET);
        assert_eq!(
            iotsec_setup_restart(at, &raw const nobody, 0, 0),
            IOTSEC_ERR_PRESENCE
        );
        assert_eq!(iotsec_setup_restart(at, &raw const somebody, 0, 0), IOTSEC_OK);
        let mut len = 9;
        assert_eq!(
            iotsec_device_network(at, ptr::null_mut(), 0, &raw mut len),
            IOTSEC_OK
        );
        assert_eq!(len, 0, "no network");
        let (mut json, mut len) = ([0u8; IOTSEC_SETUP_JSON_MAX], 0);
        let out = json.as_mut_ptr().cast();
        assert_eq!(
            iotsec_setup_status_json(at, 0, out, 10, &raw mut len),
            IOTSEC_ERR_SHORT_BUFFER
        );
        assert_eq!(json, [0; IOTSEC_SETUP_JSON_MAX]);
        let needed = len;
        assert_eq!(
            iotsec_setup_status_json(at, 0, out, needed, &raw mut len),
            IOTSEC_OK
        );
        let json = std::str::from_utf8(&json[..len]).unwrap();
        assert!(
            json.contains(r#""step":"pairing""#) && json.ends_with("]}"),
            "{json}"
        );
        assert_eq!(len, needed);
    }
    let mut strange = PLAN;
    strange.online = 0;
    unit.reboot();
    // SAFETY: see the top.
    let status = unsafe { iotsec_setup_begin(unit.device.at(), &raw const strange) };
    assert_eq!(status, IOTSEC_ERR_CONFIG, "an identity without a network");
}

#[test]
fn guesses_are_counted_over_reboots_and_the_proof_is_good_for_one_owner() {
    let unit = Unit::owned();
    let mut now = 30_000;
    let mut status = IOTSEC_ERR_LOGIN_REFUSED;
    let mut guesses = 0;
    while status == IOTSEC_ERR_LOGIN_REFUSED && guesses < 20 {
        status = unit.login("nine small otters swim", now).unwrap_err();
        guesses += 1;
    }
    assert_eq!(status, IOTSEC_ERR_THROTTLE_WAIT);
    unit.reboot();
    let mut told: iotsec_login_status_t = zeroed();
    now = 10;
    // SAFETY: see the top.
    let status = unsafe { iotsec_device_login_status(unit.device.at(), now, &raw mut told) };
    assert_eq!((status, told.failures), (IOTSEC_OK, guesses - 1));
    assert_eq!(unit.login(PASSWORD, now), Err(IOTSEC_ERR_THROTTLE_WAIT));
    let (nobody, somebody) = (presence(false), presence(true));
    // SAFETY: see the top.
    unsafe {
        assert_eq!(
            iotsec_device_unlock(unit.device.at(), &raw const nobody),
            IOTSEC_ERR_PRESENCE
        );
        assert_eq!(
            iotsec_device_unlock(unit.device.at(), &raw const somebody),
            IOTSEC_OK
        );
    }
    let first = unit.login(PASSWORD, now).unwrap();
    let second = unit.login(PASSWORD, now).unwrap();
    assert!(first != 0 && first != second);
    assert_eq!(unit.reset(0), IOTSEC_ERR_STATE, "nobody");
    assert_eq!(unit.reset(first), IOTSEC_ERR_STATE, "void since the second login");
    let set = |owner| {
        let password = "eight large otters";
        // SAFETY: see the top.
        unsafe {
            let (at, text) = (unit.device.at(), password.as_ptr().cast());
            iotsec_device_set_password(
                at,
                owner,
                IOTSEC_EXPOSURE_ONLINE,
                IOTSEC_ITERATIONS_MCU,
                text,
                password.len(),
                [c"LAMP".as_ptr()].as_ptr(),
                1,
            )
        }
    };
    assert_eq!(set(first), IOTSEC_ERR_STATE);
    assert_eq!(set(second), IOTSEC_OK);
    // SAFETY: see the top.
    let status = unsafe { iotsec_device_set_network(unit.device.at(), second, b"net".as_ptr(), 3) };
    assert_eq!(status, IOTSEC_OK);
    // SAFETY: see the top.
    assert_eq!(unsafe { iotsec_device_logout(unit.device.at()) }, IOTSEC_OK);
    assert_eq!(unit.reset(second), IOTSEC_ERR_STATE, "logged out");
    assert_eq!(unit.login(PASSWORD, now), Err(IOTSEC_ERR_LOGIN_REFUSED));
    let third = unit.login("eight large otters", now).unwrap();
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_OWNED);
    assert_eq!(unit.reset(third), IOTSEC_ERR_STATE, "of an earlier boot");
}

#[test]
fn a_transfer_voids_the_label_and_takes_a_code_that_was_shown() {
    let mut unit = Unit::owned();
    let old = unit.label.clone();
    let owner = unit.login(PASSWORD, 30_000).unwrap();
    // SAFETY: see the top.
    let transfer = |unit: &Unit| unsafe { iotsec_device_transfer(unit.device.at(), owner, 0, 0) };
    assert_eq!(transfer(&unit), IOTSEC_ERR_STATE, "no code was drawn");
    assert_eq!(unit.draw(), IOTSEC_OK);
    assert_ne!(unit.label, old);
    assert_eq!(transfer(&unit), IOTSEC_OK, "the proof was not used up");
    assert_eq!(unit.state(), IOTSEC_DEVICE_PROVISIONED);
    assert_eq!(
        unit.checked(&unit.receipt().unwrap()).reason,
        IOTSEC_ERASED_TRANSFER
    );
    assert_eq!(unit.begin(), IOTSEC_OK);
    assert_eq!(unit.present(&old, 40_000), IOTSEC_ERR_LOGIN_REFUSED);
    assert_eq!(unit.present(&unit.label, 50_000), IOTSEC_OK);
    assert_eq!(unit.draw(), IOTSEC_ERR_STATE, "belongs to factory and owner");
}

#[test]
fn the_factory_cannot_leave_a_unit_without_a_code_and_not_twice() {
    let mut unit = Unit::blank();
    assert_eq!(unit.state(), IOTSEC_DEVICE_FACTORY);
    assert_eq!(unit.provision("LAMP-0042"), IOTSEC_ERR_STATE);
    let mut len = 0;
    // SAFETY: see the top.
    let short = unsafe {
        let mut label = [0u8; 20];
        let out = label.as_mut_ptr().cast();
        iotsec_device_draw_code(unit.device.at(), IOTSEC_EXPOSURE_ONLINE, out, 20, &raw mut len)
    };
    assert_eq!((short, len), (IOTSEC_ERR_SHORT_BUFFER, IOTSEC_LABEL_MAX));
    assert_eq!(unit.draw(), IOTSEC_OK);
    assert_eq!(unit.provision("no serial number"), IOTSEC_ERR_DEVICE_SERIAL);
    assert_eq!(unit.begin(), IOTSEC_ERR_STATE);
    assert_eq!(unit.put(SCHEDULE, b"x"), IOTSEC_ERR_STATE);
    assert_eq!(unit.provision("LAMP-0042"), IOTSEC_OK);
    assert_eq!(unit.provision("LAMP-0043"), IOTSEC_ERR_STATE);
    let (mut serial, mut len) = ([0u8; IOTSEC_SERIAL_MAX], 0);
    // SAFETY: see the top.
    unsafe {
        let (at, out) = (unit.device.at(), serial.as_mut_ptr().cast());
        assert_eq!(
            iotsec_device_serial(at, out, 4, &raw mut len),
            IOTSEC_ERR_SHORT_BUFFER
        );
        assert_eq!(iotsec_device_serial(at, out, len, &raw mut len), IOTSEC_OK);
    }
    assert_eq!(&serial[..len], b"LAMP-0042");
    assert_eq!(unit.open(iotsec_device_open), IOTSEC_ERR_STATE, "open already");
    assert_eq!(unit.close(), IOTSEC_OK);
    assert_eq!(unit.close(), IOTSEC_ERR_STATE);
    assert_eq!(unit.begin(), IOTSEC_ERR_STATE);
    let mut config = unit.config();
    config.index_count = IOTSEC_DEVICE_INDEX - 1;
    // SAFETY: see the top.
    let status = unsafe { iotsec_device_open(unit.device.at(), &raw const config) };
    assert_eq!(status, IOTSEC_ERR_SIZE);
    (config.index_count, config.buffer_size) = (32, IOTSEC_DEVICE_BUFFER - 1);
    // SAFETY: see the top.
    let status = unsafe { iotsec_device_open(unit.device.at(), &raw const config) };
    assert_eq!(status, IOTSEC_ERR_SIZE);
}

#[test]
fn values_of_the_application_stay_out_of_the_device_s_own_namespaces() {
    let unit = Unit::owned();
    assert_eq!(unit.put(0xFF << 16 | 1, &[2]), IOTSEC_ERR_DEVICE_RESERVED);
    assert_eq!(unit.get(0xFF << 16 | 5), Err(IOTSEC_ERR_DEVICE_RESERVED));
    assert_eq!(unit.put(SCHEDULE, b"07:30 on"), IOTSEC_OK);
    let (mut out, mut len) = ([0xEE; 8], 0);
    // SAFETY: see the top.
    let status = unsafe { iotsec_device_get(unit.device.at(), SCHEDULE, out.as_mut_ptr(), 7, &raw mut len) };
    assert_eq!((status, len, out), (IOTSEC_ERR_SHORT_BUFFER, 8, [0xEE; 8]));
    let mut record: iotsec_record_t = zeroed();
    // SAFETY: see the top.
    unsafe {
        let key = SCHEDULE + 1;
        assert_eq!(
            iotsec_device_record(unit.device.at(), key, &raw mut record),
            IOTSEC_OK
        );
        let (load, save) = (record.load.unwrap(), record.save.unwrap());
        let mut read = || load(record.ctx, record.id, out.as_mut_ptr(), 8, &raw mut len);
        assert_eq!(read(), IOTSEC_RECORD_ABSENT);
        assert_eq!(save(record.ctx, record.id, b"four".as_ptr(), 4), IOTSEC_OK);
        assert_eq!(read(), IOTSEC_OK);
        assert_eq!(iotsec_device_remove(unit.device.at(), key), IOTSEC_OK);
        assert_eq!(read(), IOTSEC_RECORD_ABSENT);
        let owner = unit.login(PASSWORD, 30_000).unwrap();
        assert_eq!(unit.reset(owner), IOTSEC_OK);
        assert_eq!(read(), IOTSEC_ERR_STATE, "nobody's any more");
    }
    assert_eq!((len, &out[..4]), (4, &b"four"[..]));
}

#[test]
fn a_power_cut_anywhere_in_a_reset_leaves_everything_or_nothing_and_a_receipt() {
    // Without a replay counter, so that the flash may be put back for the next cut.
    let mut unit = Unit::owned_with(false);
    assert_eq!(unit.put(SCHEDULE, b"07:30 on"), IOTSEC_OK);
    unit.close();
    let before: SimFlash = unit.board.flash.clone();
    let (mut cut, mut kept, mut gone) = (0, 0, 0);
    loop {
        unit.close();
        *unit.board.flash = before.clone();
        assert_eq!(unit.reboot(), IOTSEC_DEVICE_OWNED);
        let owner = unit.login(PASSWORD, 1_000).unwrap();
        unit.board.flash.cut_after(cut);
        let status = unit.reset(owner);
        unit.board.flash.power_on();
        match unit.reboot() {
            IOTSEC_DEVICE_OWNED => {
                kept += 1;
                assert_ne!(status, IOTSEC_OK, "cut {cut}");
                assert_eq!(unit.get(SCHEDULE), Ok(b"07:30 on".to_vec()), "cut {cut}");
            }
            IOTSEC_DEVICE_PROVISIONED => {
                gone += 1;
                assert!(unit.receipt().is_ok(), "cut {cut}");
            }
            state => panic!("cut {cut}: state {state}"),
        }
        if status == IOTSEC_OK {
            break;
        }
        cut += 1;
    }
    assert!(kept > 10 && gone > 1, "{kept} kept, {gone} gone");
}

#[test]
fn an_earlier_flash_is_refused_and_the_status_says_whether_it_would_be() {
    let mut unit = Unit::owned();
    let (findings, verdict) = unit.security(&OBSERVED);
    let id = |finding: &iotsec_finding_t| {
        // SAFETY: see the top; the texts live as long as the program.
        let id = unsafe { std::slice::from_raw_parts(finding.id.cast::<u8>(), finding.id_len) };
        std::str::from_utf8(id).unwrap().to_owned()
    };
    let ids: Vec<_> = findings.iter().map(id).collect();
    assert_eq!(ids[..3], ["password-chosen", "guesses-few", "replay-refused"]);
    assert!(ids.contains(&"services-unknown".to_owned()) && ids.contains(&"debug-unknown".to_owned()));
    assert_eq!(verdict, IOTSEC_VERDICT_FAIL, "nobody looks for updates");
    let guidelines: std::collections::BTreeSet<_> = findings.iter().map(|found| found.guideline).collect();
    assert_eq!(guidelines, [1, 3, 4, 6, 7, 11].into());
    for finding in &findings {
        assert_eq!(finding.remedy.is_null(), finding.verdict == IOTSEC_VERDICT_PASS);
    }

    let earlier = unit.board.flash.clone();
    for round in 0..200 {
        assert_eq!(unit.put(SCHEDULE, &[round; 200]), IOTSEC_OK);
    }
    unit.close();
    *unit.board.flash = earlier;
    assert_eq!(unit.open(iotsec_device_open), IOTSEC_ERR_STORE_ROLLED_BACK);

    let plain = Unit::owned_with(false);
    let (findings, _) = plain.security(&OBSERVED);
    assert_eq!(id(&findings[2]), "replay-unnoticed");
}

#[test]
fn what_the_application_observed_is_in_the_status() {
    let unit = Unit::owned();
    let good = iotsec_observed_t {
        software: IOTSEC_OBSERVED_SOFTWARE_INTACT,
        updates: IOTSEC_OBSERVED_UPDATES_CURRENT,
        undeclared: 0,
        debug: iotsec_ffi::attest::IOTSEC_DEBUG_CLOSED,
        support_until_s: 1_956_528_000,
        time_s: 1_795_000_000,
        ..OBSERVED
    };
    let failed = |observed: &iotsec_observed_t| {
        let (findings, verdict) = unit.security(observed);
        let bad = findings
            .iter()
            .filter(|found| found.verdict == IOTSEC_VERDICT_FAIL);
        (bad.count(), verdict)
    };
    assert_eq!(failed(&good), (0, IOTSEC_VERDICT_PASS));
    let changes: [(&str, fn(&mut iotsec_observed_t)); 5] = [
        ("software", |seen| {
            seen.software = IOTSEC_OBSERVED_SOFTWARE_CHANGED
        }),
        ("updates", |seen| seen.updates = IOTSEC_OBSERVED_UPDATES_URGENT),
        ("sockets", |seen| seen.undeclared = 2),
        ("debug", |seen| seen.debug = iotsec_ffi::attest::IOTSEC_DEBUG_OPEN),
        ("support", |seen| seen.time_s = 1_956_528_001),
    ];
    for (what, change) in changes {
        let mut observed = good;
        change(&mut observed);
        assert_eq!(failed(&observed), (1, IOTSEC_VERDICT_FAIL), "{what}");
    }
    let refused = |change: fn(&mut iotsec_observed_t)| {
        let (mut observed, mut len) = (good, 7);
        change(&mut observed);
        let at = unit.device.at();
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_security_status_json(at, &raw const observed, 0, ptr::null_mut(), 0, &raw mut len)
        };
        (status, len)
    };
    assert_eq!(refused(|seen| seen.struct_size -= 1), (IOTSEC_ERR_CONFIG, 7));
    assert_eq!(refused(|seen| seen.undeclared = 65_536), (IOTSEC_ERR_CONFIG, 7));
    assert_eq!(refused(|seen| seen.debug = 4), (IOTSEC_ERR_CONFIG, 7));
    let (status, needed) = refused(|_| ());
    assert_eq!(status, IOTSEC_ERR_SHORT_BUFFER);
    assert!((1_000..IOTSEC_SECURITY_JSON_MAX).contains(&needed));
    let (mut findings, mut len, mut verdict): ([iotsec_finding_t; IOTSEC_CHECKS], _, _) = (zeroed(), 0, 9);
    // SAFETY: see the top.
    let status = unsafe {
        let (at, to) = (unit.device.at(), findings.as_mut_ptr());
        iotsec_security_status(at, &raw const good, 0, to, 8, &raw mut len, &raw mut verdict)
    };
    assert_eq!(
        (status, len, verdict),
        (IOTSEC_ERR_SHORT_BUFFER, IOTSEC_CHECKS, 9)
    );
    assert!(findings[0].id.is_null(), "nothing was written");
}

#[test]
fn a_receipt_is_checked_to_the_last_bit_and_signed_by_any_signer() {
    let erased = ERASED;
    let signer = crate::attest::signer();
    let (mut out, mut len) = ([0; IOTSEC_RECEIPT_MAX], 0);
    let mut sign = |erased: &iotsec_erased_t, nonce: &[u8], size: usize, len: &mut usize| {
        let (to, nonce_len) = (out.as_mut_ptr(), nonce.len());
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_erased_sign(
                &raw const signer,
                erased,
                nonce.as_ptr(),
                nonce_len,
                to,
                size,
                len,
            )
        };
        (status, out[..*len].to_vec())
    };
    assert_eq!(sign(&erased, NONCE, 10, &mut len).0, IOTSEC_ERR_SHORT_BUFFER);
    let (status, receipt) = sign(&erased, NONCE, IOTSEC_RECEIPT_MAX, &mut len);
    assert_eq!(status, IOTSEC_OK);
    let mut wrong = erased;
    wrong.reason = IOTSEC_ERASED_RESET;
    assert_eq!(sign(&wrong, NONCE, 295, &mut len).0, IOTSEC_ERR_RECEIPT_CONTENT);
    wrong.reason = 5;
    assert_eq!(sign(&wrong, NONCE, 295, &mut len).0, IOTSEC_ERR_CONFIG);
    assert_eq!(
        sign(&erased, b"seven b", 295, &mut len).0,
        IOTSEC_ERR_RECEIPT_NONCE_LENGTH
    );

    let key: [u8; 32] = signer.public_key[..32].try_into().unwrap();
    let mut read = zeroed();
    assert_eq!(verify(&key, &receipt, NONCE, &mut read), IOTSEC_OK);
    assert_ne!(read.device, [0; 32]);
    assert_eq!(
        read,
        iotsec_erased_t {
            device: read.device,
            ..erased
        }
    );
    let mut untouched: iotsec_erased_t = zeroed();
    assert_eq!(
        verify(&key, &receipt, b"another number", &mut untouched),
        IOTSEC_ERR_RECEIPT_NONCE
    );
    for bit in 0..receipt.len() * 8 {
        let mut flipped = receipt.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(
            verify(&key, &flipped, NONCE, &mut untouched),
            IOTSEC_OK,
            "bit {bit}"
        );
    }
    for end in 0..receipt.len() {
        assert_ne!(
            verify(&key, &receipt[..end], NONCE, &mut untouched),
            IOTSEC_OK,
            "{end} bytes"
        );
    }
    assert_eq!(untouched, zeroed());
}
