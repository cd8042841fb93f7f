//! The device's side of a pairing.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use harness::{console, measure};

mod device;

#[entry]
fn main() -> ! {
    let Some(mut prepared) = device::pairing() else {
        console::fail("not prepared")
    };
    measure::report(|| device::pair(&mut prepared))
}
