//! A boot loader that starts MCUboot images in place, with signatures checked in hardware.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use fault_injection::{SignatureUnit, mcuboot};

#[entry]
fn main() -> ! {
    fault_injection::run(attacked, |_| false)
}

extern "C" fn attacked(at: u32) -> ! {
    let input = fault_injection::input(at);
    let key = SignatureUnit(input.key);
    mcuboot::boot(input, &key)
}
