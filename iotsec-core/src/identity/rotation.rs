use core::cell::{Cell, RefCell};

mod error;
mod record;
mod storage;

use super::{CertificateKey, CertificationRequest, Subject};
use crate::crypto::{CryptoError, KeyType, SIGNATURE_LEN, Sign, VerifyingKey};
pub use error::RotationError;
use record::{Phase, Record};
pub use storage::{IdentityPlace, IdentityStorage, ImportIdentity};

/// The identity of a device, and how it gets a new one without ever being without.
///
/// Two [places](IdentityPlace), each for a key and its certificate, and a record that says which of them counts.
///
/// | step | stores | the active identity |
/// |---|---|---|
/// | [`start`](Self::start) | that the other place is in work; a new key there, which has signed and was checked; that it is ready | old |
/// | [`request`](Self::request) | nothing | old |
/// | [`certify`](Self::certify) | the certificate, if it is for the new key | old |
/// | [`trial`](Self::trial), then a connection with it | nothing | old |
/// | [`commit`](Self::commit), with the proof that somebody answered | that the new one counts, in one write; then the old key is erased | new |
/// | [`cancel`](Self::cancel), any time before | that the other place is in work; the new key is erased | old |
///
/// # Power loss
/// [`open`](Self::open) finishes what was begun: a place that was in work is erased. A rotation that waits for its
/// certificate or for its trial goes on after a reboot, as often as it takes. Nothing but `commit` ends the old
/// identity, and that is one record, old or new.
///
/// # Bytes
/// Integers are big-endian. All of it must be as described, else the record is damaged.
///
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | the active place: 0 first, 1 second |
/// | 2 | 1 | 1 nothing goes on, 2 the other place is in work, 3 it has a key, 4 and a certificate |
/// | 3 | 1 | zero |
/// | 4 | 4 | how many rotations were started |
/// | 8 | 4 | CRC-32 (ISO-HDLC) of bytes 0 to 7 |
///
/// ```
/// # use iotsec_core::{crypto::{CryptoError, Ed25519SigningKey, KeyType, Sign}, identity::*, secret::Secret};
/// # #[derive(Default)]
/// # struct Memory { record: Option<[u8; Rotation::LEN]>, keys: [Option<u8>; 2], made: u8 }
/// # impl Memory {
/// #     fn key(&self, place: IdentityPlace) -> Ed25519SigningKey {
/// #         Ed25519SigningKey::from_seed(&Secret::from_bytes([self.keys[place.index()].unwrap(); 32]))
/// #     }
/// # }
/// # impl IdentityStorage for Memory {
/// #     fn load(&mut self, record: &mut [u8; Rotation::LEN]) -> Result<Option<usize>, StorageError> {
/// #         Ok(self.record.map(|kept| { *record = kept; kept.len() }))
/// #     }
/// #     fn save(&mut self, record: &[u8; Rotation::LEN]) -> Result<(), StorageError> {
/// #         self.record = Some(*record);
/// #         Ok(())
/// #     }
/// #     fn generate(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
/// #         self.made += 1;
/// #         self.keys[place.index()] = Some(self.made);
/// #         Ok(())
/// #     }
/// #     fn public_key(&mut self, place: IdentityPlace, out: &mut [u8; 65]) -> Result<(KeyType, usize), StorageError> {
/// #         out[..32].copy_from_slice(self.key(place).public_key());
/// #         Ok((KeyType::Ed25519, 32))
/// #     }
/// #     fn sign(&mut self, place: IdentityPlace, message: &[u8], signature: &mut [u8; 64]) -> Result<(), StorageError> {
/// #         self.key(place).sign(message, signature).map_err(|error| StorageError::of(&error))
/// #     }
/// #     fn put_certificate(&mut self, _: IdentityPlace, _: &[u8]) -> Result<(), StorageError> { Ok(()) }
/// #     fn erase(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
/// #         self.keys[place.index()] = None;
/// #         Ok(())
/// #     }
/// # }
/// use iotsec_core::crypto::Ed25519PublicKey;
///
/// # let mut storage = Memory::default();
/// // In the factory.
/// Rotation::initialise::<Ed25519PublicKey, _>(&mut storage)?;
///
/// // Years later.
/// let mut rotation = Rotation::open(&mut storage)?;
/// let old = rotation.active();
/// rotation.start::<Ed25519PublicKey, _>(&mut storage)?;
/// let mut out = [0; CertificationRequest::MAX_LEN];
/// let request = rotation.request(&mut storage, &Subject::new("LAMP-0042")?, &mut out)?;
/// assert_eq!(request[0], 0x30);
/// assert_eq!(rotation.active(), old);
/// // What is no certificate for the new key changes nothing.
/// assert!(rotation.certify(&mut storage, b"not a certificate").is_err());
/// # Ok::<(), RotationError>(())
/// ```
#[derive(Debug)]
pub struct Rotation {
    record: Record,
}

impl Rotation {
    /// Bytes of the record.
    pub const LEN: usize = Record::LEN;

    /// Makes the first identity, in the factory. A record that is missing later on is an error and not a new start.
    /// After a power cut, run it again.
    ///
    /// # Errors
    /// [`RotationError::AlreadyInitialised`] when there is a record in whatever state; [`RotationError::SelfTest`];
    /// storage errors.
    pub fn initialise<V: VerifyingKey, S: IdentityStorage>(storage: &mut S) -> Result<Self, RotationError> {
        Self::first::<V, S>(storage, |storage, place| Ok(storage.generate(place)?))
    }

    /// The same with a key that the factory station made, and its certificate where there is one already: what
    /// [`UnitRecord::device_key`](crate::credential::UnitRecord::device_key) says. After a power cut, run it again.
    ///
    /// # Errors
    /// As [`initialise`](Self::initialise); [`RotationError::Identity`] when the certificate is not for the key, or not a
    /// certificate.
    pub fn adopt<V: VerifyingKey, S: ImportIdentity>(
        storage: &mut S,
        key: &[u8; 32],
        certificate: Option<&[u8]>,
    ) -> Result<Self, RotationError> {
        Self::first::<V, S>(storage, |storage, place| {
            storage.import(place, key)?;
            match certificate {
                Some(certificate) => put_certificate(storage, place, certificate),
                None => Ok(()),
            }
        })
    }

    fn first<V: VerifyingKey, S: IdentityStorage>(
        storage: &mut S,
        make: impl FnOnce(&mut S, IdentityPlace) -> Result<(), RotationError>,
    ) -> Result<Self, RotationError> {
        match Record::load(storage) {
            Err(RotationError::Missing) => {}
            Err(RotationError::Storage(error)) => return Err(error.into()),
            Ok(_) | Err(_) => return Err(RotationError::AlreadyInitialised),
        }
        let record = Record::FIRST;
        make(storage, record.active)?;
        self_test::<V, S>(storage, record.active)?;
        record.save(storage)?;
        Ok(Self { record })
    }

    /// Reads the record after a boot, and finishes what a power cut left half done.
    ///
    /// # Errors
    /// [`RotationError::Missing`], [`RotationError::Damaged`], storage errors.
    pub fn open<S: IdentityStorage>(storage: &mut S) -> Result<Self, RotationError> {
        let record = Record::load(storage)?;
        let mut rotation = Self { record };
        if record.phase == Phase::Clearing {
            rotation.clear(storage)?;
        }
        Ok(rotation)
    }

    /// The place of the identity that counts.
    pub const fn active(&self) -> IdentityPlace {
        self.record.active
    }

    /// What is to be done next.
    pub const fn status(&self) -> RotationStatus {
        match self.record.phase {
            Phase::Stable | Phase::Clearing => RotationStatus::Idle,
            Phase::Keyed => RotationStatus::NeedsCertificate,
            Phase::Certified => RotationStatus::NeedsTrial,
        }
    }

    /// The active identity's key, to sign with. It borrows the storage as long as it lives.
    ///
    /// # Errors
    /// Storage errors.
    pub fn key<'s, S: IdentityStorage>(
        &self,
        storage: &'s mut S,
    ) -> Result<IdentityKey<'s, S>, RotationError> {
        IdentityKey::new(storage, self.record.active)
    }

    /// Puts a new certificate for the same key in the place of the old one.
    ///
    /// # Errors
    /// [`RotationError::Identity`] when it is not one for the active key; storage errors.
    pub fn renew<S: IdentityStorage>(
        &self,
        storage: &mut S,
        certificate: &[u8],
    ) -> Result<(), RotationError> {
        put_certificate(storage, self.record.active, certificate)
    }

    /// Makes a new key beside the old one, has it sign, and checks that. Nothing uses it yet.
    ///
    /// # Errors
    /// [`RotationError::Busy`] when a rotation waits for something; [`RotationError::SelfTest`], after which
    /// everything is as before; storage errors, after which [`open`](Self::open) is next.
    pub fn start<V: VerifyingKey, S: IdentityStorage>(
        &mut self,
        storage: &mut S,
    ) -> Result<(), RotationError> {
        match self.record.phase {
            // Only after a storage error: the place is not empty yet.
            Phase::Clearing => self.clear(storage)?,
            Phase::Stable => {}
            Phase::Keyed | Phase::Certified => return Err(RotationError::Busy),
        }
        let generation = self
            .record
            .generation
            .checked_add(1)
            .ok_or(RotationError::Exhausted)?;
        self.save(
            storage,
            Record {
                generation,
                phase: Phase::Clearing,
                ..self.record
            },
        )?;
        let place = self.record.active.other();
        storage.erase(place)?;
        storage.generate(place)?;
        if let Err(error) = self_test::<V, S>(storage, place) {
            self.clear(storage)?;
            return Err(error);
        }
        self.enter(storage, Phase::Keyed)
    }

    /// Writes a request for a certificate over the new key.
    ///
    /// # Errors
    /// [`RotationError::OutOfOrder`] unless there is one; as [`CertificationRequest::write`]; storage errors.
    pub fn request<'o, S: IdentityStorage>(
        &self,
        storage: &mut S,
        subject: &Subject<'_>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], RotationError> {
        let place = self.candidate(&[Phase::Keyed, Phase::Certified])?;
        let key = IdentityKey::new(storage, place)?;
        let written = CertificationRequest::write(subject, &key, out);
        match key.error.get() {
            Some(error) => Err(error),
            None => Ok(written?),
        }
    }

    /// Takes the certificate over the new key. Another one may follow, until the trial has succeeded.
    ///
    /// # Errors
    /// [`RotationError::OutOfOrder`] unless there is a new key; [`RotationError::Identity`] when the certificate is not
    /// for it, or not a certificate; storage errors.
    pub fn certify<S: IdentityStorage>(
        &mut self,
        storage: &mut S,
        certificate: &[u8],
    ) -> Result<(), RotationError> {
        let place = self.candidate(&[Phase::Keyed, Phase::Certified])?;
        put_certificate(storage, place, certificate)?;
        self.enter(storage, Phase::Certified)
    }

    /// The right to try the new identity. If nobody answers to it, try again, or [`cancel`](Self::cancel).
    ///
    /// # Errors
    /// [`RotationError::OutOfOrder`] unless it has a certificate.
    pub fn trial(&self) -> Result<Trial, RotationError> {
        let place = self.candidate(&[Phase::Certified])?;
        Ok(Trial {
            place,
            generation: self.record.generation,
        })
    }

    /// Makes the new identity the active one, and then erases the old one.
    ///
    /// # Errors
    /// [`RotationError::Stale`] for the proof of another rotation; storage errors, after which [`open`](Self::open) says
    /// which identity counts.
    pub fn commit<S: IdentityStorage>(
        &mut self,
        storage: &mut S,
        proof: Accepted,
    ) -> Result<(), RotationError> {
        let place = self.candidate(&[Phase::Certified])?;
        if proof.spend() != self.record.generation {
            return Err(RotationError::Stale);
        }
        self.save(
            storage,
            Record {
                active: place,
                phase: Phase::Clearing,
                ..self.record
            },
        )?;
        self.clear(storage)
    }

    /// Gives the rotation up. The old identity was never touched.
    ///
    /// # Errors
    /// [`RotationError::OutOfOrder`] when there is none; storage errors.
    pub fn cancel<S: IdentityStorage>(&mut self, storage: &mut S) -> Result<(), RotationError> {
        self.candidate(&[Phase::Keyed, Phase::Certified])?;
        self.enter(storage, Phase::Clearing)?;
        self.clear(storage)
    }

    fn candidate(&self, phases: &[Phase]) -> Result<IdentityPlace, RotationError> {
        if phases.contains(&self.record.phase) {
            Ok(self.record.active.other())
        } else {
            Err(RotationError::OutOfOrder)
        }
    }

    fn clear<S: IdentityStorage>(&mut self, storage: &mut S) -> Result<(), RotationError> {
        storage.erase(self.record.active.other())?;
        self.enter(storage, Phase::Stable)
    }

    fn enter<S: IdentityStorage>(&mut self, storage: &mut S, phase: Phase) -> Result<(), RotationError> {
        self.save(storage, Record { phase, ..self.record })
    }

    fn save<S: IdentityStorage>(&mut self, storage: &mut S, record: Record) -> Result<(), RotationError> {
        record.save(storage)?;
        self.record = record;
        Ok(())
    }
}

/// Where a rotation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationStatus {
    /// There is one identity, and nothing goes on.
    Idle,
    /// A new key waits for its certificate: [`Rotation::request`], [`Rotation::certify`].
    NeedsCertificate,
    /// A new identity waits for its first connection: [`Rotation::trial`], [`Rotation::commit`].
    NeedsTrial,
}

/// The right to authenticate with an identity that does not count yet.
#[derive(Debug)]
#[must_use = "try the new identity, and tell whether somebody accepted it"]
pub struct Trial {
    place: IdentityPlace,
    generation: u32,
}

impl Trial {
    /// Where the new identity is.
    pub const fn place(&self) -> IdentityPlace {
        self.place
    }

    /// Its key, to authenticate with.
    ///
    /// # Errors
    /// Storage errors.
    pub fn key<'s, S: IdentityStorage>(
        &self,
        storage: &'s mut S,
    ) -> Result<IdentityKey<'s, S>, RotationError> {
        IdentityKey::new(storage, self.place)
    }

    /// Says that the other side accepted it. Say so after its first answer to something that only an authenticated
    /// device may ask: in TLS 1.3 a handshake ends for the client before the server has looked at its certificate.
    pub const fn accepted(self) -> Accepted {
        Accepted {
            generation: self.generation,
        }
    }
}

/// Somebody accepted the new identity. Only a [`Trial`] makes one.
///
/// ```compile_fail,E0451
/// use iotsec_core::identity::Accepted;
///
/// let forged = Accepted { generation: 1 };
/// ```
#[derive(Debug)]
#[must_use = "the new identity counts only after `Rotation::commit`"]
pub struct Accepted {
    generation: u32,
}

impl Accepted {
    fn spend(self) -> u32 {
        let Self { generation } = self;
        generation
    }
}

/// The key in a place of an [`IdentityStorage`], as a [`Sign`].
pub struct IdentityKey<'s, S> {
    storage: RefCell<&'s mut S>,
    place: IdentityPlace,
    key_type: KeyType,
    public: [u8; IdentityPlace::MAX_PUBLIC_KEY],
    len: usize,
    error: Cell<Option<RotationError>>,
}

impl<'s, S: IdentityStorage> IdentityKey<'s, S> {
    fn new(storage: &'s mut S, place: IdentityPlace) -> Result<Self, RotationError> {
        let mut public = [0; IdentityPlace::MAX_PUBLIC_KEY];
        let (key_type, len) = storage.public_key(place, &mut public)?;
        Ok(Self {
            storage: RefCell::new(storage),
            place,
            key_type,
            public,
            len,
            error: Cell::new(None),
        })
    }

    /// Why the last signature failed; `None` after one that did not.
    pub const fn error(&self) -> Option<RotationError> {
        self.error.get()
    }
}

impl<S: IdentityStorage> Sign for IdentityKey<'_, S> {
    fn key_type(&self) -> KeyType {
        self.key_type
    }
    fn public_key(&self) -> &[u8] {
        self.public.get(..self.len).unwrap_or_default()
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        // Nothing borrows it for longer than this call, so this cannot fail.
        let mut storage = self.storage.try_borrow_mut().map_err(|_| CryptoError::Driver)?;
        let done = storage.sign(self.place, message, signature);
        self.error.set(done.err().map(RotationError::Storage));
        done.map_err(|_| CryptoError::Driver)
    }
}

impl<S> core::fmt::Debug for IdentityKey<'_, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("IdentityKey")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

fn put_certificate<S: IdentityStorage>(
    storage: &mut S,
    place: IdentityPlace,
    certificate: &[u8],
) -> Result<(), RotationError> {
    CertificateKey::of(certificate)?.must_be(&IdentityKey::new(storage, place)?)?;
    Ok(storage.put_certificate(place, certificate)?)
}

/// A key that cannot sign, or signs what does not verify, is noticed before anybody asks for a certificate over it.
fn self_test<V: VerifyingKey, S: IdentityStorage>(
    storage: &mut S,
    place: IdentityPlace,
) -> Result<(), RotationError> {
    let key = IdentityKey::new(storage, place)?;
    let mut signature = [0; SIGNATURE_LEN];
    let signed = key.sign(SELF_TEST, &mut signature);
    if let Some(error) = key.error() {
        return Err(error);
    }
    let verified = signed.and_then(|()| {
        let public = V::from_public(key.public_key())?;
        public.verify(SELF_TEST, &signature)
    });
    if key.key_type() == V::KEY_TYPE && verified.is_ok() {
        Ok(())
    } else {
        Err(RotationError::SelfTest)
    }
}

/// What a new key signs first. It begins like nothing that a peer asks a device to sign.
const SELF_TEST: &[u8] = b"iotsec/identity/self-test/v1";

#[cfg(all(test, feature = "p256"))]
mod tests;
