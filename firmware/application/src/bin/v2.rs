//! Build 2, for slot B.
#![no_std]
#![no_main]

use application::Build;
use harness::entry;
use iotsec_core::hal::Slot;

#[entry]
fn main() -> ! {
    application::run(Build {
        number: 2,
        slot: Slot::B,
    })
}
