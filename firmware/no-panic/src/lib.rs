//! A panic handler that no linker can resolve.
//!
//! The images of this package call SDK code on inputs that the compiler knows nothing about. An image links
//! only when the optimiser removed the handler, that is, when it proved that nothing can reach a panic.
//! `cargo xtask no-panic` says which images must link, and checks that this one would notice.
#![no_std]

pub mod aead;
mod algorithm;
mod hardware;

use core::hint::black_box;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use iotsec_core::{
    crypto::{
        CryptoError, DIGEST_LEN, Digest, KeyType, SIGNATURE_LEN, Sign, Verify, VerifyingKey, WIDE_DIGEST_LEN,
        WideDigest,
    },
    hal::{CounterError, FlashError, MonotonicCounter, Region},
};
use iotsec_update::{
    ComponentId, DeviceComponent, UpdateError,
    slot::{LayoutError, SlotLayout, UpdateLayout},
};

pub use algorithm::ALGORITHMS;
pub use hardware::Hardware;

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

impl Sign for KeyInHardware {
    fn key_type(&self) -> KeyType {
        Verify::key_type(self)
    }

    fn public_key(&self) -> &[u8] {
        Verify::public_key(self)
    }

    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        black_box((message, signature));
        black_box(Ok(()))
    }
}

impl VerifyingKey for KeyInHardware {
    const KEY_TYPE: KeyType = KeyType::Ed25519;

    fn from_public(bytes: &[u8]) -> Result<Self, CryptoError> {
        black_box(bytes);
        black_box(Ok(Self))
    }
}

/// A hash of unknown value.
#[derive(Debug)]
pub struct UnknownDigest;

impl Digest for UnknownDigest {
    fn reset(&mut self) {}

    fn update(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }

    fn finish(&mut self) -> [u8; DIGEST_LEN] {
        black_box([0; DIGEST_LEN])
    }
}

/// A wide hash likewise.
#[derive(Debug)]
pub struct UnknownWideDigest;

impl WideDigest for UnknownWideDigest {
    fn reset(&mut self) {}

    fn update(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }

    fn finish(&mut self) -> [u8; WIDE_DIGEST_LEN] {
        black_box([0; WIDE_DIGEST_LEN])
    }
}

/// A flash of unknown content that may fail at any time.
#[derive(Debug)]
pub struct UnknownFlash;

impl ErrorType for UnknownFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for UnknownFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, _: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        for byte in bytes {
            *byte = black_box(0);
        }
        black_box(Ok(()))
    }

    fn capacity(&self) -> usize {
        black_box(0x10_0000)
    }
}

impl NorFlash for UnknownFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        black_box(Ok(()))
    }

    fn write(&mut self, _: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        black_box(bytes);
        black_box(Ok(()))
    }
}

/// A counter of unknown value that may fail at any time.
#[derive(Debug)]
pub struct UnknownCounter;

impl MonotonicCounter for UnknownCounter {
    fn read(&mut self) -> Result<u64, CounterError> {
        black_box(Ok(0))
    }

    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        black_box(value);
        black_box(Ok(()))
    }
}

/// A region that the optimiser knows nothing about.
///
/// # Errors
/// [`FlashError::Geometry`], for all it knows.
pub fn region() -> Result<Region, FlashError> {
    let region = Region::new(black_box(0), black_box(4096), black_box(4), black_box(4))?;
    Ok(region.with_erased(black_box(0xFF)))
}

/// Slots and journal likewise.
///
/// # Errors
/// [`LayoutError`], for all it knows.
pub fn layout<const N: usize>() -> Result<UpdateLayout<N>, LayoutError> {
    let slot = || {
        Ok::<_, LayoutError>(SlotLayout {
            manifest: region()?,
            images: [region()?; N],
        })
    };
    UpdateLayout::new(slot()?, slot()?, region()?)
}

/// A component with this name.
///
/// # Errors
/// For a name that is none.
pub fn component(input: &[u8]) -> Result<DeviceComponent<'_>, UpdateError> {
    Ok(DeviceComponent {
        id: ComponentId::from_encoded(input)?,
        capacity: black_box(8192),
        slot: black_box(Some(0)),
    })
}
