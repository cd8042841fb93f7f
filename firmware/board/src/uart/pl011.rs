//! Arm's PrimeCell UART (DDI 0183G, 3.3), the first one of the board.

use crate::memory::{register, set_register};

const BASE: u32 = 0x4000_C000;
const DATA: u32 = BASE;
const STATE: u32 = BASE + 0x18;
const LINE: u32 = BASE + 0x2C;
const CONTROL: u32 = BASE + 0x30;

pub(super) fn start() {
    // Eight bits, and both queues on.
    set_register(LINE, 0x70);
    // Both directions, and the port itself.
    set_register(CONTROL, 0x301);
}

pub(super) fn receive() -> Option<u8> {
    (register(STATE) & 0x10 == 0).then(|| register(DATA) as u8)
}

/// Whether there was room for it.
pub(super) fn send(byte: u8) -> bool {
    let room = register(STATE) & 0x20 == 0;
    if room {
        set_register(DATA, byte.into());
    }
    room
}
