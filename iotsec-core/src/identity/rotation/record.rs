use super::{RotationError, storage::IdentityPlace, storage::IdentityStorage};
use crate::checksum::crc32;

/// What is stored; the byte table is at [`Rotation`](super::Rotation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) active: IdentityPlace,
    pub(super) phase: Phase,
    pub(super) generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The other place is empty.
    Stable,
    /// The other place holds nothing of value, or half of something.
    Clearing,
    /// The other place has a key that passed its test.
    Keyed,
    /// And a certificate for it.
    Certified,
}

impl Record {
    pub(super) const LEN: usize = 12;

    pub(super) const FIRST: Self = Self {
        active: IdentityPlace::First,
        phase: Phase::Stable,
        generation: 0,
    };

    pub(super) fn load<S: IdentityStorage + ?Sized>(storage: &mut S) -> Result<Self, RotationError> {
        let mut bytes = [0; Self::LEN];
        match storage.load(&mut bytes)? {
            None => Err(RotationError::Missing),
            Some(Self::LEN) => Self::decode(&bytes).ok_or(RotationError::Damaged),
            Some(_) => Err(RotationError::Damaged),
        }
    }

    /// Saves, and reads back: the next step may erase what the old record pointed to.
    pub(super) fn save<S: IdentityStorage + ?Sized>(self, storage: &mut S) -> Result<(), RotationError> {
        storage.save(&self.encode())?;
        match Self::load(storage) {
            Ok(found) if found == self => Ok(()),
            Err(RotationError::Storage(error)) => Err(error.into()),
            _ => Err(RotationError::NotSaved),
        }
    }

    fn encode(self) -> [u8; Self::LEN] {
        let active = match self.active {
            IdentityPlace::First => 0,
            IdentityPlace::Second => 1,
        };
        let phase = match self.phase {
            Phase::Stable => 1,
            Phase::Clearing => 2,
            Phase::Keyed => 3,
            Phase::Certified => 4,
        };
        let [g0, g1, g2, g3] = self.generation.to_be_bytes();
        let content = [VERSION, active, phase, 0, g0, g1, g2, g3];
        let [c0, c1, c2, c3] = crc32(&content).to_be_bytes();
        [VERSION, active, phase, 0, g0, g1, g2, g3, c0, c1, c2, c3]
    }

    fn decode(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let [VERSION, active, phase, 0, generation @ .., _, _, _, _] = *bytes else {
            return None;
        };
        let record = Self {
            active: match active {
                0 => IdentityPlace::First,
                1 => IdentityPlace::Second,
                _ => return None,
            },
            phase: match phase {
                1 => Phase::Stable,
                2 => Phase::Clearing,
                3 => Phase::Keyed,
                4 => Phase::Certified,
                _ => return None,
            },
            generation: u32::from_be_bytes(generation),
        };
        // One encoding for each record: comparing it whole checks the checksum too.
        (record.encode() == *bytes).then_some(record)
    }
}

const VERSION: u8 = 1;
