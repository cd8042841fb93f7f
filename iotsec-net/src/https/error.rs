use iotsec_core::error::{ErrorCode, Fault};

/// Why a request or its answer came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HttpsError {
    /// The request does not fit into the buffer.
    #[error("request does not fit into the buffer")]
    BufferFull,
    /// A part of the request has characters that HTTP does not allow there.
    #[error("request malformed")]
    Request,
    /// The answer is not HTTP/1.1.
    #[error("answer is not HTTP/1.1")]
    Malformed,
    /// The head of the answer is longer than its buffer, or has too many fields.
    #[error("head of the answer too large")]
    HeadTooLarge,
    /// The answer says in two ways how long it is, or twice the same thing differently.
    #[error("answer contradicts itself")]
    Contradiction,
    /// The answer is encoded in a way that was not asked for.
    #[error("answer is encoded")]
    Encoding,
    /// The answer has more bytes than it may have.
    #[error("answer too long")]
    TooLong,
    /// The connection ended within an answer.
    #[error("connection ended within an answer")]
    Truncated,
    /// The server sends another part than the one that was asked for.
    #[error("another part than the one asked for")]
    Range,
    /// What the server has is not as long as it must be.
    #[error("artefact has another size")]
    Size,
    /// Nothing is there (404, 410).
    #[error("nothing is there")]
    Missing,
    /// The server wants other credentials, or none of this device (401, 403).
    #[error("server refuses this device")]
    Refused,
    /// The server asks to come later (429, 503).
    #[error("server asks to come later")]
    Busy,
    /// The server failed (other 5xx).
    #[error("server failed")]
    Server,
    /// The server points elsewhere (301, 302, 303, 307, 308).
    #[error("server points elsewhere")]
    Redirect,
    /// Another status that the request cannot have.
    #[error("unexpected status")]
    Status,
    /// Called after the answer was complete, or after an error.
    #[error("answer is over")]
    Over,
    /// Reading or writing failed.
    #[error("connection failed")]
    Connection,
}

impl ErrorCode for HttpsError {
    fn code(&self) -> u16 {
        match self {
            Self::BufferFull => 5551,
            Self::Request => 5552,
            Self::Malformed => 5553,
            Self::HeadTooLarge => 5554,
            Self::Contradiction => 5555,
            Self::Encoding => 5556,
            Self::TooLong => 5557,
            Self::Truncated => 5558,
            Self::Range => 5559,
            Self::Size => 5560,
            Self::Missing => 5561,
            Self::Refused => 5562,
            Self::Busy => 5563,
            Self::Server => 5564,
            Self::Redirect => 5565,
            Self::Status => 5566,
            Self::Over => 5567,
            Self::Connection => 5568,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::BufferFull | Self::Request | Self::Over => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
