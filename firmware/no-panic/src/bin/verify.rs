//! Everything between the bytes of a message and the key, and the digest. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    cbor::Limits,
    cose::Sign1,
    crypto::{Sha256, Verify},
};
use no_panic::{KeyInHardware, halt, unknown};

#[entry]
fn main() -> ! {
    let (input, mut scratch) = ([0; 512], [0; 512]);
    let key: &dyn Verify = black_box(&KeyInHardware);
    if let Ok(message) = Sign1::parse(unknown(&input), &Limits::SMALL) {
        black_box(message.verify(key, b"", &mut scratch).is_ok());
    }
    black_box(Sha256::of(&[unknown(&input)]));
    halt()
}
