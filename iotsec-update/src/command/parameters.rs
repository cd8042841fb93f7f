use iotsec_core::cbor::{Kind, Reader, Type};

use super::{Items, LIMITS};
use crate::{digest, error::UpdateError, manifest::Manifest};

/// The keys of override-parameters.
pub(crate) mod key {
    pub(crate) const VENDOR: i16 = 1;
    pub(crate) const CLASS: i16 = 2;
    pub(crate) const DIGEST: i16 = 3;
    pub(crate) const USE_BEFORE: i16 = 4;
    pub(crate) const SLOT: i16 = 5;
    /// Of the sequence, not of a component.
    pub(crate) const STRICT_ORDER: i16 = 12;
    /// Of the sequence, not of a component.
    pub(crate) const SOFT_FAILURE: i16 = 13;
    pub(crate) const SIZE: i16 = 14;
    pub(crate) const CONTENT: i16 = 18;
    pub(crate) const ENCRYPTION: i16 = 19;
    pub(crate) const URI: i16 = 21;
    pub(crate) const SOURCE: i16 = 22;
    pub(crate) const INVOKE_ARGUMENTS: i16 = 23;
    pub(crate) const DEVICE: i16 = 24;
    pub(crate) const FETCH_ARGUMENTS: i16 = 25;
    pub(crate) const CHUNK_DIGESTS: i16 = -257;
    pub(crate) const PAYLOAD_ENCODING: i16 = -258;
}

/// Places in [`KNOWN`], and for those of a component in [`Parameters`].
pub(crate) mod parameter {
    pub(crate) const INVOKE_ARGUMENTS: u8 = 0;
    // A condition about one of the next five has the same number as its parameter.
    pub(crate) const VENDOR: u8 = 1;
    pub(crate) const CLASS: u8 = 2;
    pub(crate) const DIGEST: u8 = 3;
    pub(crate) const USE_BEFORE: u8 = 4;
    pub(crate) const SLOT: u8 = 5;
    pub(crate) const DEVICE: u8 = 6;
    pub(crate) const SIZE: u8 = 7;
    pub(crate) const CONTENT: u8 = 8;
    pub(crate) const URI: u8 = 9;
    pub(crate) const SOURCE: u8 = 10;
    pub(crate) const FETCH_ARGUMENTS: u8 = 11;
    // These three tell of the payload as it is transported.
    pub(crate) const ENCRYPTION: u8 = 12;
    pub(crate) const CHUNK_DIGESTS: u8 = 13;
    pub(crate) const PAYLOAD_ENCODING: u8 = 14;
    pub(crate) const STRICT_ORDER: u8 = 15;
    pub(crate) const SOFT_FAILURE: u8 = 16;
}

/// What a value has to be beside its type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Any,
    /// Sixteen bytes.
    Identifier,
    /// A digest in a byte string.
    Digest,
    /// A number below 2^32.
    Size,
    /// The index of a component.
    Component,
}

/// The parameters, in the order of [`parameter`].
const KNOWN: [(i16, Type, Value); 17] = [
    (key::INVOKE_ARGUMENTS, Type::Bytes, Value::Any),
    (key::VENDOR, Type::Bytes, Value::Identifier),
    (key::CLASS, Type::Bytes, Value::Identifier),
    (key::DIGEST, Type::Bytes, Value::Digest),
    (key::USE_BEFORE, Type::Uint, Value::Any),
    (key::SLOT, Type::Uint, Value::Any),
    (key::DEVICE, Type::Bytes, Value::Identifier),
    (key::SIZE, Type::Uint, Value::Size),
    (key::CONTENT, Type::Bytes, Value::Any),
    (key::URI, Type::Text, Value::Any),
    (key::SOURCE, Type::Uint, Value::Component),
    (key::FETCH_ARGUMENTS, Type::Bytes, Value::Any),
    (key::ENCRYPTION, Type::Bytes, Value::Any),
    (key::CHUNK_DIGESTS, Type::Bytes, Value::Any),
    (key::PAYLOAD_ENCODING, Type::Bytes, Value::Any),
    (key::STRICT_ORDER, Type::Bool, Value::Any),
    (key::SOFT_FAILURE, Type::Bool, Value::Any),
];

/// Those that belong to a component.
const KEPT: usize = 15;

/// What override-parameters has set for one component: where in the envelope each value stands, and zero
/// for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters([usize; KEPT]);

impl Parameters {
    pub(crate) const NONE: Self = Self([0; KEPT]);

    /// Sets a parameter to the value at `place`, whatever it was before.
    pub(crate) fn set(&mut self, parameter: u8, place: usize) {
        if let Some(kept) = self.0.get_mut(usize::from(parameter)) {
            *kept = place;
        }
    }

    /// A reader at the value of a parameter, if it is set.
    #[inline(never)]
    pub(crate) fn get<'a>(&self, parameter: u8, root: &Reader<'a>) -> Option<Reader<'a>> {
        let place = self.0.get(usize::from(parameter)).copied().unwrap_or(0);
        (place != 0).then(|| root.seek(place))
    }

    /// The bytes of a parameter, if it is set.
    pub(crate) fn bytes<'a>(&self, parameter: u8, root: &Reader<'a>) -> Option<&'a [u8]> {
        self.get(parameter, root)?.bytes().ok()
    }

    /// Whether anything is said of the payload as it is transported.
    pub(crate) fn tell_transport(&self) -> bool {
        self.0
            .iter()
            .skip(parameter::ENCRYPTION.into())
            .any(|place| *place != 0)
    }
}

impl Items {
    /// `{+ parameter: value}`
    pub(super) fn assignments(&mut self, reader: &mut Reader<'_>) -> Result<(), UpdateError> {
        let mut inner = reader.clone();
        let count = inner.map()?;
        if count == 0 {
            return Err(UpdateError::Sequence);
        }
        self.set(&inner, count);
        reader.skip()?;
        Ok(())
    }

    /// Reads the next entry of an override-parameters: which [`parameter`], and where its value stands, which is of
    /// the right type. `None` after the last.
    #[inline(never)]
    pub(crate) fn assignment(
        &mut self,
        manifest: &Manifest<'_>,
        place: &mut usize,
    ) -> Result<Option<u8>, UpdateError> {
        let Some(mut reader) = self.advance(manifest) else {
            return Ok(None);
        };
        let key = reader.label();
        let mut known = (0u8..).zip(&KNOWN);
        let known = known.find(|(_, (known, ..))| Some(i32::from(*known)) == key);
        let (parameter, (_, wanted, value)) = known.ok_or(UpdateError::ParameterUnknown)?;
        *place = reader.offset();
        let mut ahead = reader.clone();
        if *value == Value::Component {
            let source = ahead.uint_as::<usize>();
            if !source.is_ok_and(|source| source < manifest.components) {
                return Err(UpdateError::ComponentIndex);
            }
        } else if ahead.peek()? != *wanted {
            return Err(ahead.error(Kind::Type).into());
        }
        match value {
            Value::Identifier => {
                ahead.array_of::<16>()?;
            }
            Value::Digest => {
                digest::read(&mut ahead.embedded(&LIMITS)?)?;
            }
            Value::Size => {
                ahead.uint_as::<u32>()?;
            }
            _ => {}
        }
        reader.skip()?;
        self.at = reader.offset();
        Ok(Some(parameter))
    }
}
