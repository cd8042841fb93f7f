//! What a boot loader does.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::update;
use harness::{console, flash::SimulatedFlash, measure};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    if update::prepare(&mut flash).is_none() {
        console::fail("not prepared")
    }
    measure::report(|| update::boot(&mut flash).is_some())
}
