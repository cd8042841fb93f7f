//! When to connect: an attempt that fails, and one that lasts.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::retry;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(retry::run)
}
