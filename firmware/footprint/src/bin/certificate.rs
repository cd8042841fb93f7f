//! A server's certificate verified under an anchor, P-256.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::certificate;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(certificate::run)
}
