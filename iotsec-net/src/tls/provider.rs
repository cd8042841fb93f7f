use std::{sync::Arc, vec::Vec};

use rustls::{
    CipherSuite, NamedGroup, SignatureScheme, SupportedCipherSuite,
    crypto::{CryptoProvider, SupportedKxGroup, WebPkiSupportedAlgorithms},
};
use rustls_pki_types::SignatureVerificationAlgorithm;

/// Schemes that a peer may sign with, and that certificates may be signed with.
const SCHEMES: [SignatureScheme; 9] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    // For certificates alone: TLS 1.3 has no such signature of a handshake (RFC 8446 §4.2.3).
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// Where the cryptography comes from. Each configuration names one; none is looked up in the process.
///
/// | | key exchange | suites of TLS 1.3 |
/// |---|---|---|
/// | `Provider::ring` | X25519, P-256 | AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305 |
/// | `Provider::aws_lc` | these, and X25519MLKEM768 | these |
#[derive(Clone, Debug)]
pub struct Provider {
    inner: Arc<CryptoProvider>,
    needs_post_quantum: bool,
}

/// How much an attacker is feared who records today and has a quantum computer later.
#[cfg(feature = "aws-lc")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostQuantum {
    /// X25519MLKEM768 (FIPS 203 with X25519) where the server knows it. The first message then takes two packets.
    Prefer,
    /// X25519MLKEM768 or nothing.
    Require,
}

impl Provider {
    /// ring: small, and built with a C compiler alone.
    ///
    /// ```
    /// use iotsec_net::tls::Provider;
    ///
    /// let provider = Provider::ring();
    /// assert!(!provider.algorithms().is_empty());
    /// ```
    #[cfg(feature = "ring")]
    pub fn ring() -> Self {
        use rustls::crypto::ring::{default_provider, kx_group};
        Self::new(
            default_provider(),
            Vec::from([kx_group::X25519, kx_group::SECP256R1]),
            false,
        )
    }

    /// AWS-LC: larger, with a key exchange that quantum computers do not break.
    ///
    /// ```
    /// use iotsec_net::tls::{PostQuantum, Provider};
    ///
    /// let provider = Provider::aws_lc(PostQuantum::Require);
    /// assert!(provider.needs_post_quantum());
    /// ```
    #[cfg(feature = "aws-lc")]
    pub fn aws_lc(post_quantum: PostQuantum) -> Self {
        use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
        let groups = match post_quantum {
            PostQuantum::Prefer => {
                Vec::from([kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1])
            }
            PostQuantum::Require => Vec::from([kx_group::X25519MLKEM768]),
        };
        let needs_it = post_quantum == PostQuantum::Require;
        Self::new(default_provider(), groups, needs_it)
    }

    #[cfg_attr(
        not(any(feature = "ring", feature = "aws-lc")),
        expect(dead_code, reason = "cryptography comes with a feature")
    )]
    fn new(
        provider: CryptoProvider,
        kx_groups: Vec<&'static dyn SupportedKxGroup>,
        needs_post_quantum: bool,
    ) -> Self {
        let inner = CryptoProvider {
            kx_groups,
            cipher_suites: provider.cipher_suites.into_iter().filter(is_strong).collect(),
            ..provider
        };
        Self {
            inner: Arc::new(inner),
            needs_post_quantum,
        }
    }

    /// Whether a key exchange without ML-KEM is refused.
    pub const fn needs_post_quantum(&self) -> bool {
        self.needs_post_quantum
    }

    /// Its signature algorithms, as [`ServerPolicy`](crate::certificate::ServerPolicy) takes them.
    pub fn algorithms(&self) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
        self.inner.signature_verification_algorithms.all
    }

    pub(super) fn signatures(&self) -> &WebPkiSupportedAlgorithms {
        &self.inner.signature_verification_algorithms
    }

    /// The schemes that are believed, of those that the provider has.
    pub(super) fn schemes(&self) -> Vec<SignatureScheme> {
        let has = self.signatures().supported_schemes();
        SCHEMES
            .into_iter()
            .filter(|scheme| has.contains(scheme))
            .collect()
    }

    pub(super) fn to_rustls(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.inner)
    }

    /// Whether this is the group that [`PostQuantum::Require`] wants.
    pub(super) fn accepts(&self, group: NamedGroup) -> bool {
        !self.needs_post_quantum || group == NamedGroup::X25519MLKEM768
    }
}

iotsec_core::claim! {
    provisions: ["5.5-1", "5.5-3"],
    claims: "A key exchange that outlives quantum computers can be preferred, or required",
    code: [Provider::aws_lc],
    tests: [
        "iotsec-net::tls::handshake::a_key_exchange_that_outlives_quantum_computers_can_be_preferred_or_required",
    ],
}

/// Suites with forward secrecy and authenticated encryption: those of TLS 1.3, and the ECDHE ones of 1.2 (RFC 9325
/// §4.2).
fn is_strong(suite: &SupportedCipherSuite) -> bool {
    matches!(
        suite.suite(),
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS13_AES_256_GCM_SHA384
            | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
            | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    )
}
