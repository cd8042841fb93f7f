use super::error::CoseError;
use crate::{
    cbor::{Kind, Limits, Reader, Writer},
    crypto::{
        AgreementCurve, ContentAlgorithm, ContentDecrypt, CryptoError, Kdf, KeyAgreement, KeyUnwrap, KeyWrap,
        KeyWrapAlgorithm,
    },
    secret::Secret,
};

mod builder;
mod header;
mod recipient;

pub use builder::{EncryptBuilder, EncryptTo};
use header::Bucket;
use recipient::{Method, Recipient};

const TAG: u64 = 96;

/// A tagged COSE_Encrypt (RFC 9052 §5.1) over a detached content, read but not yet opened, in the profile
/// of draft-ietf-suit-firmware-encryption.
///
/// ```text
/// SUIT_Encryption_Info = #6.96([protected, unprotected, ciphertext: nil, recipients: [1*8 recipient]])
///
/// content cipher     protected           unprotected
/// AES-CTR            h''                 {1: -65534 / -65532, 5: IV .size 16}
/// AES-GCM, ChaCha20  << {1: 1 / 24} >>   {5: IV .size 12}
///
/// recipient          = [protected, unprotected, CEK wrapped with the KEK: bstr]
/// AES key wrap       h''                 {1: -3 / -5, ? 4: kid}
/// ECDH-ES+A128KW     << {1: -29} >>      {? 4: kid, -1: ephemeral COSE_Key, ? -20: salt: bstr}
/// ```
///
/// Other algorithms, header parameters and shapes are refused, a `crit` too. The ephemeral key has no more
/// than kty, crv and coordinates, uncompressed. Nothing here is authentic by itself: whoever knows a
/// recipient's public key can write such a message, so a signature over it has to say whether it counts.
///
/// ```
/// use iotsec_core::{
///     cose::{Encrypt, EncryptBuilder, EncryptTo, RecipientKey},
///     crypto::{Aes128Ctr, Aes128KeyWrap, ContentDecrypt, ContentEncrypt, HkdfSha256, KeyAgreement, X25519Key},
///     secret::Secret,
/// };
/// # use core::convert::Infallible;
/// # struct Rng(u8);
/// # impl rand_core::TryRng for Rng {
/// #     type Error = Infallible;
/// #     fn try_next_u32(&mut self) -> Result<u32, Infallible> { unimplemented!() }
/// #     fn try_next_u64(&mut self) -> Result<u64, Infallible> { unimplemented!() }
/// #     fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
/// #         for byte in dst { self.0 = self.0.wrapping_mul(5).wrapping_add(1); *byte = self.0; }
/// #         Ok(())
/// #     }
/// # }
/// # impl rand_core::TryCryptoRng for Rng {}
/// # let mut rng = Rng(1);
///
/// // The maker encrypts to the device's public key.
/// let device = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
/// let ephemeral = X25519Key::generate(&mut rng)?;
/// let mut cipher = Aes128Ctr::new();
/// let mut out = [0; 256];
/// let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
///     .start(&[EncryptTo::agreement(&ephemeral, device.public_key())], &mut cipher, &mut rng, &mut out)?;
/// let mut payload = *b"firmware";
/// cipher.encrypt(&mut payload)?;
///
/// // The device, once the signature over `info` was checked.
/// let key = RecipientKey::agreement(&device, &HkdfSha256, &Aes128KeyWrap);
/// Encrypt::parse(info)?.start(&key, &mut cipher)?;
/// cipher.decrypt(&mut payload)?;
/// assert_eq!(&payload, b"firmware");
/// # Ok::<(), iotsec_core::cose::CoseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Encrypt<'a> {
    protected: &'a [u8],
    algorithm: ContentAlgorithm,
    iv: &'a [u8],
    /// At the first recipient.
    recipients: Reader<'a>,
    count: u64,
}

impl<'a> Encrypt<'a> {
    /// Most recipients: each may cost the device one key agreement before it has found its own.
    pub const MAX_RECIPIENTS: usize = 8;
    /// Bytes of a message to as many recipients as there may be, each with a key identifier of up to 64
    /// bytes.
    pub const MAX_LEN: usize = 2048;

    /// Reads one message, tag included, with all its recipients.
    ///
    /// # Errors
    /// [`CoseError`] for anything but a well-formed message of the profile above.
    pub fn parse(input: &'a [u8]) -> Result<Self, CoseError> {
        let mut reader = Reader::new(input, &LIMITS)?;
        let error = reader.error(Kind::Range);
        if reader.tag()? != TAG {
            return Err(error.into());
        }
        reader.array_len(4)?;
        let (protected, bucket) = Bucket::read(&mut reader)?;
        let algorithm = bucket.content_algorithm()?;
        let iv = bucket.iv.ok_or(CoseError::Header)?;
        if iv.len() != algorithm.iv_len() || !bucket.is_of_content() {
            return Err(CoseError::Header);
        }
        reader.null().map_err(|_| CoseError::Payload)?;
        let error = reader.error(Kind::Length);
        let count = reader.array()?;
        if !(1..=MAX_RECIPIENTS).contains(&count) {
            return Err(error.into());
        }
        let message = Self {
            protected,
            algorithm,
            iv,
            recipients: reader.clone(),
            count,
        };
        for _ in 0..count {
            Recipient::read(&mut reader, algorithm)?;
        }
        reader.finish()?;
        Ok(message)
    }

    /// How the content is encrypted.
    pub const fn algorithm(&self) -> ContentAlgorithm {
        self.algorithm
    }

    /// Finds the content key for `key` and starts `cipher` with it.
    ///
    /// # Errors
    /// [`CoseError::AlgorithmMismatch`] when the content is for another cipher. [`CoseError::Recipient`]
    /// when no recipient structure opens with this key, whatever the reason.
    /// [`CoseError::Crypto`] with [`CryptoError::Driver`] from hardware.
    pub fn start(&self, key: &RecipientKey<'_>, cipher: &mut dyn ContentDecrypt) -> Result<(), CoseError> {
        if cipher.algorithm() != self.algorithm {
            return Err(CoseError::AlgorithmMismatch);
        }
        let mut recipients = self.recipients.clone();
        for _ in 0..self.count {
            let recipient = Recipient::read(&mut recipients, self.algorithm)?;
            let mut content_key = Secret::zero();
            let content_key = recipient::key_part(&mut content_key, self.algorithm)?;
            match recipient.open(key, content_key) {
                Ok(()) => return start(cipher, self.protected, self.iv, content_key),
                // Hardware that fails is not a wrong key.
                Err(CoseError::Crypto(CryptoError::Driver)) => return Err(CryptoError::Driver.into()),
                // Not for this key, or it does not fit: one answer, so that nobody can probe.
                Err(_) => {}
            }
        }
        Err(CoseError::Recipient)
    }
}

/// The key of a recipient, and what its way of distributing content keys needs.
#[derive(Clone, Copy)]
pub struct RecipientKey<'k> {
    kid: Option<&'k [u8]>,
    method: KeyMethod<'k>,
}

#[derive(Clone, Copy)]
enum KeyMethod<'k> {
    Wrap(&'k dyn KeyUnwrap),
    Agreement {
        key: &'k dyn KeyAgreement,
        kdf: &'k dyn Kdf,
        wrap: &'k dyn KeyWrap,
    },
}

impl<'k> RecipientKey<'k> {
    /// A key-encryption key shared with the maker: A128KW (-3) or A256KW (-5). Whoever has it can also
    /// encrypt, and if all devices share it, one device gives away the payloads of all.
    pub const fn wrap(key: &'k dyn KeyUnwrap) -> Self {
        Self {
            kid: None,
            method: KeyMethod::Wrap(key),
        }
    }

    /// A private key for ECDH-ES+A128KW (-29). `wrap` is AES-128.
    pub const fn agreement(key: &'k dyn KeyAgreement, kdf: &'k dyn Kdf, wrap: &'k dyn KeyWrap) -> Self {
        Self {
            kid: None,
            method: KeyMethod::Agreement { key, kdf, wrap },
        }
    }

    /// With the identifier of the key: recipient structures that name another are passed over.
    #[must_use]
    pub const fn with_kid(mut self, kid: &'k [u8]) -> Self {
        self.kid = Some(kid);
        self
    }
}

impl core::fmt::Debug for RecipientKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RecipientKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Enc_structure = ["Encrypt", protected, external_aad: h''] for authenticated ciphers (RFC 9052 §5.3).
fn start(cipher: &mut dyn ContentDecrypt, protected: &[u8], iv: &[u8], key: &[u8]) -> Result<(), CoseError> {
    let mut scratch = [0; 32];
    let mut aad: &[u8] = &[];
    if cipher.algorithm().is_authenticated() {
        let mut writer = Writer::new(&mut scratch);
        writer.array(3)?.text("Encrypt")?.bytes(protected)?.bytes(&[])?;
        aad = writer.finish()?;
    }
    Ok(cipher.start(key, iv, aad)?)
}

/// COSE_KDF_Context (RFC 9053 §5.2) as the draft fills it in, into `out`.
///
/// ```text
/// [-3, [nil, nil, nil], [nil, nil, nil], [128, protected: bstr, 'SUIT Payload Encryption']]
/// ```
fn kdf_context<'o>(protected: &[u8], out: &'o mut [u8; 64]) -> Result<&'o [u8], CoseError> {
    let mut writer = Writer::new(out);
    writer.array(4)?.int(header::A128KW)?;
    for _ in 0..2 {
        writer.array(3)?.null()?.null()?.null()?;
    }
    writer
        .array(3)?
        .uint(128)?
        .bytes(protected)?
        .bytes(b"SUIT Payload Encryption")?;
    Ok(writer.finish()?)
}

/// [`Encrypt::MAX_RECIPIENTS`], as CBOR counts.
const MAX_RECIPIENTS: u64 = 8;

/// Eight recipients of up to 21 items each, and eleven for the content. The deepest is the tag's array, the
/// recipients, one of them, its header and the ephemeral key in it.
const LIMITS: Limits = Limits {
    depth: 6,
    items: 192,
    bytes: 2048,
};

#[cfg(all(test, feature = "encryption", feature = "p256", feature = "x25519"))]
mod tests;
