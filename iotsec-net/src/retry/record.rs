use iotsec_core::credential::StorageError;

use super::{Retry, RetryError};

/// Where a [`Retry`] keeps its record.
///
/// *Power loss:* an interrupted [`save`](Self::save) leaves the old or the new record, whole. A `save` that returned
/// is durable.
///
/// Writes are few: about ten for an outage, however long, and one when a connection has proved good.
pub trait RetryStorage {
    /// Reads the record and returns its length, or `None` when there is none.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError>;
    /// Replaces the record.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError>;
}

/// For a device that can keep nothing: every boot begins as after a long outage, with the longest window.
///
/// It is the price of not knowing whether this boot is the hundredth in a loop.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetful;

impl RetryStorage for Forgetful {
    fn load(&mut self, _: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(Some(0))
    }
    fn save(&mut self, _: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// What is stored; the byte table is at [`Retry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Attempts since the last good connection.
    pub(super) level: u8,
    /// Refusals since the last good connection.
    pub(super) refusals: u8,
}

impl Record {
    pub(super) const LEN: usize = 8;
    /// One second doubled 17 times is more than a day, the longest window of a policy.
    pub(super) const HIGHEST_LEVEL: u8 = 17;
    /// More would be no breaker.
    pub(super) const MOST_REFUSALS: u8 = 100;

    /// A good connection, or a new device.
    pub(super) const CLEAR: Self = Self {
        level: 0,
        refusals: 0,
    };
    /// Of what came before nothing is known: assume the worst outage.
    pub(super) const UNKNOWN: Self = Self {
        level: Self::HIGHEST_LEVEL,
        refusals: 0,
    };

    /// The record, and whether it stands like that in the storage. Damage is no reason to stay offline for ever, nor
    /// to come in a hurry.
    pub(super) fn load<S: RetryStorage + ?Sized>(storage: &mut S) -> Result<(Self, bool), RetryError> {
        let mut bytes = [0; Self::LEN];
        let found = match storage.load(&mut bytes)? {
            None => Some(Self::CLEAR),
            Some(Self::LEN) => Self::decode(bytes),
            Some(_) => None,
        };
        Ok(found.map_or((Self::UNKNOWN, false), |record| (record, true)))
    }

    pub(super) fn save<S: RetryStorage + ?Sized>(self, storage: &mut S) -> Result<(), RetryError> {
        Ok(storage.save(&self.encode())?)
    }

    /// The complement finds erased, zeroed and torn records. Against somebody who writes to flash the record needs the
    /// store, which authenticates it.
    const fn encode(self) -> [u8; Self::LEN] {
        let Self { level, refusals } = self;
        [VERSION, level, refusals, 0, !VERSION, !level, !refusals, !0]
    }

    fn decode(bytes: [u8; Self::LEN]) -> Option<Self> {
        let [_, level, refusals, ..] = bytes;
        let record = Self { level, refusals };
        let plausible = level <= Self::HIGHEST_LEVEL && refusals <= Self::MOST_REFUSALS;
        (plausible && record.encode() == bytes).then_some(record)
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    const USED: Record = Record {
        level: 9,
        refusals: 2,
    };

    #[test]
    fn records_read_back_and_are_those_of_the_table() {
        assert_eq!(USED.encode(), [1, 9, 2, 0, 0xFE, 0xF6, 0xFD, 0xFF]);
        for record in [Record::CLEAR, USED, Record::UNKNOWN] {
            assert_eq!(Record::decode(record.encode()), Some(record));
        }
    }

    #[test]
    fn a_flipped_bit_erased_flash_and_impossible_counts_are_damage() {
        for bit in 0..Record::LEN * 8 {
            let mut bytes = USED.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::decode(bytes), None, "bit {bit}");
        }
        assert_eq!(Record::decode([0; Record::LEN]), None);
        assert_eq!(Record::decode([0xFF; Record::LEN]), None);
        for (level, refusals) in [(18, 0), (0, 101)] {
            assert_eq!(Record::decode(Record { level, refusals }.encode()), None);
        }
    }
}
