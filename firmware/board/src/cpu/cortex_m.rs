use ::cortex_m::{asm, peripheral::SCB};

/// The vectors of the interrupts of the board, behind those of the core: none is used, and the start-up code asks for one
/// at least. Without a table of its own an image has all that a core can have, a kilobyte of them.
#[allow(
    unsafe_code,
    reason = "the name and the place by which the linker script finds it"
)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
pub static __INTERRUPTS: [usize; 1] = [0];

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
