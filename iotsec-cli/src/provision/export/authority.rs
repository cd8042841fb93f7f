//! The certificate of the station's authority.

use std::path::Path;

use pkcs8::der::{Decode as _, Document};
use x509_cert::Certificate;

use crate::{Problem, file};

/// In DER, from a file in PEM.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = file::read(path)?;
    let document = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| Document::from_pem(text).ok())
        .filter(|(label, document)| {
            *label == "CERTIFICATE" && Certificate::from_der(document.as_bytes()).is_ok()
        });
    document.map(|(_, document)| document.into_vec()).ok_or_else(|| {
        Problem::new(
            "CertificateFormat",
            format!("{} holds no certificate in PEM", path.display()),
            "give ca.crt of the station that minted the batch",
        )
    })
}
