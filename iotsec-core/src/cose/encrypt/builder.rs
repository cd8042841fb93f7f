use rand_core::TryCryptoRng;

use super::{
    header::{self, Ephemeral},
    *,
};
use crate::crypto::ContentEncrypt;

/// Makes messages for [`Encrypt`]: draws a content key, wraps it for every recipient, and starts a cipher
/// with it.
///
/// The content key and the IV are fresh for every message and never leave: one pair cannot encrypt
/// twice.
#[derive(Clone, Copy)]
pub struct EncryptBuilder<'a> {
    kdf: &'a dyn Kdf,
    wrap: &'a dyn KeyWrap,
}

/// Whom a message is for.
#[derive(Clone, Copy)]
pub struct EncryptTo<'a> {
    kid: Option<&'a [u8]>,
    method: ToMethod<'a>,
}

#[derive(Clone, Copy)]
enum ToMethod<'a> {
    Wrap {
        wrap: &'a dyn KeyWrap,
        kek: &'a [u8],
    },
    Agreement {
        ephemeral: &'a dyn KeyAgreement,
        public: &'a [u8],
    },
}

impl<'a> EncryptTo<'a> {
    /// A recipient with whom `kek` is shared, 16 or 32 bytes as `wrap` has it.
    pub const fn wrap(wrap: &'a dyn KeyWrap, kek: &'a [u8]) -> Self {
        Self {
            kid: None,
            method: ToMethod::Wrap { wrap, kek },
        }
    }

    /// The holder of the private half of `public`. `ephemeral` is a fresh key on the same curve, to be
    /// dropped afterwards.
    pub const fn agreement(ephemeral: &'a dyn KeyAgreement, public: &'a [u8]) -> Self {
        Self {
            kid: None,
            method: ToMethod::Agreement { ephemeral, public },
        }
    }

    /// With the identifier of the recipient's key.
    #[must_use]
    pub const fn with_kid(mut self, kid: &'a [u8]) -> Self {
        self.kid = Some(kid);
        self
    }
}

impl core::fmt::Debug for EncryptTo<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EncryptTo")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for EncryptBuilder<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EncryptBuilder(..)")
    }
}

impl<'a> EncryptBuilder<'a> {
    /// With what content keys for recipients by key agreement are wrapped: HKDF-SHA-256 and AES-128.
    pub const fn new(kdf: &'a dyn Kdf, wrap: &'a dyn KeyWrap) -> Self {
        Self { kdf, wrap }
    }

    /// Writes the message and starts `cipher`, which then encrypts the content; of an authenticated
    /// cipher the tag goes behind the content.
    ///
    /// # Errors
    /// [`CoseError::Encoding`] when `out` is too small, or with [`Kind::Length`] for no recipient or more
    /// than [`Encrypt::MAX_RECIPIENTS`]; [`CoseError::Header`] for a key identifier of more than 64 bytes;
    /// [`CoseError::Crypto`] for keys that do not fit, and when the source of randomness fails.
    pub fn start<'o, R: TryCryptoRng + ?Sized>(
        &self,
        recipients: &[EncryptTo<'_>],
        cipher: &mut dyn ContentEncrypt,
        rng: &mut R,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], CoseError> {
        let algorithm = cipher.algorithm();
        let mut key = Secret::random(rng)?;
        let key = recipient::key_part(&mut key, algorithm)?;
        let iv = Secret::<{ ContentAlgorithm::MAX_IV_LEN }>::random(rng)?;
        let iv = iv.expose().get(..algorithm.iv_len()).unwrap_or_default();

        let mut protected = [0; 16];
        let mut protected = Writer::new(&mut protected);
        if algorithm.is_authenticated() {
            protected
                .map(1)?
                .int(header::ALG)?
                .int(header::content_id(algorithm))?;
        }
        let protected = protected.finish()?;

        let mut writer = Writer::new(out);
        writer.tag(TAG)?.array(4)?.bytes(protected)?;
        if algorithm.is_authenticated() {
            writer.map(1)?;
        } else {
            writer
                .map(2)?
                .int(header::ALG)?
                .int(header::content_id(algorithm))?;
        }
        writer.int(header::IV)?.bytes(iv)?.null()?;
        let error = crate::cbor::CborError::new(Kind::Length, writer.len());
        if recipients.is_empty() || recipients.len() > Encrypt::MAX_RECIPIENTS {
            return Err(error.into());
        }
        writer.array(u64::try_from(recipients.len()).unwrap_or(u64::MAX))?;
        for to in recipients {
            self.write(to, key, &mut writer)?;
        }
        let message = writer.finish()?;
        // What this writes, this reads.
        Encrypt::parse(message)?;
        start(cipher, protected, iv, key)?;
        Ok(message)
    }

    fn write(&self, to: &EncryptTo<'_>, key: &[u8], writer: &mut Writer<'_>) -> Result<(), CoseError> {
        writer.array(3)?;
        let entries = u64::from(to.kid.is_some()).saturating_add(1);
        let mut wrapped = [0; ContentAlgorithm::MAX_KEY_LEN.saturating_add(KeyWrapAlgorithm::OVERHEAD)];
        let len = key.len().saturating_add(KeyWrapAlgorithm::OVERHEAD);
        let wrapped = wrapped.get_mut(..len).ok_or(CoseError::Scratch)?;
        match to.method {
            ToMethod::Wrap { wrap, kek } => {
                let id = match wrap.algorithm() {
                    KeyWrapAlgorithm::Aes128 => header::A128KW,
                    KeyWrapAlgorithm::Aes256 => header::A256KW,
                };
                writer.bytes(&[])?.map(entries)?.int(header::ALG)?.int(id)?;
                write_kid(to.kid, writer)?;
                wrap.wrap(kek, key, wrapped)?;
            }
            ToMethod::Agreement { ephemeral, public } => {
                let mut protected = [0; 16];
                let mut inner = Writer::new(&mut protected);
                inner.map(1)?.int(header::ALG)?.int(header::ECDH_ES_A128KW)?;
                let protected = inner.finish()?;
                writer.bytes(protected)?.map(entries)?;
                write_kid(to.kid, writer)?;
                writer.int(header::EPHEMERAL)?;
                Ephemeral::of(ephemeral.curve(), ephemeral.public_key())?.write(writer)?;
                // Also refuses a public key of another curve.
                let shared = ephemeral.agree(public)?;
                let kek = recipient::derive(&shared, self.kdf, self.wrap, protected, &[])?;
                self.wrap.wrap(kek.expose(), key, wrapped)?;
            }
        }
        writer.bytes(wrapped)?;
        Ok(())
    }
}

fn write_kid(kid: Option<&[u8]>, writer: &mut Writer<'_>) -> Result<(), CoseError> {
    if let Some(kid) = kid {
        writer.int(header::KID)?.bytes(kid)?;
    }
    Ok(())
}
