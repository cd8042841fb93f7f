use iotsec_core::{
    cbor::{self, Key, Reader},
    crypto::DIGEST_LEN,
};

use crate::{digest, error::UpdateError, payload::RawTransport};

/// Private use (below -256): digests of the payload's chunks.
pub(crate) const CHUNK_DIGESTS: i64 = -257;
/// Private use: size, digest and encoding of the payload.
pub(crate) const PAYLOAD_ENCODING: i64 = -258;

/// What override-parameters has set for one component.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parameters<'a> {
    pub(crate) vendor: Option<&'a [u8; 16]>,
    pub(crate) class: Option<&'a [u8; 16]>,
    pub(crate) device: Option<&'a [u8; 16]>,
    pub(crate) digest: Option<&'a [u8; DIGEST_LEN]>,
    pub(crate) size: Option<u32>,
    pub(crate) slot: Option<u64>,
    pub(crate) use_before: Option<u64>,
    pub(crate) content: Option<&'a [u8]>,
    pub(crate) uri: Option<&'a str>,
    pub(crate) source: Option<usize>,
    pub(crate) invoke_arguments: Option<&'a [u8]>,
    pub(crate) fetch_arguments: Option<&'a [u8]>,
    pub(crate) transport: RawTransport<'a>,
}

/// One entry of override-parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Assignment<'a> {
    Vendor(&'a [u8; 16]),
    Class(&'a [u8; 16]),
    Device(&'a [u8; 16]),
    Digest(&'a [u8; DIGEST_LEN]),
    Size(u32),
    Slot(u64),
    UseBefore(u64),
    Content(&'a [u8]),
    Uri(&'a str),
    Source(usize),
    InvokeArguments(&'a [u8]),
    FetchArguments(&'a [u8]),
    Encryption(&'a [u8]),
    Chunks(&'a [u8]),
    Encoding(&'a [u8]),
    /// Of the sequence, not of a component.
    StrictOrder(bool),
    /// Of the sequence, not of a component.
    SoftFailure(bool),
}

impl<'a> Parameters<'a> {
    /// Sets a parameter, whatever it was before.
    pub(crate) fn set(&mut self, assignment: Assignment<'a>) {
        match assignment {
            Assignment::Vendor(id) => self.vendor = Some(id),
            Assignment::Class(id) => self.class = Some(id),
            Assignment::Device(id) => self.device = Some(id),
            Assignment::Digest(digest) => self.digest = Some(digest),
            Assignment::Size(size) => self.size = Some(size),
            Assignment::Slot(slot) => self.slot = Some(slot),
            Assignment::UseBefore(time) => self.use_before = Some(time),
            Assignment::Content(content) => self.content = Some(content),
            Assignment::Uri(uri) => self.uri = Some(uri),
            Assignment::Source(source) => self.source = Some(source),
            Assignment::InvokeArguments(arguments) => self.invoke_arguments = Some(arguments),
            Assignment::FetchArguments(arguments) => self.fetch_arguments = Some(arguments),
            Assignment::Encryption(info) => self.transport.encryption = Some(info),
            Assignment::Chunks(digests) => self.transport.chunks = Some(digests),
            Assignment::Encoding(encoding) => self.transport.encoding = Some(encoding),
            Assignment::StrictOrder(_) | Assignment::SoftFailure(_) => {}
        }
    }
}

/// The entries of one override-parameters that are still to come.
#[derive(Clone, Debug)]
pub(crate) struct Assignments<'a> {
    reader: Reader<'a>,
    left: u64,
    limits: cbor::Limits,
}

impl<'a> Assignments<'a> {
    /// `{+ parameter: value}`
    pub(super) fn read(reader: &mut Reader<'a>, limits: &cbor::Limits) -> Result<Self, UpdateError> {
        let left = reader.map()?;
        if left == 0 {
            return Err(UpdateError::Sequence);
        }
        let all = Self {
            reader: reader.clone(),
            left,
            limits: *limits,
        };
        for _ in 0..left {
            reader.skip()?;
            reader.skip()?;
        }
        Ok(all)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Assignment<'a>>, UpdateError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let reader = &mut self.reader;
        let Ok(Key::Int(key)) = reader.key() else {
            return Err(UpdateError::ParameterUnknown);
        };
        Ok(Some(match key {
            1 => Assignment::Vendor(reader.array_of()?),
            2 => Assignment::Class(reader.array_of()?),
            3 => Assignment::Digest(digest::read(&mut reader.embedded(&self.limits)?)?),
            4 => Assignment::UseBefore(reader.uint()?),
            5 => Assignment::Slot(reader.uint()?),
            12 => Assignment::StrictOrder(reader.bool()?),
            13 => Assignment::SoftFailure(reader.bool()?),
            14 => Assignment::Size(reader.uint_as()?),
            18 => Assignment::Content(reader.bytes()?),
            19 => Assignment::Encryption(reader.bytes()?),
            21 => Assignment::Uri(reader.text()?),
            22 => Assignment::Source(reader.uint_as().map_err(|_| UpdateError::ComponentIndex)?),
            23 => Assignment::InvokeArguments(reader.bytes()?),
            24 => Assignment::Device(reader.array_of()?),
            25 => Assignment::FetchArguments(reader.bytes()?),
            CHUNK_DIGESTS => Assignment::Chunks(reader.bytes()?),
            PAYLOAD_ENCODING => Assignment::Encoding(reader.bytes()?),
            _ => return Err(UpdateError::ParameterUnknown),
        }))
    }
}
