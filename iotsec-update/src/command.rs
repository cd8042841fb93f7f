//! Commands and parameters as they are written.
//!
//! ```text
//! SUIT_Command_Sequence = [+ (code: int, argument: any)]
//! ```

mod lint;
mod parameters;

use iotsec_core::cbor::{self, Reader, Type};

pub(crate) use lint::{MAX_DEPTH, lint};
pub(crate) use parameters::{Assignment, Assignments, CHUNK_DIGESTS, PAYLOAD_ENCODING, Parameters};

use crate::{error::UpdateError, plan::MAX_COMPONENTS};

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
#[derive(Clone, Debug)]
pub(crate) enum Command<'a> {
    Check(Condition),
    Do(Effect),
    Select(Index<'a>),
    Set(Assignments<'a>),
    Run(Sequence<'a>),
    Try(Alternatives<'a>),
}

/// The argument of set-component-index.
#[derive(Clone, Debug)]
pub(crate) enum Index<'a> {
    All,
    One(usize),
    /// At the first of so many indices.
    Several(Reader<'a>, u64),
}

/// The commands of a sequence that are still to come.
#[derive(Clone, Debug)]
pub(crate) struct Sequence<'a> {
    reader: Reader<'a>,
    left: u64,
    limits: cbor::Limits,
}

/// What a try-each still has to offer.
#[derive(Clone, Debug)]
pub(crate) struct Alternatives<'a> {
    reader: Reader<'a>,
    left: u64,
    limits: cbor::Limits,
}

/// One way of a try-each.
pub(crate) enum Alternative<'a> {
    Commands(Sequence<'a>),
    /// The trailing nil: go on although nothing succeeded.
    Nil,
}

impl<'a> Sequence<'a> {
    /// The byte string at `reader` as a sequence of at least one command.
    pub(crate) fn open(reader: &mut Reader<'a>, limits: &cbor::Limits) -> Result<Self, UpdateError> {
        let mut inner = reader.embedded(limits)?;
        let items = inner.array()?;
        if items == 0 || items % 2 != 0 {
            return Err(UpdateError::Sequence);
        }
        Ok(Self {
            reader: inner,
            left: items / 2,
            limits: *limits,
        })
    }

    /// Reads the next command; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Command<'a>>, UpdateError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let reader = &mut self.reader;
        let code = reader.int().map_err(|_| UpdateError::CommandUnknown)?;
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
            12 => return Index::read(reader).map(|index| Some(Command::Select(index))),
            15 => return Alternatives::read(reader, &self.limits).map(|all| Some(Command::Try(all))),
            20 => return Assignments::read(reader, &self.limits).map(|all| Some(Command::Set(all))),
            32 => return Self::open(reader, &self.limits).map(|sequence| Some(Command::Run(sequence))),
            _ => return Err(UpdateError::CommandUnknown),
        };
        // Four bits say what to report of success and failure (§8.4.7). There are no reports yet.
        match reader.uint() {
            Ok(0..=15) => Ok(Some(command)),
            _ => Err(UpdateError::ReportingPolicy),
        }
    }
}

impl<'a> Index<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, UpdateError> {
        let wrong = |_| UpdateError::ComponentIndex;
        match reader.peek()? {
            Type::Uint => reader.uint_as().map(Self::One).map_err(wrong),
            Type::Bool if reader.bool()? => Ok(Self::All),
            Type::Array => {
                let count = reader.array()?;
                let several = Self::Several(reader.clone(), count);
                for _ in 0..count {
                    reader.uint().map_err(wrong)?;
                }
                if count == 0 {
                    return Err(UpdateError::ComponentIndex);
                }
                Ok(several)
            }
            _ => Err(UpdateError::ComponentIndex),
        }
    }

    /// The components it names, in order, of `count`.
    pub(crate) fn resolve(&self, count: usize) -> Result<Selection, UpdateError> {
        let mut selection = Selection::NONE;
        match self {
            Self::One(index) => selection.push(*index, count)?,
            Self::All => {
                for index in 0..count {
                    selection.push(index, count)?;
                }
            }
            Self::Several(reader, indices) => {
                let mut reader = reader.clone();
                for _ in 0..*indices {
                    let index = reader.uint_as().map_err(|_| UpdateError::ComponentIndex)?;
                    selection.push(index, count)?;
                }
            }
        }
        Ok(selection)
    }
}

/// The components that commands apply to, in order, each once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    indices: [usize; MAX_COMPONENTS],
    len: usize,
}

impl Selection {
    pub(crate) const NONE: Self = Self {
        indices: [0; MAX_COMPONENTS],
        len: 0,
    };

    pub(crate) fn one(index: usize) -> Self {
        let mut indices = [0; MAX_COMPONENTS];
        indices[0] = index;
        Self { indices, len: 1 }
    }

    pub(crate) fn as_slice(&self) -> &[usize] {
        self.indices.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, index: usize, count: usize) -> Result<(), UpdateError> {
        if index >= count || self.as_slice().contains(&index) {
            return Err(UpdateError::ComponentIndex);
        }
        *self
            .indices
            .get_mut(self.len)
            .ok_or(UpdateError::ComponentIndex)? = index;
        self.len = self.len.saturating_add(1);
        Ok(())
    }
}

impl<'a> Alternatives<'a> {
    /// `[2* bstr .cbor SUIT_Command_Sequence, ? nil]`
    fn read(reader: &mut Reader<'a>, limits: &cbor::Limits) -> Result<Self, UpdateError> {
        let left = reader.array().map_err(|_| UpdateError::Sequence)?;
        let all = Self {
            reader: reader.clone(),
            left,
            limits: *limits,
        };
        let mut sequences = 0u64;
        for place in 1..=left {
            match reader.peek()? {
                Type::Bytes => sequences = sequences.saturating_add(1),
                Type::Null if place == left => {}
                _ => return Err(UpdateError::Sequence),
            }
            reader.skip()?;
        }
        if sequences < 2 {
            return Err(UpdateError::Sequence);
        }
        Ok(all)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Alternative<'a>>, UpdateError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        if self.reader.peek()? == Type::Null {
            self.reader.null()?;
            return Ok(Some(Alternative::Nil));
        }
        let sequence = Sequence::open(&mut self.reader, &self.limits)?;
        Ok(Some(Alternative::Commands(sequence)))
    }
}
