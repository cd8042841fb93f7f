use iotsec_core::{
    cbor::Writer,
    cose::Key,
    crypto::{CryptoError, DIGEST_LEN, Verify},
    hal::UnixTime,
};

use super::{
    Trust,
    bundle::Role,
    error::TrustError,
    statement::{self, Fields},
};
use crate::DeviceIdentity;

const DOMAIN: &str = "iotsec-downgrade/1";

/// Leave to go back from one certain manifest to another on one certain device. Only
/// [`check`](Self::check) makes one; [`Policy::downgrade`](crate::Policy::downgrade) holds it.
///
/// It lifts the order of sequence numbers and nothing else: the manifest is authenticated and admitted
/// like any other, and the security counter in hardware is not asked to go back.
///
/// ```
/// use iotsec_core::{
///     cose::{SignBuilder, Signer},
///     crypto::{Ed25519PublicKey, Ed25519SigningKey},
///     secret::Secret,
/// };
/// use iotsec_update::{
///     DeviceIdentity, Policy, SequenceNumber,
///     trust::{Downgrade, DowngradeContent, Trust, TrustError},
/// };
///
/// /// What a device does with a token that it was sent.
/// fn policy(
///     token: &[u8],
///     trust: &Trust<'_>,
///     device: &DeviceIdentity<'_>,
///     installed: SequenceNumber,
///     manifest_digest: &[u8; 32],
/// ) -> Result<Policy, TrustError> {
///     let load = Ed25519PublicKey::from_cose;
///     let leave = Downgrade::check(token, trust, device, manifest_digest, None, load, &mut [0; 512])?;
///     Ok(Policy { downgrade: Some(leave), ..Policy::newer_than(installed) })
/// }
///
/// // What its maker signs.
/// let content = DowngradeContent {
///     vendor: [1; 16],
///     class: [2; 16],
///     device: [3; 16],
///     from: [4; 32],
///     to: [5; 32],
///     expires: None,
/// };
/// let mut out = [0; DowngradeContent::MAX_LEN];
/// let payload = content.write(&mut out)?;
/// let recovery = Ed25519SigningKey::from_seed(&Secret::from_bytes([9; 32]));
/// let signer = Signer { key: &recovery, kid: None };
/// let (mut scratch, mut token) = ([0; 256], [0; 512]);
/// SignBuilder::new(&[signer]).sign(payload, b"", &mut scratch, &mut token)?;
/// assert_eq!(DowngradeContent::parse(payload)?, content);
/// # Ok::<(), TrustError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downgrade {
    from: [u8; DIGEST_LEN],
    to: [u8; DIGEST_LEN],
}

impl Downgrade {
    /// Checks that `message` lets this device go back, signed by enough keys of the recovery role.
    ///
    /// `installed` is SHA-256 of the manifest that runs. `now` is trusted time; without it a token that
    /// expires is refused. `load` and `scratch` as in [`Trust`].
    ///
    /// # Errors
    /// [`TrustError::RoleThreshold`], [`TrustError::WrongDevice`], [`TrustError::WrongStart`],
    /// [`TrustError::TokenExpired`], [`TrustError::TimeUnknown`], [`TrustError::Product`],
    /// [`TrustError::Expired`], and of the encoding.
    pub fn check<K: Verify>(
        message: &[u8],
        trust: &Trust<'_>,
        device: &DeviceIdentity<'_>,
        installed: &[u8; DIGEST_LEN],
        now: Option<UnixTime>,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
        scratch: &mut [u8],
    ) -> Result<Self, TrustError> {
        let payload = statement::open(message, trust, Role::Recovery, now, load, scratch)?;
        let content = DowngradeContent::parse(payload)?;
        if content.vendor != device.vendor || content.class != device.class {
            return Err(TrustError::Product);
        }
        if Some(content.device) != device.device {
            return Err(TrustError::WrongDevice);
        }
        match (content.expires, now) {
            (Some(_), None) => return Err(TrustError::TimeUnknown),
            (Some(expires), Some(now)) if now > expires => return Err(TrustError::TokenExpired),
            _ => {}
        }
        if content.from != *installed {
            return Err(TrustError::WrongStart);
        }
        Ok(Self {
            from: content.from,
            to: content.to,
        })
    }

    /// SHA-256 of the manifest that runs.
    pub const fn from(&self) -> &[u8; DIGEST_LEN] {
        &self.from
    }

    /// SHA-256 of the manifest that may be installed although its number is lower.
    pub const fn to(&self) -> &[u8; DIGEST_LEN] {
        &self.to
    }
}

/// A downgrade token to be signed, for hosts.
///
/// ```text
/// Downgrade = {
///   0 => "iotsec-downgrade/1",
///   1 => bstr .size 16, ; vendor identifier
///   2 => bstr .size 16, ; class identifier
///   3 => bstr .size 16, ; device identifier
///   4 => bstr .size 32, ; SHA-256 of the manifest that is installed
///   5 => bstr .size 32, ; SHA-256 of the manifest to go back to
///   ? 6 => uint,        ; expires, Unix seconds
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DowngradeContent {
    /// Vendor identifier.
    pub vendor: [u8; 16],
    /// Class identifier.
    pub class: [u8; 16],
    /// The one device.
    pub device: [u8; 16],
    /// SHA-256 of the manifest that is installed.
    pub from: [u8; DIGEST_LEN],
    /// SHA-256 of the manifest to go back to.
    pub to: [u8; DIGEST_LEN],
    /// After this time it is void.
    pub expires: Option<UnixTime>,
}

impl DowngradeContent {
    /// Bytes that any fits in.
    pub const MAX_LEN: usize = 160;

    /// Reads one. It says nothing of who signed it.
    ///
    /// # Errors
    /// [`TrustError::Domain`], [`TrustError::Encoding`].
    pub fn parse(payload: &[u8]) -> Result<Self, TrustError> {
        let mut fields = Fields::new(payload, DOMAIN)?;
        let content = Self {
            vendor: *fields.expect(1)?.array_of()?,
            class: *fields.expect(2)?.array_of()?,
            device: *fields.expect(3)?.array_of()?,
            from: *fields.expect(4)?.array_of()?,
            to: *fields.expect(5)?.array_of()?,
            expires: match fields.find(6)? {
                Some(value) => Some(UnixTime(value.uint()?)),
                None => None,
            },
        };
        fields.end()?;
        Ok(content)
    }

    /// Writes what [`SignBuilder`](iotsec_core::cose::SignBuilder) signs.
    ///
    /// # Errors
    /// [`TrustError::Encoding`] when `out` is too small.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], TrustError> {
        let mut writer = Writer::new(out);
        writer.map(if self.expires.is_some() { 7 } else { 6 })?;
        writer.uint(0)?.text(DOMAIN)?.uint(1)?.bytes(&self.vendor)?;
        writer.uint(2)?.bytes(&self.class)?.uint(3)?.bytes(&self.device)?;
        writer.uint(4)?.bytes(&self.from)?.uint(5)?.bytes(&self.to)?;
        if let Some(expires) = self.expires {
            writer.uint(6)?.uint(expires.0)?;
        }
        Ok(writer.finish()?)
    }
}
