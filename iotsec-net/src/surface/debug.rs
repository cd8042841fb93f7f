//! The debug port: closed once a device leaves the factory, or opened again by the maker's signature (EN 303 645,
//! 5.6-4A).
//!
//! [`check_debug_port`] is for every boot. To open a port that authenticates, the device makes an [`UnlockChallenge`]; the
//! maker's service signs an answer for this serial number and nonce, and [`UnlockChallenge::check`] leaves an [`Unlocked`].
//! The messages are in `FORMAT.md` beside this module.

mod error;
mod unlock;

use iotsec_core::hal::{DebugPort, DebugState};

pub use error::{DebugError, UnlockError};
pub use unlock::{MAX_LIFETIME_S, UNLOCK_NONCE_LEN, UnlockChallenge, UnlockContent, Unlocked};

use super::{Gate, Kind, Phase};

/// What a boot check does about a port that is more open than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DebugPolicy {
    /// The device does not go on. For products whose secrets a probe could read.
    Refuse,
    /// The device goes on and says so, in its security status and telemetry.
    Report,
}

/// What the boot check found. Only [`check_debug_port`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct DebugChecked {
    state: DebugState,
    finding: Option<DebugError>,
}

impl DebugChecked {
    /// What the port allows.
    pub const fn state(&self) -> DebugState {
        self.state
    }

    /// What is wrong, if the policy was to report it.
    pub const fn finding(&self) -> Option<DebugError> {
        self.finding
    }
}

/// Checks the debug port, at every boot and before secrets are touched.
///
/// An open port is right in the factory alone, and only if the table declares a debug interface for that phase. A port
/// that authenticates is right where the table declares one. A port that is closed is right everywhere.
///
/// ```
/// use iotsec_core::hal::{DebugPort, DebugState};
/// use iotsec_net::{interfaces, surface::{
///     Debug, Interface, Phase, debug::{DebugError, DebugPolicy, check_debug_port},
/// }};
///
/// interfaces!(static LAMP = [Interface::debug("swd", "Tests on the line", Debug::Swd)]);
///
/// struct Forgotten;
/// impl DebugPort for Forgotten {
///     fn state(&self) -> DebugState { DebugState::Open }
/// }
/// assert!(check_debug_port(&Forgotten, &LAMP.gate(Phase::Factory), DebugPolicy::Refuse).is_ok());
/// let refused = check_debug_port(&Forgotten, &LAMP.gate(Phase::Owned), DebugPolicy::Refuse);
/// assert_eq!(refused, Err(DebugError::Open));
/// let reported = check_debug_port(&Forgotten, &LAMP.gate(Phase::Owned), DebugPolicy::Report)?;
/// assert_eq!(reported.finding(), Some(DebugError::Open));
/// # Ok::<(), DebugError>(())
/// ```
///
/// # Errors
/// [`DebugError`] under [`DebugPolicy::Refuse`].
pub fn check_debug_port(
    port: &dyn DebugPort,
    gate: &Gate<'_>,
    policy: DebugPolicy,
) -> Result<DebugChecked, DebugError> {
    let state = port.state();
    let mut interfaces = gate.table().interfaces().iter();
    let declared = interfaces.any(|interface| {
        matches!(interface.kind(), Kind::Debug(_)) && interface.phases().contains(gate.phase())
    });
    let finding = match state {
        DebugState::Closed => None,
        DebugState::Open if gate.phase() != Phase::Factory => Some(DebugError::Open),
        DebugState::Open | DebugState::Authenticated if declared => None,
        DebugState::Open | DebugState::Authenticated => Some(DebugError::Undeclared),
    };
    match (finding, policy) {
        (Some(error), DebugPolicy::Refuse) => Err(error),
        _ => Ok(DebugChecked { state, finding }),
    }
}

iotsec_core::claim! {
    provisions: ["5.6-4A"],
    claims: "A debug port that is open outside of the factory is noticed at boot, and the device does not go on where the policy says so",
    code: [check_debug_port],
    tests: [
        "iotsec-net::iotsec_net::surface::debug::tests::a_port_is_open_in_the_factory_alone_and_authenticates_only_where_declared",
    ],
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
