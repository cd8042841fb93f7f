//! A server's certificate verified under an anchor, P-256.
#![no_std]
#![no_main]

use footprint::certificate;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(certificate::run)
}
