use iotsec_core::hal::UnixTime;

use super::Step;

/// Which steps a product has: a constant of its firmware, and no choice of whoever talks to the device.
///
/// ```
/// use iotsec::{core::hal::UnixTime, setup::{Plan, Step}};
///
/// const PLAN: Plan = Plan::online(UnixTime(1_790_000_000));
/// assert_eq!(PLAN.decisions(), 3);
/// assert!(!Plan::local().has(Step::Network));
/// assert_eq!(Plan::local().decisions(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    online: bool,
    identity: bool,
    made: UnixTime,
}

impl Plan {
    /// Every step. `made` is when the firmware was made: no time before it is believed.
    pub const fn online(made: UnixTime) -> Self {
        Self {
            online: true,
            identity: true,
            made,
        }
    }

    /// A product that joins no network: [`Step::Pairing`] and [`Step::Owner`].
    pub const fn local() -> Self {
        Self {
            online: false,
            identity: false,
            made: UnixTime(0),
        }
    }

    /// A product that authenticates to no service.
    #[must_use]
    pub const fn without_identity(mut self) -> Self {
        self.identity = false;
        self
    }

    /// Whether the product has this step.
    pub const fn has(self, step: Step) -> bool {
        match step {
            Step::Pairing | Step::Owner => true,
            Step::Network | Step::Time | Step::Update => self.online,
            Step::Identity => self.identity,
        }
    }

    /// How often the owner has to decide something.
    pub fn decisions(self) -> usize {
        let steps = Step::ALL.into_iter().filter(|step| self.has(*step));
        steps.filter(|step| step.is_decision()).count()
    }

    pub(super) const fn made(self) -> UnixTime {
        self.made
    }
}
