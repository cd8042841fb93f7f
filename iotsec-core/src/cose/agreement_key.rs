use super::error::CoseError;
use crate::{
    cbor::{self, Kind, Limits, Reader, Writer},
    crypto::{AgreementCurve, CryptoError},
};

const KTY: i64 = 1;
const KID: i64 = 2;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const D: i64 = -4;

const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const CRV_P256: i64 = 1;
const CRV_X25519: i64 = 4;
const ECDH_ES_A128KW: i64 = -29;

const POINT_LEN: usize = 65;

/// A key with a kid of 64 bytes takes less than half of this.
const LIMITS: Limits = Limits {
    depth: 1,
    items: 16,
    bytes: 512,
};

/// A COSE_Key (RFC 9052 §7, RFC 9053 §7) to which content is encrypted.
///
/// ```text
/// X25519: { 1: 1, ? 2: kid, 3: -29, -1: 4, -2: x, ? -4: d }
/// P-256:  { 1: 2, ? 2: kid, 3: -29, -1: 1, -2: x, -3: y, ? -4: d }
/// ```
///
/// The algorithm, ECDH-ES+A128KW, keeps it apart from the keys that sign. Other keys, other labels and
/// compressed points are refused. `Debug` shows the public half only.
///
/// ```
/// use iotsec_core::{cose::AgreementKey, crypto::AgreementCurve};
///
/// let x = [7; 32];
/// let mut out = [0; AgreementKey::MAX_LEN];
/// let bytes = AgreementKey::x25519(&x).with_kid(b"lamp").write(&mut out)?;
/// let key = AgreementKey::parse(bytes)?;
/// assert_eq!((key.curve(), key.kid()), (AgreementCurve::X25519, Some(&b"lamp"[..])));
/// assert_eq!(key.public_key(&mut [0; AgreementKey::POINT_LEN]), &x);
/// assert!(key.secret().is_none());
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct AgreementKey<'a> {
    kid: Option<&'a [u8]>,
    x: &'a [u8; 32],
    y: Option<&'a [u8; 32]>,
    d: Option<&'a [u8; 32]>,
}

impl<'a> AgreementKey<'a> {
    /// Bytes that any key with a kid of up to 64 bytes fits in.
    pub const MAX_LEN: usize = 192;
    /// Bytes of the longest public key.
    pub const POINT_LEN: usize = POINT_LEN;

    /// An X25519 key by its public half.
    pub const fn x25519(x: &'a [u8; 32]) -> Self {
        Self {
            kid: None,
            x,
            y: None,
            d: None,
        }
    }

    /// A P-256 key by the coordinates of its point.
    pub const fn p256(x: &'a [u8; 32], y: &'a [u8; 32]) -> Self {
        Self {
            kid: None,
            x,
            y: Some(y),
            d: None,
        }
    }

    /// A key by its public half, in the form that [`AgreementCurve`] states.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for another form.
    pub fn of(curve: AgreementCurve, public: &'a [u8]) -> Result<Self, CryptoError> {
        match (curve, public) {
            (AgreementCurve::P256, [4, point @ ..]) => match point.as_chunks() {
                ([x, y], []) => Ok(Self::p256(x, y)),
                _ => Err(CryptoError::PublicKey),
            },
            (AgreementCurve::X25519, public) => {
                let public = public.try_into().map_err(|_| CryptoError::PublicKey)?;
                Ok(Self::x25519(public))
            }
            (AgreementCurve::P256, _) => Err(CryptoError::PublicKey),
        }
    }

    /// With a key identifier.
    #[must_use]
    pub const fn with_kid(mut self, kid: &'a [u8]) -> Self {
        self.kid = Some(kid);
        self
    }

    /// With the private half. Whoever writes this out wipes the buffer.
    #[must_use]
    pub const fn with_secret(mut self, d: &'a [u8; 32]) -> Self {
        self.d = Some(d);
        self
    }

    /// Its curve.
    pub const fn curve(&self) -> AgreementCurve {
        if self.y.is_some() {
            AgreementCurve::P256
        } else {
            AgreementCurve::X25519
        }
    }
    /// The key identifier.
    pub const fn kid(&self) -> Option<&'a [u8]> {
        self.kid
    }
    /// The private half: the scalar.
    pub const fn secret(&self) -> Option<&'a [u8; 32]> {
        self.d
    }

    /// The public half in the form that [`AgreementCurve`] states.
    pub fn public_key<'o>(&self, out: &'o mut [u8; POINT_LEN]) -> &'o [u8] {
        let (lead, len) = match self.y {
            Some(_) => (Some(4), POINT_LEN),
            None => (None, 32),
        };
        let bytes = lead.iter().chain(self.x).chain(self.y.into_iter().flatten());
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = *from;
        }
        out.get(..len).unwrap_or_default()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`CoseError::AlgorithmMismatch`] when type, curve and algorithm do not belong together;
    /// [`CoseError::Encoding`] for everything else.
    pub fn parse(input: &'a [u8]) -> Result<Self, CoseError> {
        let mut reader = Reader::new(input, &LIMITS)?;
        let (mut kty, mut alg, mut crv) = (None, None, None);
        let (mut kid, mut x, mut y, mut d) = (None, None, None, None);
        for _ in 0..reader.map()? {
            let unknown = reader.error(Kind::UnknownKey);
            match reader.key()? {
                cbor::Key::Int(KTY) => kty = Some(reader.int()?),
                cbor::Key::Int(KID) => kid = Some(reader.bytes()?),
                cbor::Key::Int(ALG) => alg = Some(reader.int()?),
                cbor::Key::Int(CRV) => crv = Some(reader.int()?),
                cbor::Key::Int(X) => x = Some(reader.array_of()?),
                cbor::Key::Int(Y) => y = Some(reader.array_of()?),
                cbor::Key::Int(D) => d = Some(reader.array_of()?),
                _ => return Err(unknown.into()),
            }
        }
        let x = x.ok_or(reader.error(Kind::MissingKey))?;
        let key = Self { kid, x, y, d };
        let (wanted_kty, wanted_crv) = key.shape();
        if (kty, crv, alg) != (Some(wanted_kty), Some(wanted_crv), Some(ECDH_ES_A128KW)) {
            return Err(CoseError::AlgorithmMismatch);
        }
        Ok(key)
    }

    /// Writes the key.
    ///
    /// # Errors
    /// [`CoseError::Encoding`] when `out` is too small.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CoseError> {
        let (kty, crv) = self.shape();
        let optional = [self.kid.is_some(), self.y.is_some(), self.d.is_some()];
        let extra = optional
            .iter()
            .fold(0u64, |n, present| n.saturating_add(u64::from(*present)));
        let mut writer = Writer::new(out);
        writer.map(extra.saturating_add(4))?.int(KTY)?.int(kty)?;
        if let Some(kid) = self.kid {
            writer.int(KID)?.bytes(kid)?;
        }
        writer.int(ALG)?.int(ECDH_ES_A128KW)?;
        writer.int(CRV)?.int(crv)?.int(X)?.bytes(self.x)?;
        if let Some(y) = self.y {
            writer.int(Y)?.bytes(y)?;
        }
        if let Some(d) = self.d {
            writer.int(D)?.bytes(d)?;
        }
        Ok(writer.finish()?)
    }

    /// `kty` and `crv`.
    const fn shape(&self) -> (i64, i64) {
        match self.curve() {
            AgreementCurve::P256 => (KTY_EC2, CRV_P256),
            AgreementCurve::X25519 => (KTY_OKP, CRV_X25519),
        }
    }
}

impl core::fmt::Debug for AgreementKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AgreementKey")
            .field("curve", &self.curve())
            .field("kid", &self.kid)
            .field("x", &self.x)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose::Key;
    use std::vec::Vec;

    fn written(key: &AgreementKey<'_>) -> Vec<u8> {
        key.write(&mut [0; AgreementKey::MAX_LEN]).unwrap().to_vec()
    }

    #[test]
    fn every_shape_comes_back_as_it_went_out() {
        let (x, y, d) = ([1; 32], [2; 32], [3; 32]);
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&x);
        point[33..].copy_from_slice(&y);
        for (key, public) in [
            (AgreementKey::x25519(&x), &x[..]),
            (
                AgreementKey::x25519(&x).with_secret(&d).with_kid(&[9; 64]),
                &x[..],
            ),
            (AgreementKey::p256(&x, &y).with_kid(b"k"), &point[..]),
            (AgreementKey::p256(&x, &y).with_secret(&d), &point[..]),
        ] {
            let bytes = written(&key);
            let back = AgreementKey::parse(&bytes).unwrap();
            assert_eq!(
                (back.curve(), back.kid(), back.secret()),
                (key.curve(), key.kid(), key.secret())
            );
            let mut out = [0; 65];
            assert_eq!(back.public_key(&mut out), public);
            let again = AgreementKey::of(key.curve(), public).unwrap();
            assert_eq!((again.x, again.y), (key.x, key.y));
        }
        for (curve, len) in [
            (AgreementCurve::P256, 64),
            (AgreementCurve::P256, 66),
            (AgreementCurve::X25519, 31),
            (AgreementCurve::X25519, 65),
        ] {
            assert!(AgreementKey::of(curve, &[4; 66][..len]).is_err());
        }
    }

    #[test]
    fn a_key_that_signs_is_none_that_agrees_and_the_other_way_round() {
        let (x, y) = ([1; 32], [2; 32]);
        for key in [Key::ed25519(&x), Key::p256(&x, &y)] {
            let mut out = [0; Key::MAX_LEN];
            let bytes = key.write(&mut out).unwrap();
            assert_eq!(
                AgreementKey::parse(bytes).err(),
                Some(CoseError::AlgorithmMismatch)
            );
        }
        for key in [AgreementKey::x25519(&x), AgreementKey::p256(&x, &y)] {
            assert_eq!(
                Key::parse(&written(&key)).err(),
                Some(CoseError::AlgorithmMismatch)
            );
        }
    }

    #[test]
    fn debug_shows_no_secret_byte() {
        let (x, d) = ([1; 32], [0xD5; 32]);
        assert!(!std::format!("{:?}", AgreementKey::x25519(&x).with_secret(&d)).contains("213"));
    }
}
