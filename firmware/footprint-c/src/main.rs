//! What a C program has an interface table for: it is checked, asked, and compared with what listens.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "called as C calls it")]

use core::{hint::black_box, mem::MaybeUninit, ptr};

use cortex_m_rt::entry;
use harness::measure;
use iotsec_ffi::{device::IOTSEC_DEVICE_OWNED, status::IOTSEC_OK, surface::*};

/// A table of so many; the functions have room for the longest all the same.
const COUNT: usize = 8;
/// Ids: a letter and a zero each.
static IDS: &[u8; 2 * COUNT] = b"a\0b\0c\0d\0e\0f\0g\0h\0";

fn table() -> [iotsec_interface_t; COUNT] {
    core::array::from_fn(|at| iotsec_interface_t {
        id: IDS[2 * at..].as_ptr().cast(),
        purpose: c"For the measurement".as_ptr(),
        name: ptr::null(),
        kind: IOTSEC_INTERFACE_TCP,
        number: 8000 + at as u32,
        phases: IOTSEC_PHASE_OWNED,
        scope: IOTSEC_SCOPE_LOCAL,
        authentication: IOTSEC_AUTHENTICATION_PASSWORD,
        protocol: 0,
        destination: 0,
    })
}

/// Telnet, which nobody declared, and the first of the table.
fn sockets() -> [iotsec_listener_t; 2] {
    [23, 8000].map(|number| {
        // SAFETY: made of integers and pointers, for which zero is a value.
        let zeros: iotsec_listener_t = unsafe { MaybeUninit::zeroed().assume_init() };
        iotsec_listener_t {
            kind: IOTSEC_INTERFACE_TCP,
            number,
            address: [192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            address_len: 4,
            ..zeros
        }
    })
}

fn run(
    table: &[iotsec_interface_t],
    sockets: &[iotsec_listener_t],
    found: &mut [iotsec_surface_finding_t],
) -> bool {
    let (at, count, (mut len, mut open)) = (table.as_ptr(), table.len(), (0, 0));
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says.
    let done = unsafe {
        [
            iotsec_surface_check(at, count),
            iotsec_surface_may_listen(at, count, IOTSEC_DEVICE_OWNED, 0, IDS.as_ptr().cast(), 1),
            iotsec_surface_audit(
                at,
                count,
                IOTSEC_DEVICE_OWNED,
                0,
                sockets.as_ptr(),
                sockets.len(),
                found.as_mut_ptr(),
                found.len(),
                &raw mut len,
                &raw mut open,
            ),
        ]
    };
    done == [IOTSEC_OK; 3] && open == 1
}

#[entry]
fn main() -> ! {
    let (table, sockets) = (black_box(table()), black_box(sockets()));
    // SAFETY: made of integers, for which zero is a value.
    let mut found: [iotsec_surface_finding_t; COUNT + 2] = unsafe { MaybeUninit::zeroed().assume_init() };
    measure::report(|| run(&table, &sockets, &mut found))
}
