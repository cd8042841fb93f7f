//! What looks at a device while it runs, and how often it calls home.

use super::Calls;

pub(super) fn lives() -> Vec<(&'static str, Calls)> {
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
    vec![
        ("valid-detectors", detectors),
        ("near-detectors-strayed", strayed),
        ("valid-retries", retries),
        ("near-retries-hasty", hasty),
    ]
}
