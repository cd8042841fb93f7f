use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{CryptoError, DIGEST_LEN, SIGNATURE_LEN},
    secret::{Secret, ct_eq},
};

use super::{KeyError, KeyHandle, KeyKind, KeyUsage, Keyring, PublicBytes, StoredSigner, stored::Stored};

impl<'a> Keyring<'_, 'a> {
    /// Signs `message` with a signature key that has [`KeyUsage::SIGN`].
    ///
    /// # Errors
    /// [`KeyError::Type`], [`KeyError::Usage`], [`KeyError::Algorithm`], [`KeyError::Stale`]; failures of the store.
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
    /// let spec = KeySpec { id, kind: KeyKind::P256, usage: KeyUsage::SIGN };
    /// let suite = KeySuite { sign: &[&Algorithm::<P256SigningKey>::NEW], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    ///
    /// let mut signature = [0; 64];
    /// keys.sign(&mut flash, &key, b"a report", &mut signature)?;
    /// let public = P256PublicKey::from_sec1(keys.public_key(&mut flash, &key)?.as_bytes())?;
    /// assert!(public.verify(b"a report", &signature).is_ok());
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn sign<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), KeyError> {
        let algorithm = self.suite.sign(key.kind())?;
        key.need(KeyUsage::SIGN)?;
        let mut stored = Stored::of(key);
        let secret = stored.load(self.store, flash, key)?;
        Ok(algorithm.sign(secret, message, signature)?)
    }

    /// The HMAC of `message` under an HMAC key that has [`KeyUsage::SIGN`].
    ///
    /// # Errors
    /// [`KeyError::Type`], [`KeyError::Usage`], [`KeyError::Stale`]; failures of the store.
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
    /// let spec = KeySpec { id, kind: KeyKind::HmacSha256, usage: KeyUsage::SIGN | KeyUsage::VERIFY };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// let mac = keys.mac(&mut flash, &key, b"a message")?;
    /// keys.verify(&mut flash, &key, b"a message", &mac)?;
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn mac<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
        message: &[u8],
    ) -> Result<[u8; DIGEST_LEN], KeyError> {
        if key.kind() != KeyKind::HmacSha256 {
            return Err(KeyError::Type);
        }
        key.need(KeyUsage::SIGN)?;
        let mut stored = Stored::of(key);
        let secret = stored.load(self.store, flash, key)?;
        Ok(self.suite.kdf.hmac(secret.expose(), &[message])?)
    }

    /// Checks a signature or a MAC over `message`, with a key that has [`KeyUsage::VERIFY`].
    ///
    /// # Errors
    /// [`CryptoError::Signature`] unless it is genuine; otherwise as [`sign`](Self::sign).
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
    /// let spec = KeySpec { id, kind: KeyKind::Ed25519, usage: KeyUsage::SIGN | KeyUsage::VERIFY };
    /// let suite = KeySuite {
    ///     sign: &[&Algorithm::<Ed25519SigningKey>::NEW],
    ///     verify: &[&Algorithm::<Ed25519PublicKey>::NEW],
    ///     ..KeySuite::new(&HkdfSha256)
    /// };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// let mut signature = [0; 64];
    /// keys.sign(&mut flash, &key, b"a log", &mut signature)?;
    /// keys.verify(&mut flash, &key, b"a log", &signature)?;
    /// let forged = keys.verify(&mut flash, &key, b"a lag", &signature);
    /// assert_eq!(forged, Err(KeyError::Crypto(CryptoError::Signature)));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn verify<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyError> {
        let mut stored = Stored::of(key);
        if key.kind() == KeyKind::HmacSha256 {
            key.need(KeyUsage::VERIFY)?;
            let secret = stored.load(self.store, flash, key)?;
            let mac = Secret::from_bytes(self.suite.kdf.hmac(secret.expose(), &[message])?);
            return if ct_eq(mac.expose(), signature) {
                Ok(())
            } else {
                Err(CryptoError::Signature.into())
            };
        }
        let algorithm = self.suite.verify(key.kind())?;
        key.need(KeyUsage::VERIFY)?;
        let secret = stored.load(self.store, flash, key)?;
        let public = self.suite.sign(key.kind())?.public_key(secret)?;
        Ok(algorithm.verify(public.as_bytes(), message, signature)?)
    }

    /// The public half of a key for signatures or key agreement. Needs no usage.
    ///
    /// # Errors
    /// [`KeyError::Type`], [`KeyError::Algorithm`], [`KeyError::Stale`]; failures of the store.
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
    /// let spec = KeySpec { id, kind: KeyKind::X25519, usage: KeyUsage::DERIVE };
    /// let suite = KeySuite { agree: &[&Algorithm::<X25519Key>::NEW], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// assert_eq!(keys.public_key(&mut flash, &key)?.as_bytes().len(), 32);
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn public_key<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
    ) -> Result<PublicBytes, KeyError> {
        let mut stored = Stored::of(key);
        if key.kind().curve().is_some() {
            let algorithm = self.suite.agree(key.kind())?;
            return Ok(algorithm.public_key(stored.load(self.store, flash, key)?)?);
        }
        let algorithm = self.suite.sign(key.kind())?;
        Ok(algorithm.public_key(stored.load(self.store, flash, key)?)?)
    }

    /// The key as a [`Sign`](iotsec_core::crypto::Sign), for what signs with one: a report, a token, a request. It
    /// borrows keyring and flash as long as it lives.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
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
    /// # let id = KeyId::new(KeyDomain::Device, 7, 1);
    /// # let spec = KeySpec { id, kind: KeyKind::Ed25519, usage: KeyUsage::SIGN };
    /// # let suite = KeySuite { sign: &[&Algorithm::<Ed25519SigningKey>::NEW], ..KeySuite::new(&HkdfSha256) };
    /// # let mut keys = Keyring::new(&mut store, suite);
    /// # let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// use iotsec_core::cose::Sign1Builder;
    ///
    /// let signer = keys.signer(&mut flash, &key)?;
    /// let (mut scratch, mut out) = ([0; 256], [0; 256]);
    /// let token = Sign1Builder::new().sign(&signer, b"claims", b"", &mut scratch, &mut out).unwrap();
    /// # assert!(!token.is_empty());
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn signer<'s, F: NorFlash>(
        &'s mut self,
        flash: &'s mut F,
        key: &'s KeyHandle,
    ) -> Result<StoredSigner<'s, 'a, F>, KeyError> {
        let keyring = Keyring {
            store: &mut *self.store,
            suite: self.suite,
        };
        StoredSigner::new(keyring, flash, key)
    }
}
