//! The same, and the image installed.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::update;
use harness::{console, flash::SimulatedFlash, measure};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let prepared = update::prepare(&mut flash);
    let Some(running) = prepared.and_then(|()| update::identify(&mut flash)) else {
        console::fail("not prepared")
    };
    measure::report(|| update::install(&mut flash, running))
}
