//! Updates, and the keys that sign them.

use super::{Calls, piece};

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
    let plain = |names: &[&'static str]| -> Calls { names.iter().map(|name| (*name, vec![])).collect() };
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
    vec![
        ("valid-update", update),
        ("near-update-refused", refused),
        ("valid-trust", trust),
        ("near-trust-skipped", skipped),
    ]
}
