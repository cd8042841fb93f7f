//! serde documents, with the strict checker in front of and behind ciborium.

use alloc::vec::Vec;

use ::serde::{Serialize, de::DeserializeOwned};

use super::{CborError, Limits, check};
use crate::error::{ErrorCode, Fault};

/// Why a document could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not deterministic CBOR within the limits.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// Well-formed, but not a document of this type.
    #[error("document does not have the expected shape")]
    Shape,
}

impl ErrorCode for DocumentError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Shape => 1020,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Input
    }
}

/// Reads a document. Everything that ciborium would let pass (trailing bytes, long forms, indefinite
/// lengths, repeated keys, deep nesting) is refused before it sees the input.
///
/// # Errors
/// [`DocumentError`].
///
/// ```
/// use iotsec_core::cbor::{Limits, from_slice, to_vec};
/// use std::collections::BTreeMap;
///
/// let bytes = to_vec(&BTreeMap::from([(1u8, "lamp")]), &Limits::SMALL)?;
/// assert_eq!(bytes, [0xA1, 0x01, 0x64, b'l', b'a', b'm', b'p']);
/// let back: BTreeMap<u8, String> = from_slice(&bytes, &Limits::SMALL)?;
/// assert_eq!(back[&1], "lamp");
/// # Ok::<(), iotsec_core::cbor::DocumentError>(())
/// ```
pub fn from_slice<T: DeserializeOwned>(input: &[u8], limits: &Limits) -> Result<T, DocumentError> {
    check(input, limits)?;
    ciborium::from_reader(input).map_err(|_| DocumentError::Shape)
}

/// Writes a document, with map keys put in order.
///
/// # Errors
/// [`DocumentError::Shape`] for a value that CBOR cannot hold; [`DocumentError::Encoding`] for one that
/// the strict reader would refuse, such as a float.
pub fn to_vec<T: Serialize + ?Sized>(value: &T, limits: &Limits) -> Result<Vec<u8>, DocumentError> {
    let mut value = ciborium::Value::serialized(value).map_err(|_| DocumentError::Shape)?;
    sort(&mut value, usize::from(limits.depth))?;
    let out = encode(&value)?;
    check(&out, limits)?;
    Ok(out)
}

fn encode(value: &ciborium::Value) -> Result<Vec<u8>, DocumentError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| DocumentError::Shape)?;
    Ok(out)
}

fn sort(value: &mut ciborium::Value, depth: usize) -> Result<(), DocumentError> {
    use ciborium::Value;
    let Some(inner) = depth.checked_sub(1) else {
        // A scalar may stand at the bottom; a container there is over the limit, as `check` will say.
        return Ok(());
    };
    match value {
        Value::Map(entries) => {
            let mut keyed = Vec::with_capacity(entries.len());
            for (key, mut entry) in entries.drain(..) {
                sort(&mut entry, inner)?;
                keyed.push((encode(&key)?, key, entry));
            }
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            entries.extend(keyed.into_iter().map(|(_, key, entry)| (key, entry)));
        }
        Value::Array(elements) => {
            for element in elements {
                sort(element, inner)?;
            }
        }
        Value::Tag(_, tagged) => sort(tagged, inner)?,
        _ => {}
    }
    Ok(())
}
