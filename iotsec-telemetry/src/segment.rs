//! Events of one boot, one after the other (`FORMAT.md`, "Segment"): the part that batches and snapshots
//! share.

use iotsec_core::cbor::{CborError, Kind, Reader, Writer};

use crate::{
    error::DecodeError,
    stream::{Numbers, Shift, Stream},
    varint,
};

/// Stands where a code would, and says that sequence numbers are left out. Codes are one more than this.
const GAP: u64 = 0;
/// Sequence numbers of one boot end before this, so that there is room for what a stream adds.
pub(crate) const MAX_SEQUENCE: u32 = u32::MAX >> 1;

/// An event as it is queued and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) boot: u32,
    pub(crate) sequence: u32,
    /// Seconds since that boot.
    pub(crate) uptime: u32,
    pub(crate) code: u64,
}

/// What `stream` adds to the numbers of a boot.
pub(crate) fn shift<N: Numbers>(stream: &Stream<N>, boot: u32) -> Result<Shift, CborError> {
    // Whoever writes has asked before, so that a failure of the cryptography has its own error.
    stream
        .shift(boot)
        .map_err(|_| CborError::new(Kind::BufferFull, 0))
}

/// Writes `entries` of one purpose, which are in order of boot, sequence number and time; none is of a later boot than
/// `boot`.
pub(crate) fn write<N: Numbers, I>(
    writer: &mut Writer<'_>,
    stream: &Stream<N>,
    boot: u32,
    entries: I,
) -> Result<(), CborError>
where
    I: Iterator<Item = Entry> + Clone,
{
    let mut segments = 0u64;
    let mut last_boot = None;
    for entry in entries.clone() {
        if last_boot != Some(entry.boot) {
            segments = segments.saturating_add(1);
        }
        last_boot = Some(entry.boot);
    }
    writer.array(segments)?;
    let mut ahead = entries;
    let mut next = ahead.next();
    while let Some(first) = next {
        next = ahead.next();
        writer.array(4)?.uint(boot.saturating_sub(first.boot).into())?;
        let shift = shift(stream, first.boot)?;
        writer.uint(first.sequence.saturating_add(shift.sequence).into())?;
        writer.uint(first.uptime.saturating_add(shift.uptime).into())?;
        writer.embedded(|events| {
            write_code(events, first.code)?;
            let mut last = first;
            while let Some(entry) = next.filter(|entry| entry.boot == first.boot) {
                next = ahead.next();
                varint::write(events, entry.uptime.saturating_sub(last.uptime).into())?;
                let missing = entry.sequence.saturating_sub(last.sequence).saturating_sub(1);
                if missing > 0 {
                    varint::write(events, GAP)?;
                    varint::write(events, missing.into())?;
                }
                write_code(events, entry.code)?;
                last = entry;
            }
            Ok::<(), CborError>(())
        })?;
    }
    Ok(())
}

/// The registry has made sure that no code is the largest number there is.
fn write_code(writer: &mut Writer<'_>, code: u64) -> Result<(), CborError> {
    varint::write(writer, code.saturating_add(1))
}

/// Reads entries back, one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a> {
    reader: Reader<'a>,
    boot: u32,
    segments_left: u64,
    /// What is left of the segment's events.
    events: &'a [u8],
    last: Option<Entry>,
}

impl<'a> Entries<'a> {
    /// Starts at the array of segments that boot number `boot` wrote.
    pub(crate) fn new(mut reader: Reader<'a>, boot: u32) -> Result<Self, DecodeError> {
        Ok(Self {
            segments_left: reader.array()?,
            reader,
            boot,
            events: &[],
            last: None,
        })
    }

    /// The next entry, or `None` after the last.
    pub(crate) fn read(&mut self) -> Result<Option<Entry>, DecodeError> {
        let entry = if !self.events.is_empty() {
            self.following()?
        } else if self.segments_left > 0 {
            self.first()?
        } else {
            return Ok(None);
        };
        self.last = Some(entry);
        Ok(Some(entry))
    }

    /// What follows the segments, once all of them are read.
    pub(crate) fn into_rest(self) -> Reader<'a> {
        self.reader
    }

    fn first(&mut self) -> Result<Entry, DecodeError> {
        self.segments_left = self.segments_left.saturating_sub(1);
        self.reader.array_len(4)?;
        let boot = self.boot.checked_sub(self.reader.uint_as()?);
        let boot = boot.filter(|boot| self.last.is_none_or(|last| last.boot < *boot));
        let boot = boot.ok_or(DecodeError::Range)?;
        let (sequence, uptime) = (self.reader.uint_as()?, self.reader.uint_as()?);
        self.events = self.reader.bytes()?;
        Ok(Entry {
            boot,
            sequence,
            uptime,
            code: self.code()?.ok_or(DecodeError::Range)?,
        })
    }

    fn following(&mut self) -> Result<Entry, DecodeError> {
        let last = self.last.ok_or(DecodeError::Range)?;
        let uptime = advanced(last.uptime, varint::read(&mut self.events)?)?;
        let (mut step, mut code) = (1u64, self.code()?);
        if code.is_none() {
            let missing = varint::read(&mut self.events)?;
            let missing = Some(missing).filter(|missing| *missing > 0);
            step = step.saturating_add(missing.ok_or(DecodeError::Range)?);
            code = self.code()?;
        }
        Ok(Entry {
            boot: last.boot,
            sequence: advanced(last.sequence, step)?,
            uptime,
            code: code.ok_or(DecodeError::Range)?,
        })
    }

    /// `None` for a gap.
    fn code(&mut self) -> Result<Option<u64>, DecodeError> {
        Ok(varint::read(&mut self.events)?.checked_sub(1))
    }
}

fn advanced(from: u32, by: u64) -> Result<u32, DecodeError> {
    let to = u64::from(from).checked_add(by);
    to.and_then(|to| u32::try_from(to).ok()).ok_or(DecodeError::Range)
}
