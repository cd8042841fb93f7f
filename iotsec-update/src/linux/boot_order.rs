//! Telling U-Boot or barebox which slot to start.

use std::{format, string::String};

use iotsec_core::hal::{BootControl, BootControlError, Slot, Trial};

use super::{Environment, LinuxError};

/// The slots in the order in which the boot script tries them, and how often it still may.
///
/// | variable | value |
/// |---|---|
/// | `BOOT_ORDER` | `A B` or `B A` |
/// | `BOOT_A_LEFT`, `BOOT_B_LEFT` | boots left, hexadecimal; the script takes one off before it starts the slot, and passes over a slot with none |
///
/// This is RAUC's convention, and boot scripts written for it work unchanged. An image that stays must say
/// so after every boot, or its boots run out: [`Updater::tell`](crate::Updater::tell) after `mount` does.
///
/// *Power loss:* the old choice or the new one; see [`Environment`].
///
/// ```
/// use iotsec_core::hal::{BootControl, Slot, Trial};
/// use iotsec_update::linux::{BootOrder, Environment, Place};
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-boot-order-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # for name in ["env-1", "env-2"] { std::fs::write(folder.join(name), [0; 4096])?; }
/// # let places = ["env-1", "env-2"].map(|name| Place { path: folder.join(name), offset: 0 });
/// # Environment::create(places.clone(), 4096)?.write()?;
/// // From /etc/fw_env.config, and from what the script put on the kernel's command line.
/// let mut boot = BootOrder::new(Environment::open(places, 4096)?, Slot::A);
/// boot.select(Slot::B, Trial::Once)?;
/// assert_eq!(boot.environment().get("BOOT_ORDER"), Some("B A"));
/// assert_eq!(boot.environment().get("BOOT_B_LEFT"), Some("1"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BootOrder {
    environment: Environment,
    running: Slot,
    attempts: u8,
    trial_boots: u8,
    failed: Option<LinuxError>,
}

impl BootOrder {
    /// With three boots for an image that stays and one for a trial.
    pub const fn new(environment: Environment, running: Slot) -> Self {
        Self {
            environment,
            running,
            attempts: 3,
            trial_boots: 1,
            failed: None,
        }
    }

    /// With `trial_boots` boots for a trial; at least 1.
    #[must_use]
    pub const fn with_trial_boots(mut self, trial_boots: u8) -> Self {
        self.trial_boots = if trial_boots == 0 { 1 } else { trial_boots };
        self
    }

    /// The variables as last written or read.
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Why the last selection failed.
    pub const fn failed(&self) -> Option<LinuxError> {
        self.failed
    }

    fn choose(&mut self, slot: Slot, trial: Trial) -> Result<(), LinuxError> {
        let mut next = self.environment.clone();
        let pending = next
            .get("BOOT_ORDER")
            .is_some_and(|order| order.starts_with(name(slot.other())));
        next.set("BOOT_ORDER", &format!("{} {}", name(slot), name(slot.other())))?;
        let mut left = |slot: Slot, boots: u8| next.set(&left_of(slot), &format!("{boots:x}"));
        match trial {
            Trial::Once => {
                left(slot, self.trial_boots)?;
                // What runs now has shown that it boots, and is what a failed trial falls back to.
                left(self.running, self.attempts)?;
            }
            Trial::Permanent => {
                left(slot, self.attempts)?;
                if pending && slot == self.running {
                    // Chosen before and never started: not even if this one fails.
                    left(slot.other(), 0)?;
                }
            }
        }
        if next.same_as(&self.environment) {
            return Ok(());
        }
        next.write()?;
        self.environment = next;
        Ok(())
    }
}

impl BootControl for BootOrder {
    fn running(&self) -> Slot {
        self.running
    }

    fn select(&mut self, slot: Slot, trial: Trial) -> Result<(), BootControlError> {
        self.failed = if slot == self.running && trial == Trial::Once {
            // It would end in the other slot, which is not what anyone means.
            Some(LinuxError::Value)
        } else {
            self.choose(slot, trial).err()
        };
        match self.failed {
            None => Ok(()),
            Some(_) => Err(BootControlError),
        }
    }
}

const fn name(slot: Slot) -> &'static str {
    match slot {
        Slot::A => "A",
        Slot::B => "B",
    }
}

fn left_of(slot: Slot) -> String {
    format!("BOOT_{}_LEFT", name(slot))
}
