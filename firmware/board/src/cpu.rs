//! Starting an image, and restarting the machine.

mod cortex_m;

use core::hint::black_box;

use iotsec_core::hal::Slot;
use iotsec_update::boot::Verified;

pub use self::cortex_m::restart;
use crate::flash::MAP;

/// Leaves the boot loader for the image that was verified.
pub fn start(image: Verified) -> ! {
    let place = entry(image.slot());
    if image.is_proven() && black_box(place) == entry(black_box(&image).slot()) {
        cortex_m::jump(place)
    }
    restart()
}

fn entry(slot: Slot) -> u32 {
    MAP.entry(match slot {
        Slot::A => 0,
        Slot::B => 1,
    })
}
