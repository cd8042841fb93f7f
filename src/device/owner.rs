//! What an owner does with a device: claim it, keep things in it, agree to things.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{Attempt, Authenticated, Iterations, UserPassword},
    hal::{Millis, UnixTime},
};
use iotsec_store::{KeyDomain, KeyId, StoreError};
use iotsec_telemetry::consent::{ConsentPurpose, Consented};
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Owned, Provisioned, Transition,
    record::{self, Records},
};

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Provisioned, F, R, N> {
    /// Makes whoever knows the label's code the owner, at uptime `now`. Their password is the label's until they
    /// [set](Device::set_password) one; [`claim_with`](Self::claim_with) and the [set-up](crate::setup) leave none such.
    ///
    /// *Power loss:* a guess that was begun is counted; the device has an owner or it has not.
    ///
    /// # Errors
    /// [`DeviceError::Login`] for a wrong code or one that came too soon. The device comes back.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn claim(mut self, code: &Attempt<'_>, now: Millis) -> Transition<Device<'d, Owned, F, R, N>, Self> {
        let guessed = self.guess_label(code, now);
        let done = guessed.and_then(|_| self.write(record::OWNER, &[1]));
        self.settle(done)
    }

    /// Checks the label's password, at uptime `now`, for a [`claim_with`](Self::claim_with) later on.
    ///
    /// *Power loss:* a guess that was begun is counted.
    ///
    /// # Errors
    /// [`DeviceError::Login`].
    pub fn check_label(&mut self, code: &Attempt<'_>, now: Millis) -> Result<Authenticated, DeviceError> {
        self.guess_label(code, now)
    }

    /// Makes whoever proved to know the label the owner, with a password of their own: from here on the label's opens
    /// nothing. The proof is that of [`check_label`](Self::check_label) or of a pairing.
    ///
    /// *Power loss:* the device has an owner and their password, or neither.
    ///
    /// # Errors
    /// Failures of store and entropy. The device comes back, the proof does not.
    ///
    /// ```
    /// # use iotsec::core::credential::{Attempt, Exposure, Iterations, UserPassword};
    /// # use iotsec::{core::hal::Millis, device::{Device, DeviceError, Owned, Provisioned}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// # type Unit<'d, S> = Device<'d, S, SimFlash, SimRng, 16>;
    /// fn take<'d>(mut device: Unit<'d, Provisioned>, code: &Attempt<'_>) -> Result<Unit<'d, Owned>, DeviceError> {
    ///     let proof = device.check_label(code, Millis::from_secs(60))?;
    ///     let password = UserPassword::new("seven small otters swim", Exposure::Online, &["LAMP-0042"])?;
    ///     let owned = device.claim_with(proof, &password, Iterations::MCU);
    ///     owned.map_err(|(_, error)| error)
    /// }
    /// ```
    /// A proof makes one owner:
    /// ```compile_fail,E0382
    /// # use iotsec::core::credential::{Authenticated, Iterations, UserPassword};
    /// # use iotsec::device::{Device, Provisioned};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// # type Unit<'d> = Device<'d, Provisioned, SimFlash, SimRng, 16>;
    /// fn twice(a: Unit<'_>, b: Unit<'_>, proof: Authenticated, password: &UserPassword<'_>) {
    ///     let _ = a.claim_with(proof, password, Iterations::MCU);
    ///     let _ = b.claim_with(proof, password, Iterations::MCU);
    /// }
    /// ```
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn claim_with(
        mut self,
        _proof: Authenticated,
        password: &UserPassword<'_>,
        iterations: Iterations,
    ) -> Transition<Device<'d, Owned, F, R, N>, Self> {
        let done = self.write_owner(password, iterations);
        self.settle(done)
    }

    fn write_owner(
        &mut self,
        password: &UserPassword<'_>,
        iterations: Iterations,
    ) -> Result<(), DeviceError> {
        let verifier = self.own_verifier(password, iterations)?;
        let flash = &mut self.hardware.flash;
        let mut change = self.store.transaction();
        change.put(flash, record::OWNER_VERIFIER, &verifier.to_bytes())?;
        change.put(flash, record::OWNER, &[1])?;
        Ok(change.commit(flash)?)
    }
}

iotsec_core::claim! {
    provisions: ["5.1-1"],
    claims: "Whoever becomes the owner this way has chosen a password, and the label's password lets nobody in any more",
    code: [Device::claim_with],
    tests: [
        "iotsec::pairing::whoever_pairs_owns_it_with_a_password_of_their_own",
        "iotsec::setup::what_is_left_is_secure_by_default",
    ],
}

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Owned, F, R, N> {
    /// Stores a value of the application. The device's own namespace is refused; in the user domain also every
    /// namespace that the [`Inventory`](crate::erase::Inventory) does not have, if there is one.
    ///
    /// *Power loss:* the old value or the new one.
    ///
    /// # Errors
    /// [`DeviceError::Reserved`], [`DeviceError::Unregistered`]; failures of the store.
    pub fn put(&mut self, key: KeyId, value: &[u8]) -> Result<(), DeviceError> {
        self.check_key(key)?;
        let registered = self.inventory.is_none_or(|inventory| inventory.covers(key));
        if key.domain() == KeyDomain::User && !registered {
            return Err(DeviceError::Unregistered);
        }
        self.write(key, value)
    }

    /// Reads a value of the application.
    ///
    /// # Errors
    /// [`DeviceError::Reserved`]; failures of the store.
    pub fn get<'o>(&mut self, key: KeyId, out: &'o mut [u8]) -> Result<&'o [u8], DeviceError> {
        self.check_key(key)?;
        Ok(self.store.get(&mut self.hardware.flash, key, out)?)
    }

    /// Bytes of a value of the application; `None` when there is none. Reads no flash.
    ///
    /// # Errors
    /// [`DeviceError::Reserved`].
    ///
    /// ```
    /// # use iotsec::{device::{Device, DeviceError, Owned}, store::{KeyDomain, KeyId}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// fn put_away(device: &mut Device<'_, Owned, SimFlash, SimRng, 16>) -> Result<bool, DeviceError> {
    ///     let key = KeyId::new(KeyDomain::User, 1, 1);
    ///     device.put(key, b"a network")?;
    ///     Ok(device.value_len(key)? == Some(9))
    /// }
    /// ```
    pub fn value_len(&self, key: KeyId) -> Result<Option<usize>, DeviceError> {
        self.check_key(key)?;
        Ok(self.store.value_len(key))
    }

    /// Removes a value of the application.
    ///
    /// # Errors
    /// [`DeviceError::Reserved`]; failures of the store.
    pub fn remove(&mut self, key: KeyId) -> Result<(), DeviceError> {
        self.check_key(key)?;
        Ok(self.store.remove(&mut self.hardware.flash, key)?)
    }

    /// Turns a purpose on, once the owner has agreed to version `text` of what it says.
    ///
    /// # Errors
    /// [`DeviceError::Consent`]; the purpose stays as it was.
    pub fn grant<P: ConsentPurpose>(
        &mut self,
        _owner: &Authenticated,
        text: u32,
        at: Option<UnixTime>,
    ) -> Result<(), DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        Ok(self.consents.grant::<P>(text, at, &mut records)?)
    }

    /// Turns a purpose off and forgets the events that were queued for it, and the key of those that wait in a
    /// [spool](Self::mount_spool): go on with [`purge_spool`](Self::purge_spool). Needs no password: to say no is
    /// always allowed. The service is asked to delete what it has: [`deletion_request`](Device::deletion_request).
    ///
    /// # Errors
    /// [`DeviceError::Consent`]; the purpose is off all the same until the next boot.
    pub fn withdraw<P: ConsentPurpose>(&mut self, at: Option<UnixTime>) -> Result<(), DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let stored = self.consents.withdraw::<P, N>(at, &mut self.queue, &mut records);
        let forgotten = match self.store.remove(&mut self.hardware.flash, record::QUEUE) {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
        };
        let locked = self.forget_spool_key(P::PURPOSE);
        stored?;
        forgotten?;
        locked
    }

    /// Proof that a purpose is on.
    pub fn consent<P: ConsentPurpose>(&self) -> Option<Consented<'_, P>> {
        self.consents.live::<P>()
    }

    fn check_key(&self, key: KeyId) -> Result<(), DeviceError> {
        if record::is_reserved(key) {
            return Err(DeviceError::Reserved);
        }
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["6-6", "5.11-1"],
    claims: "A value of the owner's is stored only where the inventory says what is kept there and why, so that a reset finds it",
    code: [Device::put],
    tests: ["iotsec::erasure::a_place_that_nobody_registered_is_refused"],
}
