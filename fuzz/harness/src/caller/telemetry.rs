//! What is told, to whom, and what is not.

use super::{Calls, ROOM, piece};

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
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
    vec![
        ("valid-telemetry", telemetry),
        ("valid-reports", reports),
        ("near-reports-refused", spent),
        ("near-telemetry-silent", silent),
    ]
}
