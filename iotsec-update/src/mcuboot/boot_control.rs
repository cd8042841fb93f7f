//! MCUboot, or the boot loader here, behind the trait that the updater speaks to.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{BootControl, BootControlError, Slot, Trial};

use super::{Flag, Magic, Request, Trailer, TrailerError};

/// How the boot loader uses its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Always starts the primary slot, and swaps the images first. What runs is in slot A whatever its
    /// history, so the updater's journal, which remembers slots, does not fit: receive into slot B, check,
    /// select B, and after the boot select A to confirm.
    Swap,
    /// Starts either slot in place, with revert (`MCUBOOT_DIRECT_XIP_REVERT`), as [`select`](super::select) does. It
    /// takes the higher version of those with a trailer. [`Updater::tell`](crate::Updater::tell) fits.
    DirectXip {
        /// The slot that was started this time.
        running: Slot,
    },
}

/// [`BootControl`] over two trailers. It does not look at images: what is selected must have been checked.
///
/// *Power loss:* as [`Trailer::request`] and [`Trailer::confirm`] say: the old choice, the new one, or the
/// image that runs now.
///
/// ```
/// use iotsec_core::hal::{BootControl, Region, Slot, Trial};
/// use iotsec_testkit::{Geometry, SimFlash};
/// use iotsec_update::mcuboot::{Mode, Swap, Trailer, TrailerControl};
///
/// let mut flash = SimFlash::new(Geometry::nrf52840(16));
/// let primary = Trailer::new(Region::new(0, 4096, 8, 4)?, 8)?;
/// let secondary = Trailer::new(Region::new(0x8000, 4096, 8, 4)?, 8)?;
/// TrailerControl::new(&mut flash, primary, secondary, Mode::Swap).select(Slot::B, Trial::Once)?;
/// let (a, b) = (primary.read(&mut flash)?, secondary.read(&mut flash)?);
/// assert_eq!(Swap::next(&a, &b), Swap::Test);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrailerControl<'f, F> {
    flash: &'f mut F,
    a: Trailer,
    b: Trailer,
    mode: Mode,
    /// Bytes at the start of each slot that must not be erased.
    image_size: u32,
    failed: Option<TrailerError>,
}

impl<'f, F: NorFlash> TrailerControl<'f, F> {
    /// Slot A is MCUboot's primary slot, B its secondary.
    pub const fn new(flash: &'f mut F, a: Trailer, b: Trailer, mode: Mode) -> Self {
        Self {
            flash,
            a,
            b,
            mode,
            image_size: 0,
            failed: None,
        }
    }

    /// Says how many bytes the images may take, where the trailer's page is not the trailer's alone.
    #[must_use]
    pub const fn with_image_size(mut self, bytes: u32) -> Self {
        self.image_size = bytes;
        self
    }

    /// Why the last selection failed.
    pub const fn failed(&self) -> Option<TrailerError> {
        self.failed
    }

    fn choose(&mut self, slot: Slot, trial: Trial) -> Result<(), TrailerError> {
        let running = self.running();
        let (own, other) = match running {
            Slot::A => (self.a, self.b),
            Slot::B => (self.b, self.a),
        };
        match (slot == running, trial) {
            // Trying what runs already would end in something else.
            (true, Trial::Once) => Err(TrailerError::Geometry),
            (true, Trial::Permanent) => {
                // Withdrawn first: a cut leaves the running image in charge either way.
                let state = other.read(self.flash)?;
                let pending = match self.mode {
                    Mode::Swap => state.magic == Magic::Good,
                    Mode::DirectXip { .. } => {
                        state.magic == Magic::Good
                            && state.copy_done == Flag::Unset
                            && state.image_ok == Flag::Unset
                    }
                };
                if pending {
                    other.withdraw(self.flash, self.image_size)?;
                }
                own.confirm(self.flash)
            }
            (false, Trial::Once) => other.request_behind(self.flash, self.image_size, Request::Test, false),
            (false, Trial::Permanent) => {
                // Direct-XIP gives an image that was started and not confirmed no second chance.
                let started = matches!(self.mode, Mode::DirectXip { .. });
                other.request_behind(self.flash, self.image_size, Request::Permanent, started)
            }
        }
    }
}

impl<F: NorFlash> BootControl for TrailerControl<'_, F> {
    fn running(&self) -> Slot {
        match self.mode {
            Mode::Swap => Slot::A,
            Mode::DirectXip { running } => running,
        }
    }

    fn select(&mut self, slot: Slot, trial: Trial) -> Result<(), BootControlError> {
        self.failed = self.choose(slot, trial).err();
        match self.failed {
            None => Ok(()),
            Some(_) => Err(BootControlError),
        }
    }
}

impl<F> fmt::Debug for TrailerControl<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrailerControl")
            .field("mode", &self.mode)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
