//! The interface table, a grant from it, and the check of the debug port.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::surface;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(surface::run)
}
