//! A device of class 1, whose updates are another program's.
#![no_std]
#![no_main]

use footprint::{class1, store};
use harness::{console, entry, flash::SimulatedFlash, measure};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let Some(root) = store::root() else {
        console::fail("not prepared")
    };
    let Some(label) = class1::prepare::<{ class1::NOTHING }>(&mut flash, &root) else {
        console::fail("not prepared")
    };
    measure::report(|| class1::run::<{ class1::NOTHING }>(&mut flash, &root, &label))
}
