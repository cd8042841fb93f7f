use super::der::{self, BIT_STRING, INTEGER, NULL, OID, Reader, SEQUENCE};

/// `id-Ed25519` (RFC 8410 §3).
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// `secp256r1`.
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// `secp384r1`.
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];
/// `rsaEncryption` (RFC 3279 §2.3.1).
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];

/// Bits of the smallest RSA key that is believed (NIST SP 800-131A Rev. 2 §3).
pub(super) const MIN_RSA_BITS: u16 = 2048;
/// Bits of the largest that ring and AWS-LC check; a larger one is there to cost time.
pub(super) const MAX_RSA_BITS: u16 = 8192;

/// What the public key of a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA, with the bits of its modulus.
    Rsa(u16),
}

/// Why a public key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyFault {
    Malformed,
    Kind,
    Size,
}

impl KeyKind {
    /// Reads the content of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): which key it is, and that it may be one.
    pub(super) fn of(info: &[u8]) -> Result<Self, KeyFault> {
        let (algorithm, parameters, key) = split(info).ok_or(KeyFault::Malformed)?;
        let curve = || der::only(parameters, OID);
        let uncompressed = |len| match key {
            [4, point @ ..] if point.len() == len => Ok(()),
            _ => Err(KeyFault::Malformed),
        };
        if algorithm == ED25519 && parameters.is_empty() {
            return match key.len() {
                32 => Ok(Self::Ed25519),
                _ => Err(KeyFault::Malformed),
            };
        }
        if algorithm == EC && curve() == Some(P256) {
            return uncompressed(64).map(|()| Self::P256);
        }
        if algorithm == EC && curve() == Some(P384) {
            return uncompressed(96).map(|()| Self::P384);
        }
        if algorithm == RSA && der::only(parameters, NULL).is_some_and(<[u8]>::is_empty) {
            let bits = rsa_bits(key).ok_or(KeyFault::Malformed)?;
            return match bits {
                // A modulus that does not fill its bytes was not made by any of the usual means.
                MIN_RSA_BITS..=MAX_RSA_BITS if bits.is_multiple_of(8) => Ok(Self::Rsa(bits)),
                _ => Err(KeyFault::Size),
            };
        }
        Err(KeyFault::Kind)
    }
}

/// Algorithm, its parameters, and the key.
fn split(info: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut reader = Reader::new(info);
    let mut algorithm = Reader::new(reader.expect(SEQUENCE)?);
    let oid = algorithm.expect(OID)?;
    let parameters = match algorithm.is_empty() {
        true => &[],
        false => algorithm.next()?.2,
    };
    algorithm.end()?;
    let [0, key @ ..] = reader.expect(BIT_STRING)? else {
        return None;
    };
    reader.end()?;
    Some((oid, parameters, key))
}

/// Bits of the modulus of an RSAPublicKey (RFC 8017 §A.1.1), if its exponent is one that is used: odd, above two, and
/// no longer than four bytes.
fn rsa_bits(key: &[u8]) -> Option<u16> {
    let mut reader = Reader::new(der::only(key, SEQUENCE)?);
    let modulus = der::unsigned(reader.expect(INTEGER)?)?;
    let exponent = der::unsigned(reader.expect(INTEGER)?)?;
    reader.end()?;
    let is_even = exponent.last().is_none_or(|last| last & 1 == 0);
    if is_even || exponent.len() > 4 || matches!(exponent, [1]) {
        return None;
    }
    let bytes = u16::try_from(modulus.len()).ok()?;
    let unused = u16::try_from(modulus.first()?.leading_zeros()).ok()?;
    bytes.checked_mul(8)?.checked_sub(unused)
}
