//! The device's side of a pairing.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::identity;
use harness::{console, measure};

#[entry]
fn main() -> ! {
    let Some(mut prepared) = identity::pairing() else {
        console::fail("not prepared")
    };
    measure::report(|| identity::pair(&mut prepared))
}
