//! Arm's PrimeCell UART (DDI 0183G, 3.3), the first one of the board.

use super::lines::Lines;
use crate::memory::{register, set_register};

const BASE: u32 = 0x4000_C000;
const DATA: u32 = BASE;
const STATE: u32 = BASE + 0x18;
const LINE: u32 = BASE + 0x2C;
const CONTROL: u32 = BASE + 0x30;
const INTERRUPTS: u32 = BASE + 0x38;
const CLEAR: u32 = BASE + 0x44;
/// The queue holds something, or has held something for a while.
const RECEIVED: u32 = 0x50;

const LINES: Lines = Lines {
    bank: 0,
    mask: 1 << 5,
};

pub(super) fn start() {
    LINES.start();
    set_register(INTERRUPTS, RECEIVED);
    // Eight bits, and both queues on.
    set_register(LINE, 0x70);
    // Both directions, and the port itself.
    set_register(CONTROL, 0x301);
}

pub(super) fn receive() -> Option<u8> {
    (register(STATE) & 0x10 == 0).then(|| register(DATA) as u8)
}

/// Sleeps until something comes, unless it has come since it was asked for.
pub(super) fn wait() {
    LINES.sleep();
    set_register(CLEAR, RECEIVED);
}

/// Whether there was room for it.
pub(super) fn send(byte: u8) -> bool {
    let room = register(STATE) & 0x20 == 0;
    if room {
        set_register(DATA, byte.into());
    }
    room
}
