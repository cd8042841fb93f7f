use super::error::CoseError;
use crate::{
    cbor::{CborError, Kind, Limits, Reader, Type, Writer},
    crypto::KeyType,
};

/// Protected headers are small: an algorithm, a key id of up to 64 bytes, an IV, a content type.
pub(super) const HEADER_LIMITS: Limits = Limits {
    depth: 3,
    items: 32,
    bytes: 256,
};

/// The algorithms that are understood (IANA COSE registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519, fully specified (RFC 9864).
    Ed25519,
    /// EdDSA (RFC 9053); here only with an Ed25519 key.
    EdDsa,
    /// ECDSA with SHA-256 on P-256, fully specified (RFC 9864).
    Esp256,
    /// ECDSA with SHA-256 (RFC 9053); here only with a P-256 key.
    Es256,
    /// HSS-LMS, hash-based and so safe from quantum computers (RFC 8778).
    HssLms,
    /// ML-DSA-44, lattice-based and so safe from quantum computers (FIPS 204; IANA COSE registry).
    MlDsa44,
    /// HMAC 256/256 (RFC 9053), for MACs and never for signatures.
    HmacSha256,
    /// ChaCha20-Poly1305 (RFC 9053).
    ChaCha20Poly1305,
}

impl Algorithm {
    const ALL: [Self; 8] = [
        Self::Ed25519,
        Self::EdDsa,
        Self::Esp256,
        Self::Es256,
        Self::HssLms,
        Self::MlDsa44,
        Self::HmacSha256,
        Self::ChaCha20Poly1305,
    ];

    /// The algorithm registered under `id`.
    pub fn from_id(id: i64) -> Option<Self> {
        i32::try_from(id).ok().and_then(Self::from_label)
    }

    fn from_label(label: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.label() == label)
    }

    /// Its number in the registry.
    pub fn id(self) -> i64 {
        self.label().into()
    }

    const fn label(self) -> i32 {
        match self {
            Self::Ed25519 => -19,
            Self::EdDsa => -8,
            Self::Esp256 => -9,
            Self::Es256 => -7,
            Self::HssLms => -46,
            Self::MlDsa44 => -48,
            Self::HmacSha256 => 5,
            Self::ChaCha20Poly1305 => 24,
        }
    }

    /// The type of key that its signatures need; `None` for symmetric algorithms, MACs too: what is no
    /// signature algorithm fits no key of a signature.
    pub const fn key_type(self) -> Option<KeyType> {
        match self {
            Self::Ed25519 | Self::EdDsa => Some(KeyType::Ed25519),
            Self::Esp256 | Self::Es256 => Some(KeyType::P256),
            Self::HssLms => Some(KeyType::HssLms),
            Self::MlDsa44 => Some(KeyType::MlDsa44),
            Self::HmacSha256 | Self::ChaCha20Poly1305 => None,
        }
    }

    /// The fully specified algorithm for a type of key, which is what this SDK writes.
    pub const fn for_key(key: KeyType) -> Self {
        match key {
            KeyType::Ed25519 => Self::Ed25519,
            KeyType::P256 => Self::Esp256,
            KeyType::HssLms => Self::HssLms,
            KeyType::MlDsa44 => Self::MlDsa44,
            KeyType::HmacSha256 => Self::HmacSha256,
        }
    }
}

/// What a payload is (header parameter 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType<'a> {
    /// A CoAP Content-Format number.
    Coap(u64),
    /// A media type.
    Media(&'a str),
}

/// The header parameters that are understood; others are ignored unless `crit` lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Headers<'a> {
    /// Parameter 1, from the protected bucket only.
    pub algorithm: Option<Algorithm>,
    /// Parameter 3 as it is encoded, from the protected bucket only.
    content_type: Option<&'a [u8]>,
    /// Parameter 4. A hint for finding a key and nothing more, in whichever bucket it stands.
    pub kid: Option<&'a [u8]>,
    /// Parameter 5.
    pub iv: Option<&'a [u8]>,
}

pub(super) const ALG: i32 = 1;
const CRIT: i32 = 2;
pub(super) const CONTENT_TYPE: i32 = 3;
const KID: i32 = 4;
const IV: i32 = 5;

/// The labels of all that may stand in one bucket only.
const LABELS: [i32; 7] = [ALG, CRIT, CONTENT_TYPE, KID, IV, 6, 7];

/// Which of [`LABELS`] a bucket had, the lowest bit for the first of them.
type Seen = u8;

/// Those that may be critical: all that are read but [`CRIT`] itself.
const UNDERSTOOD: Seen = 0b1_1101;

impl<'a> Headers<'a> {
    /// Parameter 3, from the protected bucket only.
    // Read when it is asked for: a boot loader does not, and does not link what makes a string of bytes.
    pub fn content_type(&self) -> Option<ContentType<'a>> {
        let mut encoded = Reader::new(self.content_type?, &HEADER_LIMITS).ok()?;
        match encoded.peek() {
            Ok(Type::Uint) => encoded.uint().ok().map(ContentType::Coap),
            _ => encoded.text().ok().map(ContentType::Media),
        }
    }

    /// Reads the protected bucket, unless it is empty, and the unprotected map at `reader`.
    pub(super) fn read(protected: Option<Reader<'a>>, reader: &mut Reader<'a>) -> Result<Self, CoseError> {
        let mut headers = Self::default();
        let seen = match protected {
            Some(mut protected) => headers.map(&mut protected, true)?,
            None => 0,
        };
        let also = headers.map(reader, false)?;
        if seen & also != 0 {
            return Err(CoseError::Header);
        }
        Ok(headers)
    }

    #[inline(never)]
    fn map(&mut self, reader: &mut Reader<'a>, protected: bool) -> Result<Seen, CoseError> {
        let mut places = [0; LABELS.len()];
        let other = reader.places(&LABELS, &mut places)?;
        let mut rest = reader.seek(other);
        while other != 0 && rest.offset() < reader.offset() {
            let at = rest.clone();
            if rest.peek()? != Type::Text {
                rest.int().map_err(|_| at.error(Kind::UnknownKey))?;
            } else {
                rest.skip()?;
            }
            rest.skip()?;
        }
        let mut seen: Seen = 0;
        for place in places.iter().rev() {
            seen = seen << 1 | Seen::from(*place != 0);
        }
        let at = |place: usize| (place != 0).then(|| reader.seek(place));
        let [algorithm, critical, content_type, kid, iv, ..] = places;
        if let Some(mut kid) = at(kid) {
            self.kid = Some(kid.bytes().map_err(|_| CoseError::Header)?);
        }
        if let Some(mut iv) = at(iv) {
            self.iv = Some(iv.bytes().map_err(|_| CoseError::Header)?);
        }
        if !protected {
            // An unprotected `crit` is malformed.
            return if critical == 0 {
                Ok(seen)
            } else {
                Err(CoseError::Critical)
            };
        }
        if let Some(mut algorithm) = at(algorithm) {
            let algorithm = algorithm.label().and_then(Algorithm::from_label);
            self.algorithm = Some(algorithm.ok_or(CoseError::AlgorithmUnknown)?);
        }
        if let Some(mut content_type) = at(content_type) {
            if !matches!(content_type.peek()?, Type::Uint | Type::Text) {
                return Err(CoseError::Header);
            }
            self.content_type = Some(content_type.skip()?);
        }
        if let Some(critical) = at(critical) {
            check_critical(critical, seen)?;
        }
        Ok(seen)
    }
}

/// Every label in `crit` must be one that is understood and present (RFC 9052 §3.1).
fn check_critical(mut reader: Reader<'_>, seen: Seen) -> Result<(), CoseError> {
    let count = reader.array().map_err(|_| CoseError::Critical)?;
    if count == 0 {
        return Err(CoseError::Critical);
    }
    for _ in 0..count {
        let label = reader.label().and_then(|label| u32::try_from(label).ok());
        let bit = label.and_then(|label| 1u32.checked_shl(label));
        if bit.is_none_or(|bit| bit >> 1 & u32::from(seen & UNDERSTOOD) == 0) {
            return Err(CoseError::Critical);
        }
    }
    Ok(())
}

/// Writes the protected bucket as a byte string.
pub(super) fn write_protected(
    writer: &mut Writer<'_>,
    algorithm: Algorithm,
    content_type: Option<ContentType<'_>>,
) -> Result<(), CborError> {
    writer.embedded(|inner| {
        inner.map(if content_type.is_some() { 2 } else { 1 })?;
        inner.int(ALG.into())?.int(algorithm.id())?;
        match content_type {
            Some(ContentType::Coap(number)) => inner.int(CONTENT_TYPE.into())?.uint(number)?,
            Some(ContentType::Media(name)) => inner.int(CONTENT_TYPE.into())?.text(name)?,
            None => inner,
        };
        Ok(())
    })?;
    Ok(())
}

/// Writes the unprotected map.
pub(super) fn write_unprotected(
    writer: &mut Writer<'_>,
    kid: Option<&[u8]>,
    iv: Option<&[u8]>,
) -> Result<(), CborError> {
    writer.map(u64::from(kid.is_some()).saturating_add(u64::from(iv.is_some())))?;
    if let Some(kid) = kid {
        writer.int(KID.into())?.bytes(kid)?;
    }
    if let Some(iv) = iv {
        writer.int(IV.into())?.bytes(iv)?;
    }
    Ok(())
}

/// Reads the protected byte string: empty, or exactly one map.
pub(super) fn protected<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Option<Reader<'a>>), CborError> {
    let mut ahead = reader.clone();
    if ahead.bytes()?.is_empty() {
        *reader = ahead;
        return Ok((&[], None));
    }
    let inner = reader.embedded(&HEADER_LIMITS)?;
    Ok((inner.rest(), Some(inner)))
}
