//! The UART of an nRF51 (reference manual 3.0, chapter 29).

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::memory::{register, set_register};

const BASE: u32 = 0x4000_2000;
const START_RX: u32 = BASE;
const START_TX: u32 = BASE + 0x008;
const RECEIVED: u32 = BASE + 0x108;
const SENT: u32 = BASE + 0x11C;
const ENABLE: u32 = BASE + 0x500;
const RECEIVE: u32 = BASE + 0x518;
const SEND: u32 = BASE + 0x51C;

/// Whether a byte is under way.
static SENDING: AtomicBool = AtomicBool::new(false);

pub(super) fn start() {
    set_register(ENABLE, 4);
    set_register(START_RX, 1);
    set_register(START_TX, 1);
}

pub(super) fn receive() -> Option<u8> {
    if register(RECEIVED) == 0 {
        return None;
    }
    set_register(RECEIVED, 0);
    Some(register(RECEIVE) as u8)
}

/// Whether there was room for it.
pub(super) fn send(byte: u8) -> bool {
    let room = !SENDING.load(Relaxed) || register(SENT) != 0;
    if room {
        set_register(SENT, 0);
        set_register(SEND, byte.into());
        SENDING.store(true, Relaxed);
    }
    room
}
