//! Panics and faults end the run with a failing exit code.

use cortex_m_rt::{ExceptionFrame, exception};

use crate::console;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    match info.location() {
        Some(at) => {
            console::text("panic at ");
            console::text(at.file());
            console::number(" line ", at.line());
        }
        None => console::text("panic\n"),
    }
    console::fail("panic")
}

// Naming the attribute makes an unsafe function: the frame may be written through it, which this does not.
#[allow(unsafe_code, reason = "the signature that cortex-m-rt asks for")]
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    console::number("fault at ", frame.pc());
    console::fail("hard fault")
}
