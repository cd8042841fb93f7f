//! Which interface the library was built with.
//!
//! ```
//! use iotsec_ffi::abi::{IOTSEC_ABI_VERSION, iotsec_abi_version};
//!
//! assert_eq!(iotsec_abi_version() >> 16, IOTSEC_ABI_VERSION >> 16);
//! ```

/// The interface that this header describes: major * 65536 + minor. A minor step only adds; a major
/// step may change anything.
pub const IOTSEC_ABI_VERSION: u32 = 0x0000_0001;

/// The interface that the linked library was built with. Compare it once, at start, by
/// `iotsec_abi_matches()`, before anything else is called.
#[unsafe(no_mangle)]
pub extern "C" fn iotsec_abi_version() -> u32 {
    IOTSEC_ABI_VERSION
}
