//! A typed device password checked, throttle included.
#![no_std]
#![no_main]

use footprint::credential;
use harness::{console, entry, measure};

#[entry]
fn main() -> ! {
    let Some(mut prepared) = credential::prepare() else {
        console::fail("not prepared")
    };
    measure::report(|| credential::run(&mut prepared))
}
