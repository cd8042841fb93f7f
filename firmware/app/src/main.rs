//! The main job on a microcontroller, with every check that must fail.
#![no_std]
#![no_main]

mod password;
mod update;

use cortex_m_rt::entry;
use harness::console;

#[entry]
fn main() -> ! {
    update::run();
    password::run();
    console::text("all passed\n");
    console::pass()
}
