use std::io::{Read, Write};

use super::{
    Tpm, TpmError,
    command::{ALG_SHA256, COUNTER, COUNTER_LEN, Command},
    response::Fields,
};
use crate::hal::{CounterError, MonotonicCounter};

/// `TPM_RC_HANDLE` for the first handle: there is no such index.
const MISSING: u32 = 0x18B;
/// `TPMA_NV_WRITTEN`: it was incremented once at least.
const WRITTEN: u32 = 0x2000_0000;
/// Increments that one call makes, each of which wears the TPM's memory and takes some ten milliseconds.
const MAX_INCREMENTS: u64 = 1000;

/// A [`MonotonicCounter`] in the memory of a TPM: an NV index that can only be incremented.
///
/// It does not begin at zero but above counters that were taken away, which is one on a new TPM. So taking
/// the index away and making it again does not turn it back. TPMs count some hundred thousand times at
/// least; their maker says how often.
///
/// *Power loss:* the old value or the new one; or one in between, when it is advanced by more than one.
///
/// ```
/// use iotsec_core::hal::{CounterError, MonotonicCounter, linux::tpm::{Tpm, TpmCounter, TpmError}};
/// # use iotsec_testkit::Replay;
///
/// # let tpm = Tpm::new(Replay::new(include_str!("../../../../../vectors/tpm/counter.txt")));
/// // An index of the range that the Trusted Computing Group leaves to owners.
/// let mut counter = TpmCounter::create(tpm, 0x0180_4711)?;
/// let first = counter.read()?;
/// counter.advance_to(first + 2)?;
/// counter.advance_to(first)?;
/// assert_eq!(counter.read()?, first + 2);
///
/// // Not for a thousand increments and more.
/// assert_eq!(counter.advance_to(1 << 40), Err(CounterError::Exhausted));
///
/// // At every start.
/// let mut counter = TpmCounter::open(counter.into_tpm(), 0x0180_4711)?;
/// assert_eq!(counter.read()?, first + 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TpmCounter<T> {
    tpm: Tpm<T>,
    index: u32,
    failed: Option<TpmError>,
}

impl<T: Read + Write> TpmCounter<T> {
    /// Makes the counter, unless it is there, and opens it. Once, at the factory.
    ///
    /// *Power loss:* no counter, or one that the next call finishes.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn create(mut tpm: Tpm<T>, index: u32) -> Result<Self, TpmError> {
        let written = match is_written(&mut tpm, index) {
            Err(TpmError::Refused(MISSING)) => {
                tpm.call(Command::define_counter(index))?;
                false
            }
            other => other?,
        };
        if !written {
            // It has no value before.
            tpm.call(Command::increment(index))?;
        }
        Self::open(tpm, index)
    }

    /// Opens a counter that [`create`](Self::create) made.
    ///
    /// # Errors
    /// [`TpmError::NoCounter`] when the index is something else, or was not finished; [`TpmError::Refused`], among
    /// others when there is none; [`TpmError::Io`] and [`TpmError::Response`].
    pub fn open(mut tpm: Tpm<T>, index: u32) -> Result<Self, TpmError> {
        if !is_written(&mut tpm, index)? {
            return Err(TpmError::NoCounter);
        }
        Ok(Self {
            tpm,
            index,
            failed: None,
        })
    }

    /// Why the last call failed.
    pub const fn failed(&self) -> Option<TpmError> {
        self.failed
    }

    /// The TPM, for something else.
    pub fn into_tpm(self) -> Tpm<T> {
        self.tpm
    }

    fn value(&mut self) -> Result<u64, TpmError> {
        let response = self.tpm.call(Command::read_counter(self.index))?;
        let mut fields = response.parameters(0)?;
        let value = fields.sized()?.try_into().map_err(|_| TpmError::Response)?;
        fields.end()?;
        Ok(u64::from_be_bytes(value))
    }

    /// Notes the failure, and says it as the trait does.
    fn note<R>(&mut self, result: Result<R, TpmError>) -> Result<R, CounterError> {
        self.failed = result.as_ref().err().copied();
        result.map_err(|_| CounterError::Unreadable)
    }
}

/// Refuses what is no counter, and says whether it has a value.
fn is_written<T: Read + Write>(tpm: &mut Tpm<T>, index: u32) -> Result<bool, TpmError> {
    let response = tpm.call(Command::read_public(index))?;
    let mut fields = response.parameters(0)?;
    let public = fields.sized()?;
    // The name, which is a hash of the same.
    fields.sized()?;
    fields.end()?;
    let mut public = Fields(public);
    let same_index = public.u32()? == index;
    let hash = public.u16()?;
    let attributes = public.u32()?;
    let policy = public.sized()?;
    let len = public.u16()?;
    public.end()?;
    if !same_index {
        return Err(TpmError::Response);
    }
    let is_ours =
        hash == ALG_SHA256 && attributes & !WRITTEN == COUNTER && policy.is_empty() && len == COUNTER_LEN;
    if is_ours {
        Ok(attributes & WRITTEN != 0)
    } else {
        Err(TpmError::NoCounter)
    }
}

impl<T: Read + Write> MonotonicCounter for TpmCounter<T> {
    fn read(&mut self) -> Result<u64, CounterError> {
        let value = self.value();
        self.note(value)
    }

    /// Up to a thousand increments; more are [`CounterError::Exhausted`], and change nothing.
    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        let mut present = self.read()?;
        if value.saturating_sub(present) > MAX_INCREMENTS {
            return Err(CounterError::Exhausted);
        }
        while present < value {
            let done = self.tpm.call(Command::increment(self.index)).map(drop);
            self.note(done)?;
            let next = self.read()?;
            if next <= present {
                let stuck = Err(TpmError::Response);
                return self.note(stuck);
            }
            present = next;
        }
        Ok(())
    }
}
