use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::FlashError,
};

/// Why a payload does not become an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The image that a patch applies to cannot be read.
    #[error(transparent)]
    Base(#[from] FlashError),
    /// An encoding or encryption that the decoder does not know.
    #[error("payload encoding not supported")]
    Encoding,
    /// The payload makes more bytes than the image has, or goes on after its end.
    #[error("payload longer than the image")]
    TooLong,
    /// The payload ends before the image does.
    #[error("payload shorter than the image")]
    TooShort,
    /// A saved state that this decoder did not write for this payload.
    #[error("saved state of the decoder not usable")]
    State,
}

impl ErrorCode for PayloadError {
    fn code(&self) -> u16 {
        match self {
            Self::Base(error) => error.code(),
            Self::Encoding => 2901,
            Self::TooLong => 2902,
            Self::TooShort => 2903,
            Self::State => 2904,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Base(error) => error.fault(),
            _ => Fault::Input,
        }
    }
}
