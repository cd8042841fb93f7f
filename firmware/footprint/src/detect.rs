//! All detectors together, with a guard: each fed once, and what a boot keeps.

use core::hint::black_box;

use iotsec_core::hal::{Millis, TimeFloor, UnixTime};
use iotsec_telemetry::detect::{
    BASELINE_RECORD_LEN, BootLoop, Churn, ClockRollback, EntropyHealth, FailureBurst, GUARD_RECORD_LEN,
    Guard, IntegrityFailures, Listening, NewListeners, Policy, SlowFailures, StorageHealth, TrafficPlan,
    TrafficVolume, Transport, UpdateFailures, WatchdogResets,
};

const PLAN: TrafficPlan = TrafficPlan {
    period: Millis::from_secs(3600),
    ceiling: 500,
};

/// Every detector, from records that anybody wrote.
pub fn run() -> bool {
    let now = black_box(Millis(0));
    let baseline = black_box([0; BASELINE_RECORD_LEN]);
    let mut guard = Guard::started(&Policy::DEFAULT, black_box(Some(&[0; GUARD_RECORD_LEN])), now);
    let (mut boots, boot) = BootLoop::started(black_box(Some(&[1, 0xFE])), black_box(false));
    let (mut watchdog, hang) = WatchdogResets::started(black_box(Some(&[1, 0xFE])), black_box(true));
    let mut burst = FailureBurst::new(black_box(0));
    let mut slow = SlowFailures::new(black_box(0), now);
    let mut updates = UpdateFailures::new();
    let mut integrity = IntegrityFailures::new();
    let mut listeners = NewListeners::new();
    let mut clock = ClockRollback::new(TimeFloor::new(black_box(UnixTime(1_790_000_000))));
    let mut traffic = TrafficVolume::new(black_box(0), PLAN, Some(&baseline), now);
    let mut reconnects = Churn::reconnects(black_box(2), Some(&baseline), now);
    let mut rejects = Churn::tls_rejects(black_box(1), Some(&baseline), now);
    let mut entropy = EntropyHealth::new();
    let mut storage = StorageHealth::new();

    let later = black_box(Millis(7_200_000));
    let error = black_box(2301);
    let telnet = black_box(Listening {
        transport: Transport::Tcp,
        number: 23,
    });
    let mut found = 0;
    for finding in [
        boot,
        hang,
        burst.failed(later),
        slow.failed(later),
        updates.refused(error, later),
        updates.download_failed(error, later),
        integrity.found(black_box(Some(0)), error, later),
        listeners.saw(telnet, [].as_slice(), later),
        clock.read(later, black_box(UnixTime(5))),
        traffic.count(black_box(900), later),
        reconnects.happened(later),
        rejects.happened(later),
        entropy.drawn(&black_box([7; 32]), later),
        storage.failed(error, later),
        storage.worn(black_box(81)),
    ]
    .into_iter()
    .flatten()
    {
        found += black_box(finding.values()).len();
        if let Some(change) = guard.note(finding.event(), later) {
            found += black_box(change.finding().values()).len();
        }
    }
    listeners.looked();
    updates.fetched();
    updates.accepted();
    integrity.intact();
    entropy.recovered();
    clock.proved(later, black_box(UnixTime(1_800_000_000)));
    black_box((boots.stayed_up(later), boots.record()));
    black_box((watchdog.stayed_up(later), watchdog.record()));
    let alarmed = integrity.is_alarmed() || listeners.is_alarmed() || entropy.is_alarmed();
    black_box((traffic.is_alarmed(), slow.is_alarmed(), reconnects.is_alarmed()));
    black_box((traffic.record(), reconnects.record(), rejects.record()));
    black_box(guard.tend(alarmed, later).is_some());
    black_box(guard.record());
    found > 0
}
