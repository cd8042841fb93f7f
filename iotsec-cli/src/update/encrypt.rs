//! `iotsec update encrypt` and `iotsec update decrypt`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use getrandom::SysRng;
use iotsec::core::{
    cose::{CoseError, Encrypt as Message, EncryptBuilder, EncryptTo, RecipientKey},
    crypto::{
        Aes128Ctr, Aes128GcmStream, Aes128KeyWrap, Aes256Ctr, ChaCha20Poly1305Stream, ContentAlgorithm,
        ContentEncrypt, HkdfSha256, KeyAgreement, Sha256,
    },
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Output, Problem,
    file::{self, Access},
    key::{RecipientFile, fresh, hex, name},
};

#[derive(Args)]
pub(crate) struct Encrypt {
    /// The public key of a device, from `key new --kind x25519` or `p256-ecdh`; give it again for further
    /// ones, up to eight.
    #[arg(long, value_name = "PUB", required = true)]
    recipient: Vec<PathBuf>,
    /// The cipher, which is the one that the devices have.
    #[arg(long, value_enum, default_value = "a128ctr")]
    alg: Cipher,
    /// What is encrypted: the image, or what was made from it to travel.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where the payload that devices fetch goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the encryption info (COSE_Encrypt_Tagged) goes, for the manifest; must not exist.
    #[arg(long, value_name = "FILE")]
    info: PathBuf,
}

#[derive(Args)]
pub(crate) struct Decrypt {
    /// The private key of a recipient.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The encryption info.
    #[arg(long, value_name = "FILE")]
    info: PathBuf,
    /// The payload.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where the content goes (mode 0600); must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

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

pub(super) fn encrypt(command: &Encrypt) -> Result<Output, Problem> {
    file::must_be_free(&command.out)?;
    file::must_be_free(&command.info)?;
    let content = file::read(&command.input)?;
    let recipients: Result<Vec<_>, _> = command
        .recipient
        .iter()
        .map(|path| Recipient::read(path))
        .collect();
    let recipients = recipients?;
    let (info, payload) = seal(&recipients, command.alg, content)?;
    file::create(&command.out, &payload, Access::Public)?;
    file::create(&command.info, &info, Access::Public)?;

    let algorithm = command.alg.name();
    let kids: Vec<String> = recipients
        .iter()
        .map(|recipient| recipient.kid.as_deref().map_or("-".into(), name))
        .collect();
    let digest = hex(&Sha256::of(&[&payload]));
    Ok(Output::new(
        format!(
            "payload  {}: {} bytes, {algorithm}, SHA-256 {digest}\ninfo     {}: {} bytes, {} recipient(s), key identifiers {}\n",
            command.out.display(),
            payload.len(),
            command.info.display(),
            info.len(),
            kids.len(),
            kids.join(" "),
        ),
        json!({
            "payload": command.out,
            "payload_bytes": payload.len(),
            "payload_digest": digest,
            "info": command.info,
            "info_bytes": info.len(),
            "algorithm": algorithm,
            "recipients": recipients.len(),
        }),
    ))
}

pub(super) fn decrypt(command: &Decrypt) -> Result<Output, Problem> {
    file::must_be_free(&command.out)?;
    let key = RecipientFile::read(&command.key)?;
    let (private, kid) = (key.private()?, key.kid()?);
    let info = file::read(&command.info)?;
    let payload = file::read(&command.input)?;
    let content = open(private.as_ref(), kid.as_deref(), &info, payload).map_err(|cause| {
        let (path, remedy) = match cause {
            CoseError::Crypto(_) => (
                &command.input,
                "get payload and encryption info again: they were made together and belong together",
            ),
            CoseError::Recipient => (
                &command.info,
                "give the private key of one of the recipients, or encrypt anew to the one that you have",
            ),
            _ => (
                &command.info,
                "make the encryption info anew with `iotsec update encrypt`",
            ),
        };
        Problem::refused(path)(cause).with_remedy(remedy)
    })?;
    file::create(&command.out, &content, Access::Private)?;
    let digest = hex(&Sha256::of(&[&content]));
    let checked = Message::parse(&info).is_ok_and(|message| message.algorithm().is_authenticated());
    let note = if checked {
        ""
    } else {
        "not checked: this cipher notices no change, compare the digest with the manifest's\n"
    };
    Ok(Output::new(
        format!(
            "content  {}: {} bytes, SHA-256 {digest}\n{note}",
            command.out.display(),
            content.len()
        ),
        json!({
            "content": command.out,
            "bytes": content.len(),
            "digest": digest,
            "checked": checked,
        }),
    ))
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
            recipient.kid.as_deref().map_or(to, |kid| to.with_kid(kid))
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

    const fn name(self) -> &'static str {
        match self {
            Self::A128ctr => "A128CTR",
            Self::A256ctr => "A256CTR",
            Self::A128gcm => "A128GCM",
            Self::Chacha20poly1305 => "ChaCha20/Poly1305",
        }
    }
}
