//! An attestation token with a P-256 key.
#![no_std]
#![no_main]

use footprint::identity;
use harness::{console, entry, measure};

#[entry]
fn main() -> ! {
    let Some(key) = identity::key() else {
        console::fail("not prepared")
    };
    measure::report(|| identity::token(&key))
}
