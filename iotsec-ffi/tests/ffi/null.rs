//! Every pointer of every function, null one at a time. The list of functions and of their pointers is
//! read from the header, so that a new one without a line here fails.
//!
//! SAFETY of every call: pointers are null or to live locals, as large as the length beside them says.

use std::{cell::Cell, collections::BTreeMap, ptr};

use iotsec_ffi::{
    argon2id::*,
    attest::*,
    boot::{integrity::*, *},
    certificate::*,
    device::{erase::*, identity::*, owner::*, *},
    entropy::*,
    erased::*,
    input::{document::*, json::*, wifi::*, *},
    login::*,
    pairing::*,
    password::*,
    root_key::*,
    security::*,
    setup::*,
    signer::*,
    status::*,
    store::{change::*, count::*, *},
    surface::{debug::*, *},
    telemetry::{
        batch::*, config::*, consent::*, data_map::*, deletion::*, private::*, registry::*, shares::*, *,
    },
    trust::*,
    update::{config::*, freshness::*, planner::*, report::*, *},
};

use crate::{
    board::{Board, Fixed},
    device::Unit,
    header::{HEADER, functions},
    login::{Memory, Records, credential, zeroed},
};

/// Pointers that may be null: what the function then does is in its documentation.
const OPTIONAL: [(&str, usize); 18] = [
    ("iotsec_json_open", 1),
    ("iotsec_json_open", 3),
    ("iotsec_input_quantity", 3),
    ("iotsec_retry_open", 1),
    ("iotsec_retry_open", 3),
    ("iotsec_planner_open", 3),
    ("iotsec_guard_open", 2),
    ("iotsec_device_retire", 1),
    ("iotsec_device_receipt", 1),
    ("iotsec_erased_sign", 2),
    ("iotsec_erased_verify", 2),
    ("iotsec_login_open", 2),
    ("iotsec_input_check", 1),
    ("iotsec_input_decode", 3),
    ("iotsec_input_integer", 2),
    ("iotsec_input_version", 2),
    ("iotsec_input_url", 2),
    ("iotsec_input_mqtt_matches", 3),
];

/// Null for the pointer whose turn it is; and how many pointers were asked for.
#[derive(Clone, Copy)]
struct Turn<'c>(usize, &'c Cell<usize>);

impl Turn<'_> {
    fn is_on(self, index: usize) -> bool {
        self.1.set(self.1.get().max(index + 1));
        self.0 == index
    }

    fn mutable<T>(self, index: usize, value: &mut T) -> *mut T {
        if self.is_on(index) { ptr::null_mut() } else { value }
    }

    fn shared<T>(self, index: usize, value: &T) -> *const T {
        if self.is_on(index) { ptr::null() } else { value }
    }
}

/// What the calls are made with.
struct Bench {
    credential: iotsec_credential_t,
    entropy: iotsec_entropy_t,
    presence: iotsec_presence_t,
    store: iotsec_store_config_t,
    telemetry: iotsec_telemetry_config_t,
    update: iotsec_update_config_t,
    device: iotsec_device_config_t,
    trust: iotsec_trust_config_t,
    argon2id: iotsec_argon2id_t,
    ledger: iotsec_ledger_t,
}

/// One call, with the pointer null whose turn it is.
type Call = fn(Turn<'_>, &Bench) -> iotsec_status_t;

type Calls = BTreeMap<&'static str, Call>;

macro_rules! call {
    ($calls:ident, $name:ident, |$turn:ident, $bench:ident| ($($argument:expr),* $(,)?)) => {
        $calls.insert(stringify!($name), |$turn, $bench| {
            let _ = $bench;
            // SAFETY: see the top.
            unsafe { $name($($argument),*) }
        });
    };
}

mod detect;
mod device;
mod identity;
mod key;
mod login;
mod plain;
mod setup;
mod store;
mod telemetry;
mod update;

fn calls() -> Calls {
    let mut calls = Calls::new();
    for part in [
        detect::calls,
        device::calls,
        identity::calls,
        key::calls,
        login::calls,
        plain::calls,
        setup::calls,
        store::calls,
        telemetry::calls,
        update::calls,
    ] {
        part(&mut calls);
    }
    calls
}

#[test]
fn a_null_pointer_is_refused_wherever_it_stands() {
    let (store, update) = (crate::store::Bench::new(), crate::update::Device::blank());
    let (unit, trust) = (Unit::blank(), crate::trust::Bench::new());
    let telemetry = crate::telemetry::Bench::new();
    let (board, records) = (Board::new(), Fixed::new(Records::default()));
    let memory = Memory::new();
    let bench = Bench {
        credential: credential(&board, &records),
        entropy: board.entropy(),
        presence: crate::device::presence(true),
        store: store.config(),
        telemetry: telemetry.config(),
        update: update.config(),
        device: unit.config(),
        trust: trust.config(),
        argon2id: memory.lend(),
        ledger: telemetry.ledger(),
    };
    let calls = calls();
    let count = Cell::new(0);
    if cfg!(miri) {
        // Too slow to read the header, and not what Miri is for: the call itself says how many pointers it has. The one
        // without a null pointer is `every`'s.
        for (name, call) in &calls {
            count.set(0);
            for index in 0.. {
                if index > 0 && index >= count.get() {
                    break;
                }
                if !OPTIONAL.contains(&(*name, index)) {
                    let status = call(Turn(index, &count), &bench);
                    assert_eq!(status, IOTSEC_ERR_NULL, "{name}, pointer {index}");
                }
            }
        }
        return;
    }
    let mut tried = 0;
    for (name, pointers) in functions() {
        if pointers == 0 {
            continue;
        }
        let call = calls
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is in the header and not here"));
        for index in 0..pointers {
            if !OPTIONAL.contains(&(name.as_str(), index)) {
                assert_eq!(
                    call(Turn(index, &count), &bench),
                    IOTSEC_ERR_NULL,
                    "{name}, pointer {index}"
                );
                tried += 1;
            }
        }
        assert_ne!(
            call(Turn(usize::MAX, &count), &bench),
            IOTSEC_ERR_NULL,
            "{name} without a null pointer"
        );
    }
    assert!(tried >= calls.len());
}

#[test]
fn every_error_has_one_name() {
    let mut names = std::collections::BTreeSet::new();
    for line in HEADER.lines() {
        let Some(rest) = line.strip_prefix("#define IOTSEC_ERR_") else {
            continue;
        };
        let (name, number) = rest.split_once(' ').unwrap();
        // SAFETY: the function returns text that ends in zero and lives for ever.
        let said = unsafe { std::ffi::CStr::from_ptr(iotsec_status_name(number.parse().unwrap())) };
        assert_eq!(said.to_str(), Ok(name));
        assert!(names.insert(name));
    }
    assert!(names.len() > 60);
    for (number, name) in [
        (0, c"OK"),
        (1, c"UNKNOWN"),
        (-1, c"UNKNOWN"),
        (i32::MAX, c"UNKNOWN"),
    ] {
        // SAFETY: as above.
        let status = unsafe { std::ffi::CStr::from_ptr(iotsec_status_name(number)) };
        assert_eq!(status, name);
    }
}

#[test]
fn every_name_of_the_header_is_defined_once() {
    let mut names = std::collections::BTreeSet::new();
    for line in HEADER.lines() {
        let name = if let Some(rest) = line.strip_prefix("#define ") {
            rest.split([' ', '(']).next()
        } else if line.starts_with("typedef iotsec_") || line.starts_with("typedef int32_t ") {
            line.trim_end_matches(';').rsplit([' ', '*']).next()
        } else if line.starts_with("} iotsec_") {
            line[2..].strip_suffix(';')
        } else {
            None
        };
        if let Some(name) = name {
            assert!(names.insert(name), "{name} is defined twice");
        }
    }
    assert!(names.len() > 400);
}
