//! What all small signed documents have in common.

use iotsec_core::{
    cbor::{self, CborError, Kind, Limits, Reader},
    cose::{CoseError, Key, Sign},
    crypto::{CryptoError, Verify},
    hal::UnixTime,
};

use super::{MESSAGE_LIMITS, Trust, bundle::Role, error::TrustError, quorum::Quorum};

/// Ten entries at most, of which the longest is a digest.
const LIMITS: Limits = Limits {
    depth: 1,
    items: 24,
    bytes: 256,
};

/// Checks that enough keys of `role` signed, and only then gives out the payload.
pub(super) fn open<'a, K: Verify>(
    message: &'a [u8],
    trust: &Trust<'_>,
    role: Role,
    now: Option<UnixTime>,
    load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
    scratch: &mut [u8],
) -> Result<&'a [u8], TrustError> {
    trust.check_expiry(now)?;
    let members = trust.bundle.members(role).ok_or(TrustError::RoleAbsent)?;
    let sign = Sign::parse(message, &MESSAGE_LIMITS)?;
    let payload = sign.unverified_payload().ok_or(CoseError::Payload)?;
    let signed = Quorum::new(load, scratch).signers(&sign, &trust.bundle, role)?;
    if signed.reach(members.threshold) {
        Ok(payload)
    } else {
        Err(TrustError::RoleThreshold)
    }
}

/// A map of a fixed shape, whose first entry says what it is.
pub(super) struct Fields<'a> {
    reader: Reader<'a>,
    left: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn new(payload: &'a [u8], domain: &str) -> Result<Self, TrustError> {
        let mut reader = Reader::new(payload, &LIMITS)?;
        let left = reader.map()?;
        let mut fields = Self { reader, left };
        fields.expect(0)?;
        if fields.reader.text()? != domain {
            return Err(TrustError::Domain);
        }
        Ok(fields)
    }

    /// Moves to the value of the next entry, which has this label.
    pub(super) fn expect(&mut self, label: i64) -> Result<&mut Reader<'a>, CborError> {
        let missing = self.reader.error(Kind::MissingKey);
        self.find(label)?.ok_or(missing)
    }

    /// The same for an entry that may be absent.
    pub(super) fn find(&mut self, label: i64) -> Result<Option<&mut Reader<'a>>, CborError> {
        let here = self.reader.clone().key();
        if self.left == 0 || here? != cbor::Key::Int(label) {
            return Ok(None);
        }
        self.left = self.left.saturating_sub(1);
        self.reader.key()?;
        Ok(Some(&mut self.reader))
    }

    /// No entry is left.
    pub(super) fn end(self) -> Result<(), CborError> {
        if self.left == 0 {
            Ok(())
        } else {
            Err(self.reader.error(Kind::UnknownKey))
        }
    }
}
