//! What an outage costs the service afterwards: our machine beside what other clients do.
//!
//! ```text
//! cargo bench -p iotsec-net --bench reconnect
//! ```
//!
//! 10,000 devices lose a service that has room for 200 handshakes a second, all at the same moment; the ideal way back
//! takes 50 s. Everything is simulated and every seed gives the same numbers on every machine.

#[path = "../tests/retry/device.rs"]
mod device;
#[path = "../tests/retry/memory.rs"]
mod memory;

use device::{Device, Start};
use iotsec_core::hal::Millis;
use iotsec_testkit::{Reconnect, SimRng, Storm, StormReport};

const DEVICES: u64 = 10_000;
const CAPACITY: u32 = 200;
const CAP: u64 = 300_000;

fn main() {
    println!(
        "{:<30} {:>8} {:>11} {:>11} {:>8} {:>10} {:>10} {:>9}",
        "10,000 devices, 200/s",
        "outage s",
        "peak during",
        "peak after",
        "wasted",
        "99 % back",
        "connected",
        "attempts"
    );
    for seed in 1..=3 {
        let mut fleet = ours(seed, Start::Power);
        let report = Storm::new(Millis(0), CAPACITY).run(&mut fleet);
        row(&format!("iotsec, power back, seed {seed}"), 0, &report);
    }
    for outage in [0, 5, 30, 60, 600, 3600] {
        let storm = Storm::new(Millis::from_secs(outage), CAPACITY);
        for seed in 1..=3 {
            let mut fleet = ours(seed, Start::Loss);
            row(&format!("iotsec, seed {seed}"), outage, &storm.run(&mut fleet));
        }
        row("fixed, 5 s", outage, &storm.run(&mut others(|_, _| 5_000)));
        row(
            "exponential, 1 to 300 s",
            outage,
            &storm.run(&mut others(|failures, _| exponential(failures))),
        );
        row(
            "exponential, 20 % jitter",
            outage,
            &storm.run(&mut others(|failures, rng| {
                let delay = exponential(failures);
                delay * 4 / 5 + rng.below(delay * 2 / 5)
            })),
        );
        row(
            "full jitter, first at once",
            outage,
            &storm.run(&mut others(|failures, rng| 1 + rng.below(exponential(failures)))),
        );
    }
}

fn row(name: &str, outage: u64, report: &StormReport) {
    let back = report
        .back(99)
        .map_or_else(|| "never".to_owned(), |back| format!("{} s", back.0 / 1000));
    println!(
        "{name:<30} {outage:>8} {:>11} {:>11} {:>8} {back:>10} {:>10} {:>9}",
        report.peak_during,
        report.peak_after,
        report.wasted,
        report.connected(),
        report.attempts
    );
}

fn ours(seed: u64, start: Start) -> Vec<Device> {
    (0..DEVICES)
        .map(|device| Device::new(seed * DEVICES + device, start))
        .collect()
}

/// A client that tries at once when it loses a connection, and then waits as `delay` says.
struct Other {
    failures: u32,
    rng: SimRng,
    delay: fn(u32, &mut SimRng) -> u64,
}

fn others(delay: fn(u32, &mut SimRng) -> u64) -> Vec<Other> {
    let other = |seed| Other {
        failures: 0,
        rng: SimRng::new(seed),
        delay,
    };
    (0..DEVICES).map(other).collect()
}

fn exponential(failures: u32) -> u64 {
    CAP.min(1000 << failures.min(12))
}

impl Reconnect for Other {
    fn lost(&mut self, now: Millis) -> Millis {
        now
    }
    fn failed(&mut self, now: Millis) -> Millis {
        let delay = (self.delay)(self.failures, &mut self.rng);
        self.failures += 1;
        Millis(now.0 + delay)
    }
    fn connected(&mut self, _: Millis) {
        self.failures = 0;
    }
}
