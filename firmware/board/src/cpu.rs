//! Starting an image, and restarting the machine.

#[cfg_attr(target_arch = "arm", path = "cpu/cortex_m.rs")]
#[cfg_attr(target_arch = "riscv32", path = "cpu/riscv.rs")]
mod arch;

use core::hint::black_box;

use iotsec_core::hal::Slot;
use iotsec_update::boot::Verified;

pub use self::arch::restart;
use crate::flash::MAP;

/// Leaves the boot loader for the image that was verified.
pub fn start(image: Verified) -> ! {
    let place = entry(image.slot());
    if image.is_proven() && black_box(place) == entry(black_box(&image).slot()) {
        arch::jump(place)
    }
    restart()
}

fn entry(slot: Slot) -> u32 {
    MAP.entry(match slot {
        Slot::A => 0,
        Slot::B => 1,
    })
}
