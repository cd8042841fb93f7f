//! The device's identity in the encrypted store.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{KeyType, SIGNATURE_LEN},
    identity::{IdentityPlace, IdentityStorage, ImportIdentity, Rotation, StorageError},
};
use iotsec_store::{
    KeyDomain, KeyId, Store, StoreError,
    keys::{KeyHandle, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring},
};
use rand_core::TryCryptoRng;

/// A [`Rotation`]'s record, keys and certificates as values of a [`Store`]: five of them in the device
/// domain, in a namespace that holds nothing else.
///
/// *Power loss:* each call is one write of the store or two that may be cut between, as [`IdentityStorage`] allows. A key
/// that was erased cannot be had from the store any more; its ciphertext stays until the page is erased, and opens only
/// with the root key.
///
/// `examples/rotate_identity.rs` rotates one, with power cuts.
///
/// ```
/// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
/// use iotsec::{
///     core::{crypto::*, identity::{Rotation, RotationError}},
///     identity::StoredIdentity,
///     store::{IndexEntry, ReplayProtection, Store, Suite, keys::{Algorithm, KeyKind, KeySuite}},
/// };
///
/// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
/// # let region = flash.region()?;
/// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
/// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 2048]);
/// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
/// let keys = KeySuite { sign: &[&Algorithm::<Ed25519SigningKey>::NEW], ..KeySuite::new(&HkdfSha256) };
/// let mut storage = StoredIdentity {
///     store: &mut store,
///     flash: &mut flash,
///     rng: &mut rng,
///     keys,
///     kind: KeyKind::Ed25519,
///     namespace: 9,
/// };
/// let rotation = Rotation::initialise::<Ed25519PublicKey, _>(&mut storage)?;
/// let key = rotation.key(&mut storage)?;
/// assert_eq!(key.public_key().len(), 32);
/// assert_eq!(storage.certificate_len(rotation.active()), 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct StoredIdentity<'s, 'd, F, R: ?Sized> {
    /// The store.
    pub store: &'s mut Store<'d>,
    /// Its flash.
    pub flash: &'s mut F,
    /// Where new keys come from.
    pub rng: &'s mut R,
    /// What makes keys and signs.
    pub keys: KeySuite<'s>,
    /// Of what kind new keys are.
    pub kind: KeyKind,
    /// The namespace that holds nothing else.
    pub namespace: u8,
}

/// Numbers of the values: the record, then a key and a certificate for each place.
const RECORD: u16 = 1;
const KEYS: [u16; 2] = [2, 3];
const CERTIFICATES: [u16; 2] = [4, 5];

/// All values of an identity in that namespace.
#[cfg(feature = "device")]
pub(crate) fn values(namespace: u8) -> impl Iterator<Item = KeyId> {
    let numbers = [RECORD].into_iter().chain(KEYS).chain(CERTIFICATES);
    numbers.map(move |number| KeyId::new(KeyDomain::Device, namespace, number))
}

impl<'d, F: NorFlash, R: TryCryptoRng + ?Sized> StoredIdentity<'_, 'd, F, R> {
    /// Reads the certificate of a place; `None` when there is none yet.
    ///
    /// # Errors
    /// [`StorageError`] with the store's number, also for a buffer that is too small.
    pub fn certificate<'o>(
        &mut self,
        place: IdentityPlace,
        out: &'o mut [u8],
    ) -> Result<Option<&'o [u8]>, StorageError> {
        let id = self.id(number(CERTIFICATES, place));
        match self.store.get(self.flash, id, out) {
            Ok(certificate) => Ok(Some(certificate)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    /// Bytes of the certificate of a place; 0 when there is none yet. Reads no flash.
    pub fn certificate_len(&self, place: IdentityPlace) -> usize {
        let id = self.id(number(CERTIFICATES, place));
        self.store.value_len(id).unwrap_or_default()
    }

    const fn id(&self, number: u16) -> KeyId {
        KeyId::new(KeyDomain::Device, self.namespace, number)
    }

    fn keyring(&mut self) -> (Keyring<'_, 'd>, &mut F, &mut R) {
        (Keyring::new(self.store, self.keys), self.flash, self.rng)
    }

    fn open(&mut self, place: IdentityPlace) -> Result<KeyHandle, StorageError> {
        let id = self.id(number(KEYS, place));
        let (mut keys, flash, _) = self.keyring();
        keys.open(flash, id).map_err(|error| StorageError::of(&error))
    }

    const fn spec(&self, place: IdentityPlace) -> KeySpec {
        KeySpec {
            id: self.id(number(KEYS, place)),
            kind: self.kind,
            usage: KeyUsage::SIGN,
        }
    }

    fn remove(&mut self, id: KeyId) -> Result<(), StorageError> {
        if self.store.contains(id) {
            let removed = self.store.remove(self.flash, id);
            removed.map_err(|error| StorageError::of(&error))?;
        }
        Ok(())
    }
}

const fn number([first, second]: [u16; 2], place: IdentityPlace) -> u16 {
    match place {
        IdentityPlace::First => first,
        IdentityPlace::Second => second,
    }
}

impl<F: NorFlash, R: TryCryptoRng + ?Sized> IdentityStorage for StoredIdentity<'_, '_, F, R> {
    fn load(&mut self, record: &mut [u8; Rotation::LEN]) -> Result<Option<usize>, StorageError> {
        let id = self.id(RECORD);
        match self.store.get(self.flash, id, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    fn save(&mut self, record: &[u8; Rotation::LEN]) -> Result<(), StorageError> {
        let put = self.store.put(self.flash, self.id(RECORD), record);
        put.map_err(|error| StorageError::of(&error))
    }

    fn generate(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
        self.erase(place)?;
        let spec = self.spec(place);
        let (mut keys, flash, rng) = self.keyring();
        let made = keys.generate(flash, spec, rng);
        made.map(|_| ()).map_err(|error| StorageError::of(&error))
    }

    fn public_key(
        &mut self,
        place: IdentityPlace,
        out: &mut [u8; IdentityPlace::MAX_PUBLIC_KEY],
    ) -> Result<(KeyType, usize), StorageError> {
        let handle = self.open(place)?;
        let (mut keys, flash, _) = self.keyring();
        let signer = keys.public_key(flash, &handle);
        let public = signer.map_err(|error| StorageError::of(&error))?;
        for (to, from) in out.iter_mut().zip(public.as_bytes()) {
            *to = *from;
        }
        let key_type = match handle.kind() {
            KeyKind::P256 => KeyType::P256,
            _ => KeyType::Ed25519,
        };
        Ok((key_type, public.as_bytes().len()))
    }

    fn sign(
        &mut self,
        place: IdentityPlace,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), StorageError> {
        let handle = self.open(place)?;
        let (mut keys, flash, _) = self.keyring();
        let signed = keys.sign(flash, &handle, message, signature);
        signed.map_err(|error| StorageError::of(&error))
    }

    fn put_certificate(&mut self, place: IdentityPlace, certificate: &[u8]) -> Result<(), StorageError> {
        let id = self.id(number(CERTIFICATES, place));
        let put = self.store.put(self.flash, id, certificate);
        put.map_err(|error| StorageError::of(&error))
    }

    fn erase(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
        self.remove(self.id(number(KEYS, place)))?;
        self.remove(self.id(number(CERTIFICATES, place)))
    }
}

impl<F: NorFlash, R: TryCryptoRng + ?Sized> ImportIdentity for StoredIdentity<'_, '_, F, R> {
    fn import(&mut self, place: IdentityPlace, key: &[u8; 32]) -> Result<(), StorageError> {
        self.erase(place)?;
        let spec = self.spec(place);
        let (mut keys, flash, _) = self.keyring();
        let imported = keys.import(flash, spec, key);
        imported.map(|_| ()).map_err(|error| StorageError::of(&error))
    }
}

impl<F, R: ?Sized> core::fmt::Debug for StoredIdentity<'_, '_, F, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StoredIdentity")
            .field("kind", &self.kind)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
