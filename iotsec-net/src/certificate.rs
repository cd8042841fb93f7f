//! Whether a server is who it says: its certificates, under a policy.
//!
//! [`verify_server_chain`] takes the certificates of a server, leaf first, as any TLS stack has them at hand, and
//! answers with a token. Only the token checks the signature of the handshake, so a chain that was not verified cannot
//! be used. Signatures, paths, name constraints and revocation lists are rustls-webpki's to check (RFC 5280); on top
//! of it stands a policy that a device needs and a browser cannot afford:
//!
//! | what | rule |
//! |---|---|
//! | anchors | real CAs with strong keys that have not ended, see [`TrustAnchor`] |
//! | keys | P-256, P-384, Ed25519, RSA from 2048 bits |
//! | chain | at most 4 certificates of at most 8 KB, 16 signature checks |
//! | issuers | `CA:TRUE`, critical, and `keyCertSign` |
//! | leaf | no CA, extended key usage stated and not `any`, serial number positive |
//! | name | a DNS name of the subject alternative names; addresses and wildcards where the policy says so |
//! | pins | on top of the chain and never instead, two at least, see [`PinSet`] |
//! | revocation | lists that have not ended; a certificate that none covers is refused, see [`Revocation`] |
//!
//! Anchors do not last for ever: [`AnchorRotation`] replaces them without losing the device.
//!
//! Nothing allocates. Algorithms come in as an argument: [`algorithm`] holds software for microcontrollers, and ring
//! and AWS-LC bring theirs with webpki.

pub mod algorithm;
mod anchor;
mod der;
mod error;
mod fields;
mod key;
mod pin;
mod policy;
mod revocation;
mod rotation;
mod token;
mod verify;

pub use anchor::{AnchorError, TrustAnchor};
pub use error::CertificateError;
pub use key::KeyKind;
pub use pin::PinSet;
pub use policy::{ClientPolicy, PolicyError, ServerPolicy, Wildcards};
pub use revocation::{Depth, Revocation, RevocationList, UnknownStatus};
pub use rotation::{AnchorRotation, AnchorRotationError, AnchorStorage, Phase};
pub use rustls_pki_types::SignatureVerificationAlgorithm;
pub use token::{Client, Server, Verified, VerifiedClient, VerifiedKey, VerifiedServer};
pub use verify::{verify_client_chain, verify_server_chain};

/// Certificates of a chain: leaf, two issuers, and the anchor that many servers send along.
pub const MAX_CHAIN: usize = 4;
/// Bytes of a certificate. RSA-4096 with a dozen names takes 3 KB.
pub const MAX_CERTIFICATE_LEN: usize = 8192;
/// Anchors of a policy; as many as a trust bundle holds, and one that they replace.
pub const MAX_ANCHORS: usize = 9;
/// Signatures that are checked for one chain: four certificates under two anchors of one name, and as many lists.
pub const MAX_SIGNATURES: usize = 16;
