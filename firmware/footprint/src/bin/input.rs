//! A document of settings checked and read: JSON, a URL, a topic, a time zone.
#![no_std]
#![no_main]

use footprint::input;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(input::run)
}
