//! Events on their way from flash into a batch, in as little memory as they will take there.

use iotsec_core::cbor::{CborError, Writer};

use super::ring::{Cursor, Numbered};
use crate::{segment::Entry, varint};

/// An event starts a boot of its own.
const NEW_BOOT: u64 = 1;
/// Numbers are missing before it.
const JUMP: u64 = 2;
/// It does not stand right behind the one before.
const MOVED: u64 = 4;
const FLAGS: u32 = 3;

const NOTHING: Numbered = Numbered {
    entry: Entry {
        boot: 0,
        sequence: 0,
        uptime: 0,
        code: 0,
    },
    // So that the first event of a ring follows it.
    number: u32::MAX,
};

/// Packs events of one class.
pub(super) struct Packer<'o> {
    out: &'o mut [u8],
    len: usize,
    last: Numbered,
    /// Where the next event is expected.
    at: Cursor,
    pub(super) count: usize,
}

impl<'o> Packer<'o> {
    pub(super) const fn new(out: &'o mut [u8]) -> Self {
        Self {
            out,
            len: 0,
            last: NOTHING,
            at: (0, 0),
            count: 0,
        }
    }

    /// Bytes used.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The event packed last.
    pub(super) fn last(&self) -> Option<&Numbered> {
        (self.count > 0).then_some(&self.last)
    }

    /// Takes the event that stands at `at`. `false`, and nothing is changed, when there is no room.
    pub(super) fn push(&mut self, event: Numbered, at: Cursor) -> bool {
        let done = self.try_push(event, at).is_ok();
        if done {
            self.last = event;
            self.at = (at.0, at.1.saturating_add(1));
            self.count = self.count.saturating_add(1);
        }
        done
    }

    fn try_push(&mut self, event: Numbered, at: Cursor) -> Result<(), CborError> {
        let (entry, last) = (event.entry, self.last.entry);
        let jump = event.number.wrapping_sub(self.last.number).wrapping_sub(1);
        let is_new = self.count == 0 || entry.boot != last.boot;
        let gap = if is_new {
            0
        } else {
            entry.sequence.wrapping_sub(last.sequence).wrapping_sub(1)
        };
        let has_moved = at != self.at;
        let flag = |is_set: bool, flag: u64| if is_set { flag } else { 0 };
        let flags = flag(is_new, NEW_BOOT) | flag(jump > 0, JUMP) | flag(has_moved, MOVED);
        let mut writer = Writer::new(self.out.get_mut(self.len..).unwrap_or_default());
        varint::write(&mut writer, u64::from(gap) << FLAGS | flags)?;
        if jump > 0 {
            varint::write(&mut writer, jump.into())?;
        }
        if has_moved {
            varint::write(&mut writer, at.0.into())?;
            varint::write(&mut writer, at.1.into())?;
        }
        if is_new {
            varint::write(&mut writer, entry.boot.into())?;
            varint::write(&mut writer, entry.sequence.into())?;
            varint::write(&mut writer, entry.uptime.into())?;
        } else {
            varint::write(&mut writer, entry.uptime.wrapping_sub(last.uptime).into())?;
        }
        varint::write(&mut writer, entry.code)?;
        self.len = self.len.saturating_add(writer.len());
        Ok(())
    }
}

/// Walks over packed events.
#[derive(Clone)]
pub(super) struct Packed<'o> {
    bytes: &'o [u8],
    last: Numbered,
    /// Behind the last event.
    pub(super) at: Cursor,
}

impl<'o> Packed<'o> {
    pub(super) const fn new(bytes: &'o [u8]) -> Self {
        Self {
            bytes,
            last: NOTHING,
            at: (0, 0),
        }
    }

    pub(super) fn next_numbered(&mut self) -> Option<Numbered> {
        let first = self.number()?;
        let jump = if first & JUMP == 0 { 0 } else { self.number_as()? };
        if first & MOVED != 0 {
            self.at = (self.number_as()?, self.number_as()?);
        }
        self.at.1 = self.at.1.saturating_add(1);
        let last = self.last.entry;
        let (boot, sequence, uptime) = if first & NEW_BOOT == 0 {
            let gap = u32::try_from(first >> FLAGS).ok()?;
            let sequence = last.sequence.wrapping_add(gap).wrapping_add(1);
            (last.boot, sequence, last.uptime.wrapping_add(self.number_as()?))
        } else {
            (self.number_as()?, self.number_as()?, self.number_as()?)
        };
        let code = self.number()?;
        self.last = Numbered {
            entry: Entry {
                boot,
                sequence,
                uptime,
                code,
            },
            number: self.last.number.wrapping_add(jump).wrapping_add(1),
        };
        Some(self.last)
    }

    fn number_as(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn number(&mut self) -> Option<u64> {
        varint::read(&mut self.bytes).ok()
    }
}

impl Iterator for Packed<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.next_numbered().map(|event| event.entry)
    }
}
