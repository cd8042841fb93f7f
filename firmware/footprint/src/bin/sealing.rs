//! What telemetry seals with, without telemetry.
#![no_std]
#![no_main]

use footprint::telemetry;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(telemetry::seal)
}
