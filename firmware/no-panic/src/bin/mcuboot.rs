//! Choosing and verifying an MCUboot image that is started in place, over a flash of unknown content; a request, a
//! withdrawal and a confirmation. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::Sha256,
    hal::{BootControl, Slot, Trial},
};
use iotsec_update::mcuboot::{Hashes, Loader, Mode, Trailer, TrailerControl, select};
use no_panic::{KeyInHardware, UnknownCounter, UnknownFlash, UnknownWideDigest, halt, region};

#[entry]
fn main() -> ! {
    let slot = || Trailer::new(region().ok()?, black_box(8)).ok();
    if let (Some(a), Some(b)) = (slot(), slot()) {
        let loader = black_box(Loader {
            vendor: black_box(Some([0; 16])),
            class: black_box(Some([1; 16])),
            rom_a: black_box(Some(0)),
            rom_b: black_box(Some(0)),
            ..Loader::new(a, b, &[&KeyInHardware, &KeyInHardware])
        });
        let (mut sha256, mut sha512) = (Sha256::new(), UnknownWideDigest);
        let mut hashes = Hashes {
            sha256: &mut sha256,
            sha512: black_box(Some(&mut sha512)),
        };
        let selection = select(&mut UnknownFlash, &loader, &mut UnknownCounter, &mut hashes);
        black_box(selection.is_ok());
        let mode = black_box(Mode::DirectXip { running: Slot::A });
        let mut flash = UnknownFlash;
        let mut control = TrailerControl::new(&mut flash, a, b, mode);
        for trial in [Trial::Once, Trial::Permanent] {
            for slot in [Slot::A, Slot::B] {
                black_box(control.select(black_box(slot), black_box(trial)).is_ok());
            }
        }
    }
    halt()
}
