//! One device's whole life, with the same state machines as firmware.
//!
//! ```text
//! cargo run --example device_life
//! ```
//!
//! Flash, fuses and power are simulated ([`iotsec_testkit`]); everything else is what a product runs:
//! entropy from the operating system, real cryptography, and an update envelope that another
//! implementation made (`vectors/suit/oracle`).
#![allow(unreachable_pub, reason = "an example is one crate in several files")]

mod chapters;
mod story;
mod world;

use story::Story;
use world::{Result, World};

fn main() -> Result {
    println!("A sensor's life, from factory to a new owner");
    let mut story = Story::default();
    let mut world = World::new()?;

    let maker = chapters::factory(&mut story, &mut world)?;
    let owner = chapters::set_up(&mut story, &mut world, &maker)?;
    chapters::online(&mut story)?;
    chapters::attack_on_the_password(&mut story, &mut world, &owner)?;
    chapters::outage(&mut story, &mut world, &maker)?;
    chapters::update(&mut story, &mut world)?;
    let refusals = chapters::bad_updates(&mut story, &mut world)?;
    chapters::corrupted_image(&mut story, &mut world)?;
    chapters::noticed(&mut story, &mut world, &owner, &maker, &refusals)?;
    chapters::weakness(&mut story, &mut world, &owner)?;
    chapters::deletion(&mut story, &mut world, &maker, &owner)?;

    story.table()
}
