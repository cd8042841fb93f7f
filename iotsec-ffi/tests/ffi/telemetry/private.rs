//! Reports, shares and sealed values: what C sends, Rust reads.

use std::ffi::c_char;

use iotsec::{
    core::crypto::hpke::Hpke,
    telemetry::{
        epsilon,
        privacy::Answer,
        registry::{Aggregate, MetricDef, Purpose},
    },
};
use iotsec_ffi::{
    counter::iotsec_counter_t,
    telemetry::{data_map::*, private::*},
};

use super::*;

pub(crate) const NIGHT: u16 = 1;
pub(crate) const LIT: u16 = 2;
const LOAD: u16 = 3;
const PERSONS: u16 = 4;
pub(crate) const NOW: u64 = 1_800_000_123;

pub(super) const AT_NIGHT: MetricDef = MetricDef::new(
    NIGHT,
    "on-at-night",
    "1",
    Purpose::Usage,
    "Tells whether the night mode is worth having",
    Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 1),
    },
);
pub(super) const LIT_FOR: MetricDef = MetricDef::new(
    LIT,
    "lit",
    "h",
    Purpose::Usage,
    "Tells how long lamps have to last",
    Aggregate::Sum { max: 24 },
);
pub(super) const LOAD_OF: MetricDef = MetricDef::new(
    LOAD,
    "load",
    "%",
    Purpose::Security,
    "Shows devices under attack",
    Aggregate::Laplace {
        min: -10,
        max: 90,
        epsilon: epsilon!(1 / 2),
    },
)
.handled(Handling::new("use@doors.example", "Doors Ltd", 30).until(2031, 12, 31));
pub(super) const SEEN: MetricDef = MetricDef::new(
    PERSONS,
    "persons",
    "1",
    Purpose::Usage,
    "Tells how busy doors are",
    Aggregate::Histogram(Buckets::new(&[1, 10, 60])),
);

/// The same in C.
pub(super) fn tables(
    labels: *const *const c_char,
    edges: *const i64,
    handling: *const iotsec_handling_t,
) -> [iotsec_metric_t; 4] {
    let night = iotsec_metric_t {
        id: NIGHT,
        reserved: 0,
        aggregate: IOTSEC_AGGREGATE_RESPONSE,
        purpose: IOTSEC_PURPOSE_USAGE,
        count: 2,
        name: c"on-at-night".as_ptr(),
        unit: c"1".as_ptr(),
        why: c"Tells whether the night mode is worth having".as_ptr(),
        min: 0,
        max: 0,
        epsilon: iotsec_epsilon_t { n: 1, d: 1 },
        labels,
        edges: ptr::null(),
        handling: ptr::null(),
    };
    let lit = iotsec_metric_t {
        id: LIT,
        aggregate: IOTSEC_AGGREGATE_SUM,
        name: c"lit".as_ptr(),
        unit: c"h".as_ptr(),
        why: c"Tells how long lamps have to last".as_ptr(),
        max: 24,
        labels: ptr::null(),
        ..night
    };
    let load = iotsec_metric_t {
        id: LOAD,
        aggregate: IOTSEC_AGGREGATE_LAPLACE,
        purpose: IOTSEC_PURPOSE_SECURITY,
        name: c"load".as_ptr(),
        unit: c"%".as_ptr(),
        why: c"Shows devices under attack".as_ptr(),
        min: -10,
        max: 90,
        epsilon: iotsec_epsilon_t { n: 2, d: 4 },
        handling,
        ..lit
    };
    let persons = iotsec_metric_t {
        id: PERSONS,
        aggregate: IOTSEC_AGGREGATE_HISTOGRAM,
        count: 3,
        name: c"persons".as_ptr(),
        why: c"Tells how busy doors are".as_ptr(),
        edges,
        ..night
    };
    [night, lit, load, persons]
}

const TASK_ID: [u8; 32] = [9; 32];
/// Prio3Sum up to 24, every hour.
const TASK: &[u8] = b"\x01t\0\x09https://l\0\x09https://h\0\0\0\0\0\0\x0e\x10\0\0\0\0\0\0\0d\x01\0\0\0\0\0\x02\0\x08\0\0\0\0\0\0\0\x18\0\0";
/// Public keys of the two servers, whose private ones are 1 and 2 throughout.
const LEADER: &[u8] = b"\0\x29\x07\0\x20\0\x01\0\x03\0\x20\xa4\xe0\x92\x92\xb6\x51\xc2\x78\xb9\x77\x2c\x56\x9f\x5f\xa9\xbb\x13\xd9\x06\xb4\x6a\xb6\x8c\x9d\xf9\xdc\x2b\x44\x09\xf8\xa2\x09";
const HELPER: &[u8] = b"\0\x29\x08\0\x20\0\x01\0\x03\0\x20\xce\x8d\x3a\xd1\xcc\xb6\x33\xec\x7b\x70\xc1\x78\x14\xa5\xc7\x6e\xcd\x02\x96\x85\x05\x0d\x34\x47\x45\xba\x05\x87\x0e\x58\x7d\x59";

pub(crate) fn task() -> iotsec_dap_task_t {
    iotsec_dap_task_t {
        struct_size: size_of::<iotsec_dap_task_t>() as u32,
        reserved: 0,
        id: TASK_ID.as_ptr(),
        configuration: TASK.as_ptr(),
        configuration_len: TASK.len(),
        leader: LEADER.as_ptr(),
        leader_len: LEADER.len(),
        helper: HELPER.as_ptr(),
        helper_len: HELPER.len(),
    }
}

unsafe extern "C" fn read(ctx: *mut c_void, value: *mut u64) -> i32 {
    // SAFETY: `ctx` is a live counter, and `value` as the header says.
    unsafe { *value = *ctx.cast::<u64>() };
    0
}

unsafe extern "C" fn advance_to(ctx: *mut c_void, value: u64) -> i32 {
    // SAFETY: as above.
    unsafe { *ctx.cast::<u64>() = value.max(*ctx.cast::<u64>()) };
    0
}

fn counter(at: *mut u64) -> iotsec_counter_t {
    iotsec_counter_t {
        struct_size: size_of::<iotsec_counter_t>() as u32,
        ctx: at.cast(),
        read: Some(read),
        advance_to: Some(advance_to),
    }
}

type Made = Result<Vec<u8>, iotsec_status_t>;

impl Bench {
    pub(crate) fn ledger(&self) -> iotsec_ledger_t {
        iotsec_ledger_t {
            struct_size: size_of::<iotsec_ledger_t>() as u32,
            renewals: 2,
            per_metric: iotsec_epsilon_t { n: 1, d: 1 },
            in_all: iotsec_epsilon_t { n: 3, d: 2 },
            counter: counter(self.spent.at()),
        }
    }

    /// A counter that others move, at `value`.
    pub(crate) fn periods(&self, value: u64) -> iotsec_counter_t {
        let counter = counter(self.periods.at());
        // SAFETY: it is live.
        assert_eq!(unsafe { advance_to(counter.ctx, value) }, 0);
        counter
    }

    fn format(&self) -> iotsec_status_t {
        let ledger = self.ledger();
        // SAFETY: see the top; here and below.
        unsafe { iotsec_telemetry_format_ledger(self.telemetry.at(), &raw const ledger) }
    }

    fn renew(&self) -> iotsec_status_t {
        let ledger = self.ledger();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_renew_ledger(self.telemetry.at(), &raw const ledger) }
    }

    fn renew_by(&self, value: u64) -> iotsec_status_t {
        let (ledger, periods) = (self.ledger(), self.periods(value));
        let at = self.telemetry.at();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_renew_ledger_by(at, &raw const ledger, &raw const periods) }
    }

    fn report(&self, metric: u16, value: iotsec_value_t, time_s: u64) -> Made {
        let (ledger, mut out, mut len) = (self.ledger(), [0xA5; IOTSEC_REPORT_MAX], 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_report(
                self.telemetry.at(),
                &raw const ledger,
                metric,
                &raw const value,
                time_s,
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        assert!(status == IOTSEC_OK || out == [0xA5; IOTSEC_REPORT_MAX]);
        if status == IOTSEC_OK {
            Ok(out[..len].to_vec())
        } else {
            Err(status)
        }
    }

    fn share(&self, task: &iotsec_dap_task_t, metric: u16, value: iotsec_value_t, room: usize) -> Made {
        let (mut out, mut len) = (vec![0; room], 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_share(
                self.telemetry.at(),
                task,
                metric,
                &raw const value,
                NOW,
                out.as_mut_ptr(),
                room,
                &raw mut len,
            )
        };
        match status {
            IOTSEC_OK => Ok(out[..len].to_vec()),
            IOTSEC_ERR_SHORT_BUFFER => Err(i32::try_from(len).unwrap()),
            refused => Err(refused),
        }
    }

    fn seal_value(&self, service: &iotsec_service_t, event: u16, value: iotsec_value_t) -> Made {
        let (mut out, mut len) = ([0; IOTSEC_SEALED_VALUE_MAX], 0);
        let (at, room) = (self.telemetry.at(), out.len());
        // SAFETY: as above.
        let status = unsafe {
            let (value, out) = (&raw const value, out.as_mut_ptr());
            iotsec_telemetry_seal_value(at, service, event, value, out, room, &raw mut len)
        };
        if status == IOTSEC_OK {
            Ok(out[..len].to_vec())
        } else {
            Err(status)
        }
    }

    /// Open, the usage granted, with a ledger.
    fn counting() -> Self {
        let bench = Self::opened();
        assert_eq!((bench.grant(), bench.format()), (IOTSEC_OK, IOTSEC_OK));
        bench
    }
}

fn usage(number: i64) -> iotsec_value_t {
    personal(number, IOTSEC_PURPOSE_USAGE)
}

#[test]
fn a_report_says_the_same_until_the_epoch_ends_and_no_more_than_is_paid_for() {
    let bench = Bench::counting();
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let report = bench.report(NIGHT, usage(1), 0).unwrap();
    let answer = Answer::read(&report, &registry).unwrap();
    assert!((0..=1).contains(&answer.value()));
    assert_eq!(report.len(), IOTSEC_REPORT_MAX - 7);
    bench.reopen();
    assert_eq!(bench.report(NIGHT, usage(1), 0).unwrap(), report);
    assert_eq!(
        bench.report(NIGHT, usage(0), 0),
        Err(IOTSEC_ERR_LEDGER_METRIC_EXHAUSTED)
    );
    // Half is left in all, and that is what the other costs.
    let load = bench.report(LOAD, plain(40), NOW).unwrap();
    assert_eq!(load.len(), IOTSEC_REPORT_MAX);
    assert_eq!(Answer::read(&load, &registry).unwrap().metric().id(), LOAD);
    assert_eq!(
        bench.report(LOAD, plain(41), NOW),
        Err(IOTSEC_ERR_LEDGER_EXHAUSTED)
    );
    // What is beyond counts as the bound: the same answer, paid for already once it was given.
    assert_eq!(bench.renew(), IOTSEC_OK);
    let most = bench.report(LOAD, plain(90), NOW).unwrap();
    assert_eq!(bench.report(LOAD, plain(i64::MAX), NOW).unwrap(), most);
    assert_ne!(bench.report(NIGHT, usage(1), 0).unwrap(), report);
}

#[test]
fn a_new_epoch_begins_as_often_as_allowed_and_not_for_nothing() {
    let bench = Bench::counting();
    assert_eq!(bench.renew_by(0), IOTSEC_ERR_LEDGER_NOT_RENEWED);
    assert_eq!(bench.renew_by(3), IOTSEC_OK);
    assert_eq!(bench.renew_by(3), IOTSEC_ERR_LEDGER_NOT_RENEWED);
    assert_eq!(bench.renew(), IOTSEC_OK);
    assert_eq!(bench.renew(), IOTSEC_ERR_LEDGER_NO_RENEWAL);
    let (ledger, mut renewals) = (bench.ledger(), 0);
    // SAFETY: as above.
    let told = unsafe {
        iotsec_telemetry_ledger_renewals(bench.telemetry.at(), &raw const ledger, &raw mut renewals)
    };
    assert_eq!((told, renewals), (IOTSEC_OK, 2));
}

#[test]
fn nothing_is_told_without_consent_ledger_or_the_flash_as_it_was() {
    let mut bench = Bench::opened();
    let night = |bench: &Bench| bench.report(NIGHT, usage(1), 0).err();
    assert_eq!(night(&bench), Some(IOTSEC_ERR_LEDGER_MISSING));
    assert_eq!(
        (bench.format(), bench.format()),
        (IOTSEC_OK, IOTSEC_ERR_LEDGER_EXISTS)
    );
    assert_eq!(night(&bench), Some(IOTSEC_ERR_NOISE_NOT_CONSENTED));
    assert_eq!(bench.grant(), IOTSEC_OK);
    let other = bench.report(NIGHT, personal(1, IOTSEC_PURPOSE_HEALTH), 0);
    assert_eq!(other, Err(IOTSEC_ERR_NOISE_NOT_CONSENTED));
    assert_eq!(bench.report(LOAD, usage(1), 0), Err(IOTSEC_ERR_NOISE_PURPOSE));
    assert_eq!(bench.report(NIGHT, personal(1, 3), 0), Err(IOTSEC_ERR_CONFIG));
    assert_eq!(bench.report(9, usage(1), 0), Err(IOTSEC_ERR_METRIC_UNDECLARED));
    assert_eq!(bench.report(LIT, usage(1), 0), Err(IOTSEC_ERR_METRIC_MECHANISM));
    // In 2032 the load is asked for no more.
    assert_eq!(
        bench.report(LOAD, plain(1), 1_960_000_000),
        Err(IOTSEC_ERR_NOISE_EXPIRED)
    );
    let old = bench.records.kept.clone();
    assert_eq!(night(&bench), None);
    bench.records.kept = old;
    assert_eq!(night(&bench), Some(IOTSEC_ERR_LEDGER_ROLLED_BACK));
    // The owner goes, and the key with them: what they were told is unreadable, and the next one begins anew.
    for id in OWNER..OWNER + 5 {
        bench.records.kept.remove(&id);
    }
    bench.reopen();
    assert_eq!(night(&bench), Some(IOTSEC_ERR_LEDGER_MISSING));
    assert_eq!((bench.format(), bench.grant()), (IOTSEC_OK, IOTSEC_OK));
    assert_eq!(night(&bench), None);
}

#[test]
fn a_ledger_that_cannot_be_saved_pays_for_nothing() {
    let mut bench = Bench::counting();
    bench.records.broken = Some(OWNER + 5);
    assert_eq!(bench.report(NIGHT, usage(1), 0), Err(IOTSEC_ERR_FLASH_DRIVER));
    bench.records.broken = None;
    assert!(bench.report(NIGHT, usage(0), 0).is_ok());
    let mut ledger = bench.ledger();
    let format = |ledger: &iotsec_ledger_t| {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_format_ledger(bench.telemetry.at(), ledger) }
    };
    ledger.in_all.d = 0;
    assert_eq!(format(&ledger), IOTSEC_ERR_EPSILON_ZERO);
    ledger = bench.ledger();
    ledger.counter.read = None;
    assert_eq!(format(&ledger), IOTSEC_ERR_NULL);
    ledger.struct_size += 8;
    assert_eq!(format(&ledger), IOTSEC_ERR_CONFIG);
}

#[test]
fn shares_are_sealed_to_two_servers_one_each() {
    let bench = Bench::counting();
    let needed = usize::try_from(bench.share(&task(), LIT, usage(7), 0).unwrap_err()).unwrap();
    assert_eq!(
        bench.share(&task(), LIT, usage(7), needed - 1),
        Err(i32::try_from(needed).unwrap())
    );
    let report = bench.share(&task(), LIT, usage(7), needed).unwrap();
    assert_eq!(report.len(), needed - TASK_ID.len() - TASK.len());
    // Identifier and time, no extension, no public share, then the leader's part under its key and the helper's.
    assert_eq!(report[16..24], (NOW / 3600).to_be_bytes());
    assert_eq!(report[24..31], [0, 0, 0, 0, 0, 0, 7]);
    let authenticated = [&TASK_ID[..], TASK, &report[..30]].concat();
    let suite = hpke::X25519_CHACHA20_POLY1305;
    let mut rest = &report[30..];
    for (id, role, private) in [(7, 2, [1; 32]), (8, 3, [2; 32])] {
        assert_eq!(rest[..3], [id, 0, 32]);
        let (key, len) = (&rest[3..35], u32::from_be_bytes(rest[35..39].try_into().unwrap()));
        let len = usize::try_from(len).unwrap();
        let sealed = [key, &rest[39..39 + len]].concat();
        let info = [&b"dap-18 input share"[..], &[1, role]].concat();
        let secret = X25519Key::from_scalar(&Secret::from_bytes(private));
        let mut plain = vec![0; sealed.len()];
        let opened = open(&suite, &secret, &info, &authenticated, &sealed, &mut plain);
        // No extensions, and the share with its length.
        assert_eq!(opened[..2], [0, 0]);
        assert_eq!(
            opened.len(),
            6 + usize::from(opened[5]) + 256 * usize::from(opened[4])
        );
        rest = &rest[39 + len..];
    }
    assert!(rest.is_empty());
}

fn open<'p>(
    suite: &Hpke<'_, X25519Key>,
    secret: &X25519Key,
    info: &[u8],
    authenticated: &[u8],
    sealed: &[u8],
    plain: &'p mut [u8],
) -> &'p [u8] {
    suite.open(secret, info, authenticated, sealed, plain).unwrap()
}

#[test]
fn what_two_servers_are_not_to_add_up_is_not_split() {
    let bench = Bench::counting();
    let room = 1024;
    let refused = |metric, value| bench.share(&task(), metric, value, room).unwrap_err();
    assert_eq!(refused(LIT, usage(25)), IOTSEC_ERR_PRIO3_OUT_OF_BOUNDS);
    assert_eq!(refused(LIT, usage(-1)), IOTSEC_ERR_PRIO3_OUT_OF_BOUNDS);
    assert_eq!(refused(PERSONS, usage(12)), IOTSEC_ERR_DAP_VDAF);
    assert_eq!(refused(NIGHT, usage(1)), IOTSEC_ERR_PRIO3_AGGREGATE);
    assert_eq!(refused(8, usage(1)), IOTSEC_ERR_METRIC_UNDECLARED);
    assert_eq!(refused(LIT, personal(1, 3)), IOTSEC_ERR_CONFIG);
    assert_eq!(
        refused(LIT, personal(1, IOTSEC_PURPOSE_HEALTH)),
        IOTSEC_ERR_RECORD_NOT_CONSENTED
    );
    let with = |change: &dyn Fn(&mut iotsec_dap_task_t)| {
        let mut task = task();
        change(&mut task);
        bench.share(&task, LIT, usage(7), room).unwrap_err()
    };
    assert_eq!(
        with(&|task| task.configuration_len -= 1),
        IOTSEC_ERR_DAP_MALFORMED
    );
    assert_eq!(with(&|task| task.helper = task.leader), IOTSEC_ERR_DAP_SAME_KEY);
    assert_eq!(with(&|task| task.reserved = 1), IOTSEC_ERR_CONFIG);
    assert_eq!(with(&|task| task.struct_size += 8), IOTSEC_ERR_CONFIG);
    for null in [
        |task: &mut iotsec_dap_task_t| task.id = ptr::null(),
        |task: &mut iotsec_dap_task_t| task.configuration = ptr::null(),
        |task: &mut iotsec_dap_task_t| task.leader = ptr::null(),
        |task: &mut iotsec_dap_task_t| task.helper = ptr::null(),
    ] {
        assert_eq!(with(&null), IOTSEC_ERR_NULL);
    }
    assert_eq!(bench.withdraw(), IOTSEC_OK);
    assert_eq!(refused(LIT, usage(7)), IOTSEC_ERR_RECORD_NOT_CONSENTED);
    assert_eq!(refused(LIT, plain(7)), IOTSEC_ERR_PRIO3_NOT_CONSENTED);
}

#[test]
fn a_value_is_sealed_to_the_one_who_may_read_it() {
    let bench = Bench::counting();
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let sealed = bench.seal_value(&shared(), 5, usage(62)).unwrap();
    let secret = Secret::from_bytes(SHARED);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    assert_eq!(key.open_value(&sealed, &registry).unwrap().raw(), 62);
    for (event, value, status) in [
        (5, usage(101), IOTSEC_ERR_RECORD_OUT_OF_BOUNDS),
        (5, plain(1), IOTSEC_ERR_CONFIG),
        (
            5,
            personal(1, IOTSEC_PURPOSE_HEALTH),
            IOTSEC_ERR_RECORD_NOT_CONSENTED,
        ),
        (2, usage(1), IOTSEC_ERR_RECORD_ARITY),
        (4, usage(1), IOTSEC_ERR_RECORD_UNDECLARED),
    ] {
        assert_eq!(
            bench.seal_value(&shared(), event, value),
            Err(status),
            "{event} {value:?}"
        );
    }
}

#[test]
fn the_data_map_is_that_of_the_tables() {
    let bench = Bench::opened();
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let map = iotsec::telemetry::data_map::DataMap::new("Door 3", &registry);
    let (mut json, mut page) = (String::new(), String::new());
    map.write_json(&mut json).unwrap();
    map.write_page(&mut page).unwrap();
    for (expected, write) in [
        (
            json,
            iotsec_telemetry_data_map_json as unsafe extern "C" fn(_, _, _, _, _, _) -> _,
        ),
        (page, iotsec_telemetry_data_map_page),
    ] {
        let (mut len, at, product) = (0, bench.telemetry.at(), c"Door 3".as_ptr());
        let mut text = vec![0u8; expected.len()];
        // SAFETY: as above.
        unsafe {
            let asked: iotsec_status_t = write(at, product, 6, ptr::null_mut(), 0, &raw mut len);
            assert_eq!((asked, len), (IOTSEC_ERR_SHORT_BUFFER, expected.len()));
            let done = write(at, product, 6, text.as_mut_ptr().cast(), len, &raw mut len);
            assert_eq!(done, IOTSEC_OK);
        }
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
