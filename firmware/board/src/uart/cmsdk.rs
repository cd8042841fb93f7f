//! The UART of Arm's Cortex-M System Design Kit (DDI 0479D, 4.3), the first one of the board.

use super::lines::Lines;
use crate::memory::{register, set_register};

const BASE: u32 = if cfg!(board = "mps2-an505") {
    // Where the secure world sees it.
    0x5020_0000
} else {
    0x4000_4000
};
const DATA: u32 = BASE;
const STATE: u32 = BASE + 4;
const CONTROL: u32 = BASE + 8;
const INTERRUPT: u32 = BASE + 12;
const DIVIDER: u32 = BASE + 16;

/// Both interrupts of the port.
const LINES: Lines = Lines {
    bank: if cfg!(board = "mps2-an505") { 1 } else { 0 },
    mask: 3,
};

pub(super) fn start() {
    set_register(DIVIDER, 16);
    LINES.start();
    // Both directions, and an interrupt when something comes.
    set_register(CONTROL, 0b1011);
    // QEMU looks whether something has come when somebody takes what came before.
    register(DATA);
}

pub(super) fn receive() -> Option<u8> {
    (register(STATE) & 2 != 0).then(|| register(DATA) as u8)
}

/// Sleeps until something comes, unless it has come since it was asked for.
pub(super) fn wait() {
    LINES.sleep();
    set_register(INTERRUPT, 2);
}

/// Whether there was room for it.
pub(super) fn send(byte: u8) -> bool {
    let room = register(STATE) & 1 == 0;
    if room {
        set_register(DATA, byte.into());
    }
    room
}
