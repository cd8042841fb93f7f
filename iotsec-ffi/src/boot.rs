//! The boot loader's decision.

pub mod integrity;

use iotsec::core::crypto::Sha256;
use iotsec::update::boot::{self, Reason, Selection, Verified};

use crate::{
    argument,
    status::{CallError, Status, iotsec_status_t, status},
    update::config::{Config, iotsec_slot_t, iotsec_update_config_t, slot_of, slot_to_c},
};

/// Why a slot was chosen.
pub type iotsec_boot_reason_t = i32;

/// It is the active one.
pub const IOTSEC_BOOT_ACTIVE: iotsec_boot_reason_t = 1;
/// It is on trial: the application must accept it.
pub const IOTSEC_BOOT_TRIAL: iotsec_boot_reason_t = 2;
/// The other slot was refused.
pub const IOTSEC_BOOT_FALLBACK: iotsec_boot_reason_t = 3;
/// There is no journal, and this is the newer of what is there.
pub const IOTSEC_BOOT_NO_JOURNAL: iotsec_boot_reason_t = 4;

/// An image that was verified a moment ago. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_boot_t {
    /// The slot to start.
    pub slot: iotsec_slot_t,
    /// `IOTSEC_BOOT_*`.
    pub reason: iotsec_boot_reason_t,
    /// With `IOTSEC_BOOT_TRIAL`, the number of this trial boot from 1 on, else 0.
    pub trial_boot: u32,
    /// Bytes of the image.
    pub size: u32,
    /// Sequence number of its manifest.
    pub sequence: u64,
    /// With `IOTSEC_BOOT_FALLBACK`, why the other slot was refused, else `IOTSEC_OK`.
    pub refusal: iotsec_status_t,
    /// Zero.
    pub reserved: u32,
    /// SHA-256 of the image as it was read from flash: the measurement for attestation.
    pub digest: [u8; 32],
}

const _: () = assert!(size_of::<iotsec_boot_t>() == 64);

/// Decides what to start. Believes nothing but the slot itself: stored envelope, signatures, security counter
/// and the SHA-256 of the image as it is in flash now. If that fails, the other slot is judged in the same way.
///
/// `IOTSEC_ERR_NOTHING_TO_BOOT` when neither slot holds an image that may start: enter recovery, and ask
/// `iotsec_boot_verify()` for the reason of each.
///
/// Writes the journal at most once. Power loss before a trial boot is counted repeats it; after that it has
/// been counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_boot_select(
    config: *const iotsec_update_config_t,
    result: *mut iotsec_boot_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (config, result) = (Config::new(config)?, argument::out(result)?);
            config.with(None, |mut parts| {
                let selection = boot::select(
                    &mut parts.flash,
                    &parts.boot,
                    &mut parts.rollback,
                    &mut Sha256::new(),
                    parts.scratch,
                )?;
                match selection {
                    Selection::Boot(image) if image.is_proven() => result.set(to_c(&image)),
                    _ => return Err(CallError::NothingToBoot.into()),
                }
                Ok(())
            })
        }
    })
}

/// Verifies one slot as `iotsec_boot_select()` does, and writes nothing to flash. For a recovery that wants to
/// know what is wrong with a slot. The image that runs is measured again, in steps, by `iotsec_integrity_step()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_boot_verify(
    config: *const iotsec_update_config_t,
    slot: iotsec_slot_t,
    result: *mut iotsec_boot_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (config, result) = (Config::new(config)?, argument::out(result)?);
            let slot = slot_of(slot)?;
            config.with(None, |mut parts| {
                let image = boot::verify(
                    &mut parts.flash,
                    &parts.boot,
                    slot,
                    &mut parts.rollback,
                    &mut Sha256::new(),
                    parts.scratch,
                )?;
                result.set(to_c(&image));
                Ok(())
            })
        }
    })
}

/// Puts an envelope and its image into a slot, as a factory does. Nothing is checked here; the boot loader
/// checks everything. `image` is the whole image, of `image_len` bytes, `envelope` its signed envelope, of
/// `envelope_len` bytes.
///
/// Erases as many pages as it needs in one call. Power loss leaves a slot without a manifest: do it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_slot_provision(
    config: *const iotsec_update_config_t,
    slot: iotsec_slot_t,
    envelope: *const u8,
    envelope_len: usize,
    image: *const u8,
    image_len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        let (mut config, envelope, image) = unsafe {
            (
                Config::new(config)?,
                argument::bytes(envelope, envelope_len)?,
                argument::bytes(image, image_len)?,
            )
        };
        let slot = *config.layout.slot(slot_of(slot)?);
        Ok(slot.provision(&mut config.flash, envelope, [image])?)
    })
}

fn to_c(image: &Verified) -> iotsec_boot_t {
    let (reason, trial_boot, refusal) = match image.reason() {
        Reason::Active => (IOTSEC_BOOT_ACTIVE, 0, None),
        Reason::Trial { boot } => (IOTSEC_BOOT_TRIAL, boot.into(), None),
        Reason::Fallback(refusal) => (IOTSEC_BOOT_FALLBACK, 0, Some(Status::from(refusal))),
        Reason::NoJournal => (IOTSEC_BOOT_NO_JOURNAL, 0, None),
        // A reason of a later version: the image was verified all the same.
        _ => (IOTSEC_BOOT_ACTIVE, 0, None),
    };
    iotsec_boot_t {
        slot: slot_to_c(image.slot()),
        reason,
        trial_boot,
        size: image.size(),
        sequence: image.manifest().sequence.0,
        refusal: refusal.map_or(crate::status::IOTSEC_OK, |refusal| status(|| Err(refusal))),
        reserved: 0,
        digest: *image.digest(),
    }
}
