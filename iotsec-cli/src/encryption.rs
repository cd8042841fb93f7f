//! Content encrypted to one or more recipients, with COSE_Encrypt (RFC 9052 §5.1).

use std::path::Path;

use clap::ValueEnum;
use getrandom::SysRng;
use iotsec::core::{
    cose::{CoseError, Encrypt as Message, EncryptBuilder, EncryptTo, RecipientKey},
    crypto::{
        Aes128Ctr, Aes128GcmStream, Aes128KeyWrap, Aes256Ctr, ChaCha20Poly1305Stream, ContentAlgorithm,
        ContentEncrypt, HkdfSha256, KeyAgreement,
    },
};
use zeroize::Zeroizing;

use crate::{
    Problem,
    key::{RecipientFile, fresh},
};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cipher {
    /// AES-128 in counter mode: downloads survive a reset. The manifest needs digests over the payload.
    A128ctr,
    /// AES-256 in counter mode.
    A256ctr,
    /// AES-128-GCM.
    A128gcm,
    /// ChaCha20-Poly1305.
    Chacha20poly1305,
}

/// Somebody to encrypt to.
pub(crate) struct Recipient {
    public: Vec<u8>,
    ephemeral: Box<dyn KeyAgreement>,
    kid: Option<Vec<u8>>,
}

impl Recipient {
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let key = RecipientFile::read(path)?;
        let (curve, public) = key.public()?;
        Ok(Self {
            public,
            ephemeral: fresh(curve).map_err(Problem::make("key"))?,
            kid: key.kid()?,
        })
    }

    /// The key's identifier.
    pub(crate) fn kid(&self) -> Option<&[u8]> {
        self.kid.as_deref()
    }
}

/// The encryption info and the payload, tag included.
pub(crate) fn seal(
    recipients: &[Recipient],
    cipher: Cipher,
    mut content: Vec<u8>,
) -> Result<(Vec<u8>, Vec<u8>), Problem> {
    if recipients.len() > Message::MAX_RECIPIENTS {
        return Err(Problem::usage(
            format!("at most {} recipients", Message::MAX_RECIPIENTS),
            "make one release for each group of devices",
        ));
    }
    let to: Vec<EncryptTo<'_>> = recipients
        .iter()
        .map(|recipient| {
            let to = EncryptTo::agreement(recipient.ephemeral.as_ref(), &recipient.public);
            recipient.kid().map_or(to, |kid| to.with_kid(kid))
        })
        .collect();
    let mut cipher = cipher.start();
    let mut out = vec![0; Message::MAX_LEN];
    let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
        .start(&to, cipher.as_mut(), &mut SysRng, &mut out)
        .map_err(Problem::make("encryption info"))?
        .to_vec();
    let made = Problem::make("payload");
    cipher.encrypt(&mut content).map_err(&made)?;
    content.extend(cipher.tag().map_err(&made)?.into_iter().flatten());
    Ok((info, content))
}

/// The content, when the recipient's key opens it and nothing in it was changed.
pub(crate) fn open(
    key: &dyn KeyAgreement,
    kid: Option<&[u8]>,
    info: &[u8],
    mut payload: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, CoseError> {
    let message = Message::parse(info)?;
    let mut cipher = Cipher::of(message.algorithm())?.start();
    let key = RecipientKey::agreement(key, &HkdfSha256, &Aes128KeyWrap);
    let key = kid.map_or(key, |kid| key.with_kid(kid));
    message.start(&key, cipher.as_mut())?;
    let text = payload.len().saturating_sub(message.algorithm().tag_len());
    let tag = payload.split_off(text);
    let mut content = Zeroizing::new(payload);
    cipher.decrypt(&mut content)?;
    cipher.finish(&tag)?;
    Ok(content)
}

impl Cipher {
    fn of(algorithm: ContentAlgorithm) -> Result<Self, CoseError> {
        Ok(match algorithm {
            ContentAlgorithm::Aes128Ctr => Self::A128ctr,
            ContentAlgorithm::Aes256Ctr => Self::A256ctr,
            ContentAlgorithm::Aes128Gcm => Self::A128gcm,
            ContentAlgorithm::ChaCha20Poly1305 => Self::Chacha20poly1305,
            _ => return Err(CoseError::AlgorithmUnknown),
        })
    }

    fn start(self) -> Box<dyn ContentEncrypt> {
        match self {
            Self::A128ctr => Box::new(Aes128Ctr::new()),
            Self::A256ctr => Box::new(Aes256Ctr::new()),
            Self::A128gcm => Box::new(Aes128GcmStream::new()),
            Self::Chacha20poly1305 => Box::new(ChaCha20Poly1305Stream::new()),
        }
    }

    /// As COSE calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::A128ctr => "A128CTR",
            Self::A256ctr => "A256CTR",
            Self::A128gcm => "A128GCM",
            Self::Chacha20poly1305 => "ChaCha20/Poly1305",
        }
    }
}
