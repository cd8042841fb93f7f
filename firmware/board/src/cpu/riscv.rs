use ::core::arch::asm;

use crate::memory::set_register;

/// The test finisher of QEMU's virt, which restarts the machine.
const FINISHER: u32 = 0x0010_0000;
const RESTART: u32 = 0x7777;

/// Restarts the machine.
pub fn restart() -> ! {
    set_register(FINISHER, RESTART);
    loop {
        ::core::hint::spin_loop();
    }
}

#[allow(unsafe_code, reason = "no program leaves for another safely")]
pub(super) fn jump(entry: u32) -> ! {
    // SAFETY: the image was verified, and images begin with their start-up code, which sets up stack and trap vector
    // for itself. No interrupt is on.
    unsafe { asm!("fence.i", "jr {}", in(reg) entry, options(noreturn)) }
}
