use iotsec_core::crypto::{DIGEST_LEN, Ed25519PublicKey, P256PublicKey, SIGNATURE_LEN, Sha256, Verify};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

use crate::certificate::der::{self, INTEGER, Reader, SEQUENCE};

/// Ed25519.
pub static ED25519: &dyn SignatureVerificationAlgorithm = &Ed25519;

/// ECDSA on P-256 with SHA-256.
pub static ECDSA_P256_SHA256: &dyn SignatureVerificationAlgorithm = &EcdsaP256Sha256;

/// SHA-256, in the form that [`PinSet`](crate::certificate::PinSet) takes it.
pub fn sha256(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Sha256::of(&[bytes])
}

#[derive(Debug)]
struct Ed25519;

impl SignatureVerificationAlgorithm for Ed25519 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        Ed25519PublicKey::from_bytes(public_key)
            .and_then(|key| key.verify(message, signature))
            .map_err(|_| InvalidSignature)
    }
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
}

#[derive(Debug)]
struct EcdsaP256Sha256;

impl SignatureVerificationAlgorithm for EcdsaP256Sha256 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let signature = raw_signature(signature).ok_or(InvalidSignature)?;
        P256PublicKey::from_sec1(public_key)
            .and_then(|key| key.verify(message, &signature))
            .map_err(|_| InvalidSignature)
    }
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

/// ECDSA-Sig-Value (RFC 3279 §2.2.3) as r‖s.
fn raw_signature(signature: &[u8]) -> Option<[u8; SIGNATURE_LEN]> {
    let mut reader = Reader::new(der::only(signature, SEQUENCE)?);
    let (r, s) = (reader.expect(INTEGER)?, reader.expect(INTEGER)?);
    reader.end()?;
    let mut raw = [0; SIGNATURE_LEN];
    for (half, number) in raw.chunks_exact_mut(SIGNATURE_LEN / 2).zip([r, s]) {
        let number = der::unsigned(number)?;
        let start = half.len().checked_sub(number.len())?;
        for (to, from) in half.iter_mut().skip(start).zip(number) {
            *to = *from;
        }
    }
    Some(raw)
}
