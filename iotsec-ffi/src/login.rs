//! Login: count the guess, compare, clear the count.

use core::ffi::{c_char, c_void};

use iotsec::core::{
    credential::{
        self, Attempt, Authenticated, Cost, Iterations, PhysicalPresence, Scheme, Throttle, ThrottleError,
        ThrottlePolicy, ThrottleStatus, Unlock, Verifier, VerifierError,
    },
    crypto::CryptoError,
    hal::Millis,
};

use crate::{
    argon2id::{Lent, iotsec_argon2id_t},
    argument,
    entropy::{CEntropy, iotsec_entropy_t},
    object::{self, Storage},
    password::{Credential, iotsec_credential_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Words of 8 bytes that a login takes.
pub const IOTSEC_LOGIN_WORDS: usize = 32;

/// The login to one interface of the device, for one boot, in the caller's storage. Start it by
/// `iotsec_login_open()`, end it by `iotsec_login_close()`.
#[repr(C)]
pub struct iotsec_login_t {
    opaque: [u64; IOTSEC_LOGIN_WORDS],
}

/// What lives in an [`iotsec_login_t`].
pub(crate) struct Login {
    credential: Credential,
    throttle: Throttle,
    lent: Option<Lent>,
}

impl Storage for iotsec_login_t {
    type Kept = ();
    type Value = Login;
    const KIND: u32 = 0x4C6F_6731;
}

/// How many guesses, and how fast. Within bounds that the law sets; see `IOTSEC_ERR_THROTTLE_POLICY`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_login_policy_t {
    /// `sizeof(iotsec_login_policy_t)`.
    pub struct_size: u32,
    /// Guesses in all until somebody unlocks, 1 to 100.
    pub limit: u32,
    /// The longest wait between two guesses: 60 000 (a minute) to 86 400 000 (a day).
    pub longest_ms: u64,
}

/// What the next guess would meet. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_login_status_t {
    /// Wrong guesses since the last right one.
    pub failures: u32,
    /// Guesses left before the lock.
    pub left: u32,
    /// Time until the next guess is taken.
    pub remaining_ms: u64,
}

const _: () = assert!(size_of::<iotsec_login_status_t>() == 16);

impl From<ThrottleStatus> for iotsec_login_status_t {
    fn from(status: ThrottleStatus) -> Self {
        Self {
            failures: status.failures.into(),
            left: status.left.into(),
            remaining_ms: status.remaining.0,
        }
    }
}

/// What kind of password let somebody in.
pub type iotsec_scheme_t = i32;

/// The preset of the unit; the product may ask for a new one before anything else.
pub const IOTSEC_SCHEME_GENERATED: iotsec_scheme_t = 1;
/// One that a person chose.
pub const IOTSEC_SCHEME_CHOSEN: iotsec_scheme_t = 2;

/// A person at the device: a button, a jumper, a case switch.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_presence_t {
    /// `sizeof(iotsec_presence_t)`.
    pub struct_size: u32,
    /// Handed to the callback.
    pub ctx: *mut c_void,
    /// Returns 1 while the person shows it and 0 otherwise. Must not be reachable over any network, or be
    /// latched.
    pub is_asserted: Option<unsafe extern "C" fn(ctx: *mut c_void) -> i32>,
}

pub(crate) struct CPresence(iotsec_presence_t);

impl CPresence {
    /// # Safety
    /// As [`argument::sized`].
    pub(crate) unsafe fn new(presence: *const iotsec_presence_t) -> Result<Self, Status> {
        // SAFETY: the caller's word, passed on.
        let presence = unsafe { argument::sized(presence) }?;
        if presence.is_asserted.is_none() {
            return Err(CallError::Null.into());
        }
        Ok(Self(presence))
    }

    /// The right to clear a count, if somebody is there now.
    pub(crate) fn unlock(mut self) -> Result<Unlock, Status> {
        Ok(Unlock::by_presence(&mut self).ok_or(CallError::Presence)?)
    }
}

impl PhysicalPresence for CPresence {
    fn is_asserted(&mut self) -> bool {
        // SAFETY: the callback is the caller's, called as its documentation says.
        self.0
            .is_asserted
            .is_some_and(|is_asserted| unsafe { is_asserted(self.0.ctx) } == 1)
    }
}

/// Starts a login. `credential` is copied. `policy` may be null: 100 guesses, at most 15 minutes between two.
///
/// Open it once after a boot and keep it: one opened for every guess is as safe, but may make the owner wait
/// longer after a reboot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_open(
    login: *mut iotsec_login_t,
    credential: *const iotsec_credential_t,
    policy: *const iotsec_login_policy_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::start(login, (), |()| {
                Ok(Login {
                    credential: Credential::new(credential)?,
                    throttle: Throttle::new(policy_of(policy)?),
                    lent: None,
                })
            })
        }
    })
}

/// Lends memory with which passwords are checked that were stretched with Argon2id, until the login is closed; see
/// `iotsec_argon2id_t`. Lent again, it takes the place of what was lent before. Without it a guess at such a password ends
/// with `IOTSEC_ERR_CRYPTO_ALGORITHM`, and is not counted. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_lend_argon2id(
    login: *mut iotsec_login_t,
    argon2id: *const iotsec_argon2id_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let lent = Lent::new(argon2id)?;
            object::enter(login, |login| {
                login.lent = Some(lent);
                Ok(())
            })
        }
    })
}

/// Takes one guess at the password on the label: `text` as it was typed, `text_len` bytes of UTF-8, at
/// `uptime_ms` since this boot. Writes to `scheme` what kind of password it was.
///
/// `IOTSEC_ERR_LABEL_*` is a slip of the hand, which the check symbol shows, and costs no guess.
/// `IOTSEC_ERR_LOGIN_REFUSED` is a wrong password. `IOTSEC_ERR_THROTTLE_WAIT` and `_LOCKED` mean that no guess
/// was taken; `iotsec_login_status()` says how long to wait. Anything else means that the guess could not be
/// counted, and then nothing was compared.
///
/// The count is saved before the comparison, so that power loss at any moment costs a guess and never gives
/// one away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_attempt_label(
    login: *mut iotsec_login_t,
    text: *const c_char,
    text_len: usize,
    uptime_ms: u64,
    scheme: *mut iotsec_scheme_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        attempt_with(login, text, text_len, uptime_ms, scheme, |text| {
            Ok(Attempt::from_label(text)?)
        })
    }
}

/// Takes one guess at a password that a person chose; for the rest see `iotsec_login_attempt_label()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_attempt_text(
    login: *mut iotsec_login_t,
    text: *const c_char,
    text_len: usize,
    uptime_ms: u64,
    scheme: *mut iotsec_scheme_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        attempt_with(login, text, text_len, uptime_ms, scheme, |text| {
            Ok(Attempt::from_text(text)?)
        })
    }
}

/// The same, and stretches a right password anew when that is done differently now: with memory that is lent since, or, if
/// none is, with other `iterations` of PBKDF2. It takes twice as long then. What cannot be saved leaves the password as
/// it was, and the login counts.
///
/// Power loss: a guess that was begun is counted; the same password is right in any case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_attempt_with_rehash(
    login: *mut iotsec_login_t,
    entropy: *const iotsec_entropy_t,
    iterations: u32,
    text: *const c_char,
    text_len: usize,
    uptime_ms: u64,
    scheme: *mut iotsec_scheme_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let mut entropy = CEntropy::new(argument::sized(entropy)?)?;
            let (text, scheme) = (argument::text(text, text_len)?, argument::out(scheme)?);
            object::enter(login, |login| {
                let iterations = Iterations::new(iterations)?;
                let attempt = Attempt::from_text(text)?;
                let used =
                    login.attempt_with_rehash(&attempt, Millis(uptime_ms), iterations, &mut entropy)?;
                scheme.set(scheme_to_c(used));
                Ok(())
            })
        }
    })
}

/// Says what the next guess would meet at `uptime_ms` since this boot. Writes nothing to flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_status(
    login: *mut iotsec_login_t,
    uptime_ms: u64,
    result: *mut iotsec_login_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let result = argument::out(result)?;
            object::enter(login, |login| {
                let status = login
                    .throttle
                    .status(&mut login.credential.throttle, Millis(uptime_ms))?;
                result.set(status.into());
                Ok(())
            })
        }
    })
}

/// Clears the count for somebody at the device, whatever state its record is in: at the limit, damaged or
/// missing. `IOTSEC_ERR_PRESENCE` when `presence` says that nobody is there. Power loss leaves the old count or
/// none: repeat it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_unlock(
    login: *mut iotsec_login_t,
    presence: *const iotsec_presence_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let presence = CPresence::new(presence)?;
            object::enter(login, |login| {
                let unlock = presence.unlock()?;
                Ok(login.throttle.release(&mut login.credential.throttle, unlock)?)
            })
        }
    })
}

/// Ends a login. The storage may be used again; the records stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_close(login: *mut iotsec_login_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(login) })
}

/// # Safety
/// As [`argument::sized`], or null.
pub(crate) unsafe fn policy_of(policy: *const iotsec_login_policy_t) -> Result<ThrottlePolicy, Status> {
    if policy.is_null() {
        return Ok(ThrottlePolicy::DEFAULT);
    }
    // SAFETY: the caller's word, passed on.
    let policy = unsafe { argument::sized(policy) }?;
    let limit = u8::try_from(policy.limit).map_err(|_| ThrottleError::Policy)?;
    Ok(ThrottlePolicy::new(limit, Millis(policy.longest_ms))?)
}

/// Takes one guess, for the proof that somebody is who they say.
///
/// # Safety
/// As [`object::enter`].
pub(crate) unsafe fn proof(
    login: *mut iotsec_login_t,
    attempt: &Attempt<'_>,
    now: Millis,
) -> Result<Authenticated, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe { object::enter(login, |login| login.attempt(attempt, now)) }
}

/// # Safety
/// As [`object::enter`], [`argument::text`] and [`argument::out`].
unsafe fn attempt_with(
    login: *mut iotsec_login_t,
    text: *const c_char,
    text_len: usize,
    uptime_ms: u64,
    scheme: *mut iotsec_scheme_t,
    read: impl FnOnce(&str) -> Result<Attempt<'_>, Status>,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, passed on.
        unsafe {
            let (text, scheme) = (argument::text(text, text_len)?, argument::out(scheme)?);
            object::enter(login, |login| {
                let proof = login.attempt(&read(text)?, Millis(uptime_ms))?;
                scheme.set(scheme_to_c(proof.scheme()));
                Ok(())
            })
        }
    })
}

const fn scheme_to_c(scheme: Scheme) -> iotsec_scheme_t {
    match scheme {
        Scheme::Generated => IOTSEC_SCHEME_GENERATED,
        _ => IOTSEC_SCHEME_CHOSEN,
    }
}

impl Login {
    fn verifier(&mut self) -> Result<Verifier, Status> {
        let mut record = [0; Verifier::LEN];
        let verifier = match self.credential.verifier.load(&mut record)? {
            Some(len) => Verifier::from_bytes(record.get(..len).unwrap_or_default())?,
            None => return Err(VerifierError::Length.into()),
        };
        if matches!(verifier.scheme(), Scheme::MemoryHard(_)) && self.lent.is_none() {
            // Nobody could be let in: that is no guess.
            return Err(CryptoError::Algorithm.into());
        }
        Ok(verifier)
    }

    fn attempt(&mut self, attempt: &Attempt<'_>, now: Millis) -> Result<Authenticated, Status> {
        let verifier = self.verifier()?;
        let mut pepper = self.credential.pepper()?;
        if let Some(lent) = &self.lent {
            pepper = pepper.with_memory_hard(lent.function());
        }
        let permit = self.throttle.begin(&mut self.credential.throttle, now)?;
        let matched = verifier.check(permit, attempt, &pepper)?;
        Ok(self.throttle.succeed(&mut self.credential.throttle, matched)?)
    }

    fn attempt_with_rehash(
        &mut self,
        attempt: &Attempt<'_>,
        now: Millis,
        iterations: Iterations,
        entropy: &mut CEntropy,
    ) -> Result<Scheme, Status> {
        let verifier = self.verifier()?;
        let (mut pepper, mut cost) = (self.credential.pepper()?, Cost::from(iterations));
        if let Some(lent) = &self.lent {
            (pepper, cost) = (pepper.with_memory_hard(lent.function()), lent.cost());
        }
        // The one in its place is never asked.
        let throttle = core::mem::replace(&mut self.throttle, Throttle::new(ThrottlePolicy::DEFAULT));
        let mut login = credential::Login::new(throttle, &pepper);
        let record = &mut self.credential.throttle;
        let answer = login.attempt_with_rehash(record, &verifier, attempt, now, cost, entropy);
        core::mem::swap(&mut self.throttle, login.throttle());
        let (proof, again) = answer?;
        if let Some(verifier) = again {
            // The password is the same one: there is nothing to tell if the old verifier stays.
            let _ = self.credential.verifier.save(&verifier.to_bytes());
        }
        Ok(proof.scheme())
    }
}
