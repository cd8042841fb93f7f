use iotsec_ffi::{
    about::iotsec_device_about_json,
    detect::IOTSEC_DETECTOR_TRAFFIC,
    device::{detection::*, erase::*, owner::*, *},
    erased::IOTSEC_RECEIPT_MAX,
    guard::*,
    pairing::*,
    password::*,
    security::*,
    setup::*,
    status::*,
};

use super::{Succeeded, done, ok};
use crate::{
    about::ABOUT,
    board::Fixed,
    device::{NETWORK, NONCE, OBSERVED, PASSWORD, PLAN, SCHEDULE, Unit, presence},
    login::{Memory, zeroed},
};

const SERIAL: &[u8] = b"LAMP-0042";
const ANOTHER: &str = "eight large otters";

#[test]
fn device() {
    let mut seen = Succeeded::default();
    // Without a replay counter, so that the flash may be put back: an owner's device is made once.
    let mut unit = Unit::blank_with(false);
    unit.close();
    let label = provision(&mut seen, &unit);
    begin_anew(&mut seen, &unit);
    claim(&mut seen, &unit, &label);
    live(&mut seen, &unit);
    let owned = unit.board.flash.clone();
    for farewell in [transfer, retire, reset, lend] {
        *unit.board.flash = owned.clone();
        open(&mut seen, &unit);
        let (at, mut owner) = (unit.device.at(), 0);
        let (text, len) = (PASSWORD.as_ptr().cast(), PASSWORD.len());
        ok!(seen, iotsec_device_login(at, text, len, 30_000, &raw mut owner));
        farewell(&mut seen, &unit, owner);
        ok!(seen, iotsec_device_close(at));
    }
    for by_presence in [false, true] {
        *unit.board.flash = owned.clone();
        // In the page of the key that the owner's data are stored under.
        unit.board.flash.tamper(40, &[0x5A; 8]);
        open(&mut seen, &unit);
        assert_eq!(state(&mut seen, &unit), IOTSEC_DEVICE_ORPHANED);
        let (at, somebody) = (unit.device.at(), presence(true));
        if by_presence {
            ok!(
                seen,
                iotsec_device_give_up_by_presence(at, &raw const somebody, 0, 0)
            );
        } else {
            let text = label.as_ptr().cast();
            ok!(seen, iotsec_device_give_up(at, text, label.len(), 60_000, 0));
        }
        assert_eq!(state(&mut seen, &unit), IOTSEC_DEVICE_PROVISIONED);
        ok!(seen, iotsec_device_close(at));
    }
    seen.all_of("device");
}

fn open(seen: &mut Succeeded, unit: &Unit) {
    let config = unit.config();
    ok!(seen, iotsec_device_open(unit.device.at(), &raw const config));
}

fn state(seen: &mut Succeeded, unit: &Unit) -> iotsec_device_state_t {
    let mut state = 0;
    ok!(seen, iotsec_device_state(unit.device.at(), &raw mut state));
    state
}

fn draw(seen: &mut Succeeded, unit: &Unit) -> String {
    let (mut label, mut len) = ([0u8; IOTSEC_LABEL_MAX], 0);
    let (at, out) = (unit.device.at(), label.as_mut_ptr().cast());
    ok!(
        seen,
        iotsec_device_draw_code(at, IOTSEC_EXPOSURE_ONLINE, out, IOTSEC_LABEL_MAX, &raw mut len)
    );
    String::from_utf8(label[..len].to_vec()).unwrap()
}

pub(super) fn draw_setup_code(seen: &mut Succeeded, unit: &Unit) -> String {
    let (mut code, mut len) = ([0u8; IOTSEC_SETUP_CODE_LEN], 0);
    let (at, out) = (unit.device.at(), code.as_mut_ptr().cast());
    ok!(
        seen,
        iotsec_device_draw_setup_code(at, 1000, out, IOTSEC_SETUP_CODE_LEN, &raw mut len)
    );
    String::from_utf8(code[..len].to_vec()).unwrap()
}

fn provision(seen: &mut Succeeded, unit: &Unit) -> String {
    let (config, at) = (unit.config(), unit.device.at());
    ok!(seen, iotsec_device_format(at, &raw const config));
    assert_eq!(state(seen, unit), IOTSEC_DEVICE_FACTORY);
    let (label, mut enrolment) = (draw(seen, unit), zeroed());
    // Its arithmetic is the longest there is: under Miri it is done once, for `every::pairing`.
    if !cfg!(miri) {
        let code = draw_setup_code(seen, unit);
        assert!(code.bytes().all(|digit| digit.is_ascii_digit()));
    }
    ok!(
        seen,
        iotsec_device_provision(at, SERIAL.as_ptr().cast(), SERIAL.len(), &raw mut enrolment)
    );
    let (mut serial, mut len) = ([0u8; IOTSEC_SERIAL_MAX], 0);
    let out = serial.as_mut_ptr().cast();
    ok!(
        seen,
        iotsec_device_serial(at, out, IOTSEC_SERIAL_MAX, &raw mut len)
    );
    assert_eq!(&serial[..len], SERIAL);
    label
}

fn begin_anew(seen: &mut Succeeded, unit: &Unit) {
    let (at, somebody) = (unit.device.at(), presence(true));
    ok!(seen, iotsec_setup_begin(at, &PLAN));
    ok!(seen, iotsec_setup_leave(at));
    ok!(seen, iotsec_setup_restart(at, &raw const somebody, 0, 0));
    ok!(seen, iotsec_device_close(at));
    open(seen, unit);
}

fn claim(seen: &mut Succeeded, unit: &Unit, label: &str) {
    let (at, text) = (unit.device.at(), label.as_ptr().cast());
    ok!(seen, iotsec_setup_begin(at, &PLAN));
    ok!(seen, iotsec_setup_present_label(at, text, label.len(), 20_000));
    ok!(
        seen,
        iotsec_setup_give_network(at, NETWORK.as_ptr(), NETWORK.len())
    );
    ok!(seen, iotsec_setup_report(at, IOTSEC_REPORT_NETWORK_JOINED));
    ok!(seen, iotsec_setup_set_time(at, 1_795_000_000));
    ok!(seen, iotsec_setup_report(at, IOTSEC_REPORT_UPDATE_CURRENT));
    ok!(seen, iotsec_setup_report(at, IOTSEC_REPORT_IDENTITY_ACCEPTED));
    let (mut status, mut json, mut len) = (zeroed(), [0u8; IOTSEC_SETUP_JSON_MAX], 0);
    ok!(seen, iotsec_setup_status(at, 21_000, &raw mut status));
    assert_eq!(status.step, IOTSEC_SETUP_OWNER);
    let out = json.as_mut_ptr().cast();
    ok!(
        seen,
        iotsec_setup_status_json(at, 21_000, out, IOTSEC_SETUP_JSON_MAX, &raw mut len)
    );
    let (text, context) = (PASSWORD.as_ptr().cast(), [c"LAMP-0042".as_ptr()]);
    ok!(
        seen,
        iotsec_setup_claim(
            at,
            IOTSEC_EXPOSURE_ONLINE,
            IOTSEC_ITERATIONS_MCU,
            text,
            PASSWORD.len(),
            context.as_ptr(),
            1
        )
    );
}

fn live(seen: &mut Succeeded, unit: &Unit) {
    let (at, somebody) = (unit.device.at(), presence(true));
    let mut status = zeroed();
    ok!(seen, iotsec_device_login_status(at, 22_000, &raw mut status));
    ok!(seen, iotsec_device_unlock(at, &raw const somebody));
    let (mut out, mut len) = ([0; IOTSEC_NETWORK_MAX], 0);
    ok!(
        seen,
        iotsec_device_network(at, out.as_mut_ptr(), IOTSEC_NETWORK_MAX, &raw mut len)
    );
    assert_eq!(&out[..len], NETWORK);
    ok!(seen, iotsec_device_put(at, SCHEDULE, b"07:30 on".as_ptr(), 8));
    ok!(
        seen,
        iotsec_device_get(at, SCHEDULE, out.as_mut_ptr(), 8, &raw mut len)
    );
    assert_eq!(&out[..len], b"07:30 on");
    let mut record = zeroed();
    ok!(seen, iotsec_device_record(at, SCHEDULE + 1, &raw mut record));
    let record: iotsec_ffi::record::iotsec_record_t = record;
    // SAFETY: see the top.
    unsafe {
        let (load, save) = (record.load.unwrap(), record.save.unwrap());
        assert_eq!(save(record.ctx, record.id, b"four".as_ptr(), 4), IOTSEC_OK);
        assert_eq!(
            load(record.ctx, record.id, out.as_mut_ptr(), 8, &raw mut len),
            IOTSEC_OK
        );
    }
    ok!(seen, iotsec_device_remove(at, SCHEDULE + 1));
    let (mut guard, mut baseline): (iotsec_ffi::record::iotsec_record_t, _) = (zeroed(), zeroed());
    ok!(seen, iotsec_device_guard_record(at, &raw mut guard));
    ok!(
        seen,
        iotsec_device_baseline_record(at, IOTSEC_DETECTOR_TRAFFIC, &raw mut baseline)
    );
    ok!(seen, iotsec_device_begin_scrub(at));
    done!(seen, iotsec_device_scrub_step(at));
    let (mut findings, mut verdict): ([iotsec_finding_t; IOTSEC_CHECKS], _) = (zeroed(), 0);
    let to = findings.as_mut_ptr();
    ok!(
        seen,
        iotsec_security_status(
            at,
            &OBSERVED,
            23_000,
            to,
            IOTSEC_CHECKS,
            &raw mut len,
            &raw mut verdict
        )
    );
    let mut json = vec![0u8; IOTSEC_SECURITY_JSON_MAX];
    let out = json.as_mut_ptr().cast();
    ok!(
        seen,
        iotsec_security_status_json(at, &OBSERVED, 23_000, out, IOTSEC_SECURITY_JSON_MAX, &raw mut len)
    );
    ok!(seen, iotsec_device_close(at));
}

/// A password that was chosen before memory was lent is stretched anew with it.
fn lend(seen: &mut Succeeded, unit: &Unit, mut owner: iotsec_owner_t) {
    let (at, memory) = (unit.device.at(), Memory::new());
    let lent = memory.lend();
    ok!(seen, iotsec_device_lend_argon2id(at, &raw const lent));
    let (text, len) = (PASSWORD.as_ptr().cast(), PASSWORD.len());
    ok!(
        seen,
        iotsec_device_login_with_rehash(at, IOTSEC_ITERATIONS_MCU, text, len, 60_000, &raw mut owner)
    );
    let (mut json, mut len) = ([0u8; 512], 0);
    let out = json.as_mut_ptr().cast();
    ok!(
        seen,
        iotsec_device_about_json(at, owner, &ABOUT, out, 512, &raw mut len)
    );
    let guard: Fixed<iotsec_guard_t> = Fixed::new(zeroed());
    let (mut record, mut found) = (zeroed(), zeroed());
    ok!(seen, iotsec_device_guard_record(at, &raw mut record));
    ok!(
        seen,
        iotsec_guard_open(guard.at(), &raw const record, std::ptr::null(), 0)
    );
    ok!(
        seen,
        iotsec_device_release_guard(at, owner, guard.at(), 70_000, &raw mut found)
    );
    ok!(seen, iotsec_guard_close(guard.at()));
}

fn transfer(seen: &mut Succeeded, unit: &Unit, owner: iotsec_owner_t) {
    draw(seen, unit);
    ok!(seen, iotsec_device_transfer(unit.device.at(), owner, 0, 0));
}

fn retire(seen: &mut Succeeded, unit: &Unit, owner: iotsec_owner_t) {
    let at = unit.device.at();
    ok!(
        seen,
        iotsec_device_retire(at, owner, 0, 0, NONCE.as_ptr(), NONCE.len())
    );
    done!(seen, iotsec_device_scrub_step(at));
}

fn reset(seen: &mut Succeeded, unit: &Unit, owner: iotsec_owner_t) {
    let at = unit.device.at();
    ok!(
        seen,
        iotsec_device_set_network(at, owner, NETWORK.as_ptr(), NETWORK.len())
    );
    let (text, context) = (ANOTHER.as_ptr().cast(), [c"LAMP".as_ptr()]);
    ok!(
        seen,
        iotsec_device_set_password(
            at,
            owner,
            IOTSEC_EXPOSURE_ONLINE,
            IOTSEC_ITERATIONS_MCU,
            text,
            ANOTHER.len(),
            context.as_ptr(),
            1
        )
    );
    ok!(seen, iotsec_device_reset(at, owner, 60_000, 0));
    done!(seen, iotsec_device_scrub_step(at));
    let (mut receipt, mut len) = ([0; IOTSEC_RECEIPT_MAX], 0);
    ok!(
        seen,
        iotsec_device_receipt(
            at,
            NONCE.as_ptr(),
            NONCE.len(),
            receipt.as_mut_ptr(),
            IOTSEC_RECEIPT_MAX,
            &raw mut len
        )
    );
    ok!(seen, iotsec_device_logout(at));
}
