//! The main job on a microcontroller, with every check that must fail.
#![no_std]
#![no_main]

mod signature;

use cortex_m_rt::entry;
use harness::console;

#[entry]
fn main() -> ! {
    signature::run();
    console::text("all passed\n");
    console::pass()
}
