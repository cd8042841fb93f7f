//! Every pointer of every function, null one at a time. The list of functions and of their pointers is
//! read from the header, so that a new one without a line here fails.
//!
//! SAFETY of every call: pointers are null or to live locals, as large as the length beside them says.

use std::{collections::BTreeMap, ptr};

use iotsec_ffi::{
    attest::*,
    boot::*,
    certificate::*,
    device::{erase::*, owner::*, *},
    entropy::*,
    erased::*,
    input::*,
    login::*,
    password::*,
    root_key::*,
    security::*,
    setup::*,
    signer::*,
    status::*,
    store::*,
    surface::*,
    telemetry::{batch::*, config::*, consent::*, deletion::*, registry::*, *},
    trust::*,
    update::{config::*, *},
};

use crate::{
    attest,
    board::{Board, Fixed},
    certificate,
    device::{self, Unit},
    login::{Records, credential, zeroed},
    store, surface, telemetry, trust, update,
};

const HEADER: &str = include_str!("../../include/iotsec.h");

/// Pointers that may be null: what the function then does is in its documentation.
const OPTIONAL: [(&str, usize); 11] = [
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

/// Null for the pointer whose turn it is.
#[derive(Clone, Copy)]
struct Turn(usize);

impl Turn {
    fn mutable<T>(self, index: usize, value: &mut T) -> *mut T {
        if self.0 == index { ptr::null_mut() } else { value }
    }

    fn shared<T>(self, index: usize, value: &T) -> *const T {
        if self.0 == index { ptr::null() } else { value }
    }
}

/// Function name → number of pointers, from the header.
fn functions() -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut rest = HEADER;
    while let Some(end) = rest.find(");\n") {
        let declaration = &rest[..end];
        rest = &rest[end + 3..];
        let start = declaration.rfind("\n\n").map_or(0, |at| at + 2);
        let declaration = declaration[start..].rsplit("*/").next().unwrap().trim();
        let Some((head, parameters)) = declaration.split_once('(') else {
            continue;
        };
        let name = head.rsplit([' ', '*']).next().unwrap();
        if name.starts_with("iotsec_") && !declaration.contains('{') {
            let pointers = parameters
                .split(',')
                .filter(|parameter| parameter.contains('*'))
                .count();
            found.insert(name.to_owned(), pointers);
        }
    }
    found
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
}

/// One call, with the pointer null whose turn it is.
type Call = fn(Turn, &Bench) -> iotsec_status_t;

fn calls() -> BTreeMap<&'static str, Call> {
    let mut calls: BTreeMap<&'static str, Call> = BTreeMap::new();
    macro_rules! call {
        ($name:ident, |$turn:ident, $bench:ident| ($($argument:expr),* $(,)?)) => {
            calls.insert(stringify!($name), |$turn, $bench| {
                let _ = $bench;
                // SAFETY: see the top.
                unsafe { $name($($argument),*) }
            });
        };
    }
    call!(iotsec_root_key_derive, |t, b| (
        t.shared(0, &[7u8; 32]).cast(),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut [0u8; 32]).cast(),
    ));
    call!(iotsec_ed25519_sign, |t, b| (
        t.shared(0, &[7u8; 32]).cast(),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut [0u8; IOTSEC_SIGNATURE_LEN]).cast(),
    ));
    call!(iotsec_ed25519_public_key, |t, b| (
        t.shared(0, &[7u8; 32]).cast(),
        t.mutable(1, &mut [0u8; 32]).cast(),
    ));
    call!(iotsec_attest_token, |t, b| (
        t.shared(0, &attest::signer()),
        t.shared(1, &attest::claims(&[attest::APP])),
        t.mutable(2, &mut [0u8; 2_000]).cast(),
        2_000,
        t.mutable(3, &mut [0u8; 1_000]).cast(),
        1_000,
        t.mutable(4, &mut 0),
    ));
    call!(iotsec_certificate_verify_server, |t, b| (
        t.shared(0, &certificate::policy()),
        if t.0 == 1 {
            ptr::null()
        } else {
            certificate::pointer(&certificate::CHAIN)
        },
        1,
        t.shared(2, b"broker.example").cast(),
        14,
        t.mutable(3, &mut zeroed()),
    ));
    call!(iotsec_input_check, |t, b| (
        IOTSEC_INPUT_PORT,
        t.shared(0, &b'7'),
        1,
        t.mutable(1, &mut 0),
    ));
    call!(iotsec_input_decode, |t, b| (
        IOTSEC_INPUT_HEX,
        t.shared(0, b"00ff").cast(),
        4,
        t.mutable(1, &mut [0u8; 2]).cast(),
        2,
        t.mutable(2, &mut 0),
        t.mutable(3, &mut 0),
    ));
    call!(iotsec_input_integer, |t, b| (
        t.shared(0, &b'7'),
        1,
        0,
        9,
        t.mutable(1, &mut 0),
        t.mutable(2, &mut 0),
    ));
    call!(iotsec_input_version, |t, b| (
        t.shared(0, b"1.2.3").cast(),
        5,
        t.mutable(1, &mut zeroed()),
        t.mutable(2, &mut 0),
    ));
    call!(iotsec_input_url, |t, b| (
        t.shared(0, b"wss://a.example").cast(),
        15,
        t.mutable(1, &mut zeroed()),
        t.mutable(2, &mut 0),
    ));
    call!(iotsec_input_mqtt_matches, |t, b| (
        t.shared(0, &b'a'),
        1,
        t.shared(1, &b'a'),
        1,
        t.mutable(2, &mut 0),
        t.mutable(3, &mut 0),
    ));
    call!(iotsec_password_generate, |t, b| (
        t.shared(0, &b.credential),
        t.shared(1, &b.entropy),
        IOTSEC_EXPOSURE_ONLINE,
        t.mutable(2, &mut [0u8; IOTSEC_LABEL_MAX]).cast(),
        IOTSEC_LABEL_MAX,
        t.mutable(3, &mut 0),
    ));
    call!(iotsec_password_choose, |t, b| (
        t.shared(0, &b.credential),
        t.shared(1, &b.entropy),
        IOTSEC_EXPOSURE_ONLINE,
        IOTSEC_ITERATIONS_MCU,
        t.shared(2, b"kettle").cast(),
        6,
        t.shared(3, &c"Acme".as_ptr()),
        1,
    ));
    call!(iotsec_login_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.credential),
        ptr::null(),
    ));
    call!(iotsec_login_attempt_label, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"K2M4-P6R8-T0V3-6").cast(),
        16,
        0,
        t.mutable(2, &mut 0),
    ));
    call!(iotsec_login_attempt_text, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"green kettle").cast(),
        12,
        0,
        t.mutable(2, &mut 0),
    ));
    call!(iotsec_login_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_login_unlock, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence)
    ));
    call!(iotsec_login_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_store_format, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.store)
    ));
    call!(iotsec_store_mount, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.store)
    ));
    call!(iotsec_store_put, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &0),
        1
    ));
    call!(iotsec_store_get, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut 0),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_store_remove, |t, b| (t.mutable(0, &mut zeroed()), 1));
    call!(iotsec_store_erase_user, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_store_scrub_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_store_destroy, |t, b| (
        t.shared(0, &b.store.flash),
        t.shared(1, &b.store.region)
    ));
    call!(iotsec_store_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_store_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_telemetry_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.telemetry)
    ));
    call!(iotsec_telemetry_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &zeroed::<iotsec_value_t>()),
        1,
        0
    ));
    call!(iotsec_telemetry_set_clock, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        0
    ));
    call!(iotsec_telemetry_batch, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &telemetry::shared()),
        t.mutable(2, &mut [0u8; 256]).cast(),
        256,
        t.mutable(3, &mut [0u8; 256]).cast(),
        256,
        t.mutable(4, &mut 0),
        t.mutable(5, &mut 0),
    ));
    call!(iotsec_telemetry_batch_for, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_SECURITY,
        7,
        t.shared(1, &telemetry::shared()),
        t.mutable(2, &mut [0u8; 256]).cast(),
        256,
        t.mutable(3, &mut [0u8; 256]).cast(),
        256,
        t.mutable(4, &mut 0),
        t.mutable(5, &mut 0),
    ));
    call!(iotsec_telemetry_acknowledge, |t, b| (
        t.mutable(0, &mut zeroed()),
        1
    ));
    call!(iotsec_telemetry_refused, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_telemetry_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_EVENT_USAGE,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_telemetry_registry, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 64]).cast(),
        64,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_telemetry_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_telemetry_consent, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_telemetry_grant, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        1,
        0
    ));
    call!(iotsec_telemetry_withdraw, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        0
    ));
    call!(iotsec_telemetry_purge_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_telemetry_pseudonym, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        7,
        t.mutable(1, &mut [0u8; IOTSEC_PSEUDONYM_LEN]).cast(),
    ));
    call!(iotsec_telemetry_ask_deletion, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE
    ));
    call!(iotsec_telemetry_deletion_request, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &telemetry::shared()),
        t.mutable(2, &mut [0u8; IOTSEC_DELETION_REQUEST_LEN]).cast(),
        IOTSEC_DELETION_REQUEST_LEN,
        t.mutable(3, &mut 0),
    ));
    call!(iotsec_telemetry_deletion_receipt, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        t.shared(2, &telemetry::signer()),
        t.mutable(3, &mut zeroed()),
    ));
    call!(iotsec_boot_select, |t, b| (
        t.shared(0, &b.update),
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_boot_verify, |t, b| (
        t.shared(0, &b.update),
        IOTSEC_SLOT_A,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_slot_provision, |t, b| (
        t.shared(0, &b.update),
        IOTSEC_SLOT_B,
        t.shared(1, &0),
        1,
        t.shared(2, &0),
        1,
    ));
    call!(iotsec_update_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.update),
        IOTSEC_SLOT_A
    ));
    call!(iotsec_update_begin, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        0,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_update_write, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_update_finish, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_update_install, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_update_accept, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_update_reject, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_update_cancel, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_update_forget_rejected, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(iotsec_update_clean, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_update_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_update_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_device_format, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.device)
    ));
    call!(iotsec_device_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.device)
    ));
    call!(iotsec_device_state, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_device_draw_code, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_EXPOSURE_ONLINE,
        t.mutable(1, &mut [0u8; 21]).cast(),
        21,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_device_provision, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"SN-1").cast(),
        4,
        t.mutable(2, &mut zeroed())
    ));
    call!(iotsec_device_serial, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 32]).cast(),
        32,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_device_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_device_login, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"green kettle").cast(),
        12,
        0,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_device_logout, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_device_login_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_device_unlock, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence)
    ));
    call!(iotsec_device_set_password, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        IOTSEC_EXPOSURE_ONLINE,
        IOTSEC_ITERATIONS_MCU,
        t.shared(1, b"kettle").cast(),
        6,
        t.shared(2, &c"Acme".as_ptr()),
        1
    ));
    call!(iotsec_device_set_network, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, b"net").cast(),
        3
    ));
    call!(iotsec_device_network, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 256]).cast(),
        256,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_device_put, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, b"x").cast(),
        1
    ));
    call!(iotsec_device_get, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut [0u8; 8]).cast(),
        8,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_device_remove, |t, b| (t.mutable(0, &mut zeroed()), 1));
    call!(iotsec_device_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_device_reset, |t, b| (t.mutable(0, &mut zeroed()), 1, 0, 0));
    call!(iotsec_device_transfer, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        0
    ));
    call!(iotsec_device_retire, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        0,
        ptr::null(),
        0
    ));
    call!(iotsec_device_give_up, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"K2M4-P6R8-T0V3-6").cast(),
        16,
        0,
        0
    ));
    call!(iotsec_device_give_up_by_presence, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence),
        0,
        0
    ));
    call!(iotsec_device_scrub_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(iotsec_device_receipt, |t, b| (
        t.mutable(0, &mut zeroed()),
        ptr::null(),
        0,
        t.mutable(2, &mut [0u8; 295]).cast(),
        295,
        t.mutable(3, &mut 0)
    ));
    call!(iotsec_erased_sign, |t, b| (
        t.shared(0, &attest::signer()),
        t.shared(1, &device::ERASED),
        ptr::null(),
        0,
        t.mutable(3, &mut [0u8; 295]).cast(),
        295,
        t.mutable(4, &mut 0)
    ));
    call!(iotsec_erased_verify, |t, b| (
        IOTSEC_KEY_ED25519,
        t.shared(0, &[7u8; 32]).cast(),
        32,
        t.shared(1, b"x").cast(),
        1,
        ptr::null(),
        0,
        t.mutable(3, &mut zeroed())
    ));
    call!(iotsec_security_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &device::OBSERVED),
        0,
        t.mutable(2, &mut zeroed()),
        1,
        t.mutable(3, &mut 0),
        t.mutable(4, &mut 0)
    ));
    call!(iotsec_security_status_json, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &device::OBSERVED),
        0,
        t.mutable(2, &mut [0u8; 8]).cast(),
        8,
        t.mutable(3, &mut 0)
    ));
    call!(iotsec_setup_begin, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &device::PLAN)
    ));
    call!(iotsec_setup_present_label, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"K2M4").cast(),
        4,
        0
    ));
    call!(iotsec_setup_leave, |t, b| (t.mutable(0, &mut zeroed())));
    call!(iotsec_setup_give_network, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"net").cast(),
        3
    ));
    call!(iotsec_setup_report, |t, b| (t.mutable(0, &mut zeroed()), 10));
    call!(iotsec_setup_set_time, |t, b| (t.mutable(0, &mut zeroed()), 1));
    call!(iotsec_setup_restart, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence),
        0,
        0
    ));
    call!(iotsec_setup_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_setup_status_json, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut [0u8; 8]).cast(),
        8,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_setup_claim, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_EXPOSURE_ONLINE,
        IOTSEC_ITERATIONS_MCU,
        t.shared(1, b"kettle").cast(),
        6,
        t.shared(2, &c"Acme".as_ptr()),
        1
    ));
    call!(iotsec_trust_install, |t, b| (
        t.shared(0, &b.trust),
        t.shared(1, b"x").cast(),
        1
    ));
    call!(iotsec_trust_rotate, |t, b| (
        t.shared(0, &b.trust),
        t.shared(1, b"x").cast(),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_trust_status, |t, b| (
        t.shared(0, &b.trust),
        t.mutable(1, &mut zeroed())
    ));
    call!(iotsec_trust_anchors, |t, b| (
        t.shared(0, &b.trust),
        IOTSEC_TRUST_UPDATE,
        0,
        t.mutable(1, &mut zeroed()),
        t.mutable(2, &mut zeroed()),
        1,
        t.mutable(3, &mut 0),
        t.mutable(4, &mut 0)
    ));
    call!(iotsec_trust_tls_anchors, |t, b| (
        t.shared(0, &b.trust),
        0,
        t.mutable(1, &mut zeroed()),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(iotsec_surface_check, |t, b| (t.shared(0, &surface::APP), 1));
    call!(iotsec_surface_may_listen, |t, b| (
        t.shared(0, &surface::APP),
        1,
        IOTSEC_DEVICE_OWNED,
        0,
        t.shared(1, b"app").cast(),
        3
    ));
    call!(iotsec_surface_may_connect, |t, b| (
        t.shared(0, &surface::APP),
        1,
        IOTSEC_DEVICE_OWNED,
        0,
        t.shared(1, b"app").cast(),
        3,
        t.shared(2, b"a.example").cast(),
        9,
        443
    ));
    call!(iotsec_surface_audit, |t, b| (
        t.shared(0, &surface::APP),
        1,
        IOTSEC_DEVICE_OWNED,
        0,
        t.shared(1, &surface::TELNET),
        1,
        t.mutable(2, &mut zeroed()),
        1,
        t.mutable(3, &mut 0),
        t.mutable(4, &mut 0)
    ));
    call!(iotsec_surface_read_sockets, |t, b| (
        IOTSEC_SOCKET_FILE_TCP,
        t.shared(0, b"sl local_address").cast(),
        16,
        t.mutable(1, &mut zeroed()),
        1,
        t.mutable(2, &mut 0)
    ));
    calls
}

fn presence() -> iotsec_presence_t {
    unsafe extern "C" fn yes(_: *mut std::ffi::c_void) -> i32 {
        1
    }
    iotsec_presence_t {
        struct_size: size_of::<iotsec_presence_t>() as u32,
        ctx: ptr::null_mut(),
        is_asserted: Some(yes),
    }
}

#[test]
fn a_null_pointer_is_refused_wherever_it_stands() {
    let (store, update) = (store::Bench::new(), update::Device::new());
    let (unit, trust) = (Unit::blank(), trust::Bench::new());
    let telemetry = telemetry::Bench::new();
    let (board, records) = (Board::new(), Fixed::new(Records::default()));
    let bench = Bench {
        credential: credential(&board, &records),
        entropy: board.entropy(),
        presence: presence(),
        store: store.config(),
        telemetry: telemetry.config(),
        update: update.config(),
        device: unit.config(),
        trust: trust.config(),
    };
    let calls = calls();
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
                    call(Turn(index), &bench),
                    IOTSEC_ERR_NULL,
                    "{name}, pointer {index}"
                );
                tried += 1;
            }
        }
        assert_ne!(
            call(Turn(usize::MAX), &bench),
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
