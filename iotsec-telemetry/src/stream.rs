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
/// assert_eq!((stream.purpose(), stream.pseudonym()), (Purpose::Health, None));
/// ```
pub struct Stream<'k> {
    purpose: Purpose,
    disguise: Option<Disguise<'k>>,
}

struct Disguise<'k> {
    pseudonym: Pseudonym,
    key: Secret<32>,
    kdf: &'k dyn Kdf,
}

/// What is added to the numbers of one boot.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shift {
    pub(crate) sequence: u32,
    pub(crate) uptime: u32,
}

impl Stream<'static> {
    /// Under the name of the device, by which the service can put its purposes together.
    pub const fn named(purpose: Purpose) -> Self {
        Self {
            purpose,
            disguise: None,
        }
    }
}

impl<'k> Stream<'k> {
    /// Under `pseudonym`, to which alone `key` belongs.
    pub(crate) const fn disguised(
        purpose: Purpose,
        pseudonym: Pseudonym,
        key: Secret<32>,
        kdf: &'k dyn Kdf,
    ) -> Self {
        Self {
            purpose,
            disguise: Some(Disguise { pseudonym, key, kdf }),
        }
    }

    /// What its events are for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What the service files them under; `None` for the name of the device.
    pub fn pseudonym(&self) -> Option<Pseudonym> {
        Some(self.disguise.as_ref()?.pseudonym)
    }

    /// Boot number `boot`, as it stands in a batch.
    pub(crate) fn boot(&self, boot: u32) -> Result<u32, BatchError> {
        let Some(disguise) = &self.disguise else {
            return Ok(boot);
        };
        let [first, _] = disguise.amounts(&[])?;
        boot.checked_add(first >> 1).ok_or(BatchError::Boot)
    }

    /// What to add to other numbers of boot number `boot`.
    pub(crate) fn shift(&self, boot: u32) -> Result<Shift, CryptoError> {
        let Some(disguise) = &self.disguise else {
            return Ok(Shift::default());
        };
        let [sequence, uptime] = disguise.amounts(&boot.to_be_bytes())?;
        Ok(Shift {
            sequence: sequence >> 1,
            uptime: uptime >> 2,
        })
    }
}

impl Disguise<'_> {
    fn amounts(&self, of: &[u8]) -> Result<[u32; 2], CryptoError> {
        let [a, b, c, d, e, f, g, h, ..] = self.kdf.hmac(self.key.expose(), &[of])?;
        Ok([u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])])
    }
}

/// Shows what for, and not under which name.
impl core::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stream")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
