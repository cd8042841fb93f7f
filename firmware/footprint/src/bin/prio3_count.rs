//! A count split for two servers.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::prio3;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(prio3::count)
}
