use iotsec_core::error::{ErrorCode, Fault};

use super::{fields::FieldFault, key::KeyFault};

/// Why a peer is not believed. Nothing of its certificates, which anybody can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The peer sent no certificate.
    #[error("no certificate")]
    Empty,
    /// More certificates than [`MAX_CHAIN`](super::MAX_CHAIN).
    #[error("too many certificates")]
    ChainLength,
    /// A certificate without bytes, or with more than [`MAX_CERTIFICATE_LEN`](super::MAX_CERTIFICATE_LEN).
    #[error("certificate empty or too long")]
    CertificateLength,
    /// A certificate that is not DER, or not what RFC 5280 says of one.
    #[error("certificate malformed")]
    Malformed,
    /// A certificate of another version than 3.
    #[error("certificate of another version than 3")]
    Version,
    /// A certificate with more extensions than any has, or with one of them twice.
    #[error("too many extensions, or one twice")]
    Extensions,
    /// A critical extension that is not understood.
    #[error("critical extension not understood")]
    CriticalExtension,
    /// A signature algorithm that is not believed, such as SHA-1, or that this device cannot check.
    #[error("signature algorithm refused")]
    SignatureAlgorithm,
    /// A public key of a kind that is not believed, or that this device cannot use.
    #[error("kind of public key refused")]
    KeyKind,
    /// An RSA key that is too small, or absurdly large.
    #[error("size of public key refused")]
    KeySize,
    /// A signature does not verify.
    #[error("signature of a certificate does not verify")]
    Signature,
    /// No trust anchor leads to this chain.
    #[error("no trust anchor issued this chain")]
    UnknownIssuer,
    /// The trust anchor of this chain has ended.
    #[error("trust anchor has ended")]
    AnchorEnded,
    /// A certificate has ended, or its validity ends before it begins.
    #[error("certificate has ended")]
    Ended,
    /// A certificate is not valid yet.
    #[error("certificate is not valid yet")]
    NotYetValid,
    /// A certificate that is no CA, or must not sign others, stands where an issuer does.
    #[error("issuer is no CA")]
    IssuerNotCa,
    /// A CA stands where a peer does.
    #[error("peer is a CA")]
    PeerIsCa,
    /// More issuers than one of them allows below itself.
    #[error("path longer than an issuer allows")]
    PathLength,
    /// A name outside the names that an issuer may issue.
    #[error("name outside an issuer's constraints")]
    NameConstraints,
    /// The key of the peer is not for signatures.
    #[error("key usage does not allow signatures")]
    KeyUsage,
    /// The certificate does not say that it is for this purpose, or says that it is for any.
    #[error("extended key usage missing, another or any")]
    KeyPurpose,
    /// The certificate is for another host.
    #[error("certificate of another host")]
    Host,
    /// The host is an address, and the policy wants a name.
    #[error("host is an address")]
    Address,
    /// Only a wildcard stands for the host, and the policy does not want any.
    #[error("wildcard certificate")]
    Wildcard,
    /// A serial number that is zero, negative, or longer than 20 bytes.
    #[error("serial number refused")]
    Serial,
    /// None of the pinned keys is in the path.
    #[error("no pinned key in the path")]
    Pin,
    /// A certificate was revoked.
    #[error("certificate was revoked")]
    Revoked,
    /// No list says whether a certificate was revoked.
    #[error("unknown whether a certificate was revoked")]
    RevocationUnknown,
    /// A list of revoked certificates has ended.
    #[error("revocation list has ended")]
    RevocationEnded,
    /// A list of revoked certificates is malformed, or not signed by whom it has to be.
    #[error("revocation list refused")]
    RevocationList,
    /// More work than a genuine chain asks for, see [`MAX_SIGNATURES`](super::MAX_SIGNATURES).
    #[error("chain asks for too much work")]
    Budget,
    /// The peer signed the handshake with a scheme that its key does not have, or that TLS 1.3 does not.
    #[error("signature scheme refused")]
    Scheme,
    /// The peer does not hold the key of its certificate.
    #[error("signature of the handshake does not verify")]
    HandshakeSignature,
}

impl ErrorCode for CertificateError {
    fn code(&self) -> u16 {
        match self {
            Self::Empty => 5001,
            Self::ChainLength => 5002,
            Self::CertificateLength => 5003,
            Self::Malformed => 5004,
            Self::Version => 5005,
            Self::Extensions => 5006,
            Self::CriticalExtension => 5007,
            Self::SignatureAlgorithm => 5008,
            Self::KeyKind => 5009,
            Self::KeySize => 5010,
            Self::Signature => 5011,
            Self::UnknownIssuer => 5012,
            Self::AnchorEnded => 5013,
            Self::Ended => 5014,
            Self::NotYetValid => 5015,
            Self::IssuerNotCa => 5016,
            Self::PeerIsCa => 5017,
            Self::PathLength => 5018,
            Self::NameConstraints => 5019,
            Self::KeyUsage => 5020,
            Self::KeyPurpose => 5021,
            Self::Host => 5022,
            Self::Address => 5023,
            Self::Wildcard => 5024,
            Self::Serial => 5025,
            Self::Pin => 5026,
            Self::Revoked => 5027,
            Self::RevocationUnknown => 5028,
            Self::RevocationEnded => 5029,
            Self::RevocationList => 5030,
            Self::Budget => 5031,
            Self::Scheme => 5032,
            Self::HandshakeSignature => 5033,
        }
    }

    fn fault(&self) -> Fault {
        Fault::Input
    }
}

impl From<FieldFault> for CertificateError {
    fn from(fault: FieldFault) -> Self {
        match fault {
            FieldFault::Length => Self::CertificateLength,
            FieldFault::Malformed | FieldFault::Key(KeyFault::Malformed) => Self::Malformed,
            FieldFault::Version => Self::Version,
            FieldFault::Validity => Self::Ended,
            FieldFault::Signature => Self::SignatureAlgorithm,
            FieldFault::Extensions => Self::Extensions,
            FieldFault::CriticalExtension => Self::CriticalExtension,
            FieldFault::Key(KeyFault::Kind) => Self::KeyKind,
            FieldFault::Key(KeyFault::Size) => Self::KeySize,
        }
    }
}

impl From<webpki::Error> for CertificateError {
    fn from(error: webpki::Error) -> Self {
        use webpki::Error;
        #[allow(deprecated, reason = "what is deprecated is still a value")]
        match error {
            Error::CertExpired { .. } | Error::InvalidCertValidity => Self::Ended,
            Error::CertNotValidYet { .. } => Self::NotYetValid,
            Error::CertNotValidForName(_) => Self::Host,
            Error::CertRevoked => Self::Revoked,
            Error::UnknownRevocationStatus => Self::RevocationUnknown,
            Error::CrlExpired { .. } => Self::RevocationEnded,
            Error::InvalidCrlSignatureForPublicKey
            | Error::InvalidCrlNumber
            // Of an entry: those of certificates were checked before.
            | Error::InvalidSerialNumber
            | Error::IssuerNotCrlSigner
            | Error::UnsupportedCrlSignatureAlgorithm
            | Error::UnsupportedCrlSignatureAlgorithmContext(_)
            | Error::UnsupportedCrlSignatureAlgorithmForPublicKey
            | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_)
            | Error::UnsupportedCrlIssuingDistributionPoint
            | Error::UnsupportedCrlVersion
            | Error::UnsupportedDeltaCrl
            | Error::UnsupportedIndirectCrl
            | Error::UnsupportedRevocationReason
            | Error::UnsupportedRevocationReasonsPartitioning => Self::RevocationList,
            Error::UnknownIssuer => Self::UnknownIssuer,
            Error::CaUsedAsEndEntity => Self::PeerIsCa,
            Error::EndEntityUsedAsCa => Self::IssuerNotCa,
            Error::PathLenConstraintViolated | Error::MaximumPathDepthExceeded => Self::PathLength,
            Error::NameConstraintViolation | Error::MalformedNameConstraint => Self::NameConstraints,
            Error::EmptyEkuExtension | Error::RequiredEkuNotFound | Error::RequiredEkuNotFoundContext(_) => {
                Self::KeyPurpose
            }
            Error::InvalidSignatureForPublicKey => Self::Signature,
            Error::UnsupportedSignatureAlgorithm
            | Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKey
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | Error::SignatureAlgorithmMismatch => Self::SignatureAlgorithm,
            Error::UnsupportedCertVersion => Self::Version,
            Error::UnsupportedCriticalExtension => Self::CriticalExtension,
            Error::MaximumNameConstraintComparisonsExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumSignatureChecksExceeded => Self::Budget,
            // Whatever else there is, now or later, has something to do with how the bytes are made.
            _ => Self::Malformed,
        }
    }
}
