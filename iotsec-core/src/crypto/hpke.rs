//! Hybrid public key encryption (HPKE, RFC 9180): a message that only the holder of one private key reads.
//!
//! Base mode, one message to a key: every [`seal`](Hpke::seal) draws an ephemeral key of its own. The sender is
//! not authenticated: anybody who knows the public key can seal to it.
//!
//! ```text
//! sealed = enc || ciphertext || tag      ; enc is the ephemeral public key, of 32 (X25519) or 65 bytes (P-256)
//! ```
//!
//! | part | what there is |
//! |---|---|
//! | KEM | DHKEM(X25519, HKDF-SHA256), with feature `p256` DHKEM(P-256, HKDF-SHA256) |
//! | KDF | HKDF-SHA256 |
//! | AEAD | ChaCha20-Poly1305, with feature `encryption` AES-128-GCM |
//!
//! ```
//! use iotsec_core::{crypto::{KeyAgreement, X25519Key, hpke}, secret::Secret};
//! # struct Rng(u8);
//! # impl rand_core::TryRng for Rng {
//! #     type Error = core::convert::Infallible;
//! #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { unreachable!() }
//! #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { unreachable!() }
//! #     fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
//! #         for byte in out { self.0 += 1; *byte = self.0; } Ok(())
//! #     }
//! # }
//! # impl rand_core::TryCryptoRng for Rng {}
//! # let mut rng = Rng(0);
//!
//! let service = X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
//! let suite = hpke::X25519_CHACHA20_POLY1305;
//!
//! // The device knows only the public key.
//! let mut out = [0; 5 + hpke::X25519_OVERHEAD];
//! let sealed = suite.seal(service.public_key(), b"what for", b"header", b"hello", &mut rng, &mut out)?;
//!
//! let mut plain = [0; 5];
//! assert_eq!(suite.open(&service, b"what for", b"header", sealed, &mut plain)?, b"hello");
//! assert!(suite.open(&service, b"what else", b"header", sealed, &mut plain).is_err());
//! # Ok::<(), hpke::HpkeError>(())
//! ```

use core::marker::PhantomData;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::{
    AgreementCurve, AgreementKey, ChaCha20Poly1305, CryptoError, DIGEST_LEN, HkdfSha256, Kdf, KeyAgreement,
    NONCE_LEN, TAG_LEN, X25519Key,
};
use crate::secret::Secret;

mod cipher;
mod error;

#[cfg(feature = "encryption")]
pub use cipher::Aes128Gcm;
pub use cipher::{Cipher, CipherId};
pub use error::HpkeError;

/// What sealing to an X25519 key adds to a message.
pub const X25519_OVERHEAD: usize = 32 + TAG_LEN;
/// What sealing to a P-256 key adds to a message.
pub const P256_OVERHEAD: usize = 65 + TAG_LEN;

/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
pub const X25519_CHACHA20_POLY1305: Hpke<'static, X25519Key> = Hpke::new(&HkdfSha256, &ChaCha20Poly1305);
/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
#[cfg(feature = "encryption")]
pub const X25519_AES_128_GCM: Hpke<'static, X25519Key> = Hpke::new(&HkdfSha256, &Aes128Gcm);
/// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
#[cfg(feature = "p256")]
pub const P256_CHACHA20_POLY1305: Hpke<'static, super::P256AgreementKey> =
    Hpke::new(&HkdfSha256, &ChaCha20Poly1305);
/// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
#[cfg(all(feature = "p256", feature = "encryption"))]
pub const P256_AES_128_GCM: Hpke<'static, super::P256AgreementKey> = Hpke::new(&HkdfSha256, &Aes128Gcm);

/// HKDF-SHA256 (RFC 9180 §7.2).
const KDF_HKDF_SHA256: u16 = 1;
const VERSION: &[u8] = b"HPKE-v1";
const MODE_BASE: u8 = 0;
/// Draws of an ephemeral key: on P-256 one misses with a chance of 2^-32, on X25519 none does.
const DRAWS: usize = 8;

/// The numbers by which a suite is named on the wire (RFC 9180 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SuiteId {
    /// The key encapsulation: 32 for X25519, 16 for P-256.
    pub kem: u16,
    /// The key derivation: 1, HKDF-SHA256.
    pub kdf: u16,
    /// The cipher: 1 for AES-128-GCM, 3 for ChaCha20-Poly1305.
    pub aead: u16,
}

/// A suite: a curve by the type of its keys, a key derivation and a cipher.
pub struct Hpke<'a, K> {
    kdf: &'a dyn Kdf,
    cipher: &'a dyn Cipher,
    keys: PhantomData<fn() -> K>,
}

impl<K> Clone for Hpke<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Hpke<'_, K> {}

impl<K> core::fmt::Debug for Hpke<'_, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Hpke(..)")
    }
}

impl<'a, K: AgreementKey> Hpke<'a, K> {
    /// Bytes of an encapsulated key, and of a public key.
    pub const PUBLIC_LEN: usize = match K::CURVE {
        AgreementCurve::X25519 => 32,
        AgreementCurve::P256 => 65,
    };
    /// What sealing adds to a message.
    pub const OVERHEAD: usize = match K::CURVE {
        AgreementCurve::X25519 => X25519_OVERHEAD,
        AgreementCurve::P256 => P256_OVERHEAD,
    };
    const KEM: u16 = match K::CURVE {
        AgreementCurve::X25519 => 0x20,
        AgreementCurve::P256 => 0x10,
    };

    /// A suite of these algorithms. `K` makes the ephemeral keys; the private key that opens may be hardware.
    pub const fn new(kdf: &'a dyn Kdf, cipher: &'a dyn Cipher) -> Self {
        Self {
            kdf,
            cipher,
            keys: PhantomData,
        }
    }

    /// Its numbers.
    ///
    /// # Errors
    /// [`HpkeError::Suite`] for a cipher that HPKE has no number for.
    pub fn id(&self) -> Result<SuiteId, HpkeError> {
        Ok(SuiteId {
            kem: Self::KEM,
            kdf: KDF_HKDF_SHA256,
            aead: self.cipher.id().ok_or(HpkeError::Suite)?.number(),
        })
    }

    /// Seals `plain` to the holder of `recipient`'s private half, into the first [`OVERHEAD`](Self::OVERHEAD)
    /// bytes more of `out`, and returns those. `info` says what the message is for, `aad` is authenticated
    /// with it; whoever opens must give both again.
    ///
    /// # Errors
    /// [`HpkeError::Buffer`] when `out` is too small, and [`HpkeError::Crypto`] when the source of randomness
    /// fails or the public key is none. On failure nothing of `plain` is in `out`.
    pub fn seal<'o, R: TryCryptoRng + ?Sized>(
        &self,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
        rng: &mut R,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], HpkeError> {
        let len = plain.len().checked_add(Self::OVERHEAD);
        let out = len.and_then(|len| out.get_mut(..len)).ok_or(HpkeError::Buffer)?;
        for (to, from) in out.iter_mut().skip(Self::PUBLIC_LEN).zip(plain) {
            *to = *from;
        }
        self.seal_in_place(recipient, info, aad, rng, out)?;
        Ok(out)
    }

    /// As [`seal`](Self::seal), for a message that stands already where its ciphertext goes: after
    /// [`PUBLIC_LEN`](Self::PUBLIC_LEN) bytes and before [`TAG_LEN`], which are both overwritten.
    ///
    /// # Errors
    /// As [`seal`](Self::seal). On failure `message` is all zeros.
    pub fn seal_in_place<R: TryCryptoRng + ?Sized>(
        &self,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        rng: &mut R,
        message: &mut [u8],
    ) -> Result<(), HpkeError> {
        let sealed = ephemeral(rng).and_then(|key: K| self.seal_under(&key, recipient, info, aad, message));
        if sealed.is_err() {
            message.zeroize();
        }
        sealed
    }

    fn seal_under(
        &self,
        ephemeral: &K,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        message: &mut [u8],
    ) -> Result<(), HpkeError> {
        let (enc, rest) = message
            .split_at_mut_checked(Self::PUBLIC_LEN)
            .ok_or(HpkeError::Buffer)?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(HpkeError::Buffer)?;
        let public = ephemeral.public_key();
        let shared = ephemeral.agree(recipient)?;
        let (id, key, nonce) = self.schedule(&shared, public, recipient, info)?;
        let key = id.key(&key)?;
        *tag = self.cipher.seal(key, &nonce, aad, text)?;
        for (to, from) in enc.iter_mut().zip(public) {
            *to = *from;
        }
        Ok(())
    }

    /// Opens what was sealed to `key`, with the same `info` and `aad`, into the beginning of `out`.
    ///
    /// # Errors
    /// [`HpkeError::Truncated`] for fewer than [`OVERHEAD`](Self::OVERHEAD) bytes, [`HpkeError::Buffer`] when
    /// `out` is too small, [`HpkeError::Suite`] for a key on another curve, and [`HpkeError::Crypto`] for
    /// everything that was not sealed so. On failure nothing of the message is in `out`.
    pub fn open<'o>(
        &self,
        key: &dyn KeyAgreement,
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], HpkeError> {
        if key.curve() != K::CURVE {
            return Err(HpkeError::Suite);
        }
        let (enc, rest) = sealed
            .split_at_checked(Self::PUBLIC_LEN)
            .ok_or(HpkeError::Truncated)?;
        let (text, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(HpkeError::Truncated)?;
        let out = out.get_mut(..text.len()).ok_or(HpkeError::Buffer)?;
        let shared = key.agree(enc)?;
        let (id, opening_key, nonce) = self.schedule(&shared, enc, key.public_key(), info)?;
        for (to, from) in out.iter_mut().zip(text) {
            *to = *from;
        }
        let opened = id
            .key(&opening_key)
            .and_then(|key| self.cipher.open(key, &nonce, aad, out, tag));
        match opened {
            Ok(()) => Ok(out),
            Err(error) => {
                out.zeroize();
                Err(error.into())
            }
        }
    }

    /// Key and nonce of the first message (RFC 9180 §4.1 ExtractAndExpand, §5.1 KeySchedule).
    #[inline(never)]
    fn schedule(
        &self,
        shared: &Secret<32>,
        enc: &[u8],
        recipient: &[u8],
        info: &[u8],
    ) -> Result<(CipherId, Secret<DIGEST_LEN>, [u8; NONCE_LEN]), HpkeError> {
        let cipher = self.cipher.id().ok_or(HpkeError::Suite)?;
        let kem = Labelled {
            kdf: self.kdf,
            suite: &[b"KEM", &Self::KEM.to_be_bytes()],
        };
        let prk = kem.extract(&[], b"eae_prk", shared.expose())?;
        let shared = kem.expand(&prk, b"shared_secret", &[enc, recipient], DIGEST_LEN)?;

        let hpke = Labelled {
            kdf: self.kdf,
            suite: &[
                b"HPKE",
                &Self::KEM.to_be_bytes(),
                &KDF_HKDF_SHA256.to_be_bytes(),
                &cipher.number().to_be_bytes(),
            ],
        };
        let psk_id_hash = hpke.extract(&[], b"psk_id_hash", &[])?;
        let info_hash = hpke.extract(&[], b"info_hash", info)?;
        let context: [&[u8]; 3] = [&[MODE_BASE], psk_id_hash.expose(), info_hash.expose()];
        let secret = hpke.extract(shared.expose(), b"secret", &[])?;
        let key = hpke.expand(&secret, b"key", &context, cipher.key_len())?;
        let base_nonce = hpke.expand(&secret, b"base_nonce", &context, NONCE_LEN)?;
        let mut nonce = [0; NONCE_LEN];
        for (to, from) in nonce.iter_mut().zip(base_nonce.expose()) {
            *to = *from;
        }
        Ok((cipher, key, nonce))
    }
}

crate::claim! {
    provisions: ["5.5-1", "5.5-6", "5.5-7"],
    claims: "What is sealed to a recipient's public key opens for that recipient alone, as RFC 9180 has it",
    code: [Hpke::seal_in_place],
    tests: [
        "iotsec-core::iotsec_core::crypto::hpke::tests::the_vectors_of_rfc_9180_are_reproduced",
        "iotsec-core::iotsec_core::crypto::hpke::tests::nothing_opens_but_what_was_sealed",
    ],
}

/// An ephemeral key.
fn ephemeral<K: AgreementKey, R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<K, HpkeError> {
    for _ in 0..DRAWS {
        if let Ok(key) = K::from_secret(&Secret::random(rng)?) {
            return Ok(key);
        }
    }
    Err(CryptoError::Entropy.into())
}

/// LabeledExtract and LabeledExpand (RFC 9180 §4). HKDF-SHA256 gives all that is needed in its first block, so
/// each is one HMAC.
struct Labelled<'a> {
    kdf: &'a dyn Kdf,
    suite: &'a [&'a [u8]],
}

impl Labelled<'_> {
    fn extract(&self, salt: &[u8], label: &[u8], ikm: &[u8]) -> Result<Secret<DIGEST_LEN>, CryptoError> {
        self.hmac(salt, &[], label, &[ikm])
    }

    /// The first `len` bytes of the result are meant, of at most [`DIGEST_LEN`].
    fn expand(
        &self,
        prk: &Secret<DIGEST_LEN>,
        label: &[u8],
        info: &[&[u8]],
        len: usize,
    ) -> Result<Secret<DIGEST_LEN>, CryptoError> {
        let len = u16::try_from(len).map_err(|_| CryptoError::Length)?;
        let mut parts: [&[u8]; 4] = [&[]; 4];
        for (to, from) in parts.iter_mut().zip(info.iter().chain([&&[1][..]])) {
            *to = from;
        }
        self.hmac(prk.expose(), &len.to_be_bytes(), label, &parts)
    }

    fn hmac(
        &self,
        key: &[u8],
        head: &[u8],
        label: &[u8],
        tail: &[&[u8]],
    ) -> Result<Secret<DIGEST_LEN>, CryptoError> {
        // Head, version, up to four parts of a suite's name, label, up to four parts of the rest.
        let mut parts: [&[u8]; 11] = [&[]; 11];
        let all = [head, VERSION]
            .into_iter()
            .chain(self.suite.iter().copied())
            .chain([label])
            .chain(tail.iter().copied());
        for (to, from) in parts.iter_mut().zip(all) {
            *to = from;
        }
        Ok(Secret::from_bytes(self.kdf.hmac(key, &parts)?))
    }
}

#[cfg(test)]
mod tests;
