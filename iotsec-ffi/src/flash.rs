//! Flash behind C callbacks.

use core::ffi::c_void;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use iotsec::core::hal::Region;

use crate::status::{CallError, Status};

/// A NOR flash, as callbacks. Every callback returns 0 for success and anything else for a fault, gets
/// `ctx` back, must not call into the object it serves, and must not jump out by `longjmp`.
///
/// Offsets count from the start of this flash. Only ranges inside of `capacity` are asked for, and only
/// such as fit the words and pages of the `iotsec_region_t` in use. Each word is written at most once
/// between two erases.
///
/// The struct is copied by the function that takes it; what `ctx` points to must live as long as the
/// object that was given it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_flash_t {
    /// `sizeof(iotsec_flash_t)`.
    pub struct_size: u32,
    /// Bytes in the flash.
    pub capacity: u32,
    /// Handed to every callback.
    pub ctx: *mut c_void,
    /// Reads `len` bytes at `offset` into `bytes`.
    pub read: Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u32, bytes: *mut u8, len: usize) -> i32>,
    /// Programs `len` bytes at `offset`, whole words. Power loss may leave these words with any
    /// content, and nothing else.
    pub write:
        Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u32, bytes: *const u8, len: usize) -> i32>,
    /// Erases the pages from `offset` on, `len` bytes, whole pages. Power loss may leave these pages
    /// with any content, and nothing else.
    pub erase: Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u32, len: u32) -> i32>,
}

/// A run of equal pages in a flash. A part with unequal pages is described by its largest page.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_region_t {
    /// First byte, counted from the start of the flash; a multiple of the page.
    pub start: u32,
    /// Bytes in an erase unit.
    pub page_size: u32,
    /// Number of erase units.
    pub page_count: u32,
    /// Bytes in a write unit; a power of two.
    pub word_size: u32,
    /// What an erased byte reads: 0xFF on most parts, 0x00 on some.
    pub erased: u8,
}

const _: () = assert!(size_of::<iotsec_region_t>() == 20);

impl iotsec_region_t {
    /// The region in Rust, checked.
    pub(crate) fn region(&self, flash: &CFlash) -> Result<Region, Status> {
        let region = Region::new(self.start, self.page_size, self.page_count, self.word_size)?
            .with_erased(self.erased);
        region.check(flash)?;
        Ok(region)
    }
}

/// [`NorFlash`] over the callbacks.
#[derive(Clone, Copy)]
pub(crate) struct CFlash(iotsec_flash_t);

impl CFlash {
    /// Checks that every callback is there.
    pub(crate) fn new(flash: iotsec_flash_t) -> Result<Self, Status> {
        if flash.read.is_none() || flash.write.is_none() || flash.erase.is_none() {
            return Err(CallError::Null.into());
        }
        Ok(Self(flash))
    }

    fn inside(&self, offset: u32, len: usize) -> Result<(), CFlashError> {
        let end = u32::try_from(len).ok().and_then(|len| offset.checked_add(len));
        match end {
            Some(end) if end <= self.0.capacity => Ok(()),
            _ => Err(CFlashError(NorFlashErrorKind::OutOfBounds)),
        }
    }
}

/// A callback's refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CFlashError(NorFlashErrorKind);

impl NorFlashError for CFlashError {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl ErrorType for CFlash {
    type Error = CFlashError;
}

// The region carries the real geometry, so the driver's own units are single bytes.
impl ReadNorFlash for CFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), CFlashError> {
        self.inside(offset, bytes.len())?;
        let read = self.0.read.ok_or(CFlashError(NorFlashErrorKind::Other))?;
        // SAFETY: the callback is the caller's, called as its documentation says, with a buffer that is
        // ours alone for the call.
        done(unsafe { read(self.0.ctx, offset, bytes.as_mut_ptr(), bytes.len()) })
    }

    fn capacity(&self) -> usize {
        usize::try_from(self.0.capacity).unwrap_or(usize::MAX)
    }
}

impl NorFlash for CFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), CFlashError> {
        let len = to
            .checked_sub(from)
            .ok_or(CFlashError(NorFlashErrorKind::OutOfBounds))?;
        if to > self.0.capacity {
            return Err(CFlashError(NorFlashErrorKind::OutOfBounds));
        }
        let erase = self.0.erase.ok_or(CFlashError(NorFlashErrorKind::Other))?;
        // SAFETY: the callback is the caller's, called as its documentation says.
        done(unsafe { erase(self.0.ctx, from, len) })
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), CFlashError> {
        self.inside(offset, bytes.len())?;
        let write = self.0.write.ok_or(CFlashError(NorFlashErrorKind::Other))?;
        // SAFETY: the callback is the caller's, called as its documentation says, with bytes that nobody
        // writes during the call.
        done(unsafe { write(self.0.ctx, offset, bytes.as_ptr(), bytes.len()) })
    }
}

fn done(result: i32) -> Result<(), CFlashError> {
    if result == 0 {
        Ok(())
    } else {
        Err(CFlashError(NorFlashErrorKind::Other))
    }
}
