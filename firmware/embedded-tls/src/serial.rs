//! The second serial port of QEMU's MPS2 boards (CMSDK APB UART).

use core::{convert::Infallible, ptr};

use embedded_io::{ErrorType, Read, Write};

const DATA: *mut u32 = 0x4000_5000 as *mut u32;
const STATE: *mut u32 = 0x4000_5004 as *mut u32;
const CONTROL: *mut u32 = 0x4000_5008 as *mut u32;
const DIVIDER: *mut u32 = 0x4000_5010 as *mut u32;
const SEND_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 2;
const SEND_AND_RECEIVE: u32 = 3;
const FASTEST: u32 = 16;

/// The port.
pub(crate) struct Serial(());

impl Serial {
    /// Turns it on.
    pub(crate) fn start() -> Self {
        store(DIVIDER, FASTEST);
        store(CONTROL, SEND_AND_RECEIVE);
        Self(())
    }
}

impl ErrorType for Serial {
    type Error = Infallible;
}

impl Read for Serial {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else {
            return Ok(0);
        };
        while load(STATE) & RECEIVE_FULL == 0 {}
        let [byte, ..] = load(DATA).to_le_bytes();
        *first = byte;
        Ok(1)
    }
}

impl Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while load(STATE) & SEND_FULL != 0 {}
            store(DATA, u32::from(*byte));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[allow(unsafe_code, reason = "registers are memory")]
fn load(register: *mut u32) -> u32 {
    // SAFETY: one of the registers above, which are there on these boards and may be read at any time.
    unsafe { ptr::read_volatile(register) }
}

#[allow(unsafe_code, reason = "registers are memory")]
fn store(register: *mut u32, value: u32) {
    // SAFETY: one of the registers above, which are there on these boards and may be written at any time.
    unsafe { ptr::write_volatile(register, value) }
}
