//! Peak stack and instruction count of a call.
//!
//! The stack is painted below the present frame before the call, and the lowest byte that lost its paint
//! tells how deep the call went. Instructions are counted in ticks: of 40 on a Cortex-M, of one on RISC-V. They
//! repeat exactly and are not cycles.

use crate::{
    console,
    cpu::{self, Counter},
};

const PAINT: u8 = 0xA5;
/// Bytes below the stack pointer that painting leaves alone: the frames of the painter itself.
const MARGIN: usize = 256;

/// Runs `probe`, prints what it took, and ends the run: as passed when the probe says `true`.
pub fn report(probe: impl FnOnce() -> bool) -> ! {
    let mut counter = Counter::start();
    let top = cpu::stack_pointer();
    stack::paint(top - MARGIN, PAINT);
    counter.reset();
    let passed = call(probe);
    let ticks = counter.elapsed();
    let used = top - stack::lowest_touched(top - MARGIN, PAINT);

    console::number("stack ", used as u32);
    let Some(ticks) = ticks else {
        console::fail("the counter wrapped: the probe is too long to measure")
    };
    console::number("ticks ", ticks);
    console::require(passed, "the probe did not do its work");
    console::pass()
}

// A frame of its own, so that all of it lies below the paint.
#[inline(never)]
fn call(probe: impl FnOnce() -> bool) -> bool {
    probe()
}

#[allow(unsafe_code, reason = "the unused part of the stack is nobody's object")]
mod stack {
    use core::ptr;

    unsafe extern "C" {
        // The end of what the linker placed in RAM; the stack may grow down to here.
        static mut __sheap: u8;
    }

    fn bottom() -> usize {
        (&raw const __sheap) as usize
    }

    /// Fills the stack from its end up to `top`.
    #[inline(never)]
    pub(super) fn paint(top: usize, paint: u8) {
        for at in bottom()..top {
            // SAFETY: between the end of the statics and `top`, which lies below every live frame.
            unsafe { ptr::write_volatile(at as *mut u8, paint) };
        }
    }

    /// The lowest address below `top` that lost its paint.
    #[inline(never)]
    pub(super) fn lowest_touched(top: usize, paint: u8) -> usize {
        (bottom()..top)
            // SAFETY: RAM, painted before.
            .find(|at| unsafe { ptr::read_volatile(*at as *const u8) } != paint)
            .unwrap_or(top)
    }
}
