//! Sequence numbers, component identifiers and the manifest's own map.

use iotsec_core::{
    cbor::{self, Kind, Reader, Type, Writer},
    crypto::{DIGEST_LEN, Digest},
};

use crate::{
    authenticate::Authenticated,
    command::{Items, count},
    digest,
    envelope::{Envelope, SEVERABLE},
    error::UpdateError,
    plan::Plan,
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
pub struct ComponentId<'a>(Option<&'a [u8]>);

/// Names are short; the longest seen in the drafts' examples takes 60 bytes.
const ID_LIMITS: cbor::Limits = cbor::Limits {
    depth: 1,
    items: 16,
    bytes: 128,
};

impl<'a> ComponentId<'a> {
    /// Fills places that are not used. All zero, as the rest of an empty plan: it takes no constant.
    pub(crate) const NONE: Self = Self(None);

    /// From its CBOR encoding, such as `81 41 00` for `[h'00']`.
    ///
    /// # Errors
    /// [`UpdateError::Cose`] for anything but a deterministically encoded array of up to 15 byte
    /// strings, in up to 128 bytes.
    pub fn from_encoded(encoded: &'a [u8]) -> Result<Self, UpdateError> {
        let mut reader = Reader::new(encoded, &ID_LIMITS)?;
        for _ in 0..count(reader.array()?) {
            reader.bytes()?;
        }
        Ok(Self(Some(encoded)))
    }

    /// Encodes `parts` into `out`.
    ///
    /// # Errors
    /// [`UpdateError::Cose`] when `out` is too small.
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
        match self.0 {
            Some(encoded) => encoded,
            None => &[],
        }
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
    /// Of the whole envelope.
    pub(crate) root: Reader<'a>,
    pub(crate) sequence: SequenceNumber,
    /// How many components it has.
    pub(crate) components: usize,
    /// Where in the envelope each [`Section`] stands.
    sections: [usize; 6],
}

/// Where the commands of a section are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Missing,
    /// Severed, and not in the envelope.
    Absent,
    Present,
}

/// Instead of a place: the section is not in the manifest, or was severed and is not in the envelope.
const MISSING: usize = 0;
const ABSENT: usize = usize::MAX;

const VERSION: i32 = 1;
const SEQUENCE_NUMBER: i32 = 2;
const COMMON: i32 = 3;
const REFERENCE_URI: i32 = 4;
const VALIDATE: i32 = 7;
const LOAD: i32 = 8;
const INVOKE: i32 = 9;
const PAYLOAD_FETCH: i32 = SEVERABLE[0];
const INSTALL: i32 = SEVERABLE[1];
const TEXT: i32 = SEVERABLE[2];
/// All of them, the sections first.
const LABELS: [i32; 10] = [
    COMMON,
    PAYLOAD_FETCH,
    INSTALL,
    VALIDATE,
    LOAD,
    INVOKE,
    TEXT,
    VERSION,
    SEQUENCE_NUMBER,
    REFERENCE_URI,
];
const COMMON_COMPONENTS: i32 = 2;
const COMMON_SHARED: i32 = 4;

impl<'a> Manifest<'a> {
    /// Reads the manifest, and its components into `plan`.
    pub(crate) fn parse(
        authenticated: &Authenticated<'a>,
        hash: &mut dyn Digest,
        plan: &mut Plan<'a>,
    ) -> Result<Self, UpdateError> {
        let envelope = &authenticated.envelope;
        let limits = &envelope.limits;
        if envelope.is_extended() {
            return Err(UpdateError::ElementUnsupported);
        }
        let root = &envelope.root;
        let mut reader = envelope.manifest().embedded(&limits.cbor(2))?;
        let missing = reader.error(Kind::MissingKey);
        let mut places = [MISSING; LABELS.len()];
        let other = reader.places(&LABELS, &mut places)?;
        if other != 0 {
            return Err(root.seek(other).error(Kind::UnknownKey).into());
        }
        let [
            common,
            fetch,
            install,
            validate,
            load,
            invoke,
            text,
            version,
            sequence,
            uri,
        ] = places;
        if version == MISSING || sequence == MISSING || common == MISSING {
            return Err(missing.into());
        }
        if root.seek(version).uint()? != 1 {
            return Err(UpdateError::Version);
        }
        plan.sequence = SequenceNumber(root.seek(sequence).uint()?);
        if uri != MISSING && root.seek(uri).peek()? != Type::Text {
            return Err(root.seek(uri).error(Kind::Type).into());
        }
        let mut severable = [fetch, install, text];
        for (index, place) in severable.iter_mut().enumerate() {
            *place = find_severable(envelope, *place, envelope.severed(index), hash)?;
        }
        let [fetch, install, _] = severable;
        let mut common = root.seek(common).embedded(&limits.cbor(3))?;
        let shared = read_common(&mut common, limits.most_components(), plan)?;
        Ok(Self {
            root: root.clone(),
            sequence: plan.sequence,
            components: plan.count,
            sections: [shared, fetch, install, validate, load, invoke],
        })
    }

    /// The sequence number, read again: one skipped instruction does not change both.
    #[inline(never)]
    pub(crate) fn sequence_again(authenticated: &Authenticated<'_>) -> Result<SequenceNumber, UpdateError> {
        let limits = &authenticated.envelope.limits;
        let mut reader = authenticated.envelope.manifest().embedded(&limits.cbor(2))?;
        let mut place = [MISSING];
        reader.places(&[SEQUENCE_NUMBER], &mut place)?;
        // The envelope does not begin with a number: what is missing is none.
        let [place] = place;
        Ok(SequenceNumber(reader.seek(place).uint()?))
    }

    fn body(&self, section: Section) -> Body {
        match self.place(section) {
            MISSING => Body::Missing,
            ABSENT => Body::Absent,
            _ => Body::Present,
        }
    }

    /// Begins with the commands of a section, if it is there.
    #[inline(never)]
    pub(crate) fn commands(&self, section: Section, commands: &mut Items) -> Result<Body, UpdateError> {
        let body = self.body(section);
        if body == Body::Present {
            commands.open(&mut self.root.seek(self.place(section)))?;
        }
        Ok(body)
    }

    fn place(&self, section: Section) -> usize {
        self.sections.get(section.index()).copied().unwrap_or(MISSING)
    }
}

impl Section {
    const fn index(self) -> usize {
        match self {
            Self::Shared => 0,
            Self::Fetch => 1,
            Self::Install => 2,
            Self::Validate => 3,
            Self::Load => 4,
            Self::Invoke => 5,
        }
    }
}

/// Finds a severable member: a byte string in the manifest, or a digest there and, maybe, the byte string in the
/// envelope. What is there is always checked against its digest, also when it is only text. Returns where
/// the byte string stands.
#[inline(never)]
fn find_severable(
    envelope: &Envelope<'_>,
    inside: usize,
    outside: usize,
    hash: &mut dyn Digest,
) -> Result<usize, UpdateError> {
    let mut reader = envelope.root.seek(inside);
    if inside == MISSING || reader.peek()? != Type::Array {
        if outside != MISSING {
            return Err(UpdateError::ElementUnauthenticated);
        }
        if inside != MISSING {
            reader.bytes()?;
        }
        return Ok(inside);
    }
    let digest: &[u8; DIGEST_LEN] = digest::read(&mut reader)?;
    if outside == MISSING {
        return Ok(ABSENT);
    }
    let element = envelope.root.seek(outside).skip()?;
    if digest::equal(&digest::of(hash, element), digest) {
        Ok(outside)
    } else {
        Err(UpdateError::ElementDigest)
    }
}

/// Reads the components into `plan`, and returns where the shared sequence stands.
fn read_common<'a>(reader: &mut Reader<'a>, most: usize, plan: &mut Plan<'a>) -> Result<usize, UpdateError> {
    let missing = reader.error(Kind::MissingKey);
    let mut places = [MISSING; 2];
    let other = reader.places(&[COMMON_COMPONENTS, COMMON_SHARED], &mut places)?;
    if other != 0 {
        return Err(reader.seek(other).error(Kind::UnknownKey).into());
    }
    let [components, shared] = places;
    if components == MISSING || shared == MISSING {
        return Err(missing.into());
    }
    let mut reader = reader.seek(components);
    for _ in 0..count(reader.array()?) {
        let id = ComponentId::from_encoded(reader.skip()?)?;
        if plan.components().iter().any(|other| other.id == id) {
            return Err(UpdateError::ComponentDuplicate);
        }
        if plan.count >= most {
            return Err(UpdateError::Components);
        }
        plan.push(id)?;
    }
    if plan.count == 0 {
        return Err(missing.into());
    }
    Ok(shared)
}
