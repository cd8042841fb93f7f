//! The supply that everything in a simulated device hangs on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use crate::sim_rng::{default_seed, mix};

/// A power supply with a budget, counted in steps, and the chance that decides how things tear.
///
/// A step is one programmed word (or byte, see [`StepUnit`](crate::StepUnit)), a fifth of a sector erase, or one write
/// of a counter or of a boot choice. When the budget is spent the power is gone: the step under way
/// tears, and every later access fails until [`restore`](Self::restore). A clone is the same supply.
///
/// ```
/// use iotsec_core::hal::MonotonicCounter;
/// use iotsec_testkit::{Geometry, SimCounter, SimFlash};
///
/// let flash = SimFlash::new(Geometry::small(2));
/// let mut counter = SimCounter::new().powered_by(flash.power());
/// flash.power().cut_after(0);
/// assert!(counter.advance_to(1).is_err());
/// assert!(flash.power().is_lost());
/// flash.power().restore();
/// assert!(counter.read()? <= 1);
/// # Ok::<(), iotsec_core::hal::CounterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Power(Arc<Supply>);

#[derive(Debug)]
struct Supply {
    budget: AtomicU64,
    steps: AtomicU64,
    lost: AtomicBool,
    chance: AtomicU64,
}

const UNLIMITED: u64 = u64::MAX;

impl Power {
    /// An endless supply, seeded from `IOTSEC_SEED` if that is set.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Supply {
            budget: AtomicU64::new(UNLIMITED),
            steps: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            chance: AtomicU64::new(mix(default_seed())),
        }))
    }

    /// Starts chance again from `seed`: the same seed and the same calls tear the same bits.
    pub fn reseed(&self, seed: u64) {
        self.0.chance.store(mix(seed), Relaxed);
    }

    /// Lets `steps` more steps complete; the one after them tears and ends the power.
    pub fn cut_after(&self, steps: u64) {
        self.0.budget.store(steps, Relaxed);
    }

    /// Power is back, without a limit.
    pub fn restore(&self) {
        self.0.budget.store(UNLIMITED, Relaxed);
        self.0.lost.store(false, Relaxed);
    }

    /// Cuts the power now, between two steps.
    pub fn cut(&self) {
        self.0.lost.store(true, Relaxed);
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.lost.load(Relaxed)
    }

    /// Steps completed since the supply was made.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.steps.load(Relaxed)
    }

    /// Takes up to `wanted` steps and says how many were granted. Fewer than wanted means that the
    /// power went away in the middle of the next one.
    pub(crate) fn spend(&self, wanted: u64) -> u64 {
        if self.is_lost() {
            return 0;
        }
        let budget = self.0.budget.load(Relaxed);
        let granted = wanted.min(budget);
        if budget != UNLIMITED {
            self.0.budget.store(budget - granted, Relaxed);
        }
        if granted < wanted {
            self.0.lost.store(true, Relaxed);
        }
        self.0.steps.fetch_add(granted, Relaxed);
        granted
    }

    /// 64 bits that decide what tears.
    pub(crate) fn chance(&self) -> u64 {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        mix(self.0.chance.fetch_add(GOLDEN, Relaxed).wrapping_add(GOLDEN))
    }

    /// A separate supply in the same state.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Supply {
            budget: AtomicU64::new(self.0.budget.load(Relaxed)),
            steps: AtomicU64::new(self.steps()),
            lost: AtomicBool::new(self.is_lost()),
            chance: AtomicU64::new(self.0.chance.load(Relaxed)),
        }))
    }
}

impl Default for Power {
    fn default() -> Self {
        Self::new()
    }
}
