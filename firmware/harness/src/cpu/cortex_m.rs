use cortex_m::{
    peripheral::{SYST, syst::SystClkSource},
    register::msp,
};
use cortex_m_rt::{ExceptionFrame, exception};

use crate::console;

const RELOAD: u32 = 0x00FF_FFFF;

/// SysTick, which under QEMU's `-icount shift=0` advances by virtual time of one nanosecond an instruction.
pub(crate) struct Counter {
    clock: SYST,
    before: u32,
}

impl Counter {
    pub(crate) fn start() -> Self {
        let Some(peripherals) = cortex_m::Peripherals::take() else {
            console::fail("peripherals already taken")
        };
        let mut clock = peripherals.SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(RELOAD);
        clock.clear_current();
        clock.enable_counter();
        Self { clock, before: 0 }
    }

    /// Begins to count.
    pub(crate) fn reset(&mut self) {
        self.before = SYST::get_current();
    }

    /// Ticks since, `None` when there were more than it counts.
    pub(crate) fn elapsed(&mut self) -> Option<u32> {
        let after = SYST::get_current();
        (!self.clock.has_wrapped()).then_some(self.before.wrapping_sub(after) & RELOAD)
    }
}

pub(crate) fn stack_pointer() -> usize {
    msp::read() as usize
}

// Naming the attribute makes an unsafe function: the frame may be written through it, which this does not.
#[allow(unsafe_code, reason = "the signature that cortex-m-rt asks for")]
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    console::number("fault at ", frame.pc());
    console::fail("hard fault")
}
