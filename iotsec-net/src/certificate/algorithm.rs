//! Signature algorithms in software, for devices without ring and AWS-LC.
//!
//! | algorithm | key and signature | source |
//! |---|---|---|
//! | [`ED25519`] | strict: canonical, no small orders | RFC 8032 §5.1.7, RFC 8410 |
//! | [`ECDSA_P256_SHA256`] | uncompressed point; signature in DER | FIPS 186-5, RFC 5758 §3.2 |
//!
//! With ring or AWS-LC, `webpki::ring` and `webpki::aws_lc_rs` hold these and RSA, P-384 and more.

use rustls_pki_types::SignatureVerificationAlgorithm;

#[cfg(feature = "rustcrypto")]
mod software;
#[cfg(feature = "rustcrypto")]
pub use software::{ECDSA_P256_SHA256, ED25519, sha256};

/// Every algorithm of this module: none without the feature `rustcrypto`.
pub const ALL: &[&dyn SignatureVerificationAlgorithm] = &[
    #[cfg(feature = "rustcrypto")]
    ED25519,
    #[cfg(feature = "rustcrypto")]
    ECDSA_P256_SHA256,
];
