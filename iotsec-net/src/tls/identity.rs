use std::{
    boxed::Box,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    vec,
    vec::Vec,
};

use iotsec_core::{
    crypto::{CryptoError, KeyType, SIGNATURE_LEN, Sign},
    identity::{CertificateKey, SubjectPublicKey},
};
use rustls::{
    Error, SignatureAlgorithm, SignatureScheme,
    client::ResolvesClientCert,
    sign::{CertifiedKey, Signer, SigningKey},
};
use rustls_pki_types::CertificateDer;

use super::{TlsError, error::Refusal, trust::to_spki};
use crate::certificate::MAX_CHAIN;

/// Who the device is: its certificates, and the key that it was provisioned with.
///
/// The key is anything that signs, so it may stay where it is: in the store behind a handle, or in a secure element;
/// see [`SignWith`].
///
/// ```
/// use std::sync::Arc;
/// use iotsec_core::{crypto::Ed25519SigningKey, secret::Secret};
/// use iotsec_net::tls::{Identity, TlsError};
///
/// let key = Arc::new(Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32])));
/// let identity = Identity::raw(key.clone())?;
/// assert_eq!(Identity::new(&[b"no certificate"], key).err(), Some(TlsError::IdentityKey));
/// # let _ = identity;
/// # Ok::<(), TlsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    is_raw: bool,
}

impl Identity {
    /// A chain in DER, the device's own certificate first, and the key of that certificate: Ed25519 or P-256.
    ///
    /// # Errors
    /// [`TlsError::IdentityKey`] when they do not belong together, or for another kind of key.
    pub fn new(chain: &[&[u8]], key: Arc<dyn Sign + Send + Sync>) -> Result<Self, TlsError> {
        let leaf = chain.first().filter(|_| chain.len() <= MAX_CHAIN);
        CertificateKey::of(leaf.ok_or(TlsError::IdentityKey)?)
            .and_then(|found| found.must_be(&*key))
            .map_err(|_| TlsError::IdentityKey)?;
        let chain = chain
            .iter()
            .map(|der| CertificateDer::from(der.to_vec()))
            .collect();
        Self::with(chain, key, false)
    }

    /// The key alone (RFC 7250), for servers that know it.
    ///
    /// # Errors
    /// [`TlsError::IdentityKey`] for another kind of key than Ed25519 and P-256.
    pub fn raw(key: Arc<dyn Sign + Send + Sync>) -> Result<Self, TlsError> {
        let spki = SubjectPublicKey::of(&*key).ok().as_ref().and_then(to_spki);
        let spki = spki.ok_or(TlsError::IdentityKey)?;
        Self::with(vec![CertificateDer::from(spki)], key, true)
    }

    fn with(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<dyn Sign + Send + Sync>,
        is_raw: bool,
    ) -> Result<Self, TlsError> {
        let scheme = match key.key_type() {
            KeyType::Ed25519 => SignatureScheme::ED25519,
            KeyType::P256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            _ => return Err(TlsError::IdentityKey),
        };
        let key = Arc::new(Key { inner: key, scheme });
        Ok(Self {
            certified: Arc::new(CertifiedKey::new(chain, key)),
            is_raw,
        })
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    pub(super) const fn is_raw(&self) -> bool {
        self.is_raw
    }
}

iotsec_core::claim! {
    provisions: ["5.1-2A", "5.1-3"],
    claims: "A device shows a service who it is with a certificate and a key that stays in its chip",
    code: [Identity::new],
    tests: [
        "iotsec-net::tls::identity::a_device_shows_who_it_is_with_a_key_that_stays_where_it_is",
        "iotsec-net::tls::identity::a_key_that_does_not_sign_makes_no_connection",
    ],
}

/// A key that something else signs with: a store behind a lock, a driver, another process.
///
/// ```
/// use std::sync::Mutex;
/// use iotsec_core::crypto::{CryptoError, KeyType, Sign};
/// use iotsec_net::tls::SignWith;
///
/// struct Chip;
/// impl Chip {
///     fn sign(&mut self, _: &[u8], _: &mut [u8; 64]) -> Result<(), CryptoError> {
///         Err(CryptoError::Driver)
///     }
/// }
/// let chip = Mutex::new(Chip);
/// let key = SignWith::new(KeyType::Ed25519, &[7; 32], move |message, signature| {
///     chip.lock().map_err(|_| CryptoError::Driver)?.sign(message, signature)
/// });
/// assert_eq!(key.sign(b"", &mut [0; 64]), Err(CryptoError::Driver));
/// ```
pub struct SignWith<F> {
    key_type: KeyType,
    public: Vec<u8>,
    sign: F,
}

impl<F> SignWith<F>
where
    F: Fn(&[u8], &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> + Send + Sync,
{
    /// The kind of key, its public half in the form that [`KeyType`] states, and what makes a signature: of Ed25519, or
    /// r‖s of ECDSA on P-256 with SHA-256.
    pub fn new(key_type: KeyType, public: &[u8], sign: F) -> Self {
        Self {
            key_type,
            public: public.to_vec(),
            sign,
        }
    }
}

impl<F> Sign for SignWith<F>
where
    F: Fn(&[u8], &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> + Send + Sync,
{
    fn key_type(&self) -> KeyType {
        self.key_type
    }
    fn public_key(&self) -> &[u8] {
        &self.public
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        (self.sign)(message, signature)
    }
}

impl<F> fmt::Debug for SignWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignWith")
            .field("key_type", &self.key_type)
            .finish_non_exhaustive()
    }
}

/// A [`Sign`] as rustls knows keys.
#[derive(Clone)]
struct Key {
    inner: Arc<dyn Sign + Send + Sync>,
    scheme: SignatureScheme,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&self.scheme)
            .then(|| -> Box<dyn Signer> { Box::new(self.clone()) })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.scheme {
            SignatureScheme::ED25519 => SignatureAlgorithm::ED25519,
            _ => SignatureAlgorithm::ECDSA,
        }
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = [0; SIGNATURE_LEN];
        self.inner
            .sign(message, &mut signature)
            .map_err(|error| Refusal(TlsError::Signing(error)))?;
        Ok(match self.scheme {
            SignatureScheme::ED25519 => signature.to_vec(),
            _ => to_der(&signature),
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// r‖s as ECDSA-Sig-Value (RFC 3279 §2.2.3). Each half takes 35 bytes at most, so every length has one byte.
fn to_der(signature: &[u8; SIGNATURE_LEN]) -> Vec<u8> {
    let mut body = Vec::new();
    for half in signature.chunks_exact(SIGNATURE_LEN / 2) {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let number = half.get(zeros..).filter(|rest| !rest.is_empty()).unwrap_or(&[0]);
        let is_negative = number.first().is_some_and(|byte| byte & 0x80 != 0);
        let len = number.len().saturating_add(usize::from(is_negative));
        body.extend([0x02, u8::try_from(len).unwrap_or(u8::MAX)]);
        body.extend(is_negative.then_some(0));
        body.extend(number);
    }
    let mut out = vec![0x30, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    out.append(&mut body);
    out
}

const NOT_ASKED: u8 = 0;
const SHOWN: u8 = 1;
const NO_SCHEME: u8 = 2;

/// Shows the identity in one connection, and remembers whether it did.
#[derive(Debug)]
pub(super) struct Presenter {
    identity: Identity,
    state: AtomicU8,
}

impl Presenter {
    pub(super) const fn new(identity: Identity) -> Self {
        Self {
            identity,
            state: AtomicU8::new(NOT_ASKED),
        }
    }

    /// Fails once the server cannot check the key, and at the end when it did not ask.
    pub(super) fn check(&self, is_end: bool) -> Result<(), TlsError> {
        match self.state.load(Ordering::Relaxed) {
            SHOWN => Ok(()),
            NOT_ASKED if is_end => Err(TlsError::NotAsked),
            NOT_ASKED => Ok(()),
            _ => Err(TlsError::IdentityScheme),
        }
    }
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let certified = self.identity.certified();
        let can_sign = certified.key.choose_scheme(schemes).is_some();
        self.state
            .store(if can_sign { SHOWN } else { NO_SCHEME }, Ordering::Relaxed);
        can_sign.then_some(certified)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.identity.is_raw()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_a_signature_are_shortest_integers() {
        let mut signature = [0; SIGNATURE_LEN];
        assert_eq!(to_der(&signature), [0x30, 6, 2, 1, 0, 2, 1, 0]);
        signature[31] = 0x7F;
        signature[62] = 0x80;
        assert_eq!(to_der(&signature), [0x30, 8, 2, 1, 0x7F, 2, 3, 0, 0x80, 0]);
        let der = to_der(&[0xFF; SIGNATURE_LEN]);
        assert_eq!((der.len(), &der[..5]), (72, &[0x30, 70, 2, 33, 0][..]));
    }
}
