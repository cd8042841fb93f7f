//! The set-up code as proof that somebody has the label.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{
        PhysicalPresence,
        pairing::{
            ANSWER_LEN, CONFIRM_LEN, DeviceWaiting, PairingError, PairingKeys, PairingNames, SHARE_LEN,
        },
    },
    hal::Millis,
};
use rand_core::TryCryptoRng;

use super::{Reason, Setup, SetupError, machine::count_reason};
use crate::device::DeviceError;

/// ```
/// # use iotsec::{core::hal::Millis, setup::{Setup, SetupError}};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// use iotsec::core::credential::PhysicalPresence;
/// use iotsec::core::credential::pairing::{ANSWER_LEN, CONFIRM_LEN, PairingKeys, SHARE_LEN};
///
/// fn meet(
///     setup: &mut Setup<'_, SimFlash, SimRng, 16>,
///     button: &mut dyn PhysicalPresence,
///     now: Millis,
///     share: &[u8; SHARE_LEN],
///     exchange: impl FnOnce([u8; ANSWER_LEN]) -> [u8; CONFIRM_LEN],
/// ) -> Result<PairingKeys, SetupError> {
///     setup.open_window_by_presence(button, now, Millis::from_secs(600))?;
///     let mut serial = [0; 32];
///     let names = setup.device_mut().pairing_names(b"phone-7", &mut serial)?;
///     let (waiting, answer) = setup.answer(names, share, now)?;
///     setup.finish(waiting, &exchange(answer), now)
/// }
/// ```
impl<F: NorFlash, R: TryCryptoRng, const N: usize> Setup<'_, F, R, N> {
    /// Opens the window that the first power-on has; see [`Device::pairing_window`](crate::device::Device::pairing_window).
    ///
    /// *Power loss:* there is no window; it may be that this was the one.
    ///
    /// # Errors
    /// As there.
    pub fn open_window(&mut self, now: Millis, length: Millis) -> Result<(), SetupError> {
        self.window = Some(self.device.pairing_window(now, length)?);
        Ok(())
    }

    /// Opens a window for somebody at the device; see
    /// [`Device::pairing_window_by_presence`](crate::device::Device::pairing_window_by_presence).
    ///
    /// *Power loss:* there is no window, and the failures are forgotten or not.
    ///
    /// # Errors
    /// As there.
    pub fn open_window_by_presence(
        &mut self,
        presence: &mut dyn PhysicalPresence,
        now: Millis,
        length: Millis,
    ) -> Result<(), SetupError> {
        self.window = Some(self.device.pairing_window_by_presence(presence, now, length)?);
        Ok(())
    }

    /// Answers an owner's share; names and parameters are the [device's](Self::device_mut).
    ///
    /// *Power loss:* the attempt may be counted.
    ///
    /// # Errors
    /// [`PairingError::Closed`] without a window; as [`Device::pair`](crate::device::Device::pair).
    pub fn answer<'a>(
        &mut self,
        names: PairingNames<'a>,
        share: &[u8; SHARE_LEN],
        now: Millis,
    ) -> Result<(DeviceWaiting<'a>, [u8; ANSWER_LEN]), SetupError> {
        let window = self.window.as_mut().ok_or(CLOSED)?;
        Ok(self.device.pair(window, names, share, now)?)
    }

    /// Takes the owner's confirmation as proof that they have the label, and closes the window. The keys are for the
    /// conversation in which network and password come.
    ///
    /// *Power loss:* nobody has shown the label. The attempt may be counted.
    ///
    /// # Errors
    /// [`PairingError::Refused`] for a wrong code; as
    /// [`Device::finish_pairing`](crate::device::Device::finish_pairing).
    pub fn finish(
        &mut self,
        waiting: DeviceWaiting<'_>,
        confirm: &[u8; CONFIRM_LEN],
        now: Millis,
    ) -> Result<PairingKeys, SetupError> {
        let window = self.window.as_mut().ok_or(CLOSED)?;
        let paired = self.device.finish_pairing(window, waiting, confirm, now);
        if matches!(paired, Err(DeviceError::Pairing(PairingError::Refused))) {
            self.refuse();
        }
        let (proof, keys) = paired?;
        self.take(proof);
        Ok(keys)
    }

    pub(super) fn window_reason(&mut self, now: Millis) -> Result<(Reason, Millis), SetupError> {
        let Some(window) = self.window.as_mut() else {
            return Ok((Reason::WindowClosed, Millis(0)));
        };
        let status = self.device.pairing_status(window, now);
        let found = count_reason(status.map_err(|error| match error {
            DeviceError::Pairing(PairingError::Throttle(error)) => Ok(error),
            other => Err(other),
        }))?;
        // A window that failures have closed says so.
        if found.0 == Reason::CodeLocked || found.0 == Reason::CodeUncounted || window.is_open(now) {
            Ok(found)
        } else {
            Ok((Reason::WindowClosed, Millis(0)))
        }
    }
}

const CLOSED: DeviceError = DeviceError::Pairing(PairingError::Closed);
