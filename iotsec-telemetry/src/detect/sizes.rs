//! What the documentation of each detector says of its state.

use super::{
    Churn, ClockRollback, Cusum, EntropyHealth, FailureBurst, Guard, IntegrityFailures, NewListeners,
    SlowFailures, StorageHealth, TrafficVolume, UpdateFailures, baseline::Baseline,
};

#[test]
fn states_are_no_larger_than_documented_and_hundreds_of_bytes_together() {
    let sizes = [
        ("FailureBurst", size_of::<FailureBurst>(), 40),
        ("SlowFailures", size_of::<SlowFailures>(), 48),
        ("UpdateFailures", size_of::<UpdateFailures>(), 48),
        ("IntegrityFailures", size_of::<IntegrityFailures>(), 20),
        ("NewListeners", size_of::<NewListeners>(), 112),
        ("ClockRollback", size_of::<ClockRollback>(), 56),
        ("TrafficVolume", size_of::<TrafficVolume>(), 60),
        ("Churn", size_of::<Churn>(), 80),
        ("EntropyHealth", size_of::<EntropyHealth>(), 28),
        ("StorageHealth", size_of::<StorageHealth>(), 24),
        ("Cusum", size_of::<Cusum>(), 8),
        ("Baseline", size_of::<Baseline>(), 20),
        ("Guard", size_of::<Guard>(), 32),
    ];
    for (name, size, documented) in sizes {
        assert!(
            size <= documented,
            "{name}: {size} bytes, {documented} at most: {sizes:?}"
        );
    }
}
