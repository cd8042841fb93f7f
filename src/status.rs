//! Whether a device is set up securely, and still is (EN 303 645 5.12-3).
//!
//! [`Device::security_status`](crate::device::Device::security_status) looks at what the device knows of itself, and at
//! what the application tells of the rest. Each [`Check`] ends in one [`Finding`], which has a [`Verdict`], a text for
//! people and, unless all is well, a remedy. The document that [`SecurityStatus::write_json`] writes is the same on a
//! microcontroller, in an app and in the maker's tools:
//!
//! ```json
//! {"verdict":"warn","checks":[
//!   {"check":"password","provision":"5.1-1","finding":"password-preset","verdict":"warn",
//!    "text":"The password is still the one on the label.",
//!    "remedy":"Choose a password of your own."}]}
//! ```
//!
//! Nothing personal is in it, and no secret.

mod about;
mod finding;
mod json;

pub use about::About;
pub use finding::{Check, Finding, Verdict};
pub(crate) use json::{write_all, write_fields};

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::ThrottleError,
    hal::{DebugState, Millis, UnixTime},
};
use iotsec_store::ReplayLevel;
use iotsec_update::{
    boot::Connectivity,
    policy::{Hold, Importance, Mode, Status},
};
use rand_core::TryCryptoRng;

use crate::device::{Device, DeviceError, Owned};

/// What the application knows and the device does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What [`Integrity`](iotsec_update::boot::Integrity) says of the software that runs; `None` if it is not measured
    /// while it runs.
    pub integrity: Option<Connectivity>,
    /// What [`UpdatePlanner::status`](iotsec_update::policy::UpdatePlanner::status) says; `None` if the device does
    /// not look for updates.
    pub updates: Option<Status>,
    /// Whether the owner is asked about each update.
    pub mode: Mode,
    /// The end of the support period that was published for the product.
    pub support_until: Option<UnixTime>,
    /// Trusted time, if there is one.
    pub time: Option<UnixTime>,
    /// How many sockets are open that the interface table does not allow, as `iotsec_net::surface::audit::Counts::open`
    /// counts them; `None` if nobody looked. Zero where nothing opens without a grant.
    pub undeclared: Option<u16>,
    /// What the debug port allows, as `iotsec_net::surface::debug::check_debug_port` found it at this boot.
    pub debug_port: Option<DebugState>,
}

impl Observed {
    /// An application that knows nothing.
    pub const NOTHING: Self = Self {
        integrity: None,
        updates: None,
        mode: Mode::Automatic,
        support_until: None,
        time: None,
        undeclared: None,
        debug_port: None,
    };
}

/// One finding for each check.
///
/// ```
/// use iotsec::status::{Check, Finding, SecurityStatus, Verdict};
///
/// fn show(status: &SecurityStatus, screen: &mut String) -> core::fmt::Result {
///     for finding in status.findings() {
///         if let Some(remedy) = finding.remedy() {
///             screen.push_str(remedy);
///         }
///     }
///     status.write_json(screen)
/// }
/// assert_eq!(Finding::GuessesLocked.check(), Check::Guesses);
/// assert_eq!(Finding::GuessesLocked.verdict(), Verdict::Fail);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityStatus {
    findings: [Finding; Check::ALL.len()],
}

impl SecurityStatus {
    /// The findings, in the order of [`Check::ALL`].
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.findings.into_iter()
    }

    /// The worst of all verdicts.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().copied().map(Finding::verdict);
        verdicts.max().unwrap_or(Verdict::Fail)
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// Looks at everything once, at uptime `now`. Writes nothing.
    ///
    /// ```
    /// use embedded_storage::nor_flash::NorFlash;
    /// use iotsec::{
    ///     core::hal::Millis,
    ///     device::{Device, DeviceError, Owned},
    ///     status::{Observed, Verdict},
    /// };
    /// use rand_core::TryCryptoRng;
    ///
    /// fn is_well<F: NorFlash, R: TryCryptoRng>(
    ///     device: &mut Device<'_, Owned, F, R, 16>,
    ///     observed: &Observed,
    ///     now: Millis,
    /// ) -> Result<bool, DeviceError> {
    ///     Ok(device.security_status(observed, now)?.verdict() == Verdict::Pass)
    /// }
    /// ```
    ///
    /// # Errors
    /// Failures of the store. A throttle record that is missing or damaged is a finding.
    pub fn security_status(
        &mut self,
        observed: &Observed,
        now: Millis,
    ) -> Result<SecurityStatus, DeviceError> {
        let findings = [
            if self.has_own_password() {
                Finding::PasswordChosen
            } else {
                Finding::PasswordPreset
            },
            self.guesses(now)?,
            match self.store.replay_level() {
                ReplayLevel::None => Finding::ReplayUnnoticed,
                ReplayLevel::EachPage | ReplayLevel::EachWrite => Finding::ReplayRefused,
            },
            match observed.integrity {
                Some(Connectivity::Full) => Finding::SoftwareIntact,
                Some(Connectivity::Least) => Finding::SoftwareChanged,
                None => Finding::SoftwareUnmeasured,
            },
            updates(observed),
            support(observed),
            if self.unregistered().next().is_none() {
                Finding::PersonalDataListed
            } else {
                Finding::PersonalDataUnlisted
            },
            match observed.undeclared {
                Some(0) => Finding::ServicesDeclared,
                Some(_) => Finding::ServicesOpen,
                None => Finding::ServicesUnknown,
            },
            match observed.debug_port {
                Some(DebugState::Closed) => Finding::DebugClosed,
                Some(DebugState::Authenticated) => Finding::DebugLocked,
                Some(DebugState::Open) => Finding::DebugOpen,
                None => Finding::DebugUnknown,
            },
        ];
        Ok(SecurityStatus { findings })
    }

    fn guesses(&mut self, now: Millis) -> Result<Finding, DeviceError> {
        match self.login_status(now) {
            Ok(status) if status.left == 0 => Ok(Finding::GuessesLocked),
            Ok(status) if status.failures > SLIPS => Ok(Finding::GuessesMany),
            Ok(_) => Ok(Finding::GuessesFew),
            Err(DeviceError::Throttle(ThrottleError::Missing | ThrottleError::Damaged)) => {
                Ok(Finding::GuessesUncounted)
            }
            Err(error) => Err(error),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.12-3"],
    claims: "A device says of itself what is not secure and what helps: a good one has nothing to mend, of a neglected one each fault is named",
    code: [Device::security_status],
    tests: [
        "iotsec::status::a_well_kept_device_has_nothing_to_mend_but_what_its_hardware_lacks",
        "iotsec::status::a_neglected_device_says_what_is_wrong_with_each",
        "iotsec::status::what_the_application_does_not_know_is_not_taken_for_good",
    ],
}

/// As many wrong passwords in a row an owner may well type.
const SLIPS: u8 = 5;

fn updates(observed: &Observed) -> Finding {
    match observed.updates {
        None => Finding::UpdatesUnwatched,
        Some(Status::Available(offer, hold)) => match (offer.importance, hold) {
            (Importance::Urgent, _) => Finding::UpdateUrgent,
            (Importance::Security, Hold::Declined) => Finding::UpdateDeclined,
            _ => Finding::UpdateWaiting,
        },
        Some(_) if observed.mode == Mode::Ask => Finding::UpdatesAsked,
        Some(_) => Finding::UpdatesAutomatic,
    }
}

fn support(observed: &Observed) -> Finding {
    match (observed.support_until, observed.time) {
        (None, _) => Finding::SupportUnpublished,
        (Some(_), None) => Finding::SupportUnknown,
        (Some(until), Some(time)) if time > until => Finding::SupportEnded,
        (Some(_), Some(_)) => Finding::SupportRuns,
    }
}
