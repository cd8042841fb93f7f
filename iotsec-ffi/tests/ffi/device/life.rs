//! From the factory to retirement, in order and out of it.
//!
//! SAFETY of every call: as in the module above.

use super::*;

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
    unit.reboot();
    let strange = |change: fn(&mut iotsec_setup_plan_t)| {
        let mut plan = PLAN;
        change(&mut plan);
        // SAFETY: see the top.
        unsafe { iotsec_setup_begin(unit.device.at(), &raw const plan) }
    };
    let without_network = strange(|plan| plan.online = 0);
    assert_eq!(without_network, IOTSEC_ERR_CONFIG, "and with an identity");
    assert_eq!(strange(|plan| plan.reserved = 1), IOTSEC_ERR_CONFIG);
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
    // SAFETY: see the top.
    let status = unsafe {
        let (at, out) = (unit.device.at(), serial.as_mut_ptr().cast());
        iotsec_device_serial(at, out, serial.len(), &raw mut len)
    };
    assert_eq!(status, IOTSEC_OK, "its index is as it was");
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
