use crate::{
    cbor::CborError,
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Why a COSE message was refused, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CoseError {
    /// The encoding is at fault.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// The cryptographic check failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// No algorithm in the protected header.
    #[error("no algorithm in the protected header")]
    AlgorithmMissing,
    /// An algorithm that this SDK does not know, or none at all.
    #[error("algorithm unknown")]
    AlgorithmUnknown,
    /// The algorithm is not one for this type of key.
    #[error("algorithm does not fit the key")]
    AlgorithmMismatch,
    /// `crit` names a header that is not understood, or is malformed (RFC 9052 §3.1).
    #[error("critical header not understood")]
    Critical,
    /// A header occurs in both buckets, or has the wrong type.
    #[error("header malformed")]
    Header,
    /// A payload is attached where a detached one is expected, or the other way round.
    #[error("payload attached or detached against expectation")]
    Payload,
    /// The scratch buffer cannot hold the structure that is signed.
    #[error("scratch buffer too small")]
    Scratch,
    /// No signature, or more than [`Sign::MAX_SIGNATURES`](super::Sign::MAX_SIGNATURES).
    #[error("no signature, or too many")]
    Signatures,
    /// No recipient structure of a COSE_Encrypt opens with this key.
    #[error("not encrypted for this key")]
    Recipient,
}

impl CoseError {
    /// The number of a reason that has no other one in it.
    // Apart and out of line: so it is a table of numbers and not a branch for each.
    #[inline(never)]
    const fn number(&self) -> u16 {
        match self {
            Self::Encoding(_) | Self::Crypto(_) => 0,
            Self::AlgorithmMissing => 1101,
            Self::AlgorithmUnknown => 1102,
            Self::AlgorithmMismatch => 1103,
            Self::Critical => 1104,
            Self::Header => 1105,
            Self::Payload => 1106,
            Self::Scratch => 1107,
            Self::Signatures => 1108,
            Self::Recipient => 1120,
        }
    }
}

impl ErrorCode for CoseError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Crypto(error) => error.code(),
            _ => self.number(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Encoding(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            Self::Scratch => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
