//! Identifiers that tie a device's events together for a while, and say nothing about the device.
//!
//! A [`Pseudonym`] is what a service files identified events under: the topic of a message, or a column in a
//! table. It is a keyed hash over purpose and [`Epoch`] with a secret that the device drew at random, so
//! nobody gets from it to a serial number, nor from one purpose or epoch to the next. Each purpose has a
//! secret of its own, drawn anew when the owner agrees anew and after every reset. Aggregated reports have
//! no identifier at all.
//!
//! # A request before the first identifier
//! What is known under an identifier can be deleted only by whoever still knows the identifier. So the secret
//! and the epochs in which it was used are in storage, as a *trail*, before the first identifier is handed
//! out; and that trail is the deletion request ([`deletion`](crate::deletion)). It becomes due, without
//! another write, by the record that says that the owner withdrew, or by the wipe that begins another life of
//! the device. There is no moment in which the owner's data are gone and the request is not there.
//!
//! A trail stays until the service has acknowledged its deletion. There are [`TRAILS`] places: who never gets an
//! acknowledgement is refused new identifiers in the end, and is never refused a reset.
//!
//! # Batches that cannot be tied
//! Two pseudonyms of one device have nothing in common, as long as nothing that goes out under one belongs to another. A
//! [`Stream`] sees to that: its batches have events and losses of its purpose alone; events are numbered for each purpose
//! by itself; and every number that a device has only one of, that of a boot and the time at which it began, is shifted by
//! an amount that nobody but the device knows and that is another one for each purpose and epoch.
//!
//! # What this does not do
//! - *When* things happen is in the data. Two events of the same second, or two streams that fall silent together and begin
//!   a boot within the same minutes, week after week, are likely to be of one device. Make epochs short.
//! - What is sent again in the next epoch, for want of an answer, counts there too.
//! - A key that device and service share is one device's: who opens a batch under it knows whose it is. Streams are apart
//!   only where batches are sealed to a public key of the service (feature `hpke`).
//!
//! A connection has an address, and a client certificate a name. Whoever runs both ends of it can tie
//! pseudonyms to them: a service that means it keeps the one that terminates connections apart from the one
//! that keeps events.

use core::num::NonZeroU16;

use iotsec_core::{
    crypto::{CryptoError, Kdf},
    hal::UnixTime,
    secret::Secret,
};
use rand_core::TryCryptoRng;

use crate::{
    consent::Consents,
    error::{StorageError, TrailError},
    registry::Purpose,
    stream::{Disguised, Stream},
};

pub(crate) mod error;
mod record;

pub use record::TRAIL_RECORD_LEN;
pub(crate) use record::{Trail, is_span, purpose_of};

/// Trails at most: those of two owners of a device, or of one who changed their mind twice, in three purposes.
pub const TRAILS: usize = 6;
/// Bytes of a pseudonym.
pub const PSEUDONYM_LEN: usize = 16;
/// Epochs that a trail spans at most: 19 years of weeks. It is what a service has to compute for a request, and
/// what a clock that was wrong once can cost.
pub const MAX_EPOCHS: u32 = 1024;

const DOMAIN: &[u8] = b"iotsec/telemetry/pseudonym/v1";

/// A stretch of time in which a pseudonym stays the same, by its number.
///
/// The product chooses how long it is: the shorter, the less can be learnt of a device, by the service too. A
/// device without a clock may count something else, such as boots or kept batches.
///
/// ```
/// use core::num::NonZeroU16;
/// use iotsec_core::hal::UnixTime;
/// use iotsec_telemetry::pseudonym::Epoch;
///
/// const WEEK: NonZeroU16 = NonZeroU16::new(7).unwrap();
/// assert_eq!(Epoch::of(UnixTime(1_790_000_000), WEEK), Epoch(2959));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch that `time` is in, where each has this many days, from the first of 1970.
    pub fn of(time: UnixTime, days: NonZeroU16) -> Self {
        let length = u64::from(days.get()).saturating_mul(86_400);
        let number = time.0.checked_div(length).unwrap_or_default();
        Self(u32::try_from(number).unwrap_or(u32::MAX))
    }
}

/// An identifier for one purpose and one epoch. From [`Trails::pseudonym`]; at a service, from a deletion request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym([u8; PSEUDONYM_LEN]);

impl Pseudonym {
    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; PSEUDONYM_LEN] {
        &self.0
    }

    pub(crate) fn derive(
        secret: &Secret<32>,
        purpose: Purpose,
        epoch: Epoch,
        kdf: &dyn Kdf,
    ) -> Result<Self, CryptoError> {
        let parts: [&[u8]; 3] = [DOMAIN, &[purpose.number()], &epoch.0.to_be_bytes()];
        let hash = kdf.hmac(secret.expose(), &parts)?;
        let mut bytes = [0; PSEUDONYM_LEN];
        for (to, from) in bytes.iter_mut().zip(hash) {
            *to = from;
        }
        Ok(Self(bytes))
    }
}

/// Shows nothing: logs travel.
impl core::fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pseudonym(..)")
    }
}

/// Where trails are kept: [`TRAILS`] records, each replaced as a whole. They outlive a factory reset, and are to be
/// encrypted and authenticated.
///
/// *Power loss:* an interrupted [`store`](Self::store) leaves the old record or the new one.
pub trait TrailStorage {
    /// Reads record number `place`; `false` when there is none.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be read now. A record that is there and will never read again is given back as
    /// any bytes, and found damaged.
    fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError>;
    /// Replaces a record, and returns only once it would survive a power cut.
    ///
    /// # Errors
    /// [`StorageError`].
    fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError>;
    /// Removes a record.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove(&mut self, place: usize) -> Result<(), StorageError>;
}

/// The trails of a device: where its identifiers come from, and its requests to delete what is filed under them.
///
/// ```
/// use iotsec_core::crypto::HkdfSha256;
/// use iotsec_telemetry::{consent::*, error::*, pseudonym::*, registry::Purpose};
/// # use iotsec_testkit::SimRng;
/// # #[derive(Default)]
/// # struct Ram { consent: Option<[u8; CONSENT_RECORD_LEN]>, trails: [Option<[u8; TRAIL_RECORD_LEN]>; TRAILS] }
/// # impl ConsentStorage for Ram {
/// #     fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
/// #         Ok(self.consent.map(|stored| *record = stored).is_some())
/// #     }
/// #     fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
/// #         self.consent = Some(*record); Ok(())
/// #     }
/// # }
/// # impl TrailStorage for Ram {
/// #     fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
/// #         Ok(self.trails[place].map(|stored| *record = stored).is_some())
/// #     }
/// #     fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
/// #         self.trails[place] = Some(*record); Ok(())
/// #     }
/// #     fn remove(&mut self, place: usize) -> Result<(), StorageError> { self.trails[place] = None; Ok(()) }
/// # }
/// # let (mut storage, mut rng) = (Ram::default(), SimRng::new(1));
/// let mut consents = Consents::load(&mut storage);
/// let life = 0; // counts resets
///
/// // Nobody agreed.
/// let refused = Trails::new(life, &HkdfSha256, &mut storage).pseudonym(&consents, Purpose::Usage, Epoch(7), &mut rng);
/// assert_eq!(refused, Err(TrailError::NotConsented));
///
/// consents.grant::<Usage>(1, None, &mut storage)?;
/// let mut trails = Trails::new(life, &HkdfSha256, &mut storage);
/// let usage = trails.pseudonym(&consents, Purpose::Usage, Epoch(7), &mut rng)?;
/// assert_eq!(trails.pseudonym(&consents, Purpose::Usage, Epoch(7), &mut rng)?, usage);
/// assert_ne!(trails.pseudonym(&consents, Purpose::Usage, Epoch(8), &mut rng)?, usage);
/// assert_ne!(trails.pseudonym(&consents, Purpose::Security, Epoch(7), &mut rng)?, usage);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Trails<'s, 'k> {
    pub(crate) life: u32,
    pub(crate) kdf: &'k dyn Kdf,
    pub(crate) storage: &'s mut dyn TrailStorage,
}

impl<'s, 'k> Trails<'s, 'k> {
    /// The trails in `storage`. `life` is a number that every wipe of the owner's data changes, in the same write: all
    /// trails of another life are due.
    pub fn new(life: u32, kdf: &'k dyn Kdf, storage: &'s mut dyn TrailStorage) -> Self {
        Self { life, kdf, storage }
    }

    /// The identifier for `purpose` in `epoch`.
    ///
    /// *Power loss:* before it is handed out it is in storage, for the deletion request.
    ///
    /// # Errors
    /// [`TrailError::NotConsented`]; [`TrailError::Full`] until the service acknowledges a deletion, or damaged trails
    /// are [given up](Self::discard_damaged); [`TrailError::Epoch`] too far from the epochs before; failures of storage
    /// and entropy. No identifier has left then.
    pub fn pseudonym<R: TryCryptoRng + ?Sized>(
        &mut self,
        consents: &Consents,
        purpose: Purpose,
        epoch: Epoch,
        rng: &mut R,
    ) -> Result<Pseudonym, TrailError> {
        let trail = self.trail(consents, purpose, epoch, rng)?;
        Ok(trail.pseudonym(epoch, self.kdf)?)
    }

    /// The same to make batches with: under this identifier, with numbers that go with it alone.
    ///
    /// *Power loss:* as [`pseudonym`](Self::pseudonym).
    ///
    /// # Errors
    /// As [`pseudonym`](Self::pseudonym).
    ///
    /// ```
    /// # use iotsec_core::crypto::Kdf;
    /// # use iotsec_telemetry::{consent::Consents, error::TrailError, pseudonym::*, registry::Purpose, stream::{Disguised, Stream}};
    /// # use rand_core::TryCryptoRng;
    /// fn usage<'k>(
    ///     life: u32, kdf: &'k dyn Kdf, storage: &mut dyn TrailStorage, consents: &Consents, week: u32,
    ///     rng: &mut impl TryCryptoRng,
    /// ) -> Result<Stream<Disguised<'k>>, TrailError> {
    ///     Trails::new(life, kdf, storage).stream(consents, Purpose::Usage, Epoch(week), rng)
    /// }
    /// ```
    pub fn stream<R: TryCryptoRng + ?Sized>(
        &mut self,
        consents: &Consents,
        purpose: Purpose,
        epoch: Epoch,
        rng: &mut R,
    ) -> Result<Stream<Disguised<'k>>, TrailError> {
        let trail = self.trail(consents, purpose, epoch, rng)?;
        let (pseudonym, shifts) = (trail.pseudonym(epoch, self.kdf)?, trail.shifts(self.kdf, epoch)?);
        Ok(Stream::disguised(purpose, pseudonym, shifts, self.kdf))
    }

    /// The trail of `purpose`, in storage with `epoch`.
    fn trail<R: TryCryptoRng + ?Sized>(
        &mut self,
        consents: &Consents,
        purpose: Purpose,
        epoch: Epoch,
        rng: &mut R,
    ) -> Result<Trail, TrailError> {
        let grant = if purpose.needs_consent() {
            consents.grant_number(purpose).ok_or(TrailError::NotConsented)?
        } else {
            0
        };
        let mut free = None;
        for place in 0..TRAILS {
            match self.read(place)? {
                Read::Trail(trail) if trail.is_current(self.life, purpose, grant) => {
                    return self.extend(place, trail, epoch);
                }
                Read::None => free = free.or(Some(place)),
                _ => {}
            }
        }
        let trail = Trail {
            purpose,
            asked: false,
            life: self.life,
            grant,
            first: epoch,
            last: epoch,
            root: Secret::random(rng)?,
        };
        let place = free.ok_or(TrailError::Full)?;
        self.storage.store(place, trail.to_bytes().expose())?;
        Ok(trail)
    }

    /// Makes the deletion of what was sent for `purpose` so far due, though the owner goes on with it: the next
    /// identifiers have nothing to do with those before.
    ///
    /// *Power loss:* the request is due or it is not; call again.
    ///
    /// # Errors
    /// [`TrailError::Storage`].
    pub fn ask(&mut self, purpose: Purpose) -> Result<(), TrailError> {
        for place in 0..TRAILS {
            match self.read(place)? {
                Read::Trail(mut trail) if trail.purpose == purpose && !trail.asked => {
                    trail.asked = true;
                    self.storage.store(place, trail.to_bytes().expose())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Trails that cannot be read any more, so that nobody can ask for their deletion.
    ///
    /// # Errors
    /// [`TrailError::Storage`].
    pub fn damaged(&mut self) -> Result<usize, TrailError> {
        let mut damaged = 0usize;
        for place in 0..TRAILS {
            if matches!(self.read(place)?, Read::Damaged) {
                damaged = damaged.saturating_add(1);
            }
        }
        Ok(damaged)
    }

    /// Frees the places of trails that cannot be read any more.
    ///
    /// # Errors
    /// [`TrailError::Storage`].
    pub fn discard_damaged(&mut self) -> Result<(), TrailError> {
        for place in 0..TRAILS {
            if matches!(self.read(place)?, Read::Damaged) {
                self.storage.remove(place)?;
            }
        }
        Ok(())
    }

    fn extend(&mut self, place: usize, mut trail: Trail, epoch: Epoch) -> Result<Trail, TrailError> {
        let (first, last) = (trail.first.min(epoch), trail.last.max(epoch));
        if last.0.abs_diff(first.0) >= MAX_EPOCHS {
            return Err(TrailError::Epoch);
        }
        if (first, last) != (trail.first, trail.last) {
            (trail.first, trail.last) = (first, last);
            self.storage.store(place, trail.to_bytes().expose())?;
        }
        Ok(trail)
    }

    pub(crate) fn read(&mut self, place: usize) -> Result<Read, StorageError> {
        let mut bytes = Secret::<TRAIL_RECORD_LEN>::zero();
        if !self.storage.load(place, bytes.expose_mut())? {
            return Ok(Read::None);
        }
        Ok(Trail::from_bytes(bytes.expose()).map_or(Read::Damaged, Read::Trail))
    }
}

iotsec_core::claim! {
    provisions: ["6-8"],
    claims: "A service files what it gets under names that purposes, epochs, consents and owners do not share, and no number in a batch ties two of them",
    code: [Trails::pseudonym],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::pseudonym::tests::purposes_epochs_consents_and_lives_have_identifiers_that_share_nothing",
        "iotsec-telemetry::unlinkable::no_number_in_a_batch_ties_two_pseudonyms_of_one_device",
    ],
}

impl core::fmt::Debug for Trails<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Trails")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

/// What is in a place.
pub(crate) enum Read {
    None,
    Damaged,
    Trail(Trail),
}

#[cfg(test)]
pub(crate) mod tests;
