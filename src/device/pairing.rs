//! Pairing a device that has no owner, under the set-up code on its label.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{
        Authenticated, PhysicalPresence, ThrottleStatus,
        pairing::{
            ANSWER_LEN, CONFIRM_LEN, DeviceWaiting, PairingError, PairingKeys, PairingNames,
            PairingParameters, PairingRecord, PairingWindow, SHARE_LEN,
        },
    },
    hal::Millis,
    secret::Secret,
};
use iotsec_store::StoreError;
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Provisioned,
    provision::MAX_SERIAL,
    record::{self, Count},
};

/// A window belongs to the boot in which it was opened and ends with it: there is nothing of it in the store but the
/// count of failures, and that power-on has had its window. So a reboot opens none, gives no attempt back and shortens
/// no delay.
///
/// ```text
/// window = pairing_window, or pairing_window_by_presence
/// owner → device   shareP              pair           the attempt is counted, then answered
/// owner → device   confirmP            finish_pairing proof for claim_with, and keys for the conversation
/// ```
///
/// ```
/// # use iotsec::{core::hal::Millis, device::{Device, DeviceError, Provisioned}};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// use iotsec::core::credential::pairing::{ANSWER_LEN, CONFIRM_LEN, PairingWindow, SHARE_LEN};
/// use iotsec::core::credential::Authenticated;
///
/// fn meet(
///     device: &mut Device<'_, Provisioned, SimFlash, SimRng, 16>,
///     now: Millis,
///     share: &[u8; SHARE_LEN],
///     exchange: impl FnOnce([u8; ANSWER_LEN]) -> [u8; CONFIRM_LEN],
/// ) -> Result<Authenticated, DeviceError> {
///     let mut window = device.pairing_window(now, PairingWindow::LONGEST)?;
///     let mut serial = [0; 32];
///     let names = device.pairing_names(b"phone-7", &mut serial)?;
///     let (waiting, answer) = device.pair(&mut window, names, share, now)?;
///     let confirm = exchange(answer);
///     let (proof, _keys) = device.finish_pairing(&mut window, waiting, &confirm, now)?;
///     Ok(proof)
/// }
/// ```
///
/// What an owner needs to be told is in [`pairing_parameters`](Self::pairing_parameters); messages and errors are those
/// of [`pairing`](iotsec_core::credential::pairing). A device that has an owner pairs with nobody:
/// ```compile_fail,E0599
/// # use iotsec::{core::hal::Millis, device::{Device, Owned}};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn late(device: &mut Device<'_, Owned, SimFlash, SimRng, 8>) {
///     let _ = device.pairing_window(Millis(0), Millis::from_secs(60));
/// }
/// ```
impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Provisioned, F, R, N> {
    /// Opens a window of `length`, 15 minutes at most, because the device was switched on for the first time since it
    /// was made or erased. It opens once: later windows take somebody at the device. A station that tests what it made
    /// leaves it to the customer.
    ///
    /// *Power loss:* there is no window; it may be that this was the one.
    ///
    /// # Errors
    /// [`DeviceError::NoSetupCode`]; [`DeviceError::Pairing`] with [`PairingError::Closed`] when power-on has had its
    /// window, or with [`PairingError::WindowLength`]; failures of the store.
    pub fn pairing_window(&mut self, now: Millis, length: Millis) -> Result<PairingWindow, DeviceError> {
        self.need_setup_code()?;
        let window = PairingWindow::without_owner(now, length)?;
        let life = self.life();
        let mut opened = [0; 4];
        // What cannot be read is a window that was opened.
        match self
            .store
            .get(&mut self.hardware.flash, record::PAIRING_WINDOW, &mut opened)
        {
            Err(StoreError::NotFound) => {}
            Ok(read) if read.len() == life.len() && read != life => {}
            Ok(_) | Err(StoreError::Buffer) => return Err(PairingError::Closed.into()),
            Err(error) => return Err(error.into()),
        }
        self.write(record::PAIRING_WINDOW, &life)?;
        Ok(window)
    }

    /// Opens a window of `length`, 15 minutes at most, for somebody at the device. Failures are forgotten.
    ///
    /// *Power loss:* there is no window, and the failures are forgotten or not.
    ///
    /// # Errors
    /// [`DeviceError::NoSetupCode`]; [`DeviceError::Pairing`] with [`PairingError::Closed`] when nobody is there, or
    /// with [`PairingError::WindowLength`]; failures of the store.
    pub fn pairing_window_by_presence(
        &mut self,
        presence: &mut dyn PhysicalPresence,
        now: Millis,
        length: Millis,
    ) -> Result<PairingWindow, DeviceError> {
        self.need_setup_code()?;
        Ok(PairingWindow::by_presence(
            &mut self.attempts(),
            presence,
            now,
            length,
        )?)
    }

    /// What the owner's side needs beside the code. Public.
    ///
    /// # Errors
    /// [`DeviceError::NoSetupCode`]; [`DeviceError::Pairing`] with [`PairingError::Record`] for a damaged record;
    /// failures of the store.
    pub fn pairing_parameters(&mut self) -> Result<PairingParameters, DeviceError> {
        Ok(*self.setup_code()?.parameters())
    }

    /// The names of a conversation with an owner of that name; the device's is its serial number, which `serial` holds.
    ///
    /// # Errors
    /// [`DeviceError::Pairing`] with [`PairingError::Name`]; failures of the store.
    pub fn pairing_names<'a>(
        &mut self,
        owner: &'a [u8],
        serial: &'a mut [u8; MAX_SERIAL],
    ) -> Result<PairingNames<'a>, DeviceError> {
        Ok(PairingNames::new(owner, self.serial(serial)?.as_bytes())?)
    }

    /// What the next attempt would meet.
    ///
    /// # Errors
    /// [`DeviceError::Pairing`] when the count is missing or damaged.
    pub fn pairing_status(
        &mut self,
        window: &mut PairingWindow,
        now: Millis,
    ) -> Result<ThrottleStatus, DeviceError> {
        Ok(window.status(&mut self.attempts(), now)?)
    }

    /// Answers the owner's share. The attempt is counted as a failure before there is an answer, until it is finished.
    ///
    /// *Power loss:* the attempt may be counted.
    ///
    /// # Errors
    /// As [`PairingWindow::answer`], in [`DeviceError::Pairing`]; [`DeviceError::NoSetupCode`]; failures of the store.
    pub fn pair<'a>(
        &mut self,
        window: &mut PairingWindow,
        names: PairingNames<'a>,
        share: &[u8; SHARE_LEN],
        now: Millis,
    ) -> Result<(DeviceWaiting<'a>, [u8; ANSWER_LEN]), DeviceError> {
        let record = self.setup_code()?;
        let mut attempts = Count {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            key: record::PAIRING_THROTTLE,
        };
        let (rng, kdf) = (&mut self.hardware.rng, self.product.suite.kdf);
        Ok(window.answer(&mut attempts, now, &record, names, share, rng, kdf)?)
    }

    /// Takes the owner's confirmation: the window is closed, and the proof is for [`claim_with`](Device::claim_with).
    ///
    /// *Power loss:* nobody is paired. The attempt may be counted.
    ///
    /// # Errors
    /// As [`PairingWindow::finish`], in [`DeviceError::Pairing`].
    pub fn finish_pairing(
        &mut self,
        window: &mut PairingWindow,
        waiting: DeviceWaiting<'_>,
        confirm: &[u8; CONFIRM_LEN],
        now: Millis,
    ) -> Result<(Authenticated, PairingKeys), DeviceError> {
        let kdf = self.product.suite.kdf;
        Ok(window.finish(&mut self.attempts(), now, waiting, confirm, kdf)?)
    }

    /// Whether there is a set-up code to pair with.
    pub fn has_setup_code(&self) -> bool {
        self.store.contains(record::PAIRING)
    }

    fn need_setup_code(&self) -> Result<(), DeviceError> {
        if self.has_setup_code() {
            Ok(())
        } else {
            Err(DeviceError::NoSetupCode)
        }
    }

    fn setup_code(&mut self) -> Result<PairingRecord, DeviceError> {
        self.need_setup_code()?;
        let mut bytes = Secret::<{ PairingRecord::LEN }>::zero();
        let flash = &mut self.hardware.flash;
        match self.store.get(flash, record::PAIRING, bytes.expose_mut()) {
            Ok(read) => Ok(PairingRecord::parse(read)?),
            Err(StoreError::Buffer) => Err(PairingError::Record.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn attempts(&mut self) -> Count<'_, 'd, F> {
        Count {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            key: record::PAIRING_THROTTLE,
        }
    }
}
