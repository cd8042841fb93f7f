use super::{MAX_LIMIT, ThrottleError, storage::ThrottleStorage};
use crate::{checksum::crc32, hal::Millis};

/// What is stored; the byte table is at [`Throttle`](super::Throttle).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) failures: u8,
    pub(super) at: Millis,
}

impl Record {
    pub(super) const LEN: usize = 16;

    /// No failure since the last success, or since the factory.
    pub(super) const CLEAR: Self = Self {
        failures: 0,
        at: Millis(0),
    };

    pub(super) fn load<S: ThrottleStorage + ?Sized>(storage: &mut S) -> Result<Self, ThrottleError> {
        let mut bytes = [0; Self::LEN];
        match storage.load(&mut bytes)? {
            None => Err(ThrottleError::Missing),
            Some(Self::LEN) => Self::decode(&bytes).ok_or(ThrottleError::Damaged),
            Some(_) => Err(ThrottleError::Damaged),
        }
    }

    /// Saves, and reads back: a storage that lost the write would hand out guesses for nothing.
    pub(super) fn save<S: ThrottleStorage + ?Sized>(self, storage: &mut S) -> Result<(), ThrottleError> {
        storage.save(&self.encode())?;
        match Self::load(storage) {
            Ok(found) if found == self => Ok(()),
            Err(ThrottleError::Storage(error)) => Err(error.into()),
            _ => Err(ThrottleError::NotSaved),
        }
    }

    fn encode(self) -> [u8; Self::LEN] {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = self.at.0.to_be_bytes();
        let content = [VERSION, self.failures, 0, 0, t0, t1, t2, t3, t4, t5, t6, t7];
        let [a, b, c, d, e, f, g, h, i, j, k, l] = content;
        let [c0, c1, c2, c3] = crc32(&content).to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, c0, c1, c2, c3]
    }

    fn decode(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let [VERSION, failures, 0, 0, time @ .., _, _, _, _] = *bytes else {
            return None;
        };
        let record = Self {
            failures,
            at: Millis(u64::from_be_bytes(time)),
        };
        let is_plausible = failures <= MAX_LIMIT && (failures > 0 || record == Self::CLEAR);
        // One encoding for each record: comparing it whole checks the checksum too.
        (is_plausible && record.encode() == *bytes).then_some(record)
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    const USED: Record = Record {
        failures: 7,
        at: Millis(0x0102_0304_0506),
    };

    #[test]
    fn records_read_back() {
        for record in [
            Record::CLEAR,
            USED,
            Record {
                failures: 100,
                at: Millis(u64::MAX),
            },
        ] {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_table() {
        let bytes = USED.encode();
        assert_eq!(bytes[..12], [1, 7, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(bytes[12..], crc32(&bytes[..12]).to_be_bytes());
    }

    #[test]
    fn any_one_or_two_flipped_bits_are_damage() {
        let flip = |bytes: &mut [u8; Record::LEN], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        for first in 0..Record::LEN * 8 {
            for second in first..Record::LEN * 8 {
                let mut bytes = USED.encode();
                flip(&mut bytes, first);
                if second != first {
                    flip(&mut bytes, second);
                }
                assert_eq!(Record::decode(&bytes), None, "bits {first} and {second}");
            }
        }
    }

    #[test]
    fn erased_flash_and_impossible_counts_are_damage() {
        assert_eq!(Record::decode(&[0xFF; Record::LEN]), None);
        assert_eq!(Record::decode(&[0; Record::LEN]), None);
        for record in [
            Record {
                failures: 101,
                at: Millis(0),
            },
            Record {
                failures: 0,
                at: Millis(1),
            },
        ] {
            assert_eq!(Record::decode(&record.encode()), None);
        }
    }
}
