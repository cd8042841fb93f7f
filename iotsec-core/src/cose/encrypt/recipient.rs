//! One structure of the recipients' array.

use super::*;

#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient<'a> {
    kid: Option<&'a [u8]>,
    method: Method<'a>,
    wrapped: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Method<'a> {
    Wrap(KeyWrapAlgorithm),
    Agreement {
        protected: &'a [u8],
        salt: &'a [u8],
        ephemeral: header::Ephemeral<'a>,
    },
}

impl<'a> Recipient<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, content: ContentAlgorithm) -> Result<Self, CoseError> {
        reader.array_len(3)?;
        let (protected, bucket) = Bucket::read(reader)?;
        let method = bucket.method(protected)?;
        let error = reader.error(Kind::Length);
        let wrapped = reader.bytes()?;
        if wrapped.len() != content.key_len().saturating_add(KeyWrapAlgorithm::OVERHEAD) {
            return Err(error.into());
        }
        Ok(Self {
            kid: bucket.kid,
            method,
            wrapped,
        })
    }

    /// Unwraps the content key with `key`, if this structure is for it.
    pub(super) fn open(&self, key: &RecipientKey<'_>, content_key: &mut [u8]) -> Result<(), CoseError> {
        if let (Some(ours), Some(named)) = (key.kid, self.kid)
            && ours != named
        {
            return Err(CoseError::Recipient);
        }
        match (self.method, key.method) {
            (Method::Wrap(algorithm), KeyMethod::Wrap(key)) if key.algorithm() == algorithm => {
                Ok(key.unwrap(self.wrapped, content_key)?)
            }
            (
                Method::Agreement {
                    protected,
                    salt,
                    ephemeral,
                },
                KeyMethod::Agreement { key, kdf, wrap },
            ) => {
                let shared = ephemeral.agree(key)?;
                let kek = derive(&shared, kdf, wrap, protected, salt)?;
                Ok(wrap.unwrap(kek.expose(), self.wrapped, content_key)?)
            }
            _ => Err(CoseError::Recipient),
        }
    }
}

/// The key-encryption key of ECDH-ES+A128KW (RFC 9053 §6.4.1) with HKDF-SHA-256.
pub(super) fn derive(
    shared: &Secret<32>,
    kdf: &dyn Kdf,
    wrap: &dyn KeyWrap,
    protected: &[u8],
    salt: &[u8],
) -> Result<Secret<16>, CoseError> {
    if wrap.algorithm() != KeyWrapAlgorithm::Aes128 {
        return Err(CoseError::AlgorithmMismatch);
    }
    // A driver that does not tell points of small order gives zero; nobody derives a key from that.
    if shared.ct_eq(&Secret::zero()) {
        return Err(CryptoError::PublicKey.into());
    }
    let mut context = [0; 64];
    let context = kdf_context(protected, &mut context)?;
    let mut kek = Secret::zero();
    kdf.hkdf(salt, shared.expose(), &[context], kek.expose_mut())?;
    Ok(kek)
}

/// As many bytes of `key` as the cipher takes.
pub(super) fn key_part(
    key: &mut Secret<{ ContentAlgorithm::MAX_KEY_LEN }>,
    algorithm: ContentAlgorithm,
) -> Result<&mut [u8], CoseError> {
    let part = key.expose_mut().get_mut(..algorithm.key_len());
    Ok(part.ok_or(CryptoError::KeyLength)?)
}
