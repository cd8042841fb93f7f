//! The serial port.

#[cfg_attr(
    any(board = "mps2-an385", board = "mps2-an386", board = "mps2-an505"),
    path = "uart/cmsdk.rs"
)]
#[cfg_attr(board = "lm3s6965evb", path = "uart/pl011.rs")]
#[cfg_attr(board = "microbit", path = "uart/nrf51.rs")]
#[cfg_attr(board = "virt", path = "uart/ns16550.rs")]
mod driver;
#[cfg(not(any(board = "microbit", board = "virt")))]
mod lines;

/// Makes the port ready.
pub fn start() {
    driver::start();
}

/// Waits for a byte.
pub fn receive() -> u8 {
    loop {
        if let Some(byte) = driver::receive() {
            return byte;
        }
        driver::wait();
    }
}

/// An emulator that is asked for its registers all the time has no time to fill them.
fn pause() {
    for _ in 0..PAUSE {
        core::hint::spin_loop();
    }
}

/// Turns of a loop: some microseconds, for which the emulator's other thread has the board for itself.
const PAUSE: u32 = 2000;

/// Sends bytes.
pub fn send(bytes: &[u8]) {
    for byte in bytes {
        while !driver::send(*byte) {
            pause();
        }
    }
}
