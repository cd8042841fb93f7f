//! What the index knows of a record, and the record that it stands for.

use crate::{
    KeyId,
    header::{COPY, FIRST, Header, NEXT, ONCE},
    record::{Kind, Position},
};

/// Where a value is, or a chunk of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The header of the record, but for [`COPY`]. Here [`NEXT`] says that it counts when its transaction is complete,
    /// and [`FIRST`] that it counts unless the transaction under way is completed.
    pub(crate) header: Header,
    pub(crate) position: Position,
}

impl Place {
    /// That of the record with this header.
    pub(crate) const fn of(header: Header, position: Position) -> Self {
        let begins = header.has(FIRST) && !header.has(COPY);
        let header = if begins {
            header.without(FIRST).with(NEXT)
        } else {
            header
        };
        Self {
            header: header.without(COPY),
            position,
        }
    }

    pub(crate) const fn key(&self) -> KeyId {
        self.header.key()
    }

    /// Counts when its transaction is complete.
    pub(crate) const fn is_pending(&self) -> bool {
        self.header.has(NEXT)
    }

    /// Counts unless the transaction under way is completed.
    pub(crate) const fn is_doomed(&self) -> bool {
        self.header.has(FIRST)
    }

    /// Can be neither replaced nor removed.
    pub(crate) const fn is_once(&self) -> bool {
        self.header.has(ONCE)
    }

    /// The key is removed when its transaction is complete.
    pub(crate) const fn is_gone(&self) -> bool {
        self.header.is(Kind::Remove)
    }

    /// The value failed authentication before; there is nothing to read.
    pub(crate) const fn is_damaged(&self) -> bool {
        self.header.is(Kind::Damaged)
    }

    /// The header of a copy of the record, which is not doomed.
    pub(crate) const fn copy_header(&self) -> Header {
        self.header.without(FIRST).with(COPY)
    }

    /// The same of a value that failed authentication.
    pub(crate) const fn damaged(self, len: u16) -> Self {
        Self {
            header: self.header.changed(Kind::Damaged, len),
            ..self
        }
    }

    /// The same in another place.
    pub(crate) const fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }
}
