//! Stores and the keys in them.

use super::{Calls, ROOM, piece};

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
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
    let night = |store: &[u8]| [vec![0x11], piece(store)].concat();
    let counted = vec![
        ("a counter for the store", vec![]),
        ("iotsec_store_format", vec![]),
        ("iotsec_store_put", [vec![0x11], piece(b"correct horse")].concat()),
        ("yesterday's flash", night(b"another horse")),
        ("yesterday's flash", night(b"")),
        ("iotsec_store_mount", vec![]),
        ("iotsec_store_get", vec![0x11, ROOM]),
    ];
    let uncounted = vec![
        ("iotsec_store_format", vec![]),
        ("yesterday's flash", night(b"another horse")),
        ("a counter for the store", vec![]),
        ("yesterday's flash", night(b"another horse")),
    ];
    vec![
        ("valid-store-counted", counted),
        ("near-store-uncounted", uncounted),
        ("valid-store", store),
        ("near-store-cut", cut),
        ("valid-changes", changes),
        ("near-changes-halved", halved),
        ("valid-keys", keys),
        ("near-keys-misused", misused),
    ]
}
