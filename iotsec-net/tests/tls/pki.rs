//! Servers with the certificates of `vectors/certificate`, whose keys follow from their names.

use std::sync::Arc;

use iotsec_core::{
    crypto::{Ed25519SigningKey, P256SigningKey, Sha256, Sign},
    input::Host,
    secret::Secret,
};
use iotsec_net::tls::{Alpn, Anchors, Client, PostQuantum, Provider};
use rustls::{
    ConfigBuilder, ServerConfig, ServerConnection, WantsVerifier,
    crypto::CryptoProvider,
    server::WantsServerCert,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::vector::{NOW, Vectors, file};

/// Why a chain of the vectors is not served here: its key was drawn, or is on a curve that no provider has.
pub(crate) const WITHOUT_KEY: [&str; 4] = ["rsa1024", "rsa2048", "k1", "p384"];

fn seed(name: &str) -> [u8; 32] {
    Sha256::of(&[b"iotsec certificate vectors: ", name.as_bytes()])
}

/// The P-256 key of this name in `make.py`.
pub(crate) fn p256_key(name: &str) -> P256SigningKey {
    P256SigningKey::from_scalar(&Secret::from_bytes(scalar(name))).unwrap()
}

fn scalar(name: &str) -> [u8; 32] {
    let mut carry = 0;
    seed(name).map(|byte| {
        let shifted = carry << 7 | byte >> 1;
        carry = byte & 1;
        shifted
    })
}

pub(crate) fn ed25519_key(name: &str) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes(seed(name)))
}

pub(crate) fn is_ed25519(name: &str) -> bool {
    name.starts_with("ed25519")
}

/// PKCS #8 (RFC 5958) of the key of this name.
pub(crate) fn pkcs8(name: &str) -> PrivateKeyDer<'static> {
    let bytes = if is_ed25519(name) {
        let head = [
            0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        [&head[..], &seed(name)].concat()
    } else {
        let head = [
            0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 8, 0x2A,
            0x86, 0x48, 0xCE, 0x3D, 3, 1, 7, 4, 0x6D, 0x30, 0x6B, 2, 1, 1, 4, 0x20,
        ];
        let public = [&[0xA1, 0x44, 3, 0x42, 0][..], p256_key(name).public_key()].concat();
        [&head[..], &scalar(name), &public].concat()
    };
    PrivatePkcs8KeyDer::from(bytes).into()
}

pub(crate) fn ring() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// The chain of this name, and its key.
pub(crate) fn certified(name: &str) -> CertifiedKey {
    let vectors = Vectors::read();
    let chain = &vectors.chain(name).certificates;
    certified_as(chain, name)
}

pub(crate) fn certified_as(chain: &[&[u8]], key: &str) -> CertifiedKey {
    let chain = chain
        .iter()
        .map(|der| CertificateDer::from(der.to_vec()))
        .collect();
    let key = rustls::crypto::ring::sign::any_supported_type(&pkcs8(key)).unwrap();
    CertifiedKey::new(chain, key)
}

/// Asks nobody for a certificate.
pub(crate) fn anybody(
    builder: ConfigBuilder<ServerConfig, WantsVerifier>,
) -> ConfigBuilder<ServerConfig, WantsServerCert> {
    builder.with_no_client_auth()
}

/// A configuration of rustls as anybody would write it, who does not think of devices.
pub(crate) fn config(certified: CertifiedKey) -> ServerConfig {
    config_with(ring(), anybody, certified)
}

pub(crate) fn config_with(
    provider: CryptoProvider,
    clients: impl FnOnce(
        ConfigBuilder<ServerConfig, WantsVerifier>,
    ) -> ConfigBuilder<ServerConfig, WantsServerCert>,
    certified: CertifiedKey,
) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    clients(builder).with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
}

pub(crate) fn server(config: ServerConfig) -> ServerConnection {
    ServerConnection::new(Arc::new(config)).unwrap()
}

/// The server of the plainest chain.
pub(crate) fn good() -> ServerConnection {
    server(config(certified("good")))
}

pub(crate) fn host() -> Host<'static> {
    Host::parse(b"broker.example").unwrap()
}

pub(crate) fn anchors() -> Anchors {
    Anchors::new(&Vectors::read().anchors, NOW).unwrap()
}

pub(crate) fn client() -> Client {
    client_with(&Provider::ring())
}

pub(crate) fn client_with(provider: &Provider) -> Client {
    Client::new(provider, anchors(), Alpn::Absent).unwrap()
}

pub(crate) fn providers() -> [Provider; 2] {
    [Provider::ring(), Provider::aws_lc(PostQuantum::Prefer)]
}

pub(crate) const ROOT: &[u8] = file!("root.der");
