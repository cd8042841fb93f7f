use std::path::{Path, PathBuf};

use iotsec::core::{
    cose::{CoseError, Key},
    crypto::{
        CryptoError, Ed25519PublicKey, Ed25519SigningKey, KeyType, P256PublicKey, P256SigningKey, Sign,
        Verify,
    },
    secret::Secret,
};
use zeroize::Zeroizing;

use super::exchange::{self, Foreign};
use crate::{
    Problem, file,
    published::{published, published_public},
};

/// A key as a COSE_Key, wiped when dropped. Files of OpenSSL are read as well.
pub(crate) struct KeyFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl KeyFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = Zeroizing::new(file::read(path)?);
        // A COSE_Key is a map; PEM begins with a dash, DER with a sequence.
        if matches!(bytes.first(), Some(b'-' | 0x30)) {
            return Self::foreign(path, &bytes, None);
        }
        let key = Self {
            path: path.to_owned(),
            bytes,
        };
        key.parse()?;
        Ok(key)
    }

    /// The key of another tool's file.
    pub(crate) fn foreign(path: &Path, bytes: &[u8], kid: Option<&[u8]>) -> Result<Self, Problem> {
        let foreign = Foreign::read(bytes).ok_or_else(|| exchange::not_a_key(path))?;
        let made = |cause| Problem::refused::<CryptoError>(path)(cause);
        let (public, secret) = match &foreign {
            Foreign::Public(KeyType::P256, point) => {
                let public = P256PublicKey::from_sec1(point).map_err(made)?;
                (public.public_key().to_vec(), None)
            }
            Foreign::Public(_, bytes) => {
                let public = Ed25519PublicKey::from_bytes(bytes).map_err(made)?;
                (public.public_key().to_vec(), None)
            }
            Foreign::Private(KeyType::P256, secret) => {
                let signer = P256SigningKey::from_scalar(secret).map_err(made)?;
                (signer.public_key().to_vec(), Some(secret))
            }
            Foreign::Private(_, secret) => {
                let signer = Ed25519SigningKey::from_seed(secret);
                (signer.public_key().to_vec(), Some(secret))
            }
        };
        let bytes = cose_key(&public, kid, secret).map_err(Problem::make("key"))?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// The COSE_Key.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key identifier, if the file names one.
    pub(crate) fn kid(&self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.parse()?.kid().map(<[u8]>::to_vec))
    }

    /// Whether the private half is here.
    pub(crate) fn holds_private(&self) -> Result<bool, Problem> {
        Ok(self.parse()?.secret().is_some())
    }

    /// The private half, whose public half is the one that the file shows.
    pub(super) fn secret(&self) -> Result<Secret<32>, Problem> {
        self.pair().map(|(secret, _)| secret)
    }

    /// The private key. One that everyone has is refused; a debug build, which tests and examples run,
    /// warns of it.
    pub(crate) fn signer(&self) -> Result<Box<dyn Sign>, Problem> {
        let (secret, signer) = self.pair()?;
        self.refuse_published(published(&secret, self.parse()?.x()))?;
        Ok(signer)
    }

    /// The public key, to be trusted. One whose private half everyone has is refused as for signing.
    pub(crate) fn anchor(&self) -> Result<Box<dyn Verify>, Problem> {
        let public = self.verifier()?;
        self.refuse_published(published_public(public.key_type(), self.parse()?.x()))?;
        Ok(public)
    }

    /// The public key.
    pub(crate) fn verifier(&self) -> Result<Box<dyn Verify>, Problem> {
        let key = self.parse()?;
        Ok(match key.y() {
            Some(y) => {
                let point = [&[4], &key.x()[..], y].concat();
                Box::new(P256PublicKey::from_sec1(&point).map_err(self.wrong())?)
            }
            None => Box::new(Ed25519PublicKey::from_bytes(key.x()).map_err(self.wrong())?),
        })
    }

    fn pair(&self) -> Result<(Secret<32>, Box<dyn Sign>), Problem> {
        let key = self.parse()?;
        let secret = key.secret().ok_or_else(|| public_only(&self.path))?;
        let secret = Secret::from_bytes(*secret);
        let signer: Box<dyn Sign> = match key.key_type() {
            KeyType::P256 => Box::new(P256SigningKey::from_scalar(&secret).map_err(self.wrong())?),
            _ => Box::new(Ed25519SigningKey::from_seed(&secret)),
        };
        // A signature by another key than the file shows would verify nowhere.
        if signer.public_key() == self.verifier()?.public_key() {
            Ok((secret, signer))
        } else {
            Err(self.wrong()(CryptoError::PublicKey))
        }
    }

    fn refuse_published(&self, origin: Option<&str>) -> Result<(), Problem> {
        let Some(origin) = origin else {
            return Ok(());
        };
        let problem = Problem::new(
            "PublishedKey",
            format!("{} holds a key that everyone has: {origin}", self.path.display()),
            "make a key of your own with `iotsec key new`",
        );
        if !cfg!(debug_assertions) {
            return Err(problem);
        }
        eprintln!("iotsec: warning: {problem}; only a debug build takes it");
        Ok(())
    }

    fn parse(&self) -> Result<Key<'_>, Problem> {
        Key::parse(&self.bytes).map_err(|cause| self.problem(cause))
    }

    fn wrong(&self) -> impl Fn(CryptoError) -> Problem + '_ {
        |cause| self.problem(cause.into())
    }

    fn problem(&self, cause: CoseError) -> Problem {
        let path = self.path.display();
        Problem::coded(
            format!("{path} is not a COSE_Key for Ed25519 or P-256: {cause}"),
            &cause,
        )
        .with_remedy("make a key with `iotsec key new`, or bring one in with `iotsec key import`")
    }
}

/// Writes a COSE_Key around a public key as [`Verify::public_key`] has it.
pub(crate) fn cose_key(
    public: &[u8],
    kid: Option<&[u8]>,
    secret: Option<&Secret<32>>,
) -> Result<Zeroizing<Vec<u8>>, CoseError> {
    let part = |range: std::ops::Range<usize>| {
        let part = public.get(range).and_then(|part| part.try_into().ok());
        part.ok_or(CoseError::from(CryptoError::KeyLength))
    };
    let mut key = if public.len() == 65 {
        Key::p256(part(1..33)?, part(33..65)?)
    } else {
        Key::ed25519(part(0..32)?)
    };
    if let Some(kid) = kid {
        key = key.with_kid(kid);
    }
    if let Some(secret) = secret {
        key = key.with_secret(secret.expose());
    }
    let mut out = Zeroizing::new([0; Key::MAX_LEN]);
    Ok(Zeroizing::new(key.write(out.as_mut())?.to_vec()))
}

fn public_only(path: &Path) -> Problem {
    Problem::new(
        "PublicOnly",
        format!("{} holds a public key only", path.display()),
        "give the private key, which this command signs with",
    )
}
