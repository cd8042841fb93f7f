//! What needs no more bytes: contents that are on the device already, and the last look at the slot.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::Region;

use super::{
    InstallError,
    session::{Phase, Session, Task},
    stream::STEP,
};
use crate::{
    ComponentId, ComponentPlan, Source,
    payload::{Check, Decode, PayloadError},
    slot::{MAX_WORD, read_block, read_range},
};

impl<P: Decode, C: Check, const N: usize> Session<'_, P, C, N> {
    /// Takes bytes of the payload that [`wanted`](Self::wanted) names.
    pub(super) fn write<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        bytes: &[u8],
    ) -> Result<usize, InstallError> {
        match self.part().map(ComponentPlan::source) {
            Some(Source::Uri(_)) => self.take(task, bytes),
            _ if bytes.is_empty() => Ok(0),
            _ => Err(InstallError::PayloadLength),
        }
    }

    /// One step of the verification; true when all is right.
    pub(super) fn finish<F: NorFlash>(&mut self, task: &mut Task<'_, F, N>) -> Result<bool, InstallError> {
        match self.phase {
            Phase::ReadBack { part, at } => self.read_back(task, part, at)?,
            Phase::Envelope => {
                task.digest.reset();
                task.slot
                    .hash_envelope(task.flash, &mut |bytes| task.digest.update(bytes))
                    .map_err(|_| InstallError::ReadBack)?;
                if task.digest.finish() != self.envelope {
                    return Err(InstallError::ReadBack);
                }
                self.phase = Phase::Verified;
            }
            Phase::Verified => return Ok(true),
            _ if self.part().is_some() => self.fill(task)?,
            _ => self.phase = Phase::ReadBack { part: 0, at: 0 },
        }
        Ok(false)
    }

    /// One step of what is left to be put in place.
    fn fill<F: NorFlash>(&mut self, task: &mut Task<'_, F, N>) -> Result<(), InstallError> {
        let source = self.part().map_or(Source::None, ComponentPlan::source);
        match source {
            Source::Uri(_) => {
                if self.stream.taken < self.transport()?.size {
                    return Err(InstallError::Incomplete);
                }
                self.take(task, &[])?;
            }
            Source::Integrated(bytes) | Source::Content(bytes) => {
                let taken = usize::try_from(self.stream.taken).unwrap_or(usize::MAX);
                let done = self.take(task, bytes.get(taken..).unwrap_or_default());
                // Nobody can send it again.
                done.map_err(|error| match error {
                    InstallError::Payload(PayloadError::ChunkDigest(_)) => InstallError::PayloadDigest,
                    other => other,
                })?;
            }
            Source::Copy { from } => {
                let from = self.installed(task, from)?;
                self.copy(task, &from)?;
            }
            Source::None => {
                let place = self.part().map_or(N, ComponentPlan::place);
                let from = task.base.image(place).copied();
                self.copy(task, &from.ok_or(InstallError::Components)?)?;
            }
        }
        Ok(())
    }

    /// Where the content of a component is: in this slot if it was installed before, else in the one that runs.
    fn installed<F>(&self, task: &Task<'_, F, N>, id: ComponentId<'_>) -> Result<Region, InstallError> {
        let mut parts = self.all().iter();
        let part = parts.position(|part| part.id() == id);
        let (number, place) = part
            .and_then(|number| self.all().get(number).map(|part| (number, part.place())))
            .ok_or(InstallError::Components)?;
        let slot = if number < self.at { task.slot } else { task.base };
        slot.image(place).copied().ok_or(InstallError::Components)
    }

    /// Copies within the flash, up to the end of the page. What comes of it has to have the signed digest, as
    /// if it had been sent.
    fn copy<F: NorFlash>(&mut self, task: &mut Task<'_, F, N>, from: &Region) -> Result<(), InstallError> {
        let transport = self.transport()?;
        let region = self.region(task)?;
        if !self.is_ready(task, &region, &transport)? {
            return Ok(());
        }
        if self.stream.placed == self.size() {
            return self.close(task, true, &transport);
        }
        if self.stream.placed == self.stream.erased {
            if self.mark(task, true)? {
                return Ok(());
            }
            self.open_page(task, &region)?;
        }
        let end = self.stream.erased.min(self.size());
        while self.stream.placed < end {
            let len = end.saturating_sub(self.stream.placed).min(256);
            let mut block = [0; MAX_WORD];
            let len = usize::try_from(len).unwrap_or(MAX_WORD);
            let bytes = read_block(task.flash, from, self.stream.placed, len, &mut block)?;
            self.program(task, &region, bytes)?;
        }
        Ok(())
    }

    /// Reads parts that were in place before a reset; those of this session were read as they were written.
    fn read_back<F: NorFlash>(
        &mut self,
        task: &mut Task<'_, F, N>,
        number: usize,
        at: u32,
    ) -> Result<(), InstallError> {
        let next = number.saturating_add(1);
        let Some(part) = self.all().get(number).copied() else {
            self.phase = Phase::Envelope;
            return Ok(());
        };
        if self.is_verified(number) {
            self.phase = Phase::ReadBack { part: next, at: 0 };
            return Ok(());
        }
        let region = task.slot.image(part.place()).ok_or(InstallError::Components)?;
        if at == 0 {
            task.digest.reset();
        }
        let end = at.saturating_add(STEP).min(part.size());
        read_range(task.flash, region, at, end, &mut |bytes| {
            task.digest.update(bytes);
        })?;
        self.phase = Phase::ReadBack {
            part: number,
            at: end,
        };
        if end == part.size() {
            if task.digest.finish() != *part.digest() {
                return Err(InstallError::ReadBack);
            }
            self.set_verified(number);
            self.phase = Phase::ReadBack { part: next, at: 0 };
        }
        Ok(())
    }
}
