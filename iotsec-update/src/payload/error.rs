use iotsec_core::{
    cose::CoseError,
    crypto::CryptoError,
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
    /// The payload is not the one whose digest was signed.
    #[error("payload digest does not match")]
    Digest,
    /// The chunk that begins at this byte of the payload is not the one whose digest was signed. Nothing of it
    /// was used; send it again.
    #[error("digest of the chunk at byte {0} does not match")]
    ChunkDigest(u32),
    /// Chunks are larger than the buffer for them.
    #[error("chunk larger than its buffer")]
    ChunkSize,
    /// A saved state that this decoder did not write for this payload.
    #[error("saved state of the decoder not usable")]
    State,

    // Heatshrink and patches.
    /// The compressed stream needs a larger window than this decoder has, or its parameters are none.
    #[error("window of the compressed stream not supported")]
    Window,
    /// A patch of another type than sequential.
    #[error("patch is not a sequential one")]
    PatchType,
    /// A patch with a compression other than none, CRLE and heatshrink.
    #[error("compression of the patch not supported")]
    PatchCompression,
    /// A patch that needs code of one instruction set disassembled.
    #[error("patch with a data format not supported")]
    PatchFormat,
    /// The patch makes an image of another size than the manifest says.
    #[error("patch makes an image of another size")]
    PatchSize,
    /// A number in the patch is malformed, negative or beyond 32 bits.
    #[error("number in the patch malformed")]
    PatchNumber,
    /// A difference goes beyond the end of the image.
    #[error("patch adds beyond the image")]
    PatchDiff,
    /// New bytes go beyond the end of the image.
    #[error("patch inserts beyond the image")]
    PatchExtra,
    /// A difference goes beyond the end of the base.
    #[error("patch reads beyond its base")]
    PatchBase,
    /// A move to before the beginning or behind the end of the base.
    #[error("patch moves out of its base")]
    PatchSeek,
    /// Too many chunks in a row that make nothing.
    #[error("patch makes no progress")]
    PatchIdle,
    /// A segment in CRLE that is neither scattered nor repeated.
    #[error("run in the patch malformed")]
    PatchRun,
    /// The image that runs is shorter than the base of the patch.
    #[error("base of the patch is longer than what is there")]
    BaseSize,
    /// The image that runs is not the base of the patch.
    #[error("another base than that of the patch")]
    BaseDigest,

    // Encryption.
    /// The encryption info is malformed, for another cipher, or for no key of this device.
    #[error(transparent)]
    Encryption(#[from] CoseError),
    /// Encrypted by a cipher that notices no change, and no digest over the payload.
    #[error("encrypted payload without a digest over it")]
    Unchecked,
    /// The tag is not that of the payload, or the cipher failed.
    #[error(transparent)]
    Cipher(CryptoError),
}

impl ErrorCode for PayloadError {
    fn code(&self) -> u16 {
        match self {
            Self::Base(error) => error.code(),
            Self::Encoding => 2901,
            Self::TooLong => 2902,
            Self::TooShort => 2903,
            Self::State => 2904,
            Self::Digest => 2905,
            Self::ChunkDigest(_) => 2906,
            Self::ChunkSize => 2907,
            Self::Window => 2910,
            Self::PatchType => 2911,
            Self::PatchCompression => 2912,
            Self::PatchFormat => 2913,
            Self::PatchSize => 2914,
            Self::PatchNumber => 2915,
            Self::PatchDiff => 2916,
            Self::PatchExtra => 2917,
            Self::PatchBase => 2918,
            Self::PatchSeek => 2919,
            Self::PatchIdle => 2920,
            Self::PatchRun => 2921,
            Self::BaseSize => 2922,
            Self::BaseDigest => 2923,
            Self::Encryption(error) => error.code(),
            Self::Unchecked => 2930,
            Self::Cipher(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Base(error) => error.fault(),
            Self::Encryption(error) => error.fault(),
            Self::Cipher(error) => error.fault(),
            _ => Fault::Input,
        }
    }
}
