//! Sequence numbers, component identifiers and the manifest's own map.

use iotsec_core::{
    cbor::{self, Key, Kind, Reader, Type, Writer},
    crypto::{DIGEST_LEN, Digest},
};

use crate::{
    authenticate::Authenticated,
    command::Sequence,
    digest,
    envelope::{Envelope, SEVERABLE},
    error::UpdateError,
    plan::MAX_COMPONENTS,
};

/// The number that orders the manifests of one device against replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(pub u64);

/// The name of an updatable thing: a deterministically encoded array of byte strings.
///
/// ```
/// use iotsec_update::ComponentId;
///
/// let mut buffer = [0; 8];
/// let application = ComponentId::encode(&[&[0x00]], &mut buffer)?;
/// assert_eq!(application, ComponentId::from_encoded(&[0x81, 0x41, 0x00])?);
/// assert!(ComponentId::from_encoded(&[0x41, 0x00]).is_err());
/// # Ok::<(), iotsec_update::UpdateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ComponentId<'a>(&'a [u8]);

/// Names are short; the longest seen in the drafts' examples takes 60 bytes.
const ID_LIMITS: cbor::Limits = cbor::Limits {
    depth: 1,
    items: 16,
    bytes: 128,
};

impl<'a> ComponentId<'a> {
    /// Fills places that are not used.
    pub(crate) const NONE: Self = Self(&[]);

    /// From its CBOR encoding, such as `81 41 00` for `[h'00']`.
    ///
    /// # Errors
    /// [`UpdateError::Encoding`] for anything but a deterministically encoded array of up to 15 byte
    /// strings, in up to 128 bytes.
    pub fn from_encoded(encoded: &'a [u8]) -> Result<Self, UpdateError> {
        let mut reader = Reader::new(encoded, &ID_LIMITS)?;
        for _ in 0..reader.array()? {
            reader.bytes()?;
        }
        Ok(Self(encoded))
    }

    /// Encodes `parts` into `out`.
    ///
    /// # Errors
    /// [`UpdateError::Encoding`] when `out` is too small.
    pub fn encode(parts: &[&[u8]], out: &'a mut [u8]) -> Result<Self, UpdateError> {
        let mut writer = Writer::new(out);
        writer.array(u64::try_from(parts.len()).unwrap_or(u64::MAX))?;
        for part in parts {
            writer.bytes(part)?;
        }
        Self::from_encoded(writer.finish()?)
    }

    /// Its CBOR encoding. Two identifiers are equal exactly when their encodings are.
    pub const fn encoded(&self) -> &'a [u8] {
        self.0
    }
}

/// A command section of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Shared,
    Fetch,
    Install,
    Validate,
    Load,
    Invoke,
}

/// The manifest's map, with every element in it tied to its digest.
///
/// ```text
/// SUIT_Manifest = {
///   1: 1,                            ; version
///   2: uint,                         ; sequence number
///   3: bstr .cbor {                  ; common
///        2: [+ [* bstr]],            ; components
///        4: bstr .cbor SUIT_Command_Sequence },
///   ? 4: tstr,                       ; reference URI
///   ? 7 / 8 / 9: bstr .cbor SUIT_Command_Sequence,                       ; validate, load, invoke
///   ? 16 / 20: bstr .cbor SUIT_Command_Sequence / SUIT_Digest,           ; payload-fetch, install
///   ? 23: bstr / SUIT_Digest         ; text
/// }
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Manifest<'a> {
    pub(crate) sequence: SequenceNumber,
    ids: [ComponentId<'a>; MAX_COMPONENTS],
    count: usize,
    shared: Reader<'a>,
    sections: [Body<'a>; 5],
}

/// Where the commands of a section are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Body<'a> {
    #[default]
    Missing,
    /// Severed, and not in the envelope.
    Absent,
    Present(Reader<'a>),
}

const VERSION: i64 = 1;
const SEQUENCE_NUMBER: i64 = 2;
const COMMON: i64 = 3;
const REFERENCE_URI: i64 = 4;
const VALIDATE: i64 = 7;
const LOAD: i64 = 8;
const INVOKE: i64 = 9;
const PAYLOAD_FETCH: i64 = SEVERABLE[0];
const INSTALL: i64 = SEVERABLE[1];
const TEXT: i64 = SEVERABLE[2];
const COMMON_COMPONENTS: i64 = 2;
const COMMON_SHARED: i64 = 4;

impl<'a> Manifest<'a> {
    pub(crate) fn parse(
        authenticated: &Authenticated<'a>,
        hash: &mut dyn Digest,
    ) -> Result<Self, UpdateError> {
        let envelope = &authenticated.envelope;
        let limits = &envelope.limits;
        if envelope.extended {
            return Err(UpdateError::ElementUnsupported);
        }
        let mut reader = authenticated.manifest.clone().embedded(&limits.cbor(2))?;
        let missing = reader.error(Kind::MissingKey);
        let (mut version, mut sequence, mut common) = (None, None, None);
        let mut sections = [const { Body::Missing }; 5];
        let mut named = [false; SEVERABLE.len()];
        for _ in 0..reader.map()? {
            let unknown = reader.error(Kind::UnknownKey);
            let Key::Int(key) = reader.key()? else {
                return Err(unknown.into());
            };
            match key {
                VERSION => version = Some(reader.uint()?),
                SEQUENCE_NUMBER => sequence = Some(SequenceNumber(reader.uint()?)),
                COMMON => common = Some(reader.embedded(&limits.cbor(3))?),
                REFERENCE_URI => {
                    reader.text()?;
                }
                VALIDATE | LOAD | INVOKE => {
                    let body = Body::Present(reader.clone());
                    reader.bytes()?;
                    store(&mut sections, key, body);
                }
                PAYLOAD_FETCH | INSTALL | TEXT => {
                    let body = severable(&mut reader, envelope, key, hash)?;
                    store(&mut sections, key, body);
                    for (named, known) in named.iter_mut().zip(SEVERABLE) {
                        *named |= known == key;
                    }
                }
                _ => return Err(unknown.into()),
            }
        }
        if version.ok_or(missing)? != 1 {
            return Err(UpdateError::Version);
        }
        for (named, key) in named.into_iter().zip(SEVERABLE) {
            if !named && envelope.severed(key).is_some() {
                return Err(UpdateError::ElementUnauthenticated);
            }
        }
        let (ids, count, shared) = read_common(&mut common.ok_or(missing)?, limits.most_components())?;
        Ok(Self {
            sequence: sequence.ok_or(missing)?,
            ids,
            count,
            shared,
            sections,
        })
    }

    pub(crate) fn components(&self) -> &[ComponentId<'a>] {
        self.ids.get(..self.count).unwrap_or_default()
    }

    pub(crate) fn body(&self, section: Section) -> Body<'a> {
        match section {
            Section::Shared => Body::Present(self.shared.clone()),
            Section::Validate => self.stored(VALIDATE),
            Section::Load => self.stored(LOAD),
            Section::Invoke => self.stored(INVOKE),
            Section::Fetch => self.stored(PAYLOAD_FETCH),
            Section::Install => self.stored(INSTALL),
        }
    }

    /// The commands of a section, if it is there.
    pub(crate) fn commands(
        &self,
        section: Section,
        limits: &cbor::Limits,
    ) -> Result<Option<Sequence<'a>>, UpdateError> {
        match self.body(section) {
            Body::Present(mut reader) => Sequence::open(&mut reader, limits).map(Some),
            Body::Missing | Body::Absent => Ok(None),
        }
    }

    fn stored(&self, key: i64) -> Body<'a> {
        place(key)
            .and_then(|place| self.sections.get(place))
            .cloned()
            .unwrap_or_default()
    }
}

/// Where the section under `key` is kept; text is not.
fn place(key: i64) -> Option<usize> {
    [VALIDATE, LOAD, INVOKE, PAYLOAD_FETCH, INSTALL]
        .iter()
        .position(|known| *known == key)
}

fn store<'a>(sections: &mut [Body<'a>; 5], key: i64, body: Body<'a>) {
    if let Some(section) = place(key).and_then(|place| sections.get_mut(place)) {
        *section = body;
    }
}

/// Reads a severable member: a byte string here, or a digest here and, maybe, the byte string in the
/// envelope. What is there is always checked against its digest, also when it is only text.
fn severable<'a>(
    reader: &mut Reader<'a>,
    envelope: &Envelope<'a>,
    key: i64,
    hash: &mut dyn Digest,
) -> Result<Body<'a>, UpdateError> {
    let outside = envelope.severed(key);
    if reader.peek()? != Type::Array {
        let body = Body::Present(reader.clone());
        reader.bytes()?;
        return match outside {
            Some(_) => Err(UpdateError::ElementUnauthenticated),
            None => Ok(body),
        };
    }
    let digest: &[u8; DIGEST_LEN] = digest::read(reader)?;
    let Some(element) = outside else {
        return Ok(Body::Absent);
    };
    if digest::equal(&digest::of(hash, element.encoded), digest) {
        Ok(Body::Present(element.reader.clone()))
    } else {
        Err(UpdateError::ElementDigest)
    }
}

type Common<'a> = ([ComponentId<'a>; MAX_COMPONENTS], usize, Reader<'a>);

fn read_common<'a>(reader: &mut Reader<'a>, most: usize) -> Result<Common<'a>, UpdateError> {
    let missing = reader.error(Kind::MissingKey);
    let mut ids = [ComponentId::NONE; MAX_COMPONENTS];
    let (mut count, mut shared) = (0usize, None);
    for _ in 0..reader.map()? {
        let unknown = reader.error(Kind::UnknownKey);
        match reader.key()? {
            Key::Int(COMMON_COMPONENTS) => {
                for _ in 0..reader.array()? {
                    let id = ComponentId::from_encoded(reader.skip()?)?;
                    if ids.iter().take(count).any(|other| *other == id) {
                        return Err(UpdateError::ComponentDuplicate);
                    }
                    if count >= most {
                        return Err(UpdateError::Components);
                    }
                    *ids.get_mut(count).ok_or(UpdateError::Components)? = id;
                    count = count.saturating_add(1);
                }
            }
            Key::Int(COMMON_SHARED) => {
                shared = Some(reader.clone());
                reader.bytes()?;
            }
            _ => return Err(unknown.into()),
        }
    }
    if count == 0 {
        return Err(missing.into());
    }
    Ok((ids, count, shared.ok_or(missing)?))
}
