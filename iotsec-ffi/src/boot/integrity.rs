//! The software that runs, measured again and again.

use iotsec::{
    core::{crypto::Sha256, error::ErrorCode},
    update::boot::{Connectivity, Destination, Refusal, Remeasure, Round},
};

use crate::{
    argument,
    object::{self, Storage},
    status::{CallError, IOTSEC_OK, Status, iotsec_status_t, status},
    update::config::{Config, iotsec_slot_t, iotsec_update_config_t, slot_of},
};

/// Words of 8 bytes that an integrity check takes.
pub const IOTSEC_INTEGRITY_WORDS: usize = 88;

/// Measures the software that runs again and again, a little at a time, and says when it is no longer what was signed (EN 303
/// 645, provisions 5.7-1 and 5.7-2), in the caller's storage. Start it by `iotsec_integrity_open()`, end it by
/// `iotsec_integrity_close()`.
///
/// What a boot loader cannot see is a flash that changes afterwards: by wear, by a fault, by somebody who found a way in. It
/// writes nothing, and power loss means that the next boot judges the image anew.
#[repr(C)]
pub struct iotsec_integrity_t {
    opaque: [u64; IOTSEC_INTEGRITY_WORDS],
}

/// What lives in an [`iotsec_integrity_t`].
pub(crate) struct Watching {
    config: Config,
    remeasure: Remeasure,
    hash: Sha256,
    connectivity: Connectivity,
    /// Why the image that should have started was refused, until it was told.
    recovered: Option<iotsec_status_t>,
}

impl Storage for iotsec_integrity_t {
    type Kept = ();
    type Value = Watching;
    const KIND: u32 = 0x496E_7431;
}

/// What a step of an integrity check came to.
pub type iotsec_integrity_result_t = i32;

/// There is more to read.
pub const IOTSEC_INTEGRITY_MORE: iotsec_integrity_result_t = 1;
/// All was read, and is what was signed; the next step begins anew. Tell it to `iotsec_detector_cleared()`.
pub const IOTSEC_INTEGRITY_SAME: iotsec_integrity_result_t = 2;
/// The image was changed while it runs; the next step begins anew, and an image that stays changed is told once in each
/// round. Tell the owner, tell it to `iotsec_detector_changed()`, close the connections that `least` closes, and reboot when
/// it can be afforded: the boot loader starts the other image if it is good.
pub const IOTSEC_INTEGRITY_CHANGED: iotsec_integrity_result_t = 3;
/// The image that should have started was refused, for the reason in `cause`, and this one runs instead. Told once, by the
/// first step. Nothing that runs was changed.
pub const IOTSEC_INTEGRITY_RECOVERED: iotsec_integrity_result_t = 4;

/// What a step of an integrity check came to. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_integrity_step_t {
    /// `IOTSEC_INTEGRITY_*`.
    pub result: iotsec_integrity_result_t,
    /// The component that was changed, from 0, for `iotsec_detector_changed()`; -1 for none.
    pub component: i32,
    /// What to tell `iotsec_detector_changed()` as the error of `_CHANGED` and `_RECOVERED`, else `IOTSEC_OK`.
    pub cause: iotsec_status_t,
    /// 1 once something was changed since `iotsec_integrity_open()`, else 0: `least` of `iotsec_surface_may_listen()`.
    pub least: i32,
}

const _: () = assert!(size_of::<iotsec_integrity_step_t>() == 16);

/// Starts an integrity check of the image in the slot `running`, which the boot loader started: authenticates its envelope,
/// and takes from it what is to be measured. `config` is copied, what its pointers point to is kept; its scratch is used
/// during this call alone.
///
/// `refusal` is that of `iotsec_boot_t`, or `IOTSEC_OK`: the first step then tells that the device has fallen back. The
/// errors say why the slot is not one that may run. Writes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_integrity_open(
    integrity: *mut iotsec_integrity_t,
    config: *const iotsec_update_config_t,
    running: iotsec_slot_t,
    refusal: iotsec_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::start(integrity, (), |()| {
                let config = Config::new(config)?;
                let slot = slot_of(running)?;
                u16::try_from(refusal).map_err(|_| CallError::Config)?;
                let remeasure = config.with(None, |mut parts| {
                    let mut hash = Sha256::new();
                    let (flash, scratch) = (&mut parts.flash, parts.scratch);
                    Ok(Remeasure::identify(flash, &parts.boot, slot, &mut hash, scratch)?)
                })?;
                Ok(Watching {
                    config,
                    remeasure,
                    hash: Sha256::new(),
                    connectivity: Connectivity::Full,
                    recovered: (refusal != IOTSEC_OK).then_some(refusal),
                })
            })
        }
    })
}

/// Reads at most `budget` bytes more of the image, rounded up to 256 and at least so many, and writes what that came to to
/// `step`. To be called whenever there is nothing else to do: an image of 256 KiB at 1024 bytes a call is read in 256 calls.
///
/// An error of the flash ends the round; the next step begins anew. Writes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_integrity_step(
    integrity: *mut iotsec_integrity_t,
    budget: u32,
    step: *mut iotsec_integrity_step_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let step = argument::out(step)?;
        object::enter(integrity, |watching| {
            step.set(watching.step(budget)?);
            Ok(())
        })
    })
}

/// Writes 1 to `least` once something was changed since `iotsec_integrity_open()`, else 0. From then on the device should
/// talk to nobody but those it needs to raise the alarm and to be repaired: give it to `iotsec_surface_may_listen()` and its
/// like, also for connections that are open. It ends with the reboot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_integrity_least(
    integrity: *mut iotsec_integrity_t,
    least: *mut i32,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let least = argument::out(least)?;
        object::enter(integrity, |watching| {
            least.set(watching.least());
            Ok(())
        })
    })
}

/// Ends an integrity check. The storage may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_integrity_close(integrity: *mut iotsec_integrity_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(integrity) })
}

impl Watching {
    fn step(&mut self, budget: u32) -> Result<iotsec_integrity_step_t, Status> {
        let (result, component, cause) = match self.recovered.take() {
            Some(refusal) => (IOTSEC_INTEGRITY_RECOVERED, -1, refusal),
            None => match self.round(budget)? {
                Round::More => (IOTSEC_INTEGRITY_MORE, -1, IOTSEC_OK),
                Round::Same => (IOTSEC_INTEGRITY_SAME, -1, IOTSEC_OK),
                Round::Changed { place } => {
                    self.connectivity = Connectivity::Least;
                    let component = i32::try_from(place).map_err(|_| CallError::Size)?;
                    let cause = Refusal::ImageDigest.code().into();
                    (IOTSEC_INTEGRITY_CHANGED, component, cause)
                }
            },
        };
        Ok(iotsec_integrity_step_t {
            result,
            component,
            cause,
            least: self.least(),
        })
    }

    fn round(&mut self, budget: u32) -> Result<Round, Status> {
        let (flash, layout) = (&mut self.config.flash, &self.config.layout);
        Ok(self.remeasure.step(flash, layout, &mut self.hash, budget)?)
    }

    fn least(&self) -> i32 {
        i32::from(!self.connectivity.allows(Destination::Any))
    }
}
