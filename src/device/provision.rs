//! Giving a device its identity and its credentials, at the factory.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{DevicePassword, Pepper, Throttle, Verifier},
    input::DeviceSerial,
    secret::Secret,
};
use iotsec_store::StoreError;
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Factory, Provisioned, Transition,
    announcement::Erasure,
    life::PROVISIONED,
    record::{self, Count},
};

/// What the factory and the service learn of a unit when it is provisioned.
#[derive(Debug)]
pub struct Enrolment {
    /// The key that opens this unit's telemetry batches. Goes to the service, over a channel that keeps
    /// it secret, and nowhere else.
    pub telemetry: Secret<32>,
    /// The seed of the unit's identity key. The factory certifies the public half and forgets this.
    pub identity: Secret<32>,
}

/// Bytes of a serial number at most.
pub(crate) const MAX_SERIAL: usize = DeviceSerial::MAX_LEN;

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Factory, F, R, N> {
    /// Gives the unit its serial number (a [`DeviceSerial`]), its password and its keys.
    ///
    /// *Power loss:* the device is still in the factory state; do it again.
    ///
    /// # Errors
    /// [`DeviceError::Serial`], and failures of store and entropy. The device comes back as it was.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn provision(
        mut self,
        serial: &str,
        password: &DevicePassword,
    ) -> Transition<(Device<'d, Provisioned, F, R, N>, Enrolment), Self> {
        match self.write_identity(serial, password, None) {
            Ok(enrolment) => Ok((self.into_state(), enrolment)),
            Err(error) => Err((self, error)),
        }
    }

    /// [`provision`](Self::provision) for a unit whose label has a set-up code too. `pairing` was
    /// [registered](iotsec_core::credential::pairing::PairingRecord::register) for the serial number as the device's
    /// name: under any other it pairs nobody.
    ///
    /// *Power loss:* as [`provision`](Self::provision).
    ///
    /// # Errors
    /// As [`provision`](Self::provision).
    ///
    /// ```
    /// # use iotsec::core::{credential::DevicePassword, crypto::HkdfSha256};
    /// # use iotsec::device::{Device, DeviceError, Enrolment, Factory};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::core::credential::pairing::{PairingCode, PairingParameters, PairingRecord};
    ///
    /// fn make(
    ///     device: Device<'_, Factory, SimFlash, SimRng, 16>,
    ///     password: &DevicePassword,
    ///     code: &PairingCode,
    ///     rng: &mut SimRng,
    /// ) -> Result<Enrolment, DeviceError> {
    ///     let parameters = PairingParameters::generate(1000, rng)?;
    ///     let pairing = PairingRecord::register(code, b"SN-0001", &parameters, &HkdfSha256)?;
    ///     let made = device.provision_with_pairing("SN-0001", password, &pairing);
    ///     made.map(|(_device, enrolment)| enrolment).map_err(|(_, error)| error)
    /// }
    /// ```
    #[cfg(feature = "pairing")]
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn provision_with_pairing(
        mut self,
        serial: &str,
        password: &DevicePassword,
        pairing: &iotsec_core::credential::pairing::PairingRecord,
    ) -> Transition<(Device<'d, Provisioned, F, R, N>, Enrolment), Self> {
        match self.write_identity(serial, password, Some(pairing.expose())) {
            Ok(enrolment) => Ok((self.into_state(), enrolment)),
            Err(error) => Err((self, error)),
        }
    }

    fn write_identity(
        &mut self,
        serial: &str,
        password: &DevicePassword,
        pairing: Option<&[u8]>,
    ) -> Result<Enrolment, DeviceError> {
        DeviceSerial::parse(serial.as_bytes()).map_err(|_| DeviceError::Serial)?;
        let pepper = Pepper::derive(self.hardware.root, self.product.suite.kdf)?;
        let verifier = Verifier::for_device(password, &pepper, &mut self.hardware.rng)?;
        let enrolment = Enrolment {
            telemetry: Secret::random(&mut self.hardware.rng)?,
            identity: Secret::random(&mut self.hardware.rng)?,
        };
        // An earlier attempt may have been cut short.
        for key in [record::THROTTLE, record::PAIRING, record::PAIRING_THROTTLE] {
            match self.store.remove(&mut self.hardware.flash, key) {
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.begin_count(record::THROTTLE)?;
        if let Some(pairing) = pairing {
            self.begin_count(record::PAIRING_THROTTLE)?;
            self.write(record::PAIRING, pairing)?;
        }
        self.write(record::SERIAL, serial.as_bytes())?;
        self.write(record::LABEL_VERIFIER, &verifier.to_bytes())?;
        self.write(record::IDENTITY, enrolment.identity.expose())?;
        self.write(record::TELEMETRY_KEY, enrolment.telemetry.expose())?;
        // So that an erasure finds its place taken, however full the store is then.
        self.write(record::ERASURE, &[0; Erasure::LEN])?;
        self.write(record::STATE, &[PROVISIONED])?;
        Ok(enrolment)
    }

    fn begin_count(&mut self, key: iotsec_store::KeyId) -> Result<(), DeviceError> {
        let mut count = Count {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            key,
        };
        Ok(Throttle::initialise(&mut count)?)
    }
}
