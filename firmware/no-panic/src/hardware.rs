//! Cryptography and entropy that answer anything.

use core::{convert::Infallible, hint::black_box};

use iotsec_core::{
    crypto::{Aead, AeadAlgorithm, CryptoError, DIGEST_LEN, Kdf, NONCE_LEN, TAG_LEN},
    hal::{RootKey, RootKeyError},
    secret::Secret,
};
use rand_core::{TryCryptoRng, TryRng};

/// Cipher, key derivation, root key and entropy that answer anything.
#[derive(Debug)]
pub struct Hardware;

impl Aead for Hardware {
    fn algorithm(&self) -> AeadAlgorithm {
        black_box(AeadAlgorithm::Aes256GcmSiv)
    }

    fn seal(
        &self,
        _: &Secret<32>,
        _: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        black_box((aad, buffer));
        black_box(Ok([0; TAG_LEN]))
    }

    fn open(
        &self,
        _: &Secret<32>,
        _: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        _: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError> {
        black_box((aad, buffer));
        black_box(Ok(()))
    }
}

impl Kdf for Hardware {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        black_box((salt, key, info, out));
        black_box(Ok(()))
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
        black_box((key, parts));
        black_box(Ok([0; DIGEST_LEN]))
    }
}

impl RootKey for Hardware {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        black_box((label, out.expose_mut()));
        black_box(Ok(()))
    }
}

impl TryRng for Hardware {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        black_box(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Hardware {}
