//! What can go wrong, with what to do about it.

use std::{fmt::Display, io, path::Path};

use iotsec::core::{cose::CoseError, error::ErrorCode};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{path}: {cause}")]
    File { path: String, cause: io::Error },
    #[error("{path} exists already and is left as it is; choose another name")]
    Exists { path: String },
    #[error("{path} is not a COSE_Key for Ed25519 or P-256: {cause} (error {code}); make one with `iotsec key new`", code = cause.code())]
    KeyFile { path: String, cause: CoseError },
    #[error("{path} holds a public key only; this command needs the private one")]
    PublicOnly { path: String },
    #[error(
        "{path} holds a key that everyone has: it is published with the iotsec test vectors, or all its bytes are equal; make one with `iotsec key new`"
    )]
    PublishedKey { path: String },
    #[error("{path} refused: {cause} (error {code})")]
    Refused { path: String, cause: String, code: u16 },
    #[error("{path} refused: {cause}")]
    Batch { path: String, cause: String },
    #[error("{what} cannot be made: {cause} (error {code})")]
    Make {
        what: &'static str,
        cause: String,
        code: u16,
    },
    #[error("{0}")]
    Usage(String),
}

impl Problem {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::Usage(what.into())
    }

    /// For `map_err`: `path` was refused.
    pub(crate) fn refused<E: Display + ErrorCode>(path: &Path) -> impl Fn(E) -> Self + '_ {
        |cause| Self::Refused {
            path: path.display().to_string(),
            code: cause.code(),
            cause: cause.to_string(),
        }
    }

    /// For `map_err`: `what` could not be made.
    pub(crate) fn make<E: Display + ErrorCode>(what: &'static str) -> impl Fn(E) -> Self {
        move |cause| Self::Make {
            what,
            code: cause.code(),
            cause: cause.to_string(),
        }
    }
}
