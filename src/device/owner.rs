//! What an owner does with a device: claim it, log in, keep things in it, hand it on.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{
        Attempt, Authenticated, Iterations, Login, Pepper, Throttle, ThrottleStatus, Unlock, UserPassword,
        Verifier,
    },
    hal::{Millis, UnixTime},
};
use iotsec_store::{KeyId, Scrub, StoreError};
use iotsec_telemetry::{
    consent::{ConsentPurpose, Consented, Consents},
    queue::Queue,
};
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Owned, Provisioned, Retired, State, Transition,
    record::{self, NAMESPACE, Records},
};

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Provisioned, F, R, N> {
    /// Makes whoever knows the label's code the owner, at uptime `now`.
    ///
    /// *Power loss:* a guess that was begun is counted; the device has an owner or it has not.
    ///
    /// # Errors
    /// [`DeviceError::Login`] for a wrong code or one that came too soon. The device comes back.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn claim(mut self, code: &Attempt<'_>, now: Millis) -> Transition<Device<'d, Owned, F, R, N>, Self> {
        match self
            .guess(code, now)
            .and_then(|_| self.write(record::OWNER, &[1]))
        {
            Ok(()) => Ok(self.into_state()),
            Err(error) => Err((self, error)),
        }
    }
}

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Owned, F, R, N> {
    /// Checks a password, at uptime `now`. What comes back lets its holder act as the owner once, or as
    /// often as it is only shown.
    ///
    /// The password is the label's until the owner has chosen one, and then that one only.
    ///
    /// *Power loss:* a guess that was begun is counted.
    ///
    /// # Errors
    /// [`DeviceError::Login`].
    pub fn login(&mut self, password: &Attempt<'_>, now: Millis) -> Result<Authenticated, DeviceError> {
        self.guess(password, now)
    }

    /// Sets the owner's own password.
    ///
    /// *Power loss:* the old password or the new one.
    ///
    /// # Errors
    /// Failures of store and entropy.
    pub fn set_password(
        &mut self,
        _owner: &Authenticated,
        password: &UserPassword<'_>,
        iterations: Iterations,
    ) -> Result<(), DeviceError> {
        let pepper = Pepper::derive(self.hardware.root, self.product.suite.kdf)?;
        let verifier = Verifier::for_user(password, iterations, &pepper, &mut self.hardware.rng)?;
        self.write(record::OWNER_VERIFIER, &verifier.to_bytes())
    }

    /// Stores a value of the application. The device's own namespace is refused.
    ///
    /// *Power loss:* the old value or the new one.
    ///
    /// # Errors
    /// [`DeviceError::Reserved`]; failures of the store.
    pub fn put(&mut self, key: KeyId, value: &[u8]) -> Result<(), DeviceError> {
        self.check_key(key)?;
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

    /// Turns a purpose off and forgets the events that were queued for it. Needs no password: to say no is
    /// always allowed.
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
        stored?;
        Ok(forgotten?)
    }

    /// Proof that a purpose is on.
    pub fn consent<P: ConsentPurpose>(&self) -> Option<Consented<'_, P>> {
        self.consents.live::<P>()
    }

    /// Erases everything that belongs to the owner. The identity of the device stays; it can be claimed
    /// again with the label's code. Then call [`scrub_step`](Device::scrub_step) until it is done.
    ///
    /// *Power loss:* the owner's data are all there or gone.
    ///
    /// # Errors
    /// Failures of the store. The device comes back; call again.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn reset(mut self, _owner: Authenticated) -> Transition<Device<'d, Provisioned, F, R, N>, Self> {
        match self.forget_owner() {
            Ok(()) => Ok(self.into_state()),
            Err(error) => Err((self, error)),
        }
    }

    /// Takes the device out of service: erases the owner's data and every secret of the device.
    /// Then call [`scrub_step`](Device::scrub_step) until it is done.
    ///
    /// *Power loss:* the device is in service, or retired and finishes by itself at the next boot's
    /// [`scrub_step`](Device::scrub_step).
    ///
    /// # Errors
    /// Failures of the store. The device comes back; call again.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub fn retire(mut self, _owner: Authenticated) -> Transition<Device<'d, Retired, F, R, N>, Self> {
        match self.write_state(State::Retired) {
            Ok(()) => {
                let mut device: Device<'d, Retired, F, R, N> = self.into_state();
                // What cannot be erased now is erased by `scrub_step`.
                let _ = device.erase_secrets();
                Ok(device)
            }
            Err(error) => Err((self, error)),
        }
    }

    fn check_key(&self, key: KeyId) -> Result<(), DeviceError> {
        if key.namespace() == NAMESPACE {
            Err(DeviceError::Reserved)
        } else {
            Ok(())
        }
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Provisioned, F, R, N> {
    /// Removes what is left in flash of an owner before, even encrypted: at most one erase a call. Call until
    /// [`Scrub::Done`]; goes on after a reboot.
    ///
    /// # Errors
    /// Failures of the store; call again.
    pub fn scrub_step(&mut self) -> Result<Scrub, DeviceError> {
        Ok(self.store.scrub_step(&mut self.hardware.flash)?)
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Retired, F, R, N> {
    /// Removes what is left in flash, even encrypted: at most a few erases a call. Call until
    /// [`Scrub::Done`]; goes on after a reboot.
    ///
    /// # Errors
    /// Failures of the store; call again.
    pub fn scrub_step(&mut self) -> Result<Scrub, DeviceError> {
        if record::SECRETS.iter().any(|key| self.store.contains(*key)) || self.store.contains(record::OWNER) {
            self.erase_secrets()?;
            return Ok(Scrub::Pending);
        }
        Ok(self.store.scrub_step(&mut self.hardware.flash)?)
    }

    fn erase_secrets(&mut self) -> Result<(), DeviceError> {
        for key in record::SECRETS {
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
    /// What the next password guess would meet at uptime `now`.
    ///
    /// # Errors
    /// A throttle record that is missing or damaged.
    pub fn login_status(&mut self, now: Millis) -> Result<ThrottleStatus, DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        Ok(self.throttle.status(&mut records, now)?)
    }

    /// Lets guesses begin anew, for somebody who stands before the device and has pressed its button.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn unlock(&mut self, unlock: Unlock) -> Result<(), DeviceError> {
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        Ok(self.throttle.release(&mut records, unlock)?)
    }

    fn guess(&mut self, attempt: &Attempt<'_>, now: Millis) -> Result<Authenticated, DeviceError> {
        let key = if self.store.contains(record::OWNER_VERIFIER) {
            record::OWNER_VERIFIER
        } else {
            record::LABEL_VERIFIER
        };
        let mut bytes = [0; Verifier::LEN];
        let bytes = self.store.get(&mut self.hardware.flash, key, &mut bytes)?;
        let verifier = Verifier::from_bytes(bytes)?;
        let pepper = Pepper::derive(self.hardware.root, self.product.suite.kdf)?;
        let mut records = Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        };
        let throttle = core::mem::replace(&mut self.throttle, Throttle::new(self.product.throttle));
        let mut login = Login::new(throttle, &pepper);
        let answer = login.attempt(&mut records, &verifier, attempt, now);
        core::mem::swap(&mut self.throttle, login.throttle());
        Ok(answer?)
    }

    pub(crate) fn forget_owner(&mut self) -> Result<(), DeviceError> {
        self.store
            .erase_user(&mut self.hardware.flash, &mut self.hardware.rng)?;
        self.consents = Consents::off();
        self.queue = Queue::new(self.product.events, self.boot_number()?, self.product.reserve);
        Ok(())
    }
}
