//! A panic handler that no linker can resolve.
//!
//! The images of this package call SDK code on inputs that the compiler knows nothing about. An image links
//! only when the optimiser removed the handler, that is, when it proved that nothing can reach a panic.
//! `cargo xtask no-panic` says which images must link, and checks that this one would notice.
#![no_std]

use core::hint::black_box;

use iotsec_core::crypto::{CryptoError, KeyType, Verify};

#[allow(unsafe_code, reason = "a symbol that exists nowhere")]
mod unresolved {
    unsafe extern "C" {
        pub(crate) safe fn a_panic_can_be_reached(file: *const u8, len: usize) -> !;
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    // Who takes the place of the symbol is told the source file, so the names stay in the image.
    let file = info.location().map_or("", |at| at.file());
    unresolved::a_panic_can_be_reached(file.as_ptr(), file.len())
}

/// Ends an image.
pub fn halt() -> ! {
    loop {
        cortex_m::asm::nop();
    }
}

/// Bytes of unknown content and number, 512 at most.
pub fn unknown(bytes: &[u8; 512]) -> &[u8] {
    let bytes = black_box(bytes);
    bytes.get(..black_box(512)).unwrap_or_default()
}

/// A key in hardware: what it answers is unknown.
#[derive(Debug)]
pub struct KeyInHardware;

impl Verify for KeyInHardware {
    fn key_type(&self) -> KeyType {
        black_box(KeyType::Ed25519)
    }

    fn public_key(&self) -> &[u8] {
        black_box(&[7; 32])
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        black_box((message, signature));
        black_box(Err(CryptoError::Driver))
    }
}
