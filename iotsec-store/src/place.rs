//! What the index knows of a record, and the record that it stands for.

use crate::{
    KeyId,
    header::{Header, Member},
    record::{Kind, Position},
};

/// Where a value is, or a chunk of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: KeyId,
    pub(crate) position: Position,
    pub(crate) len: u16,
    pub(crate) chunk: u8,
    /// The value failed authentication before; there is nothing to read.
    pub(crate) damaged: bool,
    /// Counts when its transaction is complete.
    pub(crate) pending: bool,
    /// Can be neither replaced nor removed.
    pub(crate) once: bool,
    /// A number that counts up.
    pub(crate) counter: bool,
    /// The key is removed when its transaction is complete.
    pub(crate) gone: bool,
    /// Counts unless the transaction under way is completed.
    pub(crate) doomed: bool,
}

impl Place {
    /// That of the record with this header.
    pub(crate) fn of(header: &Header, position: Position) -> Self {
        let doomed = header.copy && header.member == Member::First;
        let pending = header.member != Member::Single && !doomed;
        Self {
            key: KeyId::from_name(header.domain, header.name),
            position,
            len: header.len,
            chunk: header.chunk,
            damaged: header.kind == Kind::Damaged,
            pending,
            once: header.once,
            counter: header.kind == Kind::Count,
            gone: pending && header.kind == Kind::Remove,
            doomed,
        }
    }

    /// The header of the record.
    pub(crate) fn header(&self) -> Header {
        let kind = if self.gone {
            Kind::Remove
        } else if self.damaged {
            Kind::Damaged
        } else if self.counter {
            Kind::Count
        } else {
            Kind::Put
        };
        Header {
            chunk: self.chunk,
            once: self.once,
            member: match (self.pending, self.doomed) {
                (true, _) => Member::Next,
                (false, true) => Member::First,
                (false, false) => Member::Single,
            },
            ..Header::new(kind, self.key.domain(), self.key.name(), self.len)
        }
    }

    /// The header of a copy of the record.
    pub(crate) fn copy_header(&self) -> Header {
        Header {
            copy: true,
            ..self.header()
        }
    }

    /// The same in another place.
    pub(crate) const fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }
}
