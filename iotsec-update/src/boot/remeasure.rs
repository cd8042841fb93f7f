//! Measuring again while the image runs.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    hal::{FlashError, Slot},
};

use super::{
    BootConfig, Measured, Refusal, Verified,
    verify::{admit, authenticate, expect},
};
use crate::{
    Bootable,
    slot::{UpdateLayout, read_range},
};

/// Reads the running slot again and again, a little at a time, and says when it is no longer what was signed.
///
/// What a boot check cannot see is a flash that changes afterwards: by wear, by a fault, by an attacker who
/// found a way in. A device that notices should tell its owner and talk to nobody but whom it needs for that
/// (EN 303 645, provision 5.7-2).
///
/// ```
/// use iotsec_core::{crypto::Digest, hal::FlashError};
/// use iotsec_testkit::SimFlash;
/// use iotsec_update::{boot::{Remeasure, Round}, slot::UpdateLayout};
///
/// /// Called when there is nothing else to do.
/// fn idle(
///     remeasure: &mut Remeasure,
///     flash: &mut SimFlash,
///     layout: &UpdateLayout,
///     hash: &mut dyn Digest,
/// ) -> Result<(), FlashError> {
///     match remeasure.step(flash, layout, hash, 1024)? {
///         Round::More | Round::Same => {}
///         Round::Changed { place } => println!("alert: component {place} was changed"),
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Remeasure<const N: usize = 1> {
    slot: Slot,
    parts: [Measured; N],
    count: usize,
    part: usize,
    at: u32,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Round {
    /// There is more to read.
    More,
    /// All components were read, and are what was signed. The next step begins anew.
    Same,
    /// This component is not what was signed any more. The next step begins anew.
    Changed {
        /// Its index among [`DeviceIdentity::components`](crate::DeviceIdentity::components).
        place: usize,
    },
}

impl<const N: usize> Remeasure<N> {
    /// Of what the boot loader has just verified.
    pub fn new(image: &Verified<N>) -> Self {
        Self {
            slot: image.slot,
            parts: image.parts,
            count: image.count,
            part: 0,
            at: 0,
        }
    }

    /// For an application that was started by a boot loader: authenticates the envelope stored for `slot`, and
    /// takes from it what is to be measured.
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
        let envelope = config.layout.slot(slot).load_envelope(flash, scratch)?;
        let authentic = authenticate(config, hash, envelope)?;
        let mut bootable = Bootable::empty(authentic.envelope.bytes(), authentic.manifest_digest());
        admit(config, slot, hash, &authentic, &mut bootable)?;
        let mut image = Verified::none(slot);
        expect(config, &bootable, &mut image)?;
        Ok(Self::new(&image))
    }

    /// Reads at most `budget` bytes, rounded up to a multiple of 256. `hash` is kept from step to step and used
    /// for nothing else meanwhile.
    ///
    /// # Errors
    /// Of the flash; the round begins anew.
    pub fn step<F: NorFlash>(
        &mut self,
        flash: &mut F,
        layout: &UpdateLayout<N>,
        hash: &mut dyn Digest,
        budget: u32,
    ) -> Result<Round, FlashError> {
        let part = self
            .parts
            .get(..self.count)
            .and_then(|parts| parts.get(self.part));
        let Some(part) = part.copied() else {
            self.restart();
            return Ok(Round::Same);
        };
        let region = layout
            .slot(self.slot)
            .image(part.place)
            .ok_or(FlashError::OutOfBounds)?;
        if self.at == 0 {
            hash.reset();
        }
        let budget = budget.max(1).checked_next_multiple_of(256).unwrap_or(256);
        let end = self.at.saturating_add(budget).min(part.size);
        if let Err(error) = read_range(flash, region, self.at, end, &mut |bytes| hash.update(bytes)) {
            self.restart();
            return Err(error);
        }
        self.at = end;
        if end < part.size {
            return Ok(Round::More);
        }
        if hash.finish() != part.digest {
            self.restart();
            return Ok(Round::Changed { place: part.place });
        }
        self.at = 0;
        self.part = self.part.saturating_add(1);
        if self.part < self.count {
            return Ok(Round::More);
        }
        self.restart();
        Ok(Round::Same)
    }

    const fn restart(&mut self) {
        self.part = 0;
        self.at = 0;
    }
}
