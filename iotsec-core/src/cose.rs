//! COSE messages (RFC 9052, RFC 9053, RFC 9864) on the strict CBOR reader.
//!
//! The algorithm is taken from the protected header only and must fit the type of the key: a
//! signature cannot choose how it is checked. A successful check leaves a token, [`Verified`].

mod agreement_key;
mod encrypt;
mod encrypt0;
mod error;
mod header;
mod key;
mod mac0;
mod sign;
mod sign1;

pub use agreement_key::AgreementKey;
pub use encrypt::{Encrypt, EncryptBuilder, EncryptTo, RecipientKey};
pub use encrypt0::Encrypt0;
pub use error::CoseError;
pub use header::{Algorithm, ContentType, Headers};
pub use key::Key;
pub use mac0::{Mac0, Mac0Builder};
pub use sign::{Sign, SignBuilder, Signature, Signatures, Signer};
pub use sign1::{Sign1, Sign1Builder, Verified};

#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
