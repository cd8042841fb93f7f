//! Events of detectors among those of the product.

use iotsec::telemetry::detect::{AUTH_BURST, MODE, STORAGE_WORN};
use iotsec_ffi::detect::*;

use super::*;

registry!(
    static DETECTING = [LOGIN, DOOR, FORCED, PULSE, AUTH_BURST, STORAGE_WORN, MODE],
    metrics [private::AT_NIGHT, private::LIT_FOR, private::LOAD_OF, private::SEEN],
    handling Handling::new("data@doors.example", "Doors Ltd", 90)
);

const fn bit(event: u16) -> u32 {
    1 << (event & 0xFFF)
}

#[test]
fn events_of_detectors_are_declared_by_their_bits_and_recorded_like_others() {
    let bench = Bench::new();
    let mut config = bench.config();
    let wanted = [
        IOTSEC_DETECTED_AUTH_BURST,
        IOTSEC_DETECTED_STORAGE_WORN,
        IOTSEC_DETECTED_MODE,
    ];
    config.detectors = wanted.into_iter().map(bit).sum();
    assert_eq!(bench.open_as(&config), IOTSEC_OK);
    bench.purge();
    let mut expected = Vec::new();
    DETECTING.canonical(&mut |piece| expected.extend_from_slice(piece));
    let (mut bytes, mut len) = (vec![0; expected.len()], 0);
    // SAFETY: see the top.
    let told = unsafe {
        let (at, room) = (bench.telemetry.at(), bytes.len());
        iotsec_telemetry_registry(at, bytes.as_mut_ptr(), room, &raw mut len)
    };
    assert_eq!((told, bytes), (IOTSEC_OK, expected));

    let burst = [plain(3), plain(5)];
    assert_eq!(bench.record(IOTSEC_DETECTED_AUTH_BURST, &burst), IOTSEC_OK);
    assert_eq!(
        bench.record(IOTSEC_DETECTED_MODE, &[plain(1), plain(0xF000)]),
        IOTSEC_OK
    );
    assert_eq!(
        bench.counts(IOTSEC_EVENT_SECURITY).0 + bench.counts(IOTSEC_EVENT_CRITICAL).0,
        2
    );
    let worn = |bench: &Bench| bench.record(IOTSEC_DETECTED_STORAGE_WORN, &[plain(83)]);
    assert_eq!(worn(&bench), IOTSEC_ERR_RECORD_NOT_CONSENTED);
    assert_eq!(
        bench.record(IOTSEC_DETECTED_BOOT_LOOP, &[plain(3)]),
        IOTSEC_ERR_RECORD_UNDECLARED
    );
    assert_eq!(
        bench.record(IOTSEC_DETECTED_AUTH_BURST, &burst[..1]),
        IOTSEC_ERR_RECORD_ARITY
    );
    let beyond = [plain(16), plain(5)];
    assert_eq!(
        bench.record(IOTSEC_DETECTED_AUTH_BURST, &beyond),
        IOTSEC_ERR_RECORD_OUT_OF_BOUNDS
    );
}
