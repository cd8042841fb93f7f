use iotsec_core::cbor::Reader;

use super::{Items, LIMITS};
use crate::{digest, error::UpdateError, payload::RawTransport};

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

/// The parameters that belong to a component, in the order of [`Parameters`].
const KEPT: [i16; 15] = [
    key::VENDOR,
    key::CLASS,
    key::DIGEST,
    key::USE_BEFORE,
    key::SLOT,
    key::SIZE,
    key::CONTENT,
    key::ENCRYPTION,
    key::URI,
    key::SOURCE,
    key::INVOKE_ARGUMENTS,
    key::DEVICE,
    key::FETCH_ARGUMENTS,
    key::CHUNK_DIGESTS,
    key::PAYLOAD_ENCODING,
];

/// What override-parameters has set for one component: where in the envelope each value stands, and zero
/// for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters([usize; KEPT.len()]);

impl Parameters {
    pub(crate) const NONE: Self = Self([0; KEPT.len()]);

    /// Sets a parameter to the value at `place`, whatever it was before.
    pub(crate) fn set(&mut self, key: i16, place: usize) {
        for (known, kept) in KEPT.iter().zip(&mut self.0) {
            if *known == key {
                *kept = place;
            }
        }
    }

    /// A reader at the value of a parameter, if it is set.
    #[inline(never)]
    pub(crate) fn get<'a>(&self, key: i16, root: &Reader<'a>) -> Option<Reader<'a>> {
        let (_, place) = KEPT.iter().zip(self.0).find(|(known, _)| **known == key)?;
        (place != 0).then(|| root.seek(place))
    }

    /// The bytes of a parameter, if it is set.
    pub(crate) fn bytes<'a>(&self, key: i16, root: &Reader<'a>) -> Option<&'a [u8]> {
        self.get(key, root)?.bytes().ok()
    }

    /// What is said of the payload as it is transported.
    pub(crate) fn transport<'a>(&self, root: &Reader<'a>) -> RawTransport<'a> {
        RawTransport {
            encryption: self.bytes(key::ENCRYPTION, root),
            chunks: self.bytes(key::CHUNK_DIGESTS, root),
            encoding: self.bytes(key::PAYLOAD_ENCODING, root),
        }
    }
}

impl Items {
    /// `{+ parameter: value}`
    pub(super) fn assignments(reader: &mut Reader<'_>) -> Result<Self, UpdateError> {
        let all = reader.clone();
        let count = reader.map()?;
        if count == 0 {
            return Err(UpdateError::Sequence);
        }
        let entries = Self::new(reader, count);
        *reader = all;
        reader.skip()?;
        Ok(entries)
    }

    /// Reads the next entry of an override-parameters in a manifest with so many `components`: its key, and a
    /// reader at its value, which is of the right type.
    pub(crate) fn assignment<'a>(
        &mut self,
        root: &Reader<'a>,
        components: usize,
    ) -> Result<Option<(i16, Reader<'a>)>, UpdateError> {
        let Some(mut reader) = self.advance(root) else {
            return Ok(None);
        };
        let key = reader.label().and_then(|key| i16::try_from(key).ok());
        let key = key.ok_or(UpdateError::ParameterUnknown)?;
        let value = reader.clone();
        match key {
            key::VENDOR | key::CLASS | key::DEVICE => {
                reader.array_of::<16>()?;
            }
            key::DIGEST => {
                digest::read(&mut reader.embedded(&LIMITS)?)?;
            }
            key::USE_BEFORE | key::SLOT => {
                reader.uint()?;
            }
            key::SIZE => {
                reader.uint_as::<u32>()?;
            }
            key::STRICT_ORDER | key::SOFT_FAILURE => {
                reader.bool()?;
            }
            key::CONTENT | key::ENCRYPTION | key::INVOKE_ARGUMENTS | key::FETCH_ARGUMENTS => {
                reader.bytes()?;
            }
            key::CHUNK_DIGESTS => RawTransport::check_chunks(reader.bytes()?)?,
            key::PAYLOAD_ENCODING => RawTransport::check_encoding(reader.bytes()?)?,
            key::URI => {
                reader.text()?;
            }
            key::SOURCE => {
                let source = reader.uint_as::<usize>();
                if !source.is_ok_and(|source| source < components) {
                    return Err(UpdateError::ComponentIndex);
                }
            }
            _ => return Err(UpdateError::ParameterUnknown),
        }
        self.at = reader.offset();
        Ok(Some((key, value)))
    }
}
