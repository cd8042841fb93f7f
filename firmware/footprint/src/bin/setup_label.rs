//! A device from power-on to an owner.
#![no_std]
#![no_main]

use footprint::{setup, store};
use harness::{console, entry, flash::SimulatedFlash, measure};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let Some(root) = store::root() else {
        console::fail("not prepared")
    };
    let Some(label) = setup::prepare(&mut flash, &root) else {
        console::fail("not prepared")
    };
    measure::report(|| setup::run(&mut flash, &root, &label))
}
