use super::{
    error::CoseError,
    header::{self, Algorithm, Headers},
};
use crate::{
    cbor::{Kind, Limits, Reader, Writer},
    crypto::{Aead, AeadAlgorithm, NONCE_LEN, TAG_LEN},
    secret::Secret,
};

const TAG: u64 = 16;
/// "Encrypt0", protected header and external additional data.
const ENC_STRUCTURE_MAX: usize = 320;

/// A tagged COSE_Encrypt0 (RFC 9052 §5.2), read but not yet opened.
///
/// ```text
/// COSE_Encrypt0_Tagged = #6.16([protected: bstr, unprotected: {4: kid, 5: IV}, ciphertext: bstr])
/// Enc_structure        = ["Encrypt0", protected, external_aad: bstr]
/// ```
///
/// ```
/// use iotsec_core::{cbor::Limits, cose::Encrypt0, crypto::ChaCha20Poly1305, secret::Secret};
///
/// let key = Secret::from_bytes([9; 32]);
/// let mut out = [0; 96];
/// let nonce = [1; 12]; // never twice under one key
/// let sealed = Encrypt0::seal(&ChaCha20Poly1305, &key, &nonce, b"batch", b"", b"21.5 C", &mut out)?;
///
/// let mut plain = [0; 32];
/// let message = Encrypt0::parse(sealed, &Limits::SMALL)?;
/// assert_eq!(message.open(&ChaCha20Poly1305, &key, b"", &mut plain)?, b"21.5 C");
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Encrypt0<'a> {
    protected: &'a [u8],
    headers: Headers<'a>,
    ciphertext: &'a [u8],
}

impl<'a> Encrypt0<'a> {
    /// What [`seal`](Self::seal) adds to the plaintext at most, with a key id of up to 23 bytes.
    pub const OVERHEAD: usize = 64;

    /// Reads one message, tag included.
    ///
    /// # Errors
    /// [`CoseError`] for anything but a well-formed message whose algorithm is known and protected.
    pub fn parse(input: &'a [u8], limits: &Limits) -> Result<Self, CoseError> {
        let mut reader = Reader::new(input, limits)?;
        let error = reader.error(Kind::Range);
        if reader.tag()? != TAG {
            return Err(error.into());
        }
        reader.array_len(3)?;
        let (protected, inner) = header::protected(&mut reader)?;
        let headers = Headers::read(inner, &mut reader)?;
        let ciphertext = reader.bytes()?;
        headers.algorithm.ok_or(CoseError::AlgorithmMissing)?;
        Ok(Self {
            protected,
            headers,
            ciphertext,
        })
    }

    /// The headers, not authentic before [`open`](Self::open).
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Decrypts into `out` and returns the plaintext.
    ///
    /// # Errors
    /// [`CoseError::AlgorithmMismatch`] for another cipher; [`CoseError::Header`] without a 12-byte IV;
    /// [`CoseError::Crypto`] when the check fails, in which case `out` holds no plaintext.
    pub fn open<'o>(
        &self,
        aead: &dyn Aead,
        key: &Secret<32>,
        external_aad: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        if self.headers.algorithm != Some(algorithm_of(aead)?) {
            return Err(CoseError::AlgorithmMismatch);
        }
        let nonce: &[u8; NONCE_LEN] = self
            .headers
            .iv
            .and_then(|iv| iv.try_into().ok())
            .ok_or(CoseError::Header)?;
        let split = self
            .ciphertext
            .len()
            .checked_sub(TAG_LEN)
            .ok_or(CoseError::Payload)?;
        let (body, tag) = self
            .ciphertext
            .split_at_checked(split)
            .ok_or(CoseError::Payload)?;
        let tag: &[u8; TAG_LEN] = tag.try_into().map_err(|_| CoseError::Payload)?;
        let plain = out.get_mut(..body.len()).ok_or(CoseError::Scratch)?;
        plain.copy_from_slice(body);
        let mut structure = [0; ENC_STRUCTURE_MAX];
        let aad = enc_structure(self.protected, external_aad, &mut structure)?;
        aead.open(key, nonce, aad, plain, tag)?;
        Ok(plain)
    }

    /// Encrypts `plaintext` into `out` and returns the message.
    ///
    /// The caller answers for a `nonce` that is never used twice with `key`.
    ///
    /// # Errors
    /// [`CoseError::AlgorithmUnknown`] for a cipher without a COSE number; [`CoseError::Encoding`] when
    /// `out` is too small.
    pub fn seal<'o>(
        aead: &dyn Aead,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        kid: &[u8],
        external_aad: &[u8],
        plaintext: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        let mut protected = [0; 16];
        let mut writer = Writer::new(&mut protected);
        header::write_protected(&mut writer, algorithm_of(aead)?, None)?;
        let protected = writer.finish()?;
        let content = Reader::new(protected, &header::HEADER_LIMITS)?.bytes()?;
        let mut structure = [0; ENC_STRUCTURE_MAX];
        let aad = enc_structure(content, external_aad, &mut structure)?;

        let mut writer = Writer::new(out);
        writer.tag(TAG)?.array(3)?.raw(protected)?;
        header::write_unprotected(&mut writer, Some(kid), Some(nonce))?;
        let sealed_len = plaintext.len().checked_add(TAG_LEN).ok_or(CoseError::Scratch)?;
        writer.bytes_with(sealed_len, |place| {
            let (body, tag) = place
                .split_at_mut_checked(plaintext.len())
                .ok_or(CoseError::Scratch)?;
            body.copy_from_slice(plaintext);
            for (to, from) in tag.iter_mut().zip(aead.seal(key, nonce, aad, body)?) {
                *to = from;
            }
            Ok::<(), CoseError>(())
        })?;
        Ok(writer.finish()?)
    }
}

fn algorithm_of(aead: &dyn Aead) -> Result<Algorithm, CoseError> {
    match aead.algorithm() {
        AeadAlgorithm::ChaCha20Poly1305 => Ok(Algorithm::ChaCha20Poly1305),
        // Neither has a number in the COSE registry.
        AeadAlgorithm::Aes256GcmSiv | AeadAlgorithm::ChaCha20HmacSiv => Err(CoseError::AlgorithmUnknown),
    }
}

fn enc_structure<'s>(
    protected: &[u8],
    external_aad: &[u8],
    scratch: &'s mut [u8],
) -> Result<&'s [u8], CoseError> {
    let mut writer = Writer::new(scratch);
    let written = writer
        .array(3)
        .and_then(|w| w.text("Encrypt0"))
        .and_then(|w| w.bytes(protected))
        .and_then(|w| w.bytes(external_aad))
        .is_ok();
    if written {
        Ok(writer.finish()?)
    } else {
        Err(CoseError::Scratch)
    }
}
