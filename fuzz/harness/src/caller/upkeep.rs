//! What goes on while a device is used: statements about releases, the software measured, the planner, the debug port.

use super::{Calls, ROOM, piece};

/// A device that runs the first release, and has the first trust bundle.
fn provisioned() -> Calls {
    vec![
        ("a counter of every 256th release", vec![]),
        ("iotsec_slot_provision", vec![0, 0, 0, 0]),
        ("a boot and iotsec_update_open", vec![]),
        ("iotsec_trust_install", vec![0, 0, 0]),
    ]
}

/// Asks what is the latest, and has the answer that it is this release.
fn answered(release: u8) -> Calls {
    vec![
        ("iotsec_update_challenge", vec![]),
        // Trusted time, of that kind, by the right key, to this challenge; which bundle, and when.
        (
            "iotsec_update_latest",
            vec![0, 0, 0, 0, 0, release, 1, 0x40, 0, 0, 0],
        ),
    ]
}

/// Leave to go back from the second release to the first, signed by this key.
fn leave(by: u8) -> (&'static str, Vec<u8>) {
    ("iotsec_update_downgrade", vec![0, 9, 0, by, 0, 1, 0, 0, 10, 0, 0])
}

fn inspected(release: u8) -> (&'static str, Vec<u8>) {
    ("iotsec_update_inspect", vec![0, 0, release, 0, 0])
}

fn installed(release: u8) -> Calls {
    vec![
        ("iotsec_update_begin", vec![0, 0, release, 0, 0]),
        ("iotsec_update_uri", vec![ROOM]),
        ("the whole image", vec![release]),
        ("all of iotsec_update_finish", vec![]),
        ("iotsec_update_install", vec![]),
        ("iotsec_update_close", vec![]),
        ("a boot and iotsec_update_open", vec![]),
        ("iotsec_update_accept", vec![]),
    ]
}

fn cleaned() -> Calls {
    vec![("iotsec_update_clean", vec![]); 6]
}

/// Without components, and with one.
fn reported() -> Calls {
    vec![
        (
            "iotsec_update_report",
            [vec![0, 0, 0], piece(b"nonce"), vec![0, 0, 0, ROOM]].concat(),
        ),
        (
            "iotsec_update_report",
            [vec![7, 0xF9, 1, 0], piece(b"key"), vec![1, 0, ROOM]].concat(),
        ),
    ]
}

fn next(battery: u8, now: u8) -> (&'static str, Vec<u8>) {
    ("iotsec_planner_next", vec![battery, 0, 0, 0, 0, now, 0])
}

/// A planner that has found the second release.
fn found() -> Calls {
    vec![
        ("iotsec_planner_open", vec![0, 0, 0, 0]),
        next(80, 0),
        next(80, 6),
        ("iotsec_planner_found", vec![2, 0, 30, 1, 0, 6, 0]),
    ]
}

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
    let freshness = [
        provisioned(),
        vec![
            ("iotsec_update_authenticate", vec![1, 0, 0]),
            inspected(1),
            ("iotsec_update_manifests", vec![]),
        ],
        answered(1),
        vec![inspected(1)],
        installed(1),
        cleaned(),
        vec![
            leave(0),
            inspected(0),
            ("iotsec_update_challenge", vec![]),
            inspected(0),
        ],
        installed(0),
        reported(),
    ]
    .concat();
    let forged = [
        provisioned(),
        installed(1),
        cleaned(),
        vec![
            // By the maker, by the one who says what is latest; and a statement of the latest as if it were leave.
            leave(1),
            leave(2),
            (
                "iotsec_update_downgrade",
                vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
            ),
            inspected(0),
            ("iotsec_update_begin", vec![0, 0, 0, 0, 0]),
            ("iotsec_update_challenge", vec![]),
            inspected(2),
            // To another challenge, by another key, and with a bundle that is behind.
            ("iotsec_update_latest", vec![0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0]),
            ("iotsec_update_latest", vec![0, 0, 0, 3, 0, 2, 1, 0, 0, 0, 0]),
            ("iotsec_update_latest", vec![0, 0, 0, 0, 0, 2, 9, 0, 0, 0, 0]),
            inspected(2),
        ],
        answered(2),
        vec![inspected(3)],
    ]
    .concat();
    let measured = [
        provisioned(),
        vec![
            ("iotsec_integrity_open", vec![0, 0, 0]),
            ("iotsec_integrity_step", vec![1, 0]),
            ("an integrity check that is called back", vec![]),
            ("all of iotsec_integrity_step", vec![2, 0]),
            ("iotsec_integrity_least", vec![]),
            // In the image of the first slot.
            ("tamper", [vec![2, 0], piece(&[0x5A; 8])].concat()),
            ("all of iotsec_integrity_step", vec![0, 0]),
            ("iotsec_integrity_least", vec![]),
            ("iotsec_integrity_close", vec![]),
        ],
    ]
    .concat();
    let recovered = [
        provisioned(),
        vec![
            ("iotsec_integrity_open", vec![0, 7, 0xF9]),
            ("iotsec_integrity_step", vec![1, 0]),
            ("iotsec_integrity_least", vec![]),
            ("a copy of an integrity check", vec![]),
            ("iotsec_integrity_close", vec![]),
            ("iotsec_integrity_open", vec![1, 0, 0]),
        ],
    ]
    .concat();
    let planned = [
        found(),
        vec![
            next(80, 6),
            ("iotsec_planner_decide", vec![2, 0, 9, 6, 0]),
            ("iotsec_planner_decide", vec![3, 0, 0, 6, 0]),
            ("iotsec_planner_decide", vec![1, 0, 0, 6, 0]),
            next(20, 7),
            // While somebody needs the device.
            ("iotsec_planner_next", vec![80, 0, 1, 0, 0, 7, 0]),
            ("iotsec_planner_status", vec![20, 0, 0, 0, 0, 7, 0]),
            next(80, 7),
            ("iotsec_planner_failed", vec![7, 0]),
            next(80, 9),
            ("iotsec_planner_interrupted", vec![9, 0]),
            next(80, 9),
            ("iotsec_planner_status", vec![80, 0, 0, 0, 0, 9, 0]),
            ("iotsec_planner_installed", vec![9, 0]),
            next(80, 14),
            ("iotsec_planner_checked", vec![2, 14, 0]),
            ("iotsec_planner_close", vec![]),
        ],
    ]
    .concat();
    let hasty = [
        found(),
        vec![
            ("iotsec_planner_installed", vec![6, 0]),
            next(80, 6),
            ("iotsec_planner_decide", vec![3, 0, 0, 6, 0]),
            next(80, 0xF0),
            ("iotsec_planner_close", vec![]),
            // One that nothing is too little for, and a record that says what was decided.
            (
                "iotsec_planner_open",
                [vec![0, 1, 101], vec![0; 13], vec![0, 1]].concat(),
            ),
            (
                "iotsec_planner_open",
                [vec![0, 1, 100], vec![0; 13], vec![0, 1]].concat(),
            ),
            next(99, 6),
            ("iotsec_planner_found", vec![3, 0, 30, 2, 0, 6, 0]),
            next(99, 6),
            next(99, 6),
            ("iotsec_planner_status", vec![99, 0, 0, 0, 0, 6, 0]),
        ],
    ]
    .concat();
    let port = vec![
        ("iotsec_surface_check_debug", vec![3, 2, 0]),
        ("iotsec_surface_check_debug", vec![1, 1, 2]),
        ("iotsec_unlock_open", vec![0, 0, 1]),
        ("iotsec_unlock_challenge", vec![ROOM]),
        ("iotsec_unlock_is_open", vec![0, 2]),
        ("iotsec_unlock_answer", vec![0, 2, 0, 0, 60, 0, 0, 0]),
        ("iotsec_unlock_is_open", vec![0, 3]),
        ("iotsec_unlock_is_open", vec![0xFE, 0]),
        ("iotsec_unlock_close", vec![]),
    ];
    let picked = vec![
        ("iotsec_surface_check_debug", vec![3, 1, 0]),
        ("iotsec_unlock_open", [piece(b"-"), vec![0, 1]].concat()),
        ("iotsec_unlock_open", vec![0, 0, 1]),
        ("iotsec_unlock_challenge", vec![9]),
        ("iotsec_unlock_challenge", vec![ROOM]),
        // By another key, and after that the right one; to another challenge; too late; any bytes.
        ("iotsec_unlock_answer", vec![0, 2, 1, 0, 60, 0, 0, 0]),
        ("iotsec_unlock_answer", vec![0, 2, 0, 0, 60, 0, 0, 0]),
        ("iotsec_unlock_close", vec![]),
        ("iotsec_unlock_open", vec![0, 0, 1]),
        ("iotsec_unlock_challenge", vec![ROOM]),
        ("iotsec_unlock_answer", vec![0, 2, 0, 0, 60, 1, 0, 0]),
        ("iotsec_unlock_close", vec![]),
        ("iotsec_unlock_open", vec![0, 0, 1]),
        ("iotsec_unlock_challenge", vec![ROOM]),
        ("iotsec_unlock_answer", vec![0xFE, 0, 0, 0, 60, 0, 0, 0]),
        ("iotsec_unlock_is_open", vec![0, 3]),
        ("iotsec_unlock_close", vec![]),
        ("iotsec_unlock_open", vec![0, 0, 1]),
        (
            "iotsec_unlock_answer",
            [vec![0, 2, 0, 0, 60, 0], piece(&[0xD2, 0x84])].concat(),
        ),
    ];
    vec![
        ("valid-freshness", freshness),
        ("near-freshness-forged", forged),
        ("valid-integrity", measured),
        ("near-integrity-copied", recovered),
        ("valid-planner", planned),
        ("near-planner-hasty", hasty),
        ("valid-debug-port", port),
        ("near-debug-port-picked", picked),
    ]
}
