//! The settings of `input` read as a document with bounds, from CBOR.
#![no_std]
#![no_main]

use footprint::document;
use harness::{entry, measure};

#[entry]
fn main() -> ! {
    measure::report(document::cbor)
}
