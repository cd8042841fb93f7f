//! All detectors together, and the guard.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::detect;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(detect::run)
}
