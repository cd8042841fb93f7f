//! The same, and a number with discrete Laplace noise.
#![no_std]
#![no_main]

use footprint::privacy;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(privacy::run_both)
}
