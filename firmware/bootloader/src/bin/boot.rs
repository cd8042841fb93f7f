//! The boot loader.
#![no_std]
#![no_main]

use board::fuses::Fuses;
use bootloader::Rules;
use harness::entry;

#[entry]
fn main() -> ! {
    bootloader::run(Rules { trial_boots: 3 }, |options| Fuses::new(options.cut))
}
