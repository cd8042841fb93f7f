//! The encrypted store: mount, put, get.
#![no_std]
#![no_main]

use footprint::store;
use harness::{console, entry, flash::SimulatedFlash, measure};
use iotsec_core::crypto::Aes256GcmSiv;

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let Some(root) = store::root() else {
        console::fail("no root key")
    };
    if store::prepare(&mut flash, &root, &Aes256GcmSiv).is_none() {
        console::fail("not prepared")
    }
    measure::report(|| store::run(&mut flash, &root, &Aes256GcmSiv))
}
