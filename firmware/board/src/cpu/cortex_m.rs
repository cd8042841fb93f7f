use ::cortex_m::{asm, peripheral::SCB};

/// Restarts the machine.
pub fn restart() -> ! {
    SCB::sys_reset()
}

#[allow(unsafe_code, reason = "no program leaves for another safely")]
pub(super) fn jump(table: u32) -> ! {
    // SAFETY: the boot loader uses no interrupt, and from here on only the image runs whose table this is.
    unsafe {
        (*SCB::PTR).vtor.write(table);
    }
    // SAFETY: the image was verified, and images begin with their vector table: the stack, and where to begin.
    unsafe { asm::bootload(table as usize as *const u32) }
}
