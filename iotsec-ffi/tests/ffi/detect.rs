//! Detectors and a guard through C pointers.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

mod guard;

use std::ptr;

use iotsec_ffi::{
    detect::{feed::*, *},
    record::iotsec_record_t,
    status::*,
    surface::*,
};

use crate::{
    board::Fixed,
    login::zeroed,
    surface::TELNET,
    telemetry::{Records, record},
};

const HOUR: u64 = 3_600_000;

/// A detector of one kind with a record, and nothing else.
pub(crate) fn config(
    kind: iotsec_detector_kind_t,
    record: *const iotsec_record_t,
) -> iotsec_detector_config_t {
    iotsec_detector_config_t {
        struct_size: size_of::<iotsec_detector_config_t>() as u32,
        kind,
        number: 3,
        ceiling: 500,
        period_ms: HOUR,
        floor_s: 1_790_000_000,
        record,
    }
}

/// A detector in memory that never moves, and the record that outlives it.
struct Watch {
    detector: Fixed<iotsec_detector_t>,
    records: Fixed<Records>,
    kind: iotsec_detector_kind_t,
}

/// What a call found: the event and its values.
type Found = Result<Option<(u16, Vec<i64>)>, iotsec_status_t>;

fn found(call: impl FnOnce(*mut iotsec_detected_t) -> iotsec_status_t) -> Found {
    const UNTOUCHED: u16 = 0x5EED;
    let mut found: iotsec_detected_t = zeroed();
    found.event = UNTOUCHED;
    match call(&raw mut found) {
        IOTSEC_OK if found.event == 0 => {
            assert_eq!(found.value_count, 0);
            Ok(None)
        }
        IOTSEC_OK => {
            assert!(found.values.iter().all(|value| value.personal == 0));
            let values = &found.values[..found.value_count.into()];
            Ok(Some((
                found.event,
                values.iter().map(|value| value.number).collect(),
            )))
        }
        refused => {
            assert_eq!(found.event, UNTOUCHED, "refused and wrote");
            Err(refused)
        }
    }
}

impl Watch {
    fn of(kind: iotsec_detector_kind_t) -> Self {
        let watch = Self {
            detector: Fixed::new(zeroed()),
            records: Fixed::new(Records::default()),
            kind,
        };
        assert_eq!(watch.open(0), IOTSEC_OK);
        watch
    }

    fn open(&self, uptime_ms: u64) -> iotsec_status_t {
        let record = record(&self.records, 1);
        self.open_as(&config(self.kind, &raw const record), uptime_ms)
    }

    fn open_as(&self, config: &iotsec_detector_config_t, uptime_ms: u64) -> iotsec_status_t {
        // SAFETY: see the top; here and below.
        unsafe { iotsec_detector_open(self.detector.at(), config, uptime_ms) }
    }

    fn close(&self) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_detector_close(self.detector.at()) }
    }

    fn reboot(&self) {
        assert_eq!((self.close(), self.open(0)), (IOTSEC_OK, IOTSEC_OK));
    }

    fn started(&self, restart: iotsec_restart_t) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_started(self.detector.at(), restart, found) })
    }

    fn happened(&self, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_happened(self.detector.at(), uptime_ms, found) })
    }

    fn counted(&self, units: u32, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_counted(self.detector.at(), units, uptime_ms, found) })
    }

    fn failed(&self, error: iotsec_status_t, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_failed(self.detector.at(), error, uptime_ms, found) })
    }

    fn refused(&self, error: iotsec_status_t, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_refused(self.detector.at(), error, uptime_ms, found) })
    }

    fn changed(&self, component: i32, error: iotsec_status_t) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_changed(self.detector.at(), component, error, 0, found) })
    }

    fn listens(&self, listener: &iotsec_listener_t) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_listens(self.detector.at(), listener, 0, found) })
    }

    fn clock(&self, uptime_ms: u64, time_s: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_clock(self.detector.at(), uptime_ms, time_s, found) })
    }

    fn proved(&self, uptime_ms: u64, time_s: u64) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_detector_proved(self.detector.at(), uptime_ms, time_s) }
    }

    fn drawn(&self, bytes: &[u8]) -> Found {
        let (at, from, len) = (self.detector.at(), bytes.as_ptr(), bytes.len());
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_drawn(at, from, len, 0, found) })
    }

    fn worn(&self, percent: u8) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_worn(self.detector.at(), percent, found) })
    }

    fn tend(&self, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_detector_tend(self.detector.at(), uptime_ms, found) })
    }

    fn call(&self, call: unsafe extern "C" fn(*mut iotsec_detector_t) -> iotsec_status_t) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { call(self.detector.at()) }
    }

    /// Whether it is alarmed, and whether it learns.
    fn status(&self) -> (i32, i32) {
        let mut status: iotsec_detector_status_t = zeroed();
        // SAFETY: as above.
        let told = unsafe { iotsec_detector_status(self.detector.at(), &raw mut status) };
        assert_eq!(told, IOTSEC_OK);
        (status.is_alarmed, status.is_learning)
    }
}

#[test]
fn a_burst_of_wrong_passwords_is_found_and_so_is_one_guess_in_half_an_hour() {
    let burst = Watch::of(IOTSEC_DETECTOR_AUTH_BURST);
    for second in 0..4 {
        assert_eq!(burst.happened(second * 1000), Ok(None));
    }
    let reported = Some((IOTSEC_DETECTED_AUTH_BURST, vec![3, 5]));
    assert_eq!(burst.happened(4000), Ok(reported));

    let slow = Watch::of(IOTSEC_DETECTOR_AUTH_SLOW);
    let first = (1..).find_map(|guess| {
        slow.happened(guess * HOUR / 2)
            .unwrap()
            .map(|found| (guess, found))
    });
    let (guess, (event, values)) = first.unwrap();
    assert_eq!((guess / 2, event, values[0]), (7, IOTSEC_DETECTED_AUTH_SLOW, 3));
    assert_eq!(slow.status(), (1, 0));
    // Hours in which nothing happens end it.
    assert!(slow.tend(100 * HOUR).is_ok());
    assert_eq!(slow.status(), (0, 0));
}

#[test]
fn a_boot_loop_is_found_at_its_third_restart_and_restarts_that_were_asked_for_are_none() {
    let watch = Watch::of(IOTSEC_DETECTOR_BOOT_LOOP);
    let boot = |restart| {
        watch.reboot();
        watch.started(restart)
    };
    assert_eq!(boot(IOTSEC_RESTART_UNASKED), Ok(None));
    assert_eq!(boot(IOTSEC_RESTART_WATCHDOG), Ok(None));
    assert_eq!(
        boot(IOTSEC_RESTART_UNASKED),
        Ok(Some((IOTSEC_DETECTED_BOOT_LOOP, vec![3])))
    );
    assert_eq!(
        watch.started(IOTSEC_RESTART_UNASKED),
        Err(IOTSEC_ERR_STATE),
        "told twice"
    );
    assert_eq!(boot(IOTSEC_RESTART_ASKED), Ok(None));
    assert_eq!(boot(IOTSEC_RESTART_UNASKED), Ok(None));
    assert_eq!(boot(3), Err(IOTSEC_ERR_CONFIG));
    // Not told yet: there is nothing to end.
    assert_eq!(watch.tend(HOUR), Ok(None));
    assert_eq!(watch.started(IOTSEC_RESTART_UNASKED), Ok(None));
    assert_eq!(watch.tend(HOUR), Ok(None));
    assert_eq!(watch.records.kept[&1], [0, 0xFF], "ten minutes end the count");
}

#[test]
fn a_count_of_restarts_that_cannot_be_kept_is_not_told() {
    let mut watch = Watch::of(IOTSEC_DETECTOR_WATCHDOG);
    watch.records.broken = Some(1);
    assert_eq!(
        watch.started(IOTSEC_RESTART_WATCHDOG),
        Err(IOTSEC_ERR_FLASH_DRIVER)
    );
    watch.records.broken = None;
    let found = Some((IOTSEC_DETECTED_WATCHDOG, vec![1]));
    assert_eq!(watch.started(IOTSEC_RESTART_WATCHDOG), Ok(found));
    watch.records.broken = Some(1);
    assert_eq!(watch.tend(25 * HOUR), Err(IOTSEC_ERR_FLASH_DRIVER));
    watch.records.broken = None;
    assert_eq!(watch.tend(25 * HOUR), Ok(None));
    assert_eq!(watch.records.kept[&1], [0, 0xFF]);
    // One that is not as written counts as no restarts, of whatever length it is.
    for damaged in [vec![9, 9], vec![1], vec![7; 60]] {
        watch.records.kept.insert(1, damaged);
        watch.reboot();
        let found = Some((IOTSEC_DETECTED_WATCHDOG, vec![1]));
        assert_eq!(watch.started(IOTSEC_RESTART_WATCHDOG), Ok(found));
    }
}

#[test]
fn what_is_usual_is_learned_in_a_week_and_kept_over_a_reboot() {
    let watch = Watch::of(IOTSEC_DETECTOR_TRAFFIC);
    let mut reported = Vec::new();
    for hour in 0..200u32 {
        let units = if hour < 190 { 20 + hour % 5 } else { 400 };
        reported.extend(watch.counted(units, u64::from(hour) * HOUR + 60_000).unwrap());
    }
    assert_eq!(reported.len(), 3, "after 3, 4 and 6 hours of it: {reported:?}");
    assert!(
        reported
            .iter()
            .all(|(event, values)| *event == IOTSEC_DETECTED_TRAFFIC && values[0] == 3)
    );
    assert_eq!(watch.status(), (1, 0));
    assert_eq!(watch.call(iotsec_detector_keep), IOTSEC_OK);
    watch.reboot();
    assert_eq!(watch.status(), (0, 0), "it has learned before");
    // Under another ceiling, or without the record, it learns anew.
    watch.close();
    assert_eq!(
        watch.open_as(&config(IOTSEC_DETECTOR_TRAFFIC, ptr::null()), 0),
        IOTSEC_OK
    );
    assert_eq!(watch.status(), (0, 1));
    let before = watch.records.kept.clone();
    assert_eq!(watch.call(iotsec_detector_keep), IOTSEC_OK);
    assert_eq!(watch.records.kept, before, "there is nowhere to keep it");
}

#[test]
fn broken_connections_and_refused_servers_are_counted_by_the_hour() {
    for (kind, event) in [
        (IOTSEC_DETECTOR_RECONNECTS, IOTSEC_DETECTED_RECONNECTS),
        (IOTSEC_DETECTOR_TLS_REJECTS, IOTSEC_DETECTED_TLS_REJECTS),
    ] {
        let watch = Watch::of(kind);
        watch.close();
        let few = iotsec_detector_config_t {
            ceiling: 2,
            ..config(kind, ptr::null())
        };
        assert_eq!(watch.open_as(&few, 0), IOTSEC_OK);
        let mut minutes = 0..600u64;
        let first = minutes.find_map(|minute| watch.happened(minute * 60_000).unwrap());
        assert_eq!(first.unwrap().0, event);
        assert_eq!(watch.status(), (1, 1));
    }
}

#[test]
fn what_must_never_happen_is_told_at_once() {
    let updates = Watch::of(IOTSEC_DETECTOR_UPDATES);
    let refusal = Some((IOTSEC_DETECTED_UPDATE_REFUSED, vec![2301, 1]));
    assert_eq!(updates.refused(2301, 0), Ok(refusal.clone()));
    assert_eq!(updates.call(iotsec_detector_cleared), IOTSEC_OK);
    assert_eq!(updates.refused(2301, 0), Ok(refusal));
    assert_eq!(
        (updates.failed(5402, 1), updates.failed(5402, 2)),
        (Ok(None), Ok(None))
    );
    assert_eq!(updates.call(iotsec_detector_fetched), IOTSEC_OK);
    assert_eq!(
        (updates.failed(5402, 3), updates.failed(5402, 4)),
        (Ok(None), Ok(None))
    );
    let away = Some((IOTSEC_DETECTED_UPDATE_UNREACHABLE, vec![5402, 3]));
    assert_eq!(updates.failed(5402, 5), Ok(away));

    let integrity = Watch::of(IOTSEC_DETECTOR_INTEGRITY);
    assert_eq!(
        integrity.changed(-1, 2401),
        Ok(Some((IOTSEC_DETECTED_INTEGRITY, vec![255, 2401])))
    );
    assert_eq!(
        integrity.changed(254, 2401),
        Ok(Some((IOTSEC_DETECTED_INTEGRITY, vec![254, 2401])))
    );
    assert_eq!(integrity.status(), (1, 0));
    assert_eq!(integrity.call(iotsec_detector_cleared), IOTSEC_OK);
    assert_eq!(integrity.status(), (0, 0));
    for (component, error) in [(-2, 1), (255, 1), (0, 0), (0, -1), (0, 65_536)] {
        assert_eq!(integrity.changed(component, error), Err(IOTSEC_ERR_CONFIG));
    }

    let entropy = Watch::of(IOTSEC_DETECTOR_ENTROPY);
    assert_eq!(entropy.drawn(&[0, 1, 2, 3]), Ok(None));
    let stuck = vec![i64::from(IOTSEC_ERR_ENTROPY_STUCK), 1];
    assert_eq!(
        entropy.drawn(&[0xA5; 32]),
        Ok(Some((IOTSEC_DETECTED_ENTROPY, stuck)))
    );
    assert_eq!(entropy.status(), (1, 0));
    assert_eq!(entropy.call(iotsec_detector_cleared), IOTSEC_OK);
    assert_eq!(
        entropy.failed(7, 0),
        Ok(Some((IOTSEC_DETECTED_ENTROPY, vec![7, 1])))
    );

    let storage = Watch::of(IOTSEC_DETECTOR_STORAGE);
    assert_eq!(
        storage.failed(3107, 0),
        Ok(Some((IOTSEC_DETECTED_STORAGE_FAILED, vec![3107, 1])))
    );
    assert_eq!(storage.worn(79), Ok(None));
    assert_eq!(
        storage.worn(83),
        Ok(Some((IOTSEC_DETECTED_STORAGE_WORN, vec![83])))
    );
}

#[test]
fn a_socket_is_told_once_and_again_when_it_comes_back_and_a_clock_that_goes_back_is_told() {
    let listeners = Watch::of(IOTSEC_DETECTOR_LISTENERS);
    let telnet = Some((IOTSEC_DETECTED_LISTENER, vec![0, 23]));
    assert_eq!(listeners.listens(&TELNET), Ok(telnet.clone()));
    assert_eq!(listeners.call(iotsec_detector_looked), IOTSEC_OK);
    assert_eq!(listeners.listens(&TELNET), Ok(None));
    assert_eq!(listeners.status(), (1, 0));
    for _ in 0..2 {
        assert_eq!(listeners.call(iotsec_detector_looked), IOTSEC_OK);
    }
    assert_eq!(listeners.status(), (0, 0));
    assert_eq!(listeners.listens(&TELNET), Ok(telnet));
    let reserved = iotsec_listener_t {
        reserved: 1,
        ..TELNET
    };
    assert_eq!(listeners.listens(&reserved), Err(IOTSEC_ERR_CONFIG));
    let path = b"/run/debug.sock";
    let unix = iotsec_listener_t {
        kind: IOTSEC_INTERFACE_UNIX,
        path: path.as_ptr(),
        path_len: path.len(),
        ..TELNET
    };
    assert_eq!(listeners.listens(&unix).unwrap().unwrap().1[0], 4);
    for (kind, transport) in [
        (IOTSEC_INTERFACE_UDP, 1),
        (IOTSEC_INTERFACE_RAW, 2),
        (IOTSEC_INTERFACE_PACKET, 3),
    ] {
        let found = listeners.listens(&iotsec_listener_t { kind, ..TELNET });
        assert_eq!(found, Ok(Some((IOTSEC_DETECTED_LISTENER, vec![transport, 23]))));
    }
    let wrong = iotsec_listener_t {
        kind: IOTSEC_INTERFACE_ENDPOINT,
        ..TELNET
    };
    assert_eq!(listeners.listens(&wrong), Err(IOTSEC_ERR_CONFIG));
    let wrong = iotsec_listener_t {
        number: 65_536,
        ..TELNET
    };
    assert_eq!(listeners.listens(&wrong), Err(IOTSEC_ERR_CONFIG));

    let clock = Watch::of(IOTSEC_DETECTOR_CLOCK);
    assert_eq!(clock.clock(10_000, 1_800_000_000), Ok(None));
    let back = Some((IOTSEC_DETECTED_CLOCK_ROLLBACK, vec![1020]));
    assert_eq!(clock.clock(30_000, 1_799_999_000), Ok(back));
    assert_eq!(clock.proved(40_000, 1_799_999_010), IOTSEC_OK);
    assert_eq!(clock.clock(50_000, 1_799_999_020), Ok(None));
    assert!(clock.clock(60_000, 5).unwrap().is_some(), "before the floor");
}

#[test]
fn a_detector_takes_what_belongs_to_its_kind_and_a_configuration_within_bounds() {
    for kind in 1..=13 {
        let watch = Watch::of(kind);
        let takes = [
            (watch.started(0).is_ok(), &[4, 5][..]),
            (watch.happened(0).is_ok(), &[1, 2, 10, 11]),
            (watch.counted(1, 0).is_ok(), &[9]),
            (watch.failed(1, 0).is_ok(), &[3, 12, 13]),
            (watch.refused(1, 0).is_ok(), &[3]),
            (watch.call(iotsec_detector_fetched) == IOTSEC_OK, &[3]),
            (watch.changed(0, 1).is_ok(), &[6]),
            (watch.call(iotsec_detector_cleared) == IOTSEC_OK, &[3, 6, 12]),
            (watch.listens(&TELNET).is_ok(), &[7]),
            (watch.call(iotsec_detector_looked) == IOTSEC_OK, &[7]),
            (watch.clock(0, 1_800_000_000).is_ok(), &[8]),
            (watch.proved(0, 1_800_000_000) == IOTSEC_OK, &[8]),
            (watch.drawn(&[1]).is_ok(), &[12]),
            (watch.worn(1).is_ok(), &[13]),
        ];
        for (at, (taken, kinds)) in takes.into_iter().enumerate() {
            assert_eq!(taken, kinds.contains(&kind), "kind {kind}, call {at}");
        }
        assert_eq!(watch.worn(1).err().unwrap_or(IOTSEC_ERR_STATE), IOTSEC_ERR_STATE);
        assert_eq!(watch.call(iotsec_detector_keep), IOTSEC_OK);
        assert_eq!(watch.open(0), IOTSEC_ERR_STATE, "twice");
        assert_eq!(watch.close(), IOTSEC_OK);
        assert_eq!(watch.call(iotsec_detector_keep), IOTSEC_ERR_STATE, "closed");
        let needs_a_record = [4, 5].contains(&kind);
        let expected = if needs_a_record {
            IOTSEC_ERR_NULL
        } else {
            IOTSEC_OK
        };
        assert_eq!(watch.open_as(&config(kind, ptr::null()), 0), expected);
        watch.close();
    }
    let watch = Watch::of(IOTSEC_DETECTOR_TRAFFIC);
    watch.close();
    let changes: [fn(&mut iotsec_detector_config_t); 7] = [
        |config| config.kind = 0,
        |config| config.kind = 14,
        |config| config.struct_size -= 1,
        |config| config.number = 16,
        |config| config.ceiling = 65_536,
        |config| config.period_ms = 59_999,
        |config| config.period_ms = 604_800_001,
    ];
    for change in changes {
        let mut config = config(IOTSEC_DETECTOR_TRAFFIC, ptr::null());
        change(&mut config);
        assert_eq!(watch.open_as(&config, 0), IOTSEC_ERR_CONFIG);
    }
    let mut record = record(&watch.records, 1);
    record.load = None;
    let config = config(IOTSEC_DETECTOR_TRAFFIC, &raw const record);
    assert_eq!(watch.open_as(&config, 0), IOTSEC_ERR_NULL);
}
