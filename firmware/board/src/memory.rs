//! Memory by its address: the registers of the board and its flash, which are nobody's objects.
#![allow(unsafe_code, reason = "registers and flash have addresses, and no other name")]

use core::ptr;

/// Reads a register.
#[cfg(not(board = "virt"))]
pub(crate) fn register(address: u32) -> u32 {
    // SAFETY: only `uart` and `cpu` call this, with the addresses of registers of the board, which are aligned.
    unsafe { ptr::read_volatile(address as usize as *const u32) }
}

/// Writes a register.
pub(crate) fn set_register(address: u32, value: u32) {
    // SAFETY: as above; no register that is written here makes the board read or write memory by itself.
    unsafe { ptr::write_volatile(address as usize as *mut u32, value) }
}

/// Reads a register of one byte.
#[cfg(board = "virt")]
pub(crate) fn byte_register(address: u32) -> u8 {
    // SAFETY: only `uart` calls this, with the addresses of registers of the board.
    unsafe { ptr::read_volatile(address as usize as *const u8) }
}

/// Writes a register of one byte.
#[cfg(board = "virt")]
pub(crate) fn set_byte_register(address: u32, value: u8) {
    // SAFETY: as above; none of them makes the board read or write memory by itself.
    unsafe { ptr::write_volatile(address as usize as *mut u8, value) }
}

/// Reads `bytes` of flash from an address on.
pub(crate) fn read_flash(address: u32, bytes: &mut [u8]) {
    for (at, byte) in (address as usize..).zip(bytes) {
        // SAFETY: only `flash` calls this, with addresses of the flash that the map says is there; it is no object of
        // Rust's, and nothing writes it while the machine runs.
        *byte = unsafe { ptr::read_volatile(at as *const u8) };
    }
}

/// Puts `bytes` where the flash is, as the emulator did when the power came, and what is behind it.
pub(crate) fn write_flash(address: u32, bytes: &[u8]) {
    for (at, byte) in (address as usize..).zip(bytes) {
        // SAFETY: only `flash` calls this, in the boot loader, with addresses of the flash that the map says is there and of
        // the word behind it: memory that is no object of Rust's, from which nothing runs yet.
        unsafe { ptr::write_volatile(at as *mut u8, *byte) };
    }
}
