use iotsec_core::hal::{Millis, UnixTime};
use rand_core::TryCryptoRng;

use super::{
    Checked, Choices, Conditions, Decided, Decision, Hold, Importance, Mode, Notice, Offer, PolicyError,
    Status, Step, UpdatePolicy,
};

/// Decides what to do next about updates.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_testkit::SimRng;
/// use iotsec_update::{SequenceNumber, install::ManifestId};
/// use iotsec_update::policy::{
///     Checked, Choices, Conditions, Importance, Notice, Offer, Step, UpdatePlanner, UpdatePolicy,
/// };
///
/// let mut rng = SimRng::new(1);
/// let mut planner = UpdatePlanner::start(UpdatePolicy::DEFAULT, Choices::DEFAULT, Millis(0), &mut rng)?;
/// let Step::Wait(first) = planner.next(Millis(0), &Conditions::IDLE)? else { panic!() };
/// assert!(first <= Millis::from_secs(300));
/// assert_eq!(planner.next(first, &Conditions::IDLE)?, Step::Check);
///
/// let offer = Offer {
///     manifest: ManifestId { sequence: SequenceNumber(7), digest: [7; 32] },
///     importance: Importance::Urgent,
///     away: Millis::from_secs(20),
/// };
/// planner.checked(first, Checked::Found(offer), &mut rng)?;
/// let notice = Notice::Available { offer, automatic_from: Some(first) };
/// assert_eq!(planner.next(first, &Conditions::IDLE)?, Step::Notify(notice));
/// assert_eq!(planner.next(first, &Conditions::IDLE)?, Step::Install(offer));
/// planner.installed(first, &mut rng)?;
/// # Ok::<(), iotsec_update::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct UpdatePlanner {
    policy: UpdatePolicy,
    choices: Choices,
    changed: bool,
    stage: Stage,
    /// Uptime of the next check.
    check_at: Millis,
    /// Failures one after the other.
    failures: u32,
    /// When what is left of a postponement was last counted.
    counted: Millis,
    announced: Announced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Checking,
    /// `told`: the owner knows. `from`: not before.
    Available {
        offer: Offer,
        told: bool,
        from: Millis,
    },
    Installing(Offer),
}

/// What the owner was told of the end of support since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Announced {
    Nothing,
    Ending,
    Ended,
}

impl UpdatePlanner {
    /// Begins after a start of the device.
    ///
    /// # Errors
    /// [`PolicyError::Policy`] for a period or retry time of zero, or a battery level above 100 percent;
    /// [`PolicyError::Random`].
    pub fn start<R: TryCryptoRng + ?Sized>(
        policy: UpdatePolicy,
        choices: Choices,
        now: Millis,
        rng: &mut R,
    ) -> Result<Self, PolicyError> {
        if policy.period.0 == 0 || policy.retry.0 == 0 || policy.least_battery > 100 {
            return Err(PolicyError::Policy);
        }
        Ok(Self {
            check_at: after(now, below(policy.first_check.0, rng)?),
            policy,
            choices,
            changed: false,
            stage: Stage::Idle,
            failures: 0,
            counted: now,
            announced: Announced::Nothing,
        })
    }

    /// What to do now. Call it when the time it named has come, and whenever something changes.
    ///
    /// # Errors
    /// [`PolicyError::Clock`] when the uptime runs backwards.
    pub fn next(&mut self, now: Millis, conditions: &Conditions) -> Result<Step, PolicyError> {
        self.count(now)?;
        if let Some(notice) = self.announce(conditions.now) {
            return Ok(Step::Notify(notice));
        }
        match self.stage {
            Stage::Idle if now >= self.check_at => {
                self.stage = Stage::Checking;
                Ok(Step::Check)
            }
            Stage::Available { offer, told, from } => Ok(self.available(now, conditions, offer, told, from)),
            // Looked at again after a period, should the answer have been lost.
            Stage::Checking | Stage::Installing(_) => Ok(Step::Wait(after(now, self.policy.period.0))),
            Stage::Idle => Ok(Step::Wait(self.check_at)),
        }
    }

    fn available(
        &mut self,
        now: Millis,
        conditions: &Conditions,
        offer: Offer,
        told: bool,
        from: Millis,
    ) -> Step {
        if !told {
            self.stage = Stage::Available {
                offer,
                told: true,
                from,
            };
            let decided = self.choices.decided(offer.manifest);
            if decided == Decided::Nothing {
                return Step::Notify(Notice::Available {
                    offer,
                    automatic_from: self.is_automatic().then_some(from),
                });
            }
        }
        match self.hold(now, conditions, offer, from) {
            None => {
                self.stage = Stage::Installing(offer);
                Step::Install(offer)
            }
            // A later release may take its place.
            Some(_) if now >= self.check_at => {
                self.stage = Stage::Checking;
                Step::Check
            }
            Some(Hold::Until(time)) => {
                let counted = after(now, self.choices.next_part().0);
                Step::Wait(time.min(self.check_at).min(counted))
            }
            Some(_) => Step::Wait(self.check_at),
        }
    }

    /// Tells what a check came to.
    ///
    /// # Errors
    /// [`PolicyError::State`] unless one was asked for; [`PolicyError::Random`]; [`PolicyError::Clock`].
    pub fn checked<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Millis,
        checked: Checked,
        rng: &mut R,
    ) -> Result<(), PolicyError> {
        self.count(now)?;
        if self.stage != Stage::Checking {
            return Err(PolicyError::State);
        }
        self.check_at = match checked {
            Checked::Failed => self.back_off(now, rng)?,
            Checked::UpToDate | Checked::Found(_) => {
                self.failures = 0;
                let quarter = self.policy.period.0 / 4;
                let spread = below(quarter.saturating_mul(2), rng)?;
                after(
                    now,
                    self.policy
                        .period
                        .0
                        .saturating_sub(quarter)
                        .saturating_add(spread),
                )
            }
        };
        self.stage = Stage::Idle;
        if let Checked::Found(offer) = checked {
            let grace = match offer.importance {
                Importance::Urgent => 0,
                _ => self.policy.grace.0,
            };
            self.changed |= self.choices.offer(offer.manifest);
            self.stage = Stage::Available {
                offer,
                told: self.choices.was_told(offer.manifest),
                from: after(now, grace),
            };
        }
        Ok(())
    }

    /// Tells what the owner says.
    ///
    /// # Errors
    /// [`PolicyError::State`] when there is no update to decide about; [`PolicyError::Postponement`] for
    /// longer than the policy allows in all; [`PolicyError::Clock`].
    pub fn decide(&mut self, now: Millis, decision: Decision) -> Result<(), PolicyError> {
        self.count(now)?;
        if let Decision::Mode(mode) = decision {
            self.changed |= self.choices.mode != mode;
            self.choices.mode = mode;
            return Ok(());
        }
        let Stage::Available { offer, .. } = self.stage else {
            return Err(PolicyError::State);
        };
        match decision {
            Decision::Install => self.choices.set(offer.manifest, Decided::Install),
            Decision::Decline => self.choices.set(offer.manifest, Decided::Decline),
            Decision::Postpone(time) => {
                let all = self.choices.postponed.0.saturating_add(time.0);
                if all > self.policy.longest_postponement.0 {
                    return Err(PolicyError::Postponement);
                }
                self.choices.set(offer.manifest, Decided::Postpone(time));
                self.choices.postponed = Millis(all);
            }
            Decision::Mode(_) => {}
        }
        self.changed = true;
        Ok(())
    }

    /// The update is installed; the next check follows in its time.
    ///
    /// # Errors
    /// [`PolicyError::State`] unless one was to be installed; [`PolicyError::Random`].
    pub fn installed<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Millis,
        rng: &mut R,
    ) -> Result<(), PolicyError> {
        if !matches!(self.stage, Stage::Installing(_)) {
            return Err(PolicyError::State);
        }
        self.check_at = after(now, below(self.policy.first_check.0, rng)?);
        self.stage = Stage::Idle;
        self.failures = 0;
        self.choices.done();
        self.changed = true;
        Ok(())
    }

    /// The download or installation failed: it is tried again after a pause.
    ///
    /// # Errors
    /// As [`installed`](Self::installed).
    pub fn failed<R: TryCryptoRng + ?Sized>(&mut self, now: Millis, rng: &mut R) -> Result<(), PolicyError> {
        let Stage::Installing(offer) = self.stage else {
            return Err(PolicyError::State);
        };
        let from = self.back_off(now, rng)?;
        self.stage = Stage::Available {
            offer,
            told: true,
            from,
        };
        Ok(())
    }

    /// The server's answer or the download was lost with the connection: as if it had not been asked for.
    pub fn interrupted(&mut self, now: Millis) {
        match self.stage {
            Stage::Checking => self.stage = Stage::Idle,
            Stage::Installing(offer) => {
                self.stage = Stage::Available {
                    offer,
                    told: true,
                    from: now,
                };
            }
            Stage::Idle | Stage::Available { .. } => {}
        }
    }

    /// What a screen shows.
    pub fn status(&self, now: Millis, conditions: &Conditions) -> Status {
        match self.stage {
            Stage::Idle => Status::Idle(self.check_at),
            Stage::Checking => Status::Checking,
            Stage::Installing(offer) => Status::Installing(offer),
            Stage::Available { offer, from, .. } => {
                let hold = self.hold(now, conditions, offer, from);
                Status::Available(offer, hold.unwrap_or(Hold::Until(now)))
            }
        }
    }

    /// What the owner decided, to be stored.
    pub const fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Whether there is something to be stored since the last call.
    pub const fn take_changed(&mut self) -> bool {
        core::mem::replace(&mut self.changed, false)
    }

    fn is_automatic(&self) -> bool {
        self.choices.mode == Mode::Automatic || self.used_up()
    }

    /// Whether the owner has put it off as long as the policy allows.
    const fn used_up(&self) -> bool {
        self.choices.postponed.0 >= self.policy.longest_postponement.0
    }

    fn hold(&self, now: Millis, conditions: &Conditions, offer: Offer, from: Millis) -> Option<Hold> {
        let (wait, asked) = match self.choices.decided(offer.manifest) {
            Decided::Decline => return Some(Hold::Declined),
            Decided::Install => (self.after_failure(from), true),
            Decided::Postpone(left) => return Some(Hold::Until(after(now, left.0))),
            Decided::Nothing => (from, false),
        };
        if !asked && !self.is_automatic() {
            return Some(Hold::Owner);
        }
        if now < wait {
            return Some(Hold::Until(wait));
        }
        if conditions.in_use {
            return Some(Hold::InUse);
        }
        let low = |charge| charge < self.policy.least_battery;
        if !conditions.powered && conditions.battery.is_some_and(low) {
            return Some(Hold::Battery);
        }
        None
    }

    /// The owner's word makes the time of grace void, but not the pause after a failure.
    const fn after_failure(&self, from: Millis) -> Millis {
        if self.failures > 0 { from } else { Millis(0) }
    }

    fn announce(&mut self, now: Option<UnixTime>) -> Option<Notice> {
        let (now, end) = (now?, self.policy.support_until?);
        let (stage, notice) = if now >= end {
            (Announced::Ended, Notice::SupportEnded)
        } else if now.0.saturating_add(ANNOUNCE) >= end.0 {
            (Announced::Ending, Notice::SupportEnding(end))
        } else {
            return None;
        };
        if self.announced >= stage {
            return None;
        }
        self.announced = stage;
        Some(notice)
    }

    /// Lets a postponement run, and end.
    fn count(&mut self, now: Millis) -> Result<(), PolicyError> {
        let passed = now.0.checked_sub(self.counted.0).ok_or(PolicyError::Clock)?;
        self.counted = now;
        let parts = self.choices.parts_left();
        let ended = self.choices.pass(Millis(passed));
        // Stored on the way, or a device that starts anew every day would never come to the end of it.
        self.changed |= self.choices.parts_left() != parts;
        if ended && let Stage::Available { told, from, .. } = &mut self.stage {
            // The owner is told again, and has the time of grace again.
            *told = false;
            *from = after(now, self.policy.grace.0);
        }
        Ok(())
    }

    /// A random time within a span that doubles with every failure, and at least half of it.
    fn back_off<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Millis,
        rng: &mut R,
    ) -> Result<Millis, PolicyError> {
        let span = self.policy.retry.0.checked_shl(self.failures.min(32));
        let span = span.unwrap_or(u64::MAX).min(self.policy.period.0);
        self.failures = self.failures.saturating_add(1);
        let half = span / 2;
        Ok(after(
            now,
            half.saturating_add(below(span.saturating_sub(half), rng)?),
        ))
    }
}

iotsec_core::claim! {
    provisions: ["5.3-5"],
    claims: "Updates are looked for within minutes of a start and then daily, spread at random, and again soon where that failed",
    code: [UpdatePlanner::next],
    tests: [
        "iotsec-update::iotsec_update::policy::tests::the_first_check_comes_soon_after_the_start_and_then_daily_but_never_all_at_once",
        "iotsec-update::iotsec_update::policy::tests::a_check_that_fails_is_repeated_with_growing_pauses_up_to_the_period",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-3", "5.3-4A", "5.3-4B"],
    claims: "Unless the owner wants otherwise, an update that was found is announced and then installs itself",
    code: [UpdatePlanner::next],
    tests: [
        "iotsec-update::iotsec_update::policy::tests::an_automatic_update_is_announced_and_installed_after_the_time_of_grace",
        "iotsec-update::iotsec_update::policy::tests::an_urgent_update_has_no_time_of_grace",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-11", "5.3-12"],
    claims: "The owner is told of an update with how much it matters and how long the device will be away, and none installs while it is in use",
    code: [UpdatePlanner::next],
    tests: [
        "iotsec-update::iotsec_update::policy::tests::an_automatic_update_is_announced_and_installed_after_the_time_of_grace",
        "iotsec-update::iotsec_update::policy::tests::nothing_is_installed_while_the_device_is_in_use_or_its_battery_low",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-6A"],
    claims: "The owner has automatic installation or is asked, postpones an update or declines it, over restarts too",
    code: [UpdatePlanner::decide],
    tests: [
        "iotsec-update::iotsec_update::policy::tests::an_owner_who_wants_to_be_asked_is_asked_once_and_obeyed",
        "iotsec-update::iotsec_update::policy::tests::a_postponement_survives_a_restart_and_ends_with_another_notice",
        "iotsec-update::iotsec_update::policy::tests::a_declined_update_stays_declined_after_a_restart_and_the_next_one_is_offered",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-13"],
    claims: "A device that knows its support period says that it is about to end, and that it has ended",
    code: [UpdatePlanner::next],
    tests: [
        "iotsec-update::iotsec_update::policy::tests::the_end_of_support_is_announced_before_and_when_it_comes",
    ],
}

const fn after(now: Millis, time: u64) -> Millis {
    Millis(now.0.saturating_add(time))
}

/// A random number from 0 to `bound`, both included. The bias of one part in 2^32 spreads load as well.
fn below<R: TryCryptoRng + ?Sized>(bound: u64, rng: &mut R) -> Result<u64, PolicyError> {
    let random = rng.try_next_u32().map_err(|_| PolicyError::Random)?;
    let scaled = u128::from(bound).saturating_add(1).saturating_mul(random.into());
    Ok(u64::try_from(scaled >> 32).unwrap_or(bound))
}

/// The end of support is announced so many seconds before.
const ANNOUNCE: u64 = 90 * 24 * 60 * 60;
