//! The queue in flash: mounted, an event recorded, a batch sealed and acknowledged.
#![no_std]
#![no_main]

use footprint::telemetry;
use harness::{console, entry, flash::SimulatedFlash, measure};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    if !telemetry::prepare_spool(&mut flash) {
        console::fail("not prepared")
    }
    measure::report(|| telemetry::spool(&mut flash))
}
