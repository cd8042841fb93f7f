//! An application that installs an update, with signatures checked in hardware.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use fault_injection::{SignatureUnit, install};

#[entry]
fn main() -> ! {
    fault_injection::run(attacked, install::is_staged)
}

extern "C" fn attacked(at: u32) -> ! {
    let input = fault_injection::input(at);
    let key = SignatureUnit(input.key);
    install::install(input, &key)
}
