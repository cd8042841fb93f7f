//! The sections of the manifest.

use iotsec_core::{
    cbor::{CborError, Writer},
    crypto::{DIGEST_LEN, Digest},
};

use super::{EnvelopeBuilder, Payload, length};
use crate::{command::key, digest, error::UpdateError, payload::Transport};

/// The encoded byte strings that make up the envelope.
pub(super) struct Parts<'s> {
    pub(super) manifest: &'s [u8],
    pub(super) install: &'s [u8],
    pub(super) text: &'s [u8],
}

impl<'s> Parts<'s> {
    pub(super) fn write(
        builder: &EnvelopeBuilder<'_>,
        hash: &mut dyn Digest,
        scratch: &'s mut [u8],
    ) -> Result<Self, UpdateError> {
        let mut writer = Writer::new(scratch);
        writer.embedded(|inner| builder.write_install(inner))?;
        let install_len = writer.len();
        writer.embedded(|inner| builder.write_text(inner))?;
        let text_end = writer.len();
        let full = || UpdateError::Builder;
        let (parts, rest) = scratch.split_at_mut_checked(text_end).ok_or_else(full)?;
        let (install, text) = parts.split_at_checked(install_len).ok_or_else(full)?;
        let (install_digest, text_digest) = (digest::of(hash, install), digest::of(hash, text));

        let mut writer = Writer::new(rest);
        writer.embedded(|inner| builder.write_manifest(inner, install, &install_digest, &text_digest))?;
        Ok(Self {
            manifest: writer.finish()?,
            install,
            text,
        })
    }
}

/// Ask for a report of success and failure, and of the values at failure.
const REPORT: u64 = 15;
/// Ask for a report of failures.
const REPORT_FAILURE: u64 = 2;

impl EnvelopeBuilder<'_> {
    fn write_manifest(
        &self,
        writer: &mut Writer<'_>,
        install: &[u8],
        install_digest: &[u8; DIGEST_LEN],
        text_digest: &[u8; DIGEST_LEN],
    ) -> Result<(), CborError> {
        let invoked = self
            .components
            .iter()
            .filter(|component| component.invoke)
            .count();
        let optional = [
            self.reference_uri.is_some(),
            invoked > 0,
            self.installs() > 0,
            self.description.is_some(),
        ];
        let optional = optional.iter().filter(|present| **present).count();
        writer.map(u64::try_from(optional).unwrap_or(0).saturating_add(4))?;
        writer.uint(1)?.uint(1)?;
        writer.uint(2)?.uint(self.sequence.0)?;
        writer.uint(3)?.embedded(|inner| self.write_common(inner))?;
        if let Some(uri) = self.reference_uri {
            writer.uint(4)?.text(uri)?;
        }
        writer.uint(7)?.embedded(|inner| self.write_validate(inner))?;
        if invoked > 0 {
            writer
                .uint(9)?
                .embedded(|inner| self.write_invoke(inner, invoked))?;
        }
        if self.installs() > 0 {
            writer.uint(20)?;
            if self.sever_install {
                digest::write(writer, install_digest)?;
            } else {
                writer.raw(install)?;
            }
        }
        if self.description.is_some() {
            writer.uint(23)?;
            digest::write(writer, text_digest)?;
        }
        Ok(())
    }

    fn write_common(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        writer.map(2)?.uint(2)?.array(length(self.components))?;
        for component in self.components {
            writer.raw(component.id.encoded())?;
        }
        writer.uint(4)?.embedded(|inner| self.write_shared(inner))?;
        Ok(())
    }

    /// Vendor, class, digest and size of every component, and the checks of the first two.
    fn write_shared(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        let per_component = 3u64
            .saturating_add(u64::from(self.several()))
            .saturating_add(u64::from(self.device.is_some()));
        writer.array(
            length(self.components)
                .saturating_mul(per_component)
                .saturating_mul(2),
        )?;
        for (index, component) in (0u64..).zip(self.components) {
            self.select(writer, index)?;
            writer
                .uint(20)?
                .map(4u64.saturating_add(u64::from(self.device.is_some())))?;
            writer.uint(1)?.bytes(&self.vendor)?;
            writer.uint(2)?.bytes(&self.class)?;
            writer
                .uint(3)?
                .embedded(|inner| digest::write(inner, &component.digest))?;
            writer.uint(14)?.uint(u64::from(component.size))?;
            if let Some(device) = &self.device {
                writer.uint(24)?.bytes(device)?;
            }
            writer.uint(1)?.uint(REPORT)?.uint(2)?.uint(REPORT)?;
            if self.device.is_some() {
                writer.uint(24)?.uint(REPORT)?;
            }
        }
        Ok(())
    }

    fn write_validate(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        writer.array(if self.several() { 4 } else { 2 })?;
        if self.several() {
            writer.uint(12)?.bool(true)?;
        }
        writer.uint(3)?.uint(REPORT)?;
        Ok(())
    }

    fn write_invoke(&self, writer: &mut Writer<'_>, invoked: usize) -> Result<(), CborError> {
        let per_component: u64 = if self.several() { 4 } else { 2 };
        writer.array(u64::try_from(invoked).unwrap_or(0).saturating_mul(per_component))?;
        for (index, _) in (0u64..)
            .zip(self.components)
            .filter(|(_, component)| component.invoke)
        {
            self.select(writer, index)?;
            writer.uint(23)?.uint(REPORT_FAILURE)?;
        }
        Ok(())
    }

    fn write_install(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        let per_component: u64 = if self.several() { 8 } else { 6 };
        let installs = u64::try_from(self.installs()).unwrap_or(0);
        let expiry = if self.use_before.is_some() {
            if self.several() { 6 } else { 4 }
        } else {
            0
        };
        writer.array(installs.saturating_mul(per_component).saturating_add(expiry))?;
        if let Some(time) = self.use_before {
            self.select(writer, 0)?;
            writer
                .uint(20)?
                .map(1)?
                .uint(4)?
                .uint(time.0)?
                .uint(4)?
                .uint(REPORT)?;
        }
        for (index, component) in (0u64..).zip(self.components) {
            let uri = match component.payload {
                Payload::Present => continue,
                Payload::Uri(uri) | Payload::Integrated { name: uri, .. } => uri,
            };
            self.select(writer, index)?;
            write_source(writer, uri, component.transport.as_ref())?;
            writer.uint(21)?.uint(REPORT_FAILURE)?;
            writer.uint(3)?.uint(REPORT)?;
        }
        Ok(())
    }

    /// `SUIT_Text_Map = {tstr language: {1: manifest description}}`
    fn write_text(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        let text = self.description.unwrap_or_default();
        writer.map(1)?.text("en")?.map(1)?.uint(1)?.text(text)?;
        Ok(())
    }

    fn select(&self, writer: &mut Writer<'_>, index: u64) -> Result<(), CborError> {
        if self.several() {
            writer.uint(12)?.uint(index)?;
        }
        Ok(())
    }

    fn several(&self) -> bool {
        self.components.len() > 1
    }
}

/// Where the payload is, and how it becomes the image.
fn write_source(
    writer: &mut Writer<'_>,
    uri: &str,
    transport: Option<&Transport<'_>>,
) -> Result<(), CborError> {
    let encryption = transport.and_then(|transport| transport.encryption);
    let chunks = transport.and_then(|transport| transport.chunks);
    let encoding = transport.filter(|transport| transport.is_told());
    let told = [encryption.is_some(), chunks.is_some(), encoding.is_some()];
    let told = told.iter().filter(|told| **told).count();
    writer
        .uint(20)?
        .map(u64::try_from(told).unwrap_or(0).saturating_add(1))?;
    if let Some(encryption) = encryption {
        writer.uint(19)?.bytes(encryption)?;
    }
    writer.uint(21)?.text(uri)?;
    if let Some(chunks) = chunks {
        writer
            .int(key::CHUNK_DIGESTS.into())?
            .embedded(|inner| chunks.write(inner))?;
    }
    if let Some(encoding) = encoding {
        writer
            .int(key::PAYLOAD_ENCODING.into())?
            .embedded(|inner| encoding.write(inner))?;
    }
    Ok(())
}
