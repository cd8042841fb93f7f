//! Updates: an envelope and its payload fed in chunks, a trial boot, accept or reject.

pub mod config;
pub mod freshness;
pub mod planner;
pub mod report;

use core::ffi::c_char;

use iotsec::core::{crypto::Sha256, hal::Slot};
use iotsec::update::{
    Accepted, Envelope, Policy, UpdateError,
    boot::identify,
    install::{Candidate, Clean, Finish, InstallError, Session, State, Updater},
    trust::{Challenge, Downgrade, Latest},
};

use crate::{
    argument,
    object::{self, Storage},
    status::{CallError, IOTSEC_OK, Status, iotsec_status_t, status},
};
use config::{Config, Parts, iotsec_slot_t, iotsec_update_config_t, slot_of, slot_to_c};

/// Words of 8 bytes that an updater takes.
pub const IOTSEC_UPDATE_WORDS: usize = 224;

/// An updater in the caller's storage, for images of any size. Start it by `iotsec_update_open()`, end it by
/// `iotsec_update_close()`.
#[repr(C)]
pub struct iotsec_update_t {
    opaque: [u64; IOTSEC_UPDATE_WORDS],
}

/// What lives in an [`iotsec_update_t`].
pub(crate) struct Update {
    config: Config,
    updater: Updater<Sha256>,
    /// Borrows the envelope, which the caller keeps.
    session: Option<Session<'static>>,
    candidate: Option<Candidate>,
    /// As long as it has no answer, nothing is the latest manifest.
    challenge: Option<Challenge>,
    latest: Option<Latest>,
    downgrade: Option<Downgrade>,
}

impl Storage for iotsec_update_t {
    type Kept = ();
    type Value = Update;
    const KIND: u32 = 0x5570_6431;
}

/// Where an update is, in the words and numbers of the PSA Firmware Update API 1.0 (Arm IHI 0093).
pub type iotsec_update_state_t = i32;

/// Nothing under way; an update may begin.
pub const IOTSEC_UPDATE_READY: iotsec_update_state_t = 0;
/// An image is being written to the slot that does not run.
pub const IOTSEC_UPDATE_WRITING: iotsec_update_state_t = 1;
/// The image is complete and was read back; it is not yet to be started.
pub const IOTSEC_UPDATE_CANDIDATE: iotsec_update_state_t = 2;
/// The next boot tries the image.
pub const IOTSEC_UPDATE_STAGED: iotsec_update_state_t = 3;
/// The update failed, was cancelled or was reverted; `cause` says why. Clean before the next one.
pub const IOTSEC_UPDATE_FAILED: iotsec_update_state_t = 4;
/// The running image is on trial: accept or reject it.
pub const IOTSEC_UPDATE_TRIAL: iotsec_update_state_t = 5;
/// The running image was rejected; the next boot goes back.
pub const IOTSEC_UPDATE_REJECTED: iotsec_update_state_t = 6;
/// The image was accepted. The other slot holds the one before it. Clean before the next update.
pub const IOTSEC_UPDATE_UPDATED: iotsec_update_state_t = 7;

/// Where an update is. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_update_status_t {
    /// `IOTSEC_UPDATE_*`.
    pub state: iotsec_update_state_t,
    /// Why it is `IOTSEC_UPDATE_FAILED` or `_REJECTED`, else `IOTSEC_OK`.
    pub cause: iotsec_status_t,
    /// The slot that runs.
    pub running: iotsec_slot_t,
    /// Boots of the image on trial that were not accepted.
    pub trial_boots: u32,
    /// Bytes of the payload that were taken, while writing.
    pub taken: u32,
    /// Bytes of the whole payload, while writing.
    pub size: u32,
    /// Sequence number of the installed manifest.
    pub installed: u64,
}

const _: () = assert!(size_of::<iotsec_update_status_t>() == 32);

/// Reads the journal. `running` is the slot that the boot loader started; its envelope is authenticated again.
/// `config` is copied, what its pointers point to is kept.
///
/// Also finishes an accept that was cut before the security counter was raised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_open(
    update: *mut iotsec_update_t,
    config: *const iotsec_update_config_t,
    running: iotsec_slot_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::start(update, (), |()| {
                let config = Config::new(config)?;
                let running = slot_of(running)?;
                let updater = config.with(None, |mut parts| {
                    let mut hash = Sha256::new();
                    let (flash, scratch) = (&mut parts.flash, parts.scratch);
                    let running = identify(flash, &parts.boot, running, &mut hash, scratch)?;
                    Ok(Updater::mount(
                        flash,
                        config.layout,
                        running,
                        &mut parts.rollback,
                        hash,
                    )?)
                })?;
                Ok(Update {
                    config,
                    updater,
                    session: None,
                    candidate: None,
                    challenge: None,
                    latest: None,
                    downgrade: None,
                })
            })
        }
    })
}

/// Checks an envelope, `envelope_len` bytes, and begins to install it, or goes on after a reset if it is the
/// one that was being installed. Writes to `resume` how many bytes of the payload are in place: go on
/// behind them. `envelope` is kept, not copied: it must stay as it is until `iotsec_update_finish()` is done or
/// failed, the update is cancelled, another one begun, or the object closed.
///
/// `now_s` is the trusted time in seconds since 1970-01-01 UTC, or 0 without one; then an envelope with an
/// expiry date is refused.
///
/// What `iotsec_update_latest()` and `iotsec_update_downgrade()` were told holds here, and `iotsec_update_inspect()` asks the
/// same without beginning.
///
/// The errors say exactly why an envelope was refused: signature, rollback, another device, a manifest that
/// is not safe. None of them changes anything. Power loss never touches the slot that runs: begin again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_begin(
    update: *mut iotsec_update_t,
    envelope: *const u8,
    envelope_len: usize,
    now_s: u64,
    resume: *mut u32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let envelope: &'static [u8] = argument::bytes(envelope, envelope_len)?;
            let resume = argument::out(resume)?;
            object::enter(update, |update| {
                update.session = None;
                update.candidate = None;
                let session = update.admit(envelope, now_s, |updater, accepted, parts| {
                    Ok(updater.start(&mut parts.flash, accepted, &mut parts.rollback)?)
                })?;
                let (_, size) = session.progress();
                resume.set(session.wanted().map_or(size, |wanted| wanted.offset));
                update.session = Some(session);
                Ok(())
            })
        }
    })
}

/// Writes where the payload of the update that was begun is, as its manifest says, to `uri`, which holds `size`, and its length
/// to `len`: the text that the maker signed, without a final zero. Whom the device goes to is for
/// `iotsec_surface_may_connect()` to say.
///
/// `IOTSEC_ERR_INSTALL_STATE` before one was begun, and once nothing more is wanted. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_uri(
    update: *mut iotsec_update_t,
    uri: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let out = argument::buffer(uri.cast(), size, len)?;
        object::enter(update, |update| {
            let state = update.updater.state();
            let session = session(&mut update.session, &update.updater)?;
            let wanted = session.wanted().ok_or(InstallError::State(state))?;
            out.copy(wanted.uri.as_bytes())
        })
    })
}

/// Takes the next bytes of the payload, in chunks of any size, and writes to `taken` how many: it may be fewer
/// than `len`, or none when the call was spent on an erase or on hashing what was in place before a reset. Call
/// again with the rest. One call erases at most one page, so feed a watchdog in between.
///
/// Power loss resumes at a page boundary: open, begin with the same envelope, go on where it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_write(
    update: *mut iotsec_update_t,
    bytes: *const u8,
    len: usize,
    taken: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (bytes, taken) = (argument::bytes(bytes, len)?, argument::out(taken)?);
            object::enter(update, |update| {
                let session = session(&mut update.session, &update.updater)?;
                taken.set(update.updater.write(session, &mut update.config.flash, bytes)?);
                Ok(())
            })
        }
    })
}

impl Update {
    /// Checks an envelope against the slot that it would go to and all that is known of what may be installed.
    ///
    /// # Safety
    /// As [`Config::with`].
    unsafe fn admit<'e, R>(
        &mut self,
        envelope: &'e [u8],
        now_s: u64,
        work: impl FnOnce(&mut Updater<Sha256>, Accepted<'e>, &mut Parts<'_>) -> Result<R, Status>,
    ) -> Result<R, Status> {
        let Self { config, updater, .. } = self;
        let now = argument::time(now_s);
        let (latest, downgrade) = (self.latest, self.downgrade);
        let unanswered = self.challenge.is_some() && latest.is_none();
        let admitting = |mut parts: Parts<'_>| {
            let mut hash = Sha256::new();
            let device = match updater.staging_slot() {
                Slot::A => &parts.boot.device_a,
                Slot::B => &parts.boot.device_b,
            };
            let policy = Policy {
                latest,
                downgrade,
                ..parts.policy.admission(updater.installed(), now)
            };
            let accepted = Envelope::parse(envelope, &parts.boot.limits)?
                .authenticate(&parts.boot.anchors, &mut hash)?
                .admit(device, &policy, &mut hash)?;
            // Leave to go back asks for nothing that is the latest.
            if unanswered && downgrade.as_ref().map(Downgrade::to) != Some(accepted.manifest_digest()) {
                return Err(UpdateError::NotLatest.into());
            }
            work(updater, accepted, &mut parts)
        };
        // SAFETY: the caller's word, passed on.
        unsafe { config.with(now, admitting) }
    }
}

/// The session that was begun. Without one, the state says what is to be called instead.
fn session<'u>(
    session: &'u mut Option<Session<'static>>,
    updater: &Updater<Sha256>,
) -> Result<&'u mut Session<'static>, InstallError> {
    session.as_mut().ok_or(InstallError::State(updater.state()))
}

/// Verifies what was written, in steps: the payload as it came, then envelope and image read back from flash.
/// Writes 1 to `done` after the last step, and 0 as long as it must be called again.
///
/// `IOTSEC_ERR_INSTALL_INCOMPLETE` while bytes are missing, which changes nothing; other bytes than were signed,
/// or flash that did not keep them, end the update. Power loss: begin again, nothing needs to be sent twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_finish(
    update: *mut iotsec_update_t,
    done: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let done = argument::out(done)?;
            object::enter(update, |update| {
                let session = session(&mut update.session, &update.updater)?;
                match update.updater.finish(session, &mut update.config.flash)? {
                    Finish::More => done.set(0),
                    Finish::Done(candidate) => {
                        update.session = None;
                        update.candidate = Some(candidate);
                        done.set(1);
                    }
                }
                Ok(())
            })
        }
    })
}

/// Has the next boot try the image. Only after `iotsec_update_finish()` was done, in this run: after a reset
/// begin and finish again. Power loss leaves `IOTSEC_UPDATE_CANDIDATE` or `_STAGED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_install(update: *mut iotsec_update_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        change(update, |update, parts| {
            let candidate = update.candidate.take().ok_or(CallError::State)?;
            Ok(update.updater.install(&mut parts.flash, candidate)?)
        })
    }
}

/// Keeps the image that runs on trial: stores its sequence number, then raises the security counter. Call it
/// once the application has seen that it works: it reaches its server, and could be updated again.
///
/// Power loss leaves `IOTSEC_UPDATE_TRIAL`, or `_UPDATED` with the counter behind, which the next boot repairs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_accept(update: *mut iotsec_update_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        change(update, |update, parts| {
            Ok(update.updater.accept(&mut parts.flash, &mut parts.rollback)?)
        })
    }
}

/// Gives up an image: the one that runs on trial, after which a reboot goes back, or a staged one. It is not
/// installed again, unless `iotsec_update_forget_rejected()` is called. Power loss leaves the old state or the new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_reject(update: *mut iotsec_update_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        change(update, |update, parts| {
            Ok(update.updater.reject(&mut parts.flash)?)
        })
    }
}

/// Abandons an update that is being written or waits to be installed. Power loss leaves the old state or
/// `IOTSEC_UPDATE_FAILED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_cancel(update: *mut iotsec_update_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        change(update, |update, parts| {
            update.candidate = None;
            update.session = None;
            Ok(update.updater.cancel(&mut parts.flash)?)
        })
    }
}

/// Lets the image that was rejected last be installed once more. Power loss leaves the old state or the new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_forget_rejected(update: *mut iotsec_update_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    unsafe {
        change(update, |update, parts| {
            Ok(update.updater.forget_rejected(&mut parts.flash)?)
        })
    }
}

/// Makes room for the next update: erases one page a call, and writes 1 to `done` after the last, 0 before.
/// After an update, this gives up the old image as a fallback. Power loss: call it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_clean(
    update: *mut iotsec_update_t,
    done: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let done = argument::out(done)?;
            object::enter(update, |update| {
                match update.updater.clean(&mut update.config.flash)? {
                    Clean::More => done.set(0),
                    Clean::Done => done.set(1),
                }
                Ok(())
            })
        }
    })
}

/// Says where the update is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_status(
    update: *mut iotsec_update_t,
    result: *mut iotsec_update_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let result = argument::out(result)?;
            object::enter(update, |update| {
                let updater = &update.updater;
                let progress = update.session.as_ref().map(Session::progress);
                let (taken, size) = progress.unwrap_or_default();
                result.set(iotsec_update_status_t {
                    state: state_to_c(updater.state())?,
                    cause: updater.cause().map_or(IOTSEC_OK, iotsec_status_t::from),
                    running: slot_to_c(updater.running().slot()),
                    trial_boots: updater.trial_boots().into(),
                    taken,
                    size,
                    installed: updater.installed().0,
                });
                Ok(())
            })
        }
    })
}

/// Ends an updater. The storage may be used again; the state stays in flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_close(update: *mut iotsec_update_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(update) })
}

/// A verb without arguments.
///
/// # Safety
/// As [`object::enter`].
unsafe fn change(
    update: *mut iotsec_update_t,
    verb: impl FnOnce(&mut Update, &mut Parts<'_>) -> Result<(), Status>,
) -> iotsec_status_t {
    // SAFETY: the caller's word, passed on.
    status(|| unsafe {
        object::enter(update, |update| {
            let config = update.config;
            config.with(None, |mut parts| verb(update, &mut parts))
        })
    })
}

fn state_to_c(state: State) -> Result<iotsec_update_state_t, Status> {
    Ok(match state {
        State::Ready => IOTSEC_UPDATE_READY,
        State::Writing => IOTSEC_UPDATE_WRITING,
        State::Candidate => IOTSEC_UPDATE_CANDIDATE,
        State::Staged => IOTSEC_UPDATE_STAGED,
        State::Failed => IOTSEC_UPDATE_FAILED,
        State::Trial => IOTSEC_UPDATE_TRIAL,
        State::Rejected => IOTSEC_UPDATE_REJECTED,
        State::Updated => IOTSEC_UPDATE_UPDATED,
        _ => return Err(CallError::State.into()),
    })
}
