use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Kdf, NONCE_LEN, TAG_LEN},
    secret::Secret,
};
use rand_core::TryCryptoRng;

use super::{KeyError, KeyHandle, KeyUsage, Keyring, stored::Stored};

const NONCE: &[u8] = b"iotsec/keys/nonce/v1";

/// What goes with a ciphertext. Nothing of it is secret.
///
/// ```
/// use iotsec_store::keys::Sealed;
///
/// let sealed = Sealed { nonce: [1; 12], tag: [2; 16] };
/// assert_eq!(sealed.nonce.len() + sealed.tag.len(), 28);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The nonce that was made for it.
    pub nonce: [u8; NONCE_LEN],
    /// Its tag.
    pub tag: [u8; TAG_LEN],
}

impl Keyring<'_, '_> {
    /// Encrypts `buffer` in place, with a key that has [`KeyUsage::ENCRYPT`], and authenticates `aad` with it.
    ///
    /// The nonce is made here: of 32 random bytes, the text and `aad`, under a key that only this key leads to. So
    /// a random source that repeats itself makes two nonces equal only where the messages are equal as well. A key
    /// seals 2^32 messages at most; nobody counts them.
    ///
    /// # Errors
    /// [`KeyError::Type`], [`KeyError::Usage`], [`KeyError::Algorithm`], [`KeyError::Stale`]; failures of entropy,
    /// cipher and store.
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
    ///     kind: KeyKind::Aes256GcmSiv,
    ///     usage: KeyUsage::ENCRYPT | KeyUsage::DECRYPT,
    /// };
    /// let suite = KeySuite { aead: &[&Aes256GcmSiv], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    ///
    /// let mut text = *b"21.5 degrees";
    /// let sealed = keys.encrypt(&mut flash, &key, b"kitchen", &mut text, &mut rng)?;
    /// assert_ne!(&text, b"21.5 degrees");
    /// keys.decrypt(&mut flash, &key, b"kitchen", &sealed, &mut text)?;
    /// assert_eq!(&text, b"21.5 degrees");
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn encrypt<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
        aad: &[u8],
        buffer: &mut [u8],
        rng: &mut R,
    ) -> Result<Sealed, KeyError> {
        let cipher = self.suite.aead(key.kind())?;
        key.need(KeyUsage::ENCRYPT)?;
        let mut stored = Stored::of(key);
        let secret = stored.load(self.store, flash, key)?;
        let nonce = nonce(self.suite.kdf, secret, aad, buffer, rng)?;
        let tag = cipher.seal(secret, &nonce, aad, buffer)?;
        Ok(Sealed { nonce, tag })
    }

    /// Decrypts `buffer` in place, with a key that has [`KeyUsage::DECRYPT`].
    ///
    /// # Errors
    /// [`CryptoError::Tag`](iotsec_core::crypto::CryptoError::Tag) unless key, `aad`, `sealed` and `buffer` belong
    /// together, and then nothing of the text is in `buffer`; otherwise as [`encrypt`](Self::encrypt).
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
    /// # let spec = KeySpec {
    /// #     id: KeyId::new(KeyDomain::User, 7, 1),
    /// #     kind: KeyKind::Aes256GcmSiv,
    /// #     usage: KeyUsage::ENCRYPT | KeyUsage::DECRYPT,
    /// # };
    /// # let suite = KeySuite { aead: &[&Aes256GcmSiv], ..KeySuite::new(&HkdfSha256) };
    /// # let mut keys = Keyring::new(&mut store, suite);
    /// # let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// let mut text = *b"21.5 degrees";
    /// let sealed = keys.encrypt(&mut flash, &key, b"kitchen", &mut text, &mut rng)?;
    /// let moved = keys.decrypt(&mut flash, &key, b"bedroom", &sealed, &mut text);
    /// assert_eq!(moved, Err(KeyError::Crypto(CryptoError::Tag)));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn decrypt<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: &KeyHandle,
        aad: &[u8],
        sealed: &Sealed,
        buffer: &mut [u8],
    ) -> Result<(), KeyError> {
        let cipher = self.suite.aead(key.kind())?;
        key.need(KeyUsage::DECRYPT)?;
        let mut stored = Stored::of(key);
        let secret = stored.load(self.store, flash, key)?;
        Ok(cipher.open(secret, &sealed.nonce, aad, buffer, &sealed.tag)?)
    }
}

fn nonce<R: TryCryptoRng + ?Sized>(
    kdf: &dyn Kdf,
    secret: &Secret<32>,
    aad: &[u8],
    text: &[u8],
    rng: &mut R,
) -> Result<[u8; NONCE_LEN], KeyError> {
    let mut key = Secret::<32>::zero();
    kdf.hkdf(&[], secret.expose(), &[NONCE], key.expose_mut())?;
    let random = Secret::<32>::random(rng)?;
    let len = u64::try_from(aad.len()).unwrap_or(u64::MAX).to_le_bytes();
    let mac = kdf.hmac(key.expose(), &[random.expose(), &len, aad, text])?;
    let (nonce, _) = mac.split_first_chunk().unwrap_or((&[0; NONCE_LEN], &[]));
    Ok(*nonce)
}
