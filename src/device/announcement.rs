//! What the device writes down of an erasure before it begins.

use iotsec_core::hal::{Millis, UnixTime};

use crate::erase::{Erased, Reason, Scope};

/// When something is done, as far as the device knows. Times that are not known are left out of receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Time since this boot.
    pub uptime: Option<Millis>,
    /// Time of day, from a clock that can be trusted.
    pub time: Option<UnixTime>,
}

/// The newest erasure, as the device remembers it.
///
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | number of the reason |
/// | 2 | 1 | bit 0: scrubbed, bit 1: uptime known, bit 2: time known |
/// | 3 | 1 | 0 |
/// | 4 | 4 | erasures, this one included |
/// | 8 | 4 | values |
/// | 12 | 4 | boot |
/// | 16 | 8 | uptime in milliseconds |
/// | 24 | 8 | time in seconds since 1970 |
///
/// Numbers are little endian. All zero stands for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Erasure {
    pub(crate) reason: Reason,
    pub(crate) scrubbed: bool,
    pub(crate) erasures: u32,
    pub(crate) values: u32,
    pub(crate) boot: u32,
    pub(crate) when: Moment,
}

const VERSION: u8 = 1;

impl Erasure {
    pub(crate) const LEN: usize = 32;

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let Moment { uptime, time } = self.when;
        let flags = u8::from(self.scrubbed) | u8::from(uptime.is_some()) << 1 | u8::from(time.is_some()) << 2;
        let mut bytes = [0; Self::LEN];
        let fields = [VERSION, self.reason.number(), flags, 0]
            .into_iter()
            .chain(self.erasures.to_le_bytes())
            .chain(self.values.to_le_bytes())
            .chain(self.boot.to_le_bytes())
            .chain(uptime.unwrap_or_default().0.to_le_bytes())
            .chain(time.unwrap_or_default().0.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (&[version, reason, flags, _], rest) = bytes.split_first_chunk()?;
        let (erasures, rest) = rest.split_first_chunk()?;
        let (values, rest) = rest.split_first_chunk()?;
        let (boot, rest) = rest.split_first_chunk()?;
        let (uptime, rest) = rest.split_first_chunk()?;
        let time = rest.first_chunk()?;
        if version != VERSION {
            return None;
        }
        Some(Self {
            reason: Reason::from_number(reason)?,
            scrubbed: flags & 1 != 0,
            erasures: u32::from_le_bytes(*erasures),
            values: u32::from_le_bytes(*values),
            boot: u32::from_le_bytes(*boot),
            when: Moment {
                uptime: (flags & 2 != 0).then(|| Millis(u64::from_le_bytes(*uptime))),
                time: (flags & 4 != 0).then(|| UnixTime(u64::from_le_bytes(*time))),
            },
        })
    }

    pub(crate) fn receipt<'n>(&self, nonce: Option<&'n [u8]>) -> Erased<'n> {
        Erased {
            reason: self.reason,
            scope: match self.reason {
                Reason::Retirement => Scope::Device,
                _ => Scope::User,
            },
            erasures: self.erasures,
            values: self.values,
            scrubbed: self.scrubbed,
            boot: self.boot,
            uptime: self.when.uptime,
            time: self.when.time,
            nonce,
        }
    }
}
