//! Devices from the factory on, whose they are, and who is let in.

use super::{Calls, ROOM, piece};

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
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
    vec![
        ("valid-device", device),
        ("valid-identity", identity),
        ("near-identity-refused", renamed),
        ("near-orphan", orphan),
        ("valid-pairing", pairing),
        ("near-pairing-guessed", guessed),
        ("valid-login", login),
        ("near-login-lied", lied),
    ]
}
