use std::io;

use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};
use rustls::Error;

use crate::{
    certificate::{AnchorError, CertificateError, PolicyError},
    surface::SurfaceError,
};

/// Why there is no connection, or no longer one. Nothing of what was said in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The handshake took longer than [`Limits::handshake`](super::Limits::handshake).
    #[error("handshake took too long")]
    Deadline,
    /// The peer sent more than [`MAX_HANDSHAKE_LEN`](super::MAX_HANDSHAKE_LEN) before the handshake was done.
    #[error("handshake too long")]
    HandshakeLength,
    /// The connection ended without the peer saying so: somebody may have cut it.
    #[error("connection cut")]
    Cut,
    /// The network failed.
    #[error("network failed")]
    Io,
    /// The stream has no bytes now, or no room. Try again later; nothing is lost.
    #[error("stream is not ready")]
    Blocked,
    /// The host has no address.
    #[error("host not found")]
    Resolve,
    /// The host cannot be reached.
    #[error("host cannot be reached")]
    Unreachable,
    /// The grant is not for TLS over TCP.
    #[error("grant is not for TLS over TCP")]
    Protocol,
    /// The address has another port than the grant.
    #[error("port not granted")]
    Port,
    /// The peer speaks no version of TLS that is allowed.
    #[error("version of TLS refused")]
    Version,
    /// There is no suite, key exchange, signature scheme or kind of certificate that both have.
    #[error("nothing in common with the peer")]
    Incompatible,
    /// The peer did what the protocol forbids.
    #[error("peer broke the protocol")]
    Misbehaved,
    /// The peer sent something that is no message of the protocol.
    #[error("message malformed")]
    Malformed,
    /// A record that is too large, or that was changed on its way.
    #[error("record refused")]
    Record,
    /// The peer refused, with this alert (RFC 8446 §6).
    #[error("peer refused with alert {0}")]
    Alert(u8),
    /// The peer chose no protocol, or one that was not offered.
    #[error("protocol not agreed")]
    Alpn,
    /// The peer showed no certificate.
    #[error("peer showed no certificate")]
    NoCertificate,
    /// The certificate of the peer is refused.
    #[error(transparent)]
    Certificate(CertificateError),
    /// The server has another certificate than the one its owner confirmed.
    #[error("server is not the one that was confirmed")]
    Pin,
    /// The server has none of the keys that it may have.
    #[error("key of the server is not known")]
    RawKey,
    /// The server did not ask who the device is.
    #[error("server did not ask for a certificate")]
    NotAsked,
    /// The server accepts no signature that the key of the device can make.
    #[error("server cannot check the key of the device")]
    IdentityScheme,
    /// The key of the device did not sign.
    #[error(transparent)]
    Signing(CryptoError),
    /// The certificate is not for this key, or the key is neither Ed25519 nor P-256.
    #[error("certificate and key do not belong together")]
    IdentityKey,
    /// A trust anchor is refused.
    #[error(transparent)]
    Anchor(AnchorError),
    /// A policy cannot be made.
    #[error(transparent)]
    Policy(PolicyError),
    /// A list of protocols that is empty, too long, or has such a name.
    #[error("list of protocols refused")]
    AlpnList,
    /// A limit is out of range.
    #[error("limit out of range")]
    Limits,
    /// The host is not one that the protocol can name, or not the one that a pin is for.
    #[error("host refused")]
    Host,
    /// The owner saw another fingerprint.
    #[error("fingerprint is not the one that was confirmed")]
    Fingerprint,
    /// The key exchange would not withstand a quantum computer.
    #[error("key exchange without ML-KEM")]
    PostQuantum,
    /// The bytes of a pin are not what [`Pin::to_bytes`](super::Pin::to_bytes) writes.
    #[error("pin malformed")]
    PinFormat,
    /// No key of a server, more than [`RawKeys::MAX`](super::RawKeys::MAX), or one that is malformed.
    #[error("keys of servers refused")]
    RawKeyList,
    /// An address is outside what the table declares.
    #[error(transparent)]
    Surface(SurfaceError),
    /// The service is declared to ask for certificates, and the server does not.
    #[error("service declared to ask for certificates")]
    Authentication,
    /// There was no randomness.
    #[error("entropy source failed")]
    Entropy,
    /// What this SDK holds to be impossible.
    #[error("unexpected state")]
    Unexpected,
}

impl ErrorCode for TlsError {
    fn code(&self) -> u16 {
        match self {
            Self::Deadline => 5401,
            Self::HandshakeLength => 5402,
            Self::Cut => 5403,
            Self::Io => 5404,
            Self::Blocked => 5405,
            Self::Resolve => 5406,
            Self::Unreachable => 5407,
            Self::Protocol => 5408,
            Self::Port => 5409,
            Self::Version => 5410,
            Self::Incompatible => 5411,
            Self::Misbehaved => 5412,
            Self::Malformed => 5413,
            Self::Record => 5414,
            Self::Alert(_) => 5415,
            Self::Alpn => 5416,
            Self::NoCertificate => 5417,
            Self::Certificate(error) => error.code(),
            Self::Pin => 5418,
            Self::RawKey => 5419,
            Self::NotAsked => 5420,
            Self::IdentityScheme => 5421,
            Self::Signing(error) => error.code(),
            Self::IdentityKey => 5422,
            Self::Anchor(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::AlpnList => 5423,
            Self::Limits => 5424,
            Self::Host => 5425,
            Self::Fingerprint => 5426,
            Self::PostQuantum => 5427,
            Self::PinFormat => 5428,
            Self::RawKeyList => 5429,
            Self::Surface(error) => error.code(),
            Self::Entropy => 5430,
            Self::Unexpected => 5431,
            Self::Authentication => 5432,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Certificate(error) => error.fault(),
            Self::Signing(error) => error.fault(),
            Self::Anchor(error) => error.fault(),
            Self::Policy(error) => error.fault(),
            Self::Surface(error) => error.fault(),
            Self::Io | Self::Blocked | Self::Resolve | Self::Unreachable | Self::Entropy => Fault::Device,
            Self::Protocol
            | Self::Port
            | Self::IdentityKey
            | Self::AlpnList
            | Self::Limits
            | Self::Host
            | Self::RawKeyList
            | Self::Authentication => Fault::Misuse,
            Self::Unexpected => Fault::Bug,
            _ => Fault::Input,
        }
    }
}

/// What our own verifiers and keys say through rustls.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) TlsError);

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidCertificate(rustls::CertificateError::Other(rustls::OtherError(
            std::sync::Arc::new(refusal),
        )))
    }
}

impl From<Error> for TlsError {
    fn from(error: Error) -> Self {
        use rustls::{CertificateError as Invalid, PeerIncompatible};
        match error {
            Error::InvalidCertificate(Invalid::Other(other)) | Error::Other(other) => other
                .0
                .downcast_ref::<Refusal>()
                .map_or(Self::Unexpected, |refusal| refusal.0),
            // A chain is ours to judge, so what is left is the signature of the handshake.
            Error::InvalidCertificate(_) => Self::Certificate(CertificateError::HandshakeSignature),
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            ) => Self::Version,
            Error::PeerIncompatible(_) => Self::Incompatible,
            Error::PeerMisbehaved(rustls::PeerMisbehaved::SelectedUnofferedApplicationProtocol)
            | Error::NoApplicationProtocol => Self::Alpn,
            Error::PeerMisbehaved(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. } => Self::Misbehaved,
            Error::InvalidMessage(_) => Self::Malformed,
            Error::DecryptError | Error::PeerSentOversizedRecord => Self::Record,
            Error::AlertReceived(alert) => Self::Alert(alert.into()),
            Error::FailedToGetRandomBytes => Self::Entropy,
            Error::UnsupportedNameType => Self::Host,
            Error::InconsistentKeys(_) => Self::IdentityKey,
            Error::BadMaxFragmentSize => Self::Limits,
            _ => Self::Unexpected,
        }
    }
}

impl TlsError {
    /// What a [`Connection`](super::Connection) put into an error of `Read` or `Write`.
    pub fn of(error: &io::Error) -> Option<Self> {
        error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Self>())
            .copied()
    }

    /// What an error of the stream below means.
    pub(super) fn from_stream(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Self::Blocked,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Cut,
            _ => Self::Io,
        }
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let kind = match error {
            TlsError::Blocked => io::ErrorKind::WouldBlock,
            TlsError::Deadline => io::ErrorKind::TimedOut,
            TlsError::Cut => io::ErrorKind::UnexpectedEof,
            TlsError::Resolve | TlsError::Unreachable => io::ErrorKind::NotConnected,
            TlsError::Io => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

macro_rules! wrapped {
    ($($from:ty => $variant:ident),+) => {$(
        impl From<$from> for TlsError {
            fn from(error: $from) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}
wrapped!(
    CertificateError => Certificate, CryptoError => Signing, AnchorError => Anchor, PolicyError => Policy,
    SurfaceError => Surface
);
