//! The passwords of a device: the label's, and the one that its owner chooses.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    credential::{
        Attempt, Authenticated, Cost, Iterations, Login, MemoryCost, Pepper, Scheme, Throttle,
        ThrottleStatus, Unlock, UserPassword, Verifier,
    },
    crypto::{CryptoError, MemoryHard},
    hal::Millis,
};
use iotsec_store::{KeyId, Store};
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Hardware, MemoryHardness, Owned, Product,
    record::{self, Count},
};

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// Checks a password, at uptime `now`. What comes back lets its holder act as the owner once, or as
    /// often as it is only shown.
    ///
    /// The password is the label's until the owner has chosen one, and then that one only.
    ///
    /// *Power loss:* a guess that was begun is counted.
    ///
    /// # Errors
    /// [`DeviceError::Login`]. [`DeviceError::Crypto`], and no guess is counted, for a password that was stretched by a
    /// [function](Device::with_memory_hard) which is not lent now.
    pub fn login(&mut self, password: &Attempt<'_>, now: Millis) -> Result<Authenticated, DeviceError> {
        Ok(self.guess_at(self.own_key(), password, now, None)?.0)
    }

    /// [`login`](Self::login), and stretches the owner's password anew when that is done differently now: with other
    /// `iterations`, or with memory that is lent since. It takes twice as long then. What cannot be stored leaves the
    /// password as it was, and the login counts.
    ///
    /// *Power loss:* a guess that was begun is counted; the same password opens the device in any case.
    ///
    /// # Errors
    /// As [`login`](Self::login).
    ///
    /// ```
    /// # use iotsec::core::credential::{Attempt, Authenticated, Iterations, MemoryCost};
    /// # use iotsec::{core::{crypto::Argon2id, hal::Millis}, device::{Device, DeviceError, Owned}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// # type Unit<'d> = Device<'d, Owned, SimFlash, SimRng, 16>;
    /// fn enter<'d>(
    ///     device: Unit<'d>,
    ///     argon2: &'d Argon2id<'d>,
    ///     password: &str,
    ///     now: Millis,
    /// ) -> Result<(Unit<'d>, Authenticated), DeviceError> {
    ///     let mut device = device.with_memory_hard(argon2, MemoryCost::DEVICE);
    ///     let owner = device.login_with_rehash(&Attempt::from_text(password)?, now, Iterations::MCU)?;
    ///     Ok((device, owner))
    /// }
    /// ```
    pub fn login_with_rehash(
        &mut self,
        password: &Attempt<'_>,
        now: Millis,
        iterations: Iterations,
    ) -> Result<Authenticated, DeviceError> {
        let cost = self.cost(iterations);
        let key = self.own_key();
        let (owner, again) = self.guess_at(key, password, now, Some(cost))?;
        if let Some(verifier) = again {
            // The password is the same one: there is nothing to tell if the old verifier stays.
            let _ = self.write(key, &verifier.to_bytes());
        }
        Ok(owner)
    }

    /// Sets the owner's own password: stretched with Argon2id where [memory is lent](Device::with_memory_hard), else with
    /// so many iterations of PBKDF2.
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
        let verifier = self.own_verifier(password, iterations)?;
        self.write(record::OWNER_VERIFIER, &verifier.to_bytes())
    }

    fn own_key(&self) -> KeyId {
        if self.has_own_password() {
            record::OWNER_VERIFIER
        } else {
            record::LABEL_VERIFIER
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.5-3"],
    claims: "The next right password is stretched anew at a higher cost, so that a stored hash does not stay as weak as it was made",
    code: [Device::login_with_rehash],
    tests: ["iotsec::rehash::the_next_right_password_is_stretched_anew_and_a_wrong_one_is_not"],
}

iotsec_core::claim! {
    provisions: ["5.1-4"],
    claims: "An owner changes the password in one write: of the old and the new one, one lets in, wherever the power is cut",
    code: [Device::set_password],
    tests: [
        "iotsec::life_under_power_cuts::a_new_password_replaces_the_old_one_or_does_not",
        "iotsec-core::credential_login::an_owner_changes_the_preset_and_the_old_password_is_refused",
    ],
}

impl<'d, S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, S, F, R, N> {
    /// From here on, passwords that are chosen are stretched by `function` at `cost`, for products with memory for it;
    /// those that were stretched so before can be checked. Not stored: to be said at each boot, and never to be left
    /// out again once an owner has such a password.
    #[must_use]
    pub fn with_memory_hard(mut self, function: &'d dyn MemoryHard, cost: MemoryCost) -> Self {
        self.memory_hard = Some(MemoryHardness { function, cost });
        self
    }

    /// What the next password guess would meet at uptime `now`.
    ///
    /// # Errors
    /// A throttle record that is missing or damaged.
    pub fn login_status(&mut self, now: Millis) -> Result<ThrottleStatus, DeviceError> {
        let mut count = Count {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            key: record::THROTTLE,
        };
        Ok(self.throttle.status(&mut count, now)?)
    }

    /// Lets guesses begin anew, for somebody who stands before the device and has pressed its button.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn unlock(&mut self, unlock: Unlock) -> Result<(), DeviceError> {
        let mut count = Count {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            key: record::THROTTLE,
        };
        Ok(self.throttle.release(&mut count, unlock)?)
    }

    /// Whether the owner has chosen a password, which then counts in the place of the label's.
    pub(crate) fn has_own_password(&self) -> bool {
        self.store.contains(record::OWNER_VERIFIER)
    }

    pub(crate) fn own_verifier(
        &mut self,
        password: &UserPassword<'_>,
        iterations: Iterations,
    ) -> Result<Verifier, DeviceError> {
        let (cost, pepper) = (self.cost(iterations), self.pepper()?);
        Ok(Verifier::for_user(
            password,
            cost,
            &pepper,
            &mut self.hardware.rng,
        )?)
    }

    /// A guess at the label's password.
    pub(crate) fn guess_label(
        &mut self,
        attempt: &Attempt<'_>,
        now: Millis,
    ) -> Result<Authenticated, DeviceError> {
        Ok(self.guess_at(record::LABEL_VERIFIER, attempt, now, None)?.0)
    }

    /// A guess at the password whose verifier is under `key`; with a new one, if it is not of that cost.
    fn guess_at(
        &mut self,
        key: KeyId,
        attempt: &Attempt<'_>,
        now: Millis,
        cost: Option<Cost>,
    ) -> Result<(Authenticated, Option<Verifier>), DeviceError> {
        let memory = self.memory_hard;
        let (hardware, store, throttle) = (&mut self.hardware, &mut self.store, &mut self.throttle);
        guess(
            (hardware, store, throttle),
            &self.product,
            memory,
            key,
            attempt,
            now,
            cost,
        )
    }

    fn cost(&self, iterations: Iterations) -> Cost {
        match self.memory_hard {
            Some(hardness) => hardness.cost.into(),
            None => iterations.into(),
        }
    }

    fn pepper(&self) -> Result<Pepper<'d>, DeviceError> {
        pepper(&self.hardware, &self.product, self.memory_hard)
    }
}

fn pepper<'d, F, R>(
    hardware: &Hardware<'d, F, R>,
    product: &Product<'d>,
    memory: Option<MemoryHardness<'d>>,
) -> Result<Pepper<'d>, DeviceError> {
    let pepper = Pepper::derive(hardware.root, product.suite.kdf)?;
    Ok(match memory {
        Some(hardness) => pepper.with_memory_hard(hardness.function),
        None => pepper,
    })
}

/// A guess at the password whose verifier is under `key`. Of the device's parts, and not of the device: its code is the
/// same in every state.
#[inline(never)]
fn guess<'d, F: NorFlash, R: TryCryptoRng>(
    (hardware, store, throttle): (&mut Hardware<'d, F, R>, &mut Store<'d>, &mut Throttle),
    product: &Product<'d>,
    memory: Option<MemoryHardness<'d>>,
    key: KeyId,
    attempt: &Attempt<'_>,
    now: Millis,
    cost: Option<Cost>,
) -> Result<(Authenticated, Option<Verifier>), DeviceError> {
    let mut bytes = [0; Verifier::LEN];
    let bytes = store.get(&mut hardware.flash, key, &mut bytes)?;
    let verifier = Verifier::from_bytes(bytes)?;
    if matches!(verifier.scheme(), Scheme::MemoryHard(_)) && memory.is_none() {
        // Nobody could be let in: that is no guess.
        return Err(CryptoError::Algorithm.into());
    }
    let pepper = pepper(hardware, product, memory)?;
    let mut count = Count {
        store,
        flash: &mut hardware.flash,
        key: record::THROTTLE,
    };
    let before = core::mem::replace(throttle, Throttle::new(product.throttle));
    let mut login = Login::new(before, &pepper);
    let answer = match cost {
        None => login
            .attempt(&mut count, &verifier, attempt, now)
            .map(|owner| (owner, None)),
        Some(cost) => {
            let rng = &mut hardware.rng;
            login.attempt_with_rehash(&mut count, &verifier, attempt, now, cost, rng)
        }
    };
    core::mem::swap(throttle, login.throttle());
    Ok(answer?)
}
