//! A SUIT envelope authenticated under an Ed25519 key, and its manifest admitted.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::update;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(update::verify)
}
