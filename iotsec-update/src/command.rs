//! Commands and parameters as they are written.
//!
//! ```text
//! SUIT_Command_Sequence = [+ (code: int, argument: any)]
//! ```
//!
//! Nothing is copied out of the envelope: sequences, alternatives and values are known by their place in
//! it, which `root`, a reader of the whole envelope, finds again.

mod lint;
mod parameters;

use iotsec_core::cbor::{self, Reader, Type};

pub(crate) use lint::{MAX_DEPTH, lint};
pub(crate) use parameters::{Parameters, key};

use crate::{error::UpdateError, plan::MAX_COMPONENTS};

/// What any byte string with commands may hold: a sequence with a map or an array in it. Its bytes were
/// counted as part of the envelope.
pub(crate) const LIMITS: cbor::Limits = cbor::Limits {
    depth: 2,
    items: 1024,
    bytes: u32::MAX,
};

/// A question whose answer lets the sequence go on, or ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Vendor,
    Class,
    Device,
    Slot,
    UseBefore,
    ImageMatch,
    CheckContent,
    Abort,
}

/// What changes something on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Write,
    Fetch,
    Copy,
    Invoke,
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    Check(Condition),
    Do(Effect),
    Select(Selection),
    Set(Items),
    Run(Items),
    Try(Items),
}

/// One way of a try-each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alternative {
    Commands(Items),
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

    fn new(reader: &Reader<'_>, count: u64) -> Self {
        Self {
            at: reader.offset(),
            // A checked input never has more items than bytes.
            left: usize::try_from(count).unwrap_or(usize::MAX),
        }
    }

    /// The byte string at `reader` as a sequence of at least one command.
    pub(crate) fn open(reader: &mut Reader<'_>) -> Result<Self, UpdateError> {
        let mut inner = reader.embedded(&LIMITS)?;
        let items = inner.array()?;
        if items == 0 || items % 2 != 0 {
            return Err(UpdateError::Sequence);
        }
        Ok(Self::new(&inner, items / 2))
    }

    /// A reader at the next item, which is counted as read; `None` after the last.
    fn advance<'a>(&mut self, root: &Reader<'a>) -> Option<Reader<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(root.seek(self.at))
    }

    /// Reads the next command of a manifest with so many `components`; `None` after the last.
    pub(crate) fn command(
        &mut self,
        root: &Reader<'_>,
        components: usize,
    ) -> Result<Option<Command>, UpdateError> {
        let Some(mut reader) = self.advance(root) else {
            return Ok(None);
        };
        let code = reader.label().ok_or(UpdateError::CommandUnknown)?;
        let command = match code {
            1 => Command::Check(Condition::Vendor),
            2 => Command::Check(Condition::Class),
            3 => Command::Check(Condition::ImageMatch),
            4 => Command::Check(Condition::UseBefore),
            5 => Command::Check(Condition::Slot),
            6 => Command::Check(Condition::CheckContent),
            14 => Command::Check(Condition::Abort),
            24 => Command::Check(Condition::Device),
            18 => Command::Do(Effect::Write),
            21 => Command::Do(Effect::Fetch),
            22 => Command::Do(Effect::Copy),
            23 => Command::Do(Effect::Invoke),
            12 => Command::Select(Selection::read(&mut reader, components)?),
            15 => Command::Try(Self::alternatives(&mut reader)?),
            20 => Command::Set(Self::assignments(&mut reader)?),
            32 => Command::Run(Self::open(&mut reader)?),
            _ => return Err(UpdateError::CommandUnknown),
        };
        // Four bits say what to report of success and failure (§8.4.7). There are no reports yet.
        if matches!(command, Command::Check(_) | Command::Do(_))
            && !reader.uint().is_ok_and(|policy| policy <= 15)
        {
            return Err(UpdateError::ReportingPolicy);
        }
        self.at = reader.offset();
        Ok(Some(command))
    }

    /// `[2* bstr .cbor SUIT_Command_Sequence, ? nil]`
    fn alternatives(reader: &mut Reader<'_>) -> Result<Self, UpdateError> {
        let count = reader.array().map_err(|_| UpdateError::Sequence)?;
        let all = Self::new(reader, count);
        let mut sequences = 0u8;
        for place in 1..=all.left {
            match reader.peek()? {
                Type::Bytes => sequences = sequences.saturating_add(1),
                Type::Null if place == all.left => {}
                _ => return Err(UpdateError::Sequence),
            }
            reader.skip()?;
        }
        if sequences < 2 {
            return Err(UpdateError::Sequence);
        }
        Ok(all)
    }

    /// Reads the next way of a try-each.
    pub(crate) fn alternative(&mut self, root: &Reader<'_>) -> Result<Alternative, UpdateError> {
        let Some(mut reader) = self.advance(root) else {
            return Ok(Alternative::None);
        };
        if reader.peek()? == Type::Null {
            return Ok(Alternative::Nil);
        }
        let sequence = Self::open(&mut reader)?;
        self.at = reader.offset();
        Ok(Alternative::Commands(sequence))
    }
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
    fn read(reader: &mut Reader<'_>, components: usize) -> Result<Self, UpdateError> {
        let mut selection = Self::NONE;
        match reader.peek()? {
            Type::Uint => selection.push(reader.uint()?, components)?,
            Type::Bool if reader.bool()? => {
                for index in (0..8).take(components) {
                    selection.push(index, components)?;
                }
            }
            Type::Array => {
                for _ in 0..reader.array()? {
                    let index = reader.uint().map_err(|_| UpdateError::ComponentIndex)?;
                    selection.push(index, components)?;
                }
            }
            _ => {}
        }
        if selection == Self::NONE {
            return Err(UpdateError::ComponentIndex);
        }
        Ok(selection)
    }

    fn push(&mut self, index: u64, components: usize) -> Result<(), UpdateError> {
        let place = usize::try_from(index).map_err(|_| UpdateError::ComponentIndex)?;
        if place >= components || { *self }.any(|other| other == place) {
            return Err(UpdateError::ComponentIndex);
        }
        let used = u32::BITS.saturating_sub(self.0.leading_zeros());
        let nibble = u32::try_from(place).unwrap_or(0) | 8;
        self.0 |= nibble.checked_shl(used).ok_or(UpdateError::ComponentIndex)?;
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
