//! The suite of ring, for processors that run Linux. Ed25519 and SHA-2 lose nothing on RustCrypto and stay there.
//!
//! ```
//! use iotsec_core::{crypto::{self, Aead, Sign, Verify, ring}, secret::Secret};
//!
//! // Whatever the suite, the bytes are the same.
//! let (key, nonce) = (Secret::from_bytes([7; 32]), [1; 12]);
//! let mut text = *b"21.5 degrees";
//! let tag = ring::ChaCha20Poly1305.seal(&key, &nonce, b"", &mut text)?;
//! crypto::ChaCha20Poly1305.open(&key, &nonce, b"", &mut text, &tag)?;
//! assert_eq!(&text, b"21.5 degrees");
//!
//! let key = ring::P256SigningKey::from_scalar(&key)?;
//! let mut signature = [0; 64];
//! key.sign(b"report", &mut signature)?;
//! crypto::P256PublicKey::from_sec1(key.public_key())?.verify(b"report", &signature)?;
//! ring::P256PublicKey::from_sec1(key.public_key())?.verify(b"report", &signature)?;
//! # Ok::<(), crypto::CryptoError>(())
//! ```

super::ring_api::suite!(
    ring,
    |key: &aead::LessSafeKey, nonce, aad: aead::Aad<&[u8]>, tag: &[u8; TAG_LEN], buffer: &mut [u8]| {
        let tag = aead::Tag::from(*tag);
        key.open_in_place_separate_tag(nonce, aad, tag, buffer, 0..).is_ok()
    },
    /// ChaCha20-Poly1305 (RFC 8439), for messages on the wire.
    ChaCha20Poly1305 = CHACHA20_POLY1305
);

fn pair(scalar: &Secret<32>, public: &[u8]) -> Result<signature::EcdsaKeyPair, CryptoError> {
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    signature::EcdsaKeyPair::from_private_key_and_public_key(
        algorithm,
        scalar.expose(),
        public,
        &SystemRandom::new(),
    )
    .map_err(|_| CryptoError::PublicKey)
}
