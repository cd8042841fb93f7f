//! MCUboot images: read, verified, admitted; the trailers that tell a boot loader what to start; and a boot loader
//! that starts them in place.
//!
//! For a device whose images `imgtool` signs. Its boot loader is MCUboot, or [`select`], which takes the place of an
//! MCUboot that starts either slot in place. The application checks the image it has received exactly as strictly as
//! a SUIT manifest, before the boot loader sees it:
//!
//! ```text
//! bytes ─ Image::read ─► Image ─ verify ─► Verified ─ admit ─► Admitted ─ Trailer::request …
//! ```
//!
//! # Images
//!
//! The format is that of `imgtool` 2.5 and MCUboot 2.4 (`docs/design.md` there); all numbers are
//! little-endian.
//!
//! | offset | bytes | header field |
//! |---|---|---|
//! | 0 | 4 | magic 0x96F3B83D |
//! | 4 | 4 | address, with flag 0x20 in RAM, with flag 0x100 in ROM |
//! | 8 | 2 | bytes of the header and its padding, at least 32 |
//! | 10 | 2 | bytes of the protected area, 0 for none |
//! | 12 | 4 | bytes of the payload |
//! | 16 | 4 | flags |
//! | 20 | 8 | version: major (1), minor (1), revision (2), build (4) |
//! | 28 | 4 | zero |
//!
//! The payload follows at the end of the header, then the protected area (magic 0x6908) and the
//! unprotected area (magic 0x6907). An area is `magic: u16, bytes: u16` and entries
//! `type: u16, len: u16, value`. The hash and the signature cover everything before the unprotected area.
//!
//! | type | where | value |
//! |---|---|---|
//! | 0x01 or 0x02 | unprotected, one of them once | hash of the public key, or the key itself (DER, RFC 8410, RFC 5480) |
//! | 0x10 or 0x12 | unprotected, one of them once | SHA-256 or SHA-512 of what is signed |
//! | 0x22 or 0x24 | unprotected, one of them once, after the key | ECDSA on P-256 (DER), or Ed25519 |
//! | 0x25 | unprotected, at most once | 1: the signature is over the bytes, not over their hash |
//! | 0x40 | protected, up to 8 | dependency: image number (1), zero (3), least version (8) |
//! | 0x50 | protected, at most once | security counter (4) |
//! | 0x60 | protected | boot record, for measured boot |
//! | 0x74, 0x75 | protected, at most once | vendor id, class id (16 each) |
//! | 0x00A0–0x00FF of any high byte | protected | the maker's own; hashed, not interpreted |
//!
//! Everything else is refused, wherever it stands: encrypted and compressed payloads, RSA, an entry in the
//! wrong area (CVE-2024-32883), a second hash, key or signature, an image that carries only a hash.
#![doc = concat!("\n", include_str!("mcuboot/loader.md"), "\n", include_str!("mcuboot/example.md"))]

mod admit;
mod boot_control;
mod bytes;
mod claims;
mod error;
mod header;
mod image;
mod key;
mod loader;
mod seal;
mod state;
mod trailer;

pub use admit::{Admitted, Device};
pub use boot_control::{Mode, TrailerControl};
pub use bytes::{FlashBytes, ImageBytes, SliceBytes};
pub use claims::Dependency;
pub use error::{McubootError, TrailerError};
pub use header::{Flags, Version};
pub use image::{Hashes, Image, Verified};
pub use loader::{Loader, Reason, Refusal, Selection, Startable, select};
pub use state::{Flag, Magic, Standing, Swap, TrailerState};
pub use trailer::{Request, Trailer};
