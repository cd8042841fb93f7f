//! The main job on a microcontroller, with every check that must fail.
#![no_std]
#![no_main]

mod ed25519;
mod memory;
mod password;
mod store;
mod update;

use cortex_m_rt::entry;
use harness::{console, device::VolatileCounter, flash::SimulatedFlash};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let mut counter = VolatileCounter::default();
    update::refuses_every_flipped_bit();
    update::leaves_the_factory(&mut flash, &mut counter);
    update::installs(&mut flash, &mut counter);
    update::boots_on_trial_and_is_accepted(&mut flash, &mut counter);
    update::falls_back_from_a_corrupted_image(&mut flash, &mut counter);
    store::keeps_what_was_put(&mut flash);
    password::is_checked_and_throttled();
    ed25519::backends_agree();
    memory::is_copied_filled_and_compared();
    console::text("all passed\n");
    console::pass()
}
