//! An event recorded, a batch sealed.
#![no_std]
#![no_main]

use footprint::telemetry;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(telemetry::run)
}
