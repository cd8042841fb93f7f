//! All detectors together, and the guard.
#![no_std]
#![no_main]

use footprint::detect;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(detect::run)
}
