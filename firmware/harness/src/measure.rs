//! Peak stack and instruction count of a call.
//!
//! The stack is painted below the present frame before the call, and the lowest byte that lost its paint
//! tells how deep the call went. Instructions are counted in ticks: of 40 on a Cortex-M, of one on RISC-V. They
//! repeat exactly and are not cycles.

use crate::{
    console,
    cpu::{self, Counter},
    stack::{self, MARGIN},
};

/// Runs `probe`, prints what it took, and ends the run: as passed when the probe says `true`.
pub fn report(probe: impl FnOnce() -> bool) -> ! {
    let mut counter = Counter::start();
    let top = cpu::stack_pointer();
    stack::paint(top - MARGIN);
    counter.reset();
    let passed = call(probe);
    let ticks = counter.elapsed();
    let used = top - stack::lowest_touched(top - MARGIN);

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
