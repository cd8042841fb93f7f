//! A UART with the registers of National's 16550 (PC16550D, 8.0), a byte each.

pub(super) use super::pause as wait;
use crate::memory::{byte_register, set_byte_register};

const BASE: u32 = 0x1000_0000;
const DATA: u32 = BASE;
const INTERRUPTS: u32 = BASE + 1;
const FIFO: u32 = BASE + 2;
const LINE: u32 = BASE + 3;
const STATE: u32 = BASE + 5;

pub(super) fn start() {
    set_byte_register(INTERRUPTS, 0);
    // Eight bits, no parity, one stop bit; and no access to the divider, which lies where the data are.
    set_byte_register(LINE, 3);
    // Both queues on, and empty; as much as goes into the one that comes in.
    set_byte_register(FIFO, 0xC7);
}

pub(super) fn receive() -> Option<u8> {
    (byte_register(STATE) & 1 != 0).then(|| byte_register(DATA))
}

/// Whether there was room for it.
pub(super) fn send(byte: u8) -> bool {
    let room = byte_register(STATE) & 0x20 != 0;
    if room {
        set_byte_register(DATA, byte);
    }
    room
}
