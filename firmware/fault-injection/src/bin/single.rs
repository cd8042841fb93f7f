//! A boot loader that decides once, with signatures checked in hardware.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use fault_injection::{SignatureUnit, single};

#[entry]
fn main() -> ! {
    fault_injection::run(attacked, |_| false)
}

extern "C" fn attacked(at: u32) -> ! {
    let input = fault_injection::input(at);
    let key = SignatureUnit(input.key);
    single::boot(input, &key)
}
