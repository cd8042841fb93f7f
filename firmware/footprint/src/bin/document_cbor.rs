//! The settings of `input` read as a document with bounds, from CBOR.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::document;
use harness::measure;

#[entry]
fn main() -> ! {
    measure::report(document::cbor)
}
