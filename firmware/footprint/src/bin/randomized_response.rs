//! A bit answered by randomized response.
#![no_std]
#![no_main]

use footprint::privacy;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(privacy::run)
}
