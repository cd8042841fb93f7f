use std::ptr;

use iotsec_ffi::{
    about::*,
    detect::{feed::*, *},
    device::detection::*,
    guard::*,
    login::*,
    password::*,
};

use super::{Succeeded, ok};
use crate::{
    about::ABOUT,
    board::{Board, Fixed},
    detect::config,
    device::{PASSWORD, Unit},
    login::{self, zeroed},
    surface::TELNET,
};

#[test]
fn detect() {
    let mut seen = Succeeded::default();
    let unit = Unit::owned();
    detectors(&mut seen, &unit);
    guards(&mut seen, &unit);
    seen.all_of("detect");
}

fn detectors(seen: &mut Succeeded, unit: &Unit) {
    let at: Fixed<iotsec_detector_t> = Fixed::new(zeroed());
    let (at, device) = (at.at(), unit.device.at());
    let (mut record, mut baseline) = (zeroed(), zeroed());
    ok!(seen, iotsec_device_guard_record(device, &raw mut record));
    ok!(
        seen,
        iotsec_device_baseline_record(device, IOTSEC_DETECTOR_TRAFFIC, &raw mut baseline)
    );
    // Of each the two that keep something are told with a record of the application's.
    let schedule = crate::device::SCHEDULE;
    let mut counts = zeroed();
    // SAFETY: see the top.
    let made = unsafe { iotsec_ffi::device::owner::iotsec_device_record(device, schedule, &raw mut counts) };
    assert_eq!(made, iotsec_ffi::status::IOTSEC_OK);
    let mut found = zeroed();
    for kind in 1..=13 {
        let record = if kind == IOTSEC_DETECTOR_TRAFFIC {
            &raw const baseline
        } else {
            &raw const counts
        };
        let config = config(kind, record);
        ok!(seen, iotsec_detector_open(at, &raw const config, 0));
        let to = &raw mut found;
        match kind {
            IOTSEC_DETECTOR_UPDATES => {
                ok!(seen, iotsec_detector_refused(at, 2301, 0, to));
                ok!(seen, iotsec_detector_failed(at, 5402, 0, to));
                ok!(seen, iotsec_detector_fetched(at));
            }
            IOTSEC_DETECTOR_BOOT_LOOP => {
                ok!(seen, iotsec_detector_started(at, IOTSEC_RESTART_UNASKED, to));
            }
            IOTSEC_DETECTOR_INTEGRITY => {
                ok!(seen, iotsec_detector_changed(at, 0, 2401, 0, to));
                ok!(seen, iotsec_detector_cleared(at));
            }
            IOTSEC_DETECTOR_LISTENERS => {
                ok!(seen, iotsec_detector_listens(at, &TELNET, 0, to));
                ok!(seen, iotsec_detector_looked(at));
            }
            IOTSEC_DETECTOR_CLOCK => {
                ok!(seen, iotsec_detector_clock(at, 0, 1_800_000_000, to));
                ok!(seen, iotsec_detector_proved(at, 0, 1_800_000_000));
            }
            IOTSEC_DETECTOR_TRAFFIC => ok!(seen, iotsec_detector_counted(at, 4, 0, to)),
            IOTSEC_DETECTOR_ENTROPY => ok!(seen, iotsec_detector_drawn(at, [1, 2].as_ptr(), 2, 0, to)),
            IOTSEC_DETECTOR_STORAGE => ok!(seen, iotsec_detector_worn(at, 83, to)),
            IOTSEC_DETECTOR_WATCHDOG => {}
            _ => ok!(seen, iotsec_detector_happened(at, 0, to)),
        }
        ok!(seen, iotsec_detector_tend(at, 7_200_000, to));
        ok!(seen, iotsec_detector_keep(at));
        let mut status = zeroed();
        ok!(seen, iotsec_detector_status(at, &raw mut status));
        ok!(seen, iotsec_detector_close(at));
    }
}

fn guards(seen: &mut Succeeded, unit: &Unit) {
    let guard: Fixed<iotsec_guard_t> = Fixed::new(zeroed());
    let (at, device) = (guard.at(), unit.device.at());
    let (mut record, mut found, mut status) = (zeroed(), zeroed(), zeroed());
    ok!(seen, iotsec_device_guard_record(device, &raw mut record));
    ok!(seen, iotsec_guard_open(at, &raw const record, ptr::null(), 0));
    ok!(
        seen,
        iotsec_guard_note(at, IOTSEC_DETECTED_INTEGRITY, 0, &raw mut found)
    );
    ok!(seen, iotsec_guard_tend(at, 1, 60_000, &raw mut found));
    ok!(seen, iotsec_guard_status(at, &raw mut status));
    let owner = unit.login(PASSWORD, 30_000).unwrap();
    let (mut json, mut len) = ([0u8; 512], 0);
    let out = json.as_mut_ptr().cast();
    ok!(seen, iotsec_about_json(&ABOUT, out, 512, &raw mut len));
    ok!(
        seen,
        iotsec_about_json_for_owner(device, owner, &ABOUT, out, 512, &raw mut len)
    );
    ok!(
        seen,
        iotsec_guard_release(at, device, owner, 90_000, &raw mut found)
    );

    let (board, kept) = (Board::new(), Fixed::new(login::Records::default()));
    let (credential, entropy) = (login::credential(&board, &kept), board.entropy());
    let (login, context) = (Fixed::new(zeroed::<iotsec_login_t>()), [c"LAMP".as_ptr()]);
    let (text, text_len) = (PASSWORD.as_ptr().cast(), PASSWORD.len());
    let (mut label, mut label_len) = ([0u8; IOTSEC_LABEL_MAX], 0);
    ok!(
        seen,
        iotsec_password_generate(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            label.as_mut_ptr().cast(),
            IOTSEC_LABEL_MAX,
            &raw mut label_len
        )
    );
    ok!(
        seen,
        iotsec_password_choose(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            IOTSEC_ITERATIONS_MCU,
            text,
            text_len,
            context.as_ptr(),
            1
        )
    );
    ok!(
        seen,
        iotsec_login_open(login.at(), &raw const credential, ptr::null())
    );
    ok!(
        seen,
        iotsec_guard_release_by_login(at, login.at(), text, text_len, 90_000, &raw mut found)
    );
    ok!(seen, iotsec_login_close(login.at()));
    ok!(seen, iotsec_guard_close(at));
}
