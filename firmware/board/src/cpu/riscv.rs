use core::arch::asm;

use crate::memory::set_register;

/// SiFive's test finisher, by which the board is turned off and restarted.
const FINISHER: u32 = 0x10_0000;
const RESET: u32 = 0x7777;

/// Restarts the machine.
pub fn restart() -> ! {
    set_register(FINISHER, RESET);
    loop {
        core::hint::spin_loop();
    }
}

#[allow(unsafe_code, reason = "no program leaves for another safely")]
pub(super) fn jump(entry: u32) -> ! {
    // SAFETY: the image was verified, and images begin with their first instruction, which needs no register: their
    // start-up finds the core's number, and makes its own stack and its own table of traps.
    unsafe { asm!("csrw mie, zero", "fence.i", "jr {entry}", entry = in(reg) entry, options(noreturn)) }
}
