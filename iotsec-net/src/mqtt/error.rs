use iotsec_core::error::{ErrorCode, Fault};

use super::Reason;
use crate::{
    retry::{Failure, RetryError},
    tls::TlsError,
};

/// Why a message was not taken, or a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MqttError {
    /// A client identifier, a user name, a time or a limit outside the bounds of [`MqttConfig`](super::MqttConfig).
    #[error("MQTT configuration out of bounds")]
    Config,
    /// No room for another message until one is acknowledged.
    #[error("too many messages await acknowledgement")]
    Full,
    /// The message alone is larger than the configured limit.
    #[error("message larger than the limit")]
    TooLarge,
    /// No room for another subscription.
    #[error("too many subscriptions")]
    Subscriptions,
    /// This message is not one that awaits acknowledgement.
    #[error("no such message awaits acknowledgement")]
    Receipt,
    /// The server's bytes are no MQTT.
    #[error("malformed packet from the server")]
    Malformed,
    /// The server announced a packet above the limit. It was not read.
    #[error("packet from the server larger than the limit")]
    Oversized,
    /// A packet that the server must not send, or not now.
    #[error("packet from the server out of place")]
    OutOfPlace,
    /// Nothing came within the time for an answer.
    #[error("no answer from the server")]
    Silent,
    /// The connection broke.
    #[error("connection to the server broke")]
    Broken,
    /// The server refused, or ended the connection, and said why.
    #[error("server ended the connection with reason {:#04x}", .0.0)]
    Ended(Reason),
    /// The server sends the device elsewhere, to a place that is not on its list.
    #[error("server sends the device to a server that is not on its list")]
    Elsewhere(Reason),
    /// TLS, with its own number: also when a server that speaks TLS 1.3 refuses the device's certificate, which it says
    /// only after the handshake.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The retry machine, with its own number.
    #[error(transparent)]
    Retry(#[from] RetryError),
}

impl MqttError {
    /// What it means for the next attempt.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Tls(error) => (*error).into(),
            Self::Ended(reason) => reason.failure(),
            // For a while, or for good: in the first case the old server takes the device again.
            Self::Elsewhere(Reason::USE_ANOTHER_SERVER) => Failure::Busy { after: None },
            // A server that speaks no MQTT will not learn it by waiting.
            Self::Elsewhere(_) | Self::Malformed | Self::Oversized | Self::OutOfPlace | Self::Config => {
                Failure::Refused
            }
            _ => Failure::Unreachable,
        }
    }
}

impl ErrorCode for MqttError {
    fn code(&self) -> u16 {
        match self {
            Self::Config => 5501,
            Self::Full => 5502,
            Self::TooLarge => 5503,
            Self::Subscriptions => 5504,
            Self::Receipt => 5505,
            Self::Malformed => 5506,
            Self::Oversized => 5507,
            Self::OutOfPlace => 5508,
            Self::Silent => 5509,
            Self::Broken => 5510,
            Self::Ended(_) => 5511,
            Self::Elsewhere(_) => 5512,
            Self::Tls(error) => error.code(),
            Self::Retry(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Config | Self::TooLarge | Self::Subscriptions | Self::Receipt => Fault::Misuse,
            Self::Full => Fault::Device,
            Self::Tls(error) => error.fault(),
            Self::Retry(error) => error.fault(),
            _ => Fault::Input,
        }
    }
}
