//! The UART of QEMU's virt, an NS16550A.

use crate::memory::{byte_register, set_byte_register};

const BASE: u32 = 0x1000_0000;
const DATA: u32 = BASE;
const FIFO: u32 = BASE + 2;
const LINE: u32 = BASE + 3;
const STATUS: u32 = BASE + 5;

pub(super) fn start() {
    // Eight bits, with FIFOs.
    set_byte_register(LINE, 3);
    set_byte_register(FIFO, 7);
}

pub(super) fn receive() -> Option<u8> {
    (byte_register(STATUS) & 1 != 0).then(|| byte_register(DATA))
}

/// Whether there was room for it.
pub(super) fn send(byte: u8) -> bool {
    let room = byte_register(STATUS) & 0x20 != 0;
    if room {
        set_byte_register(DATA, byte);
    }
    room
}
