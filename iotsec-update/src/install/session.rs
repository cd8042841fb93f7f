//! The bytes of one image on their way into the slot.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::crypto::{DIGEST_LEN, Digest};

use super::InstallError;
use crate::{
    Accepted, Source,
    journal::{Journal, Record},
    slot::{MAX_WORD, SlotLayout, read_range, write_padded},
};

/// What a session works with during one call.
pub(super) struct Task<'t, F> {
    pub(super) flash: &'t mut F,
    pub(super) slot: &'t SlotLayout,
    pub(super) journal: &'t mut Journal,
    pub(super) record: &'t mut Record,
    pub(super) digest: &'t mut dyn Digest,
}

/// One image being written and verified.
#[derive(Debug)]
pub(super) struct Session {
    digest: [u8; DIGEST_LEN],
    size: u32,
    envelope: [u8; DIGEST_LEN],
    phase: Phase,
    /// Bytes taken from the caller.
    taken: u32,
    /// Bytes up to here may be programmed.
    erased: u32,
    /// Bytes that the journal says are in place.
    marked: u32,
    /// The last word, while it is not full.
    word: [u8; MAX_WORD],
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Hashing what was in place before a reset, up to `taken`.
    Rehash { at: u32 },
    /// Taking bytes.
    Stream,
    /// The bytes that came are right; the envelope is to be read back.
    Envelope,
    /// Reading back the image.
    ReadBack { at: u32 },
    /// All is right.
    Verified,
}

/// Bytes hashed in one call: some milliseconds on a small core.
const STEP: u32 = 4096;

/// Progress is recorded at most once for so many bytes per byte that recording takes.
const PROGRESS_RATIO: u32 = 64;

impl Session {
    /// Checks what is to be installed against the slot.
    pub(super) fn new(accepted: &Accepted<'_>, slot: &SlotLayout) -> Result<Self, InstallError> {
        let component = match accepted.components() {
            [component] if component.invoke() && component.source() != Source::None => component,
            _ => return Err(InstallError::Components),
        };
        if component.size() == 0 {
            return Err(InstallError::ImageEmpty);
        }
        if component.size() > slot.image.len() {
            return Err(InstallError::ImageSize);
        }
        if u32::try_from(accepted.envelope().len()).is_ok_and(|len| len <= slot.envelope_capacity()) {
            Ok(Self {
                digest: *component.digest(),
                size: component.size(),
                envelope: [0; DIGEST_LEN],
                phase: Phase::Stream,
                taken: 0,
                erased: 0,
                marked: 0,
                word: [0; MAX_WORD],
            })
        } else {
            Err(InstallError::EnvelopeSize)
        }
    }

    pub(super) const fn size(&self) -> u32 {
        self.size
    }

    pub(super) const fn progress(&self) -> (u32, u32) {
        (self.taken, self.size)
    }

    /// Remembers what the stored envelope must be.
    pub(super) fn hash_envelope(&mut self, envelope: &[u8], digest: &mut dyn Digest) {
        digest.reset();
        digest.update(envelope);
        self.envelope = digest.finish();
    }

    /// Goes on behind `progress` bytes that are in place.
    pub(super) const fn resume_at(&mut self, progress: u32) {
        self.taken = progress;
        self.erased = progress;
        self.marked = progress;
        self.phase = Phase::Rehash { at: 0 };
    }

    /// Takes some of `bytes`.
    pub(super) fn write<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F>,
        bytes: &[u8],
    ) -> Result<usize, InstallError> {
        let room = self.size.saturating_sub(self.taken);
        if u32::try_from(bytes.len()).map_or(true, |len| len > room) {
            return Err(InstallError::PayloadLength);
        }
        match self.phase {
            Phase::Rehash { at } => {
                self.rehash(task, at)?;
                return Ok(0);
            }
            Phase::Stream => {}
            // Complete, and nothing was offered beyond.
            _ => return Ok(0),
        }
        if bytes.is_empty() || self.mark(task)? {
            return Ok(0);
        }
        let region = &task.slot.image;
        if self.taken == self.erased {
            let page = self.taken.checked_div(region.page_size()).unwrap_or(u32::MAX);
            region.erase_page(task.flash, page)?;
            self.erased = self.erased.saturating_add(region.page_size());
        }
        let fits = usize::try_from(self.erased.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..fits).unwrap_or(bytes);
        self.program(task, bytes)?;
        task.digest.update(bytes);
        Ok(bytes.len())
    }

    /// One step of the verification; true when all is right.
    pub(super) fn finish<F: NorFlash>(&mut self, task: &mut Task<'_, F>) -> Result<bool, InstallError> {
        match self.phase {
            Phase::Rehash { at } => self.rehash(task, at)?,
            Phase::Stream if self.taken < self.size => return Err(InstallError::Incomplete),
            Phase::Stream => {
                if task.digest.finish() != self.digest {
                    return Err(InstallError::PayloadDigest);
                }
                self.phase = Phase::Envelope;
                // From here on a reset costs no byte of the payload again.
                if self.marked < self.size {
                    task.record.progress = self.size;
                    task.journal.append_progress(task.flash, task.record)?;
                    self.marked = self.size;
                }
            }
            Phase::Envelope => {
                task.digest.reset();
                task.slot
                    .hash_envelope(task.flash, &mut |bytes| task.digest.update(bytes))
                    .map_err(|_| InstallError::ReadBack)?;
                if task.digest.finish() != self.envelope {
                    return Err(InstallError::ReadBack);
                }
                self.phase = Phase::ReadBack { at: 0 };
            }
            Phase::ReadBack { at } => {
                let end = at.saturating_add(STEP).min(self.size);
                read_range(task.flash, &task.slot.image, at, end, &mut |bytes| {
                    task.digest.update(bytes);
                })?;
                self.phase = Phase::ReadBack { at: end };
                if end == self.size {
                    if task.digest.finish() != self.digest {
                        return Err(InstallError::ReadBack);
                    }
                    self.phase = Phase::Verified;
                }
            }
            Phase::Verified => return Ok(true),
        }
        Ok(false)
    }

    fn rehash<F: NorFlash>(&mut self, task: &mut Task<'_, F>, at: u32) -> Result<(), InstallError> {
        let end = at.saturating_add(STEP).min(self.taken);
        read_range(task.flash, &task.slot.image, at, end, &mut |bytes| {
            task.digest.update(bytes);
        })?;
        self.phase = if end == self.taken {
            Phase::Stream
        } else {
            Phase::Rehash { at: end }
        };
        Ok(())
    }

    /// Records progress at a page boundary, if that is worth a record. True if it took an erase.
    fn mark<F: NorFlash>(&mut self, task: &mut Task<'_, F>) -> Result<bool, InstallError> {
        let at_page = self.taken.checked_rem(task.slot.image.page_size()) == Some(0);
        let worth = task.journal.progress_space()?.saturating_mul(PROGRESS_RATIO);
        if !at_page || self.taken.saturating_sub(self.marked) < worth {
            return Ok(false);
        }
        let erases = task.journal.progress_erases();
        task.record.progress = self.taken;
        task.journal.append_progress(task.flash, task.record)?;
        self.marked = self.taken;
        Ok(erases)
    }

    /// Programs whole words and keeps the rest; the last word of the image is filled up.
    fn program<F: NorFlash>(&mut self, task: &mut Task<'_, F>, mut bytes: &[u8]) -> Result<(), InstallError> {
        let region = &task.slot.image;
        let word = usize::try_from(region.word_size()).unwrap_or(1);
        let held = usize::try_from(self.taken)
            .unwrap_or(0)
            .checked_rem(word)
            .unwrap_or(0);
        let last = self.size.saturating_sub(self.taken) == count(bytes);
        let mut at = self
            .taken
            .saturating_sub(count(self.word.get(..held).unwrap_or_default()));
        self.taken = self.taken.saturating_add(count(bytes));
        if held > 0 {
            let (head, rest) = bytes.split_at(bytes.len().min(word.saturating_sub(held)));
            for (to, from) in self.word.iter_mut().skip(held).zip(head) {
                *to = *from;
            }
            bytes = rest;
            let filled = held.saturating_add(head.len());
            if filled < word && !last {
                return Ok(());
            }
            write_padded(
                task.flash,
                region,
                at,
                self.word.get(..filled).unwrap_or_default(),
            )?;
            at = at.saturating_add(region.word_size());
        }
        let tail = if last {
            0
        } else {
            bytes.len().checked_rem(word).unwrap_or(0)
        };
        let (whole, tail) = bytes.split_at(bytes.len().saturating_sub(tail));
        if !whole.is_empty() {
            write_padded(task.flash, region, at, whole)?;
        }
        for (to, from) in self.word.iter_mut().zip(tail) {
            *to = *from;
        }
        Ok(())
    }
}

fn count(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
