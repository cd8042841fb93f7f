use std::ptr;

use iotsec_ffi::{
    about::*,
    detect::{feed::*, *},
    guard::*,
    retry::*,
};

use super::{Succeeded, ok};
use crate::{
    about::ABOUT,
    board::{Board, Fixed},
    detect::config,
    login::zeroed,
    surface::TELNET,
    telemetry::{Records, record},
};

#[test]
fn detect() {
    let mut seen = Succeeded::default();
    let records = Fixed::new(Records::default());
    detectors(&mut seen, &records);
    guards(&mut seen, &records);
    retries(&mut seen, &records);
    let (mut json, mut len) = ([0u8; 512], 0);
    ok!(
        seen,
        iotsec_about_json(&ABOUT, json.as_mut_ptr().cast(), 512, &raw mut len)
    );
    seen.all_of("detect");
}

fn detectors(seen: &mut Succeeded, records: &Fixed<Records>) {
    let detector: Fixed<iotsec_detector_t> = Fixed::new(zeroed());
    let (at, record) = (detector.at(), record(records, 1));
    let mut found = zeroed();
    for kind in 1..=13 {
        let config = config(kind, &raw const record);
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

fn guards(seen: &mut Succeeded, records: &Fixed<Records>) {
    let guard: Fixed<iotsec_guard_t> = Fixed::new(zeroed());
    let (at, record) = (guard.at(), record(records, 2));
    let (mut found, mut status) = (zeroed(), zeroed());
    ok!(seen, iotsec_guard_open(at, &raw const record, ptr::null(), 0));
    ok!(
        seen,
        iotsec_guard_note(at, IOTSEC_DETECTED_INTEGRITY, 0, &raw mut found)
    );
    ok!(seen, iotsec_guard_tend(at, 1, 60_000, &raw mut found));
    ok!(seen, iotsec_guard_status(at, &raw mut status));
    ok!(seen, iotsec_guard_close(at));
}

fn retries(seen: &mut Succeeded, records: &Fixed<Records>) {
    let (board, retry) = (Board::new(), Fixed::new(zeroed::<iotsec_retry_t>()));
    let (at, record, entropy) = (retry.at(), record(records, 3), board.entropy());
    let mut status: iotsec_retry_status_t = zeroed();
    ok!(
        seen,
        iotsec_retry_open(at, &raw const record, &raw const entropy, ptr::null(), 0)
    );
    let mut now = 0;
    for ends_well in [false, true] {
        ok!(seen, iotsec_retry_status(at, now, &raw mut status));
        now += status.wait_ms;
        ok!(seen, iotsec_retry_begin(at, now));
        if ends_well {
            ok!(seen, iotsec_retry_connected(at, now));
            ok!(seen, iotsec_retry_tend(at, now + 300_000));
            ok!(seen, iotsec_retry_finish(at, now + 300_000));
        } else {
            ok!(seen, iotsec_retry_ended(at, IOTSEC_RETRY_BUSY, 1000, now));
        }
    }
    ok!(seen, iotsec_retry_repair(at, now));
    ok!(seen, iotsec_retry_close(at));
}
