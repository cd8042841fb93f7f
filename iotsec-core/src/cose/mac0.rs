use super::{
    error::CoseError,
    header::{self, Algorithm, Headers},
    sign1::{Sign1, Verified, structure},
};
use crate::{
    cbor::{Limits, Reader, Writer},
    crypto::{KeyType, SymmetricKey, Verify},
};

const TAG: u64 = 17;
const CONTEXT: &str = "MAC0";

/// A tagged COSE_Mac0 (RFC 9052 §6.2) with HMAC 256/256, read but not yet checked.
///
/// ```text
/// COSE_Mac0_Tagged = #6.17([protected: bstr, unprotected: {...}, payload: bstr / nil, tag: bstr])
/// MAC_structure    = ["MAC0", protected, external_aad: bstr, payload: bstr]
/// ```
#[derive(Clone, Debug)]
pub struct Mac0<'a>(Sign1<'a>);

impl<'a> Mac0<'a> {
    /// Reads one message, tag included.
    ///
    /// # Errors
    /// [`CoseError`] for anything but a well-formed message whose algorithm is known and protected.
    pub fn parse(input: &'a [u8], limits: &Limits) -> Result<Self, CoseError> {
        Self::read(&mut Reader::new(input, limits)?)
    }

    /// Reads the message at `reader`, tag included.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, CoseError> {
        Sign1::read_tagged(reader, TAG).map(Self)
    }

    /// The headers. Nothing in them is authentic before a check, and `kid` may not be even after it.
    pub const fn headers(&self) -> &Headers<'a> {
        self.0.headers()
    }

    /// Checks the MAC over the attached payload, in constant time.
    ///
    /// `key` is a [`SymmetricKey`], or a driver whose [`KeyType`] says the same. `scratch` holds the
    /// MAC_structure: payload, additional data and 64 bytes more are enough.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when the payload is detached; [`CoseError::AlgorithmMismatch`] when the key is
    /// of another type, or the algorithm is not HMAC 256/256; [`CoseError::Crypto`] for a wrong MAC.
    pub fn verify(
        &self,
        key: &dyn Verify,
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'a>, CoseError> {
        self.check(key, self.0.attached()?, external_aad, scratch)
    }

    /// Checks the MAC over a payload that travelled apart.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when the message brings a payload of its own; otherwise as
    /// [`verify`](Self::verify).
    pub fn verify_detached<'p>(
        &self,
        key: &dyn Verify,
        payload: &'p [u8],
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        self.0.detached()?;
        self.check(key, payload, external_aad, scratch)
    }

    fn check<'p>(
        &self,
        key: &dyn Verify,
        payload: &'p [u8],
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        let fits = self.headers().algorithm == Some(Algorithm::HmacSha256);
        if !fits || key.key_type() != KeyType::HmacSha256 {
            return Err(CoseError::AlgorithmMismatch);
        }
        self.0.check_as(CONTEXT, key, payload, external_aad, scratch)
    }
}

/// Makes COSE_Mac0 messages.
///
/// ```
/// use iotsec_core::{
///     cbor::Limits,
///     cose::{Mac0, Mac0Builder},
///     crypto::{HkdfSha256, SymmetricKey},
///     secret::Secret,
/// };
///
/// let secret = Secret::from_bytes(core::array::from_fn(|i| i as u8));
/// let key = SymmetricKey::new(&HkdfSha256, &secret)?;
/// let (mut out, mut scratch) = ([0; 128], [0; 128]);
/// let message = Mac0Builder::new().kid(b"line-1").seal(&key, b"payload", b"", &mut scratch, &mut out)?;
///
/// let checked = Mac0::parse(message, &Limits::SMALL)?.verify(&key, b"", &mut scratch)?;
/// assert_eq!(checked.payload(), b"payload");
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mac0Builder<'a> {
    kid: Option<&'a [u8]>,
}

impl<'a> Mac0Builder<'a> {
    /// A message with an algorithm and nothing else in its headers.
    pub const fn new() -> Self {
        Self { kid: None }
    }

    /// Adds a key identifier, unprotected.
    #[must_use]
    pub const fn kid(mut self, kid: &'a [u8]) -> Self {
        self.kid = Some(kid);
        self
    }

    /// Makes the MAC over `payload` and carries it along.
    ///
    /// # Errors
    /// [`CoseError::Scratch`] or [`CoseError::Encoding`] for a buffer that is too small;
    /// [`CoseError::Crypto`] when the key fails.
    pub fn seal<'o>(
        &self,
        key: &SymmetricKey<'_>,
        payload: &[u8],
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        self.write(key, payload, true, external_aad, scratch, out)
    }

    /// Makes the MAC over `payload`, which travels apart.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_detached<'o>(
        &self,
        key: &SymmetricKey<'_>,
        payload: &[u8],
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        self.write(key, payload, false, external_aad, scratch, out)
    }

    fn write<'o>(
        &self,
        key: &SymmetricKey<'_>,
        payload: &[u8],
        attached: bool,
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        let mut protected = [0; 8];
        let mut writer = Writer::new(&mut protected);
        header::write_protected(&mut writer, Algorithm::HmacSha256, None)?;
        let protected = writer.finish()?;
        let content = Reader::new(protected, &header::HEADER_LIMITS)?.bytes()?;
        let mac = key.mac(&[structure(CONTEXT, content, external_aad, payload, scratch)?])?;

        let mut writer = Writer::new(out);
        writer.tag(TAG)?.array(4)?.raw(protected)?;
        header::write_unprotected(&mut writer, self.kid, None)?;
        if attached {
            writer.bytes(payload)?;
        } else {
            writer.null()?;
        }
        writer.bytes(&mac)?;
        Ok(writer.finish()?)
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{
        cose::Sign1Builder,
        crypto::{CryptoError, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sign},
        secret::Secret,
    };

    fn secret() -> Secret<32> {
        Secret::from_bytes(core::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn sealed(key: &SymmetricKey<'_>, detached: bool) -> Vec<u8> {
        let (mut out, mut scratch) = ([0; 128], [0; 128]);
        let builder = Mac0Builder::new();
        let message = if detached {
            builder.seal_detached(key, b"payload", b"aad", &mut scratch, &mut out)
        } else {
            builder.seal(key, b"payload", b"aad", &mut scratch, &mut out)
        };
        message.unwrap().to_vec()
    }

    #[test]
    fn only_the_same_key_payload_and_context_check() {
        let secret = secret();
        let key = SymmetricKey::new(&HkdfSha256, &secret).unwrap();
        let other = Secret::from_bytes([[1; 16], [2; 16]].concat().try_into().unwrap());
        let other = SymmetricKey::new(&HkdfSha256, &other).unwrap();
        let mut scratch = [0; 128];

        let attached = sealed(&key, false);
        let message = Mac0::parse(&attached, &Limits::SMALL).unwrap();
        let good = message.verify(&key, b"aad", &mut scratch).unwrap();
        assert_eq!(good.payload(), b"payload");
        let wrong = Some(CoseError::Crypto(CryptoError::Signature));
        assert_eq!(message.verify(&other, b"aad", &mut scratch).err(), wrong);
        assert_eq!(message.verify(&key, b"", &mut scratch).err(), wrong);
        let detached = message.verify_detached(&key, b"payload", b"aad", &mut scratch);
        assert_eq!(detached.err(), Some(CoseError::Payload));

        let bytes = sealed(&key, true);
        let message = Mac0::parse(&bytes, &Limits::SMALL).unwrap();
        let check = |payload| {
            message
                .verify_detached(&key, payload, b"aad", &mut [0; 128])
                .err()
        };
        assert_eq!(check(b"payload"), None);
        assert_eq!(check(b"payloaD"), wrong);
        assert_eq!(
            message.verify(&key, b"aad", &mut scratch).err(),
            Some(CoseError::Payload)
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let secret = secret();
        let key = SymmetricKey::new(&HkdfSha256, &secret).unwrap();
        let good = sealed(&key, false);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let checked = Mac0::parse(&bad, &Limits::SMALL)
                .and_then(|message| message.verify(&key, b"aad", &mut [0; 128]));
            assert!(checked.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_public_key_checks_no_mac_and_a_shared_key_no_signature() {
        let signer = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
        let public = Ed25519PublicKey::from_bytes(signer.public_key()).unwrap();
        // A MAC keyed with bytes that everybody knows.
        let known = Secret::from_slice(signer.public_key()).unwrap();
        let shared = SymmetricKey::new(&HkdfSha256, &known).unwrap();
        let forged = sealed(&shared, false);
        let forged = Mac0::parse(&forged, &Limits::SMALL).unwrap();
        let mismatch = Some(CoseError::AlgorithmMismatch);
        assert_eq!(forged.verify(&public, b"aad", &mut [0; 128]).err(), mismatch);

        // A COSE_Sign1 that says HMAC.
        let mut message = sealed(&shared, false);
        message[0] = 0xD2;
        let message = Sign1::parse(&message, &Limits::SMALL).unwrap();
        assert_eq!(message.verify(&shared, b"aad", &mut [0; 128]).err(), mismatch);
        assert_eq!(message.verify(&public, b"aad", &mut [0; 128]).err(), mismatch);

        // A COSE_Mac0 that says Ed25519.
        let (mut out, mut scratch) = ([0; 128], [0; 128]);
        let signed = Sign1Builder::new().sign(&signer, b"payload", b"", &mut scratch, &mut out);
        let mut signed = signed.unwrap().to_vec();
        signed[0] = 0xD1;
        let signed = Mac0::parse(&signed, &Limits::SMALL).unwrap();
        assert_eq!(signed.verify(&public, b"", &mut scratch).err(), mismatch);
        assert_eq!(signed.verify(&shared, b"", &mut scratch).err(), mismatch);
    }

    #[test]
    fn an_erased_key_is_refused_and_none_is_shown() {
        for byte in [0, 0xFF] {
            let erased = Secret::from_bytes([byte; 32]);
            assert!(SymmetricKey::new(&HkdfSha256, &erased).is_err());
        }
        let secret = secret();
        let key = SymmetricKey::new(&HkdfSha256, &secret).unwrap();
        assert_eq!(std::format!("{key:?}"), "SymmetricKey(..)");
        assert_ne!(key.public_key(), secret.expose());
    }
}
