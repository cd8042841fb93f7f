//! An event recorded, a batch sealed; a count, a sum and a histogram split for two servers.
#![no_std]
#![no_main]

use footprint::{prio3, telemetry};
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(|| telemetry::run() & prio3::count() & prio3::sum() & prio3::histogram())
}
