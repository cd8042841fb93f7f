//! Why an MCUboot image or a trailer was refused.

use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::FlashError,
};

/// Why an image was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum McubootError {
    /// The image could not be read.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// Not an MCUboot image, or one of the first version of the format.
    #[error("not an MCUboot image")]
    Magic,
    /// A field of the header has a value that the format does not have.
    #[error("image header malformed")]
    Header,
    /// A flag that is not known, or position-independent code, which MCUboot does not support.
    #[error("image flags not supported")]
    Flags,
    /// Header, payload or areas end beyond the bytes there are.
    #[error("image larger than its place")]
    Size,
    /// An area's magic or length is wrong, or an entry does not fit it.
    #[error("entries malformed")]
    Entries,
    /// An entry that is not known, or that must not stand in this area.
    #[error("entry unknown or in the wrong area")]
    EntryMisplaced,
    /// An entry that stands once stands twice, or there are too many of them.
    #[error("entry repeated")]
    EntryRepeated,
    /// An entry whose value has the wrong length or form.
    #[error("entry value malformed")]
    EntryValue,
    /// The payload is encrypted.
    #[error("encrypted payload not supported")]
    Encrypted,
    /// The payload is compressed.
    #[error("compressed payload not supported")]
    Compressed,
    /// The image says of itself that it must not be started.
    #[error("image is not bootable")]
    NotBootable,
    /// No hash.
    #[error("image carries no hash")]
    NoHash,
    /// The hash is of a kind that was not given, or that does not go with the signature.
    #[error("kind of hash not supported")]
    HashKind,
    /// The bytes are not those of the hash.
    #[error("image hash does not match")]
    Hash,
    /// No signature: a hash alone says nothing about who made the image.
    #[error("image is not signed")]
    Unsigned,
    /// The signing key is not one of the trusted ones.
    #[error("signing key not trusted")]
    KeyUnknown,
    /// The signature does not verify.
    #[error("signature does not verify")]
    Signature,
    /// The signature is over the bytes, and they are not mapped into memory.
    #[error("signature over the bytes needs them in memory")]
    NotMapped,
    /// Made for another vendor, or for none where one is asked for.
    #[error("made for another vendor")]
    WrongVendor,
    /// Made for another class of device, or for none where one is asked for.
    #[error("made for another class of device")]
    WrongClass,
    /// Linked for another address.
    #[error("linked for another address")]
    WrongAddress,
    /// The security counter is below the device's, or missing where one is asked for.
    #[error("older than the security counter allows")]
    Rollback,
    /// Older than what is installed.
    #[error("older than what is installed")]
    Downgrade,
    /// Another image that this one depends on is missing or too old.
    #[error("dependency not met")]
    Dependency,
}

impl ErrorCode for McubootError {
    fn code(&self) -> u16 {
        match self {
            Self::Flash(error) => error.code(),
            Self::Magic => 2300,
            Self::Header => 2301,
            Self::Flags => 2302,
            Self::Size => 2303,
            Self::Entries => 2304,
            Self::EntryMisplaced => 2305,
            Self::EntryRepeated => 2306,
            Self::EntryValue => 2307,
            Self::Encrypted => 2308,
            Self::Compressed => 2309,
            Self::NotBootable => 2310,
            Self::NoHash => 2311,
            Self::HashKind => 2312,
            Self::Hash => 2313,
            Self::Unsigned => 2314,
            Self::KeyUnknown => 2315,
            Self::Signature => 2316,
            Self::NotMapped => 2317,
            Self::WrongVendor => 2318,
            Self::WrongClass => 2319,
            Self::WrongAddress => 2320,
            Self::Rollback => 2321,
            Self::Downgrade => 2322,
            Self::Dependency => 2323,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Flash(error) => error.fault(),
            Self::NotMapped => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

/// Why a trailer could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TrailerError {
    /// The flash could not be read or written.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// The alignment is not 8, 16 or 32, the word is larger than it, or the slot is not a multiple of it.
    #[error("trailer does not fit the slot")]
    Geometry,
    /// The image reaches into the trailer.
    #[error("image reaches into the trailer")]
    Overlap,
    /// The trailer is not erased, and shares its page with the image: erase the slot and install again.
    #[error("trailer is used and shares its page with the image")]
    Used,
    /// The trailer of the running image is damaged; MCUboot decides.
    #[error("trailer of the running image is damaged")]
    Damaged,
    /// What was written does not read back.
    #[error("trailer does not read back")]
    ReadBack,
}

impl ErrorCode for TrailerError {
    fn code(&self) -> u16 {
        match self {
            Self::Flash(error) => error.code(),
            Self::Geometry => 2340,
            Self::Overlap => 2341,
            Self::Used => 2342,
            Self::Damaged => 2343,
            Self::ReadBack => 2344,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Flash(error) => error.fault(),
            Self::Geometry | Self::Overlap | Self::Used => Fault::Misuse,
            Self::Damaged | Self::ReadBack => Fault::Device,
        }
    }
}
