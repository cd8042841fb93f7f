//! Trailers: read as imgtool meant them, and written byte for byte as imgtool writes them.

use iotsec_core::hal::Region;
use iotsec_testkit::{Geometry, SimFlash};
use iotsec_update::mcuboot::{
    Admitted, Device, Flag, Magic, Request, Swap, Trailer, TrailerError, TrailerState,
};

use super::{file, verified};

pub(super) const EMPTY: TrailerState = TrailerState {
    magic: Magic::Unset,
    image_ok: Flag::Unset,
    copy_done: Flag::Unset,
    swap: Swap::None,
    image: 0,
};

pub(super) fn admitted() -> Admitted {
    verified("ed25519.bin").admit(&Device::default()).unwrap()
}

fn region(page: u32, word: u32, erased: u8) -> Region {
    Region::new(0, page, 4096 / page, word)
        .unwrap()
        .with_erased(erased)
}

fn flash(page: u32, word: u32, erased: u8, image: &[u8]) -> SimFlash {
    let pages = usize::try_from(4096 / page).unwrap();
    SimFlash::from_image(Geometry::new(&vec![page; pages], word).with_erased(erased), image)
}

/// Every alignment, erased value and kind of request that imgtool was asked for, on every word that fits.
fn each_file(mut check: impl FnMut(u32, u8, u32, Request, &[u8])) -> u32 {
    let mut count = 0;
    for align in [8_u32, 16, 32] {
        for (erased, name) in [(0xFF, "ff"), (0x00, "00")] {
            for (request, kind) in [(Request::Test, "pad"), (Request::Permanent, "confirm")] {
                let image = file(&format!("ed25519_trailer_{align}_{name}_{kind}.bin"));
                for word in [1, 2, 4, 8, 16, 32].into_iter().filter(|word| *word <= align) {
                    check(align, erased, word, request, &image);
                    count += 1;
                }
            }
        }
    }
    count
}

#[test]
fn a_trailer_that_imgtool_wrote_reads_as_what_it_is() {
    let files = each_file(|align, erased, word, request, image| {
        let trailer = Trailer::new(region(256, word, erased), align).unwrap();
        let mut flash = flash(256, word, erased, image);
        let expected = TrailerState {
            magic: Magic::Good,
            image_ok: match request {
                Request::Test => Flag::Unset,
                Request::Permanent => Flag::Set,
            },
            ..EMPTY
        };
        assert_eq!(trailer.read(&mut flash), Ok(expected));
        // Another alignment finds no magic of its own.
        for other in [8, 16, 32].into_iter().filter(|other| *other != align) {
            let Ok(trailer) = Trailer::new(region(256, word, erased), other) else {
                continue;
            };
            assert_eq!(trailer.read(&mut flash).unwrap().magic, Magic::Bad);
        }
    });
    assert_eq!(files, 60);
}

#[test]
fn a_request_is_written_byte_for_byte_as_imgtool_writes_it() {
    each_file(|align, erased, word, request, image| {
        for page in [256, 1024, 4096] {
            let trailer = Trailer::new(region(page, word, erased), align).unwrap();
            let mut unpadded = image.to_vec();
            let end = unpadded.len() - 160;
            unpadded[end..].fill(erased);
            let mut flash = flash(page, word, erased, &unpadded);
            match trailer.request(&mut flash, &admitted(), request) {
                Ok(()) => {}
                Err(error) => panic!("align {align}, word {word}, page {page}: {error}"),
            }
            assert!(flash.image() == image, "align {align}, word {word}, page {page}");
            assert_eq!(flash.violation(), None);
            // Asking again costs nothing.
            let steps = flash.steps();
            trailer.request(&mut flash, &admitted(), request).unwrap();
            assert_eq!(flash.steps(), steps);
        }
    });
}

#[test]
fn every_pair_of_trailers_is_judged_as_mcuboot_judges_it() {
    let magics = [Magic::Good, Magic::Bad, Magic::Unset];
    let flags = [Flag::Set, Flag::Bad, Flag::Unset];
    let mut states = Vec::new();
    for magic in magics {
        for image_ok in flags {
            for copy_done in flags {
                states.push(TrailerState {
                    magic,
                    image_ok,
                    copy_done,
                    ..EMPTY
                });
            }
        }
    }
    // MCUboot's table, row by row; the first that fits counts.
    for primary in &states {
        for secondary in &states {
            let asked = secondary.magic == Magic::Good;
            let expected = if asked && secondary.image_ok == Flag::Unset {
                Swap::Test
            } else if asked && secondary.image_ok == Flag::Set {
                Swap::Permanent
            } else if primary.magic == Magic::Good
                && primary.image_ok == Flag::Unset
                && primary.copy_done == Flag::Set
            {
                Swap::Revert
            } else {
                Swap::None
            };
            assert_eq!(Swap::next(primary, secondary), expected);
        }
    }
}

#[test]
fn a_swap_under_way_is_read_with_its_image() {
    for (byte, swap, image) in [
        (0x02, Swap::Test, 0),
        (0x13, Swap::Permanent, 1),
        (0x24, Swap::Revert, 2),
        (0x05, Swap::None, 0),
        (0xF7, Swap::None, 0),
    ] {
        let trailer = Trailer::new(region(256, 8, 0xFF), 8).unwrap();
        let mut flash = flash(256, 8, 0xFF, &[]);
        flash.tamper(4096 - 40, &[byte]);
        let state = trailer.read(&mut flash).unwrap();
        assert_eq!((state.swap, state.image), (swap, image));
    }
}

#[test]
fn shapes_that_mcuboot_does_not_have_are_refused() {
    let fits = |page, word, align| Trailer::new(region(page, word, 0xFF), align).is_ok();
    assert!(fits(256, 8, 8) && fits(256, 32, 32));
    assert!(!fits(256, 16, 8), "a word larger than the alignment");
    assert!(!fits(256, 1, 4) && !fits(256, 1, 64) && !fits(256, 1, 0));
    assert!(!fits(128, 1, 8), "the trailer spans pages");
}

#[test]
fn an_image_that_shares_the_trailers_page_is_never_erased() {
    // The image, 432 bytes, in a slot of one page.
    let trailer = Trailer::new(Region::new(0, 1024, 1, 4).unwrap(), 8).unwrap();
    let mut flash = SimFlash::from_image(Geometry::new(&[1024], 4), &file("ed25519.bin"));
    let kept = |flash: &SimFlash| flash.image()[..432] == file("ed25519.bin");
    trailer.request(&mut flash, &admitted(), Request::Test).unwrap();
    assert!(kept(&flash));
    let other = trailer.request(&mut flash, &admitted(), Request::Permanent);
    assert_eq!(other, Err(TrailerError::Used));
    assert_eq!(trailer.withdraw(&mut flash, 432), Err(TrailerError::Used));
    assert!(kept(&flash));
    assert_eq!(trailer.read(&mut flash).unwrap().magic, Magic::Good);

    // And one that reaches into the trailer is no request at all.
    let trailer = Trailer::new(Region::new(0, 256, 2, 4).unwrap(), 32).unwrap();
    let mut flash = SimFlash::from_image(Geometry::new(&[256; 2], 4), &file("ed25519.bin"));
    let over = trailer.request(&mut flash, &admitted(), Request::Test);
    assert_eq!(over, Err(TrailerError::Overlap));
}
