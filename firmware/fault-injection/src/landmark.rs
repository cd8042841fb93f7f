//! How the attacked code speaks to the monitor.

use core::arch::asm;

/// From here on instructions are skipped.
#[inline(never)]
pub fn ready() {
    call(READY);
}

/// The image that begins here, one of [`ENTRIES`](crate::device::ENTRIES), would run now.
#[inline(never)]
pub fn accepted(entry: u32) -> ! {
    stop(entry)
}

/// Nothing is started, nothing was installed.
#[inline(never)]
pub fn refused() -> ! {
    stop(REFUSED)
}

pub(crate) const REFUSED: u32 = 0x5EED_0002;
pub(crate) const READY: u32 = 0x5EED_0003;

fn stop(what: u32) -> ! {
    loop {
        call(what);
    }
}

fn call(what: u32) {
    // SAFETY: the monitor takes over; it goes on behind the call, with all registers as they were.
    #[allow(unsafe_code, reason = "the call of a supervisor")]
    unsafe {
        asm!("svc 0", in("r0") what, options(nostack));
    }
}
