use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::UnixTime,
};
use rustls_pki_types::Der;

use super::{
    MAX_CERTIFICATE_LEN,
    fields::{CRL_SIGN, FieldFault, Fields},
    key::{KeyFault, KeyKind},
};
use crate::time::CertificateTime;

/// A CA that a device believes.
///
/// It is made from a certificate that comes from a trustworthy source: compiled into the firmware, provisioned, or
/// carried by a signed trust bundle. Still it is looked at, because nobody does later: path building takes an anchor as
/// it is (RFC 5280 §6.1.1). One that is no CA would let its holder be any server; one that has ended, any thief of an
/// old key.
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_net::{certificate::{AnchorError, TrustAnchor}, time::CertificateTime};
///
/// # let root: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/root.der"));
/// # let leaf: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/good.der"));
/// let now = CertificateTime::exact(UnixTime(1_800_000_000));
/// let anchor = TrustAnchor::from_der(root, now)?;
/// assert!(anchor.not_after() > now.latest());
/// assert_eq!(TrustAnchor::from_der(leaf, now).unwrap_err(), AnchorError::NotCa);
/// # Ok::<(), AnchorError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustAnchor<'a> {
    der: &'a [u8],
    fields: Fields<'a>,
    anchor: rustls_pki_types::TrustAnchor<'a>,
}

impl<'a> TrustAnchor<'a> {
    /// Reads the certificate of a CA, of at most [`MAX_CERTIFICATE_LEN`] bytes of DER. Pay attention to
    /// [`not_after`](Self::not_after): a device should get anchors that last longer than it is used, or new ones in time.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn from_der(certificate: &'a [u8], time: CertificateTime) -> Result<Self, AnchorError> {
        let fields = Fields::read(certificate)?;
        if !fields
            .basic_constraints
            .is_some_and(|constraints| constraints.is_ca)
        {
            return Err(AnchorError::NotCa);
        }
        if !fields.is_issuer() {
            return Err(AnchorError::KeyUsage);
        }
        if fields.subject.is_empty() {
            return Err(AnchorError::Subject);
        }
        if fields.not_after < time.earliest() {
            return Err(AnchorError::Ended);
        }
        if fields.not_before > time.latest() {
            return Err(AnchorError::NotYetValid);
        }
        Ok(Self {
            der: certificate,
            fields,
            anchor: rustls_pki_types::TrustAnchor {
                subject: Der::from_slice(fields.subject),
                subject_public_key_info: Der::from_slice(fields.spki_content),
                name_constraints: fields.name_constraints.map(Der::from_slice),
            },
        })
    }

    /// The certificate.
    pub const fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// Its SubjectPublicKeyInfo, of which pins are digests.
    pub const fn public_key(&self) -> &'a [u8] {
        self.fields.spki
    }

    /// What key it has.
    pub const fn key_kind(&self) -> KeyKind {
        self.fields.key
    }

    /// The last second in which it is believed.
    pub const fn not_after(&self) -> UnixTime {
        self.fields.not_after
    }

    /// As rustls-webpki knows it.
    pub const fn as_webpki(&self) -> &rustls_pki_types::TrustAnchor<'a> {
        &self.anchor
    }

    /// The name that those it issued give as their issuer.
    pub(super) const fn subject(&self) -> &'a [u8] {
        self.fields.subject
    }

    /// Whether it signs revocation lists.
    pub(super) fn signs_lists(&self) -> bool {
        self.fields.may(CRL_SIGN)
    }
}

/// Why a certificate is no trust anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// No bytes, or more than a certificate may have.
    #[error("certificate empty or longer than {MAX_CERTIFICATE_LEN} bytes")]
    Length,
    /// Not DER, or not what RFC 5280 says of a certificate.
    #[error("certificate malformed")]
    Malformed,
    /// Of another version than 3, so that it cannot say that it is a CA.
    #[error("certificate of another version than 3")]
    Version,
    /// It does not say that it is a CA.
    #[error("certificate is no CA")]
    NotCa,
    /// It is a CA that does not say that it signs certificates, or says so where it may be overlooked.
    #[error("CA that does not sign certificates")]
    KeyUsage,
    /// It has no name, so that nothing can refer to it.
    #[error("CA without a name")]
    Subject,
    /// Its key is of a kind that is not believed.
    #[error("kind of public key refused")]
    KeyKind,
    /// Its RSA key is too small, or absurdly large.
    #[error("size of public key refused")]
    KeySize,
    /// Its signature algorithm is not believed, such as SHA-1.
    #[error("signature algorithm refused")]
    SignatureAlgorithm,
    /// It has an extension twice, or more of them than any certificate has.
    #[error("too many extensions, or one twice")]
    Extensions,
    /// It has a critical extension that is not understood.
    #[error("critical extension not understood")]
    CriticalExtension,
    /// It has ended.
    #[error("certificate has ended")]
    Ended,
    /// It is not valid yet.
    #[error("certificate is not valid yet")]
    NotYetValid,
}

impl ErrorCode for AnchorError {
    fn code(&self) -> u16 {
        match self {
            Self::Length => 5041,
            Self::Malformed => 5042,
            Self::Version => 5043,
            Self::NotCa => 5044,
            Self::KeyUsage => 5045,
            Self::Subject => 5046,
            Self::KeyKind => 5047,
            Self::KeySize => 5048,
            Self::SignatureAlgorithm => 5049,
            Self::Extensions => 5050,
            Self::CriticalExtension => 5051,
            Self::Ended => 5052,
            Self::NotYetValid => 5053,
        }
    }

    fn fault(&self) -> Fault {
        Fault::Input
    }
}

impl From<FieldFault> for AnchorError {
    fn from(fault: FieldFault) -> Self {
        match fault {
            FieldFault::Length => Self::Length,
            FieldFault::Malformed | FieldFault::Key(KeyFault::Malformed) => Self::Malformed,
            FieldFault::Version => Self::Version,
            FieldFault::Validity => Self::Ended,
            FieldFault::Signature => Self::SignatureAlgorithm,
            FieldFault::Extensions => Self::Extensions,
            FieldFault::CriticalExtension => Self::CriticalExtension,
            FieldFault::Key(KeyFault::Kind) => Self::KeyKind,
            FieldFault::Key(KeyFault::Size) => Self::KeySize,
        }
    }
}
