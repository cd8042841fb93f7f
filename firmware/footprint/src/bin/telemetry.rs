//! An event recorded, a batch sealed.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::telemetry;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(telemetry::run)
}
