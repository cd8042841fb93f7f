use super::{
    der::{self, Reader},
    error::IdentityError,
    public::SubjectPublicKey,
};
use crate::crypto::Sign;

/// For which key a certificate is, and nothing else about it.
///
/// A device that asked for a certificate looks whether the answer is for its key before it puts it in the place of
/// another. Who signed it, for whom, and for how long is the business of whoever is shown it; nothing here is
/// authentic.
///
/// ```
/// use iotsec_core::{crypto::Sign, identity::{CertificateKey, IdentityError}};
///
/// fn is_for(certificate: &[u8], key: &dyn Sign) -> bool {
///     CertificateKey::of(certificate).and_then(|found| found.must_be(key)).is_ok()
/// }
/// assert_eq!(CertificateKey::of(b"no certificate").err(), Some(IdentityError::Certificate));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CertificateKey<'a>(SubjectPublicKey<'a>);

impl<'a> CertificateKey<'a> {
    /// Most bytes of a certificate that is looked at. Device certificates have 300 to 900; the largest that clouds
    /// issue to devices have 1500.
    pub const MAX_CERTIFICATE: usize = 4096;

    /// Walks through one DER certificate (RFC 5280 §4.1) to its key. Nothing may follow it.
    ///
    /// # Errors
    /// [`IdentityError::Certificate`] for anything else, or a key that is neither Ed25519 nor P-256.
    pub fn of(certificate: &'a [u8]) -> Result<Self, IdentityError> {
        if certificate.len() > Self::MAX_CERTIFICATE {
            return Err(IdentityError::Certificate);
        }
        walk(certificate).map(Self).ok_or(IdentityError::Certificate)
    }

    /// The key.
    pub const fn public_key(&self) -> SubjectPublicKey<'a> {
        self.0
    }

    /// That it is the public half of `key`.
    ///
    /// # Errors
    /// [`IdentityError::ForeignKey`] when it is not.
    pub fn must_be(&self, key: &dyn Sign) -> Result<(), IdentityError> {
        if self.0 == SubjectPublicKey::of(key)? {
            Ok(())
        } else {
            Err(IdentityError::ForeignKey)
        }
    }
}

fn walk(input: &[u8]) -> Option<SubjectPublicKey<'_>> {
    let mut outer = Reader::new(input);
    let mut certificate = outer.open(der::SEQUENCE)?;
    let mut signed = certificate.open(der::SEQUENCE)?;
    certificate.value(der::SEQUENCE)?;
    certificate.value(der::BIT_STRING)?;
    if !certificate.is_at_end() || !outer.is_at_end() {
        return None;
    }
    // Version 3, as every certificate with extensions.
    let mut version = signed.open(der::CONTEXT_0)?;
    if version.value(der::INTEGER)? != [2] || !version.is_at_end() {
        return None;
    }
    signed.value(der::INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        signed.value(der::SEQUENCE)?;
    }
    SubjectPublicKey::read(signed.open(der::SEQUENCE)?)
}
