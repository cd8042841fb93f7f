//! Requests and confirmations under power cuts, and MCUboot behind the updater's trait.

use iotsec_core::hal::{BootControl, Region, Slot, Trial};
use iotsec_testkit::{Geometry, SimFlash, StepUnit, Sweep, Tear};
use iotsec_update::mcuboot::{Flag, Magic, Mode, Request, Swap, Trailer, TrailerControl, TrailerState};

use super::trailers::{EMPTY, admitted};

#[derive(Clone, Copy)]
struct Shape {
    page: u32,
    word: u32,
    align: u32,
    erased: u8,
}

const SHAPES: [Shape; 6] = [
    shape(256, 1, 8, 0xFF),
    shape(4096, 4, 8, 0xFF),
    shape(2048, 8, 8, 0x00),
    shape(512, 8, 16, 0xFF),
    shape(1024, 16, 16, 0xFF),
    shape(8192, 32, 32, 0x00),
];

const fn shape(page: u32, word: u32, align: u32, erased: u8) -> Shape {
    Shape {
        page,
        word,
        align,
        erased,
    }
}

impl Shape {
    /// Two slots of four pages.
    fn trailers(self) -> [Trailer; 2] {
        [0, 1].map(|slot| {
            let region = Region::new(slot * 4 * self.page, self.page, 4, self.word).unwrap();
            Trailer::new(region.with_erased(self.erased), self.align).unwrap()
        })
    }

    fn flash(self) -> SimFlash {
        SimFlash::new(Geometry::new(&[self.page; 8], self.word).with_erased(self.erased))
            .with_unit(StepUnit::Byte)
    }

    fn next(self, flash: &mut SimFlash) -> Swap {
        let [primary, secondary] = self.trailers();
        // ECC flash fails to read a torn word; MCUboot takes an unreadable secondary for empty.
        let mut read = |trailer: Trailer| trailer.read(flash).unwrap_or(EMPTY);
        Swap::next(&read(primary), &read(secondary))
    }

    fn wreck(self, flash: &mut SimFlash, slot: u32, state: TrailerState) {
        let end = (slot + 1) * 4 * self.page;
        let base = if self.align == 32 { 32 } else { 16 };
        if state.magic == Magic::Good {
            let [_, secondary] = self.trailers();
            let mut donor = self.flash();
            secondary.request(&mut donor, &admitted(), Request::Test).unwrap();
            let tail = donor.image().len() - 16;
            let magic = donor.image()[tail..].to_vec();
            flash.tamper(end - 16, &magic);
        }
        for (flag, back) in [(state.image_ok, 1), (state.copy_done, 2)] {
            if flag == Flag::Set {
                flash.tamper(end - base - back * self.align, &[1]);
            }
        }
    }
}

fn small(request: Request) -> Swap {
    match request {
        Request::Test => Swap::Test,
        Request::Permanent => Swap::Permanent,
    }
}

/// Both ways of asking, on every shape, torn in every way.
fn each_case(mut run: impl FnMut(Shape, Request, Tear) -> u64) -> u64 {
    let mut cuts = 0;
    for shape in SHAPES {
        for request in [Request::Test, Request::Permanent] {
            for tear in [Tear::Clean, Tear::Torn, Tear::EccPoison, Tear::Unstable] {
                cuts += run(shape, request, tear);
            }
        }
    }
    cuts
}

#[test]
fn a_request_that_is_cut_is_none_or_whole_and_can_be_made_again() {
    let cuts = each_case(|shape, request, tear| {
        let ask = |flash: &mut SimFlash| shape.trailers()[1].request(flash, &admitted(), request);
        Sweep::new().rounds(2).each_cut(
            || shape.flash().with_tear(tear),
            ask,
            |flash, outcome| {
                let next = shape.next(flash);
                let whole = next == small(request);
                assert!(whole || next == Swap::None, "{next:?}");
                assert!(whole || outcome.result.is_err());
                // What is left of it is no obstacle.
                ask(flash).unwrap();
                assert_eq!(shape.next(flash), small(request));
                assert_eq!(flash.violation(), None);
            },
        )
    });
    println!("{cuts} cuts");
    assert!(cuts > 2_000);
}

#[test]
fn a_request_that_takes_the_place_of_another_is_the_old_one_none_or_the_new_one() {
    let cuts = each_case(|shape, request, tear| {
        let other = match request {
            Request::Test => Request::Permanent,
            Request::Permanent => Request::Test,
        };
        let secondary = shape.trailers()[1];
        let setup = || {
            let mut flash = shape.flash().with_tear(tear);
            secondary.request(&mut flash, &admitted(), other).unwrap();
            flash
        };
        Sweep::new().each_cut(
            setup,
            |flash| secondary.request(flash, &admitted(), request),
            |flash, _| {
                let next = shape.next(flash);
                assert!([Swap::None, Swap::Test, Swap::Permanent].contains(&next));
                secondary.request(flash, &admitted(), request).unwrap();
                assert_eq!(shape.next(flash), small(request));
            },
        )
    });
    assert!(cuts > 1_000);
}

#[test]
fn a_second_cut_while_asking_again_changes_nothing() {
    let mut pairs = 0;
    for shape in SHAPES {
        let secondary = shape.trailers()[1];
        let ask = |flash: &mut SimFlash| secondary.request(flash, &admitted(), Request::Permanent);
        pairs += Sweep::new().stride(3).two_cuts(
            || shape.flash(),
            ask,
            |flash| {
                ask(flash).ok();
            },
            |flash, _| {
                let next = shape.next(flash);
                assert!(next == Swap::None || next == Swap::Permanent, "{next:?}");
                ask(flash).unwrap();
                assert_eq!(shape.next(flash), Swap::Permanent);
            },
        );
    }
    println!("{pairs} pairs");
    assert!(pairs > 500);
}

#[test]
fn a_withdrawal_that_is_cut_leaves_the_request_or_none() {
    each_case(|shape, request, tear| {
        let secondary = shape.trailers()[1];
        let setup = || {
            let mut flash = shape.flash().with_tear(tear);
            secondary.request(&mut flash, &admitted(), request).unwrap();
            flash
        };
        Sweep::new().rounds(4).each_cut(
            setup,
            |flash| secondary.withdraw(flash, 0),
            |flash, outcome| {
                let next = shape.next(flash);
                assert!(
                    next == Swap::None || (outcome.result.is_err() && next == small(request)),
                    "{next:?}"
                );
                secondary.withdraw(flash, 0).unwrap();
                assert_eq!(shape.next(flash), Swap::None);
            },
        )
    });
}

#[test]
fn a_confirmation_that_is_cut_is_made_or_not() {
    each_case(|shape, _, tear| {
        let primary = shape.trailers()[0];
        let tried = TrailerState {
            magic: Magic::Good,
            copy_done: Flag::Set,
            ..EMPTY
        };
        let setup = || {
            let mut flash = shape.flash().with_tear(tear);
            shape.wreck(&mut flash, 0, tried);
            assert_eq!(shape.next(&mut flash), Swap::Revert);
            flash
        };
        Sweep::new().rounds(4).each_cut(
            setup,
            |flash| primary.confirm(flash),
            |flash, outcome| {
                let next = shape.next(flash);
                assert!(next == Swap::None || next == Swap::Revert, "{next:?}");
                if outcome.result.is_ok() {
                    assert_eq!(next, Swap::None);
                }
            },
        )
    });
}

#[test]
fn the_updaters_choices_are_mcuboots_requests() {
    for shape in SHAPES {
        let [primary, secondary] = shape.trailers();
        let mut flash = shape.flash();
        let choose = |flash: &mut SimFlash, slot, trial| {
            TrailerControl::new(flash, primary, secondary, Mode::Swap).select(slot, trial)
        };
        assert_eq!(choose(&mut flash, Slot::B, Trial::Once), Ok(()));
        assert_eq!(shape.next(&mut flash), Swap::Test);
        assert_eq!(choose(&mut flash, Slot::B, Trial::Permanent), Ok(()));
        assert_eq!(shape.next(&mut flash), Swap::Permanent);
        // The running image after all.
        assert_eq!(choose(&mut flash, Slot::A, Trial::Permanent), Ok(()));
        assert_eq!(shape.next(&mut flash), Swap::None);
        assert!(choose(&mut flash, Slot::A, Trial::Once).is_err());

        // MCUboot has swapped and started the new image.
        let tried = TrailerState {
            magic: Magic::Good,
            copy_done: Flag::Set,
            ..EMPTY
        };
        shape.wreck(&mut flash, 0, tried);
        assert_eq!(shape.next(&mut flash), Swap::Revert);
        assert_eq!(choose(&mut flash, Slot::A, Trial::Permanent), Ok(()));
        assert_eq!(shape.next(&mut flash), Swap::None);
    }
}

/// What direct-XIP with revert does with the newest slot: whether it starts, and the trailer it leaves.
fn started_in_place(shape: Shape, flash: &mut SimFlash, slot: usize) -> bool {
    let trailer = shape.trailers()[slot];
    let state = trailer.read(flash).unwrap();
    if state.magic != Magic::Good || (state.copy_done == Flag::Set && state.image_ok != Flag::Set) {
        return false;
    }
    if state.copy_done != Flag::Set {
        let started = TrailerState {
            copy_done: Flag::Set,
            ..EMPTY
        };
        shape.wreck(flash, u32::try_from(slot).unwrap(), started);
    }
    true
}

#[test]
fn an_image_started_in_place_stays_only_if_it_is_confirmed() {
    for shape in SHAPES {
        let [a, b] = shape.trailers();
        let running = |running| Mode::DirectXip { running };
        for confirmed in [false, true] {
            let mut flash = shape.flash();
            // The factory confirms slot A from slot B's side, so to speak.
            let mut factory = TrailerControl::new(&mut flash, a, b, running(Slot::B));
            factory.select(Slot::A, Trial::Permanent).unwrap();
            assert!(started_in_place(shape, &mut flash, 0) && started_in_place(shape, &mut flash, 0));

            let mut updater = TrailerControl::new(&mut flash, a, b, running(Slot::A));
            updater.select(Slot::B, Trial::Once).unwrap();
            assert!(started_in_place(shape, &mut flash, 1));
            if confirmed {
                let mut updated = TrailerControl::new(&mut flash, a, b, running(Slot::B));
                updated.select(Slot::B, Trial::Permanent).unwrap();
                assert_eq!(
                    a.read(&mut flash).unwrap().magic,
                    Magic::Good,
                    "the old one may still boot"
                );
            }
            assert_eq!(started_in_place(shape, &mut flash, 1), confirmed);
        }

        // Withdrawn before it was started.
        let mut flash = shape.flash();
        let mut updater = TrailerControl::new(&mut flash, a, b, running(Slot::A));
        updater.select(Slot::B, Trial::Once).unwrap();
        updater.select(Slot::A, Trial::Permanent).unwrap();
        assert!(!started_in_place(shape, &mut flash, 1));
    }
}
