//! Asking the service to delete what it has, until it signs that it did.
//!
//! | step | who | call |
//! |---|---|---|
//! | the request lies in storage | device | [`Trails::pseudonym`], before the first identifier leaves |
//! | it becomes due | owner | [`Consents::withdraw`], a factory reset, [`Trails::ask`] |
//! | it is sent, again and again | device | [`Trails::due`], [`Request::seal`] |
//! | it is carried out | service | [`BatchKey::open_request`], [`Request::pseudonyms`] |
//! | that is signed | service | [`Deleted::sign`] |
//! | the signature is checked, and shown | device | [`Deleted::verify`], which leaves [`Acknowledged`] |
//! | the request is forgotten | device | [`Trails::acknowledge`] |
//!
//! When to try again is not decided here: a request is due until it is acknowledged, and costs the service nothing
//! when it comes twice. Use the schedule of the connection (`iotsec-net`, `retry`).
//!
//! One request is for one purpose: two in one message would tell the service that they are of one device.
//!
//! # What cannot be recalled
//! Reports that were randomised or shared out for aggregation carry no identifier. Nobody can find those of one device
//! again, the service least of all, and a deletion does not reach them. [`Remains`] has the sentence to show.
//!
//! ```
//! use iotsec_core::{crypto::*, hal::UnixTime, secret::Secret};
//! use iotsec_telemetry::{batch::BatchKey, consent::Consents, deletion::*, pseudonym::*, registry::Purpose};
//! # use iotsec_telemetry::error::StorageError;
//! # use iotsec_testkit::SimRng;
//! # #[derive(Default)]
//! # struct Ram([Option<[u8; TRAIL_RECORD_LEN]>; TRAILS]);
//! # impl TrailStorage for Ram {
//! #     fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
//! #         Ok(self.0[place].map(|stored| *record = stored).is_some())
//! #     }
//! #     fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
//! #         self.0[place] = Some(*record); Ok(())
//! #     }
//! #     fn remove(&mut self, place: usize) -> Result<(), StorageError> { self.0[place] = None; Ok(()) }
//! # }
//! # let (mut storage, mut rng, consents) = (Ram::default(), SimRng::new(1), Consents::off());
//! # let shared = Secret::from_bytes([9; 32]);
//! # let service_signs = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
//! // An owner's device files security events under a pseudonym, and is reset: another life.
//! let filed_under = Trails::new(0, &HkdfSha256, &mut storage)
//!     .pseudonym(&consents, Purpose::Security, Epoch(7), &mut rng)?;
//! let mut trails = Trails::new(1, &HkdfSha256, &mut storage);
//!
//! // The device sends what is due.
//! let key = BatchKey::new(&shared, &ChaCha20Poly1305, &HkdfSha256);
//! let request = trails.due(&consents)?.expect("reset makes it due");
//! let mut sealed = [0; Request::SEALED_LEN];
//! request.seal(&key, &mut rng, &mut sealed)?;
//!
//! // The service opens it, deletes, and signs.
//! let mut hash = Sha256::new();
//! let asked = key.open_request(&sealed)?;
//! assert!(asked.pseudonyms(&HkdfSha256).any(|pseudonym| pseudonym == Ok(filed_under)));
//! let deleted = Deleted::of(&asked, UnixTime(1_790_000_000), 42, Remains::AGGREGATED, &mut hash);
//! let mut out = [0; Deleted::MAX_LEN];
//! let receipt = deleted.sign(&service_signs, &mut out)?;
//!
//! // The device has the service's public key, and believes nobody else.
//! let anchor = Ed25519PublicKey::from_bytes(service_signs.public_key())?;
//! let acknowledged = Deleted::verify(receipt, &anchor, &request, &mut hash)?;
//! println!("{}", acknowledged.deleted());
//! trails.acknowledge(acknowledged, &mut hash)?;
//! assert!(trails.due(&consents)?.is_none());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! [`Consents::withdraw`]: crate::consent::Consents::withdraw
//! [`Trails::pseudonym`]: crate::pseudonym::Trails::pseudonym
//! [`Trails::ask`]: crate::pseudonym::Trails::ask
//! [`Trails::due`]: crate::pseudonym::Trails::due
//! [`Trails::acknowledge`]: crate::pseudonym::Trails::acknowledge
//! [`BatchKey::open_request`]: crate::batch::BatchKey::open_request

use iotsec_core::crypto::{DIGEST_LEN, Digest};

use crate::{
    consent::Consents,
    error::TrailError,
    pseudonym::{Read, TRAILS, Trails},
};

pub(crate) mod error;
mod receipt;
mod request;

pub use receipt::{Acknowledged, Deleted, Remains};
pub use request::{Pseudonyms, Request};

impl Trails<'_, '_> {
    /// The next request that waits to be acknowledged. Ask again after [`acknowledge`](Self::acknowledge): there may be
    /// another.
    ///
    /// # Errors
    /// [`TrailError::Storage`].
    pub fn due(&mut self, consents: &Consents) -> Result<Option<Request>, TrailError> {
        for place in 0..TRAILS {
            match self.read(place)? {
                Read::Trail(trail) if trail.is_due(self.life, consents) => {
                    return Ok(Some(Request::of(&trail, self.kdf)?));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Forgets the request that the service has carried out.
    ///
    /// *Power loss:* the request is forgotten, or is sent once more.
    ///
    /// # Errors
    /// [`TrailError::Unknown`] when it is not there (any more); [`TrailError::Storage`].
    #[expect(clippy::needless_pass_by_value, reason = "a receipt counts once")]
    pub fn acknowledge(&mut self, receipt: Acknowledged, hash: &mut dyn Digest) -> Result<(), TrailError> {
        for place in 0..TRAILS {
            if let Read::Trail(trail) = self.read(place)?
                && Request::of(&trail, self.kdf)?.hash(hash) == receipt.deleted().request
            {
                return Ok(self.storage.remove(place)?);
            }
        }
        Err(TrailError::Unknown)
    }
}

/// What a receipt names a request by.
pub type RequestHash = [u8; DIGEST_LEN];

#[cfg(test)]
mod tests;
