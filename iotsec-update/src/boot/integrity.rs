//! What a device does about software that is not what was signed.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    error::ErrorCode,
    hal::{FlashError, Slot},
};

use super::{BootConfig, Reason, Refusal, Remeasure, Round, Verified};
use crate::slot::UpdateLayout;

/// Watches the software that runs: tells once what is wrong, and whom the device may still talk to.
///
/// ```
/// use iotsec_core::crypto::Digest;
/// use iotsec_testkit::SimFlash;
/// use iotsec_update::{
///     boot::{Connectivity, Destination, Integrity, IntegrityAlert},
///     slot::UpdateLayout,
/// };
///
/// /// Called when there is nothing else to do; says whether the device may reach its cloud.
/// fn idle(
///     integrity: &mut Integrity,
///     flash: &mut SimFlash,
///     layout: &UpdateLayout,
///     hash: &mut dyn Digest,
/// ) -> bool {
///     // A flash that cannot be read now is tried again in the next round.
///     if let Ok(Some(alert)) = integrity.step(flash, layout, hash, 1024) {
///         println!("tell the owner: {alert:?}");
///     }
///     integrity.connectivity().allows(Destination::Any)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Integrity<const N: usize = 1> {
    remeasure: Remeasure<N>,
    connectivity: Connectivity,
    untold: Option<IntegrityAlert>,
}

/// What the owner is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntegrityAlert {
    /// The image that should have started was refused, for this reason, and a known good one runs instead.
    Recovered(Refusal),
    /// A component was changed while it runs.
    Changed {
        /// Its index among [`DeviceIdentity::components`](crate::DeviceIdentity::components).
        place: usize,
    },
}

impl IntegrityAlert {
    /// The component that was changed, if it is known.
    pub const fn place(&self) -> Option<usize> {
        match self {
            Self::Recovered(_) => None,
            Self::Changed { place } => Some(*place),
        }
    }

    /// The number of the error behind it: that of the refusal, or of [`Refusal::ImageDigest`].
    pub fn code(&self) -> u16 {
        match self {
            Self::Recovered(refusal) => refusal.code(),
            Self::Changed { .. } => Refusal::ImageDigest.code(),
        }
    }
}

/// Whom a device talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connectivity {
    /// Everybody that it needs for its work.
    Full,
    /// Nobody but those it needs to raise the alarm and to be repaired (EN 303 645, provision 5.7-2). It ends
    /// with the reboot, where the image is judged again.
    Least,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Telling the owner or the maker what is wrong.
    Alert,
    /// Fetching good software.
    Update,
    /// Anything else.
    Any,
}

impl Connectivity {
    /// Whether a connection for this may be opened, or stay open.
    pub const fn allows(self, destination: Destination) -> bool {
        match (self, destination) {
            (Self::Full, _) | (Self::Least, Destination::Alert | Destination::Update) => true,
            (Self::Least, Destination::Any) => false,
        }
    }
}

impl<const N: usize> Integrity<N> {
    /// Of what the boot loader has just verified. If that is not what should have started, the first
    /// [`step`](Self::step) says so.
    pub fn new(image: &Verified<N>) -> Self {
        Self {
            remeasure: Remeasure::new(image),
            connectivity: Connectivity::Full,
            untold: match image.reason() {
                Reason::Fallback(refusal) => Some(IntegrityAlert::Recovered(refusal)),
                _ => None,
            },
        }
    }

    /// For an application that was started by a boot loader; see [`Remeasure::identify`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn identify<F: NorFlash>(
        flash: &mut F,
        config: &BootConfig<'_, N>,
        slot: Slot,
        hash: &mut dyn Digest,
        scratch: &mut [u8],
    ) -> Result<Self, Refusal> {
        Ok(Self {
            remeasure: Remeasure::identify(flash, config, slot, hash, scratch)?,
            connectivity: Connectivity::Full,
            untold: None,
        })
    }

    /// Measures a little more, as [`Remeasure::step`], and says what is to be told. A component that stays
    /// changed is told once in each round.
    ///
    /// # Errors
    /// Of the flash; the round begins anew.
    pub fn step<F: NorFlash>(
        &mut self,
        flash: &mut F,
        layout: &UpdateLayout<N>,
        hash: &mut dyn Digest,
        budget: u32,
    ) -> Result<Option<IntegrityAlert>, FlashError> {
        if let Some(alert) = self.untold.take() {
            return Ok(Some(alert));
        }
        Ok(match self.remeasure.step(flash, layout, hash, budget)? {
            Round::More | Round::Same => None,
            Round::Changed { place } => {
                self.connectivity = Connectivity::Least;
                Some(IntegrityAlert::Changed { place })
            }
        })
    }

    /// Whom the device may talk to.
    pub const fn connectivity(&self) -> Connectivity {
        self.connectivity
    }
}

iotsec_core::claim! {
    provisions: ["5.7-2"],
    claims: "Software that is changed while it runs is noticed and told, and from then on there is only the alarm and the repair to connect for",
    code: [Integrity::step],
    tests: [
        "iotsec-update::session::components::a_change_while_it_runs_is_told_and_leaves_the_alarm_and_the_repair",
        "iotsec-update::session::components::a_running_slot_is_measured_again_in_bounded_steps_and_a_changed_bit_is_found",
    ],
}
