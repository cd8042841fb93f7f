//! Strict JSON: RFC 8259 without what RFC 7493 (I-JSON) warns of.
//!
//! [`parse`] looks at the whole document before it hands out one value of it: encoding, grammar, nesting, number of
//! parts, names that stand twice, halves of surrogate pairs, and numbers that a double cannot hold, or integers that it
//! cannot hold exactly. What it returns borrows the document, and reading it cannot fail but by asking for what is not
//! there.
//!
//! Names are compared with those before them in the same object, because there is no memory to sort them in: the time
//! is at most [`Limits::bytes`] times [`Limits::names`]. Only documents that are made to take longer have
//! [`InputKind::Count`](super::InputKind::Count) for it: large objects in the first place of large objects, many times.
//!
//! ```
//! use iotsec_core::input::{InputError, InputKind, json::{self, Limits}};
//!
//! let document = json::parse(br#"{"name": "caf\u00e9", "levels": [1, 2, 3]}"#, &Limits::SMALL)?;
//! let object = document.object()?;
//! assert!(object.member("name")?.text()? == "café");
//! let mut sum = 0;
//! for level in object.member("levels")?.array()? {
//!     sum += level.integer()?;
//! }
//! assert_eq!(sum, 6);
//! let error = json::parse(br#"{"a": 1, "\u0061": 2}"#, &Limits::SMALL).unwrap_err();
//! assert_eq!((error.kind, error.offset), (InputKind::Duplicate, 9));
//! # Ok::<(), InputError>(())
//! ```

mod check;
mod number;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod value;

pub use check::{Limits, check};
pub use number::Number;
pub use text::Text;
pub use tokens::{Token, Tokens};
pub use value::{Array, Object, Value, parse};
