//! The C interface, called in any order with any arguments: see [`iotsec_fuzz_caller`].

mod upkeep;

use iotsec_fuzz_caller::{number, run};

use crate::Seed;

/// Whatever a C program calls, the interface keeps its word. True when every call succeeded.
pub fn sequence(input: &[u8]) -> bool {
    run(input)
}

/// All bytes that a buffer needs.
const ROOM: u8 = 255;

/// Lives of the objects in which every call succeeds, and some in which not every one does.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, calls) in lives().into_iter().chain(upkeep::lives()) {
        seeds.push(Seed::new(name, recipe(&calls)));
    }
    seeds
}

/// Calls with the bytes of their arguments.
type Calls = Vec<(&'static str, Vec<u8>)>;

fn recipe(calls: &Calls) -> Vec<u8> {
    let calls = calls.iter();
    calls
        .flat_map(|(name, arguments)| [number(name), arguments.clone()].concat())
        .collect()
}

/// A piece of the input, with its length before it.
fn piece(bytes: &[u8]) -> Vec<u8> {
    let len = u8::try_from(bytes.len()).expect("a short piece");
    [&[len][..], bytes].concat()
}

fn lives() -> Vec<(&'static str, Calls)> {
    let plain = |names: &[&'static str]| -> Calls { names.iter().map(|name| (*name, vec![])).collect() };
    let put = ("iotsec_store_put", [vec![0x11], piece(b"correct horse")].concat());
    let get = ("iotsec_store_get", vec![0x11, ROOM]);
    let store = vec![
        ("iotsec_store_format", vec![]),
        put.clone(),
        ("iotsec_store_record", [vec![2], piece(b"four")].concat()),
        ("iotsec_store_record", vec![2, 0]),
        ("iotsec_store_close", vec![]),
        ("iotsec_store_mount", vec![]),
        get.clone(),
        ("a store that is called back", vec![0x11, ROOM]),
        ("iotsec_store_remove", vec![2]),
        ("iotsec_store_begin_scrub", vec![]),
        ("iotsec_store_scrub_step", vec![]),
        ("iotsec_store_erase_user", vec![]),
        ("iotsec_store_scrub_step", vec![]),
        ("iotsec_store_destroy", vec![]),
    ];
    let cut = vec![
        ("iotsec_store_format", vec![]),
        put.clone(),
        ("power cut", vec![0, 20]),
        put,
        ("power on", vec![]),
        ("iotsec_store_close", vec![]),
        ("iotsec_store_mount", vec![]),
        ("iotsec_store_get", vec![0x11, 5]),
        ("fuse", vec![3]),
        get,
        ("a copy of a store", vec![1]),
        ("tamper", [vec![0, 5], piece(&[0x5A; 40])].concat()),
        ("iotsec_store_mount", vec![]),
    ];
    let device = vec![
        ("iotsec_device_format", vec![1]),
        ("iotsec_device_draw_code", vec![ROOM]),
        ("iotsec_device_provision", vec![0]),
        ("iotsec_device_serial", vec![ROOM]),
        ("a device that is called back", vec![ROOM]),
        ("iotsec_setup_begin", vec![0, 0]),
        ("iotsec_setup_status_json", vec![0, 9, ROOM]),
        ("iotsec_setup_present_label", vec![0x4E, 0x20, 0]),
        ("iotsec_setup_claim", vec![0]),
        ("iotsec_device_put", [vec![0, 1], piece(b"07:30 on")].concat()),
        ("iotsec_device_get", vec![0, 1, ROOM]),
        ("iotsec_device_close", vec![]),
        ("iotsec_device_open", vec![1]),
        ("iotsec_device_login", vec![0, 0x75, 0x30]),
        ("iotsec_device_lend_argon2id", vec![0]),
        ("iotsec_device_login_with_rehash", vec![0, 0x75, 0x31]),
        ("iotsec_device_reset", vec![0, 0, 1]),
        ("iotsec_device_scrub_step", vec![]),
        (
            "iotsec_device_receipt",
            [piece(b"a fresh number"), vec![ROOM]].concat(),
        ),
        ("iotsec_device_close", vec![]),
    ];
    let identity = vec![
        ("iotsec_device_format", vec![0]),
        ("iotsec_device_draw_code", vec![ROOM]),
        ("iotsec_device_provision", vec![0]),
        ("iotsec_identity_use_ed25519", vec![]),
        ("iotsec_identity_make", vec![]),
        ("iotsec_identity_request", vec![1, 0, ROOM]),
        ("iotsec_identity_certify", vec![1, 0]),
        ("iotsec_identity_signer", vec![1]),
        ("a signature of the identity", piece(b"challenge")),
        ("iotsec_identity_start", vec![]),
        ("iotsec_identity_request", vec![2, 0, ROOM]),
        ("iotsec_identity_certify", vec![2, 0]),
        ("iotsec_identity_certificate", vec![2, ROOM]),
        ("iotsec_identity_signer", vec![2]),
        ("iotsec_identity_commit", vec![]),
        ("iotsec_identity_start", vec![]),
        ("iotsec_identity_cancel", vec![]),
        ("iotsec_identity_status", vec![]),
    ];
    let renamed = vec![
        ("iotsec_device_format", vec![0]),
        ("iotsec_device_draw_code", vec![ROOM]),
        ("iotsec_device_provision", vec![0]),
        ("iotsec_identity_use_p256", vec![]),
        ("iotsec_identity_adopt", vec![7]),
        ("an identity that is called back", vec![]),
        ("iotsec_identity_request", vec![1, 0, 40]),
        ("iotsec_identity_certify", [vec![1], piece(&[0x30, 0])].concat()),
        ("iotsec_identity_signer", vec![2]),
    ];
    let orphan = vec![
        ("iotsec_device_format", vec![0]),
        ("iotsec_device_draw_code", vec![12]),
        ("iotsec_device_draw_code", vec![ROOM]),
        ("iotsec_device_provision", vec![0]),
        ("iotsec_setup_begin", vec![0, 0]),
        ("iotsec_setup_present_label", vec![0x4E, 0x20, 0]),
        ("iotsec_setup_claim", piece(b"seven small cats")),
        ("iotsec_device_close", vec![]),
        // In the page of the owner's key.
        ("tamper", [vec![0, 162], piece(&[0x5A; 24])].concat()),
        ("iotsec_device_open", vec![0]),
        ("iotsec_device_login", vec![0, 0x75, 0x30]),
        ("iotsec_device_give_up", vec![0]),
    ];
    let pairing = vec![
        ("iotsec_device_format", vec![0]),
        ("iotsec_device_draw_code", vec![ROOM]),
        ("iotsec_device_draw_setup_code", vec![0, ROOM]),
        ("iotsec_device_provision", vec![0]),
        ("iotsec_setup_begin", vec![0, 0]),
        ("iotsec_pairing_parameters", vec![]),
        ("iotsec_pairing_open", vec![1, 0, 0xEA, 0x60]),
        ("iotsec_pairing_answer", vec![2, 0, 0, 0]),
        ("iotsec_pairing_close", vec![]),
        ("presence", vec![1]),
        ("iotsec_pairing_open_by_presence", vec![3, 0, 0xEA, 0x60]),
        ("iotsec_pairing_answer", vec![4, 0, 0, 0]),
    ];
    let guessed = [
        pairing.clone(),
        vec![
            ("iotsec_pairing_finish", vec![0, 5, 0]),
            ("a copy of a pairing", vec![]),
        ],
    ]
    .concat();
    let login = vec![
        ("iotsec_password_generate", vec![1, ROOM]),
        ("iotsec_login_open", vec![0]),
        ("iotsec_login_attempt_label", vec![3, 232, 0]),
        ("iotsec_password_choose", vec![0, 1]),
        ("iotsec_login_attempt_text", vec![7, 208, 0]),
        ("iotsec_login_lend_argon2id", vec![0]),
        ("iotsec_login_attempt_with_rehash", vec![11, 184, 0]),
        ("iotsec_password_choose_argon2id", vec![0]),
        ("iotsec_login_attempt_text", vec![15, 160, 0]),
        ("presence", vec![1]),
        ("iotsec_login_unlock", vec![]),
        ("iotsec_login_status", vec![7, 208]),
        ("iotsec_login_close", vec![]),
    ];
    let lied = vec![
        ("iotsec_password_generate", vec![1, ROOM]),
        ("iotsec_login_open", vec![9]),
        ("lie", vec![1]),
        ("iotsec_login_attempt_label", vec![3, 232, 0]),
        ("a copy of a login", vec![]),
    ];
    let staged = |release: u8| -> Calls {
        vec![
            ("iotsec_update_begin", vec![0, 0, release, 0, 0]),
            ("iotsec_update_write", vec![release, 100]),
            ("the whole image", vec![release]),
            ("all of iotsec_update_finish", vec![]),
            ("iotsec_update_install", vec![]),
            ("iotsec_update_close", vec![]),
            ("a boot and iotsec_update_open", vec![]),
        ]
    };
    let provisioned: Calls = vec![
        ("iotsec_slot_provision", vec![0, 0, 0, 0]),
        ("iotsec_boot_verify", vec![0]),
        ("a boot and iotsec_update_open", vec![]),
    ];
    let update = [
        provisioned.clone(),
        staged(1),
        plain(&[
            "iotsec_update_accept",
            "iotsec_update_clean",
            "iotsec_update_status",
        ]),
    ]
    .concat();
    let refused = [
        provisioned,
        vec![(
            "iotsec_update_begin",
            [vec![0, 0, 1, 30], piece(&[1, 2, 3])].concat(),
        )],
        staged(1),
        plain(&[
            "iotsec_update_reject",
            "iotsec_update_close",
            "iotsec_boot_select",
        ]),
    ]
    .concat();
    let trust = vec![
        ("iotsec_trust_install", vec![0, 0, 0]),
        ("iotsec_trust_rotate", vec![1, 0, 0]),
        ("iotsec_trust_status", vec![]),
        ("iotsec_trust_anchors", vec![2, 0, 0, 8]),
        ("iotsec_trust_tls_anchors", vec![0, 0]),
    ];
    let skipped = vec![
        ("iotsec_trust_install", vec![0, 0, 0]),
        ("iotsec_trust_rotate", vec![2, 0, 0]),
        ("iotsec_trust_anchors", vec![2, 0, 0, 0]),
    ];
    let telemetry = vec![
        ("iotsec_telemetry_open", vec![]),
        ("all of iotsec_telemetry_purge_step", vec![]),
        ("iotsec_telemetry_grant", vec![2, 0, 0]),
        ("all of iotsec_telemetry_purge_step", vec![]),
        ("iotsec_telemetry_record", vec![0, 1, 0, 9, 0]),
        ("iotsec_telemetry_record", vec![0, 2, 0, 9, 2, 0, 1, 0, 0, 5, 0]),
        ("iotsec_telemetry_record", vec![0, 3, 0, 9, 1, 0, 5, 2]),
        ("iotsec_telemetry_batch", vec![1 | 4 << 2, 0, ROOM, ROOM]),
        ("iotsec_telemetry_acknowledge", vec![0]),
        ("iotsec_telemetry_pseudonym", vec![2, 7]),
        ("iotsec_telemetry_withdraw", vec![2, 0, 0]),
        ("iotsec_telemetry_deletion_request", vec![1 | 4 << 2, 0, ROOM]),
        ("iotsec_telemetry_registry", vec![ROOM]),
        ("iotsec_telemetry_close", vec![]),
    ];
    let reports = vec![
        ("iotsec_telemetry_open", vec![]),
        ("iotsec_telemetry_grant", vec![2, 0, 0]),
        ("iotsec_telemetry_format_ledger", vec![]),
        ("iotsec_telemetry_report", vec![1, 0, 1, 2, 0, 0, ROOM]),
        ("iotsec_telemetry_report", vec![3, 0, 9, 0, 0, 0, ROOM]),
        ("iotsec_telemetry_renew_ledger", vec![]),
        ("iotsec_telemetry_renew_ledger_by", vec![]),
        ("iotsec_telemetry_ledger_renewals", vec![]),
        ("iotsec_telemetry_share", vec![0, 0, 0, 2, 0, 7, 2, 0, 9, ROOM]),
        (
            "iotsec_telemetry_seal_value",
            vec![1 | 4 << 2, 0, 4, 0, 5, 2, ROOM],
        ),
        (
            "iotsec_telemetry_data_map_json",
            [piece(b"Lamp"), vec![ROOM]].concat(),
        ),
        ("iotsec_telemetry_close", vec![]),
    ];
    let spent = vec![
        ("iotsec_telemetry_open", vec![]),
        ("iotsec_telemetry_format_ledger", vec![]),
        ("iotsec_telemetry_report", vec![1, 0, 1, 2, 0, 0, ROOM]),
        (
            "iotsec_telemetry_share",
            vec![3, 1, 2, 3, 0, 0, 2, 0, 7, 2, 0, 9, 40],
        ),
        (
            "iotsec_telemetry_data_map_page",
            [piece(b"Lamp"), vec![9]].concat(),
        ),
    ];
    let silent = vec![
        ("iotsec_telemetry_open", vec![]),
        ("iotsec_telemetry_record", vec![0, 3, 0, 9, 1, 0, 5, 2]),
        ("iotsec_telemetry_batch", vec![1 | 4 << 2, 0, 10, ROOM]),
        ("iotsec_telemetry_deletion_receipt", piece(&[0xD2, 0x84])),
    ];
    let inputs = vec![
        ("iotsec_input_check", [vec![8], piece(b"8883")].concat()),
        (
            "iotsec_input_decode",
            [vec![17], piece(b"00ff"), vec![2]].concat(),
        ),
        ("iotsec_input_url", piece(b"wss://a.example?x")),
        ("iotsec_input_version", piece(b"1.4.10-rc.2")),
        (
            "iotsec_input_mqtt_matches",
            [piece(b"lamps/+"), piece(b"lamps/7")].concat(),
        ),
        ("iotsec_surface_audit", vec![3, 0, 0, 0, 5]),
    ];
    let changes = vec![
        ("iotsec_store_format", vec![]),
        ("iotsec_store_put", [vec![0x11], piece(b"correct horse")].concat()),
        (
            "iotsec_store_apply",
            [
                vec![3, 1, 0x10],
                piece(b"house"),
                vec![1, 0x12],
                piece(b"another horse"),
                vec![3, 0x11, 0],
            ]
            .concat(),
        ),
        ("iotsec_store_put_once", [vec![2], piece(b"4711")].concat()),
        ("iotsec_store_set_limit", vec![1, 1, 0]),
        ("iotsec_store_increment", vec![3]),
        ("iotsec_store_close", vec![]),
        ("iotsec_store_mount", vec![]),
        ("iotsec_store_count", vec![3]),
        ("iotsec_store_get", vec![0x12, ROOM]),
    ];
    let halved = vec![
        ("iotsec_store_format", vec![]),
        ("iotsec_store_put_once", [vec![1], piece(b"4711")].concat()),
        ("power cut", vec![0, 9]),
        (
            "iotsec_store_apply",
            [vec![2, 1, 0x10], piece(b"house"), vec![2, 0x12], piece(b"horse")].concat(),
        ),
        ("power on", vec![]),
        ("iotsec_store_close", vec![]),
        ("iotsec_store_mount", vec![]),
        ("iotsec_store_apply", [vec![1, 1, 1], piece(b"x")].concat()),
        ("iotsec_store_increment", vec![1]),
    ];
    let keys = vec![
        ("iotsec_store_format", vec![]),
        ("iotsec_key_generate", vec![0, 0, 1, 1 | 2]),
        ("iotsec_key_public", vec![0, ROOM]),
        ("iotsec_key_sign", [vec![0], piece(b"a report")].concat()),
        (
            "iotsec_key_verify",
            [vec![0], piece(b"a report"), vec![0]].concat(),
        ),
        ("iotsec_key_rotate", vec![1, 0]),
        ("iotsec_key_previous", vec![0, 1]),
        ("iotsec_key_retire", vec![1]),
        ("iotsec_key_open", vec![0, 0]),
        ("iotsec_key_destroy", vec![0]),
        ("iotsec_key_import", vec![0, 0, 8, 4 | 64 | 128, 0]),
        ("iotsec_key_export", vec![0, ROOM]),
        (
            "iotsec_key_derive",
            [vec![1, 0, 1, 6, 8 | 16], piece(b"link")].concat(),
        ),
        (
            "iotsec_key_encrypt",
            [vec![1], piece(b"frame"), piece(b"horse"), vec![ROOM]].concat(),
        ),
        (
            "iotsec_key_decrypt",
            [vec![1], piece(b"frame"), vec![0, ROOM]].concat(),
        ),
        ("iotsec_key_derive_secret", [vec![0], piece(b"link")].concat()),
        ("iotsec_key_generate", vec![2, 2, 3, 4 | 128]),
        ("iotsec_key_public", vec![2, ROOM]),
        (
            "iotsec_key_agree",
            [vec![3, 2, 3, 7, 1], vec![0], piece(b"session")].concat(),
        ),
        (
            "iotsec_key_agree_secret",
            [vec![2, 0], piece(b"session")].concat(),
        ),
        ("iotsec_key_mac", [vec![3], piece(b"a report")].concat()),
    ];
    let misused = vec![
        ("iotsec_store_format", vec![]),
        ("iotsec_key_generate", vec![0, 0, 2, 1]),
        ("iotsec_key_mac", [vec![0], piece(b"a report")].concat()),
        ("iotsec_key_rotate", vec![1, 0]),
        ("iotsec_key_sign", [vec![0x80], piece(b"stale")].concat()),
        ("iotsec_key_export", vec![1, 9]),
    ];
    let detectors = vec![
        ("iotsec_detector_open", vec![0, 9, 0, 100, 0x0E, 0xA6, 0, 0, 0, 1]),
        ("iotsec_detector_counted", vec![0x27, 0x10, 0x40, 0]),
        ("iotsec_detector_tend", vec![0x60, 0]),
        ("iotsec_detector_keep", vec![]),
        ("iotsec_detector_status", vec![]),
        ("iotsec_detector_close", vec![]),
        ("iotsec_guard_open", vec![0, 0, 0, 0, 0, 0, 1]),
        ("iotsec_guard_note", vec![0, 1, 0, 2]),
        ("iotsec_guard_tend", vec![0, 0x10, 0]),
        ("iotsec_guard_status", vec![]),
        ("iotsec_guard_close", vec![]),
    ];
    let strayed = vec![
        ("iotsec_detector_open", vec![3, 1, 2, 0, 0, 0, 0, 0, 0, 1]),
        ("iotsec_detector_worn", vec![99]),
        ("iotsec_guard_open", vec![1, 0, 7, 9, 0, 0, 0, 0, 0, 1]),
    ];
    let retries = vec![
        (
            "iotsec_retry_open",
            [vec![0, 0], vec![0; 10], vec![0, 1]].concat(),
        ),
        ("iotsec_retry_status", vec![0, 2]),
        ("iotsec_retry_begin", vec![0x40, 0]),
        ("iotsec_retry_connected", vec![0x41, 0]),
        ("iotsec_retry_tend", vec![0x80, 0]),
        ("iotsec_retry_finish", vec![0x81, 0]),
        ("iotsec_retry_begin", vec![0xF0, 0]),
        ("iotsec_retry_ended", vec![2, 0, 9, 0xF1, 0]),
        ("iotsec_retry_repair", vec![0xF2, 0]),
        ("iotsec_retry_close", vec![]),
    ];
    let hasty = vec![
        (
            "iotsec_retry_open",
            [vec![3, 0], vec![0; 10], vec![0, 1]].concat(),
        ),
        ("iotsec_retry_begin", vec![0, 1]),
        ("iotsec_retry_connected", vec![0, 2]),
    ];
    // What the texts are, and of the last field: optional, from 0 to 20, 3 when it is absent.
    let table = |input: u8| vec![input, 1, 0, 0, 0, 20, 0, 3];
    let documents = vec![
        (
            "iotsec_document_read",
            [
                vec![1],
                table(17),
                vec![16, 64],
                piece(br#"{"l": [{"n": 7}, {"t": "0\u0030"}], "c": "off", "o": {}, "b": true, "z": 9}"#),
            ]
            .concat(),
        ),
        (
            "iotsec_document_read",
            [vec![2], table(0), vec![16, 0], piece(b"\xA2\x61b\xF5\x61z\x07")].concat(),
        ),
        (
            "iotsec_json_open",
            [vec![0], piece(br#"{"a": [1, -2.5, "\u00e9", {}], "b": null}"#)].concat(),
        ),
        ("iotsec_json_next", vec![]),
        ("iotsec_json_next", vec![]),
        ("iotsec_json_is", vec![]),
        ("iotsec_json_text", vec![ROOM]),
        ("iotsec_json_pass", vec![]),
        ("all of iotsec_json_next", vec![]),
        ("iotsec_json_close", vec![]),
        (
            "iotsec_wifi_parse",
            piece(br"WIFI:T:WPA;S:Cafe\;Bar;P:12345678;H:true;;"),
        ),
        ("iotsec_wifi_write", vec![0, 0, 0, 0, 0, ROOM]),
        (
            "iotsec_input_quantity",
            [vec![0, 0, 1, 0, 0], piece(b"250 ms")].concat(),
        ),
        ("iotsec_input_check", [vec![21], piece(b"Europe/Berlin")].concat()),
    ];
    let broken = vec![
        (
            "iotsec_document_read",
            [vec![1], table(0), vec![2, 0], piece(br#"{"b": true}"#)].concat(),
        ),
        (
            "iotsec_document_read",
            [vec![1], table(0), vec![16, 0], piece(br#"{"o": {"n": 21}}"#)].concat(),
        ),
        ("iotsec_json_open", [vec![2], piece(b"[[[]]]")].concat()),
        ("iotsec_wifi_parse", piece(b"WIFI:T:WEP;S:a;P:12345678;;")),
        (
            "iotsec_input_quantity",
            [vec![0, 0, 1, 0, 1], piece(b"250 ms")].concat(),
        ),
    ];
    let statements = vec![
        ("iotsec_abi_version", vec![]),
        ("iotsec_status_name", vec![0x0B, 0xBB]),
        ("iotsec_about_json", vec![ROOM]),
        ("iotsec_attest_token", vec![0, 0, 1, 0x30, 1, 1, ROOM, ROOM]),
        (
            "iotsec_erased_sign",
            [
                piece(b"a fresh number"),
                vec![1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, ROOM],
            ]
            .concat(),
        ),
        ("iotsec_ed25519_sign", [vec![7], piece(b"message")].concat()),
        ("iotsec_ed25519_public_key", vec![7]),
        ("iotsec_root_key_derive", [vec![0], piece(b"label")].concat()),
        ("iotsec_certificate_verify_server", vec![0, 0, 0, 0]),
        ("iotsec_surface_check", vec![1]),
        ("iotsec_surface_may_listen", vec![3, 0, 0]),
    ];
    vec![
        ("valid-changes", changes),
        ("near-changes-halved", halved),
        ("valid-keys", keys),
        ("near-keys-misused", misused),
        ("valid-detectors", detectors),
        ("near-detectors-strayed", strayed),
        ("valid-retries", retries),
        ("near-retries-hasty", hasty),
        ("valid-documents", documents),
        ("near-documents-broken", broken),
        ("valid-statements", statements),
        ("valid-store", store),
        ("near-store-cut", cut),
        ("valid-device", device),
        ("near-orphan", orphan),
        ("valid-identity", identity),
        ("near-identity-refused", renamed),
        ("valid-pairing", pairing),
        ("near-pairing-guessed", guessed),
        ("valid-login", login),
        ("near-login-lied", lied),
        ("valid-update", update),
        ("near-update-refused", refused),
        ("valid-trust", trust),
        ("near-trust-skipped", skipped),
        ("valid-telemetry", telemetry),
        ("near-telemetry-silent", silent),
        ("valid-reports", reports),
        ("near-reports-refused", spent),
        ("valid-inputs", inputs),
    ]
}
