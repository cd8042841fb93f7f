use super::{error::CoseError, header::Algorithm};
use crate::{
    cbor::{self, Kind, Limits, Reader, Writer},
    crypto::{DIGEST_LEN, Digest, KeyType},
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
const CRV_ED25519: i64 = 6;

/// A key with a kid of 64 bytes takes less than half of this.
const LIMITS: Limits = Limits {
    depth: 1,
    items: 16,
    bytes: 512,
};

/// A COSE_Key (RFC 9052 §7, RFC 9053 §7) for Ed25519 or P-256.
///
/// ```text
/// Ed25519: { 1: 1, ? 2: kid, 3: -19, -1: 6, -2: x, ? -4: d }
/// P-256:   { 1: 2, ? 2: kid, 3: -9,  -1: 1, -2: x, -3: y, ? -4: d }
/// ```
///
/// Other keys, other labels and compressed points are refused. `Debug` shows the public half only.
///
/// ```
/// use iotsec_core::{cose::Key, crypto::KeyType};
///
/// let x = [7; 32];
/// let mut out = [0; Key::MAX_LEN];
/// let bytes = Key::ed25519(&x).with_kid(b"maker-1").write(&mut out)?;
/// let key = Key::parse(bytes)?;
/// assert_eq!((key.key_type(), key.kid(), key.x()), (KeyType::Ed25519, Some(&b"maker-1"[..]), &x));
/// assert!(key.secret().is_none());
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Key<'a> {
    kid: Option<&'a [u8]>,
    x: &'a [u8; 32],
    y: Option<&'a [u8; 32]>,
    d: Option<&'a [u8; 32]>,
}

impl<'a> Key<'a> {
    /// Bytes that any key with a kid of up to 64 bytes fits in.
    pub const MAX_LEN: usize = 192;

    /// An Ed25519 key by its public half.
    pub const fn ed25519(x: &'a [u8; 32]) -> Self {
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

    /// What kind of key this is.
    pub const fn key_type(&self) -> KeyType {
        if self.y.is_some() {
            KeyType::P256
        } else {
            KeyType::Ed25519
        }
    }
    /// `kty` and `crv`.
    const fn shape(&self) -> (i64, i64) {
        if self.y.is_some() {
            (KTY_EC2, CRV_P256)
        } else {
            (KTY_OKP, CRV_ED25519)
        }
    }
    /// The key identifier.
    pub const fn kid(&self) -> Option<&'a [u8]> {
        self.kid
    }
    /// The public key of Ed25519, or the x coordinate.
    pub const fn x(&self) -> &'a [u8; 32] {
        self.x
    }
    /// The y coordinate of P-256.
    pub const fn y(&self) -> Option<&'a [u8; 32]> {
        self.y
    }
    /// The private half: the seed of Ed25519, or the scalar of P-256.
    pub const fn secret(&self) -> Option<&'a [u8; 32]> {
        self.d
    }

    /// The COSE Key Thumbprint with SHA-256 (RFC 9679): a name that only this public key has, whatever
    /// its key identifier and algorithm.
    pub fn thumbprint(&self, hash: &mut dyn Digest) -> [u8; DIGEST_LEN] {
        // { 1: kty, -1: crv, -2: x, ? -3: y } in the deterministic encoding.
        let (head, y): (&[u8], _) = match self.y {
            None => (&[0xA3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20], None),
            Some(y) => (&[0xA4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20], Some(y)),
        };
        hash.reset();
        hash.update(head);
        hash.update(self.x);
        if let Some(y) = y {
            hash.update(&[0x22, 0x58, 0x20]);
            hash.update(y);
        }
        hash.finish()
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
                cbor::Key::Int(ALG) => alg = Algorithm::from_id(reader.int()?),
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
        if (kty, crv) != (Some(wanted_kty), Some(wanted_crv))
            || alg.and_then(Algorithm::key_type) != Some(key.key_type())
        {
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
        writer.int(ALG)?.int(Algorithm::for_key(self.key_type()).id())?;
        writer.int(CRV)?.int(crv)?.int(X)?.bytes(self.x)?;
        if let Some(y) = self.y {
            writer.int(Y)?.bytes(y)?;
        }
        if let Some(d) = self.d {
            writer.int(D)?.bytes(d)?;
        }
        Ok(writer.finish()?)
    }
}

impl core::fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Key")
            .field("key_type", &self.key_type())
            .field("kid", &self.kid)
            .field("x", &self.x)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn written(key: &Key<'_>) -> Vec<u8> {
        key.write(&mut [0; Key::MAX_LEN]).unwrap().to_vec()
    }

    #[test]
    fn every_shape_comes_back_as_it_went_out() {
        let (x, y, d) = ([1; 32], [2; 32], [3; 32]);
        for key in [
            Key::ed25519(&x),
            Key::ed25519(&x).with_secret(&d).with_kid(&[9; 64]),
            Key::p256(&x, &y).with_kid(b"k"),
            Key::p256(&x, &y).with_secret(&d),
        ] {
            let bytes = written(&key);
            let back = Key::parse(&bytes).unwrap();
            assert_eq!(
                (back.key_type(), back.kid(), back.x()),
                (key.key_type(), key.kid(), key.x())
            );
            assert_eq!((back.y(), back.secret()), (key.y(), key.secret()));
        }
    }

    #[cfg(feature = "rustcrypto")]
    #[test]
    fn a_thumbprint_is_that_of_rfc_9679() {
        let unhex = |text: &str| -> [u8; 32] {
            core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        };
        let mut hash = crate::crypto::Sha256::new();
        // RFC 9679 §6.
        let x = unhex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d");
        let y = unhex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c");
        assert_eq!(
            Key::p256(&x, &y).with_kid(b"any").thumbprint(&mut hash),
            unhex("496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec")
        );
        let map = [&[0xA3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20], &x[..]].concat();
        let expected = crate::crypto::Sha256::of(&[&map]);
        assert_eq!(Key::ed25519(&x).thumbprint(&mut hash), expected);
    }

    #[test]
    fn type_curve_and_algorithm_must_agree() {
        let good = written(&Key::ed25519(&[1; 32]));
        for (from, to) in [
            ([0x01, 0x01], [0x01, 0x02]),
            ([0x03, 0x32], [0x03, 0x28]),
            ([0x20, 0x06], [0x20, 0x01]),
        ] {
            let mut bad = good.clone();
            let at = bad.windows(2).position(|pair| pair == from).unwrap();
            bad[at..at + 2].copy_from_slice(&to);
            assert_eq!(
                Key::parse(&bad).err(),
                Some(CoseError::AlgorithmMismatch),
                "{from:02x?}"
            );
        }
    }

    #[test]
    fn debug_shows_no_secret_byte() {
        let (x, d) = ([1; 32], [0xD5; 32]);
        assert!(!std::format!("{:?}", Key::ed25519(&x).with_secret(&d)).contains("213"));
    }
}
