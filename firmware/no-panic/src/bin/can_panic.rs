//! One index that is not checked. Must not link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    black_box(unknown(&[0; 512])[black_box(3)]);
    halt()
}
