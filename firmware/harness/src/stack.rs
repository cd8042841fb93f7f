//! The part of the stack that nobody uses.
#![allow(unsafe_code, reason = "the unused part of the stack is nobody's object")]

use core::ptr;

const PAINT: u8 = 0xA5;
/// Bytes below the stack pointer that are left alone: the frames of the painter itself.
pub(crate) const MARGIN: usize = 256;

unsafe extern "C" {
    // The end of what the linker placed in RAM; the stack may grow down to here.
    static mut __sheap: u8;
}

fn bottom() -> usize {
    (&raw const __sheap) as usize
}

/// Fills the stack from its end up to `top`, which must lie below every live frame.
#[inline(never)]
pub(crate) fn paint(top: usize) {
    for at in bottom()..top {
        // SAFETY: between the end of the statics and `top`.
        unsafe { ptr::write_volatile(at as *mut u8, PAINT) };
    }
}

/// The lowest address below `top` that lost its paint.
#[inline(never)]
pub(crate) fn lowest_touched(top: usize) -> usize {
    (bottom()..top).find(|at| byte(*at) != PAINT).unwrap_or(top)
}

/// Copies what lies right below `top`.
#[inline(never)]
pub(crate) fn copy(top: usize, to: &mut [u8]) {
    for (at, to) in (bottom()..top).rev().zip(to) {
        *to = byte(at);
    }
}

/// How many bytes differ from those that were copied there.
#[inline(never)]
pub(crate) fn differences(top: usize, copied: &[u8]) -> usize {
    (bottom()..top)
        .rev()
        .zip(copied)
        .filter(|(at, copied)| byte(*at) != **copied)
        .count()
}

fn byte(at: usize) -> u8 {
    // SAFETY: called with addresses from the end of the statics up to the stack.
    unsafe { ptr::read_volatile(at as *const u8) }
}
