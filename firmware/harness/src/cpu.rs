//! What differs between cores: the entry point, faults, the stack pointer and the count of instructions.

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv;

#[cfg(target_arch = "arm")]
pub(crate) use self::cortex_m::{Counter, stack_pointer};
#[cfg(target_arch = "riscv32")]
pub(crate) use self::riscv::{Counter, stack_pointer};
#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

use crate::console;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(not(feature = "terse"))]
    match info.location() {
        Some(at) => {
            console::text("panic at ");
            console::text(at.file());
            console::number(" line ", at.line());
        }
        None => console::text("panic\n"),
    }
    #[cfg(feature = "terse")]
    let _ = info;
    console::fail("panic")
}
