//! Attestation tokens: what a device is and runs, signed by its key for whoever asked with a nonce.
//!
//! An Entity Attestation Token (RFC 9711) of the PSA profile (RFC 9783), which verifiers of others read:
//!
//! ```text
//! token  = #6.18([ protected { 1: alg }, {}, bstr .cbor claims, signature ])     ; COSE_Sign1, RFC 9052
//! claims = {
//!     10: nonce (32, 48 or 64 bytes),           ; from the verifier
//!     256: instance id (33 bytes),              ; 1 ‖ SHA-256 of the public key
//!     265: profile,
//!     ? 268: boot seed (8 to 32 bytes),
//!     2394: client id,                          ; who asked on the device
//!     2395: life cycle,                         ; debugging included
//!     2396: implementation id (32 bytes),       ; which hardware
//!     ? 2397: boot seed,                        ; for verifiers from before RFC 9783
//!     ? 2398: certification reference,
//!     2399: [ + { ? 1: type, 2: digest, ? 4: version, 5: signer, ? 6: hash } ],
//!     ? 2400: verification service
//! }
//! ```
//!
//! | key | algorithm | profile |
//! |---|---|---|
//! | P-256 | ES256 | `tag:psacertified.org,2023:psa#tfm` (RFC 9783 §5.2) |
//! | Ed25519 | EdDSA | `tag:psacertified.org,2023:psa#iotsec-ed25519`: the other one does not allow it (§4.5.2.1) |
//!
//! On the device [`Claims::sign`] makes a token without allocating. [`Token::parse`] and [`Token::verify`] read one,
//! strictly: deterministic CBOR, known profiles, every claim within its bounds. RFC 9783 wants verifiers for all
//! devices to read any valid CBOR; this one reads what [`Claims::sign`] writes and refuses other encodings.
//!
//! The SUIT manifest that an image was installed by is one of the components, [`Component::manifest`]: its digest says
//! more than that of the image, for it names version, vendor and device too.
//!
//! So is the product manifest that the firmware was built from, [`Component::product`]: whoever has the manifest knows
//! that documents and evidence made of it are about this firmware. It stands among the components, as measured
//! configuration of the application, and in none of the claims of RFC 9711 that sound like it: `manifests` (§4.2.15)
//! and `measurements` (§4.2.16) carry documents in a registered CoAP content format, which a product manifest is not,
//! and the profile of RFC 9783 has neither.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod claims;
mod component;
mod error;
mod evidence;
mod lifecycle;

pub use claims::{BootSeed, Claims, InstanceId, Nonce};
pub use component::{Component, Components};
pub use error::AttestError;
pub use evidence::{Evidence, Token};
pub use lifecycle::{Lifecycle, LifecycleState};

use crate::{cose::Algorithm, crypto::KeyType};

/// RFC 9783 §5.2.
const PROFILE_P256: &str = "tag:psacertified.org,2023:psa#tfm";
/// By the rule of RFC 9783 §4.5.2.1.
const PROFILE_ED25519: &str = "tag:psacertified.org,2023:psa#iotsec-ed25519";

const NONCE: i32 = 10;
const INSTANCE_ID: i32 = 256;
const PROFILE: i32 = 265;
const BOOT_SEED: i32 = 268;
const CLIENT_ID: i32 = 2394;
const LIFECYCLE: i32 = 2395;
const IMPLEMENTATION_ID: i32 = 2396;
/// Of drafts, and of TF-M to this day.
const BOOT_SEED_TFM: i32 = 2397;
const CERTIFICATION: i32 = 2398;
const COMPONENTS: i32 = 2399;
const SERVICE: i32 = 2400;

/// Algorithm and profile of a token that such a key signs.
fn scheme(key: KeyType) -> Result<(Algorithm, &'static str), AttestError> {
    match key {
        KeyType::P256 => Ok((Algorithm::Es256, PROFILE_P256)),
        KeyType::Ed25519 => Ok((Algorithm::EdDsa, PROFILE_ED25519)),
        _ => Err(AttestError::KeyType),
    }
}

#[cfg(all(test, feature = "p256"))]
mod tests;
