use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{crypto::CryptoError, secret::Secret};
use rand_core::TryCryptoRng;

use super::{
    KeyError, KeyHandle, KeyKind, KeySpec, KeySuite, KeyUsage,
    stored::{self, Stored},
};
use crate::{KeyId, Store};

/// The keys in a store, and what they are used with.
///
/// A view: make one where keys are needed, and drop it to get the store back. The flash is that of the store.
///
/// *Power loss:* a call that makes, rotates or destroys a key has happened or has not. Using a key writes nothing.
pub struct Keyring<'k, 'a> {
    pub(super) store: &'k mut Store<'a>,
    pub(super) suite: KeySuite<'k>,
}

impl<'k, 'a> Keyring<'k, 'a> {
    /// The keys of `store`. A key takes a value of 40 bytes, and of 72 between rotation and retirement, for which
    /// the store must have the pages and the buffer: see [`Store::max_value_len`].
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let suite = KeySuite { aead: &[&ChaCha20Poly1305], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let id = KeyId::new(KeyDomain::User, 7, 1);
    /// assert_eq!(keys.open(&mut flash, id), Err(KeyError::Store(StoreError::NotFound)));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub const fn new(store: &'k mut Store<'a>, suite: KeySuite<'k>) -> Self {
        Self { store, suite }
    }

    /// The key under this name. Reads one record.
    ///
    /// # Errors
    /// [`KeyError::Version`], [`KeyError::UnknownType`], [`KeyError::UnknownUsage`] and [`KeyError::Malformed`] for
    /// a value that is no key; [`KeyError::Store`] when there is none.
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let id = KeyId::new(KeyDomain::Device, 7, 1);
    /// let spec = KeySpec { id, kind: KeyKind::HmacSha256, usage: KeyUsage::SIGN };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// keys.generate(&mut flash, spec, &mut rng)?;
    ///
    /// let key = keys.open(&mut flash, id)?;
    /// assert_eq!((key.kind(), key.usage(), key.number()), (spec.kind, spec.usage, 1));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn open<F: NorFlash>(&mut self, flash: &mut F, id: KeyId) -> Result<KeyHandle, KeyError> {
        let usage = KeyUsage::from_code(0);
        let mut stored = Stored::new(&KeySpec {
            id,
            kind: KeyKind::HkdfSha256,
            usage,
        });
        stored.read(self.store, flash, id)?;
        Ok(KeyHandle {
            spec: stored.spec(id),
            number: stored.number(),
        })
    }

    /// Draws a key and stores it. Writes once.
    ///
    /// *Power loss:* the key is there or it is not; no one has used it.
    ///
    /// # Errors
    /// [`KeyError::Policy`], [`KeyError::Exists`], [`KeyError::Algorithm`]; failures of entropy and store. There is
    /// no key.
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let spec = KeySpec {
    ///     id: KeyId::new(KeyDomain::Device, 7, 1),
    ///     kind: KeyKind::Ed25519,
    ///     usage: KeyUsage::SIGN,
    /// };
    /// let suite = KeySuite { sign: &[&Algorithm::<Ed25519SigningKey>::NEW], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// assert_eq!(key.number(), 1);
    /// assert_eq!(keys.generate(&mut flash, spec, &mut rng), Err(KeyError::Exists));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn generate<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        spec: KeySpec,
        rng: &mut R,
    ) -> Result<KeyHandle, KeyError> {
        self.admit(&spec)?;
        let mut stored = Stored::new(&spec);
        self.draw(&mut stored, spec.kind, rng)?;
        self.keep(flash, spec, &stored)
    }

    /// Stores a key that comes from elsewhere: `bytes` of the length of its type. The caller's copy is the caller's
    /// to wipe. Writes once.
    ///
    /// *Power loss:* as [`generate`](Self::generate).
    ///
    /// # Errors
    /// [`KeyError::Material`] for another length, bytes that are all equal, and a scalar that is out of range;
    /// otherwise as [`generate`](Self::generate).
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let spec = KeySpec {
    ///     id: KeyId::new(KeyDomain::Device, 7, 1),
    ///     kind: KeyKind::HmacSha256,
    ///     usage: KeyUsage::VERIFY,
    /// };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// assert_eq!(keys.import(&mut flash, spec, &[0; 32]), Err(KeyError::Material));
    /// keys.import(&mut flash, spec, b"32 bytes that the backend has...")?;
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn import<F: NorFlash>(
        &mut self,
        flash: &mut F,
        spec: KeySpec,
        bytes: &[u8],
    ) -> Result<KeyHandle, KeyError> {
        self.admit(&spec)?;
        if bytes.len() != spec.kind.key_len() {
            return Err(KeyError::Material);
        }
        let mut stored = Stored::new(&spec);
        for (to, from) in stored.bytes_mut().iter_mut().zip(bytes) {
            *to = *from;
        }
        self.keep(flash, spec, &stored)
    }

    /// Stores a key that comes wrapped (RFC 3394) under the stored key `kek`. Writes once.
    ///
    /// What is wrapped says neither type nor usage: who may call this decides them, except that
    /// [`KeyUsage::EXPORT`] and [`KeyUsage::REVEAL`] need a `kek` with [`KeyUsage::REVEAL`].
    ///
    /// *Power loss:* as [`generate`](Self::generate).
    ///
    /// # Errors
    /// [`KeyError::Type`] and [`KeyError::Usage`] for `kek`; [`KeyError::Crypto`] with [`CryptoError::KeyLength`]
    /// or [`CryptoError::Tag`] when `wrapped` is not a key of this type under it; otherwise as
    /// [`import`](Self::import).
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let suite = KeySuite { wrap: &[&Aes256KeyWrap], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let kek = KeySpec {
    ///     id: KeyId::new(KeyDomain::Device, 7, 1),
    ///     kind: KeyKind::Aes256Wrap,
    ///     usage: KeyUsage::UNWRAP,
    /// };
    /// let kek = keys.import(&mut flash, kek, b"a key that the maker has as well")?;
    ///
    /// let mut wrapped = [0; 40]; // which the maker sends
    /// Aes256KeyWrap.wrap(b"a key that the maker has as well", b"a key for the link to the cloud.", &mut wrapped)?;
    /// let link = KeySpec {
    ///     id: KeyId::new(KeyDomain::Device, 7, 2),
    ///     kind: KeyKind::HmacSha256,
    ///     usage: KeyUsage::SIGN,
    /// };
    /// let link = keys.unwrap(&mut flash, &kek, &wrapped, link)?;
    /// assert_eq!(keys.mac(&mut flash, &link, b"hello")?.len(), 32);
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn unwrap<F: NorFlash>(
        &mut self,
        flash: &mut F,
        kek: &KeyHandle,
        wrapped: &[u8],
        spec: KeySpec,
    ) -> Result<KeyHandle, KeyError> {
        let algorithm = self.suite.wrap(kek.kind())?;
        kek.need(KeyUsage::UNWRAP)?;
        kek.need_for(spec.usage)?;
        self.admit(&spec)?;
        let (mut base, mut stored) = (Stored::of(kek), Stored::new(&spec));
        let base = base.load(self.store, flash, kek)?;
        algorithm.unwrap(stored::bytes(base, kek.kind()), wrapped, stored.bytes_mut())?;
        self.keep(flash, spec, &stored)
    }

    /// Unwraps `N` bytes for the caller, such as the content key of a message. `kek` needs [`KeyUsage::UNWRAP`] and
    /// [`KeyUsage::REVEAL`]. Writes nothing.
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap). `out` is zero.
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// # let suite = KeySuite { wrap: &[&Aes256KeyWrap], ..KeySuite::new(&HkdfSha256) };
    /// # let mut keys = Keyring::new(&mut store, suite);
    /// let kek = KeySpec {
    ///     id: KeyId::new(KeyDomain::Device, 7, 1),
    ///     kind: KeyKind::Aes256Wrap,
    ///     usage: KeyUsage::UNWRAP | KeyUsage::REVEAL,
    /// };
    /// let kek = keys.import(&mut flash, kek, b"a key that the maker has as well")?;
    /// let mut wrapped = [0; 24];
    /// Aes256KeyWrap.wrap(b"a key that the maker has as well", b"a content key...", &mut wrapped)?;
    ///
    /// let mut content_key = Secret::zero();
    /// keys.unwrap_secret(&mut flash, &kek, &wrapped, &mut content_key)?;
    /// assert_eq!(content_key.expose(), b"a content key...");
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn unwrap_secret<F: NorFlash, const N: usize>(
        &mut self,
        flash: &mut F,
        kek: &KeyHandle,
        wrapped: &[u8],
        out: &mut Secret<N>,
    ) -> Result<(), KeyError> {
        out.expose_mut().fill(0);
        let algorithm = self.suite.wrap(kek.kind())?;
        kek.need(KeyUsage::UNWRAP | KeyUsage::REVEAL)?;
        let mut base = Stored::of(kek);
        let base = base.load(self.store, flash, kek)?;
        algorithm.unwrap(stored::bytes(base, kek.kind()), wrapped, out.expose_mut())?;
        Ok(())
    }

    /// The bytes of a key with [`KeyUsage::EXPORT`]. `N` is the length of its type.
    ///
    /// # Errors
    /// [`KeyError::Usage`], [`KeyError::Stale`]; [`CryptoError::KeyLength`] for another `N`; failures of the store.
    /// `out` is zero.
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let spec = KeySpec {
    ///     id: KeyId::new(KeyDomain::User, 7, 1),
    ///     kind: KeyKind::HmacSha256,
    ///     usage: KeyUsage::SIGN | KeyUsage::EXPORT,
    /// };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let key = keys.import(&mut flash, spec, b"32 bytes that may leave again...")?;
    /// let mut bytes = Secret::zero();
    /// keys.export(&mut flash, &key, &mut bytes)?;
    /// assert_eq!(bytes.expose(), b"32 bytes that may leave again...");
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn export<F: NorFlash, const N: usize>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
        out: &mut Secret<N>,
    ) -> Result<(), KeyError> {
        out.expose_mut().fill(0);
        key.need(KeyUsage::EXPORT)?;
        if N != key.kind().key_len() {
            return Err(CryptoError::KeyLength.into());
        }
        let mut stored = Stored::of(key);
        let secret = stored.load(self.store, flash, key)?;
        for (to, from) in out.expose_mut().iter_mut().zip(secret.expose()) {
            *to = *from;
        }
        Ok(())
    }

    /// Destroys a key, and the previous one with it. Writes once. What [`Store::remove`] says of the ciphertext
    /// holds. A value that is damaged, or no key, is removed with the store.
    ///
    /// *Power loss:* the key is there or it is not; it does not come back later.
    ///
    /// # Errors
    /// [`KeyError::Stale`] when it was replaced since; failures of the store. The key is still there.
    ///
    /// ```
    /// # use iotsec_core::{crypto::*, secret::Secret};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_store::keys::*;
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region().unwrap();
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
    /// let id = KeyId::new(KeyDomain::User, 7, 1);
    /// let spec = KeySpec { id, kind: KeyKind::HmacSha256, usage: KeyUsage::SIGN };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// keys.destroy(&mut flash, key)?;
    /// assert_eq!(keys.open(&mut flash, id), Err(KeyError::Store(StoreError::NotFound)));
    /// # Ok::<(), KeyError>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "the token is used up")]
    pub fn destroy<F: NorFlash>(&mut self, flash: &mut F, key: KeyHandle) -> Result<(), KeyError> {
        Stored::of(&key).load_present(self.store, flash, &key)?;
        Ok(self.store.remove(flash, key.id())?)
    }

    /// Refuses what must not be made.
    pub(super) fn admit(&self, spec: &KeySpec) -> Result<(), KeyError> {
        if !spec.kind.allows(spec.usage) {
            Err(KeyError::Policy)
        } else if self.store.contains(spec.id) {
            Err(KeyError::Exists)
        } else {
            Ok(())
        }
    }

    /// Draws until it is a key of the type.
    pub(super) fn draw<R: TryCryptoRng + ?Sized>(
        &self,
        stored: &mut Stored,
        kind: KeyKind,
        rng: &mut R,
    ) -> Result<(), KeyError> {
        // A draw misses the scalar range of P-256 with a chance of 2^-32; eight misses in a row are a broken source.
        for _ in 0..8 {
            rng.try_fill_bytes(stored.bytes_mut())
                .map_err(|_| CryptoError::Entropy)?;
            if stored.is_constant() {
                return Err(CryptoError::Entropy.into());
            }
            match self.suite.check(kind, stored.key()) {
                Err(KeyError::Material) => {}
                other => return other,
            }
        }
        Err(CryptoError::Entropy.into())
    }

    /// Stores the first key of a name.
    pub(super) fn keep<F: NorFlash>(
        &mut self,
        flash: &mut F,
        spec: KeySpec,
        stored: &Stored,
    ) -> Result<KeyHandle, KeyError> {
        if stored.is_constant() {
            return Err(KeyError::Material);
        }
        self.suite.check(spec.kind, stored.key())?;
        stored.write(self.store, flash, spec.id)?;
        Ok(KeyHandle {
            spec,
            number: stored.number(),
        })
    }
}

iotsec_core::claim! {
    provisions: ["5.4-1"],
    claims: "A stored key serves the uses that it was made for, leaves the store only if it was made so, and shows in no flash and no output",
    code: [Keyring::open],
    tests: [
        "iotsec-store::keys::policy::every_usage_is_needed_and_every_type_is_checked",
        "iotsec-store::keys::use_keys::a_key_is_exported_only_if_it_was_made_so",
        "iotsec-store::keys::secrecy::n14_neither_flash_nor_the_buffer_of_the_store_holds_a_key",
        "iotsec-store::keys::secrecy::n21_nothing_prints_a_key",
    ],
}

iotsec_core::claim! {
    provisions: ["5.4-4"],
    claims: "Keys that the device makes differ from each other, and none is made from a source that is stuck or fails",
    code: [Keyring::generate],
    tests: [
        "iotsec-store::keys::policy::a_source_without_entropy_makes_no_key",
        "iotsec-store::keys::use_keys::keys_of_two_domains_are_apart_and_the_owners_go_with_the_owner",
    ],
}

impl core::fmt::Debug for Keyring<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keyring(..)")
    }
}
