//! All detectors and the guard, from records that anybody wrote. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use no_panic::halt;

/// What is measured is also what is proved.
#[path = "../../../footprint/src/detect.rs"]
mod detect;

#[entry]
fn main() -> ! {
    black_box(detect::run());
    halt()
}
