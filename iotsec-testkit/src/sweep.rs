//! Running a scenario once for every point where the power can go.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::{World, sim_rng::default_seed};

/// How one run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome<R> {
    /// Steps that completed before the cut.
    pub cut_at: u64,
    /// Whether the operation ran to its end with the power on.
    pub completed: bool,
    /// What the operation returned. After a cut this is what the code believed while the power was gone;
    /// a success in it that came before the cut was acknowledged and must not be lost.
    pub result: R,
}

/// Cuts `operation` at every step 0..=N of a device that `setup` makes, where N is what an uncut run
/// takes, and calls `check` with the power back. Returns the number of cut points tried.
///
/// `setup` runs anew for every point, so it should clone a prepared flash if preparing is slow. `check`
/// sees what a reboot sees: build everything from the flash again. It fails by panicking.
///
/// # Panics
/// When `check` panics, the operation panics, or a flash rule was broken. The message says the seed, the
/// cut and how to replay just this one (`IOTSEC_SEED` and `IOTSEC_CUT`).
///
/// ```
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
/// use iotsec_testkit::{Geometry, SimFlash, each_cut};
///
/// // A value and then a flag that says it is valid.
/// let points = each_cut(
///     || SimFlash::new(Geometry::small(1)),
///     |flash| flash.write(0, b"value...").and_then(|()| flash.write(8, &[0; 4])),
///     |flash, outcome| {
///         let mut bytes = [0; 12];
///         flash.read(0, &mut bytes).unwrap();
///         if bytes[8..] == [0; 4] {
///             assert_eq!(&bytes[..8], b"value...");
///         }
///         assert_eq!(outcome.completed, outcome.result.is_ok());
///     },
/// );
/// assert_eq!(points, 4);
/// ```
pub fn each_cut<W: World, R>(
    setup: impl FnMut() -> W,
    operation: impl FnMut(&mut W) -> R,
    check: impl FnMut(&mut W, Outcome<R>),
) -> u64 {
    Sweep::new().each_cut(setup, operation, check)
}

/// [`each_cut`] at every `stride`th step only (and at the end), for scenarios too long to cut everywhere.
///
/// # Panics
/// As [`each_cut`], and for a stride of zero.
pub fn each_cut_sampled<W: World, R>(
    stride: u64,
    setup: impl FnMut() -> W,
    operation: impl FnMut(&mut W) -> R,
    check: impl FnMut(&mut W, Outcome<R>),
) -> u64 {
    Sweep::new().stride(stride).each_cut(setup, operation, check)
}

/// As [`each_cut`], and for each of its points cuts `recovery` at every one of its own steps too, then
/// calls `check` with the power back. Returns the number of pairs tried.
///
/// `recovery` is what the device does after a reboot (mount, resume); `check` must do it again, since the
/// second cut undid it.
///
/// # Panics
/// As [`each_cut`].
///
/// ```
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
/// use iotsec_testkit::{Geometry, SimFlash, two_cuts};
///
/// let recover = |flash: &mut SimFlash| {
///     let mut word = [0; 4];
///     flash.read(0, &mut word).unwrap();
///     if word != *b"new!" {
///         flash.erase(0, 256).and_then(|()| flash.write(0, b"new!")).ok();
///     }
/// };
/// let pairs = two_cuts(
///     || SimFlash::new(Geometry::small(1)),
///     |flash| flash.write(0, b"new!"),
///     recover,
///     |flash, _outcome| {
///         recover(flash);
///         assert_eq!(&flash.image()[..4], b"new!");
///     },
/// );
/// assert!(pairs >= 2);
/// ```
pub fn two_cuts<W: World, R>(
    setup: impl FnMut() -> W,
    operation: impl FnMut(&mut W) -> R,
    recovery: impl FnMut(&mut W),
    check: impl FnMut(&mut W, Outcome<R>),
) -> u64 {
    Sweep::new().two_cuts(setup, operation, recovery, check)
}

/// [`two_cuts`] at every `stride`th step of the operation and of the recovery.
///
/// # Panics
/// As [`two_cuts`], and for a stride of zero.
pub fn two_cuts_sampled<W: World, R>(
    stride: u64,
    setup: impl FnMut() -> W,
    operation: impl FnMut(&mut W) -> R,
    recovery: impl FnMut(&mut W),
    check: impl FnMut(&mut W, Outcome<R>),
) -> u64 {
    Sweep::new()
        .stride(stride)
        .two_cuts(setup, operation, recovery, check)
}

/// A sweep with its own seed, number of rounds and stride.
///
/// ```
/// use embedded_storage::nor_flash::NorFlash;
/// use iotsec_testkit::{Geometry, SimFlash, Sweep};
///
/// let points = Sweep::new().seed(7).rounds(3).stride(2).each_cut(
///     || SimFlash::new(Geometry::small(1)),
///     |flash| flash.write(0, &[0x5A; 64]),
///     |flash, _| assert!(flash.image()[64..].iter().all(|byte| *byte == 0xFF)),
/// );
/// assert_eq!(points, 3 * 9);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    seed: u64,
    rounds: u64,
    stride: u64,
}

impl Sweep {
    /// Every step once, seeded from `IOTSEC_SEED` if that is set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            seed: default_seed(),
            rounds: 1,
            stride: 1,
        }
    }

    /// Another seed, unless `IOTSEC_SEED` asks for a replay.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        if std::env::var_os("IOTSEC_SEED").is_none() {
            self.seed = seed;
        }
        self
    }

    /// Every step `rounds` times, each time torn differently.
    #[must_use]
    pub const fn rounds(mut self, rounds: u64) -> Self {
        self.rounds = rounds;
        self
    }

    /// Every `stride`th step, and the end.
    ///
    /// # Panics
    /// For zero.
    #[must_use]
    pub const fn stride(mut self, stride: u64) -> Self {
        assert!(stride > 0, "a stride goes forward");
        self.stride = stride;
        self
    }

    /// Every `stride`th step, for a sweep that is run often; with `IOTSEC_SWEEP=full` in the environment, every
    /// step.
    ///
    /// # Panics
    /// For zero.
    #[must_use]
    pub fn quick(self, stride: u64) -> Self {
        if is_full() { self } else { self.stride(stride) }
    }

    /// With `IOTSEC_SWEEP=full` in the environment, so many rounds.
    #[must_use]
    pub fn full(self, rounds: u64) -> Self {
        if is_full() { self.rounds(rounds) } else { self }
    }

    /// [`each_cut`] with these settings.
    ///
    /// # Panics
    /// As [`each_cut`].
    pub fn each_cut<W: World, R>(
        &self,
        mut setup: impl FnMut() -> W,
        mut operation: impl FnMut(&mut W) -> R,
        mut check: impl FnMut(&mut W, Outcome<R>),
    ) -> u64 {
        let mut tried = 0;
        for seed in self.seeds() {
            let point = |cut| Point {
                seed,
                cuts: [cut, None],
            };
            let mut run = |cut: u64| {
                let mut world = setup();
                world.power().reseed(seed ^ cut);
                let (outcome, steps) = cut_short(&mut world, cut, &mut operation);
                check(&mut world, outcome);
                no_violation(&world);
                steps
            };
            if let Some(cuts) = replay() {
                guarded(point(cuts[0]), || run(cuts[0].unwrap_or(UNCUT)));
                return 1;
            }
            let end = guarded(point(None), || run(UNCUT));
            tried += 1;
            for cut in self.cuts(end) {
                guarded(point(Some(cut)), || run(cut));
                tried += 1;
            }
        }
        tried
    }

    /// [`two_cuts`] with these settings.
    ///
    /// # Panics
    /// As [`two_cuts`].
    pub fn two_cuts<W: World, R>(
        &self,
        mut setup: impl FnMut() -> W,
        mut operation: impl FnMut(&mut W) -> R,
        mut recovery: impl FnMut(&mut W),
        mut check: impl FnMut(&mut W, Outcome<R>),
    ) -> u64 {
        let mut tried = 0;
        for seed in self.seeds() {
            // Steps of the operation and of the recovery.
            let mut run = |first: u64, second: u64| {
                let mut world = setup();
                world.power().reseed(seed ^ first);
                let (outcome, steps) = cut_short(&mut world, first, &mut operation);
                world.power().reseed(seed ^ first ^ second.rotate_left(32));
                let (_, recovery_steps) = cut_short(&mut world, second, &mut recovery);
                check(&mut world, outcome);
                no_violation(&world);
                (steps, recovery_steps)
            };
            let point = |first, second| Point {
                seed,
                cuts: [first, second],
            };
            if let Some([first, second]) = replay() {
                guarded(point(first, second), || {
                    run(first.unwrap_or(UNCUT), second.unwrap_or(UNCUT))
                });
                return 1;
            }
            let (end, _) = guarded(point(None, None), || run(UNCUT, UNCUT));
            for first in self.cuts(end).map(Some).chain([None]) {
                let at = first.unwrap_or(UNCUT);
                let (_, end) = guarded(point(first, None), || run(at, UNCUT));
                tried += 1;
                for second in self.cuts(end) {
                    guarded(point(first, Some(second)), || run(at, second));
                    tried += 1;
                }
            }
        }
        tried
    }

    fn seeds(self) -> impl Iterator<Item = u64> {
        (0..self.rounds).map(move |round| self.seed.wrapping_add(round))
    }

    fn cuts(self, end: u64) -> impl Iterator<Item = u64> {
        (0..end).step_by(usize::try_from(self.stride).unwrap_or(usize::MAX))
    }
}

impl Default for Sweep {
    fn default() -> Self {
        Self::new()
    }
}

fn is_full() -> bool {
    std::env::var_os("IOTSEC_SWEEP").is_some_and(|value| value == "full")
}

/// No cut: more steps than anything takes.
const UNCUT: u64 = u64::MAX;

/// Runs `work` with power for `cut` steps, and gives power back. Also says how many steps it took.
fn cut_short<W: World, R>(world: &mut W, cut: u64, work: &mut impl FnMut(&mut W) -> R) -> (Outcome<R>, u64) {
    let before = world.power().steps();
    world.power().cut_after(cut);
    let result = work(world);
    let completed = !world.power().is_lost();
    world.power().restore();
    let steps = world.power().steps() - before;
    let outcome = Outcome {
        cut_at: steps,
        completed,
        result,
    };
    (outcome, steps)
}

fn no_violation<W: World>(world: &W) {
    if let Some(violation) = world.violation() {
        panic!("flash rule broken: {violation:?}");
    }
}

/// What a failure must say to be repeated.
#[derive(Clone, Copy)]
struct Point {
    seed: u64,
    cuts: [Option<u64>; 2],
}

fn guarded<T>(point: Point, run: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => value,
        Err(cause) => {
            let message = cause
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| cause.downcast_ref::<&str>().copied());
            let Some(message) = message else {
                resume_unwind(cause)
            };
            let cut = |cut: Option<u64>| cut.map_or_else(|| "-".to_owned(), |cut| cut.to_string());
            let cuts = point.cuts.map(cut).join(",");
            panic!(
                "{message}\n  with the power cut after step {cuts}; replay with\n  IOTSEC_SEED={:#x} IOTSEC_CUT={cuts}",
                point.seed
            );
        }
    }
}

/// The cuts of `IOTSEC_CUT`: one number or two with a comma, `-` for no cut.
fn replay() -> Option<[Option<u64>; 2]> {
    let text = std::env::var("IOTSEC_CUT").ok()?;
    let number = |text: &str| match text {
        "-" => None,
        _ => Some(
            text.parse()
                .unwrap_or_else(|_| panic!("IOTSEC_CUT is no number: {text}")),
        ),
    };
    let (first, second) = text.split_once(',').unwrap_or((&text, "-"));
    Some([number(first), number(second)])
}

#[cfg(test)]
mod tests;
