//! A device whose owner's data cannot be read any more.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{Attempt, Unlock},
    hal::Millis,
};
use iotsec_telemetry::queue::Queue;
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Moment, Orphaned, Provisioned, Transition, record};

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Orphaned, F, R, N> {
    /// Gives the owner's data up, for whoever knows the label's code, at uptime `now`: the verifier of the password that
    /// the owner chose is lost with the rest. The device can be claimed then, as after a [`reset`](Device::reset). Call
    /// [`scrub_step`](Device::scrub_step) until it is done.
    ///
    /// A guess is counted before it is looked at. Where what is lost is in the way of the count, no guess is possible,
    /// and [`reset_orphan_by_presence`](Self::reset_orphan_by_presence) is the way.
    ///
    /// *Power loss:* the data are still lost, or given up; call again if the device is found orphaned. Where what is lost
    /// is in the way of the announcement too, there may be no receipt after a cut.
    ///
    /// # Errors
    /// [`DeviceError::Login`] for a wrong code, one that came too soon or one that cannot be counted; failures of store
    /// and entropy. The device comes back.
    ///
    /// ```
    /// # use iotsec::core::{credential::Attempt, hal::Millis};
    /// # use iotsec::device::{Booted, Device, DeviceError, Moment, Provisioned};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// # type Unit<'d, S> = Device<'d, S, SimFlash, SimRng, 16>;
    /// fn start<'d>(
    ///     found: Booted<'d, SimFlash, SimRng, 16>,
    ///     code: &Attempt<'_>,
    ///     now: Millis,
    /// ) -> Result<Option<Unit<'d, Provisioned>>, DeviceError> {
    ///     let Booted::Orphaned(device) = found else { return Ok(None) };
    ///     let device = device.reset_orphan(code, now, Moment::default());
    ///     device.map(Some).map_err(|(_, error)| error)
    /// }
    /// ```
    ///
    /// There is nothing of the owner's to be read or changed:
    /// ```compile_fail,E0599
    /// # use iotsec::{device::{Device, Orphaned}, store::{KeyDomain, KeyId}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// fn late(device: &mut Device<'_, Orphaned, SimFlash, SimRng, 8>) {
    ///     let _ = device.put(KeyId::new(KeyDomain::User, 1, 1), b"late");
    /// }
    /// ```
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn reset_orphan(
        mut self,
        code: &Attempt<'_>,
        now: Millis,
        when: Moment,
    ) -> Transition<Device<'d, Provisioned, F, R, N>, Self> {
        let guessed = self.guess_label(code, now);
        let done = guessed.and_then(|_| self.give_up(when));
        self.settle(done)
    }

    /// [`reset_orphan`](Self::reset_orphan) for somebody who stands before the device. Nobody gains by it what could
    /// still be read, and to claim the device takes the label's code.
    ///
    /// *Power loss:* as [`reset_orphan`](Self::reset_orphan).
    ///
    /// # Errors
    /// Failures of store and entropy. The device comes back.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn reset_orphan_by_presence(
        mut self,
        _presence: Unlock,
        when: Moment,
    ) -> Transition<Device<'d, Provisioned, F, R, N>, Self> {
        let done = self.give_up(when);
        self.settle(done)
    }

    fn give_up(&mut self, when: Moment) -> Result<(), DeviceError> {
        self.erase_owner(when)?;
        // The boot may not have been counted: there was no room.
        let boots = self.boot_number()?.checked_add(1).ok_or(DeviceError::Boots)?;
        self.write(record::BOOTS, &boots.to_le_bytes())?;
        self.queue = Queue::new(self.product.events, boots, self.product.reserve);
        Ok(())
    }
}
