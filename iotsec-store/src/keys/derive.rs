use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

use super::{KeyError, KeyHandle, KeyKind, KeySpec, KeyUsage, Keyring, PublicBytes, stored::Stored};

const KEY: &[u8] = b"iotsec/keys/key/v1";
const SECRET: &[u8] = b"iotsec/keys/secret/v1";

impl Keyring<'_, '_> {
    /// Derives a key from an HKDF key that has [`KeyUsage::DERIVE`], and stores it. Writes once.
    ///
    /// The same `label` and type give the same key at any time, another label or type another one.
    /// [`KeyUsage::EXPORT`] and [`KeyUsage::REVEAL`] need a `base` with [`KeyUsage::REVEAL`].
    ///
    /// *Power loss:* the new key is there or it is not.
    ///
    /// # Errors
    /// [`KeyError::Type`], [`KeyError::Usage`], [`KeyError::Stale`] for `base`; for the new key as
    /// [`generate`](Self::generate). There is no new key.
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
    /// let spec = |number, kind, usage| KeySpec { id: KeyId::new(KeyDomain::Device, 7, number), kind, usage };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let base = spec(1, KeyKind::HkdfSha256, KeyUsage::DERIVE);
    /// let base = keys.generate(&mut flash, base, &mut rng)?;
    ///
    /// let log = spec(2, KeyKind::HmacSha256, KeyUsage::SIGN);
    /// let log = keys.derive(&mut flash, &base, b"log", log)?;
    /// keys.mac(&mut flash, &log, b"an entry")?;
    ///
    /// let open = spec(3, KeyKind::HmacSha256, KeyUsage::EXPORT);
    /// assert_eq!(keys.derive(&mut flash, &base, b"log", open), Err(KeyError::Usage));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn derive<F: NorFlash>(
        &mut self,
        flash: &mut F,
        base: &KeyHandle,
        label: &[u8],
        spec: KeySpec,
    ) -> Result<KeyHandle, KeyError> {
        self.need_hkdf(base, KeyUsage::DERIVE)?;
        base.need_for(spec.usage)?;
        self.admit(&spec)?;
        let mut stored = Stored::of(base);
        let source = Source {
            kdf: self.suite.kdf,
            secret: stored.load(self.store, flash, base)?,
            ends: [&[], &[]],
        };
        self.store_derived(flash, &source, label, spec)
    }

    /// Derives `N` bytes for the caller, from an HKDF key that has [`KeyUsage::DERIVE`] and [`KeyUsage::REVEAL`].
    /// Another `N` gives other bytes, and none are those of a key that [`derive`](Self::derive) stores.
    ///
    /// # Errors
    /// [`KeyError::Type`], [`KeyError::Usage`], [`KeyError::Stale`]; [`CryptoError::Length`] for more than 8160
    /// bytes; failures of the store. `out` is zero.
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
    ///     kind: KeyKind::HkdfSha256,
    ///     usage: KeyUsage::DERIVE | KeyUsage::REVEAL,
    /// };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let base = keys.generate(&mut flash, spec, &mut rng)?;
    /// let (mut one, mut two) = (Secret::<16>::zero(), Secret::<16>::zero());
    /// keys.derive_secret(&mut flash, &base, b"one", &mut one)?;
    /// keys.derive_secret(&mut flash, &base, b"two", &mut two)?;
    /// assert!(!one.ct_eq(&two));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn derive_secret<F: NorFlash, const N: usize>(
        &mut self,
        flash: &mut F,
        base: &KeyHandle,
        label: &[u8],
        out: &mut Secret<N>,
    ) -> Result<(), KeyError> {
        out.expose_mut().fill(0);
        self.need_hkdf(base, KeyUsage::DERIVE | KeyUsage::REVEAL)?;
        let mut stored = Stored::of(base);
        let source = Source {
            kdf: self.suite.kdf,
            secret: stored.load(self.store, flash, base)?,
            ends: [&[], &[]],
        };
        source.reveal(label, out)
    }

    /// Agrees with the holder of the public key `peer` on a key, and stores it. `base` is a key for key agreement
    /// that has [`KeyUsage::DERIVE`]. Writes once.
    ///
    /// Both sides get the same key for the same `label` and type. It says nothing about who the peer is: check
    /// that first.
    ///
    /// *Power loss:* the new key is there or it is not.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a `peer` that is malformed, not on the curve or of small order; otherwise as
    /// [`derive`](Self::derive).
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
    /// let spec = |number, kind, usage| KeySpec { id: KeyId::new(KeyDomain::Device, 7, number), kind, usage };
    /// let suite = KeySuite {
    ///     agree: &[&Algorithm::<X25519Key>::NEW],
    ///     aead: &[&ChaCha20Poly1305],
    ///     ..KeySuite::new(&HkdfSha256)
    /// };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let ours = keys.generate(&mut flash, spec(1, KeyKind::X25519, KeyUsage::DERIVE), &mut rng)?;
    /// let peer = X25519Key::generate(&mut rng)?;
    ///
    /// let link = spec(2, KeyKind::ChaCha20Poly1305, KeyUsage::ENCRYPT);
    /// keys.agree(&mut flash, &ours, peer.public_key(), b"link", link)?;
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn agree<F: NorFlash>(
        &mut self,
        flash: &mut F,
        base: &KeyHandle,
        peer: &[u8],
        label: &[u8],
        spec: KeySpec,
    ) -> Result<KeyHandle, KeyError> {
        self.need_agreement(base, KeyUsage::DERIVE)?;
        base.need_for(spec.usage)?;
        self.admit(&spec)?;
        let (secret, ours) = self.agreed(flash, base, peer)?;
        let source = Source::of_agreement(self.suite.kdf, &secret, ours.as_bytes(), peer);
        self.store_derived(flash, &source, label, spec)
    }

    /// As [`agree`](Self::agree), for `N` bytes that are the caller's. `base` needs [`KeyUsage::REVEAL`] as well.
    /// Writes nothing.
    ///
    /// # Errors
    /// As [`agree`](Self::agree) and [`derive_secret`](Self::derive_secret). `out` is zero.
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
    /// let spec = KeySpec { id, kind: KeyKind::X25519, usage: KeyUsage::DERIVE | KeyUsage::REVEAL };
    /// let suite = KeySuite { agree: &[&Algorithm::<X25519Key>::NEW], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let ours = keys.generate(&mut flash, spec, &mut rng)?;
    /// let peer = X25519Key::generate(&mut rng)?;
    /// let mut session = Secret::<32>::zero();
    /// keys.agree_secret(&mut flash, &ours, peer.public_key(), b"session", &mut session)?;
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn agree_secret<F: NorFlash, const N: usize>(
        &mut self,
        flash: &mut F,
        base: &KeyHandle,
        peer: &[u8],
        label: &[u8],
        out: &mut Secret<N>,
    ) -> Result<(), KeyError> {
        out.expose_mut().fill(0);
        self.need_agreement(base, KeyUsage::DERIVE | KeyUsage::REVEAL)?;
        let (secret, ours) = self.agreed(flash, base, peer)?;
        Source::of_agreement(self.suite.kdf, &secret, ours.as_bytes(), peer).reveal(label, out)
    }

    fn need_hkdf(&self, base: &KeyHandle, usage: KeyUsage) -> Result<(), KeyError> {
        if base.kind() != KeyKind::HkdfSha256 {
            return Err(KeyError::Type);
        }
        base.need(usage)
    }

    fn need_agreement(&self, base: &KeyHandle, usage: KeyUsage) -> Result<(), KeyError> {
        self.suite.agree(base.kind())?;
        base.need(usage)
    }

    /// The secret that is shared with `peer`, and our own public key.
    fn agreed<F: NorFlash>(
        &mut self,
        flash: &mut F,
        base: &KeyHandle,
        peer: &[u8],
    ) -> Result<(Secret<32>, PublicBytes), KeyError> {
        let algorithm = self.suite.agree(base.kind())?;
        let mut stored = Stored::of(base);
        let key = stored.load(self.store, flash, base)?;
        Ok((algorithm.agree(key, peer)?, algorithm.public_key(key)?))
    }

    fn store_derived<F: NorFlash>(
        &mut self,
        flash: &mut F,
        source: &Source<'_>,
        label: &[u8],
        spec: KeySpec,
    ) -> Result<KeyHandle, KeyError> {
        let mut stored = Stored::new(&spec);
        // As for keys that are drawn: only scalars of P-256 can be out of range.
        for attempt in 0..8 {
            let parameters = [spec.kind.code(), attempt];
            source.expand(KEY, &parameters, label, stored.bytes_mut())?;
            match self.keep(flash, spec, &stored) {
                Err(KeyError::Material) => {}
                other => return other,
            }
        }
        Err(KeyError::Material)
    }
}

/// What is derived from.
struct Source<'s> {
    kdf: &'s dyn Kdf,
    secret: &'s Secret<32>,
    /// The public keys of those who agreed on the secret, the lower one first; empty without an agreement.
    ends: [&'s [u8]; 2],
}

impl<'s> Source<'s> {
    fn of_agreement(kdf: &'s dyn Kdf, secret: &'s Secret<32>, ours: &'s [u8], peer: &'s [u8]) -> Self {
        let ends = if ours < peer { [ours, peer] } else { [peer, ours] };
        Self { kdf, secret, ends }
    }

    fn reveal<const N: usize>(&self, label: &[u8], out: &mut Secret<N>) -> Result<(), KeyError> {
        let len = u32::try_from(N).map_err(|_| CryptoError::Length)?.to_le_bytes();
        self.expand(SECRET, &len, label, out.expose_mut())
    }

    fn expand(
        &self,
        purpose: &[u8],
        parameters: &[u8],
        label: &[u8],
        out: &mut [u8],
    ) -> Result<(), KeyError> {
        let len = u32::try_from(label.len())
            .map_err(|_| CryptoError::Length)?
            .to_le_bytes();
        let [low, high] = self.ends;
        let info = [purpose, parameters, &len, label, low, high];
        Ok(self.kdf.hkdf(&[], self.secret.expose(), &info, out)?)
    }
}
