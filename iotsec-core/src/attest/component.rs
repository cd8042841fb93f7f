use super::error::AttestError;
use crate::cbor::{CborError, Kind, Reader, Writer};

const TYPE: i32 = 1;
const DIGEST: i32 = 2;
const VERSION: i32 = 4;
const SIGNER: i32 = 5;
const HASH: i32 = 6;

/// Something that was measured before it was started (RFC 9783 §4.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component<'a> {
    /// Its role: `BL`, `PRoT`, `ARoT`, `App` or `TS`, with `_CONFIG` for configuration.
    pub role: Option<&'a str>,
    /// Its hash as it was measured: 32, 48 or 64 bytes.
    pub digest: &'a [u8],
    /// Its version, as the signed manifest says it.
    pub version: Option<&'a str>,
    /// Who signed it, the hash of a public key: 32, 48 or 64 bytes.
    pub signer: &'a [u8],
    /// Which hash it was measured with, by its name in the Named Information registry: `sha-256`.
    pub hash: Option<&'a str>,
}

impl<'a> Component<'a> {
    /// Most components of a token. Devices have two to five; each is one image or manifest.
    pub const MAX_COUNT: usize = 16;
    /// Most bytes of each text.
    pub const MAX_TEXT: usize = 32;
    /// Bytes of the longest encoding.
    pub const MAX_LEN: usize = 1 + 3 * (1 + 2 + Self::MAX_TEXT) + 2 * (1 + 2 + 64);

    /// The image that runs: its SHA-256 as boot measured it, its version, and the thumbprint of the key that signed
    /// its manifest.
    pub const fn image(role: &'a str, digest: &'a [u8; 32], version: &'a str, signer: &'a [u8; 32]) -> Self {
        Self {
            role: Some(role),
            digest,
            version: Some(version),
            signer,
            hash: Some(SHA_256),
        }
    }

    /// The SUIT manifest by which an image was installed, by its SHA-256.
    pub const fn manifest(digest: &'a [u8; 32], version: &'a str, signer: &'a [u8; 32]) -> Self {
        Self::image(MANIFEST, digest, version, signer)
    }

    /// The product manifest that the firmware was built from, by its SHA-256, which `iotsec constants` makes a constant
    /// of: what the application has of identifiers, interfaces, telemetry and policy comes from there, so it is the
    /// application's configuration (`App_CONFIG`, RFC 9783 §4.4.1). `signer` is that of the image, whose digest covers
    /// the constant.
    pub const fn product(digest: &'a [u8; 32], version: &'a str, signer: &'a [u8; 32]) -> Self {
        Self::image(PRODUCT, digest, version, signer)
    }

    fn check(&self) -> Result<(), AttestError> {
        let is_hash = |bytes: &[u8]| matches!(bytes.len(), 32 | 48 | 64);
        let is_text = |text: &str| (1..=Self::MAX_TEXT).contains(&text.len());
        let texts = [self.role, self.version, self.hash];
        if is_hash(self.digest) && is_hash(self.signer) && texts.into_iter().flatten().all(is_text) {
            Ok(())
        } else {
            Err(AttestError::Component)
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), AttestError> {
        self.check()?;
        let texts = [self.role, self.version, self.hash].into_iter().flatten().count();
        let entries = u64::try_from(texts).unwrap_or(0).saturating_add(2);
        writer.map(entries)?;
        let text = |writer: &mut Writer<'_>, key: i32, text: Option<&str>| -> Result<(), CborError> {
            if let Some(text) = text {
                writer.int(key.into())?.text(text)?;
            }
            Ok(())
        };
        text(writer, TYPE, self.role)?;
        writer.int(DIGEST.into())?.bytes(self.digest)?;
        text(writer, VERSION, self.version)?;
        writer.int(SIGNER.into())?.bytes(self.signer)?;
        text(writer, HASH, self.hash)?;
        Ok(())
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, AttestError> {
        let (mut role, mut digest, mut version, mut signer, mut hash) = (None, None, None, None, None);
        for _ in 0..reader.map()? {
            match reader.label() {
                Some(TYPE) => role = Some(reader.text()?),
                Some(DIGEST) => digest = Some(reader.bytes()?),
                Some(VERSION) => version = Some(reader.text()?),
                Some(SIGNER) => signer = Some(reader.bytes()?),
                Some(HASH) => hash = Some(reader.text()?),
                Some(_) => {
                    reader.skip()?;
                }
                None => return Err(reader.error(Kind::UnknownKey).into()),
            }
        }
        let component = Self {
            role,
            digest: digest.ok_or(AttestError::Component)?,
            version,
            signer: signer.ok_or(AttestError::Component)?,
            hash,
        };
        component.check()?;
        Ok(component)
    }
}

/// The software components of a token that was verified, in its order.
#[derive(Clone, Debug)]
pub struct Components<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Components<'a> {
    /// Reads all of them once, so that none is malformed later on.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, AttestError> {
        let left = usize::try_from(reader.array()?).unwrap_or(usize::MAX);
        if left == 0 || left > Component::MAX_COUNT {
            return Err(AttestError::Component);
        }
        let found = Self {
            reader: reader.clone(),
            left,
        };
        for _ in 0..left {
            Component::read(reader)?;
        }
        Ok(found)
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = Component<'a>;

    fn next(&mut self) -> Option<Component<'a>> {
        self.left = self.left.checked_sub(1)?;
        Component::read(&mut self.reader).ok()
    }
}

const SHA_256: &str = "sha-256";
/// Beside the roles that RFC 9783 §4.4.1 suggests.
pub(super) const MANIFEST: &str = "SUIT";
/// One of those: a role of RFC 9783 §4.4.1 and what it says of configuration.
pub(super) const PRODUCT: &str = "App_CONFIG";
