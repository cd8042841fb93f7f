//! A boot loader that does not look at the security counter, to see that this is noticed.
#![no_std]
#![no_main]

use bootloader::Rules;
use harness::{device::VolatileCounter, entry};

#[entry]
fn main() -> ! {
    bootloader::run(Rules { trial_boots: 3 }, |_| VolatileCounter::default())
}
