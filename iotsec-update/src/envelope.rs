//! The outer map of a SUIT envelope, read without touching the manifest.

#[cfg(test)]
mod tests;

use iotsec_core::cbor::{self, Key, Kind, Reader, Type};

use crate::{error::UpdateError, plan::MAX_COMPONENTS};

/// How much one envelope may ask of the device. Exceeding each has its own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the envelope, integrated payloads not counted.
    pub envelope: u32,
    /// Bytes of all integrated payloads together.
    pub integrated: u32,
    /// Authentication blocks.
    pub blocks: u8,
    /// Signature checks; each takes tens of milliseconds on a small core.
    pub signature_checks: u8,
    /// Components; never more than [`MAX_COMPONENTS`].
    pub components: u8,
    /// Command sequences inside one another, a section counting as one; never more than 4.
    pub depth: u8,
    /// Commands of the whole manifest, and commands run by each of its sections.
    pub commands: u16,
}

impl Limits {
    /// What fits a device with 64 KB of RAM.
    pub const DEFAULT: Self = Self {
        // A signed manifest for one component takes 300 bytes, with eight about 1.5 KiB; a text section
        // and several signatures fit in what is left of one small flash page.
        envelope: 4096,
        // All the RAM such a device has: the envelope is in memory while it is read.
        integrated: 65536,
        // Enough for a maker, an operator and a regulator during a key change of each.
        blocks: 8,
        // Two trust anchors tried per block; at 45 ms each that is 0.7 s on a 64 MHz Cortex-M4.
        signature_checks: 16,
        // Application, radio, boot loader, configuration, model, and some to spare.
        components: 8,
        // A try-each inside a run-sequence inside a section, and one more.
        depth: 4,
        // Eight components take about 70 commands.
        commands: 128,
    };

    /// What the strict reader may do with an item inside the envelope that nests `depth` levels.
    pub(crate) const fn cbor(&self, depth: u8) -> cbor::Limits {
        cbor::Limits {
            depth,
            items: 1024,
            bytes: self.envelope,
        }
    }

    pub(crate) fn most_components(&self) -> usize {
        usize::from(self.components).min(MAX_COMPONENTS)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An envelope whose outer form is right. Nothing in it is authentic, and nothing of the manifest was
/// looked at.
///
/// ```text
/// SUIT_Envelope = #6.107({
///   2: bstr .cbor SUIT_Authentication,
///   3: bstr .cbor SUIT_Manifest,
///   ? 16 / 20 / 23: bstr,            ; severed payload-fetch, install, text
///   * tstr: bstr                     ; integrated payloads
/// })
/// ```
///
/// ```
/// use iotsec_update::{Envelope, Limits, UpdateError};
///
/// let untagged = [0xA2, 0x02, 0x40, 0x03, 0x40];
/// assert_eq!(Envelope::parse(&untagged, &Limits::DEFAULT).err(), Some(UpdateError::NotAnEnvelope));
/// ```
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    pub(crate) bytes: &'a [u8],
    /// At its end.
    pub(crate) root: Reader<'a>,
    /// Where the element under each of [`KEYS`] stands, and zero for none.
    places: [usize; KEYS.len()],
    /// Where the name of the first integrated payload stands, and zero for none.
    payloads: usize,
    pub(crate) limits: Limits,
}

const TAG: u64 = 107;
const AUTHENTICATION: i32 = 2;
const MANIFEST: i32 = 3;
/// Severable members: payload-fetch, install, text.
pub(crate) const SEVERABLE: [i32; 3] = [16, 20, 23];
/// Severable members of extensions: coswid, dependency-resolution, candidate-verification. Whether such
/// an envelope is authentic can be told; what it asks for is refused at admission.
const EXTENSIONS: [i32; 3] = [14, 15, 18];
/// Everything that an envelope may have under an integer.
const KEYS: [i32; 8] = [
    AUTHENTICATION,
    MANIFEST,
    SEVERABLE[0],
    SEVERABLE[1],
    SEVERABLE[2],
    EXTENSIONS[0],
    EXTENSIONS[1],
    EXTENSIONS[2],
];
/// The tag, the map, and up to 20 entries.
const MAX_ITEMS: u16 = 42;

impl<'a> Envelope<'a> {
    /// Reads the outer map of `bytes`.
    ///
    /// # Errors
    /// [`UpdateError::NotAnEnvelope`] without tag 107; [`UpdateError::EnvelopeSize`] or
    /// [`UpdateError::IntegratedSize`] beyond `limits`; [`UpdateError::Cose`] for anything but a
    /// deterministically encoded map of known keys.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, UpdateError> {
        let most = limits.envelope.saturating_add(limits.integrated);
        if !u32::try_from(bytes.len()).is_ok_and(|len| len <= most) {
            return Err(UpdateError::EnvelopeSize);
        }
        let outer = cbor::Limits {
            depth: 2,
            items: MAX_ITEMS,
            bytes: most,
        };
        let mut reader = Reader::new(bytes, &outer)?;
        if !reader.tag().is_ok_and(|tag| tag == TAG) {
            return Err(UpdateError::NotAnEnvelope);
        }
        let missing = reader.error(Kind::MissingKey);
        let mut entries = reader.clone();
        let _ = entries.map()?;
        let first = entries.offset();
        let mut places = [0; KEYS.len()];
        let payloads = reader.places(&KEYS, &mut places)?;
        let mut integrated = 0usize;
        let mut entry = reader.seek(first);
        while !entry.is_at_end() {
            let is_payload = payloads != 0 && entry.offset() >= payloads;
            if is_payload && entry.peek()? != Type::Text {
                return Err(entry.error(Kind::UnknownKey).into());
            }
            entry.skip()?;
            if entry.peek()? != Type::Bytes {
                return Err(entry.error(Kind::Type).into());
            }
            let len = entry.skip()?.len();
            if is_payload {
                integrated = integrated.saturating_add(len);
            }
        }
        if !u32::try_from(integrated).is_ok_and(|len| len <= limits.integrated) {
            return Err(UpdateError::IntegratedSize);
        }
        let rest = bytes.len().saturating_sub(integrated);
        if !u32::try_from(rest).is_ok_and(|len| len <= limits.envelope) {
            return Err(UpdateError::EnvelopeSize);
        }
        let [authentication, manifest, ..] = places;
        if authentication == 0 || manifest == 0 {
            return Err(missing.into());
        }
        Ok(Self {
            bytes,
            root: reader,
            places,
            payloads,
            limits: *limits,
        })
    }

    /// The bytes it was read from.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// At the authentication wrapper.
    pub(crate) fn authentication(&self) -> Reader<'a> {
        let [place, ..] = self.places;
        self.root.seek(place)
    }

    /// At the manifest.
    pub(crate) fn manifest(&self) -> Reader<'a> {
        let [_, place, ..] = self.places;
        self.root.seek(place)
    }

    /// Where the severed element stands under the key with this index in [`SEVERABLE`], and zero for none.
    pub(crate) fn severed(&self, index: usize) -> usize {
        let [_, _, severed @ ..] = &self.places;
        severed.get(index).copied().unwrap_or(0)
    }

    /// Has an element that belongs to a SUIT extension.
    pub(crate) fn is_extended(&self) -> bool {
        let [.., a, b, c] = self.places;
        (a | b | c) != 0
    }

    /// The integrated payload called `name`.
    pub(crate) fn integrated(&self, name: &str) -> Option<&'a [u8]> {
        let mut reader = self.root.seek(self.payloads);
        while self.payloads != 0 && !reader.is_at_end() {
            let found = reader.key() == Ok(Key::Text(name));
            let element = reader.clone();
            reader.skip().ok()?;
            if found {
                return { element }.bytes().ok();
            }
        }
        None
    }
}
