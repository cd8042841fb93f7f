//! The identity of a device that rotates: a key, its certificate, and how it gets a new one without ever being without.

use core::ffi::{c_char, c_void};

use iotsec::{
    core::{
        crypto::{
            Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, KeyType, P256PublicKey, P256SigningKey,
            SIGNATURE_LEN, Sign, VerifyingKey,
        },
        identity::{
            CertificationRequest, IdentityKey, IdentityPlace, Rotation, RotationError, RotationStatus,
            Subject, Trial,
        },
    },
    identity::StoredIdentity,
    store::keys::{Algorithm, KeyKind, KeySuite, SignAlgorithm},
};

use super::{Held, Life, iotsec_device_t};
use crate::{
    argument,
    entropy::CEntropy,
    flash::CFlash,
    object,
    signer::{IOTSEC_KEY_ED25519, IOTSEC_KEY_P256, IOTSEC_PUBLIC_KEY_MAX, iotsec_signer_t},
    status::{CallError, IOTSEC_OK, Status, iotsec_status_t, status},
};

/// Which identity: there may be a new one beside the one that counts.
pub type iotsec_identity_which_t = i32;

/// The one that counts.
pub const IOTSEC_IDENTITY_ACTIVE: iotsec_identity_which_t = 1;
/// The one that `iotsec_identity_start()` has made.
pub const IOTSEC_IDENTITY_NEW: iotsec_identity_which_t = 2;

/// What is to be done next.
pub type iotsec_identity_step_t = i32;

/// Nothing goes on; `iotsec_identity_start()` when a new identity is wanted.
pub const IOTSEC_IDENTITY_IDLE: iotsec_identity_step_t = 1;
/// A new key waits for its certificate: `iotsec_identity_request()`, `iotsec_identity_certify()`.
pub const IOTSEC_IDENTITY_NEEDS_CERTIFICATE: iotsec_identity_step_t = 2;
/// A new identity waits for its first connection: `iotsec_identity_signer()`, `iotsec_identity_commit()`.
pub const IOTSEC_IDENTITY_NEEDS_TRIAL: iotsec_identity_step_t = 3;

/// Bytes of the longest request for a certificate.
pub const IOTSEC_IDENTITY_REQUEST_MAX: usize = 419;

const _: () = assert!(IOTSEC_IDENTITY_REQUEST_MAX == CertificationRequest::MAX_LEN);
const _: () = assert!(IOTSEC_PUBLIC_KEY_MAX == IdentityPlace::MAX_PUBLIC_KEY);

type Identity<'s> = StoredIdentity<'s, 'static, CFlash, CEntropy>;

/// What makes keys, signs and checks. Pointers, so that a program has no curve that it does not name.
struct Curve {
    kind: KeyKind,
    sign: &'static [&'static dyn SignAlgorithm],
    initialise: fn(&mut Identity<'_>) -> Result<Rotation, RotationError>,
    adopt: fn(&mut Identity<'_>, &[u8; 32]) -> Result<Rotation, RotationError>,
    start: fn(&mut Rotation, &mut Identity<'_>) -> Result<(), RotationError>,
}

impl Curve {
    const fn of<V: VerifyingKey>(kind: KeyKind, sign: &'static [&'static dyn SignAlgorithm]) -> Self {
        Self {
            kind,
            sign,
            initialise: |identity| Rotation::initialise::<V, _>(identity),
            adopt: |identity, key| Rotation::adopt::<V, _>(identity, key, None),
            start: |rotation, identity| rotation.start::<V, _>(identity),
        }
    }
}

const ED25519: &Curve =
    &Curve::of::<Ed25519PublicKey>(KeyKind::Ed25519, &[&Algorithm::<Ed25519SigningKey>::NEW]);
const P256: &Curve = &Curve::of::<P256PublicKey>(KeyKind::P256, &[&Algorithm::<P256SigningKey>::NEW]);

/// What is kept while the device is open.
#[derive(Default)]
pub(super) struct Kept {
    curve: Option<&'static Curve>,
    trial: Option<Trial>,
}

/// Says that the identity which rotates has an Ed25519 key. Said once after each `iotsec_device_format()` or
/// `iotsec_device_open()`, before all other functions of the identity, which refuse with `IOTSEC_ERR_STATE` until then. A
/// program that does not call `iotsec_identity_use_p256()` has no code for P-256 from here.
///
/// The identity is not the one of `iotsec_enrolment_t`, which signs receipts of erasure and never changes. It lives in the
/// device's own store, survives owners and goes when the device is retired. Its functions belong to
/// `IOTSEC_DEVICE_PROVISIONED`, the set-up, and `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_use_ed25519(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::enter(device, |held| held.use_curve(ED25519)) })
}

/// The same with an ECDSA key on P-256, for clouds, Matter and their like.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_use_p256(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::enter(device, |held| held.use_curve(P256)) })
}

/// Makes the first identity: a key, which is tried, and no certificate yet. At the station or in the field, once.
///
/// `IOTSEC_ERR_ROTATION_ALREADY_INITIALISED` when there is one. Power loss: there is none, or a whole one; do it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_make(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            held.identity(|identity, curve, _| Ok((curve.initialise)(identity).map(drop)?))
        })
    })
}

/// The same with a key that the station made, whose 32 bytes are in `key` and are wiped by the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_adopt(
    device: *mut iotsec_device_t,
    key: *const u8,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let key = argument::bytes(key, 32)?;
            let key = <&[u8; 32]>::try_from(key).map_err(|_| CallError::Size)?;
            object::enter(device, |held| {
                held.identity(|identity, curve, _| Ok((curve.adopt)(identity, key).map(drop)?))
            })
        }
    })
}

/// Writes to `step` what is to be done next: `IOTSEC_IDENTITY_IDLE` or one of its like.
///
/// `IOTSEC_ERR_ROTATION_MISSING` as long as there is no identity. Finishes a rotation that power loss interrupted, as every
/// function of the identity does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_status(
    device: *mut iotsec_device_t,
    step: *mut iotsec_identity_step_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let step = argument::out(step)?;
            object::enter(device, |held| {
                held.identity(|identity, _, _| {
                    step.set(match Rotation::open(identity)?.status() {
                        RotationStatus::NeedsCertificate => IOTSEC_IDENTITY_NEEDS_CERTIFICATE,
                        RotationStatus::NeedsTrial => IOTSEC_IDENTITY_NEEDS_TRIAL,
                        _ => IOTSEC_IDENTITY_IDLE,
                    });
                    Ok(())
                })
            })
        }
    })
}

/// Makes a new key beside the old one and tries it. Nothing uses it yet.
///
/// `IOTSEC_ERR_ROTATION_BUSY` when a rotation waits for something. Power loss: the rotation has begun or it has not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_start(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            held.identity(|identity, curve, _| {
                let mut rotation = Rotation::open(identity)?;
                Ok((curve.start)(&mut rotation, identity)?)
            })
        })
    })
}

/// Writes a request for a certificate (PKCS #10, DER) over the key of `which` to `request`, which holds `size`, and its
/// length to `len`: `IOTSEC_IDENTITY_REQUEST_MAX` bytes are enough. `subject` has `subject_len` characters, 1 to 64
/// letters, digits, spaces and `'()+,-./:=?`: the unit's serial number. Writes no flash.
///
/// `IOTSEC_ERR_ROTATION_OUT_OF_ORDER` when there is no new key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_request(
    device: *mut iotsec_device_t,
    which: iotsec_identity_which_t,
    subject: *const c_char,
    subject_len: usize,
    request: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let subject = argument::text(subject, subject_len)?;
            let out = argument::buffer(request, size, len)?;
            object::enter(device, |held| {
                held.identity(|identity, _, _| {
                    let subject = Subject::new(subject).map_err(RotationError::from)?;
                    let rotation = Rotation::open(identity)?;
                    let out = out.at_least(IOTSEC_IDENTITY_REQUEST_MAX)?;
                    out.fill(|out| {
                        if is_new(which)? {
                            return Ok(rotation.request(identity, &subject, out)?.len());
                        }
                        let key = rotation.key(identity)?;
                        let written = CertificationRequest::write(&subject, &key, out);
                        match key.error() {
                            Some(error) => Err(error.into()),
                            None => Ok(written.map_err(RotationError::from)?.len()),
                        }
                    })
                })
            })
        }
    })
}

/// Takes a certificate (X.509, DER), `len` bytes, over the key of `which`. The active identity's takes the place of the
/// one before; the new one's may be replaced until it counts.
///
/// `IOTSEC_ERR_IDENTITY_*` when it is no certificate, or not for that key, and then everything is as before. Who signed it
/// is not looked at: its peers do that. Power loss: the certificate before, or this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_certify(
    device: *mut iotsec_device_t,
    which: iotsec_identity_which_t,
    certificate: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let certificate = argument::bytes(certificate, len)?;
            object::enter(device, |held| {
                held.identity(|identity, _, _| {
                    let mut rotation = Rotation::open(identity)?;
                    let taken = if is_new(which)? {
                        rotation.certify(identity, certificate)
                    } else {
                        rotation.renew(identity, certificate)
                    };
                    Ok(taken?)
                })
            })
        }
    })
}

/// Reads the certificate of `which` into `certificate`, which holds `size`, and writes its length to `len`: 0 as long as
/// there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_certificate(
    device: *mut iotsec_device_t,
    which: iotsec_identity_which_t,
    certificate: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::buffer(certificate, size, len)?;
            object::enter(device, |held| {
                held.identity(|identity, _, _| {
                    let rotation = Rotation::open(identity)?;
                    let place = place_of(&rotation, which)?;
                    out.value(identity.certificate_len(place), |out| {
                        let read = identity.certificate(place, out).map_err(RotationError::from)?;
                        Ok(read.map_or(0, <[u8]>::len))
                    })
                })
            })
        }
    })
}

/// Makes an `iotsec_signer_t` of the key of `which`, for attestation tokens and for the TLS of the product. The device must
/// stay open and where it is as long as the signer is used; it signs with the key that is `which` at that time, so that one
/// for the new identity fails once that counts.
///
/// With `IOTSEC_IDENTITY_NEW` this begins the trial of an identity that has its certificate:
/// `IOTSEC_ERR_ROTATION_OUT_OF_ORDER` before. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_signer(
    device: *mut iotsec_device_t,
    which: iotsec_identity_which_t,
    signer: *mut iotsec_signer_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::out(signer)?;
            let made = object::enter(device, |held| {
                held.identity(|identity, _, on_trial| {
                    let is_new = is_new(which)?;
                    let rotation = Rotation::open(identity)?;
                    if is_new {
                        *on_trial = Some(rotation.trial()?);
                    }
                    with_key(&rotation, identity, is_new, |key| {
                        let mut public_key = [0; IOTSEC_PUBLIC_KEY_MAX];
                        for (to, from) in public_key.iter_mut().zip(key.public_key()) {
                            *to = *from;
                        }
                        Ok(iotsec_signer_t {
                            struct_size: u32::try_from(size_of::<iotsec_signer_t>())
                                .map_err(|_| CallError::Config)?,
                            key_type: match key.key_type() {
                                KeyType::P256 => IOTSEC_KEY_P256,
                                _ => IOTSEC_KEY_ED25519,
                            },
                            ctx: device.cast(),
                            sign: Some(if is_new { sign_new } else { sign_active }),
                            public_key,
                        })
                    })
                })
            })?;
            out.set(made);
        }
        Ok(())
    })
}

/// Makes the new identity the active one and erases the old one: after somebody has accepted it. Say so after their first
/// answer to something that only an authenticated device may ask: in TLS 1.3 a handshake ends for the client before the
/// server has looked at its certificate.
///
/// `IOTSEC_ERR_STATE` unless `iotsec_identity_signer()` has begun the trial since the device was opened;
/// `IOTSEC_ERR_ROTATION_STALE` when that was another rotation's. Power loss: the old identity or the new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_commit(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            held.identity(|identity, _, trial| {
                let mut rotation = Rotation::open(identity)?;
                let trial = trial.take().ok_or(CallError::State)?;
                Ok(rotation.commit(identity, trial.accepted())?)
            })
        })
    })
}

/// Gives the rotation up and erases the new key. The old identity was never touched. Power loss: the rotation goes on or
/// has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_identity_cancel(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            held.identity(|identity, _, trial| {
                *trial = None;
                Ok(Rotation::open(identity)?.cancel(identity)?)
            })
        })
    })
}

unsafe extern "C" fn sign_active(
    ctx: *mut c_void,
    message: *const u8,
    len: usize,
    signature: *mut u8,
) -> i32 {
    // SAFETY: `ctx` is the device that `iotsec_identity_signer` was given, and the rest is the caller's word.
    unsafe { sign(ctx, message, len, signature, false) }
}

unsafe extern "C" fn sign_new(ctx: *mut c_void, message: *const u8, len: usize, signature: *mut u8) -> i32 {
    // SAFETY: as in `sign_active`.
    unsafe { sign(ctx, message, len, signature, true) }
}

/// # Safety
/// As [`object::enter`] and [`argument::bytes`].
unsafe fn sign(
    ctx: *mut c_void,
    message: *const u8,
    len: usize,
    signature: *mut u8,
    is_new: bool,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, passed on.
        unsafe {
            let message = argument::bytes(message, len)?;
            let out = argument::out(signature.cast::<[u8; SIGNATURE_LEN]>())?;
            object::enter(ctx.cast::<iotsec_device_t>(), |held| {
                held.identity(|identity, _, _| {
                    let rotation = Rotation::open(identity)?;
                    with_key(&rotation, identity, is_new, |key| {
                        let mut signature = [0; SIGNATURE_LEN];
                        let signed = key.sign(message, &mut signature);
                        if let Some(error) = key.error() {
                            return Err(error.into());
                        }
                        signed?;
                        out.set(signature);
                        Ok(())
                    })
                })
            })
        }
    })
}

const _: () = assert!(IOTSEC_OK == 0, "what a signer returns when it has signed");

fn with_key<R>(
    rotation: &Rotation,
    identity: &mut Identity<'_>,
    is_new: bool,
    work: impl FnOnce(&IdentityKey<'_, Identity<'_>>) -> Result<R, Status>,
) -> Result<R, Status> {
    if is_new {
        work(&rotation.trial()?.key(identity)?)
    } else {
        work(&rotation.key(identity)?)
    }
}

fn is_new(which: iotsec_identity_which_t) -> Result<bool, Status> {
    match which {
        IOTSEC_IDENTITY_ACTIVE => Ok(false),
        IOTSEC_IDENTITY_NEW => Ok(true),
        _ => Err(CallError::Config.into()),
    }
}

fn place_of(rotation: &Rotation, which: iotsec_identity_which_t) -> Result<IdentityPlace, Status> {
    if !is_new(which)? {
        return Ok(rotation.active());
    }
    match rotation.status() {
        RotationStatus::Idle => Err(RotationError::OutOfOrder.into()),
        _ => Ok(rotation.active().other()),
    }
}

impl Held {
    fn use_curve(&mut self, curve: &'static Curve) -> Result<(), Status> {
        if self.identity.curve.is_some() {
            return Err(CallError::State.into());
        }
        self.identity.curve = Some(curve);
        Ok(())
    }

    /// Lets `work` use the identity, in the states that have one.
    fn identity<R>(
        &mut self,
        work: impl FnOnce(&mut Identity<'_>, &Curve, &mut Option<Trial>) -> Result<R, Status>,
    ) -> Result<R, Status> {
        let Kept { curve, trial } = &mut self.identity;
        let curve = curve.ok_or(CallError::State)?;
        let keys = KeySuite {
            sign: curve.sign,
            ..KeySuite::new(&HkdfSha256)
        };
        let mut identity = match &mut self.life {
            Life::Provisioned(device) => device.identity(keys, curve.kind),
            Life::Setup(setup) => setup.device_mut().identity(keys, curve.kind),
            Life::Owned(device) => device.identity(keys, curve.kind),
            _ => return Err(CallError::State.into()),
        };
        work(&mut identity, curve, trial)
    }
}
