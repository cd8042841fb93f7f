//! What every function returns.
//!
//! ```
//! use iotsec_ffi::status::{IOTSEC_ERR_STORE_NOT_FOUND, iotsec_status_name};
//!
//! // SAFETY: the name ends in zero and lives as long as the program.
//! let name = unsafe { std::ffi::CStr::from_ptr(iotsec_status_name(IOTSEC_ERR_STORE_NOT_FOUND)) };
//! assert_eq!(name, c"STORE_NOT_FOUND");
//! ```

mod number;

use iotsec::core::error::{ErrorCode, Fault};
pub use number::*;

/// 0 for success, or the stable number of an error. Numbers never change and are never reused: 1xxx
/// core, 2xxx update, 3xxx store, 4xxx telemetry, 5xxx net, 6xxx device life cycle, 7xxx this interface.
///
/// A number that this header does not name comes from a newer library: treat it as a refusal.
pub type iotsec_status_t = i32;

/// Done.
pub const IOTSEC_OK: iotsec_status_t = 0;

/// How a call into this interface can be wrong before anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// A pointer or a callback is null, or a pointer is not aligned for its type.
    #[error("a pointer or a callback is null, or a pointer is not aligned for its type")]
    Null,
    /// The buffer is too small; the length that is needed was written.
    #[error("the buffer is too small; the length that is needed was written")]
    ShortBuffer,
    /// The object was not started, was closed, was copied, or is in use by a call further out; or
    /// the step does not follow the one before.
    #[error("the object is not started, copied or busy, or the step does not follow the one before")]
    State,
    /// A `struct_size` is not the size that this library knows, or a field is out of range.
    #[error("a struct_size is not the size that this library knows, or a field is out of range")]
    Config,
    /// A length is out of range.
    #[error("a length is out of range")]
    Size,
    /// A callback failed with a number that is none of this interface.
    #[error("a callback failed with a number that is none of this interface")]
    Callback,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    Text,
    /// Nobody shows to be at the device.
    #[error("nobody shows to be at the device")]
    Presence,
    /// Neither slot holds an image that may start.
    #[error("neither slot holds an image that may start")]
    NothingToBoot,
}

impl ErrorCode for CallError {
    fn code(&self) -> u16 {
        match self {
            Self::Null => 7001,
            Self::ShortBuffer => 7002,
            Self::State => 7003,
            Self::Config => 7004,
            Self::Size => 7005,
            Self::Callback => 7006,
            Self::Text => 7007,
            Self::Presence => 7008,
            Self::NothingToBoot => 7009,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Callback | Self::NothingToBoot => Fault::Device,
            Self::Text | Self::Presence => Fault::Input,
            _ => Fault::Misuse,
        }
    }
}

/// An error on its way to C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(u16);

impl<E: ErrorCode> From<E> for Status {
    fn from(error: E) -> Self {
        Self(error.code())
    }
}

/// Runs the body of a function and turns its result into a number.
pub(crate) fn status(body: impl FnOnce() -> Result<(), Status>) -> iotsec_status_t {
    match body() {
        Ok(()) => IOTSEC_OK,
        Err(Status(code)) => iotsec_status_t::from(code),
    }
}

/// The name of a status, as in this header without `IOTSEC_ERR_`: `"OK"`, `"FLASH_DRIVER"`; or
/// `"UNKNOWN"`. The string lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn iotsec_status_name(status: iotsec_status_t) -> *const core::ffi::c_char {
    if status == IOTSEC_OK {
        return c"OK".as_ptr();
    }
    let found = NAMES.iter().find(|(number, _)| *number == status);
    found.map_or(c"UNKNOWN", |(_, name)| name).as_ptr()
}
