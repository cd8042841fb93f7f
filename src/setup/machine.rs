use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{Attempt, Authenticated, LoginError, ThrottleError, ThrottleStatus, Unlock},
    hal::{Millis, UnixTime},
};
use rand_core::TryCryptoRng;

use super::{
    Actor, IdentityReport, Plan, Ready, Reason, SetupError, SetupStatus, Step, UpdateReport,
    progress::Progress,
};
use crate::device::{Device, DeviceError, Hardware, Moment, Provisioned};

/// A device that is being set up, with a telemetry queue of `N` events; `F` and `R` as those of the device.
///
/// Begin it at each boot in which the device is [`Provisioned`]: it goes on where the power went. Ask
/// [`status`](Self::status) for what comes next, do it, and report it.
///
/// *Power loss:* what was given and reported is kept, as the table [there](super) has it. What a call was about to write
/// is there or not. A proof is never kept: whoever becomes the owner shows the label in the boot in which they do.
///
/// ```
/// use iotsec::core::{credential::{Attempt, Iterations, UserPassword}, hal::{Millis, UnixTime}, qr::WifiNetwork};
/// use iotsec::device::{Device, Owned, Provisioned};
/// use iotsec::setup::{IdentityReport, NetworkReport, Plan, Setup, SetupError, UpdateReport};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// # type Unit<'d, S> = Device<'d, S, SimFlash, SimRng, 16>;
///
/// const PLAN: Plan = Plan::online(UnixTime(1_790_000_000));
///
/// fn set_up<'d>(
///     device: Unit<'d, Provisioned>,
///     label: &Attempt<'_>,
///     network: &WifiNetwork,
///     password: &UserPassword<'_>,
/// ) -> Result<Unit<'d, Owned>, SetupError> {
///     let mut setup = Setup::begin(device, PLAN).map_err(|(_, error)| error)?;
///     setup.present_label(label, Millis::from_secs(20))?;
///     setup.give_wifi(network)?;
///     setup.report_network(NetworkReport::Joined)?; // once it is
///     setup.set_time(UnixTime(1_795_000_000))?;
///     setup.report_update(UpdateReport::Current)?;
///     setup.report_identity(IdentityReport::Accepted)?;
///     let ready = setup.ready().map_err(|(_, error)| error)?;
///     ready.claim(password, Iterations::MCU).map_err(|(_, error)| error)
/// }
/// ```
///
/// A set-up that is not ready has no owner to offer:
/// ```compile_fail,E0599
/// # use iotsec::{core::credential::{Iterations, UserPassword}, setup::Setup};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn early(setup: Setup<'_, SimFlash, SimRng, 16>, password: &UserPassword<'_>) {
///     let _ = setup.claim(password, Iterations::MCU);
/// }
/// ```
/// Nor does it hand out the device that could be claimed past it:
/// ```compile_fail,E0507
/// # use iotsec::{core::{credential::Attempt, hal::Millis}, setup::Setup};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn past(setup: &mut Setup<'_, SimFlash, SimRng, 16>, code: &Attempt<'_>) {
///     let _ = (*setup.device_mut()).claim(code, Millis(0));
/// }
/// ```
pub struct Setup<'d, F, R, const N: usize> {
    pub(super) device: Device<'d, Provisioned, F, R, N>,
    pub(super) plan: Plan,
    pub(super) proof: Option<Authenticated>,
    pub(super) progress: Progress,
    pub(super) joined: bool,
    pub(super) time: Option<UnixTime>,
    trouble: Option<Reason>,
    #[cfg(feature = "pairing")]
    pub(super) window: Option<iotsec_core::credential::pairing::PairingWindow>,
}

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Setup<'d, F, R, N> {
    /// Begins to set a device up, or goes on.
    ///
    /// # Errors
    /// Failures of the store. The device comes back.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn begin(
        mut device: Device<'d, Provisioned, F, R, N>,
        plan: Plan,
    ) -> Result<Self, (Device<'d, Provisioned, F, R, N>, SetupError)> {
        let mut bytes = [0; Progress::LEN];
        let read = match device.read_setup(&mut bytes) {
            Ok(read) => read.map_or(0, <[u8]>::len),
            Err(error) => return Err((device, error.into())),
        };
        let progress = Progress::from_bytes(bytes.get(..read).unwrap_or_default(), device.life());
        Ok(Self::resume(device, plan, progress))
    }

    pub(super) const fn resume(
        device: Device<'d, Provisioned, F, R, N>,
        plan: Plan,
        progress: Progress,
    ) -> Self {
        Self {
            device,
            plan,
            proof: None,
            progress,
            joined: false,
            time: None,
            trouble: None,
            #[cfg(feature = "pairing")]
            window: None,
        }
    }

    /// Takes the label's password as proof that somebody has the label, at uptime `now`: for products without a set-up
    /// code, or for whoever cannot scan it. It has 60 bits and a count of its own, so it needs no window; at the end of
    /// that count somebody at the device [unlocks](Device::unlock) it.
    ///
    /// *Power loss:* a guess that was begun is counted.
    ///
    /// # Errors
    /// As [`Device::check_label`].
    pub fn present_label(&mut self, code: &Attempt<'_>, now: Millis) -> Result<(), SetupError> {
        let proved = self.device.check_label(code, now);
        if matches!(proved, Err(DeviceError::Login(LoginError::Refused))) {
            self.refuse();
        }
        self.take(proved?);
        Ok(())
    }

    /// Forgets that somebody has shown the label: for when the conversation with them ends, whose keys say that it is
    /// them. What they gave stays.
    pub fn leave(&mut self) {
        self.proof = None;
    }

    pub(super) const fn refuse(&mut self) {
        self.trouble = Some(Reason::CodeRefused);
    }

    pub(super) fn take(&mut self, proof: Authenticated) {
        self.proof = Some(proof);
        self.clear(Step::Pairing);
    }

    /// Says what time it is, from a source that the product trusts.
    ///
    /// # Errors
    /// [`SetupError::Time`] for one before the firmware was made; [`SetupError::NotYet`]; [`SetupError::NoStep`].
    pub fn set_time(&mut self, time: UnixTime) -> Result<(), SetupError> {
        self.reach(Step::Time)?;
        if time < self.plan.made() {
            self.trouble = Some(Reason::TimeBehind);
            return Err(SetupError::Time);
        }
        self.time = Some(time);
        self.clear(Step::Time);
        Ok(())
    }

    /// Says what came of looking for updates.
    ///
    /// *Power loss:* the step is done or not.
    ///
    /// # Errors
    /// [`SetupError::NotYet`]; [`SetupError::NoStep`]; failures of the store.
    pub fn report_update(&mut self, report: UpdateReport) -> Result<(), SetupError> {
        let done = Progress {
            updated: true,
            ..self.progress
        };
        self.conclude(Step::Update, done, report.trouble())
    }

    /// Says what came of authenticating to the service.
    ///
    /// *Power loss:* the step is done or not.
    ///
    /// # Errors
    /// [`SetupError::NotYet`]; [`SetupError::NoStep`]; failures of the store.
    pub fn report_identity(&mut self, report: IdentityReport) -> Result<(), SetupError> {
        let done = Progress {
            identified: true,
            ..self.progress
        };
        self.conclude(Step::Identity, done, report.trouble())
    }

    /// The device for its owner, if there is nothing left to do but to choose a password.
    ///
    /// # Errors
    /// [`SetupError::NotYet`] with the step that comes first. The set-up comes back.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn ready(mut self) -> Result<Ready<'d, F, R, N>, (Self, SetupError)> {
        let step = self.next();
        match self.proof.take() {
            Some(proof) if step == Step::Owner => Ok(Ready { setup: self, proof }),
            proof => {
                self.proof = proof;
                Err((self, SetupError::NotYet(step)))
            }
        }
    }

    /// Forgets everything that was given, for somebody at the device who is not the one that began: the network above
    /// all.
    ///
    /// *Power loss:* everything is there or nothing.
    ///
    /// # Errors
    /// Failures of store and entropy.
    pub fn restart(&mut self, _presence: Unlock, when: Moment) -> Result<(), SetupError> {
        self.device.erase_owner(when)?;
        self.proof = None;
        self.progress = Progress::default();
        self.joined = false;
        self.trouble = None;
        Ok(())
    }

    /// Where the set-up stands, at uptime `now`. Writes nothing.
    ///
    /// # Errors
    /// Failures of the store. A count that is missing or damaged is a reason.
    pub fn status(&mut self, now: Millis) -> Result<SetupStatus, SetupError> {
        let step = self.next();
        let mut wait = Millis(0);
        let trouble = self.trouble.filter(|trouble| trouble.step() == step);
        let reason = match (step, trouble) {
            (Step::Pairing, trouble) => {
                let (reason, left) = self.pairing_reason(now)?;
                wait = left;
                match (reason, trouble) {
                    (Reason::CodeMissing, Some(trouble)) => trouble,
                    (reason, _) => reason,
                }
            }
            (_, Some(trouble)) => trouble,
            (Step::Network, _) if self.device.has_network() => Reason::NetworkGiven,
            (Step::Network, _) => Reason::NetworkMissing,
            (Step::Time, _) => Reason::TimeUnknown,
            (Step::Update, _) => Reason::UpdatesUnchecked,
            (Step::Identity, _) => Reason::IdentityUnproved,
            (Step::Owner, _) => Reason::PasswordMissing,
        };
        let steps = || Step::ALL.into_iter().filter(|step| self.plan.has(*step));
        let done = steps().filter(|step| self.is_done(*step));
        let decisions = steps().filter(|step| match step {
            Step::Network => !self.device.has_network(),
            step => step.is_decision() && !self.is_done(*step),
        });
        Ok(SetupStatus {
            plan: self.plan,
            reason,
            done: done.fold(0, |bits, step| bits | step.bit()),
            decisions: u8::try_from(decisions.count()).unwrap_or(u8::MAX),
            wait,
        })
    }

    /// The device, to record events with, for its serial number and its hardware.
    pub const fn device_mut(&mut self) -> &mut Device<'d, Provisioned, F, R, N> {
        &mut self.device
    }

    /// Gives flash, counter and the rest back, as a reboot does.
    pub fn into_hardware(self) -> Hardware<'d, F, R> {
        self.device.into_hardware()
    }

    /// The first step in its order that is not done. What needs nobody comes before what needs the owner a second time.
    fn next(&self) -> Step {
        let needs_owner = |reason: &Reason| reason.action().actor() == Actor::Owner;
        for step in [Step::Network, Step::Time, Step::Update, Step::Identity] {
            if self.plan.has(step) && !self.is_done(step) {
                let trouble = self.trouble.filter(|trouble| trouble.step() == step);
                let asks = trouble.as_ref().is_some_and(needs_owner) || !self.device.has_network();
                let alone = self.proof.is_none() && step == Step::Network && asks;
                return if alone { Step::Pairing } else { step };
            }
        }
        match self.proof {
            Some(_) => Step::Owner,
            None => Step::Pairing,
        }
    }

    const fn is_done(&self, step: Step) -> bool {
        match step {
            Step::Pairing => self.proof.is_some(),
            Step::Network => self.joined,
            Step::Time => self.time.is_some(),
            Step::Update => self.progress.updated,
            Step::Identity => self.progress.identified,
            Step::Owner => false,
        }
    }

    pub(super) const fn need_step(&self, step: Step) -> Result<(), SetupError> {
        if self.plan.has(step) {
            Ok(())
        } else {
            Err(SetupError::NoStep(step))
        }
    }

    /// Whether everything before `step` that the device does by itself is done.
    fn reach(&self, step: Step) -> Result<(), SetupError> {
        self.need_step(step)?;
        let before = [Step::Network, Step::Time, Step::Update].into_iter();
        let mut missing =
            before.filter(|other| *other < step && self.plan.has(*other) && !self.is_done(*other));
        missing
            .next()
            .map_or(Ok(()), |step| Err(SetupError::NotYet(step)))
    }

    /// Keeps that a step is done, unless there was trouble.
    fn conclude(&mut self, step: Step, done: Progress, trouble: Option<Reason>) -> Result<(), SetupError> {
        self.reach(step)?;
        if trouble.is_none() {
            let life = self.device.life();
            self.device.write_setup(&done.to_bytes(life))?;
            self.progress = done;
        }
        self.settle(step, trouble);
        Ok(())
    }

    pub(super) fn settle(&mut self, step: Step, trouble: Option<Reason>) {
        match trouble {
            Some(_) => self.trouble = trouble,
            None => self.clear(step),
        }
    }

    pub(super) fn clear(&mut self, step: Step) {
        self.trouble = self.trouble.filter(|trouble| trouble.step() != step);
    }

    /// What whoever has the label would meet, and how long they have to wait.
    fn pairing_reason(&mut self, now: Millis) -> Result<(Reason, Millis), SetupError> {
        #[cfg(feature = "pairing")]
        if self.device.has_setup_code() {
            return self.window_reason(now);
        }
        let status = self.device.login_status(now);
        count_reason(status.map_err(|error| match error {
            DeviceError::Throttle(error) => Ok(error),
            other => Err(other),
        }))
    }
}

iotsec_core::claim! {
    provisions: ["5.12-1"],
    claims: "A set-up asks its owner for three decisions, and what they do not decide is left secure",
    code: [Setup::status],
    tests: [
        "iotsec::setup::the_owner_decides_three_times_and_presses_a_button",
        "iotsec::setup::what_is_left_is_secure_by_default",
    ],
}

iotsec_core::claim! {
    provisions: ["5.12-2"],
    claims: "A set-up says why it stands, what helps and who has to do it, for every reason that there is",
    code: [Setup::status],
    tests: [
        "iotsec::setup::the_guide_lists_every_reason_and_no_other",
        "iotsec::setup::whoever_guesses_codes_is_stopped_and_the_owner_is_told_why",
    ],
}

/// What the count of guesses means.
pub(super) fn count_reason(
    status: Result<ThrottleStatus, Result<ThrottleError, DeviceError>>,
) -> Result<(Reason, Millis), SetupError> {
    let none = Millis(0);
    match status {
        Ok(status) if status.left == 0 => Ok((Reason::CodeLocked, none)),
        Ok(status) if status.remaining > none => Ok((Reason::CodeTooSoon, status.remaining)),
        Ok(_) => Ok((Reason::CodeMissing, none)),
        Err(Ok(ThrottleError::Missing | ThrottleError::Damaged)) => Ok((Reason::CodeUncounted, none)),
        Err(Ok(error)) => Err(DeviceError::Throttle(error).into()),
        Err(Err(error)) => Err(error.into()),
    }
}

impl<F, R, const N: usize> core::fmt::Debug for Setup<'_, F, R, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Setup")
            .field("plan", &self.plan)
            .field("trouble", &self.trouble)
            .finish_non_exhaustive()
    }
}
