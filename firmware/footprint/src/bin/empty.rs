//! The harness alone: what every other image is compared with.
#![no_std]
#![no_main]

use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(|| core::hint::black_box(true))
}
