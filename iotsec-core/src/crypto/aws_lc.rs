//! The suite of AWS-LC, for processors that run Linux. Ed25519 and SHA-2 gain little over RustCrypto and stay there.
//!
//! ```
//! use iotsec_core::{crypto::{self, Aead, aws_lc}, secret::Secret};
//!
//! // Whatever the suite, the bytes are the same.
//! let (key, nonce) = (Secret::from_bytes([7; 32]), [1; 12]);
//! let mut record = *b"the owner's secret";
//! let tag = aws_lc::Aes256GcmSiv.seal(&key, &nonce, b"name", &mut record)?;
//! crypto::Aes256GcmSiv.open(&key, &nonce, b"name", &mut record, &tag)?;
//! assert_eq!(&record, b"the owner's secret");
//! # Ok::<(), crypto::CryptoError>(())
//! ```

super::ring_api::suite!(
    aws_lc_rs,
    |key: &aead::LessSafeKey, nonce, aad: aead::Aad<&[u8]>, tag: &[u8; TAG_LEN], buffer: &mut [u8]| {
        key.open_in_place_separate_tag(nonce, aad, tag, buffer).is_ok()
    },
    /// ChaCha20-Poly1305 (RFC 8439), for messages on the wire.
    ChaCha20Poly1305 = CHACHA20_POLY1305,
    /// AES-256-GCM-SIV (RFC 8452), for storage: a nonce that repeats, because the flash was rolled
    /// back, reveals no more than that two records are equal.
    Aes256GcmSiv = AES_256_GCM_SIV
);

fn pair(scalar: &Secret<32>, public: &[u8]) -> Result<signature::EcdsaKeyPair, CryptoError> {
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    signature::EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar.expose(), public)
        .map_err(|_| CryptoError::PublicKey)
}
