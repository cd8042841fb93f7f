use super::error::AttestError;
use crate::hal::DebugState;

/// Where a device is in its life, and whether somebody can look into it (RFC 9783 §4.3.1).
///
/// The high byte is the state, the low byte is for the product to define.
///
/// ```
/// use iotsec_core::{attest::{Lifecycle, LifecycleState}, hal::DebugState};
///
/// let secured = Lifecycle::new(LifecycleState::Secured, 0);
/// assert_eq!(secured.number(), 0x3000);
/// assert!(secured.is_trustworthy());
/// // A probe that reads everything makes another device of it.
/// let open = secured.with_debug_port(DebugState::Open);
/// assert_eq!(open.state(), LifecycleState::RecoverableRotDebug);
/// assert!(!open.is_trustworthy());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lifecycle {
    state: LifecycleState,
    minor: u8,
}

/// The states of the Platform Security Architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LifecycleState {
    /// Not known; must not occur.
    Unknown,
    /// In the factory, without secrets.
    AssemblyAndTest,
    /// In the factory, getting them.
    RotProvisioning,
    /// In the field, closed.
    Secured,
    /// The application can be debugged, what signs tokens cannot.
    NonRotDebug,
    /// Everything can be debugged, until the device is made secure again.
    RecoverableRotDebug,
    /// Its life has ended.
    Decommissioned,
}

impl LifecycleState {
    const ALL: [Self; 7] = [
        Self::Unknown,
        Self::AssemblyAndTest,
        Self::RotProvisioning,
        Self::Secured,
        Self::NonRotDebug,
        Self::RecoverableRotDebug,
        Self::Decommissioned,
    ];

    const fn major(self) -> u8 {
        match self {
            Self::Unknown => 0x00,
            Self::AssemblyAndTest => 0x10,
            Self::RotProvisioning => 0x20,
            Self::Secured => 0x30,
            Self::NonRotDebug => 0x40,
            Self::RecoverableRotDebug => 0x50,
            Self::Decommissioned => 0x60,
        }
    }
}

impl Lifecycle {
    /// A state, and what the product says about it.
    pub const fn new(state: LifecycleState, minor: u8) -> Self {
        Self { state, minor }
    }

    /// The state of a number.
    ///
    /// # Errors
    /// [`AttestError::Lifecycle`] for a state that is not defined.
    pub fn from_number(number: u16) -> Result<Self, AttestError> {
        let [major, minor] = number.to_be_bytes();
        let state = LifecycleState::ALL
            .into_iter()
            .find(|state| state.major() == major)
            .ok_or(AttestError::Lifecycle)?;
        Ok(Self { state, minor })
    }

    /// This state with what the hardware says about its debug interface: an open one is no secured device.
    #[must_use]
    pub const fn with_debug_port(self, port: DebugState) -> Self {
        match (self.state, port) {
            (LifecycleState::Secured | LifecycleState::NonRotDebug, DebugState::Open) => Self {
                state: LifecycleState::RecoverableRotDebug,
                minor: self.minor,
            },
            _ => self,
        }
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        u16::from_be_bytes([self.state.major(), self.minor])
    }

    /// The state.
    pub const fn state(self) -> LifecycleState {
        self.state
    }

    /// What the product says about it.
    pub const fn minor(self) -> u8 {
        self.minor
    }

    /// Whether a token in this state can be believed: only in `Secured` and `NonRotDebug` (RFC 9783 §4.3.1).
    pub const fn is_trustworthy(self) -> bool {
        matches!(self.state, LifecycleState::Secured | LifecycleState::NonRotDebug)
    }
}
