//! One update on its way into the slot.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{DIGEST_LEN, Digest},
    hal::Region,
};

use super::InstallError;
use crate::{
    Accepted, ComponentId, ComponentPlan, Source,
    journal::{Journal, Kept, MAX_STATE, Record},
    payload::{Check, Decode, Encoding, PayloadError, Plain, Transport, Unchecked},
    slot::{MAX_WORD, SlotLayout},
};

/// What a session works with during one call.
pub(super) struct Task<'t, F, const N: usize> {
    pub(super) flash: &'t mut F,
    /// The slot that is written.
    pub(super) slot: &'t SlotLayout<N>,
    /// The slot that runs.
    pub(super) base: &'t SlotLayout<N>,
    pub(super) journal: &'t mut Journal,
    pub(super) record: &'t mut Record,
    pub(super) digest: &'t mut dyn Digest,
}

/// An update being written and verified. Only [`Updater::start`](super::Updater::start) makes one.
///
/// It borrows the envelope, which has to stay where it is until the update is finished, and takes about 480
/// bytes of RAM on a 32-bit processor, 128 more for each component after the first, and what `P` and `C`
/// take beyond [`Plain`] and [`Unchecked`]. Dropping it loses nothing that is in flash: start again with the same envelope to go on.
///
/// `P` makes images of payloads that are more than images, and `C` checks digests over payloads.
pub struct Session<'a, P = Plain, C = Unchecked, const N: usize = 1> {
    /// Which of the updater's sessions this is; an older one is refused.
    pub(super) number: u32,
    pub(super) decoder: P,
    pub(super) check: C,
    /// First what is to be sent, then what is there already.
    parts: [ComponentPlan<'a>; N],
    count: usize,
    /// A bit for each part that was read back as it was written.
    verified: u8,
    /// SHA-256 of what the stored envelope must be.
    pub(super) envelope: [u8; DIGEST_LEN],
    /// The part under way; `count` when all are in place.
    pub(super) at: usize,
    pub(super) phase: Phase,
    pub(super) stream: Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The decoder is to be made ready for the part.
    Begin,
    /// Hashing the image that a patch applies to.
    Base { at: u32 },
    /// Hashing what was in place before a reset.
    Rehash { at: u32 },
    /// Taking bytes.
    Stream,
    /// Reading back a part that was in place before a reset.
    ReadBack { part: usize, at: u32 },
    /// Reading back the envelope.
    Envelope,
    /// All is right.
    Verified,
}

/// How far the part under way is.
#[derive(Debug)]
pub(super) struct Stream {
    /// Bytes of the payload that were taken.
    pub(super) taken: u32,
    /// Bytes of the image that were made of them; those of the last word may still be held.
    pub(super) placed: u32,
    /// Bytes up to here may be programmed.
    pub(super) erased: u32,
    /// Bytes that the journal says are in place.
    pub(super) marked: u32,
    /// The last word, while it is not full.
    pub(super) word: [u8; MAX_WORD],
    /// Bytes of the chunk that is being collected, and how many of them were used.
    pub(super) filled: usize,
    pub(super) used: usize,
    /// Whether the digest over the payload is that of all its bytes.
    pub(super) whole: bool,
}

/// What the session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The component.
    pub component: ComponentId<'a>,
    /// Its place among [`DeviceIdentity::components`](crate::DeviceIdentity::components).
    pub place: usize,
    /// Where its payload is.
    pub uri: &'a str,
    /// What the manifest hands to the transport that fetches it.
    pub fetch_arguments: Option<&'a [u8]>,
    /// The byte of the payload to be sent next.
    pub offset: u32,
    /// Bytes of the whole payload. At `offset == size`, call [`write`](super::Updater::write) with nothing.
    pub size: u32,
}

impl<'a, P: Decode, C: Check, const N: usize> Session<'a, P, C, N> {
    /// Checks what is to be installed against the slots.
    pub(super) fn new(
        accepted: &Accepted<'a>,
        layout: (&SlotLayout<N>, &SlotLayout<N>),
        decoder: P,
        check: C,
    ) -> Result<Self, InstallError> {
        let mut session = Self {
            number: 0,
            decoder,
            check,
            parts: [const { ComponentPlan::UNKNOWN }; N],
            count: 0,
            verified: 0,
            envelope: [0; DIGEST_LEN],
            at: 0,
            phase: Phase::Begin,
            stream: Stream::new(),
        };
        for sent in [true, false] {
            for part in accepted.components() {
                if matches!(part.source(), Source::Uri(_)) == sent {
                    session.add(part, layout)?;
                }
            }
        }
        let started = session.all().iter().filter(|part| part.invoke()).count();
        if started != 1 {
            return Err(InstallError::Components);
        }
        // The one under way last, as the decoder is then ready for it.
        for part in (0..session.count).rev() {
            session.at = part;
            session.begin()?;
        }
        Ok(session)
    }

    fn add(
        &mut self,
        part: &ComponentPlan<'a>,
        (slot, base): (&SlotLayout<N>, &SlotLayout<N>),
    ) -> Result<(), InstallError> {
        let region = slot.image(part.place()).ok_or(InstallError::Components)?;
        if part.load().is_some() {
            return Err(InstallError::Components);
        }
        if part.size() == 0 {
            return Err(InstallError::ImageEmpty);
        }
        let kept = part.source() == Source::None;
        let there = base.image(part.place()).filter(|_| kept).unwrap_or(region);
        if part.size() > region.len() || part.size() > there.len() {
            return Err(InstallError::ImageSize);
        }
        let place = self.parts.get_mut(self.count).ok_or(InstallError::Components)?;
        *place = *part;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// What to send next; `None` when all payloads are complete: [`finish`](super::Updater::finish) then.
    pub fn wanted(&self) -> Option<Wanted<'a>> {
        let part = self.part()?;
        let Source::Uri(uri) = part.source() else {
            return None;
        };
        Some(Wanted {
            component: part.id(),
            place: part.place(),
            uri,
            fetch_arguments: part.fetch_arguments(),
            offset: self.stream.taken,
            size: self.transport().map_or(0, |transport| transport.size),
        })
    }

    /// Bytes in place of all images of the update, and bytes in all.
    pub fn progress(&self) -> (u32, u32) {
        (
            self.total_before(self.at).saturating_add(self.stream.placed),
            self.total_before(self.count),
        )
    }

    pub(super) fn all(&self) -> &[ComponentPlan<'a>] {
        self.parts.get(..self.count).unwrap_or_default()
    }

    /// The part under way.
    pub(super) fn part(&self) -> Option<&ComponentPlan<'a>> {
        self.all().get(self.at)
    }

    /// Bytes of the image under way.
    pub(super) fn size(&self) -> u32 {
        self.part().map_or(0, ComponentPlan::size)
    }

    pub(super) fn transport(&self) -> Result<Transport<'a>, InstallError> {
        let part = self.part().ok_or(InstallError::Components)?;
        // Admission has read it; a refusal here is one of a plan that was damaged since.
        let transport = part.transport();
        transport.map_err(|_| InstallError::Payload(PayloadError::Encoding))
    }

    /// Bytes of all images before the part with this number.
    pub(super) fn total_before(&self, part: usize) -> u32 {
        let parts = self.all().iter().take(part);
        parts.fold(0, |sum: u32, part| sum.saturating_add(part.size()))
    }

    pub(super) const fn is_verified(&self, part: usize) -> bool {
        match 1_u8.checked_shl(part_bit(part)) {
            Some(bit) => self.verified & bit != 0,
            None => false,
        }
    }

    pub(super) const fn set_verified(&mut self, part: usize) {
        if let Some(bit) = 1_u8.checked_shl(part_bit(part)) {
            self.verified |= bit;
        }
    }

    /// Whether the payload goes into the slot as it comes.
    pub(super) fn is_direct(&mut self, transport: &Transport<'_>) -> bool {
        transport.is_plain() && (!transport.has_digest() || self.check.means().is_none())
    }

    /// Makes the decoder ready for the part under way.
    pub(super) fn begin(&mut self) -> Result<(), InstallError> {
        let transport = self.transport()?;
        let size = self.size();
        match self.check.means() {
            None if transport.encryption.is_some() && transport.has_digest() => {
                return Err(InstallError::Payload(PayloadError::Unchecked));
            }
            None => {}
            Some(means) => {
                let fits = |size: u32| usize::try_from(size).is_ok_and(|size| size <= means.buffer.len());
                if transport.chunks.is_some_and(|chunks| !fits(chunks.size())) {
                    return Err(InstallError::Payload(PayloadError::ChunkSize));
                }
                means.digest.reset();
            }
        }
        if !self.is_direct(&transport) {
            self.decoder.begin(&transport, size)?;
        }
        self.stream = Stream::new();
        self.stream.whole = transport.digest.is_some() && transport.chunks.is_none();
        self.phase = match transport.encoding {
            Encoding::Delta { .. } => Phase::Base { at: 0 },
            _ => Phase::Rehash { at: 0 },
        };
        Ok(())
    }

    /// Goes on where the journal says that a session of the same manifest was.
    pub(super) fn resume<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        progress: u32,
    ) -> Result<(), InstallError> {
        let state = task.journal.find_state(task.flash, task.record);
        let progress = match &state {
            Some(state) => progress.max(state.progress()),
            None => progress,
        };
        // What the journal says is a hint where to go on. A lie in it costs a download, no more.
        let mut before = 0_u32;
        self.at = 0;
        while let Some(part) = self.part() {
            let end = before.saturating_add(part.size());
            if progress < end {
                break;
            }
            before = end;
            self.at = self.at.saturating_add(1);
        }
        let Some(part) = self.part() else {
            return Ok(());
        };
        let page = task.slot.image(part.place()).map_or(0, Region::page_size);
        let placed = progress.saturating_sub(before);
        self.begin()?;
        if placed == 0 || placed.checked_rem(page) != Some(0) {
            return Ok(());
        }
        let transport = self.transport()?;
        let taken = if self.is_direct(&transport) {
            Some(placed)
        } else {
            let state = state.filter(|state| state.progress() == progress);
            state.and_then(|state| self.restore(task, &state, &transport))
        };
        match taken {
            Some(taken) => {
                self.stream = Stream {
                    placed,
                    erased: placed,
                    marked: placed,
                    ..Stream::at(taken, &transport)
                };
                Ok(())
            }
            None => self.begin(),
        }
    }

    #[inline(never)]
    fn restore<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        state: &Kept,
        transport: &Transport<'_>,
    ) -> Option<u32> {
        let mut bytes = [0; MAX_STATE];
        let bytes = task.journal.read_state(task.flash, state, &mut bytes)?;
        let taken = self.decoder.restore(bytes).ok()?;
        (taken <= transport.size).then_some(taken)
    }
}

iotsec_core::claim! {
    provisions: ["5.3-1"],
    claims: "All components of a release are installed and tried together: where one fails, and between two releases, nothing new runs",
    code: [super::Updater::start_with],
    tests: [
        "iotsec-update::session::components::three_components_are_installed_tried_accepted_and_measured",
        "iotsec-update::session::components::an_update_that_fails_in_its_last_component_leaves_all_old",
        "iotsec-update::session::components::t8_components_of_two_releases_do_not_boot_together",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-2", "5.9-1"],
    claims: "An installation that is cut anywhere leaves a device that starts and goes on with it",
    code: [super::Updater::mount],
    tests: ["iotsec-update::install::power_cut::an_install_cut_anywhere_boots_and_completes"],
}

impl Stream {
    const fn new() -> Self {
        Self {
            taken: 0,
            placed: 0,
            erased: 0,
            marked: 0,
            word: [0; MAX_WORD],
            filled: 0,
            used: 0,
            whole: false,
        }
    }

    /// One that is to go on at this byte of the payload: the chunk that holds it is sent again.
    fn at(byte: u32, transport: &Transport<'_>) -> Self {
        let chunk = transport.chunks.map_or(1, |chunks| chunks.size());
        let skip = byte.checked_rem(chunk).unwrap_or(0);
        Self {
            taken: byte.saturating_sub(skip),
            used: usize::try_from(skip).unwrap_or(usize::MAX),
            ..Self::new()
        }
    }
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "below eight"
)]
const fn part_bit(part: usize) -> u32 {
    part as u32
}

impl<P, C, const N: usize> core::fmt::Debug for Session<'_, P, C, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Session")
            .field("part", &self.at)
            .field("phase", &self.phase)
            .field("taken", &self.stream.taken)
            .field("placed", &self.stream.placed)
            .finish_non_exhaustive()
    }
}
