//! The bytes of a payload on their way into the slot.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region};

use super::{
    InstallError,
    session::{Phase, Session, Task},
};
use crate::{
    ComponentPlan,
    payload::{Base, Check, Decode, Decoded, Encoding, Means, PayloadError, Transport},
    slot::{BLOCK, read_at, read_block, read_range, write_padded},
};

/// Bytes hashed in one call: some milliseconds on a small core.
pub(super) const STEP: u32 = 4096;

/// Progress is recorded at most once for so many bytes per byte that recording takes.
const PROGRESS_RATIO: u32 = 64;

impl<P: Decode, C: Check, const N: usize> Session<'_, P, C, N> {
    /// Takes some of `bytes`, which are those of the payload under way from `taken` on.
    pub(super) fn take<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        bytes: &[u8],
    ) -> Result<usize, InstallError> {
        let transport = self.transport()?;
        let room = transport.size.saturating_sub(self.stream.taken);
        if u32::try_from(bytes.len()).map_or(true, |len| len > room) {
            return Err(InstallError::PayloadLength);
        }
        let region = self.region(task)?;
        if !self.is_ready(task, &region, &transport)? {
            return Ok(0);
        }
        let direct = self.is_direct(&transport);
        let complete = self.stream.placed == self.size();
        if complete && self.stream.taken == transport.size && bytes.is_empty() {
            self.close(task, direct, &transport)?;
            return Ok(0);
        }
        if direct && bytes.is_empty() {
            return Ok(0);
        }
        if !complete && self.stream.placed == self.stream.erased {
            if self.mark(task, direct)? {
                return Ok(0);
            }
            self.open_page(task, &region)?;
        }
        if direct {
            self.take_direct(task, &region, bytes)
        } else {
            self.take_checked(task, &region, &transport, bytes)
        }
    }

    /// Where the image under way goes.
    pub(super) fn region<F>(&self, task: &Task<'_, F, N>) -> Result<Region, InstallError> {
        let place = self.part().map_or(N, ComponentPlan::place);
        task.slot.image(place).copied().ok_or(InstallError::Components)
    }

    /// Whether bytes may come; if not, does one step of what comes before.
    pub(super) fn is_ready<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
        transport: &Transport<'_>,
    ) -> Result<bool, InstallError> {
        match self.phase {
            Phase::Begin => self.begin()?,
            Phase::Base { at } => self.hash_base(task, at, transport)?,
            Phase::Rehash { at } if at < self.stream.placed => self.rehash(task, region, at)?,
            // Nothing was in place.
            Phase::Rehash { .. } => {
                task.digest.reset();
                self.phase = Phase::Stream;
                return Ok(true);
            }
            _ => return Ok(true),
        }
        Ok(false)
    }

    pub(super) fn open_page<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
    ) -> Result<(), InstallError> {
        let page = self.stream.placed.checked_div(region.page_size());
        region.erase_page(task.flash, page.ok_or(FlashError::Geometry)?)?;
        self.stream.erased = self.stream.erased.saturating_add(region.page_size());
        Ok(())
    }

    fn take_direct<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
        bytes: &[u8],
    ) -> Result<usize, InstallError> {
        let fits = self.stream.erased.saturating_sub(self.stream.placed);
        let bytes = head(bytes, fits);
        self.program(task, region, bytes)?;
        self.stream.taken = self.stream.taken.saturating_add(count(bytes));
        Ok(bytes.len())
    }

    /// Through the digests over the payload.
    fn take_checked<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
        transport: &Transport<'_>,
        bytes: &[u8],
    ) -> Result<usize, InstallError> {
        let chunks = match self.check.means() {
            Some(_) => transport.chunks,
            None => None,
        };
        let Some(chunks) = chunks else {
            let step = self.decode(task, region, transport, Input::Sent(bytes))?;
            self.stream.taken = self.stream.taken.saturating_add(step);
            let bytes = head(bytes, step);
            if let Some(means) = self.check.means().filter(|_| self.stream.whole) {
                means.digest.update(bytes);
            }
            return Ok(bytes.len());
        };
        // The chunk that the next byte belongs to; at the end of one, that one.
        let begins = self.stream.taken.saturating_sub(to_u32(self.stream.filled));
        let len = chunks.size().min(transport.size.saturating_sub(begins));
        let missing = len.saturating_sub(to_u32(self.stream.filled));
        let mut took = 0;
        if missing > 0 {
            let bytes = head(bytes, missing);
            let means = self.check.means().ok_or(PayloadError::ChunkSize)?;
            let room = means.buffer.get_mut(self.stream.filled..).unwrap_or_default();
            for (to, from) in room.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.stream.filled = self.stream.filled.saturating_add(bytes.len());
            self.stream.taken = self.stream.taken.saturating_add(count(bytes));
            took = bytes.len();
            if to_u32(self.stream.filled) < len {
                return Ok(took);
            }
            let index = begins.checked_div(chunks.size());
            let expected = index.and_then(|index| chunks.digest(index));
            if expected != Some(&self.chunk_digest()?) {
                self.stream.taken = begins;
                self.stream.filled = 0;
                return Err(InstallError::Payload(PayloadError::ChunkDigest(begins)));
            }
        }
        let used = self.decode(task, region, transport, Input::Chunk)?;
        let used = usize::try_from(used).unwrap_or(usize::MAX);
        self.stream.used = self.stream.used.saturating_add(used);
        if self.stream.used >= self.stream.filled && self.stream.taken < transport.size {
            (self.stream.used, self.stream.filled) = (0, 0);
        }
        Ok(took)
    }

    fn chunk_digest(&mut self) -> Result<[u8; 32], InstallError> {
        let Means { buffer, digest } = self.check.means().ok_or(PayloadError::ChunkSize)?;
        digest.reset();
        digest.update(buffer.get(..self.stream.filled).unwrap_or_default());
        Ok(digest.finish())
    }

    /// Decodes as far as the page goes that is open, and returns how much was used.
    fn decode<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
        transport: &Transport<'_>,
        input: Input<'_>,
    ) -> Result<u32, InstallError> {
        let mut used = 0_usize;
        loop {
            let fits = self
                .stream
                .erased
                .min(self.size())
                .saturating_sub(self.stream.placed);
            let mut out = [0; BLOCK];
            let room = usize::try_from(fits).map_or(BLOCK, |fits| fits.min(BLOCK));
            let out = out.get_mut(..room).unwrap_or_default();
            let mut base = SlotBase {
                flash: &mut *task.flash,
                region: *task
                    .base
                    .image(self.part().map_or(N, ComponentPlan::place))
                    .unwrap_or(region),
            };
            let rest = match input {
                Input::Sent(bytes) => bytes.get(used..),
                Input::Chunk => self.check.means().and_then(|means| {
                    let from = self.stream.used.checked_add(used)?;
                    let chunk: &[u8] = means.buffer;
                    chunk.get(from..self.stream.filled)
                }),
            };
            let rest = rest.unwrap_or_default();
            let left = rest.len();
            let step = self.decoder.decode(rest, out, &mut base)?;
            used = used.saturating_add(step.taken);
            let out = out.get(..step.given).unwrap_or_default();
            self.program(task, region, out)?;
            if self.stream.placed == self.stream.erased && self.stream.placed < self.size() {
                break;
            }
            if step == Decoded::default() {
                if left > 0 {
                    return Err(InstallError::Payload(PayloadError::TooLong));
                }
                // All was sent and nothing more comes of it.
                let sent = match input {
                    Input::Sent(_) => self.stream.taken.saturating_add(to_u32(used)),
                    Input::Chunk => self.stream.taken,
                };
                if sent == transport.size && self.stream.placed < self.size() {
                    return Err(InstallError::Payload(PayloadError::TooShort));
                }
                break;
            }
        }
        Ok(to_u32(used))
    }

    /// All bytes were taken and all of the image is in place: checks that it is the one that was signed.
    pub(super) fn close<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        direct: bool,
        transport: &Transport<'_>,
    ) -> Result<(), InstallError> {
        if !direct {
            self.decoder.end()?;
        }
        if self.stream.whole
            && let Some(means) = self.check.means()
            && Some(&means.digest.finish()) != transport.digest
        {
            return Err(InstallError::Payload(PayloadError::Digest));
        }
        let digest = task.digest.finish();
        if self.part().map(ComponentPlan::digest) != Some(&digest) {
            return Err(InstallError::PayloadDigest);
        }
        self.set_verified(self.at);
        self.at = self.at.saturating_add(1);
        self.phase = Phase::Begin;
        self.stream.taken = 0;
        self.stream.placed = 0;
        // From here on a reset costs no byte of this payload again.
        let total = self.total_before(self.at);
        if task.record.progress != total {
            task.record.progress = total;
            task.journal.append_progress(task.flash, task.record)?;
        }
        Ok(())
    }

    fn rehash<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
        at: u32,
    ) -> Result<(), InstallError> {
        if at == 0 {
            task.digest.reset();
        }
        let end = at.saturating_add(STEP).min(self.stream.placed);
        read_range(task.flash, region, at, end, &mut |bytes| {
            task.digest.update(bytes);
        })?;
        self.phase = if end == self.stream.placed {
            Phase::Stream
        } else {
            Phase::Rehash { at: end }
        };
        Ok(())
    }

    /// A patch makes sense only of the very bytes it was made for.
    fn hash_base<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        at: u32,
        transport: &Transport<'_>,
    ) -> Result<(), InstallError> {
        let Encoding::Delta { base, base_size } = transport.encoding else {
            self.phase = Phase::Rehash { at: 0 };
            return Ok(());
        };
        let place = self.part().map_or(N, ComponentPlan::place);
        let region = task.base.image(place).filter(|region| base_size <= region.len());
        let region = region.ok_or(PayloadError::BaseSize)?;
        if at == 0 {
            task.digest.reset();
        }
        let end = at.saturating_add(STEP).min(base_size);
        read_range(task.flash, region, at, end, &mut |bytes| {
            task.digest.update(bytes);
        })?;
        self.phase = Phase::Base { at: end };
        if end == base_size {
            if task.digest.finish() != *base {
                return Err(InstallError::Payload(PayloadError::BaseDigest));
            }
            self.phase = Phase::Rehash { at: 0 };
        }
        Ok(())
    }

    /// Records progress at a page boundary, if that is worth a record. True if it took an erase.
    pub(super) fn mark<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        direct: bool,
    ) -> Result<bool, InstallError> {
        let total = self.total_before(self.at).saturating_add(self.stream.placed);
        let since = self.stream.placed.saturating_sub(self.stream.marked);
        if since == 0 {
            return Ok(false);
        }
        let erases;
        if direct {
            if since < task.journal.progress_space()?.saturating_mul(PROGRESS_RATIO) {
                return Ok(false);
            }
            erases = task.journal.progress_erases();
            task.record.progress = total;
            task.journal.append_progress(task.flash, task.record)?;
        } else {
            match self.mark_state(task, total, since)? {
                Some(erased) => erases = erased,
                None => return Ok(false),
            }
        }
        self.stream.marked = self.stream.placed;
        Ok(erases)
    }

    #[inline(never)]
    fn mark_state<F: NorFlash>(
        &self,
        task: &mut Task<'_, F, N>,
        total: u32,
        since: u32,
    ) -> Result<Option<bool>, InstallError> {
        let mut state = [0; crate::journal::MAX_STATE];
        let Some(saved) = self.decoder.save(&mut state) else {
            return Ok(None);
        };
        let Some(space) = task.journal.state_space(saved.len) else {
            return Ok(None);
        };
        if since < space.saturating_mul(PROGRESS_RATIO) {
            return Ok(None);
        }
        let erases = task.journal.state_erases(space);
        let state = state.get(..saved.len).unwrap_or_default();
        task.journal.append_state(task.flash, task.record, total, state)?;
        Ok(Some(erases))
    }

    /// Programs whole words and keeps the rest; the last word of the image is filled up.
    pub(super) fn program<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        region: &Region,
        mut bytes: &[u8],
    ) -> Result<(), InstallError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let word = usize::try_from(region.word_size()).unwrap_or(1);
        let placed = self.stream.placed;
        let held = usize::try_from(placed)
            .unwrap_or(0)
            .checked_rem(word)
            .unwrap_or(0);
        let last = self.size().saturating_sub(placed) == count(bytes);
        let mut at = placed.saturating_sub(to_u32(held));
        self.stream.placed = placed.saturating_add(count(bytes));
        if held > 0 {
            let (head, rest) = bytes.split_at(bytes.len().min(word.saturating_sub(held)));
            for (to, from) in self.stream.word.iter_mut().skip(held).zip(head) {
                *to = *from;
            }
            bytes = rest;
            let filled = held.saturating_add(head.len());
            if filled < word && !last {
                return Ok(());
            }
            write_and_hash(
                task,
                region,
                at,
                self.stream.word.get(..filled).unwrap_or_default(),
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
            write_and_hash(task, region, at, whole)?;
        }
        for (to, from) in self.stream.word.iter_mut().zip(tail) {
            *to = *from;
        }
        Ok(())
    }
}

/// Where a decoder's input is.
#[derive(Clone, Copy)]
enum Input<'b> {
    Sent(&'b [u8]),
    Chunk,
}

/// Programs `bytes`, and hashes what flash then says it holds: one pass over the image, over the bytes that
/// will boot. A cell that did not take its value is noticed here and not after the download.
fn write_and_hash<F: NorFlash, const N: usize>(
    task: &mut Task<'_, F, N>,
    region: &Region,
    at: u32,
    bytes: &[u8],
) -> Result<(), InstallError> {
    write_padded(task.flash, region, at, bytes)?;
    let mut from = at;
    let mut block = [0; BLOCK];
    for part in bytes.chunks(BLOCK) {
        let read = read_block(task.flash, region, from, part.len(), &mut block)?;
        if read != part {
            return Err(InstallError::ReadBack);
        }
        task.digest.update(read);
        from = from.saturating_add(count(part));
    }
    Ok(())
}

/// The image that runs, for patches.
struct SlotBase<'f, F> {
    flash: &'f mut F,
    region: Region,
}

impl<F: NorFlash> Base for SlotBase<'_, F> {
    fn size(&self) -> u32 {
        self.region.len()
    }

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        read_at(self.flash, &self.region, at, out)
    }
}

/// At most so many of the first bytes.
fn head(bytes: &[u8], most: u32) -> &[u8] {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    bytes.get(..most).unwrap_or(bytes)
}

pub(super) fn count(bytes: &[u8]) -> u32 {
    to_u32(bytes.len())
}

fn to_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
