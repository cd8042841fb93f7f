//! Telemetry through C pointers: what C seals, Rust opens.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

mod detected;
pub(crate) mod private;
pub(crate) mod shares;

use std::{collections::BTreeMap, ffi::c_void, ptr, slice};

use embedded_storage::nor_flash::ReadNorFlash;
use iotsec::core::{
    crypto::{ChaCha20Poly1305, Ed25519SigningKey, HkdfSha256, KeyAgreement, Sha256, Sign, X25519Key, hpke},
    hal::UnixTime,
    secret::Secret,
};
use iotsec::telemetry::{
    batch::{BatchKey, ServiceSecret},
    deletion::{Deleted, Remains, Request},
    registry,
    registry::{Buckets, Class, EventDef, Field, Handling},
};
use iotsec_ffi::{
    record::*,
    signer::IOTSEC_KEY_ED25519,
    status::*,
    telemetry::{batch::*, config::*, consent::*, deletion::*, registry::*, *},
    update::config::iotsec_trust_anchor_t,
};
use iotsec_testkit::Power;

use crate::{
    board::{Board, Fixed},
    login::zeroed,
};

pub(crate) const SHARED: [u8; 32] = [9; 32];
const PRIVATE: [u8; 32] = [7; 32];
const OWNER: u64 = 0x100;
const DEVICE: u64 = 0x200;
const FIRST_PAGE: u32 = 6;
const PAGES: u32 = 10;

// The same in Rust, as the service knows it.
const LOGIN: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[
        Field::choice("interface", &["web", "radio"]),
        Field::number("attempts", "1", 1, 255),
    ],
);
const DOOR: EventDef = EventDef::new(
    2,
    "door.open",
    Class::Usage,
    "Tells how long doors stay open",
    &[
        Field::bucket("open", "min", Buckets::new(&[1, 10, 60])),
        Field::number("times", "1", 0, 100),
    ],
)
.handled(Handling::new("use@doors.example", "Doors Ltd", 30).until(2031, 12, 31));
const FORCED: EventDef = EventDef::new(3, "lock.forced", Class::Critical, "Calls for help", &[]);
const PULSE: EventDef = EventDef::new(
    5,
    "pulse",
    Class::Usage,
    "Shows the owner how often it was used",
    &[Field::number("times", "1", 0, 100)],
);
registry!(
    static PRODUCT = [LOGIN, DOOR, FORCED, PULSE],
    metrics [private::AT_NIGHT, private::LIT_FOR, private::LOAD_OF, private::SEEN],
    handling Handling::new("data@doors.example", "Doors Ltd", 90)
);

/// Records in memory. A save to `broken` fails.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) kept: BTreeMap<u64, Vec<u8>>,
    pub(crate) broken: Option<u64>,
}

/// One of them, as C has it.
pub(crate) fn record(records: &Fixed<Records>, id: u64) -> iotsec_record_t {
    iotsec_record_t {
        struct_size: size_of::<iotsec_record_t>() as u32,
        id,
        ctx: records.at().cast(),
        load: Some(load),
        save: Some(save),
    }
}

unsafe extern "C" fn load(ctx: *mut c_void, id: u64, bytes: *mut u8, size: usize, len: *mut usize) -> i32 {
    // SAFETY: `ctx` is a live `Records`, and the rest is as the header says; here and below.
    let (records, bytes, len) = unsafe {
        (
            &*ctx.cast::<Records>(),
            slice::from_raw_parts_mut(bytes, size),
            &mut *len,
        )
    };
    match records.kept.get(&id) {
        None => IOTSEC_RECORD_ABSENT,
        Some(kept) if kept.len() > size => IOTSEC_ERR_SHORT_BUFFER,
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
    if records.broken == Some(id) {
        return IOTSEC_ERR_FLASH_DRIVER;
    }
    records.kept.insert(id, bytes.to_vec());
    IOTSEC_OK
}

/// A device, its tables as C has them, and telemetry in memory that never moves.
pub(crate) struct Bench {
    board: Board,
    records: Fixed<Records>,
    pub(crate) telemetry: Fixed<iotsec_telemetry_t>,
    arena: Fixed<[u64; ARENA]>,
    edges: Fixed<[i64; 3]>,
    labels: Fixed<[*const std::ffi::c_char; 2]>,
    fields: Fixed<[iotsec_event_field_t; 5]>,
    handling: Fixed<iotsec_handling_t>,
    events: Fixed<[iotsec_event_t; 4]>,
    answers: Fixed<[*const std::ffi::c_char; 2]>,
    metrics: Fixed<[iotsec_metric_t; 4]>,
    /// The ledger's own, which is no other's.
    spent: Fixed<u64>,
    periods: Fixed<u64>,
}

/// More than the tables take.
const ARENA: usize = 512;

impl Bench {
    pub(crate) fn new() -> Self {
        let edges = Fixed::new([1, 10, 60]);
        let labels = Fixed::new([c"web".as_ptr(), c"radio".as_ptr()]);
        let empty = iotsec_event_field_t {
            kind: 0,
            count: 0,
            name: ptr::null(),
            unit: c"1".as_ptr(),
            min: 0,
            max: 0,
            labels: ptr::null(),
            edges: ptr::null(),
        };
        let fields = Fixed::new([
            iotsec_event_field_t {
                kind: IOTSEC_FIELD_CHOICE,
                count: 2,
                name: c"interface".as_ptr(),
                labels: labels.at().cast(),
                ..empty
            },
            iotsec_event_field_t {
                kind: IOTSEC_FIELD_NUMBER,
                name: c"attempts".as_ptr(),
                min: 1,
                max: 255,
                ..empty
            },
            iotsec_event_field_t {
                kind: IOTSEC_FIELD_BUCKET,
                count: 3,
                name: c"open".as_ptr(),
                unit: c"min".as_ptr(),
                edges: edges.at().cast(),
                ..empty
            },
            iotsec_event_field_t {
                kind: IOTSEC_FIELD_NUMBER,
                name: c"times".as_ptr(),
                max: 100,
                ..empty
            },
            iotsec_event_field_t {
                kind: IOTSEC_FIELD_NUMBER,
                name: c"times".as_ptr(),
                max: 100,
                ..empty
            },
        ]);
        let handling = Fixed::new(iotsec_handling_t {
            owner: c"use@doors.example".as_ptr(),
            recipient: c"Doors Ltd".as_ptr(),
            kept_days: 30,
            last_year: 2031,
            last_month: 12,
            last_day: 31,
        });
        let login = iotsec_event_t {
            id: 1,
            field_count: 2,
            event_class: IOTSEC_EVENT_SECURITY,
            name: c"login.failed".as_ptr(),
            why: c"Shows attacks on the password".as_ptr(),
            fields: fields.at().cast(),
            handling: ptr::null(),
        };
        let door = iotsec_event_t {
            id: 2,
            field_count: 2,
            event_class: IOTSEC_EVENT_USAGE,
            name: c"door.open".as_ptr(),
            why: c"Tells how long doors stay open".as_ptr(),
            fields: fields.at().cast::<iotsec_event_field_t>().wrapping_add(2),
            handling: handling.at(),
        };
        let forced = iotsec_event_t {
            id: 3,
            field_count: 0,
            event_class: IOTSEC_EVENT_CRITICAL,
            name: c"lock.forced".as_ptr(),
            why: c"Calls for help".as_ptr(),
            fields: ptr::null(),
            handling: ptr::null(),
        };
        let pulse = iotsec_event_t {
            id: 5,
            field_count: 1,
            event_class: IOTSEC_EVENT_USAGE,
            name: c"pulse".as_ptr(),
            why: c"Shows the owner how often it was used".as_ptr(),
            fields: fields.at().cast::<iotsec_event_field_t>().wrapping_add(4),
            handling: ptr::null(),
        };
        let answers = Fixed::new([c"no".as_ptr(), c"yes".as_ptr()]);
        let metrics = Fixed::new(private::tables(
            answers.at().cast(),
            edges.at().cast(),
            handling.at(),
        ));
        Self {
            board: Board::new(),
            records: Fixed::new(Records::default()),
            telemetry: Fixed::new(zeroed()),
            arena: Fixed::new([0; ARENA]),
            edges,
            labels,
            fields,
            handling,
            events: Fixed::new([login, door, forced, pulse]),
            answers,
            metrics,
            spent: Fixed::new(0),
            periods: Fixed::new(0),
        }
    }

    /// One that is open and purged.
    fn opened() -> Self {
        let bench = Self::new();
        assert_eq!(bench.open(), IOTSEC_OK);
        bench.purge();
        bench
    }

    pub(crate) fn config(&self) -> iotsec_telemetry_config_t {
        let record = |id| record(&self.records, id);
        iotsec_telemetry_config_t {
            struct_size: size_of::<iotsec_telemetry_config_t>() as u32,
            event_count: 4,
            flash: self.board.flash(),
            region: self.board.region(FIRST_PAGE, PAGES),
            pages: iotsec_telemetry_pages_t {
                journal: 2,
                critical: 2,
                security: 2,
                health: 2,
                usage: 2,
                reserved: 0,
            },
            entropy: self.board.entropy(),
            owner_records: record(OWNER),
            device_records: record(DEVICE),
            events: self.events.at().cast(),
            handling: iotsec_handling_t {
                owner: c"data@doors.example".as_ptr(),
                recipient: c"Doors Ltd".as_ptr(),
                kept_days: 90,
                last_year: 0,
                last_month: 0,
                last_day: 0,
            },
            arena: self.arena.at().cast(),
            arena_words: ARENA,
            metrics: self.metrics.at().cast(),
            metric_count: 4,
            detectors: 0,
        }
    }

    fn open(&self) -> iotsec_status_t {
        self.open_as(&self.config())
    }

    fn open_as(&self, config: &iotsec_telemetry_config_t) -> iotsec_status_t {
        // SAFETY: see the top; here and below.
        unsafe { iotsec_telemetry_open(self.telemetry.at(), config) }
    }

    fn close(&self) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_close(self.telemetry.at()) }
    }

    fn reopen(&self) {
        assert_eq!(self.close(), IOTSEC_OK);
        assert_eq!(self.open(), IOTSEC_OK);
        self.purge();
    }

    fn purge(&self) {
        let mut done = 0;
        while done == 0 {
            // SAFETY: as above.
            let status = unsafe { iotsec_telemetry_purge_step(self.telemetry.at(), &raw mut done) };
            assert_eq!(status, IOTSEC_OK);
        }
    }

    fn record(&self, event: u16, values: &[iotsec_value_t]) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_record(self.telemetry.at(), event, values.as_ptr(), values.len(), 90_000) }
    }

    fn grant(&self) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_grant(self.telemetry.at(), IOTSEC_PURPOSE_USAGE, 3, 1_790_000_000) }
    }

    fn withdraw(&self) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_withdraw(self.telemetry.at(), IOTSEC_PURPOSE_USAGE, 0) }
    }

    fn answer(&self) -> iotsec_answer_t {
        let mut consent = zeroed::<iotsec_consent_t>();
        // SAFETY: as above.
        let status =
            unsafe { iotsec_telemetry_consent(self.telemetry.at(), IOTSEC_PURPOSE_USAGE, &raw mut consent) };
        assert_eq!(status, IOTSEC_OK);
        consent.answer
    }

    /// The sealed batch, and its receipt.
    fn batch(&self, service: &iotsec_service_t) -> Result<(Vec<u8>, u32), iotsec_status_t> {
        let (mut scratch, mut out, mut len, mut receipt) = ([0; 512], [0; 512], 0, 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_batch(
                self.telemetry.at(),
                service,
                scratch.as_mut_ptr(),
                scratch.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
                &raw mut receipt,
            )
        };
        match status {
            IOTSEC_OK => Ok((out[..len].to_vec(), receipt)),
            status => Err(status),
        }
    }

    /// The same for one purpose, under its pseudonym in epoch 7.
    fn batch_for(
        &self,
        purpose: iotsec_purpose_t,
        service: &iotsec_service_t,
    ) -> Result<(Vec<u8>, u32), iotsec_status_t> {
        let (mut scratch, mut out, mut len, mut receipt) = ([0; 512], [0; 512], 0, 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_batch_for(
                self.telemetry.at(),
                purpose,
                7,
                service,
                scratch.as_mut_ptr(),
                scratch.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
                &raw mut receipt,
            )
        };
        match status {
            IOTSEC_OK => Ok((out[..len].to_vec(), receipt)),
            status => Err(status),
        }
    }

    fn acknowledge(&self, receipt: u32) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_acknowledge(self.telemetry.at(), receipt) }
    }

    fn counts(&self, class: iotsec_event_class_t) -> (u32, u32) {
        let mut counts = zeroed::<iotsec_telemetry_status_t>();
        // SAFETY: as above.
        let status = unsafe { iotsec_telemetry_status(self.telemetry.at(), class, &raw mut counts) };
        assert_eq!(status, IOTSEC_OK);
        (counts.waiting, counts.lost)
    }

    /// What is in the pages of the region, from one on.
    fn flash(&mut self, first: u32, count: u32) -> Vec<u8> {
        let page = self.board.region(0, 1).page_size;
        let mut bytes = vec![0; (count * page) as usize];
        let start = (FIRST_PAGE + first) * page;
        self.board.flash.read(start, &mut bytes).unwrap();
        bytes
    }

    fn request(&self) -> Result<Vec<u8>, iotsec_status_t> {
        let (mut out, mut len) = ([0; IOTSEC_DELETION_REQUEST_LEN], 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_deletion_request(
                self.telemetry.at(),
                &shared(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        match status {
            IOTSEC_OK => Ok(out[..len].to_vec()),
            status => Err(status),
        }
    }

    fn pseudonym(&self, purpose: iotsec_purpose_t) -> Result<[u8; 16], iotsec_status_t> {
        let mut out = [0; IOTSEC_PSEUDONYM_LEN];
        // SAFETY: as above.
        match unsafe { iotsec_telemetry_pseudonym(self.telemetry.at(), purpose, 7, out.as_mut_ptr()) } {
            IOTSEC_OK => Ok(out),
            status => Err(status),
        }
    }

    fn receipt(&self, receipt: &[u8], signer: &Ed25519SigningKey) -> Result<iotsec_deletion_t, i32> {
        let mut deleted = zeroed::<iotsec_deletion_t>();
        let anchor = iotsec_trust_anchor_t {
            key: signer.public_key().as_ptr(),
            ..self::signer()
        };
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_deletion_receipt(
                self.telemetry.at(),
                receipt.as_ptr(),
                receipt.len(),
                &raw const anchor,
                &raw mut deleted,
            )
        };
        if status == IOTSEC_OK {
            Ok(deleted)
        } else {
            Err(status)
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.close();
    }
}

pub(crate) fn shared() -> iotsec_service_t {
    iotsec_service_t {
        struct_size: size_of::<iotsec_service_t>() as u32,
        seal: IOTSEC_SEAL_SHARED,
        largest: 256,
        is_fixed: 0,
        key_id: [0; 8],
        key: SHARED.as_ptr(),
    }
}

/// A key that receipts are checked under.
pub(crate) fn signer() -> iotsec_trust_anchor_t {
    // The base point (RFC 8032 §5.1).
    static KEY: [u8; 32] = [
        0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
    ];
    iotsec_trust_anchor_t {
        struct_size: size_of::<iotsec_trust_anchor_t>() as u32,
        key_type: IOTSEC_KEY_ED25519,
        key: KEY.as_ptr(),
        key_len: 32,
    }
}

const fn plain(number: i64) -> iotsec_value_t {
    personal(number, IOTSEC_PURPOSE_SECURITY)
}

const fn personal(number: i64, purpose: iotsec_purpose_t) -> iotsec_value_t {
    iotsec_value_t {
        number,
        personal: purpose,
    }
}

/// What the service reads: for each event its name and what its fields hold.
fn read(sealed: &[u8]) -> Vec<(&'static str, [Option<i64>; 2])> {
    let key = Secret::from_bytes(SHARED);
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let mut out = [0; 512];
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let batch = key.open(sealed, &mut out).unwrap().read(&registry).unwrap();
    let events = batch.events();
    events
        .map(|event| (event.definition().name(), [event.raw(0), event.raw(1)]))
        .collect()
}

#[test]
fn without_consent_not_a_byte_is_kept() {
    let mut bench = Bench::opened();
    let (before, kept) = (bench.flash(0, PAGES), bench.records.kept.clone());
    let values = [plain(5), plain(2)];
    assert_eq!(bench.record(2, &values), IOTSEC_ERR_RECORD_NOT_CONSENTED);
    let values = [personal(5, IOTSEC_PURPOSE_USAGE), plain(2)];
    assert_eq!(bench.record(2, &values), IOTSEC_ERR_RECORD_NOT_CONSENTED);
    assert!(bench.flash(0, PAGES) == before, "flash has changed");
    assert_eq!(bench.records.kept, kept);
    assert_eq!(bench.counts(IOTSEC_EVENT_USAGE), (0, 0));
    assert!(bench.batch(&shared()).unwrap().0.is_empty());
    assert_eq!(
        bench.pseudonym(IOTSEC_PURPOSE_USAGE),
        Err(IOTSEC_ERR_TRAIL_NOT_CONSENTED)
    );
}

#[test]
fn what_c_seals_rust_opens_under_the_registry_that_c_declared() {
    let bench = Bench::opened();
    assert_eq!(bench.grant(), IOTSEC_OK);
    assert_eq!(bench.record(1, &[plain(1), plain(5)]), IOTSEC_OK);
    let values = [
        personal(59, IOTSEC_PURPOSE_USAGE),
        personal(4, IOTSEC_PURPOSE_USAGE),
    ];
    assert_eq!(bench.record(2, &values), IOTSEC_OK);
    assert_eq!(bench.record(3, &[]), IOTSEC_OK);
    bench.purge();
    // Each purpose has a batch of its own.
    let security = vec![
        ("login.failed", [Some(1), Some(5)]),
        ("lock.forced", [None, None]),
    ];
    for expected in [security, vec![("door.open", [Some(2), Some(4)])]] {
        let (sealed, receipt) = bench.batch(&shared()).unwrap();
        assert_eq!((sealed.len(), read(&sealed)), (128, expected));
        assert_eq!(bench.acknowledge(receipt), IOTSEC_OK);
    }
    assert!(bench.batch(&shared()).unwrap().0.is_empty());

    let (mut bytes, mut len, mut expected) = ([0; 1024], 0, Vec::new());
    PRODUCT.canonical(&mut |piece| expected.extend_from_slice(piece));
    // SAFETY: see the top.
    unsafe {
        let (at, out) = (bench.telemetry.at(), bytes.as_mut_ptr());
        let short = iotsec_telemetry_registry(at, out, 10, &raw mut len);
        assert_eq!((short, len), (IOTSEC_ERR_SHORT_BUFFER, expected.len()));
        assert_eq!(iotsec_telemetry_registry(at, out, len, &raw mut len), IOTSEC_OK);
    }
    assert_eq!(&bytes[..len], expected);
}

#[test]
fn a_batch_for_a_public_key_is_opened_by_the_private_one() {
    let bench = Bench::opened();
    let private = X25519Key::from_scalar(&Secret::from_bytes(PRIVATE));
    let service = iotsec_service_t {
        seal: IOTSEC_SEAL_X25519,
        is_fixed: 1,
        key_id: *b"2026-key",
        key: private.public_key().as_ptr(),
        ..shared()
    };
    assert_eq!(bench.record(1, &[plain(0), plain(255)]), IOTSEC_OK);
    let (sealed, _) = bench.batch(&service).unwrap();
    assert_eq!(sealed.len(), 256);
    let suite = hpke::X25519_CHACHA20_POLY1305;
    let secret = ServiceSecret::new(suite, &private, *b"2026-key");
    let (mut out, registry) = ([0; 256], PRODUCT.hashed(&mut Sha256::new()));
    let batch = secret.open(&sealed, &mut out).unwrap().read(&registry).unwrap();
    assert_eq!(batch.events().next().unwrap().raw(1), Some(255));
}

#[test]
fn batches_under_pseudonyms_share_no_number_and_need_the_consent() {
    let bench = Bench::opened();
    let refused = bench.batch_for(IOTSEC_PURPOSE_USAGE, &shared());
    assert_eq!(refused, Err(IOTSEC_ERR_TRAIL_NOT_CONSENTED));
    assert_eq!(bench.grant(), IOTSEC_OK);
    assert_eq!(bench.record(1, &[plain(1), plain(5)]), IOTSEC_OK);
    let values = [personal(59, IOTSEC_PURPOSE_USAGE), plain(2)];
    assert_eq!(bench.record(2, &values), IOTSEC_OK);
    bench.purge();
    let private = X25519Key::from_scalar(&Secret::from_bytes(PRIVATE));
    let service = iotsec_service_t {
        seal: IOTSEC_SEAL_X25519,
        key_id: *b"2026-key",
        key: private.public_key().as_ptr(),
        ..shared()
    };
    let secret = ServiceSecret::new(hpke::X25519_CHACHA20_POLY1305, &private, *b"2026-key");
    let mut seen = Vec::new();
    for purpose in [IOTSEC_PURPOSE_SECURITY, IOTSEC_PURPOSE_USAGE] {
        let (sealed, receipt) = bench.batch_for(purpose, &service).unwrap();
        let (mut out, registry) = ([0; 256], PRODUCT.hashed(&mut Sha256::new()));
        let batch = secret.open(&sealed, &mut out).unwrap().read(&registry).unwrap();
        let events: Vec<_> = batch.events().collect();
        assert_eq!(events.len(), 1);
        let id = events[0].id();
        seen.extend([batch.boot(), id.sequence, events[0].uptime_s()]);
        assert_eq!(bench.acknowledge(receipt), IOTSEC_OK);
    }
    let (count, small) = (seen.len(), seen.iter().filter(|number| **number < 1000).count());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(
        (seen.len(), small),
        (count, 0),
        "the first boot and the first events are not to be seen"
    );
}

#[test]
fn a_power_cut_anywhere_in_recording_leaves_the_event_or_not_and_what_was_there() {
    let (mut cuts, mut without, mut with) = (0, 0, 0);
    loop {
        let mut bench = Bench::opened();
        let power = Power::new();
        assert_eq!(bench.record(1, &[plain(1), plain(5)]), IOTSEC_OK);
        *bench.board.flash = bench.board.flash.clone().powered_by(&power);
        power.cut_after(cuts);
        let status = bench.record(1, &[plain(0), plain(6)]);
        power.restore();
        // What was in memory is gone.
        *bench.telemetry = zeroed();
        assert_eq!(bench.open(), IOTSEC_OK, "cut {cuts}");
        bench.purge();
        let events = read(&bench.batch(&shared()).unwrap().0);
        let numbers: Vec<_> = events.iter().map(|(_, values)| values[1].unwrap()).collect();
        match (status, numbers.as_slice()) {
            (IOTSEC_OK, [5, 6]) => break,
            (IOTSEC_ERR_FLASH_DRIVER, [5]) => without += 1,
            (IOTSEC_ERR_FLASH_DRIVER, [5, 6]) => with += 1,
            other => panic!("cut {cuts}: {other:?}"),
        }
        cuts += 1;
    }
    assert!(without > 10, "{without} without, {with} with");
}

#[test]
fn what_waits_is_sent_after_a_reboot_and_only_once() {
    let mut bench = Bench::opened();
    assert_eq!(bench.record(1, &[plain(1), plain(5)]), IOTSEC_OK);
    let (_, stale) = bench.batch(&shared()).unwrap();
    *bench.telemetry = zeroed();
    assert_eq!(bench.open(), IOTSEC_OK);
    assert_eq!(bench.batch(&shared()), Err(IOTSEC_ERR_SPOOL_UNPURGED));
    bench.purge();
    assert_eq!(bench.acknowledge(stale), IOTSEC_ERR_BATCH_STALE_RECEIPT);
    let (_, first) = bench.batch(&shared()).unwrap();
    let (sealed, second) = bench.batch(&shared()).unwrap();
    assert_eq!(read(&sealed).len(), 1);
    assert_eq!(bench.acknowledge(first), IOTSEC_ERR_BATCH_STALE_RECEIPT);
    assert_eq!(bench.acknowledge(second), IOTSEC_OK);
    assert_eq!(bench.acknowledge(second), IOTSEC_ERR_BATCH_STALE_RECEIPT);
    bench.reopen();
    assert!(bench.batch(&shared()).unwrap().0.is_empty());
    assert_eq!(bench.counts(IOTSEC_EVENT_SECURITY), (0, 0));
}

#[test]
fn a_withdrawal_leaves_nothing_in_flash_and_no_key() {
    let mut bench = Bench::opened();
    let usage_key = OWNER + 3;
    assert_eq!(bench.grant(), IOTSEC_OK);
    bench.purge();
    assert_eq!(bench.answer(), IOTSEC_ANSWER_GRANTED);
    assert_eq!(bench.record(2, &[plain(5), plain(2)]), IOTSEC_OK);
    bench.reopen();
    assert_eq!(bench.counts(IOTSEC_EVENT_USAGE), (1, 0));
    assert!(bench.flash(8, 2).iter().any(|byte| *byte != 0xFF));
    assert_eq!(bench.records.kept[&usage_key].len(), 32);

    assert_eq!(bench.withdraw(), IOTSEC_OK);
    assert_eq!(bench.counts(IOTSEC_EVENT_USAGE), (0, 0));
    assert!(bench.records.kept[&usage_key].is_empty());
    bench.purge();
    assert!(bench.flash(8, 2).iter().all(|byte| *byte == 0xFF));
    bench.reopen();
    assert_eq!(bench.answer(), IOTSEC_ANSWER_WITHDRAWN);
    assert_eq!(bench.grant(), IOTSEC_OK);
    bench.purge();
    assert!(bench.batch(&shared()).unwrap().0.is_empty());
}

#[test]
fn a_key_that_a_power_cut_left_behind_goes_when_telemetry_is_opened() {
    let mut bench = Bench::opened();
    assert_eq!(bench.grant(), IOTSEC_OK);
    let key = bench.records.kept[&(OWNER + 3)].clone();
    assert_eq!(bench.withdraw(), IOTSEC_OK);
    bench.records.kept.insert(OWNER + 3, key);
    bench.reopen();
    assert!(bench.records.kept[&(OWNER + 3)].is_empty());
}

#[test]
fn an_answer_that_cannot_be_stored_turns_nothing_on_and_leaves_nothing_on() {
    let mut bench = Bench::opened();
    bench.records.broken = Some(OWNER);
    assert_eq!(bench.grant(), IOTSEC_ERR_FLASH_DRIVER);
    assert_eq!(bench.answer(), IOTSEC_ANSWER_NONE);
    bench.records.broken = Some(OWNER + 3);
    assert_eq!(bench.grant(), IOTSEC_ERR_FLASH_DRIVER);
    assert_eq!(bench.answer(), IOTSEC_ANSWER_NONE);
    bench.records.broken = None;
    assert_eq!(bench.grant(), IOTSEC_OK);
    bench.records.broken = Some(OWNER);
    assert_eq!(bench.withdraw(), IOTSEC_ERR_FLASH_DRIVER);
    assert_eq!(bench.answer(), IOTSEC_ANSWER_WITHDRAWN);
    let values = [plain(5), plain(2)];
    assert_eq!(bench.record(2, &values), IOTSEC_ERR_RECORD_NOT_CONSENTED);
    // A record that is not as written is off, and costs no key.
    bench.records.broken = None;
    bench.records.kept.get_mut(&OWNER).unwrap()[3] ^= 1;
    bench.reopen();
    assert_eq!(bench.answer(), IOTSEC_ANSWER_NONE);
    assert_eq!(bench.records.kept[&(OWNER + 3)].len(), 32);
}

#[test]
fn values_are_held_to_their_declaration() {
    let bench = Bench::opened();
    assert_eq!(bench.grant(), IOTSEC_OK);
    let usage = |number| personal(number, IOTSEC_PURPOSE_USAGE);
    for (event, values, refused) in [
        (4, &[][..], IOTSEC_ERR_RECORD_UNDECLARED),
        (1, &[plain(0)], IOTSEC_ERR_RECORD_ARITY),
        (1, &[plain(0); 3], IOTSEC_ERR_RECORD_ARITY),
        (1, &[plain(0); 9], IOTSEC_ERR_RECORD_ARITY),
        (1, &[plain(2), plain(1)], IOTSEC_ERR_RECORD_OUT_OF_BOUNDS),
        (1, &[plain(0), plain(0)], IOTSEC_ERR_RECORD_OUT_OF_BOUNDS),
        (1, &[plain(0), plain(i64::MIN)], IOTSEC_ERR_RECORD_OUT_OF_BOUNDS),
        (1, &[plain(0), usage(1)], IOTSEC_ERR_RECORD_PURPOSE),
        (
            2,
            &[personal(5, IOTSEC_PURPOSE_HEALTH), usage(1)],
            IOTSEC_ERR_RECORD_PURPOSE,
        ),
        (2, &[personal(5, 3), usage(1)], IOTSEC_ERR_CONFIG),
        (3, &[plain(0)], IOTSEC_ERR_RECORD_ARITY),
    ] {
        assert_eq!(bench.record(event, values), refused, "{event} {values:?}");
    }
    for class in [IOTSEC_EVENT_CRITICAL, IOTSEC_EVENT_SECURITY, IOTSEC_EVENT_USAGE] {
        assert_eq!(bench.counts(class), (0, 0));
    }
}

#[test]
fn an_event_stops_after_its_last_day() {
    let bench = Bench::opened();
    assert_eq!(bench.grant(), IOTSEC_OK);
    let values = [plain(5), plain(2)];
    // The last second of 2031, and the first of 2032.
    for (time_s, told) in [
        (1_956_527_999, IOTSEC_OK),
        (1_956_528_000, IOTSEC_ERR_RECORD_EXPIRED),
    ] {
        // SAFETY: see the top.
        let status = unsafe { iotsec_telemetry_set_clock(bench.telemetry.at(), 90_000, time_s) };
        assert_eq!(status, IOTSEC_OK);
        assert_eq!(bench.record(2, &values), told);
    }
    assert_eq!(bench.record(1, &[plain(0), plain(1)]), IOTSEC_OK);
}

#[test]
fn losses_are_counted_with_their_times() {
    let bench = Bench::opened();
    let mut full = 0;
    while bench.record(3, &[]) == IOTSEC_OK {
        full += 1;
        assert!(full < 1000);
    }
    assert_eq!(bench.record(3, &[]), IOTSEC_ERR_RECORD_FULL);
    let mut counts = zeroed::<iotsec_telemetry_status_t>();
    // SAFETY: see the top.
    let status =
        unsafe { iotsec_telemetry_status(bench.telemetry.at(), IOTSEC_EVENT_CRITICAL, &raw mut counts) };
    assert_eq!(status, IOTSEC_OK);
    let expected = iotsec_telemetry_status_t {
        waiting: full,
        lost: 2,
        first_boot: 1,
        first_uptime_s: 90,
        last_boot: 1,
        last_uptime_s: 90,
    };
    assert_eq!(counts, expected);
    bench.reopen();
    assert_eq!(bench.counts(IOTSEC_EVENT_CRITICAL), (full, 2));
}

#[test]
fn an_event_that_the_service_refuses_is_set_aside_alone() {
    let bench = Bench::opened();
    for attempts in [5, 6] {
        assert_eq!(bench.record(1, &[plain(1), plain(attempts)]), IOTSEC_OK);
    }
    let mut told = Vec::new();
    while told.last() != Some(&1) {
        assert!(told.len() < 10, "{told:?}");
        let (_, receipt) = bench.batch(&shared()).unwrap();
        let mut set_aside = -1;
        // SAFETY: see the top.
        unsafe {
            let at = bench.telemetry.at();
            assert_eq!(
                iotsec_telemetry_refused(at, receipt, &raw mut set_aside),
                IOTSEC_OK
            );
            let again = iotsec_telemetry_refused(at, receipt, &raw mut set_aside);
            assert_eq!(again, IOTSEC_ERR_BATCH_STALE_RECEIPT);
        }
        told.push(set_aside);
    }
    assert_eq!(told, [0, 0, 0, 1]);
    assert_eq!(bench.counts(IOTSEC_EVENT_SECURITY), (1, 1));
    assert_eq!(read(&bench.batch(&shared()).unwrap().0)[0].1[1], Some(6));
}

#[test]
fn a_deletion_waits_for_the_services_signature() {
    let bench = Bench::opened();
    assert_eq!(bench.grant(), IOTSEC_OK);
    let filed = bench.pseudonym(IOTSEC_PURPOSE_USAGE).unwrap();
    assert_eq!(bench.pseudonym(IOTSEC_PURPOSE_USAGE), Ok(filed));
    assert_ne!(bench.pseudonym(IOTSEC_PURPOSE_SECURITY), Ok(filed));
    assert!(bench.request().unwrap().is_empty());
    assert_eq!(bench.withdraw(), IOTSEC_OK);
    bench.reopen();

    // The service.
    let key = Secret::from_bytes(SHARED);
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let signer = Ed25519SigningKey::from_seed(&Secret::from_bytes([5; 32]));
    let answer = |request: &Request| {
        let remains = Remains::AGGREGATED.and(Remains::BY_LAW);
        let deleted = Deleted::of(request, UnixTime(1_790_000_000), 42, remains, &mut Sha256::new());
        let mut out = [0; Deleted::MAX_LEN];
        deleted.sign(&signer, &mut out).unwrap().to_vec()
    };
    let asked = key.open_request(&bench.request().unwrap()).unwrap();
    assert!(
        asked
            .pseudonyms(&HkdfSha256)
            .any(|pseudonym| *pseudonym.unwrap().as_bytes() == filed)
    );
    let receipt = answer(&asked);

    let other = Ed25519SigningKey::from_seed(&Secret::from_bytes([6; 32]));
    assert!(bench.receipt(&receipt, &other).is_err());
    assert!(bench.receipt(&receipt[..receipt.len() - 1], &signer).is_err());
    assert_eq!(bench.request().unwrap().len(), IOTSEC_DELETION_REQUEST_LEN);
    let expected = iotsec_deletion_t {
        purpose: IOTSEC_PURPOSE_USAGE,
        events: 42,
        time_s: 1_790_000_000,
        remains: IOTSEC_REMAINS_AGGREGATED + IOTSEC_REMAINS_BY_LAW,
        reserved: 0,
    };
    assert_eq!(bench.receipt(&receipt, &signer), Ok(expected));
    assert!(bench.request().unwrap().is_empty());
    assert_eq!(bench.receipt(&receipt, &signer), Err(IOTSEC_ERR_TRAIL_UNKNOWN));

    // An owner who goes on asks for what was sent so far.
    // SAFETY: see the top.
    let status = unsafe { iotsec_telemetry_ask_deletion(bench.telemetry.at(), IOTSEC_PURPOSE_SECURITY) };
    assert_eq!(status, IOTSEC_OK);
    let asked = key.open_request(&bench.request().unwrap()).unwrap();
    assert!(bench.receipt(&receipt, &signer).is_err());
    assert!(bench.receipt(&answer(&asked), &signer).is_ok());
}

#[test]
fn an_owner_who_goes_takes_what_waits_and_leaves_a_request() {
    let mut bench = Bench::opened();
    assert_eq!(bench.record(1, &[plain(1), plain(5)]), IOTSEC_OK);
    let filed = bench.pseudonym(IOTSEC_PURPOSE_SECURITY).unwrap();
    // What erasing the user domain of a store does.
    bench.records.kept.retain(|id, _| *id >= DEVICE);
    bench.reopen();
    assert_eq!(bench.counts(IOTSEC_EVENT_SECURITY), (0, 0));
    assert_eq!(bench.request().unwrap().len(), IOTSEC_DELETION_REQUEST_LEN);
    assert_ne!(bench.pseudonym(IOTSEC_PURPOSE_SECURITY), Ok(filed));
}

#[test]
fn tables_that_break_a_rule_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::new();
        change(&mut bench);
        bench.open()
    };
    let long = [b'x'; 202].map(|byte| byte as std::ffi::c_char);
    let mut long = Fixed::new(long);
    long[201] = 0;
    assert_eq!(refused(&|_| ()), IOTSEC_OK);
    assert_eq!(refused(&|b| b.events[1].id = 1), IOTSEC_ERR_REGISTRY_ORDER);
    assert_eq!(refused(&|b| b.events[2].id = 0xF000), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|b| b.events[0].event_class = 4), IOTSEC_ERR_CONFIG);
    assert_eq!(
        refused(&|b| b.events[0].field_count = 9),
        IOTSEC_ERR_REGISTRY_COUNT
    );
    assert_eq!(refused(&|b| b.events[2].field_count = 1), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.events[0].name = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(
        refused(&|b| b.events[0].name = c"".as_ptr()),
        IOTSEC_ERR_REGISTRY_NAME
    );
    assert_eq!(refused(&|b| b.events[0].name = c"\xff".as_ptr()), IOTSEC_ERR_TEXT);
    assert_eq!(
        refused(&|b| b.events[0].why = long.at().cast()),
        IOTSEC_ERR_REGISTRY_WHY
    );
    assert_eq!(refused(&|b| b.fields[0].kind = 4), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|b| b.fields[0].labels = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.labels[1] = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.fields[0].count = 257), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.fields[0].count = 0), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.fields[1].unit = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.fields[1].max = 0), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(
        refused(&|b| b.fields[1].max = i64::MAX),
        IOTSEC_ERR_REGISTRY_TOO_WIDE
    );
    assert_eq!(refused(&|b| b.fields[2].edges = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.fields[2].count = 32), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.edges[1] = 1), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(
        refused(&|b| b.handling.last_day = 32),
        IOTSEC_ERR_REGISTRY_HANDLING
    );
    assert_eq!(refused(&|b| b.handling.owner = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.metrics[0].name = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.metrics[0].reserved = 1), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|b| b.metrics[0].aggregate = 6), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|b| b.metrics[0].purpose = 3), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|b| b.metrics[0].labels = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.answers[1] = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.metrics[0].count = 1), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.metrics[0].count = 257), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.metrics[0].epsilon.n = 0), IOTSEC_ERR_EPSILON_ZERO);
    assert_eq!(refused(&|b| b.metrics[1].max = -1), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.metrics[2].min = 90), IOTSEC_ERR_REGISTRY_BOUNDS);
    assert_eq!(refused(&|b| b.metrics[3].edges = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|b| b.metrics[3].count = 32), IOTSEC_ERR_REGISTRY_BOUNDS);
}

#[test]
fn a_configuration_that_does_not_fit_is_refused() {
    let refused = |change: &dyn Fn(&mut iotsec_telemetry_config_t)| {
        let bench = Bench::new();
        let mut config = bench.config();
        change(&mut config);
        bench.open_as(&config)
    };
    // IOTSEC_TELEMETRY_ARENA_WORDS(4, 5, 2) + IOTSEC_TELEMETRY_METRIC_WORDS(4, 2) of the header.
    let words = 4 * (4 + 5 * 2) + 5 * (3 + 2 * 2) + 2 * 2 + 4 * (8 + 5 * 2) + 2 * 2;
    assert_eq!(refused(&|c| c.arena_words = words), IOTSEC_OK);
    assert_eq!(refused(&|c| c.arena_words = words - 1), IOTSEC_ERR_SIZE);
    assert_eq!(refused(&|c| c.arena = ptr::null_mut()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|c| c.events = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(
        refused(&|c| (c.event_count, c.events) = (0, ptr::null())),
        IOTSEC_OK
    );
    let none = |c: &mut iotsec_telemetry_config_t| (c.event_count, c.metric_count) = (0, 0);
    assert_eq!(refused(&none), IOTSEC_ERR_REGISTRY_COUNT);
    assert_eq!(refused(&|c| c.event_count = 4097), IOTSEC_ERR_REGISTRY_COUNT);
    assert_eq!(refused(&|c| c.metrics = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|c| c.metric_count = 0), IOTSEC_OK);
    assert_eq!(refused(&|c| c.metric_count = 4097), IOTSEC_ERR_REGISTRY_COUNT);
    assert_eq!(refused(&|c| c.detectors = 1 << 16), IOTSEC_ERR_CONFIG);
    let more = words + 16 * (4 + 5 * 2);
    let all = |c: &mut iotsec_telemetry_config_t, words| (c.detectors, c.arena_words) = (0xFFFF, words);
    assert_eq!(refused(&|c| all(c, more)), IOTSEC_OK);
    assert_eq!(refused(&|c| all(c, more - 1)), IOTSEC_ERR_SIZE);
    assert_eq!(refused(&|c| c.struct_size += 4), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|c| c.owner_records.struct_size += 4), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|c| c.device_records.id = OWNER + 7), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|c| c.device_records.save = None), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|c| c.flash.erase = None), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|c| c.entropy.fill = None), IOTSEC_ERR_NULL);
    assert_eq!(refused(&|c| c.pages.usage = 3), IOTSEC_ERR_SPOOL_LAYOUT);
    assert_eq!(refused(&|c| c.pages.reserved = 1), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|c| c.pages.journal = 1), IOTSEC_ERR_SPOOL_LAYOUT);
    assert_eq!(
        refused(&|c| c.region.page_count = 1000),
        IOTSEC_ERR_FLASH_GEOMETRY
    );
}

#[test]
fn a_service_that_is_not_one_is_refused() {
    let bench = Bench::opened();
    let refused = |change: &dyn Fn(&mut iotsec_service_t)| {
        let mut service = shared();
        change(&mut service);
        bench.batch(&service).unwrap_err()
    };
    assert_eq!(refused(&|s| s.struct_size -= 1), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|s| s.seal = 0), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|s| s.largest = 255), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|s| s.is_fixed = 2), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|s| s.key = ptr::null()), IOTSEC_ERR_NULL);
    // Each buffer is 512 bytes.
    assert_eq!(refused(&|s| s.largest = 640), IOTSEC_ERR_SHORT_BUFFER);
}

#[test]
fn short_buffers_are_told_the_length() {
    let bench = Bench::opened();
    assert_eq!(bench.record(1, &[plain(1), plain(5)]), IOTSEC_OK);
    let (mut scratch, mut out, mut len, mut receipt) = ([0; 256], [0; 256], 0, 77);
    let mut call = |scratch_size, out_size, len: &mut usize| {
        // SAFETY: see the top.
        unsafe {
            iotsec_telemetry_batch(
                bench.telemetry.at(),
                &shared(),
                scratch.as_mut_ptr(),
                scratch_size,
                out.as_mut_ptr(),
                out_size,
                len,
                &raw mut receipt,
            )
        }
    };
    assert_eq!(call(256, 255, &mut len), IOTSEC_ERR_SHORT_BUFFER);
    assert_eq!(len, 256);
    assert_eq!(call(255, 256, &mut len), IOTSEC_ERR_SIZE);
    assert_eq!(call(256, 256, &mut len), IOTSEC_OK);
    assert_eq!(len, 128);
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_telemetry_deletion_request(
            bench.telemetry.at(),
            &shared(),
            out.as_mut_ptr(),
            127,
            &raw mut len,
        )
    };
    assert_eq!(
        (status, len),
        (IOTSEC_ERR_SHORT_BUFFER, IOTSEC_DELETION_REQUEST_LEN)
    );
}

#[test]
fn storage_that_holds_nothing_or_something_is_refused() {
    let mut bench = Bench::new();
    assert_eq!(bench.record(3, &[]), IOTSEC_ERR_STATE);
    assert_eq!(bench.close(), IOTSEC_ERR_STATE);
    assert_eq!(bench.open(), IOTSEC_OK);
    let (arena, kept) = (*bench.arena, bench.records.kept.clone());
    // Other tables over those in use.
    bench.events[0].why = c"Something else".as_ptr();
    assert_eq!(bench.open(), IOTSEC_ERR_STATE);
    assert_eq!(*bench.arena, arena);
    assert_eq!(bench.records.kept, kept);
    assert_eq!(bench.record(3, &[]), IOTSEC_OK);
    assert_eq!(bench.close(), IOTSEC_OK);
    assert_eq!(bench.record(3, &[]), IOTSEC_ERR_STATE);
    assert_eq!(bench.batch(&shared()), Err(IOTSEC_ERR_STATE));
    assert_eq!(bench.request(), Err(IOTSEC_ERR_STATE));
    assert_eq!(bench.open(), IOTSEC_OK);
    assert_eq!(bench.counts(IOTSEC_EVENT_CRITICAL), (1, 0));
    for (status, wrong) in [
        // SAFETY: see the top.
        (IOTSEC_ERR_CONFIG, unsafe {
            iotsec_telemetry_grant(bench.telemetry.at(), IOTSEC_PURPOSE_SECURITY, 1, 0)
        }),
        // SAFETY: see the top.
        (IOTSEC_ERR_CONFIG, unsafe {
            iotsec_telemetry_withdraw(bench.telemetry.at(), 3, 0)
        }),
        // SAFETY: see the top.
        (IOTSEC_ERR_CONFIG, unsafe {
            iotsec_telemetry_ask_deletion(bench.telemetry.at(), -1)
        }),
    ] {
        assert_eq!(status, wrong);
    }
}
