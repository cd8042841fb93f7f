//! A boot loader that tries an image for ever, to see that this is noticed.
#![no_std]
#![no_main]

use board::fuses::Fuses;
use bootloader::Rules;
use harness::entry;

#[entry]
fn main() -> ! {
    bootloader::run(Rules { trial_boots: u8::MAX }, |options| Fuses::new(options.cut))
}
