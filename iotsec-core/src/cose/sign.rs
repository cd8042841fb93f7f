use super::{
    error::CoseError,
    header::{self, Algorithm, Headers},
    sign1::Verified,
};
use crate::{
    cbor::{Kind, Limits, Reader, Type, Writer},
    crypto::{self, SIGNATURE_LEN, Verify},
};

const TAG: u64 = 98;
/// An encoded map without entries. In the Sig_structure it counts as no bytes at all (RFC 9052 §4.4).
const EMPTY_MAP: &[u8] = &[0xA0];

/// A tagged COSE_Sign (RFC 9052 §4.1): one payload, several signatures. Read but not yet checked.
///
/// ```text
/// COSE_Sign_Tagged = #6.98([protected: bstr, unprotected: {...}, payload: bstr / nil, [+ COSE_Signature]])
/// COSE_Signature   = [protected: bstr, unprotected: {...}, signature: bstr]
/// Sig_structure    = ["Signature", body_protected, sign_protected, external_aad: bstr, payload: bstr]
/// ```
///
/// How many signatures by which keys are enough is the caller's to say. A signature whose algorithm or
/// critical header is unknown spoils only itself; anything malformed spoils the message.
#[derive(Clone, Debug)]
pub struct Sign<'a> {
    protected: &'a [u8],
    headers: Headers<'a>,
    payload: Option<&'a [u8]>,
    signatures: Reader<'a>,
    count: u8,
}

impl<'a> Sign<'a> {
    /// Signatures at most. As many as there can be trust anchors.
    pub const MAX_SIGNATURES: u8 = 8;
    /// The depth that [`Limits`] must allow: five levels down to the headers of a signature, and one for
    /// an array in them.
    pub const DEPTH: u8 = 6;

    /// Reads one message, tag included.
    ///
    /// # Errors
    /// [`CoseError::Signatures`] for none or more than [`MAX_SIGNATURES`](Self::MAX_SIGNATURES), and
    /// other [`CoseError`]s for anything but a well-formed message.
    pub fn parse(input: &'a [u8], limits: &Limits) -> Result<Self, CoseError> {
        Self::read(&mut Reader::new(input, limits)?)
    }

    /// Reads the message at `reader`, tag included.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, CoseError> {
        let error = reader.error(Kind::Range);
        if reader.tag()? != TAG {
            return Err(error.into());
        }
        reader.array_len(4)?;
        let (protected, inner) = header::protected(reader)?;
        let headers = Headers::read(inner, reader)?;
        let payload = match reader.peek()? {
            Type::Null => reader.skip().map(|_| None)?,
            _ => Some(reader.bytes()?),
        };
        let count = u8::try_from(reader.array()?)
            .ok()
            .filter(|count| (1..=Self::MAX_SIGNATURES).contains(count))
            .ok_or(CoseError::Signatures)?;
        let message = Self {
            protected: if protected == EMPTY_MAP { &[] } else { protected },
            headers,
            payload,
            signatures: reader.clone(),
            count,
        };
        for signature in message.signatures() {
            match signature {
                Ok(_) | Err(CoseError::AlgorithmUnknown | CoseError::Critical) => reader.skip()?,
                Err(error) => return Err(error),
            };
        }
        Ok(message)
    }

    /// The headers of the body. They concern all signatures and name no algorithm.
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// The attached payload, of which nothing is authentic.
    pub const fn unverified_payload(&self) -> Option<&'a [u8]> {
        self.payload
    }

    /// The signatures, in their order. One that cannot be checked by anyone here is an error of its own:
    /// [`CoseError::AlgorithmUnknown`] or [`CoseError::Critical`].
    pub fn signatures(&self) -> Signatures<'_, 'a> {
        Signatures {
            message: self,
            reader: self.signatures.clone(),
            left: self.count,
        }
    }
}

/// The signatures of a [`Sign`].
#[derive(Clone, Debug)]
pub struct Signatures<'m, 'a> {
    message: &'m Sign<'a>,
    reader: Reader<'a>,
    left: u8,
}

impl<'m, 'a> Iterator for Signatures<'m, 'a> {
    type Item = Result<Signature<'m, 'a>, CoseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let item = self.reader.clone();
        Some(match self.reader.skip() {
            Ok(_) => Signature::read(self.message, item),
            Err(error) => Err(error.into()),
        })
    }
}

/// One signature of a [`Sign`], not yet checked.
#[derive(Clone, Debug)]
pub struct Signature<'m, 'a> {
    message: &'m Sign<'a>,
    protected: &'a [u8],
    headers: Headers<'a>,
    signature: &'a [u8],
}

impl<'m, 'a> Signature<'m, 'a> {
    fn read(message: &'m Sign<'a>, mut reader: Reader<'a>) -> Result<Self, CoseError> {
        reader.array_len(3)?;
        let (protected, inner) = header::protected(&mut reader)?;
        let mut rest = reader.clone();
        rest.skip()?;
        let signature = rest.bytes()?;
        let headers = Headers::read(inner, &mut reader)?;
        headers.algorithm.ok_or(CoseError::AlgorithmMissing)?;
        Ok(Self {
            message,
            protected,
            headers,
            signature,
        })
    }

    /// The headers of this signature. Nothing in them is authentic before a check, and `kid` may not be
    /// even after it.
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Checks this signature over the attached payload.
    ///
    /// `scratch` holds the Sig_structure: payload, additional data, protected headers and 32 bytes more
    /// are enough.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when the payload is detached; [`CoseError::AlgorithmMismatch`] when the
    /// signature's algorithm is not one for this key; [`CoseError::Crypto`] for a wrong signature.
    pub fn verify(
        &self,
        key: &dyn Verify,
        external_aad: &[u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'a>, CoseError> {
        let payload = self.message.payload.ok_or(CoseError::Payload)?;
        self.check(key, payload, external_aad, scratch)
    }

    /// Checks this signature over a payload that travelled apart.
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
        if self.message.payload.is_some() {
            return Err(CoseError::Payload);
        }
        self.check(key, payload, external_aad, scratch)
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
        let body = self.message.protected;
        let message = sig_structure(body, self.protected, external_aad, payload, scratch)?;
        key.verify(message, self.signature)?;
        Ok(Verified::new(payload))
    }
}

/// A key that signs, and the identifier that its signature carries.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The key.
    pub key: &'a dyn crypto::Sign,
    /// The key identifier, unprotected as RFC 9052 §3.1 suggests.
    pub kid: Option<&'a [u8]>,
}

impl core::fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Signer")
            .field("key_type", &self.key.key_type())
            .field("kid", &self.kid)
            .finish()
    }
}

/// Makes COSE_Sign messages.
///
/// ```
/// use iotsec_core::{
///     cbor::Limits,
///     cose::{Sign, SignBuilder, Signer},
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign as _},
///     secret::Secret,
/// };
///
/// let [a, b] = [7, 8].map(|seed| Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32])));
/// let signers = [Signer { key: &a, kid: Some(b"root-1") }, Signer { key: &b, kid: None }];
/// let (mut out, mut scratch) = ([0; 256], [0; 128]);
/// let message = SignBuilder::new(&signers).sign(b"payload", b"", &mut scratch, &mut out)?;
///
/// let limits = Limits { depth: Sign::DEPTH, ..Limits::SMALL };
/// let message = Sign::parse(message, &limits)?;
/// for (signature, key) in message.signatures().zip([&a, &b]) {
///     let public = Ed25519PublicKey::from_bytes(key.public_key())?;
///     assert_eq!(signature?.verify(&public, b"", &mut scratch)?.payload(), b"payload");
/// }
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SignBuilder<'a> {
    signers: &'a [Signer<'a>],
}

impl<'a> SignBuilder<'a> {
    /// A message signed by all of `signers`, in this order.
    pub const fn new(signers: &'a [Signer<'a>]) -> Self {
        Self { signers }
    }

    /// Signs `payload` and carries it along.
    ///
    /// # Errors
    /// [`CoseError::Signatures`] for no signer or more than [`Sign::MAX_SIGNATURES`];
    /// [`CoseError::Scratch`] or [`CoseError::Encoding`] for a buffer that is too small;
    /// [`CoseError::Crypto`] when a key fails.
    pub fn sign<'o>(
        &self,
        payload: &[u8],
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        self.write(payload, true, external_aad, scratch, out)
    }

    /// Signs `payload`, which travels apart.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn sign_detached<'o>(
        &self,
        payload: &[u8],
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        self.write(payload, false, external_aad, scratch, out)
    }

    fn write<'o>(
        &self,
        payload: &[u8],
        attached: bool,
        external_aad: &[u8],
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        let count = u8::try_from(self.signers.len())
            .ok()
            .filter(|count| (1..=Sign::MAX_SIGNATURES).contains(count))
            .ok_or(CoseError::Signatures)?;
        let mut writer = Writer::new(out);
        writer.tag(TAG)?.array(4)?.bytes(&[])?.map(0)?;
        if attached {
            writer.bytes(payload)?;
        } else {
            writer.null()?;
        }
        writer.array(count.into())?;
        for signer in self.signers {
            let mut protected = [0; 16];
            let mut header = Writer::new(&mut protected);
            header::write_protected(&mut header, Algorithm::for_key(signer.key.key_type()), None)?;
            let protected = header.finish()?;
            let content = Reader::new(protected, &header::HEADER_LIMITS)?.bytes()?;

            let mut signature = [0; SIGNATURE_LEN];
            let message = sig_structure(&[], content, external_aad, payload, scratch)?;
            signer.key.sign(message, &mut signature)?;

            writer.array(3)?.raw(protected)?;
            header::write_unprotected(&mut writer, signer.kid, None)?;
            writer.bytes(&signature)?;
        }
        Ok(writer.finish()?)
    }
}

fn sig_structure<'s>(
    body_protected: &[u8],
    sign_protected: &[u8],
    external_aad: &[u8],
    payload: &[u8],
    scratch: &'s mut [u8],
) -> Result<&'s [u8], CoseError> {
    let mut writer = Writer::new(scratch);
    let written = writer
        .array(5)
        .and_then(|w| w.text("Signature"))
        .and_then(|w| w.bytes(body_protected))
        .and_then(|w| w.bytes(sign_protected))
        .and_then(|w| w.bytes(external_aad))
        .and_then(|w| w.bytes(payload))
        .is_ok();
    if written {
        Ok(writer.finish()?)
    } else {
        Err(CoseError::Scratch)
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
