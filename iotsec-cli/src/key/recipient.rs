//! Keys that payloads are encrypted to, as COSE_Key files.

use std::path::{Path, PathBuf};

use getrandom::SysRng;
use iotsec::core::{
    cose::{AgreementKey, CoseError},
    crypto::{AgreementCurve, CryptoError, KeyAgreement, P256AgreementKey, X25519Key},
    secret::Secret,
};
use zeroize::Zeroizing;

use crate::{Problem, file};

/// A recipient's key, wiped when dropped.
pub(crate) struct RecipientFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl RecipientFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let key = Self {
            path: path.to_owned(),
            bytes: Zeroizing::new(file::read(path)?),
        };
        key.parse()?;
        Ok(key)
    }

    /// Whether these bytes are such a key, rather than one that signs.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        AgreementKey::parse(bytes).is_ok()
    }

    /// The key identifier, if the file names one.
    pub(crate) fn kid(&self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.parse()?.kid().map(<[u8]>::to_vec))
    }

    /// The curve and the public half.
    pub(crate) fn public(&self) -> Result<(AgreementCurve, Vec<u8>), Problem> {
        let key = self.parse()?;
        let mut out = [0; AgreementKey::POINT_LEN];
        Ok((key.curve(), key.public_key(&mut out).to_vec()))
    }

    /// The file of the public half.
    pub(crate) fn public_file(&self) -> Result<Vec<u8>, Problem> {
        let (curve, public) = self.public()?;
        let kid = self.kid()?;
        let mut out = [0; AgreementKey::MAX_LEN];
        let key = AgreementKey::of(curve, &public).map_err(self.wrong())?;
        let key = match kid.as_deref() {
            Some(kid) => key.with_kid(kid),
            None => key,
        };
        let written = key.write(&mut out).map_err(|cause| self.problem(cause))?;
        Ok(written.to_vec())
    }

    /// Whether the private half is here.
    pub(super) fn holds_private(&self) -> Result<bool, Problem> {
        Ok(self.parse()?.secret().is_some())
    }

    /// The private half, whose public half is the one that the file shows.
    pub(crate) fn private(&self) -> Result<Box<dyn KeyAgreement + Send + Sync>, Problem> {
        let key = self.parse()?;
        let secret = key.secret().ok_or_else(|| {
            Problem::new(
                "PublicOnly",
                format!("{} holds a public key only", self.path.display()),
                "give the private key of a recipient",
            )
        })?;
        let agreement = open(key.curve(), &Secret::from_bytes(*secret)).map_err(self.wrong())?;
        if agreement.public_key() == self.public()?.1 {
            Ok(agreement)
        } else {
            Err(self.wrong()(CryptoError::PublicKey))
        }
    }

    fn parse(&self) -> Result<AgreementKey<'_>, Problem> {
        AgreementKey::parse(&self.bytes).map_err(|cause| self.problem(cause))
    }

    fn wrong(&self) -> impl Fn(CryptoError) -> Problem + '_ {
        |cause| self.problem(cause.into())
    }

    fn problem(&self, cause: CoseError) -> Problem {
        let path = self.path.display();
        Problem::coded(
            format!("{path} is not a COSE_Key that payloads are encrypted to: {cause}"),
            &cause,
        )
        .with_remedy("make one with `iotsec key new --kind x25519` or `--kind p256-ecdh`")
    }
}

/// A fresh key, of whose curve `ephemeral` for one message is too.
pub(crate) fn fresh(curve: AgreementCurve) -> Result<Box<dyn KeyAgreement>, CryptoError> {
    Ok(match curve {
        AgreementCurve::P256 => Box::new(P256AgreementKey::generate(&mut SysRng)?),
        _ => Box::new(X25519Key::generate(&mut SysRng)?),
    })
}

/// The files of a new key: the private one and the public one.
pub(crate) fn pair(
    curve: AgreementCurve,
    kid: Option<&[u8]>,
    secret: &Secret<32>,
) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), CoseError> {
    let agreement = open(curve, secret)?;
    let mut key = AgreementKey::of(curve, agreement.public_key())?;
    if let Some(kid) = kid {
        key = key.with_kid(kid);
    }
    let mut out = [0; AgreementKey::MAX_LEN];
    let public = key.write(&mut out)?.to_vec();
    let mut out = Zeroizing::new([0; AgreementKey::MAX_LEN]);
    let private = key.with_secret(secret.expose()).write(out.as_mut())?.to_vec();
    Ok((Zeroizing::new(private), public))
}

fn open(
    curve: AgreementCurve,
    secret: &Secret<32>,
) -> Result<Box<dyn KeyAgreement + Send + Sync>, CryptoError> {
    Ok(match curve {
        AgreementCurve::P256 => Box::new(P256AgreementKey::from_scalar(secret)?),
        _ => Box::new(X25519Key::from_scalar(secret)),
    })
}
