//! Updating a device.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    hal::{Slot, UnixTime},
};
use iotsec_update::{
    Envelope, SequenceNumber, Updater,
    boot::{BootConfig, Running},
    install::{Candidate, Clean, Finish, Session, State},
    payload::{Check, Decode, Plain, Unchecked},
    rollback::{Rollback, RollbackPolicy},
};
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Hardware};

/// A device's updater for as long as it is borrowed: one update from envelope to trial, or the verdict on
/// one that is running.
///
/// Dropping it loses nothing that is in flash: [`start`](Self::start) again to go on.
pub struct Upkeep<'u, F, D, const C: usize = 1> {
    flash: &'u mut F,
    rollback: Rollback<'u>,
    config: &'u BootConfig<'u, C>,
    updater: Updater<D, C>,
    hash: D,
}

impl<S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    /// Works on updates. `config` and `policy` are the boot loader's, and `running` is what it started.
    ///
    /// # Errors
    /// [`DeviceError::Install`] when layout or security counter do not allow it.
    pub fn upkeep<'u, D: Digest + Clone, const C: usize>(
        &'u mut self,
        config: &'u BootConfig<'u, C>,
        policy: RollbackPolicy,
        running: Running,
        digest: D,
    ) -> Result<Upkeep<'u, F, D, C>, DeviceError> {
        self.hardware.upkeep(config, policy, running, digest)
    }
}

impl<F: NorFlash, R> Hardware<'_, F, R> {
    /// The same as [`Device::upkeep`], which no state of a device is needed for: a product that updates itself in more
    /// than one state has the code for it once.
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// # use iotsec::{core::crypto::Sha256, device::{Device, DeviceError}};
    /// # use iotsec::update::{boot::{BootConfig, Running}, install::State, rollback::RollbackPolicy};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// fn waits_for_a_verdict<S>(
    ///     device: &mut Device<'_, S, SimFlash, SimRng, 16>,
    ///     config: &BootConfig<'_>,
    ///     policy: RollbackPolicy,
    ///     running: Running,
    /// ) -> Result<bool, DeviceError> {
    ///     let upkeep = device.hardware_mut().upkeep(config, policy, running, Sha256::new())?;
    ///     Ok(upkeep.state() == State::Trial)
    /// }
    /// ```
    pub fn upkeep<'u, D: Digest + Clone, const C: usize>(
        &'u mut self,
        config: &'u BootConfig<'u, C>,
        policy: RollbackPolicy,
        running: Running,
        digest: D,
    ) -> Result<Upkeep<'u, F, D, C>, DeviceError> {
        let mut rollback = Rollback::new(&mut *self.counter, policy);
        let flash = &mut self.flash;
        let updater = Updater::mount(flash, config.layout, running, &mut rollback, digest.clone())?;
        Ok(Upkeep {
            flash,
            rollback,
            config,
            updater,
            hash: digest,
        })
    }
}

impl<F: NorFlash, D: Digest, const C: usize> Upkeep<'_, F, D, C> {
    /// Takes an envelope through every check and begins to install it, or goes on with it after a reset: the
    /// session says what to send.
    ///
    /// *Power loss:* see [`Updater::start`].
    ///
    /// # Errors
    /// [`DeviceError::Update`] says why the envelope is refused, [`DeviceError::Install`] why it cannot be
    /// installed now. Neither changes anything.
    pub fn start<'e>(
        &mut self,
        envelope: &'e [u8],
        now: Option<UnixTime>,
    ) -> Result<Session<'e, Plain, Unchecked, C>, DeviceError> {
        self.start_with(envelope, now, Plain::default(), Unchecked)
    }

    /// The same for payloads that are compressed, encrypted or patches, or that have digests over chunks; see
    /// [`Updater::start_with`].
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with<'e, P: Decode, K: Check>(
        &mut self,
        envelope: &'e [u8],
        now: Option<UnixTime>,
        decoder: P,
        check: K,
    ) -> Result<Session<'e, P, K, C>, DeviceError> {
        let device = match self.updater.staging_slot() {
            Slot::A => &self.config.device_a,
            Slot::B => &self.config.device_b,
        };
        let policy = self.rollback.policy().admission(self.updater.installed(), now);
        let accepted = Envelope::parse(envelope, &self.config.limits)?
            .authenticate(&self.config.anchors, &mut self.hash)?
            .admit(device, &policy, &mut self.hash)?;
        let rollback = &mut self.rollback;
        let session = self
            .updater
            .start_with(self.flash, accepted, rollback, decoder, check)?;
        Ok(session)
    }

    /// Takes the next bytes of the payload that the session wants; see [`Updater::write`].
    ///
    /// # Errors
    /// As [`Updater::write`].
    pub fn write<P: Decode, K: Check>(
        &mut self,
        session: &mut Session<'_, P, K, C>,
        bytes: &[u8],
    ) -> Result<usize, DeviceError> {
        Ok(self.updater.write(session, self.flash, bytes)?)
    }

    /// Verifies what was staged; see [`Updater::finish`].
    ///
    /// # Errors
    /// As [`Updater::finish`].
    pub fn finish<P: Decode, K: Check>(
        &mut self,
        session: &mut Session<'_, P, K, C>,
    ) -> Result<Finish, DeviceError> {
        Ok(self.updater.finish(session, self.flash)?)
    }

    /// Lets the next boot try the image; see [`Updater::install`].
    ///
    /// # Errors
    /// As [`Updater::install`].
    pub fn install(&mut self, candidate: Candidate) -> Result<(), DeviceError> {
        Ok(self.updater.install(self.flash, candidate)?)
    }

    /// Keeps the image on trial, and raises the security counter; see [`Updater::accept`].
    ///
    /// # Errors
    /// As [`Updater::accept`].
    pub fn accept(&mut self) -> Result<(), DeviceError> {
        Ok(self.updater.accept(self.flash, &mut self.rollback)?)
    }

    /// Gives the image on trial up; see [`Updater::reject`].
    ///
    /// # Errors
    /// As [`Updater::reject`].
    pub fn reject(&mut self) -> Result<(), DeviceError> {
        Ok(self.updater.reject(self.flash)?)
    }

    /// Gives an update up that is not on trial yet; see [`Updater::cancel`].
    ///
    /// # Errors
    /// As [`Updater::cancel`].
    pub fn cancel(&mut self) -> Result<(), DeviceError> {
        Ok(self.updater.cancel(self.flash)?)
    }

    /// Makes ready for the next update; see [`Updater::clean`].
    ///
    /// # Errors
    /// As [`Updater::clean`].
    pub fn clean(&mut self) -> Result<Clean, DeviceError> {
        Ok(self.updater.clean(self.flash)?)
    }

    /// Where the update stands.
    pub const fn state(&self) -> State {
        self.updater.state()
    }

    /// The sequence number of the image that was accepted last.
    pub const fn installed(&self) -> SequenceNumber {
        self.updater.installed()
    }

    /// Why the last update failed, as an error number.
    pub const fn cause(&self) -> Option<u16> {
        self.updater.cause()
    }
}

impl<F, D, const C: usize> core::fmt::Debug for Upkeep<'_, F, D, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Upkeep(..)")
    }
}
