//! The outer map of an envelope, for showing it and for adding signatures. It judges nothing.

use iotsec::{
    core::{
        cbor::{CborError, Key, Kind, Reader, Writer},
        crypto::Sha256,
    },
    update::UpdateError,
};

use super::diagnostic::LIMITS;

pub(super) const AUTHENTICATION: i64 = 2;
pub(super) const MANIFEST: i64 = 3;
const TAG: u64 = 107;

/// An entry of the outer map.
#[derive(Clone)]
pub(super) struct Element<'a> {
    pub(super) key: Key<'a>,
    /// At the value.
    pub(super) reader: Reader<'a>,
    /// The value, head included.
    pub(super) encoded: &'a [u8],
}

/// All entries.
pub(super) struct Outer<'a> {
    pub(super) elements: Vec<Element<'a>>,
}

/// What is signed, and by whom.
pub(super) struct Authentication<'a> {
    /// The SUIT_Digest that signatures cover.
    pub(super) signed: &'a [u8],
    /// COSE structures.
    pub(super) blocks: Vec<&'a [u8]>,
}

impl<'a> Outer<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, CborError> {
        let mut reader = Reader::new(bytes, &LIMITS)?;
        let not_an_envelope = reader.error(Kind::Type);
        if reader.tag()? != TAG {
            return Err(not_an_envelope);
        }
        let mut elements = Vec::new();
        for _ in 0..reader.map()? {
            elements.push(Element {
                key: reader.key()?,
                reader: reader.clone(),
                encoded: reader.skip()?,
            });
        }
        Ok(Self { elements })
    }

    pub(super) fn find(&self, key: i64) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.key == Key::Int(key))
    }

    pub(super) fn authentication(&self) -> Result<Option<Authentication<'a>>, CborError> {
        let Some(element) = self.find(AUTHENTICATION) else {
            return Ok(None);
        };
        let mut reader = element.reader.clone().embedded(&LIMITS)?;
        let count = reader.array()?.saturating_sub(1);
        let signed = reader.bytes()?;
        let blocks: Result<_, _> = (0..count).map(|_| reader.bytes()).collect();
        Ok(Some(Authentication {
            signed,
            blocks: blocks?,
        }))
    }

    /// The digest that is to be signed, which must be that of the manifest: nobody puts a name under
    /// something else.
    pub(super) fn to_sign(&self) -> Result<Authentication<'a>, UpdateError> {
        let manifest = self.find(MANIFEST).ok_or(UpdateError::NotAnEnvelope)?;
        let authentication = self.authentication()?.ok_or(UpdateError::NotAnEnvelope)?;
        let mut reader = Reader::new(authentication.signed, &LIMITS)?;
        reader.array_len(2)?;
        if reader.int()? != -16 {
            return Err(UpdateError::DigestAlgorithm);
        }
        if reader.bytes()? != Sha256::of(&[manifest.encoded]) {
            return Err(UpdateError::ManifestDigest);
        }
        Ok(authentication)
    }

    /// The same envelope with these authentication blocks.
    pub(super) fn with_blocks(&self, signed: &[u8], blocks: &[&[u8]]) -> Result<Vec<u8>, CborError> {
        let size: usize = self
            .elements
            .iter()
            .map(|element| element.encoded.len() + 80)
            .sum();
        let blocks_size: usize = blocks.iter().map(|block| block.len() + 9).sum();
        let mut out = vec![0; 64 + size + blocks_size];
        let mut writer = Writer::new(&mut out);
        writer.tag(TAG)?.map(length(self.elements.len()))?;
        for element in &self.elements {
            match element.key {
                Key::Int(key) => writer.int(key)?,
                Key::Text(name) => writer.text(name)?,
            };
            if element.key == Key::Int(AUTHENTICATION) {
                writer.embedded(|inner| {
                    inner.array(length(blocks.len() + 1))?.bytes(signed)?;
                    for block in blocks {
                        inner.bytes(block)?;
                    }
                    Ok::<(), CborError>(())
                })?;
            } else {
                writer.raw(element.encoded)?;
            }
        }
        let written = writer.finish()?.len();
        out.truncate(written);
        Ok(out)
    }
}

/// Whether this is a whole file of another kind: an envelope begins with its tag.
pub(super) fn is_something_else(bytes: &[u8]) -> bool {
    bytes.len() > 1 && !bytes.starts_with(&[0xD8, 107])
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
