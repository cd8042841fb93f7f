//! What comes from outside, and what is computed from arguments alone.

use super::{Calls, ROOM, piece};

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
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
    // What the texts are, and of the last field: from 0 to 20, 3 when it is absent.
    let table = |input: u8| vec![input, 2, 0, 0, 0, 20, 0, 3];
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
        ("valid-inputs", inputs),
        ("valid-documents", documents),
        ("near-documents-broken", broken),
        ("valid-statements", statements),
    ]
}
