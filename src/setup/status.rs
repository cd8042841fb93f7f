use iotsec_core::hal::Millis;

use super::{Plan, Reason, Step};

/// Where a set-up stands.
///
/// ```
/// use iotsec::{core::hal::UnixTime, setup::{Plan, Reason, SetupStatus}};
///
/// let status = SetupStatus::finished(Plan::online(UnixTime(1_790_000_000)));
/// assert_eq!(status.reason(), Reason::Finished);
/// let mut text = String::new();
/// status.write_json(&mut text)?;
/// assert!(text.contains(r#""reason":"finished""#));
/// # Ok::<(), core::fmt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupStatus {
    pub(super) plan: Plan,
    pub(super) reason: Reason,
    pub(super) done: u8,
    pub(super) decisions: u8,
    pub(super) wait: Millis,
}

impl SetupStatus {
    /// That of a device that has an owner.
    pub const fn finished(plan: Plan) -> Self {
        Self {
            plan,
            reason: Reason::Finished,
            done: u8::MAX,
            decisions: 0,
            wait: Millis(0),
        }
    }

    /// Why it stands there; step and action are the reason's.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// How often the owner still has to decide something.
    pub const fn decisions_left(&self) -> u8 {
        self.decisions
    }

    /// Until the next code is taken.
    pub const fn wait(&self) -> Millis {
        self.wait
    }

    /// The steps of this product in their order, and whether each is done.
    pub fn steps(&self) -> impl Iterator<Item = (Step, bool)> {
        let (plan, done) = (self.plan, self.done);
        let steps = Step::ALL.into_iter().filter(move |step| plan.has(*step));
        steps.map(move |step| (step, done & step.bit() != 0))
    }
}
