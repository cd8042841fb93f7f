use iotsec_core::{
    cbor::{self, Kind, Limits, Reader},
    cose::Key,
    crypto::{DIGEST_LEN, Digest},
    hal::UnixTime,
};

use super::error::TrustError;
use crate::{DeviceIdentity, TrustAnchors};

pub(super) const DOMAIN: &str = "iotsec-trust/1";

/// Sixteen keys of ten items, four roles of ten, the revocations and the TLS anchors.
const LIMITS: Limits = Limits {
    depth: 4,
    items: 320,
    bytes: 4096,
};

pub(super) const TLS_CERTIFICATE: u64 = 1;
pub(super) const TLS_SPKI: u64 = 2;

/// What a key may sign. A key may have several roles; it is safer when it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The next trust bundle.
    Root,
    /// Update manifests.
    Update,
    /// Statements of what is the latest manifest.
    Freshness,
    /// Downgrade tokens.
    Recovery,
}

impl Role {
    /// Every role, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Root, Self::Update, Self::Freshness, Self::Recovery];

    /// Its number in the format.
    pub const fn number(self) -> u8 {
        match self {
            Self::Root => 1,
            Self::Update => 2,
            Self::Freshness => 3,
            Self::Recovery => 4,
        }
    }
}

/// What makes the server of a TLS connection trustworthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsAnchor<'a> {
    /// A certificate in DER, up to 1024 bytes.
    Certificate(&'a [u8]),
    /// SHA-256 of a SubjectPublicKeyInfo.
    Spki(&'a [u8; DIGEST_LEN]),
}

/// The content of a trust bundle, well-formed and consistent in itself. Whether to believe it is for
/// [`Trust`](super::Trust) to say.
///
/// ```text
/// Trust_Bundle = {
///   0 => "iotsec-trust/1",        ; domain separation, and the version of the format
///   1 => 1..18446744073709551615, ; version of the bundle
///   ? 2 => uint,                  ; expires, Unix seconds
///   3 => bstr .size 16,           ; vendor identifier
///   4 => bstr .size 16,           ; class identifier
///   5 => [1*16 COSE_Key],         ; no key twice
///   6 => { 1 => Role, 2 => Role, ? 3 => Role, ? 4 => Role },
///   ? 7 => [1*32 bstr .size 32],  ; revoked keys by thumbprint (RFC 9679), ascending
///   ? 8 => [1*8 Tls_Anchor],
/// }
/// Role       = [threshold: 1..8, [1*8 uint]] ; places in the list of keys, ascending
/// Tls_Anchor = [1, bstr .size (1..1024)]     ; certificate in DER
///            / [2, bstr .size 32]            ; SHA-256 of a SubjectPublicKeyInfo
/// ```
#[derive(Clone, Debug)]
pub struct TrustBundle<'a> {
    version: u64,
    expires: Option<UnixTime>,
    vendor: [u8; 16],
    class: [u8; 16],
    keys: [Option<Key<'a>>; TrustBundle::MAX_KEYS],
    roles: [Option<RoleMembers>; 4],
    revoked: Option<Reader<'a>>,
    tls: Option<Reader<'a>>,
}

/// How many of which keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoleMembers {
    pub(super) threshold: u8,
    /// Places in the list of keys.
    pub(super) members: Members,
}

/// Keys as bits by their place in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Members(pub(super) u16);

impl Members {
    pub(super) fn contains(self, place: usize) -> bool {
        u32::try_from(place).is_ok_and(|place| self.0.checked_shr(place).unwrap_or(0) & 1 == 1)
    }

    pub(super) fn add(&mut self, place: usize) {
        let bit = u32::try_from(place)
            .ok()
            .and_then(|place| 1u16.checked_shl(place));
        self.0 |= bit.unwrap_or(0);
    }

    pub(super) fn remove(&mut self, place: usize) {
        let mut one = Self::default();
        one.add(place);
        self.0 &= !one.0;
    }

    /// Whether these are enough. A threshold of zero never is.
    pub(super) fn reach(self, threshold: u8) -> bool {
        threshold > 0 && self.0.count_ones() >= u32::from(threshold)
    }
}

impl<'a> TrustBundle<'a> {
    /// Keys at most: two for each role, and as many again while they are exchanged.
    pub const MAX_KEYS: usize = 16;
    /// Revocations at most. They are never taken back.
    pub const MAX_REVOKED: usize = 32;
    /// TLS anchors at most.
    pub const MAX_TLS: usize = 8;
    /// Bytes of a signed bundle at most.
    pub const MAX_LEN: usize = 4096;

    /// Reads the content of a bundle.
    ///
    /// # Errors
    /// The first reason to refuse it, see [`TrustError`].
    pub fn parse(payload: &'a [u8], hash: &mut dyn Digest) -> Result<Self, TrustError> {
        let mut reader = Reader::new(payload, &LIMITS)?;
        let (mut domain, mut version, mut expires) = (false, None, None);
        let (mut vendor, mut class) = (None, None);
        let (mut keys, mut roles) = (None, None);
        let (mut revoked, mut tls) = (None, None);
        for _ in 0..reader.map()? {
            let unknown = reader.error(Kind::UnknownKey);
            let cbor::Key::Int(label) = reader.key()? else {
                return Err(unknown.into());
            };
            match label {
                0 => domain = reader.text()? == DOMAIN,
                // The domain comes first: what else there is need not be known to say what it is not.
                _ if !domain => return Err(TrustError::Domain),
                1 => version = Some(reader.uint()?),
                2 => expires = Some(UnixTime(reader.uint()?)),
                3 => vendor = Some(*reader.array_of()?),
                4 => class = Some(*reader.array_of()?),
                5 => keys = Some(read_keys(&mut reader)?),
                6 => roles = Some(read_roles(&mut reader)?),
                7 => revoked = Some(read_revoked(&mut reader)?),
                8 => tls = Some(read_tls(&mut reader)?),
                _ => return Err(unknown.into()),
            }
        }
        let missing = reader.error(Kind::MissingKey);
        if !domain {
            return Err(TrustError::Domain);
        }
        let bundle = Self {
            version: version.ok_or(missing)?,
            expires,
            vendor: vendor.ok_or(missing)?,
            class: class.ok_or(missing)?,
            keys: keys.ok_or(missing)?,
            roles: roles.ok_or(missing)?,
            revoked,
            tls,
        };
        bundle.check(hash)?;
        Ok(bundle)
    }

    fn check(&self, hash: &mut dyn Digest) -> Result<(), TrustError> {
        if self.version == 0 {
            return Err(TrustError::VersionZero);
        }
        let [Some(_), Some(_), ..] = self.roles else {
            return Err(TrustError::Role);
        };
        let count = self.keys().count();
        let outside = |role: &RoleMembers| (count..Self::MAX_KEYS).any(|place| role.members.contains(place));
        if self.roles.iter().flatten().any(outside) {
            return Err(TrustError::RoleKeys);
        }
        if self.revoked.is_some() && self.keys().any(|key| self.revokes(&key, hash)) {
            return Err(TrustError::KeyRevoked);
        }
        Ok(())
    }

    /// Its number: each bundle follows the one before it.
    pub const fn version(&self) -> u64 {
        self.version
    }
    /// After this time nothing counts under it but the step to the next.
    pub const fn expires(&self) -> Option<UnixTime> {
        self.expires
    }
    /// For products of this vendor.
    pub const fn vendor(&self) -> &[u8; 16] {
        &self.vendor
    }
    /// For devices of this class.
    pub const fn class(&self) -> &[u8; 16] {
        &self.class
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = Key<'a>> + '_ {
        self.keys.iter().copied().flatten()
    }

    /// The keys of a role and how many of them must sign; `None` when nobody has it.
    pub fn role(&self, role: Role) -> Option<(u8, impl Iterator<Item = Key<'a>> + '_)> {
        let members = self.members(role)?;
        let keys = self.keys().enumerate();
        let keys = keys.filter(move |(place, _)| members.members.contains(*place));
        Some((members.threshold, keys.map(|(_, key)| key)))
    }

    /// Thumbprints of the keys that must never count again.
    pub fn revoked(&self) -> impl Iterator<Item = &'a [u8; DIGEST_LEN]> + '_ {
        entries(self.revoked.as_ref(), |reader| reader.array_of().ok())
    }

    /// What makes TLS servers trustworthy.
    pub fn tls_anchors(&self) -> impl Iterator<Item = TlsAnchor<'a>> + '_ {
        entries(self.tls.as_ref(), |reader| read_tls_anchor(reader).ok())
    }

    /// Whether `key` must never count again.
    pub fn revokes(&self, key: &Key<'_>, hash: &mut dyn Digest) -> bool {
        let thumbprint = key.thumbprint(hash);
        self.revoked().any(|revoked| *revoked == thumbprint)
    }

    pub(super) fn members(&self, role: Role) -> Option<RoleMembers> {
        let place = usize::from(role.number()).checked_sub(1)?;
        self.roles.get(place).copied().flatten()
    }

    pub(super) fn is_for(&self, device: &DeviceIdentity<'_>) -> bool {
        self.vendor == device.vendor && self.class == device.class
    }
}

pub(super) fn len(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The elements of an array that was read once already.
fn entries<'r, 'a, T>(
    array: Option<&'r Reader<'a>>,
    mut read: impl FnMut(&mut Reader<'a>) -> Option<T> + 'r,
) -> impl Iterator<Item = T> + 'r {
    let mut reader = array.cloned();
    let left = reader
        .as_mut()
        .and_then(|reader| reader.array().ok())
        .unwrap_or(0);
    (0..left).map_while(move |_| read(reader.as_mut()?))
}

fn read_keys<'a>(reader: &mut Reader<'a>) -> Result<[Option<Key<'a>>; TrustBundle::MAX_KEYS], TrustError> {
    let count = reader.array()?;
    if count == 0 || count > len(TrustBundle::MAX_KEYS) {
        return Err(TrustError::Keys);
    }
    let mut keys: [Option<Key<'a>>; TrustBundle::MAX_KEYS] = [None; TrustBundle::MAX_KEYS];
    for place in 0..TrustBundle::MAX_KEYS {
        if len(place) == count {
            break;
        }
        let key = Key::parse(reader.skip()?)?;
        if key.secret().is_some() {
            return Err(TrustError::PrivateKey);
        }
        let same = |other: &Key<'_>| other.x() == key.x() && other.y() == key.y();
        if keys.iter().flatten().any(same) {
            return Err(TrustError::KeyTwice);
        }
        if let Some(free) = keys.get_mut(place) {
            *free = Some(key);
        }
    }
    Ok(keys)
}

fn read_roles(reader: &mut Reader<'_>) -> Result<[Option<RoleMembers>; 4], TrustError> {
    let mut roles = [None; 4];
    for _ in 0..reader.map()? {
        let cbor::Key::Int(number) = reader.key()? else {
            return Err(TrustError::Role);
        };
        let place = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let role = place.and_then(|place| roles.get_mut(place));
        *role.ok_or(TrustError::Role)? = Some(read_role(reader)?);
    }
    Ok(roles)
}

fn read_role(reader: &mut Reader<'_>) -> Result<RoleMembers, TrustError> {
    reader.array_len(2)?;
    let threshold = reader.uint()?;
    let count = reader.array()?;
    if count == 0 || count > len(TrustAnchors::MAX) {
        return Err(TrustError::RoleKeys);
    }
    let mut members = Members::default();
    let mut least = 0;
    for _ in 0..count {
        let place: usize = reader.uint_as().map_err(|_| TrustError::RoleKeys)?;
        if place < least || place >= TrustBundle::MAX_KEYS {
            return Err(TrustError::RoleKeys);
        }
        members.add(place);
        least = place.saturating_add(1);
    }
    let threshold = u8::try_from(threshold).map_err(|_| TrustError::Threshold)?;
    if threshold == 0 || u64::from(threshold) > count {
        return Err(TrustError::Threshold);
    }
    Ok(RoleMembers { threshold, members })
}

fn read_revoked<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, TrustError> {
    let start = reader.clone();
    let count = reader.array()?;
    if count == 0 || count > len(TrustBundle::MAX_REVOKED) {
        return Err(TrustError::Revoked);
    }
    let mut last: Option<&[u8; DIGEST_LEN]> = None;
    for _ in 0..count {
        let thumbprint = reader.array_of()?;
        if last.is_some_and(|last| thumbprint <= last) {
            return Err(TrustError::Revoked);
        }
        last = Some(thumbprint);
    }
    Ok(start)
}

fn read_tls<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, TrustError> {
    let start = reader.clone();
    let count = reader.array()?;
    if count == 0 || count > len(TrustBundle::MAX_TLS) {
        return Err(TrustError::TlsAnchors);
    }
    for _ in 0..count {
        read_tls_anchor(reader)?;
    }
    Ok(start)
}

fn read_tls_anchor<'a>(reader: &mut Reader<'a>) -> Result<TlsAnchor<'a>, TrustError> {
    reader.array_len(2)?;
    let kind = reader.uint()?;
    let bytes = reader.bytes()?;
    match kind {
        TLS_CERTIFICATE if (1..=1024).contains(&bytes.len()) => Ok(TlsAnchor::Certificate(bytes)),
        TLS_SPKI => bytes
            .try_into()
            .map(TlsAnchor::Spki)
            .map_err(|_| TrustError::TlsAnchors),
        _ => Err(TrustError::TlsAnchors),
    }
}
