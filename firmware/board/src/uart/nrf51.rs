//! The UART of Nordic's nRF51 (reference manual 3.0, 29).

pub(super) use super::pause as wait;
use crate::memory::{register, set_register};

const BASE: u32 = 0x4000_2000;
const START_RECEIVER: u32 = BASE;
const START_SENDER: u32 = BASE + 0x8;
const RECEIVED: u32 = BASE + 0x108;
const SENT: u32 = BASE + 0x11C;
const ENABLE: u32 = BASE + 0x500;
const RECEIVE: u32 = BASE + 0x518;
const SEND: u32 = BASE + 0x51C;

pub(super) fn start() {
    set_register(ENABLE, 4);
    set_register(START_RECEIVER, 1);
    set_register(START_SENDER, 1);
}

pub(super) fn receive() -> Option<u8> {
    (register(RECEIVED) != 0).then(|| {
        // Taking a byte brings the next one, which says so again.
        set_register(RECEIVED, 0);
        register(RECEIVE) as u8
    })
}

/// Whether it has gone.
pub(super) fn send(byte: u8) -> bool {
    set_register(SENT, 0);
    set_register(SEND, byte.into());
    while register(SENT) == 0 {
        core::hint::spin_loop();
    }
    true
}
