//! Erasing: reset, transfer, retirement, the receipts for them, and the inventory of what is erased.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{Authenticated, DevicePassword, Pepper, Verifier},
    crypto::{CryptoError, Digest, Sign},
    secret::Secret,
};
use iotsec_store::{KeyDomain, KeyId, Scrub, StoreError};
use iotsec_telemetry::{consent::Consents, queue::Queue};
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Moment, Owned, Provisioned, Retired, State, Transition, announcement::Erasure,
    life::RETIRED, record,
};
use crate::erase::{Erased, Holding, Inventory, Keeper, Reason};

/// A state in which the device has its identity: [`Provisioned`] and [`Owned`].
pub trait InService: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Provisioned {}
    impl Sealed for super::Owned {}
}

impl InService for Provisioned {}
impl InService for Owned {}

/// What signs a receipt: how the identity key is made of its seed, and SHA-256.
///
/// A device whose identity is in a secure element gives the element's key and leaves the seed alone.
///
/// ```
/// use iotsec::core::{crypto::{Ed25519SigningKey, Sha256}, secret::Secret};
/// use iotsec::device::Signing;
///
/// let mut hash = Sha256::new();
/// let key = |seed: &Secret<32>| Ok(Ed25519SigningKey::from_seed(seed));
/// let signing = Signing { key, hash: &mut hash };
/// # let _: Result<_, iotsec::core::crypto::CryptoError> = (signing.key)(&Secret::from_bytes([1; 32]));
/// ```
pub struct Signing<'h, M> {
    /// Makes the identity key, Ed25519 or P-256.
    pub key: M,
    /// SHA-256.
    pub hash: &'h mut dyn Digest,
}

impl<M> core::fmt::Debug for Signing<'_, M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Signing(..)")
    }
}

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Owned, F, R, N> {
    /// Erases everything that belongs to the owner. The identity of the device stays; it can be claimed
    /// again with the label's code. Then call [`scrub_step`](Device::scrub_step) until it is done.
    ///
    /// The service is asked to delete what it has: [`deletion_request`](Device::deletion_request), which works in the
    /// state after this one.
    ///
    /// *Power loss:* the owner's data are all there, or gone and the requests to the service due.
    ///
    /// # Errors
    /// Failures of the store. The device comes back; call again. The next boot may finish it by itself.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn reset(self, owner: Authenticated) -> Transition<Device<'d, Provisioned, F, R, N>, Self> {
        self.reset_at(owner, Moment::default())
    }

    /// [`reset`](Self::reset), with the time for the receipt.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn reset_at(
        mut self,
        _owner: Authenticated,
        when: Moment,
    ) -> Transition<Device<'d, Provisioned, F, R, N>, Self> {
        let done = self.erase_owner(when);
        self.settle(done)
    }

    /// [`reset`](Self::reset) for a device that gets another owner: it can be claimed with `code` from here on, and no
    /// longer with what the owner before knows: the set-up code on the label pairs nobody any more. To be shown once to whoever gets the device, and printed on no
    /// label.
    ///
    /// *Power loss:* everything is as it was, or the data are gone and the code is the new one.
    ///
    /// # Errors
    /// Failures of store and entropy; [`StoreError::Full`], where [`reset`](Self::reset) still works. The device comes
    /// back; call again with the same code. If that is not done, the next boot may finish it.
    ///
    /// ```
    /// # use iotsec::core::credential::{Attempt, Authenticated, DevicePassword, Exposure};
    /// # use iotsec::device::{Device, DeviceError, Moment, Owned, Provisioned};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// # type Unit<'d, S> = Device<'d, S, SimFlash, SimRng, 16>;
    /// fn hand_on<'d>(
    ///     device: Unit<'d, Owned>,
    ///     owner: Authenticated,
    ///     code: &DevicePassword,
    /// ) -> Result<Unit<'d, Provisioned>, DeviceError> {
    ///     device.transfer(owner, code, Moment::default()).map_err(|(_, error)| error)
    /// }
    /// ```
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn transfer(
        mut self,
        _owner: Authenticated,
        code: &DevicePassword,
        when: Moment,
    ) -> Transition<Device<'d, Provisioned, F, R, N>, Self> {
        let done = self.erase_for(code, when);
        self.settle(done)
    }

    /// Takes the device out of service: erases the owner's data and every secret of the device.
    /// Then call [`scrub_step`](Device::scrub_step) until it is done.
    ///
    /// *Power loss:* the device is in service, or retired and finishes by itself at the next boot's
    /// [`scrub_step`](Device::scrub_step).
    ///
    /// # Errors
    /// [`DeviceError::Unacknowledged`] while the service may have data of this device: [ask](Self::ask_deletion) for
    /// their deletion first, since a retired device has no key to ask with, or [give that up](Self::abandon_deletions).
    /// Failures of the store. The device comes back; call again.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn retire(mut self, _owner: Authenticated) -> Transition<Device<'d, Retired, F, R, N>, Self> {
        let retired = self.check_no_request();
        match retired.and_then(|()| self.write(record::STATE, &[RETIRED])) {
            Ok(()) => Ok(self.into_retired()),
            Err(error) => Err((self, error)),
        }
    }

    /// [`retire`](Self::retire) with a receipt, which is signed while there is a key to sign it with, and says so.
    /// [`receipt`](Device::receipt) of the retired device reads it. `nonce` is what the requester of the receipt gave.
    ///
    /// *Power loss:* the device is in service without a receipt, or retired with one.
    ///
    /// # Errors
    /// As [`retire`](Self::retire); [`DeviceError::Receipt`]; [`StoreError::Full`], where [`retire`](Self::retire) still
    /// works. The device comes back.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn retire_with_receipt<K: Sign, M: FnOnce(&Secret<32>) -> Result<K, CryptoError>>(
        mut self,
        _owner: Authenticated,
        when: Moment,
        nonce: Option<&[u8]>,
        signing: Signing<'_, M>,
    ) -> Transition<Device<'d, Retired, F, R, N>, Self> {
        match self.write_retirement(when, nonce, signing) {
            Ok(()) => Ok(self.into_retired()),
            Err(error) => Err((self, error)),
        }
    }

    fn into_retired(self) -> Device<'d, Retired, F, R, N> {
        let mut device: Device<'d, Retired, F, R, N> = self.into_state();
        // What cannot be erased now is erased by `scrub_step`.
        let _ = device.erase_secrets();
        device
    }

    fn erase_for(&mut self, code: &DevicePassword, when: Moment) -> Result<(), DeviceError> {
        let erasure = self.next_erasure(Reason::Transfer, when)?;
        let pepper = Pepper::derive(self.hardware.root, self.product.suite.kdf)?;
        let verifier = Verifier::for_device(code, &pepper, &mut self.hardware.rng)?;
        let flash = &mut self.hardware.flash;
        let has_setup_code = self.store.contains(record::PAIRING);
        let mut change = self.store.transaction();
        if has_setup_code {
            change.remove(flash, record::PAIRING)?;
        }
        change.put(flash, record::LABEL_VERIFIER, &verifier.to_bytes())?;
        change.put(flash, record::ERASURE, &erasure.to_bytes())?;
        change.commit(flash)?;
        self.forget_owner()
    }

    fn write_retirement<K: Sign, M: FnOnce(&Secret<32>) -> Result<K, CryptoError>>(
        &mut self,
        when: Moment,
        nonce: Option<&[u8]>,
        signing: Signing<'_, M>,
    ) -> Result<(), DeviceError> {
        self.check_no_request()?;
        let mut erasure = self.next_erasure(Reason::Retirement, when)?;
        let secrets = record::secrets().filter(|key| self.store.contains(*key));
        let secrets = u32::try_from(secrets.count()).unwrap_or(u32::MAX);
        erasure.values = erasure.values.saturating_add(secrets);
        let mut receipt = [0; Erased::MAX_LEN];
        let receipt = self.sign(&erasure, nonce, signing, &mut receipt)?;
        let flash = &mut self.hardware.flash;
        let mut change = self.store.transaction();
        change.put(flash, record::RECEIPT, receipt)?;
        change.put(flash, record::STATE, &[RETIRED])?;
        Ok(change.commit(flash)?)
    }
}

iotsec_core::claim! {
    provisions: ["5.11-1"],
    claims: "A reset takes everything of the owner's or, cut before it was announced, nothing, and raw flash holds no trace of it",
    code: [Device::reset_at],
    tests: [
        "iotsec::erasure::every_registered_place_is_empty_after_a_reset_and_raw_flash_holds_no_trace",
        "iotsec::life_under_power_cuts::a_reset_takes_everything_of_the_owner_or_nothing",
    ],
}

iotsec_core::claim! {
    provisions: ["5.1-1", "5.11-1"],
    claims: "After a transfer only the new code makes an owner, and not the one that the owner before had",
    code: [Device::transfer],
    tests: ["iotsec::erasure::after_a_transfer_only_the_new_code_lets_in"],
}

iotsec_core::claim! {
    provisions: ["5.11-4"],
    claims: "There is a receipt for what was erased and none for what was not, also when the reset was cut",
    code: [Device::receipt],
    tests: [
        "iotsec::erasure::a_receipt_is_for_what_happened_and_lasts_until_the_next",
        "iotsec::erasure::a_reset_that_was_cut_is_finished_and_still_has_its_receipt",
    ],
}

impl<S: InService, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    /// Lets [`scrub_step`](Self::scrub_step) remove everything that was replaced or removed up to now. Without it, that
    /// stays in flash as ciphertext until its page is needed. Erasures and acknowledged deletions begin it by themselves.
    ///
    /// *Power loss:* forgotten; call again.
    ///
    /// ```
    /// # use iotsec::{device::{Device, DeviceError, Owned}, store::{KeyId, Scrub}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// fn forget(device: &mut Device<'_, Owned, SimFlash, SimRng, 16>, token: KeyId) -> Result<(), DeviceError> {
    ///     device.remove(token)?;
    ///     device.begin_scrub();
    ///     while device.scrub_step()? == Scrub::Pending {}
    ///     Ok(())
    /// }
    /// ```
    pub fn begin_scrub(&mut self) {
        self.store.begin_scrub();
    }

    /// Removes what is left in flash of an owner before, even encrypted: at most one erase a call. Call until
    /// [`Scrub::Done`]; goes on after a reboot.
    ///
    /// # Errors
    /// Failures of the store; call again.
    pub fn scrub_step(&mut self) -> Result<Scrub, DeviceError> {
        if self.store.scrub_step(&mut self.hardware.flash)? == Scrub::Pending {
            return Ok(Scrub::Pending);
        }
        match self.last_erasure()? {
            Some(erasure) if !erasure.scrubbed => {
                let scrubbed = Erasure {
                    scrubbed: true,
                    ..erasure
                };
                self.write(record::ERASURE, &scrubbed.to_bytes())?;
            }
            _ => {}
        }
        Ok(Scrub::Done)
    }

    /// A signed receipt for the newest erasure: by [`reset`](Device::reset) or [`transfer`](Device::transfer), in this
    /// boot or an earlier one. `nonce`, 8 to 64 bytes, is what the requester gave; `out` has [`Erased::MAX_LEN`] bytes.
    /// Whoever has the receipt checks it with [`Erased::verify`].
    ///
    /// It says whether [`scrub_step`](Self::scrub_step) had come to its end: ask for it after that.
    ///
    /// # Errors
    /// [`DeviceError::NotErased`]; [`DeviceError::Receipt`]; failures of the store.
    ///
    /// ```
    /// # use iotsec::{core::{crypto::{Ed25519SigningKey, Sha256}, secret::Secret}, store::Scrub};
    /// # use iotsec::device::{Device, DeviceError, Provisioned, Signing};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::erase::Erased;
    ///
    /// fn prove<'o>(
    ///     device: &mut Device<'_, Provisioned, SimFlash, SimRng, 16>,
    ///     nonce: &[u8],
    ///     out: &'o mut [u8; Erased::MAX_LEN],
    /// ) -> Result<&'o [u8], DeviceError> {
    ///     while device.scrub_step()? == Scrub::Pending {}
    ///     let mut hash = Sha256::new();
    ///     let signing = Signing { key: |seed: &Secret<32>| Ok(Ed25519SigningKey::from_seed(seed)), hash: &mut hash };
    ///     device.receipt(Some(nonce), signing, out)
    /// }
    /// ```
    pub fn receipt<'o, K: Sign, M: FnOnce(&Secret<32>) -> Result<K, CryptoError>>(
        &mut self,
        nonce: Option<&[u8]>,
        signing: Signing<'_, M>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DeviceError> {
        let erasure = self.last_erasure()?.ok_or(DeviceError::NotErased)?;
        if erasure.erasures > self.store.erasures() {
            // Announced, and not begun.
            return Err(DeviceError::NotErased);
        }
        self.sign(&erasure, nonce, signing, out)
    }

    fn sign<'o, K: Sign, M: FnOnce(&Secret<32>) -> Result<K, CryptoError>>(
        &mut self,
        erasure: &Erasure,
        nonce: Option<&[u8]>,
        signing: Signing<'_, M>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DeviceError> {
        let mut seed = Secret::<32>::from_bytes([0; 32]);
        let read = self
            .store
            .get(&mut self.hardware.flash, record::IDENTITY, seed.expose_mut())?;
        if read.len() != 32 {
            return Err(DeviceError::Damaged);
        }
        let key = (signing.key)(&seed)?;
        Ok(erasure.receipt(nonce).sign(&key, signing.hash, out)?)
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Retired, F, R, N> {
    /// Removes what is left in flash, even encrypted: at most a few erases a call. Call until
    /// [`Scrub::Done`]; goes on after a reboot.
    ///
    /// # Errors
    /// Failures of the store; call again.
    pub fn scrub_step(&mut self) -> Result<Scrub, DeviceError> {
        let secret = record::secrets().any(|key| self.store.contains(key));
        if secret || self.store.contains(record::OWNER) || self.store.is_user_key_lost() {
            self.erase_secrets()?;
            return Ok(Scrub::Pending);
        }
        Ok(self.store.scrub_step(&mut self.hardware.flash)?)
    }

    /// The receipt that [`retire_with_receipt`](Device::retire_with_receipt) left; `out` has [`Erased::MAX_LEN`] bytes.
    ///
    /// # Errors
    /// [`DeviceError::NotErased`] when none was asked for; failures of the store.
    pub fn receipt<'o>(&mut self, out: &'o mut [u8]) -> Result<&'o [u8], DeviceError> {
        match self.store.get(&mut self.hardware.flash, record::RECEIPT, out) {
            Err(StoreError::NotFound) => Err(DeviceError::NotErased),
            receipt => Ok(receipt?),
        }
    }

    fn erase_secrets(&mut self) -> Result<(), DeviceError> {
        if self.store.is_user_key_lost() {
            // What is lost may be in the way of every removal.
            self.forget_owner()?;
        }
        for key in record::secrets() {
            match self.store.remove(&mut self.hardware.flash, key) {
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Last, so that the scrubbing that it begins takes the records removed above along.
        self.forget_owner()
    }
}

impl<S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    /// From here on, refuses values of the owner outside the places of `inventory`. Not stored: to be said at each boot.
    #[must_use]
    pub fn with_inventory(mut self, inventory: Inventory) -> Self {
        self.inventory = Some(inventory);
        self
    }

    /// Every place where this device keeps personal data, and how much is there: those of the life cycle, then those of
    /// the inventory. Reads no flash. After a [`reset`](Device::reset) every one is empty but the requests to the service,
    /// which wait for it to [answer](Device::acknowledge_deletion).
    pub fn personal_data(&self) -> impl Iterator<Item = Holding> {
        let own = record::PLACES.iter();
        let registered = self.inventory.map_or(&[][..], |inventory| inventory.places());
        own.chain(registered).map(|place| {
            let values = match place.keeper() {
                Keeper::Memory => self.queue.len(),
                _ => self.store.keys().filter(|key| place.covers(*key)).count(),
            };
            Holding {
                place: *place,
                values,
            }
        })
    }

    /// Values of the owner that are in no such place: written before the device had its inventory, or past it. A test
    /// of a product sees that there is none.
    pub fn unregistered(&self) -> impl Iterator<Item = KeyId> {
        let keys = self.store.keys().filter(|key| key.domain() == KeyDomain::User);
        keys.filter(|key| {
            let own = record::PLACES.iter().any(|place| place.covers(*key));
            let registered = self.inventory.is_some_and(|inventory| inventory.covers(*key));
            !own && !registered
        })
    }

    /// Carries out what was announced before the power went. Returns the state that the device is in then.
    pub(crate) fn finish_erasure(&mut self, state: State) -> Result<State, DeviceError> {
        // Also of a device that has no owner any more: what stands announced would take the next one's data.
        if matches!(state, State::Factory | State::Retired) {
            return Ok(state);
        }
        match self.last_erasure()? {
            Some(erasure) if erasure.erasures > self.store.erasures() => {
                self.forget_owner()?;
                Ok(State::Provisioned)
            }
            _ => Ok(state),
        }
    }

    pub(crate) fn erase_owner(&mut self, when: Moment) -> Result<(), DeviceError> {
        let erasure = self.next_erasure(Reason::Reset, when)?;
        // What cannot be announced is erased all the same.
        let announced = self.write(record::ERASURE, &erasure.to_bytes());
        self.forget_owner()?;
        if announced.is_err() {
            let _ = self.write(record::ERASURE, &erasure.to_bytes());
        }
        Ok(())
    }

    /// What is going to be erased, `when`.
    fn next_erasure(&mut self, reason: Reason, when: Moment) -> Result<Erasure, DeviceError> {
        let here = self.store.keys().filter(|key| key.domain() == KeyDomain::User);
        let mut values = u32::try_from(here.count()).unwrap_or(u32::MAX);
        let boot = self.boot_number()?;
        if !self.store.contains(record::OWNER) {
            // An attempt before this one failed half-way, and knew how many values there were.
            let before = self.last_erasure()?.map_or(0, |before| before.values);
            values = values.saturating_add(before);
        }
        Ok(Erasure {
            reason,
            scrubbed: false,
            erasures: self.store.erasures().saturating_add(1),
            values,
            boot,
            when,
        })
    }

    pub(crate) fn forget_owner(&mut self) -> Result<(), DeviceError> {
        self.store
            .erase_user(&mut self.hardware.flash, &mut self.hardware.rng)?;
        self.consents = Consents::off();
        self.queue = Queue::new(self.product.events, self.boot_number()?, self.product.reserve);
        Ok(())
    }

    /// The erasure that was announced last. One that cannot be read is none: it must not keep the device from working.
    fn last_erasure(&mut self) -> Result<Option<Erasure>, DeviceError> {
        let mut bytes = [0; Erasure::LEN];
        match self
            .store
            .get(&mut self.hardware.flash, record::ERASURE, &mut bytes)
        {
            Ok(_) => Ok(Erasure::from_bytes(&bytes)),
            Err(StoreError::NotFound | StoreError::Tampered | StoreError::Buffer) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
