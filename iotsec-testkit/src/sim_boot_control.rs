//! A boot loader's choice in simulated hardware.

use iotsec_core::hal::{BootControl, BootControlError, Slot, Trial};

use crate::Power;

/// Which slot starts, as a boot loader with two slots and trial boots decides it.
///
/// A cut [`select`](BootControl::select) leaves the old or the new choice.
///
/// ```
/// use iotsec_core::hal::{BootControl, Slot, Trial};
/// use iotsec_testkit::SimBootControl;
///
/// let mut boot = SimBootControl::new();
/// boot.select(Slot::B, Trial::Once)?;
/// assert_eq!(boot.reboot(), Slot::B);
/// assert_eq!(boot.reboot(), Slot::A, "the trial was not confirmed");
/// # Ok::<(), iotsec_core::hal::BootControlError>(())
/// ```
#[derive(Debug)]
pub struct SimBootControl {
    running: Slot,
    permanent: Slot,
    once: Option<Slot>,
    power: Power,
}

impl SimBootControl {
    /// Running slot A for good, with a power supply of its own.
    #[must_use]
    pub fn new() -> Self {
        Self {
            running: Slot::A,
            permanent: Slot::A,
            once: None,
            power: Power::new(),
        }
    }

    /// On the same supply as the rest of the device. One selection is one step.
    #[must_use]
    pub fn powered_by(mut self, power: &Power) -> Self {
        self.power = power.clone();
        self
    }

    /// Boots, using up a trial, and says which slot runs.
    pub fn reboot(&mut self) -> Slot {
        self.running = self.once.take().unwrap_or(self.permanent);
        self.running
    }

    /// The slot that starts when no trial is pending.
    #[must_use]
    pub const fn permanent(&self) -> Slot {
        self.permanent
    }

    /// The slot that the next boot tries, if one is pending.
    #[must_use]
    pub const fn pending(&self) -> Option<Slot> {
        self.once
    }
}

impl Default for SimBootControl {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for SimBootControl {
    /// A snapshot on a power supply of its own; join it to another with [`powered_by`](Self::powered_by).
    fn clone(&self) -> Self {
        Self {
            power: self.power.fork(),
            ..*self
        }
    }
}

impl BootControl for SimBootControl {
    fn running(&self) -> Slot {
        self.running
    }

    fn select(&mut self, slot: Slot, trial: Trial) -> Result<(), BootControlError> {
        if self.power.is_lost() {
            return Err(BootControlError);
        }
        let whole = self.power.spend(1) == 1;
        if whole || self.power.chance() & 1 == 1 {
            match trial {
                Trial::Once => self.once = Some(slot),
                Trial::Permanent => {
                    self.permanent = slot;
                    self.once = None;
                }
            }
        }
        if whole { Ok(()) } else { Err(BootControlError) }
    }
}
