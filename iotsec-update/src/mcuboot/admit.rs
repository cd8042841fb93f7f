//! From a genuine image to one that this device may start.

use super::{Flags, McubootError, Verified, Version};

/// What the device is and has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device<'a> {
    /// Its vendor id. An image must carry it, or where this is `None` carry none.
    pub vendor: Option<[u8; 16]>,
    /// Its class id, likewise.
    pub class: Option<[u8; 16]>,
    /// The least security counter; an image must carry one then.
    pub security_counter: Option<u32>,
    /// The version installed, below which nothing is accepted; for devices without a security counter.
    pub installed: Option<Version>,
    /// The versions of the images there are, by number; dependencies are judged by them.
    pub images: &'a [Version],
    /// Where in ROM the image would run; images linked for another place are refused. `None` refuses all
    /// that are linked for one place.
    pub rom: Option<u32>,
    /// Where in RAM images are copied to; `None` refuses those that are to be copied.
    pub ram: Option<u32>,
}

/// An image that is genuine and for this device. [`Trailer::request`](super::Trailer::request) takes it.
///
/// ```compile_fail,E0451
/// use iotsec_update::mcuboot::{Admitted, Verified};
///
/// fn skip(image: Verified) -> Admitted {
///     Admitted { image }
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Admitted {
    image: Verified,
}

impl Admitted {
    /// The image.
    pub const fn image(&self) -> &Verified {
        &self.image
    }
}

impl Verified {
    /// Checks that the image is for `device` and not older than it allows.
    ///
    /// # Errors
    /// [`McubootError::WrongVendor`], [`McubootError::WrongClass`], [`McubootError::WrongAddress`],
    /// [`McubootError::Rollback`], [`McubootError::Downgrade`], [`McubootError::Dependency`].
    pub fn admit(self, device: &Device<'_>) -> Result<Admitted, McubootError> {
        self.fits(device)?;
        Ok(Admitted { image: self })
    }

    /// [`admit`](Self::admit) for who has no use for the token.
    #[inline(never)]
    pub(super) fn fits(&self, device: &Device<'_>) -> Result<(), McubootError> {
        if self.claims.vendor != device.vendor {
            return Err(McubootError::WrongVendor);
        }
        if self.claims.class != device.class {
            return Err(McubootError::WrongClass);
        }
        let place = match self.flags() {
            Flags::None => true,
            Flags::RomFixed(address) => device.rom == Some(address),
            Flags::RamLoad(address) => device.ram == Some(address),
        };
        if !place {
            return Err(McubootError::WrongAddress);
        }
        if let Some(least) = device.security_counter
            && self.claims.security_counter.is_none_or(|counter| counter < least)
        {
            return Err(McubootError::Rollback);
        }
        if device.installed.is_some_and(|old| !self.version().meets(&old)) {
            return Err(McubootError::Downgrade);
        }
        let met = |dependency: &super::Dependency| {
            device
                .images
                .get(usize::from(dependency.image))
                .is_some_and(|version| version.meets(&dependency.version))
        };
        if !self.dependencies().iter().all(met) {
            return Err(McubootError::Dependency);
        }
        Ok(())
    }
}
