//! Identifiers of what a device sends, and its requests to have that deleted.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::Authenticated,
    crypto::{Digest, Verify},
};
use iotsec_telemetry::{
    batch::{BatchKey, SealTo},
    deletion::{Deleted, Request},
    pseudonym::{Epoch, Pseudonym, Trails},
    registry::Purpose,
    stream::{Disguised, Stream},
};
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, InService, Owned,
    record::{self, Records},
};

impl<'d, S: InService, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, S, F, R, N> {
    /// What the service files events of `purpose` under, in this epoch. It tells nothing of the device, and is another
    /// one for each purpose, consent and owner.
    ///
    /// *Power loss:* before an identifier is handed out, the request to delete what is filed under it is in flash. It
    /// becomes due by [`withdraw`](Device::withdraw), by a [`reset`](Device::reset) or [`transfer`](Device::transfer),
    /// and by [`ask_deletion`](Device::ask_deletion), in the one write that they take anyway.
    ///
    /// # Errors
    /// [`DeviceError::Trail`]; failures of the store. No identifier has left then.
    ///
    /// ```
    /// # use iotsec::device::{Device, DeviceError, Owned};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::telemetry::{pseudonym::Epoch, registry::Purpose};
    ///
    /// fn topic(device: &mut Device<'_, Owned, SimFlash, SimRng, 16>, week: u32) -> Result<String, DeviceError> {
    ///     let pseudonym = device.pseudonym(Purpose::Security, Epoch(week))?;
    ///     Ok(format!("security/{:032x}", u128::from_be_bytes(*pseudonym.as_bytes())))
    /// }
    /// ```
    pub fn pseudonym(&mut self, purpose: Purpose, epoch: Epoch) -> Result<Pseudonym, DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let life = records.store.erasures();
        let mut trails = Trails::new(life, self.product.suite.kdf, &mut records);
        Ok(trails.pseudonym(&self.consents, purpose, epoch, &mut self.hardware.rng)?)
    }

    /// The same to make batches with: [`batch_for`](Self::batch_for), [`batch_of_stream`](Device::batch_of_stream).
    ///
    /// *Power loss:* as [`pseudonym`](Self::pseudonym).
    ///
    /// # Errors
    /// As [`pseudonym`](Self::pseudonym).
    pub fn stream(&mut self, purpose: Purpose, epoch: Epoch) -> Result<Stream<Disguised<'d>>, DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let life = records.store.erasures();
        let mut trails = Trails::new(life, self.product.suite.kdf, &mut records);
        Ok(trails.stream(&self.consents, purpose, epoch, &mut self.hardware.rng)?)
    }

    /// The next request that the service is to delete something, sealed to it; `None` when none waits. To be sent until
    /// [`acknowledge_deletion`](Self::acknowledge_deletion), on the schedule of the connection. Requests of an owner
    /// before are among them: they outlive the reset.
    ///
    /// # Errors
    /// [`DeviceError::Trail`], [`DeviceError::Batch`]; failures of the store.
    pub fn deletion_request<'o>(
        &mut self,
        out: &'o mut [u8; Request::SEALED_LEN],
    ) -> Result<Option<&'o [u8]>, DeviceError> {
        let Some(request) = self.due_request()? else {
            return Ok(None);
        };
        let key = self.telemetry_key()?;
        let suite = self.product.suite;
        let key = BatchKey::new(&key, suite.wire, suite.kdf);
        Ok(Some(request.seal(&key, &mut self.hardware.rng, out)?))
    }

    /// The same, sealed to `key`: to a public key of the service
    /// ([`ServiceKey`](iotsec_telemetry::batch::ServiceKey), feature `hpke`). `out` has [`Request::SEALED_LEN`] bytes, and
    /// 192 for a key of P-256.
    ///
    /// # Errors
    /// As [`deletion_request`](Self::deletion_request).
    pub fn deletion_request_to<'o, K: SealTo>(
        &mut self,
        key: &K,
        out: &'o mut [u8],
    ) -> Result<Option<&'o [u8]>, DeviceError> {
        match self.due_request()? {
            Some(request) => Ok(Some(request.seal(key, &mut self.hardware.rng, out)?)),
            None => Ok(None),
        }
    }

    /// Checks the service's receipt for the request that waits, under the service's key, and forgets the request.
    /// Returns what to show to people. Then call [`scrub_step`](Device::scrub_step) until it is done: what was stored of
    /// the request goes from flash, its ciphertext too. If the power goes before, that stays until the store's log comes
    /// round.
    ///
    /// *Power loss:* the request is forgotten or sent once more.
    ///
    /// # Errors
    /// [`DeviceError::ServiceReceipt`] for a receipt that is not genuine, or for another request;
    /// [`DeviceError::NotAsked`] when none waits; failures of the store. The request still waits.
    pub fn acknowledge_deletion(
        &mut self,
        receipt: &[u8],
        service: &dyn Verify,
        hash: &mut dyn Digest,
    ) -> Result<Deleted, DeviceError> {
        let request = self.due_request()?.ok_or(DeviceError::NotAsked)?;
        let acknowledged = Deleted::verify(receipt, service, &request, hash)?;
        let deleted = *acknowledged.deleted();
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let life = records.store.erasures();
        Trails::new(life, self.product.suite.kdf, &mut records).acknowledge(acknowledged, hash)?;
        self.store.begin_scrub();
        Ok(deleted)
    }

    fn due_request(&mut self) -> Result<Option<Request>, DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let life = records.store.erasures();
        Ok(Trails::new(life, self.product.suite.kdf, &mut records).due(&self.consents)?)
    }
}

iotsec_core::claim! {
    provisions: ["5.11-2"],
    claims: "Whatever was sent for a purpose is asked back from the service when the owner withdraws or leaves, whenever the power goes",
    code: [Device::deletion_request],
    tests: [
        "iotsec::deletion::whatever_was_sent_is_asked_back_whenever_the_power_goes",
        "iotsec::deletion::a_withdrawal_that_was_cut_is_none_or_has_its_request",
    ],
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// Makes it due that the service deletes what was sent for `purpose` so far. The owner keeps the device and the
    /// consent; what is sent from here on has another identifier.
    ///
    /// *Power loss:* the request is due or it is not.
    ///
    /// # Errors
    /// [`DeviceError::Trail`].
    pub fn ask_deletion(&mut self, _owner: &Authenticated, purpose: Purpose) -> Result<(), DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let life = records.store.erasures();
        Ok(Trails::new(life, self.product.suite.kdf, &mut records).ask(purpose)?)
    }

    /// Gives up every request to the service, due or not, so that the device can be [retired](Self::retire) though the
    /// service does not answer. What the service has then stays there.
    ///
    /// *Power loss:* some may be left; call again.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn abandon_deletions(&mut self, _owner: &Authenticated) -> Result<(), DeviceError> {
        for key in record::TRAILS {
            if self.store.contains(key) {
                self.store.remove(&mut self.hardware.flash, key)?;
            }
        }
        self.store.begin_scrub();
        Ok(())
    }

    /// A retired device has no key left to ask with.
    pub(super) fn check_no_request(&self) -> Result<(), DeviceError> {
        if record::TRAILS.iter().any(|key| self.store.contains(*key)) {
            return Err(DeviceError::Unacknowledged);
        }
        Ok(())
    }
}
