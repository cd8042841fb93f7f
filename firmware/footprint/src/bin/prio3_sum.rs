//! A sum split for two servers.
#![no_std]
#![no_main]

use footprint::prio3;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(prio3::sum)
}
