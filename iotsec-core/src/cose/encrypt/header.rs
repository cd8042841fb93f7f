//! The header parameters of the two layers.

use super::*;
use crate::cbor::Key;

pub(super) const ALG: i64 = 1;
pub(super) const KID: i64 = 4;
pub(super) const IV: i64 = 5;
pub(super) const EPHEMERAL: i64 = -1;
const SALT: i64 = -20;

/// IANA COSE algorithms.
pub(super) const A128KW: i64 = -3;
pub(super) const A256KW: i64 = -5;
pub(super) const ECDH_ES_A128KW: i64 = -29;
const A128CTR: i64 = -65534;
const A256CTR: i64 = -65532;
const A128GCM: i64 = 1;
const CHACHA20_POLY1305: i64 = 24;

/// Key identifiers are at most this long, as everywhere in this SDK.
const MAX_KID: usize = 64;
/// The salt of HKDF is a hash long in practice.
const MAX_SALT: usize = 64;

/// Both buckets of a layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket<'a> {
    protected_algorithm: Option<i64>,
    unprotected_algorithm: Option<i64>,
    pub(super) iv: Option<&'a [u8]>,
    pub(super) kid: Option<&'a [u8]>,
    pub(super) ephemeral: Option<Ephemeral<'a>>,
    pub(super) salt: Option<&'a [u8]>,
}

impl<'a> Bucket<'a> {
    /// Reads the protected byte string, of which the content is returned, and the map after it.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<(&'a [u8], Self), CoseError> {
        let mut bucket = Self::default();
        let mut inner = reader.clone();
        let protected = reader.bytes()?;
        // Only the algorithm is ever protected here, and what has none is a string of no bytes.
        if !protected.is_empty() {
            let mut inner = inner.embedded(&LIMITS)?;
            if inner.map()? != 1 || inner.int()? != ALG {
                return Err(CoseError::Header);
            }
            bucket.protected_algorithm = Some(inner.int().map_err(|_| CoseError::AlgorithmUnknown)?);
        }
        for _ in 0..reader.map()? {
            let Key::Int(label) = reader.key()? else {
                return Err(CoseError::Header);
            };
            match label {
                ALG => {
                    let id = reader.int().map_err(|_| CoseError::AlgorithmUnknown)?;
                    bucket.unprotected_algorithm = Some(id);
                }
                KID => bucket.kid = Some(short(reader, MAX_KID)?),
                IV => bucket.iv = Some(short(reader, ContentAlgorithm::MAX_IV_LEN)?),
                EPHEMERAL => bucket.ephemeral = Some(Ephemeral::read(reader)?),
                SALT => bucket.salt = Some(short(reader, MAX_SALT)?),
                _ => return Err(CoseError::Header),
            }
        }
        Ok((protected, bucket))
    }

    /// The algorithm of a content: authenticated ones stand in the protected bucket only, those without
    /// associated data in the other one only (RFC 9459 §5).
    pub(super) fn content_algorithm(&self) -> Result<ContentAlgorithm, CoseError> {
        match (self.protected_algorithm, self.unprotected_algorithm) {
            (Some(A128GCM), None) => Ok(ContentAlgorithm::Aes128Gcm),
            (Some(CHACHA20_POLY1305), None) => Ok(ContentAlgorithm::ChaCha20Poly1305),
            (None, Some(A128CTR)) => Ok(ContentAlgorithm::Aes128Ctr),
            (None, Some(A256CTR)) => Ok(ContentAlgorithm::Aes256Ctr),
            (None, None | Some(A128GCM | CHACHA20_POLY1305)) => Err(CoseError::AlgorithmMissing),
            (Some(_), Some(_)) => Err(CoseError::Header),
            _ => Err(CoseError::AlgorithmUnknown),
        }
    }

    /// No parameter that only a recipient has.
    pub(super) fn is_of_content(&self) -> bool {
        self.kid.is_none() && self.ephemeral.is_none() && self.salt.is_none()
    }

    /// How a content key is distributed, under the same rule.
    pub(super) fn method(&self, protected: &'a [u8]) -> Result<Method<'a>, CoseError> {
        if self.iv.is_some() {
            return Err(CoseError::Header);
        }
        let wrap = |algorithm| match (self.ephemeral, self.salt) {
            (None, None) => Ok(Method::Wrap(algorithm)),
            _ => Err(CoseError::Header),
        };
        match (self.protected_algorithm, self.unprotected_algorithm) {
            (None, Some(A128KW)) => wrap(KeyWrapAlgorithm::Aes128),
            (None, Some(A256KW)) => wrap(KeyWrapAlgorithm::Aes256),
            (Some(ECDH_ES_A128KW), None) => Ok(Method::Agreement {
                protected,
                salt: self.salt.unwrap_or_default(),
                ephemeral: self.ephemeral.ok_or(CoseError::Header)?,
            }),
            (None, None | Some(ECDH_ES_A128KW)) => Err(CoseError::AlgorithmMissing),
            (Some(_), Some(_)) => Err(CoseError::Header),
            _ => Err(CoseError::AlgorithmUnknown),
        }
    }
}

/// The number of a content algorithm.
pub(super) const fn content_id(algorithm: ContentAlgorithm) -> i64 {
    match algorithm {
        ContentAlgorithm::Aes128Ctr => A128CTR,
        ContentAlgorithm::Aes256Ctr => A256CTR,
        ContentAlgorithm::Aes128Gcm => A128GCM,
        ContentAlgorithm::ChaCha20Poly1305 => CHACHA20_POLY1305,
    }
}

/// The public half of the key that the sender made for one message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ephemeral<'a> {
    P256 { x: &'a [u8; 32], y: &'a [u8; 32] },
    X25519(&'a [u8; 32]),
}

const KTY: i64 = 1;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const CRV_P256: i64 = 1;
const CRV_X25519: i64 = 4;
const POINT_LEN: usize = 65;

impl<'a> Ephemeral<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, CoseError> {
        let (mut kty, mut crv, mut x, mut y) = (None, None, None, None);
        for _ in 0..reader.map()? {
            let unknown = reader.error(Kind::UnknownKey);
            match reader.key()? {
                Key::Int(KTY) => kty = Some(reader.int()?),
                Key::Int(CRV) => crv = Some(reader.int()?),
                Key::Int(X) => x = Some(reader.array_of()?),
                Key::Int(Y) => y = Some(reader.array_of()?),
                _ => return Err(unknown.into()),
            }
        }
        match (kty, crv, x, y) {
            (Some(KTY_EC2), Some(CRV_P256), Some(x), Some(y)) => Ok(Self::P256 { x, y }),
            (Some(KTY_OKP), Some(CRV_X25519), Some(x), None) => Ok(Self::X25519(x)),
            _ => Err(CoseError::AlgorithmMismatch),
        }
    }

    /// From the bytes that [`AgreementCurve`] states.
    pub(super) fn of(curve: AgreementCurve, public: &'a [u8]) -> Result<Self, CoseError> {
        match (curve, public) {
            (AgreementCurve::P256, [4, point @ ..]) => match point.as_chunks() {
                ([x, y], []) => Ok(Self::P256 { x, y }),
                _ => Err(CryptoError::PublicKey.into()),
            },
            (AgreementCurve::X25519, public) => {
                let public = public.try_into().map_err(|_| CryptoError::PublicKey)?;
                Ok(Self::X25519(public))
            }
            _ => Err(CryptoError::PublicKey.into()),
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CoseError> {
        match self {
            Self::P256 { x, y } => {
                writer.map(4)?.int(KTY)?.int(KTY_EC2)?.int(CRV)?.int(CRV_P256)?;
                writer.int(X)?.bytes(*x)?.int(Y)?.bytes(*y)?;
            }
            Self::X25519(x) => {
                writer.map(3)?.int(KTY)?.int(KTY_OKP)?.int(CRV)?.int(CRV_X25519)?;
                writer.int(X)?.bytes(*x)?;
            }
        }
        Ok(())
    }

    /// The shared secret with `key`.
    pub(super) fn agree(&self, key: &dyn KeyAgreement) -> Result<Secret<32>, CoseError> {
        match (key.curve(), self) {
            (AgreementCurve::X25519, Self::X25519(x)) => Ok(key.agree(*x)?),
            (AgreementCurve::P256, Self::P256 { x, y }) => {
                let mut point = [4; POINT_LEN];
                for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(*y)) {
                    *to = *from;
                }
                Ok(key.agree(&point)?)
            }
            _ => Err(CoseError::AlgorithmMismatch),
        }
    }
}

fn short<'a>(reader: &mut Reader<'a>, max: usize) -> Result<&'a [u8], CoseError> {
    let bytes = reader.bytes().map_err(|_| CoseError::Header)?;
    if bytes.len() > max {
        return Err(CoseError::Header);
    }
    Ok(bytes)
}
