//! What an envelope is before it is begun with, and signed statements that decide which one may be begun with.

use iotsec::{
    core::crypto::Sha256,
    update::{
        Envelope,
        install::ManifestId,
        trust::{Challenge, Downgrade},
    },
};

use super::iotsec_update_t;
use crate::{
    argument,
    entropy::{CEntropy, iotsec_entropy_t},
    object,
    status::{CallError, iotsec_status_t, status},
    trust::{iotsec_trust_config_t, load, with_store},
};

/// Bytes of a challenge.
pub const IOTSEC_UPDATE_CHALLENGE_LEN: usize = 16;

/// Which manifest it is. A struct that the library fills never grows; all zero is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_manifest_t {
    /// Its sequence number, which orders the releases.
    pub sequence: u64,
    /// Its SHA-256, which says that it is this one and no other.
    pub digest: [u8; 32],
}

const _: () = assert!(size_of::<iotsec_manifest_t>() == 40);

/// The manifests that an updater knows. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_update_manifests_t {
    /// Of the image that runs.
    pub running: iotsec_manifest_t,
    /// Of the image that is being installed or tried, or of which that failed; none between updates.
    pub update: iotsec_manifest_t,
    /// The one that was rejected last, which `iotsec_update_begin()` refuses.
    pub rejected: iotsec_manifest_t,
}

const _: () = assert!(size_of::<iotsec_update_manifests_t>() == 120);

/// What was said to be the latest manifest. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_latest_t {
    /// The latest manifest. If it is the one that runs, the device is up to date.
    pub manifest: iotsec_manifest_t,
    /// The version of the latest trust bundle.
    pub trust_version: u64,
    /// When it was signed, in seconds since 1970-01-01 UTC, or 0 where it does not say: after the challenge was drawn, and
    /// so trusted time, also for a device without a clock.
    pub time_s: u64,
    /// 1 when there is a later trust bundle than the one in force, else 0. Nothing is admitted then: rotate it by
    /// `iotsec_trust_rotate()`, then have the same answer checked again.
    pub trust_is_behind: i32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_latest_t>() == 64);

/// Says which manifests the updater knows. Writes nothing to flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_manifests(
    update: *mut iotsec_update_t,
    result: *mut iotsec_update_manifests_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let result = argument::out(result)?;
        object::enter(update, |update| {
            let updater = &update.updater;
            result.set(iotsec_update_manifests_t {
                running: manifest_to_c(&updater.running().manifest()),
                update: updater.update().as_ref().map_or(NONE, manifest_to_c),
                rejected: updater.rejected().as_ref().map_or(NONE, manifest_to_c),
            });
            Ok(())
        })
    })
}

/// Checks the signatures of an envelope, `envelope_len` bytes, and nothing else, and writes the SHA-256 of its manifest, 32
/// bytes, to `digest`: for a report about an update that `iotsec_update_begin()` refuses. Changes nothing.
///
/// An envelope that nobody signed who may is nothing to report about: `IOTSEC_ERR_UPDATE_THRESHOLD` and its like.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_authenticate(
    update: *mut iotsec_update_t,
    envelope: *const u8,
    envelope_len: usize,
    digest: *mut u8,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let envelope = argument::bytes(envelope, envelope_len)?;
        let digest = argument::out(digest.cast::<[u8; 32]>())?;
        object::enter(update, |update| {
            update.config.with(None, |parts| {
                let mut hash = Sha256::new();
                let authentic = Envelope::parse(envelope, &parts.boot.limits)?
                    .authenticate(&parts.boot.anchors, &mut hash)?;
                digest.set(*authentic.manifest_digest());
                Ok(())
            })
        })
    })
}

/// Checks an envelope, `envelope_len` bytes, as `iotsec_update_begin()` does, begins nothing, and writes to `manifest` which
/// one it is: what `iotsec_planner_found()` and the owner are told of. `now_s` is as there. Changes nothing, and keeps nothing
/// of `envelope`.
///
/// The errors say why it would be refused. Not asked here is what changes meanwhile: the state of the update, the security
/// counter, and whether it was rejected before, which `iotsec_update_manifests()` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_inspect(
    update: *mut iotsec_update_t,
    envelope: *const u8,
    envelope_len: usize,
    now_s: u64,
    manifest: *mut iotsec_manifest_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (envelope, manifest) = (argument::bytes(envelope, envelope_len)?, argument::out(manifest)?);
        object::enter(update, |update| {
            update.admit(envelope, now_s, |_, accepted, _| {
                manifest.set(iotsec_manifest_t {
                    sequence: accepted.sequence_number().0,
                    digest: *accepted.manifest_digest(),
                });
                Ok(())
            })
        })
    })
}

/// Draws a challenge, `IOTSEC_UPDATE_CHALLENGE_LEN` bytes, and writes it to `challenge`, for the service that says what the
/// latest manifest is: so that nobody can hold updates back by answering with what was the latest once (EN 303 645, provision
/// 5.3-2). A challenge from before, and what was answered to it, is void.
///
/// From now on `iotsec_update_begin()` and `iotsec_update_inspect()` refuse every envelope with
/// `IOTSEC_ERR_UPDATE_NOT_LATEST`, until `iotsec_update_latest()` has the answer, or the updater is closed and opened again.
/// The challenge lives in memory. `IOTSEC_ERR_CRYPTO_ENTROPY` without random numbers, and then nothing has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_challenge(
    update: *mut iotsec_update_t,
    entropy: *const iotsec_entropy_t,
    challenge: *mut u8,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let mut entropy = CEntropy::new(argument::sized(entropy)?)?;
        let out = argument::out(challenge.cast::<[u8; IOTSEC_UPDATE_CHALLENGE_LEN]>())?;
        object::enter(update, |update| {
            let challenge = Challenge::new(&mut entropy)?;
            out.set(*challenge.nonce());
            update.challenge = Some(challenge);
            update.latest = None;
            Ok(())
        })
    })
}

/// Checks the answer to the challenge, `answer_len` bytes: a statement of what the latest manifest is, signed by enough keys
/// of `IOTSEC_TRUST_FRESHNESS` of the bundle in `trust`. From now on only that manifest is admitted, until the next challenge
/// or `iotsec_update_close()`; its sequence number is still held against what is installed and against `max_jump`. `now_s` as
/// in `iotsec_update_begin()`, against the expiry of the bundle alone; `latest` gets what was said.
///
/// A good answer uses the challenge up, unless the trust bundle is behind. `IOTSEC_ERR_TRUST_NONCE` is the answer to another
/// challenge, however well signed; `IOTSEC_ERR_TRUST_ROLE_THRESHOLD`, `_PRODUCT` and their like say what else may be wrong
/// with it, and the challenge then waits for a better one. `IOTSEC_ERR_STATE` without a challenge. Writes nothing, but for a
/// rotation that `trust` finishes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_latest(
    update: *mut iotsec_update_t,
    trust: *const iotsec_trust_config_t,
    answer: *const u8,
    answer_len: usize,
    now_s: u64,
    latest: *mut iotsec_latest_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (answer, out) = (argument::bytes(answer, answer_len)?, argument::out(latest)?);
        argument::sized(trust)?;
        object::enter(update, |update| {
            let device = update.config.device();
            let challenge = update.challenge.as_ref().ok_or(CallError::State)?;
            let latest = with_store(trust, |mut store, guard, scratch| {
                let (_, trust) = store.mount(guard, &mut Sha256::new())?;
                Ok(challenge.check(answer, &trust, &device, argument::time(now_s), load, scratch)?)
            })?;
            if !latest.trust_is_behind() {
                update.challenge = None;
            }
            update.latest = Some(latest);
            out.set(iotsec_latest_t {
                manifest: iotsec_manifest_t {
                    sequence: latest.sequence_number().0,
                    digest: *latest.manifest_digest(),
                },
                trust_version: latest.trust_version(),
                time_s: latest.time().unwrap_or_default().0,
                trust_is_behind: latest.trust_is_behind().into(),
                reserved: 0,
            });
            Ok(())
        })
    })
}

/// Checks a token, `token_len` bytes, that lets this one device go back from the manifest that runs to one older manifest,
/// signed by enough keys of `IOTSEC_TRUST_RECOVERY` of the bundle in `trust`. `iotsec_update_begin()` then admits that
/// manifest although its number is lower and it is not the latest, until `iotsec_update_close()`; all else is checked as ever,
/// and the security counter is not asked to go back: `IOTSEC_ERR_ROLLBACK_BELOW_FLOOR`.
///
/// A token counts for one way: once another manifest runs, it is refused with `IOTSEC_ERR_TRUST_WRONG_START`. On another
/// device, or one without `device_id`, `IOTSEC_ERR_TRUST_WRONG_DEVICE`. `now_s` as in `iotsec_update_begin()`; without it a
/// token that expires is refused with `IOTSEC_ERR_TRUST_TIME_UNKNOWN`. A token that is refused leaves one from before in
/// force. Writes nothing, but for a rotation that `trust` finishes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_downgrade(
    update: *mut iotsec_update_t,
    trust: *const iotsec_trust_config_t,
    token: *const u8,
    token_len: usize,
    now_s: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let token = argument::bytes(token, token_len)?;
        argument::sized(trust)?;
        object::enter(update, |update| {
            let (device, running) = (update.config.device(), update.updater.running().manifest());
            update.downgrade = Some(with_store(trust, |mut store, guard, scratch| {
                let (_, trust) = store.mount(guard, &mut Sha256::new())?;
                let (installed, now) = (&running.digest, argument::time(now_s));
                Ok(Downgrade::check(
                    token, &trust, &device, installed, now, load, scratch,
                )?)
            })?);
            Ok(())
        })
    })
}

pub(super) const NONE: iotsec_manifest_t = iotsec_manifest_t {
    sequence: 0,
    digest: [0; 32],
};

pub(super) const fn manifest_to_c(manifest: &ManifestId) -> iotsec_manifest_t {
    iotsec_manifest_t {
        sequence: manifest.sequence.0,
        digest: manifest.digest,
    }
}
