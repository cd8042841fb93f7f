//! The memory of the board: what the attacked code may touch, and what it may not.
//!
//! | from | bytes | what |
//! |---|---|---|
//! | 0x0000_0000 | 256 Ki | code, which nothing changes |
//! | 0x2000_0000 | 32 Ki | the attacked code's stack and, at its end, input |
//! | 0x2001_0000 | 64 Ki | the monitor's |
//! | 0x2100_0000 | | the job, written by the host |
//! | 0x2110_0000 | 32 Ki | a copy of what the attacked code has |
//! | 0x2111_0000 | 14.9 Mi | the places that were visited |

#![allow(unsafe_code, reason = "memory that no Rust object lies in")]

use core::{mem::size_of, ptr};

use cortex_m::peripheral::MPU;

use crate::device::{Input, Job};

const ATTACKED: u32 = 0x2000_0000;
const ATTACKED_LEN: u32 = 32 * 1024;
const JOB: u32 = 0x2100_0000;
const COPY: u32 = 0x2110_0000;
const PLACES: u32 = 0x2111_0000;
/// As many as there is memory for, of eight bytes each: a run with a signature checked in software visits more than a
/// million.
const PLACE_COUNT: u32 = 1_950_000;
const _: () = assert!(PLACES + PLACE_COUNT * 8 <= 0x2200_0000);

/// Where the attacked code finds its input.
pub(crate) const INPUT: u32 = ATTACKED + ATTACKED_LEN - (size_of::<Input>() as u32).next_multiple_of(8);
/// Its stack ends here.
pub(crate) const STACK_TOP: u32 = INPUT;

/// What the host wants.
pub(crate) fn job() -> &'static Job {
    // SAFETY: the host wrote it before the core started; nothing changes it.
    unsafe { &*(JOB as *const Job) }
}

/// Puts the input into memory that is zero otherwise.
pub(crate) fn prepare(input: &Input) {
    // SAFETY: the attacked code does not run, and nothing else has objects there.
    unsafe {
        ptr::write_bytes(ATTACKED as *mut u8, 0, ATTACKED_LEN as usize);
        ptr::write(INPUT as *mut Input, *input);
    }
}

/// The input, for the attacked code alone.
pub(crate) fn input<'a>(at: u32) -> &'a mut Input {
    // SAFETY: `prepare` put it there, and each run of the attacked code asks once.
    unsafe { &mut *(at as *mut Input) }
}

/// Keeps what the attacked code has in memory.
pub(crate) fn save() {
    copy(ATTACKED, COPY);
}

/// Puts it back.
pub(crate) fn restore() {
    copy(COPY, ATTACKED);
}

fn copy(from: u32, to: u32) {
    // SAFETY: neither overlaps the other or any object, and the attacked code does not run.
    unsafe {
        ptr::copy_nonoverlapping(from as *const u64, to as *mut u64, ATTACKED_LEN as usize / 8);
    }
}

/// A word of the attacked code's memory; zero elsewhere, where a fault may have put its stack.
pub(crate) fn read(at: u32) -> u32 {
    match inside(at) {
        // SAFETY: aligned, and inside.
        true => unsafe { ptr::read_volatile(at as *const u32) },
        false => 0,
    }
}

pub(crate) fn write(at: u32, word: u32) {
    if inside(at) {
        // SAFETY: as above.
        unsafe { ptr::write_volatile(at as *mut u32, word) };
    }
}

fn inside(at: u32) -> bool {
    at.is_multiple_of(4) && (ATTACKED..ATTACKED + ATTACKED_LEN).contains(&at)
}

/// Half a word of code.
pub(crate) fn read_half(at: u32) -> u16 {
    // SAFETY: an address that the core executed.
    unsafe { ptr::read_volatile((at & !1) as *const u16) }
}

/// Counts a visit, and returns how many there were; none when there is no room for another place. Two places with the
/// same number count as one.
pub(crate) fn visit(place: [u32; 3]) -> Option<u32> {
    let mut hash = place.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, word| {
        (hash ^ u64::from(*word))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29)
    });
    hash |= 1;
    let tag = (hash >> 32) as u32 | 1;
    let mut index = hash as u32;
    for _ in 0..PLACE_COUNT {
        let at = (PLACES + index % PLACE_COUNT * 8) as *mut [u32; 2];
        // SAFETY: inside the table, which is zero at first and nobody else's.
        let [known, count] = unsafe { ptr::read(at) };
        if known == tag || known == 0 {
            // SAFETY: as above.
            unsafe { ptr::write(at, [tag, count + 1]) };
            return Some(count + 1);
        }
        index = index.wrapping_add(1);
    }
    None
}

/// Lets unprivileged code execute the flash and write its own memory, and nothing else (Armv7-M Architecture
/// Reference Manual, B3.5). QEMU's board has RAM in place of flash.
pub(crate) fn protect(mpu: &mut MPU) {
    const VALID: u32 = 1 << 4;
    const ENABLE: u32 = 1;
    const PRIVILEGED_DEFAULT: u32 = 1 << 2;
    const READ_ONLY: u32 = 6 << 24;
    const READ_WRITE: u32 = 3 << 24;
    const NO_EXECUTE: u32 = 1 << 28;
    // A region has 2 to the power of this and one more bytes.
    let regions = [
        (VALID, READ_ONLY | 17 << 1 | ENABLE),
        (ATTACKED | VALID | 1, READ_WRITE | NO_EXECUTE | 14 << 1 | ENABLE),
    ];
    for (address, attributes) in regions {
        // SAFETY: takes nothing from the monitor, which has the default map.
        unsafe {
            mpu.rbar.write(address);
            mpu.rasr.write(attributes);
        }
    }
    // SAFETY: as above.
    unsafe { mpu.ctrl.write(ENABLE | PRIVILEGED_DEFAULT) };
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}
