use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::Region;

use super::{Purge, Spool, error::SpoolError, medium::is_blank};

impl Spool<'_> {
    /// Erases one more page of a region whose spool is not needed any more, as when its keys are gone with their owner:
    /// then nobody can read it, and this takes away what is left. To be called until [`Purge::Done`]. Reads pages that are
    /// erased already, and no others.
    ///
    /// *Power loss:* call it again after the next boot; the flash says what is left to do.
    ///
    /// # Errors
    /// [`SpoolError`] of the flash.
    ///
    /// ```
    /// use iotsec_telemetry::{error::SpoolError, spool::{Purge, Spool}};
    /// # use iotsec_testkit::{Geometry, SimFlash};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(10));
    /// # let region = flash.region()?;
    /// while Spool::erase_step(&mut flash, &region)? == Purge::Pending {}
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn erase_step<F: NorFlash>(flash: &mut F, region: &Region) -> Result<Purge, SpoolError> {
        region.check(flash)?;
        for page in 0..region.page_count() {
            if !is_blank(region, flash, page)? {
                region.erase_page(flash, page)?;
                return Ok(Purge::Pending);
            }
        }
        Ok(Purge::Done)
    }
}
