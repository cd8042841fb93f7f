//! What the manifest says of the payload as it is transported.

use iotsec_core::{
    cbor::{self, CborError, Reader, Writer},
    crypto::DIGEST_LEN,
};

use crate::{digest, error::UpdateError};

/// A payload as it is transported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport<'a> {
    /// Bytes.
    pub size: u32,
    /// SHA-256 of all of it, where the manifest tells.
    pub digest: Option<&'a [u8; DIGEST_LEN]>,
    /// SHA-256 of its chunks, where the manifest tells.
    pub chunks: Option<Chunks<'a>>,
    /// How the image was made from it, after decryption.
    pub encoding: Encoding<'a>,
    /// COSE_Encrypt_Tagged, if it is encrypted.
    pub encryption: Option<&'a [u8]>,
}

/// What a payload is, after decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding<'a> {
    /// The image.
    Plain,
    /// The image, compressed by heatshrink.
    Heatshrink {
        /// Bytes of the window, as a power of two.
        window: u8,
        /// Bytes of the longest repetition, as a power of two.
        lookahead: u8,
    },
    /// A sequential patch of detools.
    Delta {
        /// SHA-256 of the image that it applies to.
        base: &'a [u8; DIGEST_LEN],
        /// Bytes of that image.
        base_size: u32,
    },
}

/// A digest for each chunk of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks<'a> {
    size: u32,
    digests: &'a [[u8; DIGEST_LEN]],
}

/// Least bytes of a chunk: eight bytes of payload for a byte of digest.
const MIN_CHUNK: u32 = 256;

impl<'a> Chunks<'a> {
    /// `size` bytes a chunk, the last one may be shorter.
    ///
    /// # Errors
    /// [`UpdateError::Transport`] unless `size` is a power of two from 256 up.
    pub fn new(size: u32, digests: &'a [[u8; DIGEST_LEN]]) -> Result<Self, UpdateError> {
        if size < MIN_CHUNK || !size.is_power_of_two() {
            return Err(UpdateError::Transport);
        }
        Ok(Self { size, digests })
    }

    /// `[chunk-size, digests]`
    pub(crate) fn read(encoded: &'a [u8], limits: &cbor::Limits) -> Result<Self, UpdateError> {
        let mut reader = Reader::new(encoded, limits)?;
        reader.array_len(2)?;
        let size = reader.uint_as()?;
        let (digests, rest) = reader.bytes()?.as_chunks();
        reader.finish()?;
        if !rest.is_empty() {
            return Err(UpdateError::Transport);
        }
        Self::new(size, digests)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        writer
            .array(2)?
            .uint(self.size.into())?
            .bytes(self.digests.as_flattened())?;
        Ok(())
    }

    /// Bytes of every chunk but the last.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// SHA-256 of the chunk that begins at byte `index * size`.
    pub fn digest(&self, index: u32) -> Option<&'a [u8; DIGEST_LEN]> {
        self.digests.get(usize::try_from(index).ok()?)
    }

    fn fit(&self, payload: u32) -> bool {
        // Checked, although no chunk is empty: the compiler has to see that nothing divides by zero.
        let chunks = payload.checked_div(self.size).zip(payload.checked_rem(self.size));
        let chunks = chunks.map(|(whole, rest)| whole.saturating_add((rest != 0).into()));
        chunks.and_then(|chunks| usize::try_from(chunks).ok()) == Some(self.digests.len())
    }
}

impl<'a> Transport<'a> {
    /// A payload that is the image.
    pub const fn plain(size: u32) -> Self {
        Self {
            size,
            digest: None,
            chunks: None,
            encoding: Encoding::Plain,
            encryption: None,
        }
    }

    /// Whether the payload is the image, byte for byte.
    pub const fn is_plain(&self) -> bool {
        matches!(self.encoding, Encoding::Plain) && self.encryption.is_none()
    }

    /// Whether the manifest tells a digest over the payload, or over its chunks.
    pub(crate) const fn has_digest(&self) -> bool {
        self.digest.is_some() || self.chunks.is_some()
    }

    /// `{1: size, ? 2: digest, ? 3: encoding}`
    fn read(encoded: &'a [u8], limits: &cbor::Limits) -> Result<Self, UpdateError> {
        let mut reader = Reader::new(encoded, limits)?;
        let entries = reader.map()?;
        let mut transport = Self::plain(0);
        for entry in 0..entries {
            match (entry, reader.int()?) {
                (0, 1) => transport.size = reader.uint_as()?,
                (1.., 2) => transport.digest = Some(digest::read(&mut reader)?),
                (1.., 3) => transport.encoding = Encoding::read(&mut reader)?,
                _ => return Err(UpdateError::Transport),
            }
        }
        reader.finish()?;
        if transport.size == 0 {
            return Err(UpdateError::Transport);
        }
        Ok(transport)
    }

    /// Whether the manifest has to say more of the payload than digest and size of the image.
    pub(crate) fn is_told(&self) -> bool {
        self.digest.is_some() || !self.is_plain()
    }

    /// `{1: size, ? 2: digest, ? 3: encoding}`
    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        let encoded = u64::from(self.encoding != Encoding::Plain);
        let entries = 1u64
            .saturating_add(self.digest.is_some().into())
            .saturating_add(encoded);
        writer.map(entries)?.uint(1)?.uint(self.size.into())?;
        if let Some(digest) = self.digest {
            digest::write(writer.uint(2)?, digest)?;
        }
        if encoded > 0 {
            self.encoding.write(writer.uint(3)?)?;
        }
        Ok(())
    }
}

impl<'a> Encoding<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, UpdateError> {
        let items = reader.array()?;
        match (items, reader.uint()?) {
            (3, 1) => {
                let (window, lookahead) = (reader.uint_as()?, reader.uint_as()?);
                // The bounds of the format: 2^4..2^15 bytes of window, a lookahead within it.
                if !(4..=15).contains(&window) || lookahead < 3 || lookahead >= window {
                    return Err(UpdateError::Transport);
                }
                Ok(Self::Heatshrink { window, lookahead })
            }
            (3, 2) => Ok(Self::Delta {
                base: digest::read(reader)?,
                base_size: reader.uint_as()?,
            }),
            _ => Err(UpdateError::Transport),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        writer.array(3)?;
        match self {
            Self::Plain => writer.uint(0)?.uint(0)?.uint(0)?,
            Self::Heatshrink { window, lookahead } => writer
                .uint(1)?
                .uint((*window).into())?
                .uint((*lookahead).into())?,
            Self::Delta { base, base_size } => {
                digest::write(writer.uint(2)?, base)?;
                writer.uint((*base_size).into())?
            }
        };
        Ok(())
    }
}

/// The parameters as they stand in the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawTransport<'a> {
    pub(crate) encryption: Option<&'a [u8]>,
    pub(crate) chunks: Option<&'a [u8]>,
    pub(crate) encoding: Option<&'a [u8]>,
}

/// The deepest value is a digest in an encoding in the map, and that makes twelve items. The bytes were
/// counted as part of the envelope.
const LIMITS: cbor::Limits = cbor::Limits {
    depth: 3,
    items: 16,
    bytes: u32::MAX,
};

impl<'a> RawTransport<'a> {
    pub(crate) fn check_chunks(encoded: &[u8]) -> Result<(), UpdateError> {
        Chunks::read(encoded, &LIMITS).map(|_| ())
    }

    pub(crate) fn check_encoding(encoded: &[u8]) -> Result<(), UpdateError> {
        Transport::read(encoded, &LIMITS).map(|_| ())
    }

    /// What they say of the payload of an image of `image_size` bytes.
    ///
    /// # Errors
    /// [`UpdateError::Transport`] when they are malformed or contradict each other.
    pub(crate) fn parse(&self, image_size: u32) -> Result<Transport<'a>, UpdateError> {
        let mut transport = match self.encoding {
            Some(encoded) => Transport::read(encoded, &LIMITS)?,
            None => Transport::plain(image_size),
        };
        transport.encryption = self.encryption;
        if let Some(encoded) = self.chunks {
            transport.chunks = Some(Chunks::read(encoded, &LIMITS)?);
        }
        let whole = transport.chunks.is_none_or(|chunks| chunks.fit(transport.size));
        if !whole || (transport.is_plain() && transport.size != image_size) {
            return Err(UpdateError::Transport);
        }
        Ok(transport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer<'_>) -> Result<(), CborError>, out: &mut [u8]) -> &[u8] {
        let mut writer = Writer::new(out);
        write(&mut writer).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let encodings = [
            Encoding::Plain,
            Encoding::Heatshrink {
                window: 8,
                lookahead: 7,
            },
            Encoding::Delta {
                base: &[7; 32],
                base_size: 1000,
            },
        ];
        for encoding in encodings {
            let transport = Transport {
                size: 300,
                digest: Some(&[9; 32]),
                chunks: Some(Chunks::new(256, &[[1; 32], [2; 32]]).unwrap()),
                encoding,
                encryption: None,
            };
            let (mut chunks, mut told) = ([0; 128], [0; 128]);
            let raw = RawTransport {
                encryption: None,
                chunks: Some(written(|to| transport.chunks.unwrap().write(to), &mut chunks)),
                encoding: Some(written(|to| transport.write(to), &mut told)),
            };
            assert_eq!(raw.parse(300), Ok(transport));
        }
        assert_eq!(RawTransport::default().parse(7), Ok(Transport::plain(7)));
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |raw: RawTransport<'_>| assert!(raw.parse(300).is_err(), "{raw:?}");
        let told = |bytes| RawTransport {
            encoding: Some(bytes),
            ..RawTransport::default()
        };
        // A plain payload of another size, no size, an unknown entry, an unknown encoding.
        refused(told(&[0xA1, 0x01, 0x18, 0x64]));
        refused(told(&[0xA0]));
        refused(told(&[0xA2, 0x01, 0x18, 0x64, 0x04, 0x01]));
        refused(told(&[0xA2, 0x01, 0x18, 0x64, 0x03, 0x83, 0x03, 0x08, 0x07]));
        // A lookahead as large as the window, a window out of range.
        refused(told(&[0xA2, 0x01, 0x18, 0x64, 0x03, 0x83, 0x01, 0x08, 0x08]));
        refused(told(&[0xA2, 0x01, 0x18, 0x64, 0x03, 0x83, 0x01, 0x10, 0x08]));
        let chunks = |bytes| RawTransport {
            chunks: Some(bytes),
            ..RawTransport::default()
        };
        // Too few digests, a part of one, a chunk size that is none.
        refused(chunks(&[0x82, 0x19, 0x01, 0x00, 0x40]));
        refused(chunks(&[0x82, 0x19, 0x02, 0x00, 0x41, 0x00]));
        refused(chunks(&[0x82, 0x19, 0x02, 0x01, 0x40]));
        refused(chunks(&[0x82, 0x18, 0x80, 0x40]));
    }
}
