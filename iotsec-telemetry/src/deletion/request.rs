//! The request: encoding, sealing, and what it names.

use iotsec_core::{
    cbor::{self, CborError, Limits, Reader, Writer},
    crypto::{CryptoError, Digest, Kdf},
    secret::Secret,
};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::RequestHash;
use crate::{
    batch::{BatchKey, SealTo, SizeClass, Sizes},
    error::{BatchError, DecodeError},
    pseudonym::{Epoch, Pseudonym, Trail, is_span, purpose_of},
    registry::Purpose,
};

/// The external additional data of every sealed request, and what its keys are derived with.
const DOMAIN: &[u8] = b"iotsec/telemetry/deletion/v1";
const VERSION: u64 = 1;
/// Five labels, and values of 1, 1, 34, 5 and 5 bytes.
const MAX_PLAIN: usize = 52;
const LIMITS: Limits = Limits {
    depth: 2,
    items: 11,
    bytes: 142,
};
const _: () = assert!(SizeClass::B192.plain_len() == 142);

/// Asks for the deletion of all that was filed under the pseudonyms of one purpose.
///
/// It carries the secret that they come from, and not the pseudonyms: that names all of them, those of epochs long past
/// included, in 128 bytes. The secret makes no identifier any more by the time that the service sees it. Nobody but
/// the device knows it before, so a request that names stored events came from the device that sent them.
pub struct Request {
    purpose: Purpose,
    first: Epoch,
    last: Epoch,
    secret: Secret<32>,
}

impl Request {
    /// Bytes of a sealed request.
    pub const SEALED_LEN: usize = SizeClass::B128.sealed_len();

    pub(crate) fn of(trail: &Trail, kdf: &dyn Kdf) -> Result<Self, CryptoError> {
        Ok(Self {
            purpose: trail.purpose,
            first: trail.first,
            last: trail.last,
            secret: trail.secret(kdf)?,
        })
    }

    /// What the events were sent for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The first and the last epoch in which they were sent.
    pub const fn epochs(&self) -> (Epoch, Epoch) {
        (self.first, self.last)
    }

    /// Every pseudonym that they may be filed under, at most [`MAX_EPOCHS`](crate::pseudonym::MAX_EPOCHS).
    pub const fn pseudonyms<'r>(&'r self, kdf: &'r dyn Kdf) -> Pseudonyms<'r> {
        Pseudonyms {
            request: self,
            kdf,
            next: Some(self.first),
        }
    }

    /// What a receipt names this request by.
    pub fn hash(&self, digest: &mut dyn Digest) -> RequestHash {
        let mut plain = [0; MAX_PLAIN];
        digest.reset();
        digest.update(DOMAIN);
        // What is always there fits the buffer.
        if let Ok(bytes) = self.write(&mut plain) {
            digest.update(bytes);
        }
        plain.zeroize();
        digest.finish()
    }

    /// Seals the request to the service, anew for each attempt. `out` has [`SEALED_LEN`](Self::SEALED_LEN) bytes; for a
    /// P-256 key of the service 192, of which all are used.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn seal<'o, S: SealTo, R: TryCryptoRng + ?Sized>(
        &self,
        key: &S,
        rng: &mut R,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], BatchError> {
        let mut plain = [0; SizeClass::B192.plain_len()];
        let len = self.write(&mut plain).map_err(|_| BatchError::Buffer)?.len();
        let sizes = Sizes::up_to(SizeClass::B192);
        key.seal_message(DOMAIN, sizes, rng, &mut plain, len, out)
    }

    /// Reads a plaintext that another COSE implementation has authenticated, padding included.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but a request followed by zeros.
    ///
    /// ```
    /// use iotsec_telemetry::{deletion::Request, error::DecodeError};
    ///
    /// assert_eq!(Request::parse(&[0, 0, 1]).err(), Some(DecodeError::Padding));
    /// ```
    pub fn parse(plain: &[u8]) -> Result<Self, DecodeError> {
        let (request, padding) = cbor::split_first(plain, &LIMITS)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::Padding);
        }
        let mut reader = Reader::new(request, &LIMITS)?;
        if reader.map()? != 5 {
            return Err(DecodeError::Range);
        }
        reader.expect_label(1)?;
        if reader.uint()? != VERSION {
            return Err(DecodeError::Version);
        }
        reader.expect_label(2)?;
        let purpose = purpose_of(reader.uint_as()?).ok_or(DecodeError::Range)?;
        reader.expect_label(3)?;
        let secret = Secret::from_bytes(*reader.array_of()?);
        reader.expect_label(4)?;
        let first = Epoch(reader.uint_as()?);
        reader.expect_label(5)?;
        let last = Epoch(reader.uint_as()?);
        if !is_span(first, last) {
            return Err(DecodeError::Range);
        }
        Ok(Self {
            purpose,
            first,
            last,
            secret,
        })
    }

    fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CborError> {
        let mut writer = Writer::new(out);
        writer.map(5)?.uint(1)?.uint(VERSION)?;
        writer.uint(2)?.uint(self.purpose.number().into())?;
        writer.uint(3)?.bytes(self.secret.expose())?;
        writer.uint(4)?.uint(self.first.0.into())?;
        writer.uint(5)?.uint(self.last.0.into())?;
        writer.finish()
    }
}

/// Shows what for, and nothing that it could be found by.
impl core::fmt::Debug for Request {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Request")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

impl BatchKey<'_> {
    /// Decrypts a deletion request, at the service.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but the exact bytes that the holder of this key sealed.
    pub fn open_request(&self, sealed: &[u8]) -> Result<Request, DecodeError> {
        let mut plain = [0; SizeClass::B128.plain_len()];
        let opened = self.open_as(DOMAIN, sealed, &mut plain);
        let request = opened.and_then(Request::parse);
        plain.zeroize();
        request
    }
}

#[cfg(feature = "hpke")]
impl<K: iotsec_core::crypto::AgreementKey> crate::batch::ServiceSecret<'_, K> {
    /// Decrypts a deletion request, at the service.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but what was sealed to this key as a request.
    pub fn open_request(&self, sealed: &[u8]) -> Result<Request, DecodeError> {
        let mut plain = [0; SizeClass::B192.sealed_len()];
        let opened = self.open_as(DOMAIN, sealed, &mut plain);
        let request = opened.and_then(Request::parse);
        plain.zeroize();
        request
    }
}

/// Walks over the pseudonyms of a [`Request`].
#[derive(Clone)]
pub struct Pseudonyms<'r> {
    request: &'r Request,
    kdf: &'r dyn Kdf,
    next: Option<Epoch>,
}

impl Iterator for Pseudonyms<'_> {
    type Item = Result<Pseudonym, CryptoError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (epoch, request) = (self.next?, self.request);
        let following = epoch.0.checked_add(1).map(Epoch);
        self.next = following.filter(|following| *following <= request.last);
        Some(Pseudonym::derive(
            &request.secret,
            request.purpose,
            epoch,
            self.kdf,
        ))
    }
}

impl core::fmt::Debug for Pseudonyms<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}
