//! The firmware of `examples/products/lock`, a door lock on a Cortex-M33, and a week of its life: station, set-up, an
//! attack, telemetry, an update, a question of the maker's service, farewell.
//!
//! What it is, opens, reports and does about updates comes from the constants of its manifest. Flash, fuses and days are
//! simulated; the boot loader's part, a program of its own in a product, stands in this image.
#![no_std]
#![no_main]

mod home;
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a firmware uses what it needs, and its own crate is all there is"
)]
mod product {
    include!("../../../examples/products/lock/product.rs");
}
mod service;
mod unit;
mod update;

use core::hint::black_box;

use harness::{console, device::VolatileCounter, entry, flash::SimulatedFlash};
use iotsec::core::{crypto::HkdfSha256, hal::DeviceRootKey, secret::Secret};

use unit::Board;

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let key = Secret::from_bytes(black_box(*b"a root key for firmware tests..."));
    let Ok(root) = DeviceRootKey::new(&key, &HkdfSha256) else {
        console::fail("the root key was refused")
    };
    let mut board = Board {
        flash: &mut flash,
        counter: VolatileCounter::default(),
        storage_counter: VolatileCounter::default(),
        root: &root,
        boots: 0,
    };
    console::text(product::NAME);
    console::text(" ");
    console::text(product::VERSION);
    console::text("\n");
    let Some(label) = home::make(&mut board) else {
        console::fail("it was not made")
    };
    for (step, done) in [
        ("set up", home::set_up(&mut board, &label).is_some()),
        ("attacked", home::attacked(&mut board).is_some()),
        ("settings read", home::settings(&mut board).is_some()),
        ("service verified", service::verified()),
        ("reported", service::reported(&mut board).is_some()),
        ("updated", update::updated(&mut board).is_some()),
        ("attested", service::attested(&mut board).is_some()),
        ("reset", home::reset(&mut board).is_some()),
    ] {
        console::require(done, step);
        console::text(step);
        console::text("\n");
    }
    console::pass()
}
