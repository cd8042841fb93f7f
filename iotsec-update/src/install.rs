//! Writing an accepted update into the slot that is not running, and seeing it through its trial.
//!
//! The verbs and states are those of the PSA Firmware Update API 1.0 (Arm IHI 0093):
//!
//! ```text
//!            start            finish            install           boot          accept
//!   Ready ──────────► Writing ──────► Candidate ───────► Staged ───────► Trial ───────► Updated
//!     ▲                  │  cancel, any error  │            │ reject       │ reject        │
//!     │                  └──────────┬──────────┘            │              ▼               │
//!     │                             ▼                       │          Rejected            │
//!     │                           Failed ◄──────────────────┘              │ boot          │
//!     │                             ▲ ▲ unaccepted boots used up, or image refused         │
//!     │            clean            │ └──────────────── Trial              │               │
//!     └─────────────────────────────┴──────────────────────────────────────┴─(Failed)──────┘ clean
//! ```
//!
//! [`Updater::start`] opens a [`Session`], which says what it [wants](Session::wanted), takes the payloads of
//! one component after the other, and copies what is on the device already. It reads every word back as soon
//! as it is programmed, and hashes what it read. Payloads that are compressed, encrypted or patches, and
//! digests over chunks of them, take a decoder and a check: [`Updater::start_with`].
//!
//! Every call does at most one erase (one more when it records a failure), so that an application can
//! feed a watchdog or other tasks between calls. `start` is the exception when the staging slot was not
//! cleaned before. *Power loss* at any point leaves what the table in [`boot`](crate::boot) says.
//!
//! ```
//! use iotsec_core::{crypto::Sha256, hal::{Region, Slot}};
//! use iotsec_testkit::{Geometry, SimCounter, SimFlash};
//! use iotsec_update::{
//!     Envelope, Limits, Updater,
//!     boot::{BootConfig, Reason, Selection, select},
//!     install::{Finish, State},
//!     rollback::{Rollback, RollbackPolicy},
//!     slot::{LayoutError, SlotLayout, UpdateLayout},
//! };
//! # use iotsec_core::{crypto::{Digest, Ed25519PublicKey, Ed25519SigningKey, Sign}, secret::Secret};
//! # use iotsec_update::{
//! #     ComponentId, DeviceComponent, DeviceIdentity, SequenceNumber, TrustAnchor, TrustAnchors,
//! #     builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
//! # };
//! # let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
//! # let id = ComponentId::from_encoded(&[0x81, 0x41, 0x00])?;
//! # let sign = |number: u64, image: &[u8]| {
//! #     let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
//! #     let component = ManifestComponent {
//! #         id,
//! #         digest: Sha256::of(&[image]),
//! #         size: u32::try_from(image.len()).unwrap(),
//! #         payload: Payload::Uri("https://fw.example/app"),
//! #         transport: None,
//! #         invoke: true,
//! #     };
//! #     let signer = Signer { key: &maker, kid: None };
//! #     EnvelopeBuilder::new([1; 16], [2; 16], SequenceNumber(number), &[component])
//! #         .write(&[signer], &mut Sha256::new(), &mut scratch, &mut out)
//! #         .map(<[u8]>::to_vec)
//! # };
//! # let public = Ed25519PublicKey::from_bytes(maker.public_key())?;
//! # let anchors = [TrustAnchor { key: &public, kid: None }];
//! # let anchors = TrustAnchors::new(&anchors, 1)?;
//! # let places = [DeviceComponent { id, capacity: 0x8000, slot: None }];
//! # let device = DeviceIdentity { vendor: [1; 16], class: [2; 16], device: None, components: &places };
//! # let slot = |start| -> Result<_, LayoutError> {
//! #     Ok(SlotLayout {
//! #         manifest: Region::new(start, 4096, 1, 4)?,
//! #         images: [Region::new(start + 4096, 4096, 8, 4)?],
//! #     })
//! # };
//! # let layout = UpdateLayout::new(slot(0)?, slot(0x9000)?, Region::new(0x12000, 4096, 3, 4)?)?;
//!
//! let (old, new) = (sign(0x100, b"firmware, release 1")?, sign(0x200, b"firmware, release 2")?);
//! let mut flash = SimFlash::new(Geometry::nrf52840(21));
//! layout.slot(Slot::A).provision(&mut flash, &old, [b"firmware, release 1"])?;
//!
//! // The boot loader starts what is authentic.
//! let config = BootConfig::new(layout, anchors, device);
//! let policy = RollbackPolicy::new(8)?;
//! let mut counter = SimCounter::new();
//! let mut rollback = Rollback::new(&mut counter, policy);
//! let (mut hash, mut scratch) = (Sha256::new(), [0; 1024]);
//! let Selection::Boot(image) = select(&mut flash, &config, &mut rollback, &mut hash, &mut scratch)? else {
//!     panic!("recovery");
//! };
//!
//! // The application receives an envelope and its payload.
//! let mut updater = Updater::mount(&mut flash, layout, image.running(), &mut rollback, Sha256::new())?;
//! let accepted = Envelope::parse(&new, &Limits::DEFAULT)?
//!     .authenticate(&config.anchors, &mut hash)?
//!     .admit(&device, &policy.admission(updater.installed(), None), &mut hash)?;
//! let mut session = updater.start(&mut flash, accepted, &mut rollback)?;
//! while let Some(wanted) = session.wanted() {
//!     assert_eq!(wanted.uri, "https://fw.example/app");
//!     let payload = b"firmware, release 2"; // as much of it as has come, from `wanted.offset` on
//!     updater.write(&mut session, &mut flash, &payload[usize::try_from(wanted.offset)?..])?;
//! }
//! let candidate = loop {
//!     if let Finish::Done(candidate) = updater.finish(&mut session, &mut flash)? {
//!         break candidate;
//!     }
//! };
//! updater.install(&mut flash, candidate)?;
//!
//! // After the reboot it is on trial, finds itself well, and stays.
//! let Selection::Boot(image) = select(&mut flash, &config, &mut rollback, &mut hash, &mut scratch)? else {
//!     panic!("recovery");
//! };
//! assert_eq!((image.slot(), image.reason()), (Slot::B, Reason::Trial { boot: 1 }));
//! let mut updater = Updater::mount(&mut flash, layout, image.running(), &mut rollback, Sha256::new())?;
//! assert_eq!(updater.state(), State::Trial);
//! updater.accept(&mut flash, &mut rollback)?;
//! assert_eq!(rollback.floor()?.0, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod candidate;
mod error;
mod session;
mod stream;
mod trial;
mod verify;

use core::hint::black_box;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    error::ErrorCode,
    hal::{CounterError, Slot},
};

pub use crate::journal::{ManifestId, State};
use crate::{
    Accepted, SequenceNumber,
    boot::{Running, settle, settles},
    fault::{self, Proof},
    journal::{Journal, Record},
    payload::{Check, Decode, Plain, Unchecked},
    rollback::{Rollback, RollbackError},
    slot::{LayoutError, SlotLayout, UpdateLayout},
};
pub use candidate::{Candidate, Clean, Finish};
pub use error::InstallError;
use session::Task;
pub use session::{Session, Wanted};
use trial::reconcile;

/// Installs updates into the slot that is not running.
///
/// Takes about 370 bytes of RAM and the digest `D`, for images of any size, and 40 bytes more for each of the
/// `N` components after the first.
pub struct Updater<D, const N: usize = 1> {
    layout: UpdateLayout<N>,
    running: Running,
    /// That both came from `mount`, and not from what else the memory held.
    proof: Proof,
    journal: Journal,
    record: Record,
    digest: D,
    /// How many sessions were started or ended; only the newest one goes on.
    sessions: u32,
    /// Pages of the staging manifest that this run of `clean` has erased.
    cleaned: u32,
}

/// Of knowing what runs.
fn proof(running: &Running) -> Proof {
    Proof::new(&running.manifest.digest, 0).and(fault::number(running.manifest.sequence.0))
}

impl<D: Digest, const N: usize> Updater<D, N> {
    /// Reads the journal. `running` says what the boot loader started, from
    /// [`Verified::running`](crate::boot::Verified::running) or [`identify`](crate::boot::identify).
    ///
    /// Also finishes an [`accept`](Self::accept) that was cut before the security counter was raised.
    ///
    /// # Errors
    /// [`InstallError::Layout`] when the layout does not fit the flash; [`InstallError::Rollback`] when
    /// the security counter cannot be read.
    pub fn mount<F: NorFlash>(
        flash: &mut F,
        layout: UpdateLayout<N>,
        running: Running,
        rollback: &mut Rollback<'_>,
        digest: D,
    ) -> Result<Self, InstallError> {
        layout.check(flash)?;
        let (mut journal, record) = Journal::mount(flash, layout.journal());
        let found = record.map(|record| record.state);
        let record = reconcile(record, running);
        if found == Some(State::Staged) && record.state == State::Trial {
            // A boot loader that does not write the journal started it. Recorded, or the same image
            // would be tried again after it was reverted.
            journal.append(flash, &record)?;
        }
        if settles(&record, running.slot, &running.manifest) {
            match settle(flash, &mut journal, &record, rollback) {
                // Told to whoever called `accept`; an update must stay possible.
                Err(InstallError::Rollback(RollbackError::Counter(CounterError::Exhausted))) => {}
                done => done?,
            }
        } else {
            rollback.floor()?;
        }
        Ok(Self {
            layout,
            proof: proof(&running),
            running,
            journal,
            record,
            digest,
            sessions: 0,
            cleaned: 0,
        })
    }

    /// Begins to install, or goes on after a reset if `accepted` is the manifest that was being
    /// installed: the [`Session`] says where.
    ///
    /// What was in place is hashed again, from flash, in the steps of [`write`](Self::write).
    ///
    /// *Power loss:* the slot that runs is not touched. Before the journal says `Writing`, nothing has
    /// changed; after that, `start` again.
    ///
    /// # Errors
    /// [`InstallError::State`] unless `Ready` or going on; [`InstallError::Busy`] for another manifest
    /// than the one being installed; [`InstallError::AlreadyRejected`]; [`InstallError::Rollback`];
    /// [`InstallError::Payload`] for a payload that takes a decoder; and for what does not fit. None of them
    /// changes the state. A flash error leads to `Failed`.
    pub fn start<'a, F: NorFlash>(
        &mut self,
        flash: &mut F,
        accepted: Accepted<'a>,
        rollback: &mut Rollback<'_>,
    ) -> Result<Session<'a, Plain, Unchecked, N>, InstallError> {
        self.start_with(flash, accepted, rollback, Plain::default(), Unchecked)
    }

    /// The same for payloads that are more than images: `decoder` makes images of them, and `check` checks
    /// digests over them.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    #[allow(clippy::needless_pass_by_value, reason = "the token is used up")]
    pub fn start_with<'a, F: NorFlash, P: Decode, C: Check>(
        &mut self,
        flash: &mut F,
        accepted: Accepted<'a>,
        rollback: &mut Rollback<'_>,
        decoder: P,
        check: C,
    ) -> Result<Session<'a, P, C, N>, InstallError> {
        let manifest = ManifestId {
            sequence: accepted.sequence_number(),
            digest: *accepted.manifest_digest(),
        };
        let resume = match self.record.state {
            State::Ready => false,
            State::Writing | State::Candidate if self.record.staging == Some(manifest) => true,
            State::Writing | State::Candidate => return Err(InstallError::Busy),
            state => return Err(InstallError::State(state)),
        };
        if self
            .record
            .rejected
            .is_some_and(|rejected| rejected.digest == manifest.digest)
        {
            return Err(InstallError::AlreadyRejected);
        }
        if !accepted.proof().fits(&manifest.digest) || black_box(self.proof) != proof(&self.running) {
            return Err(InstallError::Unproven);
        }
        // Admission looked at the number as it was read first.
        let sequence = accepted.sequence_again();
        if accepted.may_go_back_from(&self.record.active.manifest.digest) {
            rollback.check_downgrade(sequence)?;
        } else {
            rollback.check_install(sequence, self.installed())?;
            // Again over the image that runs, whose number comes from elsewhere.
            rollback.check_install(sequence, self.running.manifest.sequence)?;
        }
        let (slot, base) = (*self.staging(), *self.layout.slot(self.running.slot));
        let envelope = accepted.envelope();
        if u32::try_from(envelope.len()).map_or(true, |len| len > slot.envelope_capacity()) {
            return Err(InstallError::EnvelopeSize);
        }
        let mut session = Session::new(&accepted, (&slot, &base), decoder, check)?;

        let clean = self.record.clean;
        let progress = match self.record.state {
            State::Candidate => u32::MAX,
            State::Writing => self.record.progress,
            _ => 0,
        };
        if !resume {
            let record = Record {
                state: State::Writing,
                clean: false,
                boots: 0,
                cause: 0,
                progress: 0,
                staging: Some(manifest),
                ..self.record
            };
            self.put(flash, record)?;
        }
        self.cleaned = 0;
        self.sessions = self.sessions.wrapping_add(1);
        session.number = self.sessions;
        self.digest.reset();
        self.digest.update(envelope);
        session.envelope = self.digest.finish();
        // Bytes are recorded as in place only after the envelope was stored as a whole.
        if progress == 0 || !slot.holds_envelope(flash, envelope) {
            let stored = slot.store_envelope(flash, envelope, clean && !resume);
            if let Err(error) = stored {
                return Err(self.fail(flash, error.into()));
            }
        }
        if resume {
            self.stream(&mut session, flash, |session, task| {
                session.resume(task, progress)
            })?;
        }
        Ok(session)
    }

    /// Takes the next bytes of the payload that the session [wants](Session::wanted), and returns how many:
    /// any number of bytes may be offered in any chunks, and the call may take fewer, or none when it was
    /// spent on an erase, on hashing what was in place before a reset, or on what a payload makes at its end.
    ///
    /// *Power loss:* resumes at a page boundary, at least every 64 records' worth of bytes, with payloads that
    /// are decoded as well as with plain ones.
    ///
    /// # Errors
    /// [`InstallError::PayloadLength`] as soon as more is offered than the manifest says,
    /// [`InstallError::PayloadDigest`] when other bytes came than were signed, [`InstallError::ReadBack`]
    /// when flash holds other bytes than were programmed, [`InstallError::Payload`], and flash errors; each
    /// leads to `Failed`, except [`PayloadError::ChunkDigest`](crate::payload::PayloadError::ChunkDigest):
    /// go on where the session then wants. [`InstallError::State`] for a session that was followed by
    /// another.
    pub fn write<F: NorFlash, P: Decode, C: Check>(
        &mut self,
        session: &mut Session<'_, P, C, N>,
        flash: &mut F,
        bytes: &[u8],
    ) -> Result<usize, InstallError> {
        self.stream(session, flash, |session, task| session.write(task, bytes))
    }

    /// Puts in place, in steps, what the device has already, and verifies the staging slot: images that were
    /// not read back in this session, and the envelope. Call until it is [`Finish::Done`].
    ///
    /// *Power loss:* `start` again, then `finish`; nothing needs to be sent again.
    ///
    /// # Errors
    /// [`InstallError::Incomplete`] while bytes are missing, which changes nothing.
    /// [`InstallError::PayloadDigest`] when other bytes came than were signed,
    /// [`InstallError::ReadBack`] when flash holds other bytes than came; each leads to `Failed`.
    pub fn finish<F: NorFlash, P: Decode, C: Check>(
        &mut self,
        session: &mut Session<'_, P, C, N>,
        flash: &mut F,
    ) -> Result<Finish, InstallError> {
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is for one lifetime, the closure for all"
        )]
        let verified = self.stream(session, flash, |session, task| session.finish(task))?;
        if !verified {
            return Ok(Finish::More);
        }
        let Some(manifest) = self.record.staging else {
            return Err(InstallError::State(self.record.state));
        };
        if self.record.state == State::Writing {
            let record = Record {
                state: State::Candidate,
                ..self.record
            };
            self.put(flash, record)?;
        }
        self.sessions = self.sessions.wrapping_add(1);
        Ok(Finish::Done(Candidate { manifest }))
    }

    /// Has the next boot try the image.
    ///
    /// *Power loss:* `Candidate` or `Staged`.
    ///
    /// # Errors
    /// [`InstallError::State`] when the candidate is not the one in the slot; flash errors, which change
    /// nothing.
    #[allow(clippy::needless_pass_by_value, reason = "the token is used up")]
    pub fn install<F: NorFlash>(&mut self, flash: &mut F, candidate: Candidate) -> Result<(), InstallError> {
        if self.record.state != State::Candidate || self.record.staging != Some(candidate.manifest) {
            return Err(InstallError::State(self.record.state));
        }
        let record = Record {
            state: State::Staged,
            boots: 0,
            ..self.record
        };
        self.put(flash, record)
    }

    /// Abandons an update that is being written or waits to be installed.
    ///
    /// *Power loss:* the old state or `Failed`.
    ///
    /// # Errors
    /// [`InstallError::State`] in other states; flash errors, which change nothing.
    pub fn cancel<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), InstallError> {
        match self.record.state {
            State::Writing | State::Candidate => {}
            state => return Err(InstallError::State(state)),
        }
        self.sessions = self.sessions.wrapping_add(1);
        let record = Record {
            state: State::Failed,
            cause: InstallError::Cancelled.code(),
            ..self.record
        };
        self.put(flash, record)
    }

    /// Erases the manifest in the staging slot, one page a call, and then is `Ready`. Call until it is
    /// [`Clean::Done`]. After an update, this gives up the old image as a fallback.
    ///
    /// *Power loss:* call it again.
    ///
    /// # Errors
    /// [`InstallError::State`] while an update is under way, and after `reject` until the reboot; flash
    /// errors.
    pub fn clean<F: NorFlash>(&mut self, flash: &mut F) -> Result<Clean, InstallError> {
        match self.record.state {
            State::Ready | State::Failed | State::Updated => {}
            state => return Err(InstallError::State(state)),
        }
        if self.record.clean {
            return Ok(Clean::Done);
        }
        let region = self.staging().manifest;
        if self.cleaned < region.page_count() {
            region.erase_page(flash, self.cleaned)?;
            self.cleaned = self.cleaned.saturating_add(1);
            return Ok(Clean::More);
        }
        let record = Record {
            state: State::Ready,
            clean: true,
            boots: 0,
            cause: 0,
            progress: 0,
            staging: None,
            ..self.record
        };
        self.put(flash, record)?;
        self.cleaned = 0;
        Ok(Clean::Done)
    }

    /// Lets the manifest that was rejected last be installed once more.
    ///
    /// # Errors
    /// Flash errors.
    pub fn forget_rejected<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), InstallError> {
        let record = Record {
            rejected: None,
            ..self.record
        };
        self.put(flash, record)
    }

    /// Where the update is.
    pub const fn state(&self) -> State {
        self.record.state
    }

    /// The number of the error behind `Failed` or `Rejected`.
    pub const fn cause(&self) -> Option<u16> {
        match self.record.cause {
            0 => None,
            cause => Some(cause),
        }
    }

    /// What is running.
    pub const fn running(&self) -> Running {
        self.running
    }

    /// The slot of the update: the one written to, or, on trial, the one that runs.
    pub const fn staging_slot(&self) -> Slot {
        self.record.active.slot.other()
    }

    /// The sequence number that a new manifest must not lie below.
    pub const fn installed(&self) -> SequenceNumber {
        self.record.active.manifest.sequence
    }

    /// The manifest that is being installed or tried.
    pub const fn update(&self) -> Option<ManifestId> {
        self.record.staging
    }

    /// The manifest that was rejected last, which `start` refuses.
    pub const fn rejected(&self) -> Option<ManifestId> {
        self.record.rejected
    }

    /// Unaccepted boots of the image on trial.
    pub const fn trial_boots(&self) -> u8 {
        self.record.boots
    }

    /// Never the running slot, whatever the journal says.
    const fn staging(&self) -> &SlotLayout<N> {
        self.layout.slot(self.running.slot.other())
    }

    /// Runs one step of the session. An error that is the update's end is recorded.
    fn stream<F: NorFlash, P, C, R>(
        &mut self,
        session: &mut Session<'_, P, C, N>,
        flash: &mut F,
        step: impl FnOnce(&mut Session<'_, P, C, N>, &mut Task<'_, F, N>) -> Result<R, InstallError>,
    ) -> Result<R, InstallError> {
        let state = self.record.state;
        if session.number != self.sessions || !matches!(state, State::Writing | State::Candidate) {
            return Err(InstallError::State(state));
        }
        let (slot, base) = (*self.staging(), *self.layout.slot(self.running.slot));
        let mut task = Task {
            flash: &mut *flash,
            slot: &slot,
            base: &base,
            journal: &mut self.journal,
            record: &mut self.record,
            digest: &mut self.digest,
        };
        match step(session, &mut task) {
            Err(error) if error.is_final() => Err(self.fail(flash, error)),
            result => result,
        }
    }

    fn put<F: NorFlash>(&mut self, flash: &mut F, record: Record) -> Result<(), InstallError> {
        self.journal.append(flash, &record)?;
        self.record = record;
        Ok(())
    }

    /// Ends the update. If that cannot be written, the journal still says `Writing`, and the next start
    /// finds the same fault or none.
    fn fail<F: NorFlash>(&mut self, flash: &mut F, cause: InstallError) -> InstallError {
        self.sessions = self.sessions.wrapping_add(1);
        self.record = Record {
            state: State::Failed,
            cause: cause.code(),
            ..self.record
        };
        let _ = self.journal.append(flash, &self.record);
        cause
    }
}

iotsec_core::claim! {
    provisions: ["5.3-2"],
    claims: "The updates of strangers and of other devices change nothing in flash, and do not start when somebody writes them there",
    code: [Updater::start_with],
    tests: [
        "iotsec-update::install::attack::t9_envelopes_of_strangers_and_for_other_devices_never_start_an_update",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-9"],
    claims: "An image is read back and compared with the signed digest before it becomes a candidate",
    code: [Updater::finish],
    tests: [
        "iotsec-update::install::stream::a_payload_that_is_too_long_too_short_or_wrong_ends_as_it_should",
        "iotsec-update::install::attack::t15_storage_that_changes_between_writing_and_reading_back_fails_the_update",
    ],
}
