//! The serial port, polled.

#[path = "uart/cmsdk.rs"]
mod driver;

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
        pause();
    }
}

/// An emulator that is asked for its registers all the time has no time to fill them.
fn pause() {
    for _ in 0..PAUSE {
        core::hint::spin_loop();
    }
}

/// Turns of a loop: some microseconds.
const PAUSE: u32 = 200;

/// Sends bytes.
pub fn send(bytes: &[u8]) {
    for byte in bytes {
        while !driver::send(*byte) {
            pause();
        }
    }
}
