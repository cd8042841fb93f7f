//! The authority of a station, ready to certify devices.

use std::path::Path;

use iotsec::core::{
    crypto::{Sha256, Sign, Verify},
    identity::CertificateKey,
};
use pkcs8::der::{Decode, Document, Encode};
use x509_cert::Certificate;

use super::{
    certificate::{Name, Purpose, issue},
    places,
};
use crate::{Problem, file, key::KeyFile};

/// The authority, as its certificate names it.
pub(crate) struct Issuer {
    key: KeyFile,
    certificate: Vec<u8>,
    name: Vec<u8>,
    organization: String,
}

impl Issuer {
    /// The authority of a station, if it has one.
    pub(crate) fn open(station: &Path) -> Result<Option<Self>, Problem> {
        let (key_path, path) = places(station);
        // `init` writes the certificate last.
        if file::must_be_free(&path).is_ok() {
            return Ok(None);
        }
        let refused = |cause: &str| {
            Problem::new(
                "Authority",
                format!("{} refused: {cause}", path.display()),
                "restore ca.key and ca.crt from one backup, or make them anew with `iotsec ca init`",
            )
        };
        let key = KeyFile::read(&key_path)?;
        let text = String::from_utf8(file::read(&path)?).map_err(|_| refused("not PEM"))?;
        let (_, document) = Document::from_pem(&text).map_err(|_| refused("not PEM"))?;
        let of = CertificateKey::of(document.as_bytes()).map_err(|_| refused("no certificate"))?;
        if of.public_key().key() != key.verifier()?.public_key() {
            return Err(refused("it is not for the key in ca.key"));
        }
        let certificate =
            Certificate::from_der(document.as_bytes()).map_err(|_| refused("no certificate"))?;
        let subject = certificate.tbs_certificate().subject();
        let organization = subject.organization().ok().flatten();
        Ok(Some(Self {
            name: subject.to_der().map_err(|_| refused("no certificate"))?,
            organization: organization
                .ok_or_else(|| refused("it names no organization"))?
                .value()
                .into_owned(),
            certificate: document.as_bytes().to_vec(),
            key,
        }))
    }

    /// SHA-256 of its certificate.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::of(&[&self.certificate])
    }

    /// With its key in hand, for one thread.
    pub(crate) fn ready(&self) -> Result<Ready<'_>, Problem> {
        Ok(Ready {
            issuer: self,
            signer: self.key.signer()?,
            public: self.key.verifier()?,
        })
    }
}

/// An authority that signs.
pub(crate) struct Ready<'i> {
    issuer: &'i Issuer,
    signer: Box<dyn Sign>,
    public: Box<dyn Verify>,
}

impl Ready<'_> {
    /// The IDevID of a unit, in DER.
    pub(crate) fn certify(&self, serial: &str, key: &dyn Verify) -> Result<Vec<u8>, Problem> {
        let subject = Name {
            organization: &self.issuer.organization,
            common_name: serial,
            serial: Some(serial),
        };
        issue(
            &Purpose::Device,
            &self.issuer.name,
            &subject.der(),
            key,
            self.signer.as_ref(),
            self.public.as_ref(),
        )
    }
}
