//! What every error of this SDK can say about itself.
//!
//! Errors are small `Copy` enums without strings. Each variant has a stable number that the C
//! interface and telemetry use, and belongs to one of four parties.

/// Whose fault an error is, which decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Bytes from outside were refused. Expected under attack: count it, drop the input, go on.
    Input,
    /// Hardware, flash contents or entropy failed. Retry, then report the device.
    Device,
    /// The application called in the wrong order or with wrong parameters. Fix the call.
    Misuse,
    /// A state this SDK holds to be impossible. Report it to the maintainers.
    Bug,
}

/// The number and the party behind an error.
///
/// Numbers never change and are never reused: 1xxx core, 2xxx update, 3xxx store,
/// 4xxx telemetry, 5xxx net, 6xxx device life cycle, 7xxx the C interface itself,
/// 8xxx the maker's collector.
///
/// ```
/// use iotsec_core::{cbor::{CborError, Kind}, error::{ErrorCode, Fault}};
///
/// let error = CborError::new(Kind::Truncated, 7);
/// assert_eq!(error.code(), 1001);
/// assert_eq!(error.fault(), Fault::Input);
/// ```
pub trait ErrorCode {
    /// The stable number.
    fn code(&self) -> u16;
    /// Whose fault it is.
    fn fault(&self) -> Fault;
}
