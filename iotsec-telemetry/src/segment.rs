//! Events of one boot, one after the other (`FORMAT.md`, "Segment"): the part that batches and snapshots
//! share.

use iotsec_core::cbor::{CborError, Reader, Type, Writer};

use crate::error::DecodeError;

/// An event as it is queued and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) boot: u32,
    pub(crate) sequence: u32,
    /// Seconds since that boot.
    pub(crate) uptime: u32,
    pub(crate) code: u64,
}

/// Writes `entries`, which are in order of boot, sequence number and time; none is of a later boot than
/// `boot`.
pub(crate) fn write<I>(writer: &mut Writer<'_>, boot: u32, entries: I) -> Result<(), CborError>
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
    let mut rest = entries;
    let mut ahead = rest.clone();
    while let Some(first) = ahead.next() {
        writer.array(4)?.uint(boot.saturating_sub(first.boot).into())?;
        writer.uint(first.sequence.into())?.uint(first.uptime.into())?;
        writer.array(item_count(rest.clone(), first.boot))?;
        writer.uint(first.code)?;
        let mut last = first;
        rest = ahead.clone();
        while let Some(entry) = ahead.next().filter(|entry| entry.boot == first.boot) {
            let missing = entry.sequence.saturating_sub(last.sequence).saturating_sub(1);
            if missing > 0 {
                writer.int(i64::from(missing).saturating_neg())?;
            }
            writer.uint(entry.uptime.saturating_sub(last.uptime).into())?;
            writer.uint(entry.code)?;
            last = entry;
            rest = ahead.clone();
        }
        ahead = rest.clone();
    }
    Ok(())
}

fn item_count(entries: impl Iterator<Item = Entry>, boot: u32) -> u64 {
    let mut items = 0u64;
    let mut last: Option<Entry> = None;
    for entry in entries.take_while(|entry| entry.boot == boot) {
        let more = match last {
            None => 1,
            Some(last) if entry.sequence.saturating_sub(last.sequence) > 1 => 3,
            Some(_) => 2,
        };
        items = items.saturating_add(more);
        last = Some(entry);
    }
    items
}

/// Reads entries back, one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a> {
    reader: Reader<'a>,
    boot: u32,
    segments_left: u64,
    items_left: u64,
    last: Option<Entry>,
}

impl<'a> Entries<'a> {
    /// Starts at the array of segments that boot number `boot` wrote.
    pub(crate) fn new(mut reader: Reader<'a>, boot: u32) -> Result<Self, DecodeError> {
        Ok(Self {
            segments_left: reader.array()?,
            reader,
            boot,
            items_left: 0,
            last: None,
        })
    }

    /// The next entry, or `None` after the last.
    pub(crate) fn read(&mut self) -> Result<Option<Entry>, DecodeError> {
        let entry = if self.items_left > 0 {
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
        self.items_left = self.reader.array()?;
        self.take_item()?;
        Ok(Entry {
            boot,
            sequence,
            uptime,
            code: self.reader.uint()?,
        })
    }

    fn following(&mut self) -> Result<Entry, DecodeError> {
        let last = self.last.ok_or(DecodeError::Range)?;
        let mut step = 1u64;
        if self.reader.peek()? == Type::Nint {
            self.take_item()?;
            step = step.saturating_add(self.reader.int()?.unsigned_abs());
        }
        self.take_item()?;
        let delta = self.reader.uint()?;
        self.take_item()?;
        Ok(Entry {
            boot: last.boot,
            sequence: advanced(last.sequence, step)?,
            uptime: advanced(last.uptime, delta)?,
            code: self.reader.uint()?,
        })
    }

    /// Every item must lie inside its segment's array.
    fn take_item(&mut self) -> Result<(), DecodeError> {
        self.items_left = self.items_left.checked_sub(1).ok_or(DecodeError::Range)?;
        Ok(())
    }
}

fn advanced(from: u32, by: u64) -> Result<u32, DecodeError> {
    let to = u64::from(from).checked_add(by);
    to.and_then(|to| u32::try_from(to).ok()).ok_or(DecodeError::Range)
}
