//! The interface table, a grant from it, and the check of the debug port.
#![no_std]
#![no_main]

use footprint::surface;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(surface::run)
}
