use webpki::{BorrowedCertRevocationList, CertRevocationList};

use super::error::CertificateError;
use super::policy::PolicyError;

/// A list of revoked certificates of one issuer (RFC 5280 §5), in version 2 and complete.
///
/// Who signed it is checked with each chain, against the issuer in that chain.
#[derive(Debug)]
pub struct RevocationList<'a>(CertRevocationList<'a>);

impl<'a> RevocationList<'a> {
    /// Bytes of a list. One entry takes 40 bytes, and an issuer of servers for one product has few.
    pub const MAX_LEN: usize = 65_536;

    /// Reads a list in DER.
    ///
    /// # Errors
    /// [`CertificateError::RevocationList`].
    pub fn from_der(list: &'a [u8]) -> Result<Self, CertificateError> {
        if list.len() > Self::MAX_LEN {
            return Err(CertificateError::RevocationList);
        }
        let list =
            BorrowedCertRevocationList::from_der(list).map_err(|_| CertificateError::RevocationList)?;
        Ok(Self(list.into()))
    }

    pub(super) const fn as_webpki(&self) -> &CertRevocationList<'a> {
        &self.0
    }
}

/// Which certificates of a path must not be revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// All but the anchor.
    #[default]
    Chain,
    /// The peer's alone. For a PKI whose issuers publish no lists of each other.
    Leaf,
}

/// What becomes of a certificate that no list covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownStatus {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes as if it were not revoked. Whoever keeps a list from the device then decides what it knows.
    Accept,
}

/// Lists of revoked certificates, and how they are used. A list that has ended is never used: a chain that would need
/// it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    pub(super) lists: &'a [RevocationList<'a>],
    pub(super) depth: Depth,
    pub(super) unknown: UnknownStatus,
}

impl<'a> Revocation<'a> {
    /// Lists at most: one for each issuer of a chain, twice while they are exchanged.
    pub const MAX_LISTS: usize = 8;

    /// Checks every certificate, and refuses those that no list covers.
    ///
    /// # Errors
    /// [`PolicyError::Revocation`] for no list, or more than [`MAX_LISTS`](Self::MAX_LISTS).
    pub fn new(lists: &'a [RevocationList<'a>]) -> Result<Self, PolicyError> {
        match lists.len() {
            1..=Self::MAX_LISTS => Ok(Self {
                lists,
                depth: Depth::Chain,
                unknown: UnknownStatus::Refuse,
            }),
            _ => Err(PolicyError::Revocation),
        }
    }

    /// With another depth.
    #[must_use]
    pub const fn with_depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self
    }

    /// With another answer to the unknown.
    #[must_use]
    pub const fn with_unknown(mut self, unknown: UnknownStatus) -> Self {
        self.unknown = unknown;
        self
    }
}
