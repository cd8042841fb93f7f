//! Build 1, for slot A.
#![no_std]
#![no_main]

use application::Build;
use harness::entry;
use iotsec_core::hal::Slot;

#[entry]
fn main() -> ! {
    application::run(Build {
        number: 1,
        slot: Slot::A,
    })
}
