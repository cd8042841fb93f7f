//! Strict deterministic CBOR (RFC 8949 §4.2.1).
//!
//! [`Reader`] accepts exactly one encoding of each value: definite lengths, shortest form, map keys in
//! bytewise order and unique, valid UTF-8, nothing after the last item; and it works within
//! [`Limits`]. The whole input is checked before the first value is handed out, with a stack of
//! fixed size and no recursion. Floating point, bignums and simple values other than `false`, `true` and
//! `null` are refused: no format of this SDK has them.
//!
//! ```
//! use iotsec_core::cbor::{Key, Limits, Reader, Writer};
//!
//! let mut buffer = [0; 32];
//! let mut writer = Writer::new(&mut buffer);
//! writer.map(2)?.uint(1)?.text("lamp")?.uint(2)?.int(-4)?;
//! let bytes = writer.finish()?;
//!
//! let mut reader = Reader::new(bytes, &Limits::SMALL)?;
//! assert_eq!(reader.map()?, 2);
//! assert_eq!((reader.key()?, reader.text()?), (Key::Int(1), "lamp"));
//! assert_eq!((reader.key()?, reader.int()?), (Key::Int(2), -4));
//! # Ok::<(), iotsec_core::cbor::CborError>(())
//! ```

mod check;
mod error;
mod head;
mod reader;
#[cfg(feature = "alloc")]
mod serde;
mod writer;

pub use check::{Limits, check, check_sequence, split_first};
pub use error::{CborError, Kind};
pub use reader::{Key, Reader, Type};
#[cfg(feature = "alloc")]
pub use serde::{DocumentError, from_slice, to_vec};
pub use writer::Writer;

#[cfg(test)]
mod tests;
