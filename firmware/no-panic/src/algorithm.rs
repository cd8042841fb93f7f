//! A signature algorithm in hardware.

use core::hint::black_box;

use iotsec::net::certificate::SignatureVerificationAlgorithm;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, alg_id};

/// Algorithms of whose answers nothing is known.
pub const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[&InHardware, &InHardware];

#[derive(Debug)]
struct InHardware;

impl SignatureVerificationAlgorithm for InHardware {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        black_box((public_key, message, signature));
        black_box(Ok(()))
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        black_box(alg_id::ECDSA_P256)
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        black_box(alg_id::ECDSA_SHA256)
    }
}
