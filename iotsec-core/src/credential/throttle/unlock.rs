use super::Authenticated;

/// A person is at the device: a button, a jumper, a case switch.
pub trait PhysicalPresence {
    /// True while the person shows it. Must not be reachable over any network, or be latched.
    fn is_asserted(&mut self) -> bool;
}

/// The right to clear a count: somebody is at the device, or knows another of its credentials.
///
/// So a stranger who uses up all guesses over the network does not lock the owner out for ever.
///
/// ```
/// use iotsec_core::credential::{PhysicalPresence, Unlock};
///
/// struct Button(bool);
/// impl PhysicalPresence for Button {
///     fn is_asserted(&mut self) -> bool {
///         self.0
///     }
/// }
///
/// assert!(Unlock::by_presence(&mut Button(false)).is_none());
/// assert!(Unlock::by_presence(&mut Button(true)).is_some());
/// ```
#[derive(Debug)]
#[must_use = "clears a count only when given to `Throttle::release`"]
pub struct Unlock(());

impl Unlock {
    /// By a person at the device, if one is there.
    pub fn by_presence(presence: &mut dyn PhysicalPresence) -> Option<Self> {
        presence.is_asserted().then_some(Self(()))
    }

    /// By a login with another credential, which has a throttle and a record of its own.
    pub fn by_credential(proof: Authenticated) -> Self {
        proof.spend();
        Self(())
    }

    pub(super) fn spend(self) {
        let Self(()) = self;
    }
}
