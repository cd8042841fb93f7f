//! Passwords: made in the factory, chosen by the owner.

use core::ffi::c_char;

use iotsec::core::{
    credential::{
        Cost, DevicePassword, Exposure, Iterations, Label, Pepper, Throttle, ThrottleError, UserPassword,
        Verifier,
    },
    crypto::HkdfSha256,
};

use crate::{
    argon2id::{Lent, iotsec_argon2id_t},
    argument,
    entropy::{CEntropy, iotsec_entropy_t},
    record::{CRecord, iotsec_record_t},
    root_key::{CRootKey, iotsec_root_key_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Where a password can be attacked, which decides how long it must be.
pub type iotsec_exposure_t = i32;

/// Only through the device, behind the throttle: 12 symbols with 60 bits, or 12 characters chosen.
pub const IOTSEC_EXPOSURE_ONLINE: iotsec_exposure_t = 1;
/// Also at the attacker's desk, as a Wi-Fi passphrase: 16 symbols with 80 bits, or 15 characters chosen.
pub const IOTSEC_EXPOSURE_OFFLINE: iotsec_exposure_t = 2;

/// Bytes of the longest label, without a final zero.
pub const IOTSEC_LABEL_MAX: usize = 21;
/// Bytes of the longest password that a person may choose.
pub const IOTSEC_PASSWORD_MAX: usize = 256;

/// Most words of context that one call takes.
pub const IOTSEC_CONTEXT_MAX: usize = 8;
/// Rounds of PBKDF2 for a microcontroller: some seconds at 64 MHz. The root key carries the security.
pub const IOTSEC_ITERATIONS_MCU: u32 = 10_000;
/// Rounds of PBKDF2 for Linux.
pub const IOTSEC_ITERATIONS_HOST: u32 = 600_000;

const _: () = assert!(IOTSEC_LABEL_MAX == Label::MAX_LEN);
const _: () = assert!(IOTSEC_PASSWORD_MAX == UserPassword::MAX_BYTES);
const _: () = assert!(IOTSEC_ITERATIONS_MCU == Iterations::MCU.count());
const _: () = assert!(IOTSEC_ITERATIONS_HOST == Iterations::HOST.count());
const _: () = assert!(crate::record::IOTSEC_RECORD_MAX >= Verifier::LEN);

/// One credential of a device: where its two records are, and what protects them.
///
/// Give every interface that a stranger can reach a throttle record of its own, so that guessing over the
/// network does not lock the owner out at the local port.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_credential_t {
    /// `sizeof(iotsec_credential_t)`.
    pub struct_size: u32,
    /// The salted and keyed hash of the password.
    pub verifier: iotsec_record_t,
    /// The count of wrong guesses.
    pub throttle: iotsec_record_t,
    /// Without the device's root key, a copied verifier cannot be attacked anywhere else.
    pub root_key: iotsec_root_key_t,
}

/// A credential with its parts checked.
#[derive(Clone, Copy)]
pub(crate) struct Credential {
    pub(crate) verifier: CRecord,
    pub(crate) throttle: CRecord,
    root_key: CRootKey,
}

impl Credential {
    /// # Safety
    /// As [`argument::sized`].
    pub(crate) unsafe fn new(credential: *const iotsec_credential_t) -> Result<Self, Status> {
        // SAFETY: the caller's word, passed on.
        let credential = unsafe { argument::sized(credential) }?;
        Ok(Self {
            verifier: CRecord::new(credential.verifier)?,
            throttle: CRecord::new(credential.throttle)?,
            root_key: CRootKey::new(argument::same_size(
                credential.root_key,
                credential.root_key.struct_size,
            )?)?,
        })
    }

    /// Derived for each use, so that it does not stay in memory.
    pub(crate) fn pepper(&self) -> Result<Pepper<'static>, Status> {
        Ok(Pepper::derive(&self.root_key, &HkdfSha256)?)
    }
}

/// Makes the password of this unit, once, in the factory: draws it, saves its verifier and the first
/// throttle record, and writes the text for the label, `XXXX-XXXX-XXXX-C` with a check symbol, to `label`, which
/// holds `IOTSEC_LABEL_MAX` bytes or more.
///
/// The label is the one copy of the password. Print it, then wipe it.
///
/// `IOTSEC_ERR_THROTTLE_ALREADY_INITIALISED` when this unit has a verifier already. Power loss leaves a unit
/// without a verifier, for which the call can be repeated, or a unit with a verifier whose label was not
/// seen: remove both records and start again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_password_generate(
    credential: *const iotsec_credential_t,
    entropy: *const iotsec_entropy_t,
    exposure: iotsec_exposure_t,
    label: *mut c_char,
    label_size: usize,
    label_len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        let (mut credential, entropy, label) = unsafe {
            (
                Credential::new(credential)?,
                argument::sized(entropy)?,
                argument::buffer(label.cast(), label_size, label_len)?,
            )
        };
        let mut entropy = CEntropy::new(entropy)?;
        let exposure = exposure_of(exposure)?;
        // A buffer that is too small must be known before anything is saved.
        let label = label.at_least(IOTSEC_LABEL_MAX)?;
        if credential.verifier.load(&mut [0; Verifier::LEN])?.is_some() {
            return Err(ThrottleError::AlreadyInitialised.into());
        }
        let password = DevicePassword::generate(exposure, &mut entropy)?;
        let verifier = Verifier::for_device(&password, &credential.pepper()?, &mut entropy)?;
        match Throttle::initialise(&mut credential.throttle) {
            // Left behind by a call that was cut before it saved a verifier.
            Ok(()) | Err(ThrottleError::AlreadyInitialised) => {}
            Err(error) => return Err(error.into()),
        }
        credential.verifier.save(&verifier.to_bytes())?;
        label.copy(password.label().as_str().as_bytes())
    })
}

/// Replaces the password by one that a person chose. Call it only after `iotsec_login_attempt_label()` or
/// `iotsec_login_attempt_text()` succeeded, or for somebody who shows to be at the device.
///
/// `password` is UTF-8, `password_len` bytes. `context` holds `context_count` texts that end in zero, at most
/// `IOTSEC_CONTEXT_MAX`: what others can read off the device, as product, serial number and network name; the
/// password may not show one. `iterations` are those of PBKDF2, `IOTSEC_ITERATIONS_MCU` or more.
///
/// `IOTSEC_ERR_PASSWORD_*` says which rule refused it, and may be shown to the person. Power loss leaves the
/// old or the new password.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_password_choose(
    credential: *const iotsec_credential_t,
    entropy: *const iotsec_entropy_t,
    exposure: iotsec_exposure_t,
    iterations: u32,
    password: *const c_char,
    password_len: usize,
    context: *const *const c_char,
    context_count: usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let password = argument::text(password, password_len)?;
        choose(
            (credential, entropy),
            (exposure, password),
            (context, context_count),
            |pepper| Ok((Iterations::new(iterations)?.into(), pepper)),
        )
    })
}

/// The same, stretched with Argon2id in memory that is lent for the call. From then on every login needs such memory:
/// `iotsec_login_lend_argon2id()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_password_choose_argon2id(
    credential: *const iotsec_credential_t,
    entropy: *const iotsec_entropy_t,
    exposure: iotsec_exposure_t,
    argon2id: *const iotsec_argon2id_t,
    password: *const c_char,
    password_len: usize,
    context: *const *const c_char,
    context_count: usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (lent, password) = (Lent::new(argon2id)?, argument::text(password, password_len)?);
        choose(
            (credential, entropy),
            (exposure, password),
            (context, context_count),
            |pepper| Ok((lent.cost(), pepper.with_memory_hard(lent.function()))),
        )
    })
}

/// Makes and saves the verifier of a password that a person chose, at the cost and with the pepper that `cost` gives.
///
/// # Safety
/// As [`argument::sized`] and [`context_words`].
unsafe fn choose<'p>(
    (credential, entropy): (*const iotsec_credential_t, *const iotsec_entropy_t),
    (exposure, password): (iotsec_exposure_t, &str),
    (context, context_count): (*const *const c_char, usize),
    cost: impl FnOnce(Pepper<'p>) -> Result<(Cost, Pepper<'p>), Status>,
) -> Result<(), Status> {
    let mut words = [""; IOTSEC_CONTEXT_MAX];
    // SAFETY: the caller's word, passed on.
    let (mut credential, entropy, words) = unsafe {
        (
            Credential::new(credential)?,
            argument::sized(entropy)?,
            context_words(context, context_count, &mut words)?,
        )
    };
    let mut entropy = CEntropy::new(entropy)?;
    let password = UserPassword::new(password, exposure_of(exposure)?, words)?;
    let (cost, pepper) = cost(credential.pepper()?)?;
    let verifier = Verifier::for_user(&password, cost, &pepper, &mut entropy)?;
    Ok(credential.verifier.save(&verifier.to_bytes())?)
}

pub(crate) fn exposure_of(exposure: iotsec_exposure_t) -> Result<Exposure, Status> {
    match exposure {
        IOTSEC_EXPOSURE_ONLINE => Ok(Exposure::Online),
        IOTSEC_EXPOSURE_OFFLINE => Ok(Exposure::Offline),
        _ => Err(CallError::Config.into()),
    }
}

/// # Safety
/// `context` is null, or points to `count` pointers, each null or to text that ends in zero.
pub(crate) unsafe fn context_words<'w>(
    context: *const *const c_char,
    count: usize,
    words: &'w mut [&'static str; IOTSEC_CONTEXT_MAX],
) -> Result<&'w [&'static str], Status> {
    if context.is_null() || !context.is_aligned() {
        return Err(CallError::Null.into());
    }
    let words = words.get_mut(..count).ok_or(CallError::Size)?;
    for (at, word) in words.iter_mut().enumerate() {
        // SAFETY: `at` is below `count`, and the caller says that so many pointers are there.
        let text = unsafe { context.add(at).read() };
        // SAFETY: the caller's word, passed on. It is used during this call only.
        *word = unsafe { argument::zero_ended(text) }?;
    }
    Ok(words)
}
