use iotsec_core::hal::{Date, UnixTime};

use super::MAX_NAME_LEN;
use crate::error::RegistryError;

/// Who answers for data, who gets them, and for how long.
///
/// A registry has one for all that it declares, and an event or a metric may have its own. It is part of
/// the registry's hash and of the page that a consumer reads
/// (EN 303 645, provisions 6-1 and 6-5; Regulation (EU) 2016/679, Article 13).
///
/// ```
/// use iotsec_core::hal::Date;
/// use iotsec_telemetry::registry::Handling;
///
/// const BY_US: Handling = Handling::new("security@lamps.example", "Lamps Ltd", 90).until(2031, 12, 31);
/// assert_eq!((BY_US.kept_days(), BY_US.expires()), (90, Date::new(2031, 12, 31)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handling {
    owner: &'static str,
    recipient: &'static str,
    kept_days: u16,
    expiry: Expiry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    Never,
    /// After this second. Found while compiling, so that no device carries a calendar.
    After(UnixTime),
    /// A day that the calendar does not have, which no registry accepts.
    Malformed,
}

impl Handling {
    /// Nothing is said. A data map shows it as a gap.
    pub const UNSTATED: Self = Self {
        owner: "",
        recipient: "",
        kept_days: 0,
        expiry: Expiry::Never,
    };

    /// `owner` answers for the data inside the maker's organisation, `recipient` gets them, and they are
    /// deleted there after `kept_days` days.
    pub const fn new(owner: &'static str, recipient: &'static str, kept_days: u16) -> Self {
        Self {
            owner,
            recipient,
            kept_days,
            expiry: Expiry::Never,
        }
    }

    /// Collected up to this day, that day included, and not later: what nobody asks for again stops by
    /// itself. A device that does not know the date goes on.
    #[must_use]
    pub const fn until(mut self, year: u16, month: u8, day: u8) -> Self {
        self.expiry = match Date::new(year, month, day) {
            Some(date) => Expiry::After(date.end()),
            None => Expiry::Malformed,
        };
        self
    }

    /// Who answers for the data.
    pub const fn owner(&self) -> &'static str {
        self.owner
    }

    /// Who gets them.
    pub const fn recipient(&self) -> &'static str {
        self.recipient
    }

    /// Days after which they are deleted there; zero where it is not said.
    pub const fn kept_days(&self) -> u16 {
        self.kept_days
    }

    /// The last day on which they are collected.
    pub const fn expires(&self) -> Option<Date> {
        match self.expiry {
            Expiry::After(time) => Date::of(time),
            Expiry::Never | Expiry::Malformed => None,
        }
    }

    /// The last second of that day.
    pub const fn last_second(&self) -> Option<UnixTime> {
        match self.expiry {
            Expiry::After(time) => Some(time),
            Expiry::Never | Expiry::Malformed => None,
        }
    }

    /// True after the last day.
    pub const fn has_expired(&self, now: UnixTime) -> bool {
        match self.expiry {
            Expiry::After(time) => now.0 > time.0,
            Expiry::Never => false,
            Expiry::Malformed => true,
        }
    }

    /// True when nothing is said.
    pub const fn is_unstated(&self) -> bool {
        self.owner.is_empty() && self.recipient.is_empty()
    }

    pub(super) const fn check(&self) -> Result<(), RegistryError> {
        if self.owner.len() > MAX_NAME_LEN || self.recipient.len() > MAX_NAME_LEN {
            return Err(RegistryError::Name);
        }
        // Half a statement is a mistake.
        if self.owner.is_empty() != self.recipient.is_empty() {
            return Err(RegistryError::Handling);
        }
        if !self.is_unstated() && self.kept_days == 0 {
            return Err(RegistryError::Handling);
        }
        match self.expiry {
            Expiry::Malformed => Err(RegistryError::Handling),
            Expiry::Never | Expiry::After(_) => Ok(()),
        }
    }
}
