use core::arch::asm;

use riscv::register::{mcause, mepc, minstret};
use riscv_rt::TrapFrame;

use crate::console;

/// `minstret`, the instructions retired.
pub(crate) struct Counter {
    before: u64,
}

impl Counter {
    pub(crate) fn start() -> Self {
        Self { before: 0 }
    }

    /// Begins to count.
    pub(crate) fn reset(&mut self) {
        self.before = minstret::read64();
    }

    /// Instructions since, `None` when there were more than it counts.
    pub(crate) fn elapsed(&mut self) -> Option<u32> {
        u32::try_from(minstret::read64().wrapping_sub(self.before)).ok()
    }
}

#[allow(unsafe_code, reason = "no crate reads the register")]
pub(crate) fn stack_pointer() -> usize {
    let at: usize;
    // SAFETY: copies a register, and touches neither memory nor the stack.
    unsafe { asm!("mv {}, sp", out(reg) at, options(nomem, nostack, preserves_flags)) };
    at
}

#[allow(unsafe_code, reason = "the name under which riscv-rt looks for the handler")]
#[unsafe(export_name = "ExceptionHandler")]
fn fault(_frame: &TrapFrame) -> ! {
    console::number("fault at ", mepc::read() as u32);
    console::number("cause ", mcause::read().code() as u32);
    console::fail("exception")
}
