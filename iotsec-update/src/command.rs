//! Commands and parameters as they are written.
//!
//! ```text
//! SUIT_Command_Sequence = [+ (code: int, argument: any)]
//! ```
//!
//! Nothing is copied out of the envelope: sequences, alternatives and values are known by their place in
//! it, which `root`, a reader of the whole envelope, finds again.

mod parameters;

use iotsec_core::cbor::{self, Reader, Type};

pub(crate) use parameters::{Parameters, key, parameter};

use crate::{error::UpdateError, manifest::Manifest, plan::MAX_COMPONENTS};

/// What any byte string with commands may hold: a sequence with a map or an array in it. Its bytes were
/// counted as part of the envelope.
pub(crate) const LIMITS: cbor::Limits = cbor::Limits {
    depth: 2,
    items: 1024,
    bytes: u32::MAX,
};

/// Sequences inside one another that can be followed, whatever [`Limits::depth`](crate::Limits::depth) says.
pub(crate) const MAX_DEPTH: usize = 4;

/// The numbers of the commands.
pub(crate) mod code {
    // Conditions: questions whose answer lets the sequence go on, or ends it.
    pub(crate) const VENDOR: u8 = 1;
    pub(crate) const CLASS: u8 = 2;
    pub(crate) const IMAGE_MATCH: u8 = 3;
    pub(crate) const USE_BEFORE: u8 = 4;
    pub(crate) const SLOT: u8 = 5;
    pub(crate) const CHECK_CONTENT: u8 = 6;
    pub(crate) const ABORT: u8 = 14;
    pub(crate) const DEVICE: u8 = 24;
    // Effects: what changes something on the device.
    pub(crate) const WRITE: u8 = 18;
    pub(crate) const FETCH: u8 = 21;
    pub(crate) const COPY: u8 = 22;
    pub(crate) const INVOKE: u8 = 23;
    // The others.
    pub(crate) const SELECT: u8 = 12;
    pub(crate) const TRY: u8 = 15;
    pub(crate) const SET: u8 = 20;
    pub(crate) const RUN: u8 = 32;
}

/// A set of commands with numbers below 32.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes(u32);

impl Codes {
    pub(crate) const NONE: Self = Self(0);
    /// Conditions about the device, which are decided.
    pub(crate) const DEVICE: Self = Self::NONE
        .and(code::VENDOR)
        .and(code::CLASS)
        .and(code::USE_BEFORE)
        .and(code::SLOT)
        .and(code::ABORT)
        .and(code::DEVICE);
    pub(crate) const EFFECTS: Self = Self::NONE
        .and(code::WRITE)
        .and(code::FETCH)
        .and(code::COPY)
        .and(code::INVOKE);
    /// All that have a reporting policy for their argument.
    const REPORTING: Self = Self(Self::DEVICE.0 | Self::EFFECTS.0)
        .and(code::IMAGE_MATCH)
        .and(code::CHECK_CONTENT);

    pub(crate) const fn and(self, code: u8) -> Self {
        match 1u32.checked_shl(u32::from_le_bytes([code, 0, 0, 0])) {
            Some(bit) => Self(self.0 | bit),
            None => self,
        }
    }

    pub(crate) fn have(self, code: u8) -> bool {
        self.0.checked_shr(code.into()).unwrap_or(0) & 1 != 0
    }
}

/// One command. It is read into a place that its reader has: so a result takes one word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    /// One of [`code`].
    pub(crate) code: u8,
    /// The assignments, alternatives or commands in it.
    pub(crate) items: Items,
    pub(crate) selection: Selection,
}

impl Command {
    pub(crate) const NONE: Self = Self {
        code: 0,
        items: Items::NONE,
        selection: Selection::NONE,
    };
}

/// One way of a try-each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Commands,
    /// The trailing nil: go on although nothing succeeded.
    Nil,
    /// There is no other.
    None,
}

/// What is still to come of a sequence, a try-each, or an override-parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items {
    at: usize,
    left: usize,
}

impl Items {
    pub(crate) const NONE: Self = Self { at: 0, left: 0 };

    fn set(&mut self, reader: &Reader<'_>, count: u64) {
        self.at = reader.offset();
        self.left = self::count(count);
    }

    /// Begins with the byte string at `reader`, a sequence of at least one command.
    #[inline(never)]
    pub(crate) fn open(&mut self, reader: &mut Reader<'_>) -> Result<(), UpdateError> {
        let mut inner = reader.embedded(&LIMITS)?;
        let items = inner.array()?;
        if items == 0 || items % 2 != 0 {
            return Err(UpdateError::Sequence);
        }
        self.set(&inner, items / 2);
        Ok(())
    }

    /// A reader at the next item, which is counted as read; `None` after the last.
    fn advance<'a>(&mut self, manifest: &Manifest<'a>) -> Option<Reader<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(manifest.root.seek(self.at))
    }

    /// Reads the next command; `false` after the last.
    #[inline(never)]
    pub(crate) fn command(
        &mut self,
        manifest: &Manifest<'_>,
        command: &mut Command,
    ) -> Result<bool, UpdateError> {
        let Some(mut reader) = self.advance(manifest) else {
            return Ok(false);
        };
        let code = reader.label().and_then(|code| u8::try_from(code).ok());
        command.code = code.ok_or(UpdateError::CommandUnknown)?;
        let items = &mut command.items;
        match command.code {
            code::SELECT => command.selection.read(&mut reader, manifest.components)?,
            code::TRY => items.alternatives(&mut reader)?,
            code::SET => items.assignments(&mut reader)?,
            code::RUN => items.open(&mut reader)?,
            code if !Codes::REPORTING.have(code) => return Err(UpdateError::CommandUnknown),
            // Four bits say what to report of success and failure (§8.4.7). There are no reports yet.
            _ if reader.uint().is_ok_and(|policy| policy <= 15) => {}
            _ => return Err(UpdateError::ReportingPolicy),
        }
        self.at = reader.offset();
        Ok(true)
    }

    /// `[2* bstr .cbor SUIT_Command_Sequence, ? nil]`
    fn alternatives(&mut self, reader: &mut Reader<'_>) -> Result<(), UpdateError> {
        let count = reader.array().map_err(|_| UpdateError::Sequence)?;
        self.set(reader, count);
        let mut sequences = 0u8;
        for place in 1..=self.left {
            match reader.peek()? {
                Type::Bytes => sequences = sequences.saturating_add(1),
                Type::Null if place == self.left => {}
                _ => return Err(UpdateError::Sequence),
            }
            reader.skip()?;
        }
        if sequences < 2 {
            return Err(UpdateError::Sequence);
        }
        Ok(())
    }

    /// Reads the next way of a try-each.
    #[inline(never)]
    pub(crate) fn way(&mut self, manifest: &Manifest<'_>, commands: &mut Self) -> Result<Way, UpdateError> {
        let Some(mut reader) = self.advance(manifest) else {
            return Ok(Way::None);
        };
        if reader.peek()? == Type::Null {
            return Ok(Way::Nil);
        }
        commands.open(&mut reader)?;
        self.at = reader.offset();
        Ok(Way::Commands)
    }
}

/// A number of items: a checked input never has more than bytes.
pub(crate) fn count(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The index at `reader`, if it is one.
fn index(reader: &mut Reader<'_>) -> Option<usize> {
    reader.label().and_then(|index| usize::try_from(index).ok())
}

/// The components that commands apply to, in order, each once: four bits a component from the lowest up,
/// of which the highest is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection(u32);

const _: () = assert!(
    MAX_COMPONENTS == 8,
    "three bits an index, and eight of them in a word"
);

impl Selection {
    pub(crate) const NONE: Self = Self(0);
    /// With one component, it is the current one.
    pub(crate) const FIRST: Self = Self(8);

    /// The argument of set-component-index.
    fn read(&mut self, reader: &mut Reader<'_>, components: usize) -> Result<(), UpdateError> {
        *self = Self::NONE;
        match reader.peek()? {
            Type::Bool => {
                if reader.bool()? {
                    for index in 0..components {
                        self.push(Some(index), components)?;
                    }
                }
            }
            Type::Array => {
                for _ in 0..count(reader.array()?) {
                    self.push(index(reader), components)?;
                }
            }
            _ => self.push(index(reader), components)?,
        }
        if *self == Self::NONE {
            return Err(UpdateError::ComponentIndex);
        }
        Ok(())
    }

    #[inline(never)]
    fn push(&mut self, index: Option<usize>, components: usize) -> Result<(), UpdateError> {
        let index = index.filter(|index| *index < components && { *self }.all(|other| other != *index));
        let nibble = index
            .and_then(|index| u32::try_from(index).ok())
            .map(|index| index | 8);
        let used = u32::BITS.saturating_sub(self.0.leading_zeros());
        let place = nibble.and_then(|nibble| nibble.checked_shl(used));
        self.0 |= place.ok_or(UpdateError::ComponentIndex)?;
        Ok(())
    }

    /// The first one alone.
    pub(crate) const fn first(self) -> Self {
        Self(self.0 & 15)
    }
}

impl Iterator for Selection {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let index = usize::try_from(self.0 & 7).ok();
        self.0 >>= 4;
        index
    }
}
