//! Interrupts of a Cortex-M that end a sleep, and nothing else: none is taken. While the core sleeps, an emulator has
//! its time for the device that is waited for.

use crate::memory::set_register;

/// The registers of the interrupt controller (DDI 0403E, B3.4): what is enabled, and what waits no more.
const ENABLE: u32 = 0xE000_E100;
const CLEAR: u32 = 0xE000_E280;

/// The lines of one device.
pub(super) struct Lines {
    /// Which 32 of the lines of all devices.
    pub(super) bank: u32,
    /// A bit for each.
    pub(super) mask: u32,
}

impl Lines {
    /// From here on they end a sleep.
    pub(super) fn start(&self) {
        cortex_m::interrupt::disable();
        set_register(ENABLE + 4 * self.bank, self.mask);
    }

    /// Sleeps, unless the device has called since the last sleep ended. What calls is to be silenced after it: until
    /// then the line does not rise again.
    pub(super) fn sleep(&self) {
        cortex_m::asm::wfi();
        set_register(CLEAR + 4 * self.bank, self.mask);
    }
}
