//! When to connect: an attempt that fails, and one that lasts.
#![no_std]
#![no_main]

use footprint::retry;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(retry::run)
}
