use std::{ffi::c_void, mem::MaybeUninit, ops::Range, ptr};

use iotsec_ffi::{
    argon2id::iotsec_argon2id_t,
    boot::integrity::iotsec_integrity_t,
    detect::iotsec_detector_t,
    device::{iotsec_device_config_t, iotsec_device_t, iotsec_owner_t},
    guard::iotsec_guard_t,
    input::{json::iotsec_json_t, wifi::iotsec_wifi_t},
    key::iotsec_key_t,
    login::iotsec_login_t,
    pairing::iotsec_pairing_t,
    password::iotsec_credential_t,
    retry::iotsec_retry_t,
    signer::{IOTSEC_KEY_ED25519, iotsec_signer_t},
    store::{iotsec_index_entry_t, iotsec_store_config_t, iotsec_store_t},
    surface::debug::iotsec_unlock_t,
    telemetry::{config::*, iotsec_telemetry_t, private::iotsec_ledger_t, registry::*},
    trust::iotsec_trust_config_t,
    update::{config::*, iotsec_update_t, planner::iotsec_planner_t},
};

use crate::{
    Input,
    board::{self, Board, region, size},
    step::{debug::Asked, freshness::Told, integrity::Watched, planner::Planned},
    vectors,
};

const INDEX: u32 = 32;
const BUFFER: usize = 640;
const ARENA: usize = 192;
/// As little as may be lent.
const KIB: u32 = 64;
const MEMORY: usize = 64 * 128 + 8;
const SCRATCH: usize = 1024;

/// A value that stays where it is until the program ends, as a static of C.
pub(crate) struct Static<T>(*mut T);

impl<T> Static<T> {
    /// Zeros.
    fn new() -> Self {
        // SAFETY: used for what is made of integers and pointers alone, for which zero is a value.
        let zeros = unsafe { MaybeUninit::zeroed().assume_init() };
        Self(Box::into_raw(Box::new(zeros)))
    }

    pub(crate) const fn at(&self) -> *mut T {
        self.0
    }
}

impl<T> Drop for Static<T> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and this is the end of it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// Storage of an object, and another place to which a copy of it goes.
pub(crate) struct Object<T>(pub(crate) Static<T>, Static<T>);

impl<T> Object<T> {
    fn new() -> Self {
        Self(Static::new(), Static::new())
    }

    pub(crate) const fn at(&self) -> *mut T {
        self.0.at()
    }

    /// A copy of it, which is no object.
    pub(crate) fn copied(&self) -> *mut T {
        // SAFETY: both are storage of one type, and bytes of it are all that is moved.
        unsafe { ptr::copy_nonoverlapping(self.0.at().cast::<u8>(), self.1.at().cast(), size_of::<T>()) };
        self.1.at()
    }
}

/// What the program has: a board, objects, the memory that they work in, and what it remembers.
pub(crate) struct World {
    board: *mut Board,
    pub(crate) store: Object<iotsec_store_t>,
    pub(crate) device: Object<iotsec_device_t>,
    pub(crate) update: Object<iotsec_update_t>,
    pub(crate) login: Object<iotsec_login_t>,
    pub(crate) pairing: Object<iotsec_pairing_t>,
    pub(crate) telemetry: Object<iotsec_telemetry_t>,
    pub(crate) detector: Object<iotsec_detector_t>,
    pub(crate) guard: Object<iotsec_guard_t>,
    pub(crate) retry: Object<iotsec_retry_t>,
    pub(crate) json: Object<iotsec_json_t>,
    pub(crate) integrity: Object<iotsec_integrity_t>,
    pub(crate) planner: Object<iotsec_planner_t>,
    pub(crate) unlock: Object<iotsec_unlock_t>,
    indexes: [Static<[iotsec_index_entry_t; INDEX as usize]>; 2],
    buffers: [Static<[u8; BUFFER]>; 2],
    arena: Static<[u64; ARENA]>,
    memory: Static<[u64; MEMORY]>,
    scratch: [Static<[u8; SCRATCH]>; 3],
    anchor: Static<iotsec_trust_anchor_t>,
    replay: Static<iotsec_ffi::counter::iotsec_counter_t>,
    tables: Tables,
    /// An update keeps the envelope that it was given.
    pub(crate) envelopes: Vec<Vec<u8>>,
    pub(crate) label: Vec<u8>,
    pub(crate) owner: iotsec_owner_t,
    pub(crate) receipt: u32,
    /// How much of the image was taken.
    pub(crate) taken: usize,
    /// For a certificate.
    pub(crate) request: Vec<u8>,
    pub(crate) signer: Option<iotsec_signer_t>,
    /// Keys of the store that were made or found.
    pub(crate) keys: [iotsec_key_t; 4],
    /// What was made with them.
    pub(crate) public: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
    /// A reader keeps the text that it was given.
    pub(crate) texts: Vec<Vec<u8>>,
    pub(crate) wifi: Option<iotsec_wifi_t>,
    /// Releases for which the security counter counts once, as a power of two.
    pub(crate) counter_shift: u32,
    /// Whether the store is given a counter.
    pub(crate) store_counts: bool,
    /// What the objects were told, to hold them to it.
    pub(crate) told: Told,
    pub(crate) watched: Watched,
    pub(crate) planned: Planned,
    pub(crate) asked: Asked,
}

/// What telemetry may report, as C has it.
struct Tables {
    edges: Static<[i64; 3]>,
    labels: Static<[*const std::ffi::c_char; 2]>,
    fields: Static<[iotsec_event_field_t; 3]>,
    events: Static<[iotsec_event_t; 4]>,
    metrics: Static<[iotsec_metric_t; 4]>,
}

impl Tables {
    fn new() -> Self {
        let tables = Self {
            edges: Static::new(),
            labels: Static::new(),
            fields: Static::new(),
            events: Static::new(),
            metrics: Static::new(),
        };
        let empty = iotsec_event_field_t {
            kind: IOTSEC_FIELD_NUMBER,
            count: 0,
            name: c"times".as_ptr(),
            unit: c"1".as_ptr(),
            min: -3,
            max: 100,
            labels: ptr::null(),
            edges: ptr::null(),
        };
        let choice = iotsec_event_field_t {
            kind: IOTSEC_FIELD_CHOICE,
            count: 2,
            name: c"way".as_ptr(),
            labels: tables.labels.at().cast(),
            ..empty
        };
        let bucket = iotsec_event_field_t {
            kind: IOTSEC_FIELD_BUCKET,
            count: 3,
            name: c"open".as_ptr(),
            edges: tables.edges.at().cast(),
            ..empty
        };
        let event = |id, event_class, field_count, fields| iotsec_event_t {
            id,
            field_count,
            event_class,
            name: c"an.event".as_ptr(),
            why: c"For a test".as_ptr(),
            fields,
            handling: ptr::null(),
        };
        let metric = |id, aggregate, count| iotsec_metric_t {
            id,
            reserved: 0,
            aggregate,
            purpose: if id == 3 {
                IOTSEC_PURPOSE_SECURITY
            } else {
                IOTSEC_PURPOSE_USAGE
            },
            count,
            name: c"a.metric".as_ptr(),
            unit: c"1".as_ptr(),
            why: c"For a test".as_ptr(),
            min: 0,
            max: 24,
            epsilon: iotsec_epsilon_t { n: 1, d: 2 },
            labels: tables.labels.at().cast(),
            edges: tables.edges.at().cast(),
            handling: ptr::null(),
        };
        let fields: *const iotsec_event_field_t = tables.fields.at().cast();
        // SAFETY: each place is as large as what is written to it, and nobody else has it yet.
        unsafe {
            tables.edges.at().write([1, 10, 60]);
            tables.labels.at().write([c"web".as_ptr(), c"radio".as_ptr()]);
            tables.fields.at().write([choice, empty, bucket]);
            tables.events.at().write([
                event(1, IOTSEC_EVENT_CRITICAL, 0, ptr::null()),
                event(2, IOTSEC_EVENT_SECURITY, 2, fields),
                event(3, IOTSEC_EVENT_USAGE, 1, fields.wrapping_add(2)),
                event(4, IOTSEC_EVENT_USAGE, 1, fields.wrapping_add(1)),
            ]);
            tables.metrics.at().write([
                metric(1, IOTSEC_AGGREGATE_RESPONSE, 2),
                metric(2, IOTSEC_AGGREGATE_SUM, 0),
                metric(3, IOTSEC_AGGREGATE_LAPLACE, 0),
                metric(4, IOTSEC_AGGREGATE_HISTOGRAM, 3),
            ]);
        }
        tables
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            board: Box::into_raw(Box::new(Board::new())),
            store: Object::new(),
            device: Object::new(),
            update: Object::new(),
            login: Object::new(),
            pairing: Object::new(),
            telemetry: Object::new(),
            detector: Object::new(),
            guard: Object::new(),
            retry: Object::new(),
            json: Object::new(),
            integrity: Object::new(),
            planner: Object::new(),
            unlock: Object::new(),
            indexes: [Static::new(), Static::new()],
            buffers: [Static::new(), Static::new()],
            arena: Static::new(),
            memory: Static::new(),
            scratch: [Static::new(), Static::new(), Static::new()],
            anchor: Static::new(),
            replay: Static::new(),
            tables: Tables::new(),
            envelopes: Vec::new(),
            label: b"K2M4-P6R8-T0V3-6".to_vec(),
            owner: 0,
            receipt: 0,
            taken: 0,
            request: Vec::new(),
            signer: None,
            keys: [iotsec_key_t {
                id: 1 << 16,
                kind: 0,
                usage: 0,
                number: 1,
                reserved: 0,
            }; 4],
            public: Vec::new(),
            signature: Vec::new(),
            sealed: Vec::new(),
            texts: Vec::new(),
            wifi: None,
            counter_shift: 0,
            store_counts: false,
            told: Told::default(),
            watched: Watched::default(),
            planned: Planned::default(),
            asked: Asked::default(),
        };
        // SAFETY: the places are as large as what is written to them, and nobody else has them yet.
        unsafe {
            world.replay.at().write(board::counter(world.ctx()));
            world.anchor.at().write(iotsec_trust_anchor_t {
                struct_size: size::<iotsec_trust_anchor_t>(),
                key_type: IOTSEC_KEY_ED25519,
                key: vectors::public_key().as_ptr(),
                key_len: 32,
            });
        }
        world
    }

    pub(crate) const fn ctx(&self) -> *mut c_void {
        self.board.cast()
    }

    /// The board, between calls.
    pub(crate) const fn board(&mut self) -> &mut Board {
        // SAFETY: made by `new`, freed by `drop`, and no call from C is under way.
        unsafe { &mut *self.board }
    }

    pub(crate) fn store_config(&self) -> iotsec_store_config_t {
        iotsec_store_config_t {
            struct_size: size::<iotsec_store_config_t>(),
            index_count: INDEX,
            flash: board::flash(self.ctx()),
            region: region(0, 5),
            entropy: board::entropy(self.ctx()),
            root_key: board::root_key(self.ctx()),
            index: self.indexes[0].at().cast(),
            buffer: self.buffers[0].at().cast(),
            buffer_size: BUFFER,
            replay_counter: if self.store_counts {
                self.replay.at()
            } else {
                ptr::null()
            },
        }
    }

    /// The bytes of the flash that are the store's.
    pub(crate) fn store_place(&self) -> Range<usize> {
        let region = self.store_config().region;
        let bytes = |pages: u32| usize::try_from(pages * region.page_size).expect("small");
        assert_eq!(region.start, 0);
        0..bytes(region.page_count)
    }

    pub(crate) fn device_config(&self, replay: bool) -> iotsec_device_config_t {
        iotsec_device_config_t {
            struct_size: size::<iotsec_device_config_t>(),
            index_count: INDEX,
            flash: board::flash(self.ctx()),
            region: region(5, 9),
            entropy: board::entropy(self.ctx()),
            root_key: board::root_key(self.ctx()),
            replay_counter: if replay { self.replay.at() } else { ptr::null() },
            policy: ptr::null(),
            index: self.indexes[1].at().cast(),
            buffer: self.buffers[1].at().cast(),
            buffer_size: BUFFER,
            places: ptr::null(),
            place_count: 0,
        }
    }

    /// Memory for Argon2id, or what the input makes of it.
    pub(crate) fn argon2id(&self, input: &mut Input<'_>) -> iotsec_argon2id_t {
        let less = usize::from(input.byte() / 64);
        iotsec_argon2id_t {
            struct_size: size::<iotsec_argon2id_t>(),
            kib: KIB,
            passes: 1,
            reserved: 0,
            memory: self.memory.at().cast(),
            memory_words: MEMORY - less * 8,
        }
    }

    pub(crate) fn ledger(&self) -> iotsec_ledger_t {
        iotsec_ledger_t {
            struct_size: size::<iotsec_ledger_t>(),
            renewals: 3,
            per_metric: iotsec_epsilon_t { n: 1, d: 1 },
            in_all: iotsec_epsilon_t { n: 3, d: 1 },
            counter: board::counter(self.ctx()),
        }
    }

    pub(crate) fn credential(&self) -> iotsec_credential_t {
        iotsec_credential_t {
            struct_size: size::<iotsec_credential_t>(),
            verifier: board::record(self.ctx(), 1),
            throttle: board::record(self.ctx(), 2),
            root_key: board::root_key(self.ctx()),
        }
    }

    pub(crate) fn update_config(&self) -> iotsec_update_config_t {
        let slot = |first| iotsec_slot_layout_t {
            manifest: region(first, 2),
            image: region(first + 2, 3),
        };
        iotsec_update_config_t {
            struct_size: size::<iotsec_update_config_t>(),
            threshold: 1,
            trial_boots: 2,
            counter_shift: self.counter_shift,
            max_jump: 100,
            flash: board::flash(self.ctx()),
            counter: board::counter(self.ctx()),
            slot_a: slot(14),
            slot_b: slot(19),
            journal: region(24, 3),
            vendor_id: vectors::VENDOR,
            class_id: vectors::CLASS,
            device_id: vectors::UNIT.as_ptr(),
            component: vectors::COMPONENT.as_ptr(),
            component_len: vectors::COMPONENT.len(),
            anchors: self.anchor.at(),
            anchor_count: 1,
            scratch: self.scratch[0].at().cast(),
            scratch_size: SCRATCH,
        }
    }

    pub(crate) fn trust_config(&self) -> iotsec_trust_config_t {
        iotsec_trust_config_t {
            struct_size: size::<iotsec_trust_config_t>(),
            reserved: 0,
            flash: board::flash(self.ctx()),
            region: region(27, 4),
            counter: ptr::null(),
            root_key: ptr::null(),
            vendor_id: vectors::VENDOR,
            class_id: vectors::CLASS,
            buffer: self.scratch[1].at().cast(),
            buffer_size: SCRATCH,
            scratch: self.scratch[2].at().cast(),
            scratch_size: SCRATCH,
        }
    }

    pub(crate) fn telemetry_config(&self) -> iotsec_telemetry_config_t {
        iotsec_telemetry_config_t {
            struct_size: size::<iotsec_telemetry_config_t>(),
            event_count: 4,
            flash: board::flash(self.ctx()),
            region: region(31, 10),
            pages: iotsec_telemetry_pages_t {
                journal: 2,
                critical: 2,
                security: 2,
                health: 2,
                usage: 2,
                reserved: 0,
            },
            entropy: board::entropy(self.ctx()),
            owner_records: board::record(self.ctx(), 0x100),
            device_records: board::record(self.ctx(), 0x200),
            events: self.tables.events.at().cast(),
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
            metrics: self.tables.metrics.at().cast(),
            metric_count: 4,
            detectors: 0,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // As at the end of a program that ends in good order; what is not open says so.
        // SAFETY: the storage is initialised and nobody else's.
        unsafe {
            iotsec_ffi::surface::debug::iotsec_unlock_close(self.unlock.at());
            iotsec_ffi::update::planner::iotsec_planner_close(self.planner.at());
            iotsec_ffi::boot::integrity::iotsec_integrity_close(self.integrity.at());
            iotsec_ffi::input::json::iotsec_json_close(self.json.at());
            iotsec_ffi::retry::iotsec_retry_close(self.retry.at());
            iotsec_ffi::guard::iotsec_guard_close(self.guard.at());
            iotsec_ffi::detect::iotsec_detector_close(self.detector.at());
            iotsec_ffi::telemetry::iotsec_telemetry_close(self.telemetry.at());
            iotsec_ffi::update::iotsec_update_close(self.update.at());
            iotsec_ffi::login::iotsec_login_close(self.login.at());
            iotsec_ffi::pairing::iotsec_pairing_close(self.pairing.at());
            iotsec_ffi::device::iotsec_device_close(self.device.at());
            iotsec_ffi::store::iotsec_store_close(self.store.at());
            drop(Box::from_raw(self.board));
        }
    }
}
