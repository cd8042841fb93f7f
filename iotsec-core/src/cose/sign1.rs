use super::{
    error::CoseError,
    header::{self, Algorithm, ContentType, Headers},
};
use crate::{
    cbor::{CborError, Limits, Reader, Type, Writer},
    crypto::{KeyType, SIGNATURE_LEN, Sign, Verify},
};

const TAG: u64 = 18;
const CONTEXT: &str = "Signature1";

/// A tagged COSE_Sign1 (RFC 9052 §4.2), read but not yet checked.
///
/// ```text
/// COSE_Sign1_Tagged = #6.18([protected: bstr, unprotected: {...}, payload: bstr / nil, signature: bstr])
/// Sig_structure     = ["Signature1", protected, external_aad: bstr, payload: bstr]
/// ```
#[derive(Clone, Debug)]
pub struct Sign1<'a> {
    protected: &'a [u8],
    headers: Headers<'a>,
    payload: Option<&'a [u8]>,
    signature: &'a [u8],
}

/// A payload whose signature or MAC was checked. Only [`Sign1`], [`Mac0`](super::Mac0) and a
/// [`Signature`](super::Signature) of a [`Sign`](super::Sign) make one.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    payload: &'a [u8],
}

impl<'a> Verified<'a> {
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self { payload }
    }

    /// The bytes that were checked.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

impl<'a> Sign1<'a> {
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
        Self::read_tagged(reader, TAG)
    }

    /// COSE_Mac0 has the same shape.
    // A frame of its own, gone when the signature is checked.
    #[inline(never)]
    pub(super) fn read_tagged(reader: &mut Reader<'a>, tag: u64) -> Result<Self, CoseError> {
        let error = reader.error(crate::cbor::Kind::Range);
        if reader.tag()? != tag {
            return Err(error.into());
        }
        reader.array_len(4)?;
        let (protected, inner) = header::protected(reader)?;
        let headers = Headers::read(inner, reader)?;
        let payload = match reader.peek()? {
            Type::Null => reader.skip().map(|_| None)?,
            _ => Some(reader.bytes()?),
        };
        let signature = reader.bytes()?;
        headers.algorithm.ok_or(CoseError::AlgorithmMissing)?;
        Ok(Self {
            protected,
            headers,
            payload,
            signature,
        })
    }

    /// Whether the headers of the message are just the algorithm of such a key and this media type, both protected:
    /// what [`Sign1Builder`] writes for a format with one encoding. The unprotected headers are not signed, and
    /// would let anyone make another message of one.
    ///
    /// # Errors
    /// [`CborError`] for what is no tagged array of four with maps in their places.
    pub fn has_only(
        message: &[u8],
        limits: &Limits,
        key: KeyType,
        content_type: &str,
    ) -> Result<bool, CborError> {
        let mut reader = Reader::new(message, limits)?;
        reader.tag()?;
        reader.array_len(4)?;
        let mut protected = reader.embedded(limits)?;
        let right = protected.map()? == 2
            && protected.label() == Some(header::ALG)
            && protected.label().map(i64::from) == Some(Algorithm::for_key(key).id())
            && protected.label() == Some(header::CONTENT_TYPE)
            && protected.peek()? == Type::Text
            && protected.text()? == content_type;
        Ok(right && reader.map()? == 0)
    }

    /// The headers. Nothing in them is authentic before a check, and `kid` may not be even after it.
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Checks the signature over the attached payload.
    ///
    /// `scratch` holds the Sig_structure: payload, additional data and 64 bytes more are enough.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when the payload is detached; [`CoseError::AlgorithmMismatch`] when the
    /// message's algorithm is not one for this key; [`CoseError::Crypto`] for a wrong signature.
    pub fn verify(
        &self,
        key: &dyn Verify,
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'a>, CoseError> {
        self.check(key, self.attached()?, external_aad, scratch)
    }

    /// Checks the signature over a payload that travelled apart.
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
        self.detached()?;
        self.check(key, payload, external_aad, scratch)
    }

    pub(crate) fn attached(&self) -> Result<&'a [u8], CoseError> {
        self.payload.ok_or(CoseError::Payload)
    }

    pub(super) fn detached(&self) -> Result<(), CoseError> {
        match self.payload {
            Some(_) => Err(CoseError::Payload),
            None => Ok(()),
        }
    }

    fn check<'p>(
        &self,
        key: &dyn Verify,
        payload: &'p [u8],
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        let algorithm = self.headers.algorithm.ok_or(CoseError::AlgorithmMissing)?;
        if algorithm.key_type() != Some(key.key_type()) {
            return Err(CoseError::AlgorithmMismatch);
        }
        self.check_as(CONTEXT, key, payload, external_aad, scratch)
    }

    /// Whoever calls this has seen that the key is one for the algorithm.
    pub(super) fn check_as<'p>(
        &self,
        context: &str,
        key: &dyn Verify,
        payload: &'p [u8],
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        let message = structure(context, self.protected, external_aad, payload, scratch)?;
        key.verify(message, self.signature)?;
        Ok(Verified { payload })
    }
}

crate::claim! {
    provisions: ["5.5-1"],
    claims: "A signed message counts for its own key, payload and context, and with an unknown algorithm or critical header for nothing",
    code: [Sign1::check_as],
    tests: [
        "iotsec-core::iotsec_core::cose::tests::a_signature_counts_for_its_key_payload_and_context",
        "iotsec-core::iotsec_core::cose::tests::headers_fail_closed",
        "iotsec-core::iotsec_core::cose::tests::no_flipped_bit_verifies_to_another_payload",
    ],
}

/// Makes COSE_Sign1 messages.
///
/// ```
/// use iotsec_core::{
///     cbor::Limits,
///     cose::{Sign1, Sign1Builder},
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign},
///     secret::Secret,
/// };
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let (mut out, mut scratch) = ([0; 128], [0; 128]);
/// let message = Sign1Builder::new().kid(b"maker-1").sign(&key, b"payload", b"", &mut scratch, &mut out)?;
///
/// let public = Ed25519PublicKey::from_bytes(key.public_key())?;
/// let verified = Sign1::parse(message, &Limits::SMALL)?.verify(&public, b"", &mut scratch)?;
/// assert_eq!(verified.payload(), b"payload");
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sign1Builder<'a> {
    algorithm: Option<Algorithm>,
    kid: Option<&'a [u8]>,
    content_type: Option<ContentType<'a>>,
}

impl<'a> Sign1Builder<'a> {
    /// A message with an algorithm and nothing else in its headers.
    pub const fn new() -> Self {
        Self {
            algorithm: None,
            kid: None,
            content_type: None,
        }
    }

    /// Names the algorithm as a format asks for it, instead of the fully specified one of the key: `ES256` and
    /// `EdDSA` are all that verifiers from before RFC 9864 know.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Adds a key identifier, unprotected as RFC 9052 §3.1 suggests.
    #[must_use]
    pub const fn kid(mut self, kid: &'a [u8]) -> Self {
        self.kid = Some(kid);
        self
    }

    /// Adds a protected content type.
    #[must_use]
    pub const fn content_type(mut self, content_type: ContentType<'a>) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Signs `payload` and carries it along.
    ///
    /// # Errors
    /// [`CoseError::Scratch`] or [`CoseError::Encoding`] for a buffer that is too small;
    /// [`CoseError::AlgorithmMismatch`] when the algorithm that was named is not one for this key;
    /// [`CoseError::Crypto`] when the key fails.
    pub fn sign<'o>(
        &self,
        key: &dyn Sign,
        payload: &[u8],
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        self.write(key, payload, true, external_aad, scratch, out)
    }

    /// Signs `payload`, which travels apart.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn sign_detached<'o>(
        &self,
        key: &dyn Sign,
        payload: &[u8],
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        self.write(key, payload, false, external_aad, scratch, out)
    }

    fn write<'o>(
        &self,
        key: &dyn Sign,
        payload: &[u8],
        attached: bool,
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        let algorithm = self.algorithm.unwrap_or(Algorithm::for_key(key.key_type()));
        if algorithm.key_type() != Some(key.key_type()) {
            return Err(CoseError::AlgorithmMismatch);
        }
        let mut protected = [0; 256];
        let mut writer = Writer::new(&mut protected);
        header::write_protected(&mut writer, algorithm, self.content_type)?;
        let protected = writer.finish()?;
        let content = Reader::new(protected, &header::HEADER_LIMITS)?.bytes()?;

        let mut signature = [0; SIGNATURE_LEN];
        key.sign(
            structure(CONTEXT, content, external_aad, payload, scratch)?,
            &mut signature,
        )?;

        let mut writer = Writer::new(out);
        writer.tag(TAG)?.array(4)?.raw(protected)?;
        header::write_unprotected(&mut writer, self.kid, None)?;
        if attached {
            writer.bytes(payload)?;
        } else {
            writer.null()?;
        }
        writer.bytes(&signature)?;
        Ok(writer.finish()?)
    }
}

/// Sig_structure, and with another context MAC_structure (RFC 9052 §6.3).
pub(super) fn structure<'s>(
    context: &str,
    protected: &[u8],
    external_aad: &[u8],
    payload: &[u8],
    scratch: &'s mut [u8],
) -> Result<&'s [u8], CoseError> {
    let mut writer = Writer::new(scratch);
    let written = writer
        .array(4)
        .and_then(|w| w.text(context))
        .and_then(|w| w.bytes(protected))
        .and_then(|w| w.bytes(external_aad))
        .and_then(|w| w.bytes(payload))
        .is_ok();
    if written {
        Ok(writer.finish()?)
    } else {
        Err(CoseError::Scratch)
    }
}
