//! Under which name a batch goes out, and with which numbers.

use iotsec_core::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

use crate::{error::BatchError, pseudonym::Pseudonym, registry::Purpose};

/// The events of one purpose, as the service files them.
///
/// Under the name of the device, batches carry the numbers that the device counts with. Under a [`Pseudonym`] each
/// number is shifted by an amount that the pseudonym has to itself, so that a service which opens batches of several
/// pseudonyms finds no number that it could tie them by. From [`Trails::stream`](crate::pseudonym::Trails::stream), or
/// [`named`](Self::named).
///
/// ```
/// use iotsec_telemetry::{registry::Purpose, stream::Stream};
///
/// let stream = Stream::named(Purpose::Health);
/// assert_eq!(stream.purpose(), Purpose::Health);
/// ```
pub struct Stream<N = Named> {
    purpose: Purpose,
    numbers: N,
}

/// The numbers that the device counts with.
#[derive(Clone, Copy, Debug)]
pub struct Named;

/// Numbers that are shifted, under a pseudonym.
pub struct Disguised<'k> {
    pseudonym: Pseudonym,
    key: Secret<32>,
    kdf: &'k dyn Kdf,
}

/// What is added to the numbers of one boot.
#[derive(Clone, Copy, Default)]
pub struct Shift {
    pub(crate) sequence: u32,
    pub(crate) uptime: u32,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Named {}
    impl Sealed for super::Disguised<'_> {}
}

/// How the numbers of a stream go into batches: as they are, or shifted. What an application does not name it does not
/// carry.
pub trait Numbers: sealed::Sealed {
    /// What to add to the number of every boot.
    #[doc(hidden)]
    fn boots(&self) -> Result<u32, CryptoError>;

    /// What to add to other numbers of boot number `boot`.
    #[doc(hidden)]
    fn shift(&self, boot: u32) -> Result<Shift, CryptoError>;
}

impl Numbers for Named {
    fn boots(&self) -> Result<u32, CryptoError> {
        Ok(0)
    }

    fn shift(&self, _: u32) -> Result<Shift, CryptoError> {
        Ok(Shift::default())
    }
}

impl Numbers for Disguised<'_> {
    fn boots(&self) -> Result<u32, CryptoError> {
        let [first, _] = self.amounts(&[])?;
        Ok(first >> 1)
    }

    fn shift(&self, boot: u32) -> Result<Shift, CryptoError> {
        let [sequence, uptime] = self.amounts(&boot.to_be_bytes())?;
        Ok(Shift {
            sequence: sequence >> 1,
            uptime: uptime >> 2,
        })
    }
}

impl Disguised<'_> {
    fn amounts(&self, of: &[u8]) -> Result<[u32; 2], CryptoError> {
        let [a, b, c, d, e, f, g, h, ..] = self.kdf.hmac(self.key.expose(), &[of])?;
        Ok([u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])])
    }
}

impl Stream {
    /// Under the name of the device, by which the service can put its purposes together.
    pub const fn named(purpose: Purpose) -> Self {
        Self {
            purpose,
            numbers: Named,
        }
    }
}

impl<'k> Stream<Disguised<'k>> {
    /// Under `pseudonym`, to which alone `key` belongs.
    pub(crate) const fn disguised(
        purpose: Purpose,
        pseudonym: Pseudonym,
        key: Secret<32>,
        kdf: &'k dyn Kdf,
    ) -> Self {
        Self {
            purpose,
            numbers: Disguised { pseudonym, key, kdf },
        }
    }

    /// What the service files them under.
    pub const fn pseudonym(&self) -> Pseudonym {
        self.numbers.pseudonym
    }
}

impl<N> Stream<N> {
    /// What its events are for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
}

impl<N: Numbers> Stream<N> {
    /// Boot number `boot`, as it stands in a batch.
    pub(crate) fn boot(&self, boot: u32) -> Result<u32, BatchError> {
        boot.checked_add(self.numbers.boots()?).ok_or(BatchError::Boot)
    }

    /// What to add to other numbers of boot number `boot`.
    pub(crate) fn shift(&self, boot: u32) -> Result<Shift, CryptoError> {
        self.numbers.shift(boot)
    }
}

/// Shows what for, and not under which name.
impl<N> core::fmt::Debug for Stream<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stream")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Disguised<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Disguised(..)")
    }
}

impl core::fmt::Debug for Shift {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Shift(..)")
    }
}
