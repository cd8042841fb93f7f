//! A simulated board behind the C callbacks.

use std::{
    ffi::c_void,
    ops::{Deref, DerefMut},
    slice,
};

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec::core::{
    hal::{MonotonicCounter, RootKey},
    secret::Secret,
};
use iotsec_ffi::{
    counter::iotsec_counter_t,
    entropy::iotsec_entropy_t,
    flash::{iotsec_flash_t, iotsec_region_t},
    root_key::iotsec_root_key_t,
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, SimRootKey};
use rand_core::TryRng;

/// A value that stays where it is, and that C and Rust see by turns: what a C program calls an object.
pub(crate) struct Fixed<T>(*mut T);

impl<T> Fixed<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::into_raw(Box::new(value)))
    }

    /// The pointer that C keeps.
    pub(crate) fn at(&self) -> *mut T {
        self.0
    }
}

impl<T> Deref for Fixed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: `new` made it from a box that only `drop` frees, and no call from C is under way.
        unsafe { &*self.0 }
    }
}

impl<T> DerefMut for Fixed<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.0 }
    }
}

impl<T> Drop for Fixed<T> {
    fn drop(&mut self) {
        // SAFETY: `new` made it from a box, and this is the end of it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

pub(crate) struct Board {
    pub(crate) flash: Fixed<SimFlash>,
    counter: Fixed<SimCounter>,
    pub(crate) rng: Fixed<SimRng>,
    root_key: Fixed<SimRootKey>,
}

/// Miri, which is ten thousand times slower than a processor, gets a smaller one.
fn geometry() -> Geometry {
    if cfg!(miri) {
        small()
    } else {
        Geometry::serial_nor(32)
    }
}

fn small() -> Geometry {
    Geometry::new(&[512; 32], 4)
}

impl Board {
    pub(crate) fn new() -> Self {
        Self::of(geometry())
    }

    /// Of small pages.
    pub(crate) fn small() -> Self {
        Self::of(small())
    }

    fn of(geometry: Geometry) -> Self {
        Self {
            flash: Fixed::new(SimFlash::new(geometry)),
            counter: Fixed::new(SimCounter::new()),
            rng: Fixed::new(SimRng::new(1)),
            root_key: Fixed::new(SimRootKey::new(1)),
        }
    }

    pub(crate) fn region(&self, first: u32, count: u32) -> iotsec_region_t {
        let page_size = self.flash.region().unwrap().page_size();
        iotsec_region_t {
            start: first * page_size,
            page_size,
            page_count: count,
            word_size: self.flash.region().unwrap().word_size(),
            erased: self.flash.region().unwrap().erased(),
        }
    }

    pub(crate) fn flash(&self) -> iotsec_flash_t {
        iotsec_flash_t {
            struct_size: size_of::<iotsec_flash_t>() as u32,
            capacity: self.flash.capacity() as u32,
            ctx: self.flash.at().cast(),
            read: Some(read),
            write: Some(write),
            erase: Some(erase),
        }
    }

    pub(crate) fn entropy(&self) -> iotsec_entropy_t {
        iotsec_entropy_t {
            struct_size: size_of::<iotsec_entropy_t>() as u32,
            ctx: self.rng.at().cast(),
            fill: Some(fill),
        }
    }

    pub(crate) fn counter(&self) -> iotsec_counter_t {
        iotsec_counter_t {
            struct_size: size_of::<iotsec_counter_t>() as u32,
            ctx: self.counter.at().cast(),
            read: Some(count),
            advance_to: Some(advance_to),
        }
    }

    pub(crate) fn root_key(&self) -> iotsec_root_key_t {
        iotsec_root_key_t {
            struct_size: size_of::<iotsec_root_key_t>() as u32,
            ctx: self.root_key.at().cast(),
            derive: Some(derive),
        }
    }
}

// SAFETY of all that follow: `ctx` is a field of a `Board` that outlives the object it was given
// to, nothing else uses that field during a call, and buffers are as the header describes them.

unsafe extern "C" fn read(ctx: *mut c_void, offset: u32, bytes: *mut u8, len: usize) -> i32 {
    // SAFETY: above.
    let (flash, bytes) = unsafe {
        (
            &mut *ctx.cast::<SimFlash>(),
            slice::from_raw_parts_mut(bytes, len),
        )
    };
    i32::from(flash.read(offset, bytes).is_err())
}

unsafe extern "C" fn write(ctx: *mut c_void, offset: u32, bytes: *const u8, len: usize) -> i32 {
    // SAFETY: above.
    let (flash, bytes) = unsafe { (&mut *ctx.cast::<SimFlash>(), slice::from_raw_parts(bytes, len)) };
    i32::from(flash.write(offset, bytes).is_err())
}

unsafe extern "C" fn erase(ctx: *mut c_void, offset: u32, len: u32) -> i32 {
    // SAFETY: above.
    let flash = unsafe { &mut *ctx.cast::<SimFlash>() };
    i32::from(flash.erase(offset, offset + len).is_err())
}

unsafe extern "C" fn fill(ctx: *mut c_void, bytes: *mut u8, len: usize) -> i32 {
    // SAFETY: above.
    let (rng, bytes) = unsafe { (&mut *ctx.cast::<SimRng>(), slice::from_raw_parts_mut(bytes, len)) };
    i32::from(rng.try_fill_bytes(bytes).is_err())
}

unsafe extern "C" fn count(ctx: *mut c_void, value: *mut u64) -> i32 {
    // SAFETY: above.
    let (counter, value) = unsafe { (&mut *ctx.cast::<SimCounter>(), &mut *value) };
    counter.read().map(|present| *value = present).map_or(-1, |()| 0)
}

unsafe extern "C" fn advance_to(ctx: *mut c_void, value: u64) -> i32 {
    // SAFETY: above.
    let counter = unsafe { &mut *ctx.cast::<SimCounter>() };
    counter.advance_to(value).map_or(-1, |()| 0)
}

unsafe extern "C" fn derive(ctx: *mut c_void, label: *const u8, len: usize, key: *mut u8) -> i32 {
    // SAFETY: above.
    let (root, label, key) = unsafe {
        (
            &*ctx.cast::<SimRootKey>(),
            slice::from_raw_parts(label, len),
            slice::from_raw_parts_mut(key, 32),
        )
    };
    let mut derived = Secret::zero();
    match root.derive(label, &mut derived) {
        Ok(()) => {
            key.copy_from_slice(derived.expose());
            0
        }
        Err(_) => -1,
    }
}
