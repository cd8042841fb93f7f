use std::{borrow::ToOwned, vec::Vec};

use iotsec_core::{
    crypto::{DIGEST_LEN, Sha256},
    hal::UnixTime,
    identity::SubjectPublicKey,
    input::Host,
};

use super::{Pin, Provider, TlsError};
use crate::{
    certificate::{
        ClientPolicy, Depth, MAX_ANCHORS, PinSet, PolicyError, Revocation, RevocationList, ServerPolicy,
        TrustAnchor, UnknownStatus, Wildcards, verify_client_chain, verify_server_chain,
    },
    time::CertificateTime,
};

/// Whom a client believes. It takes any of the three as it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Trust {
    /// A server that one of these CAs certifies for the host.
    Anchors(Anchors),
    /// A server with one of these keys, and without certificates.
    RawKeys(RawKeys),
    /// The one server whose certificate its owner confirmed.
    Pin(Pin),
}

impl From<Anchors> for Trust {
    fn from(anchors: Anchors) -> Self {
        Self::Anchors(anchors)
    }
}

impl From<RawKeys> for Trust {
    fn from(keys: RawKeys) -> Self {
        Self::RawKeys(keys)
    }
}

impl From<Pin> for Trust {
    fn from(pin: Pin) -> Self {
        Self::Pin(pin)
    }
}

/// CAs and lists of what they revoked.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    certificates: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
    depth: Depth,
    unknown: UnknownStatus,
}

impl Roots {
    pub(super) fn new(certificates: &[&[u8]], time: CertificateTime) -> Result<Self, TlsError> {
        for certificate in certificates {
            TrustAnchor::from_der(certificate, time)?;
        }
        Ok(Self {
            certificates: certificates.iter().map(|der| der.to_vec()).collect(),
            lists: Vec::new(),
            depth: Depth::default(),
            unknown: UnknownStatus::default(),
        })
    }

    pub(super) fn set_revocation(
        &mut self,
        lists: &[&[u8]],
        depth: Depth,
        unknown: UnknownStatus,
    ) -> Result<(), TlsError> {
        for list in lists {
            RevocationList::from_der(list)?;
        }
        self.lists = lists.iter().map(|list| list.to_vec()).collect();
        (self.depth, self.unknown) = (depth, unknown);
        Ok(())
    }

    /// The anchors, whether they have ended by now or not: a chain tells.
    fn anchors(&self) -> Result<Vec<TrustAnchor<'_>>, TlsError> {
        let any_time = CertificateTime::at_least(UnixTime(0), u64::MAX);
        self.certificates
            .iter()
            .map(|der| TrustAnchor::from_der(der, any_time))
            .collect::<Result<_, _>>()
            .map_err(TlsError::from)
    }

    fn lists(&self) -> Result<Vec<RevocationList<'_>>, TlsError> {
        self.lists
            .iter()
            .map(|list| RevocationList::from_der(list))
            .collect::<Result<_, _>>()
            .map_err(TlsError::from)
    }

    fn revocation<'l>(&self, lists: &'l [RevocationList<'l>]) -> Result<Option<Revocation<'l>>, TlsError> {
        if lists.is_empty() {
            return Ok(None);
        }
        let revocation = Revocation::new(lists)?;
        Ok(Some(revocation.with_depth(self.depth).with_unknown(self.unknown)))
    }

    /// Judges a client's chain.
    pub(super) fn judge_client(
        &self,
        chain: &[&[u8]],
        time: CertificateTime,
        provider: &Provider,
    ) -> Result<(), TlsError> {
        let (anchors, lists) = (self.anchors()?, self.lists()?);
        let mut policy = ClientPolicy::new(&anchors, provider.algorithms())?;
        if let Some(revocation) = self.revocation(&lists)? {
            policy = policy.with_revocation(revocation);
        }
        verify_client_chain(chain, time, &policy)?;
        Ok(())
    }
}

/// The CAs that a client believes, and what else it wants of a server's chain: the policy of
/// [`certificate`](crate::certificate), which owns its bytes.
///
/// ```
/// # let root: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/root.der"));
/// use iotsec_core::hal::UnixTime;
/// use iotsec_net::{certificate::{PolicyError, Wildcards}, time::CertificateTime, tls::{Anchors, TlsError}};
///
/// let now = CertificateTime::exact(UnixTime(1_800_000_000));
/// let anchors = Anchors::new(&[root], now)?.with_wildcards(Wildcards::LeftmostLabel);
/// assert_eq!(Anchors::new(&[], now).err(), Some(TlsError::Policy(PolicyError::Anchors)));
/// # let _ = anchors;
/// # Ok::<(), TlsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Anchors {
    roots: Roots,
    pins: Vec<[u8; DIGEST_LEN]>,
    wildcards: Wildcards,
    allow_ip: bool,
    min_rsa_bits: Option<u16>,
}

impl Anchors {
    /// Reads certificates of CAs, in DER; up to [`MAX_ANCHORS`](crate::certificate::MAX_ANCHORS). Two are better than
    /// one: the present one, and the one that comes after it.
    ///
    /// # Errors
    /// [`TlsError::Policy`] for none or too many; [`TlsError::Anchor`] for one that is no CA, is weak or has ended.
    pub fn new(certificates: &[&[u8]], time: CertificateTime) -> Result<Self, TlsError> {
        if certificates.is_empty() || certificates.len() > MAX_ANCHORS {
            return Err(TlsError::Policy(PolicyError::Anchors));
        }
        Ok(Self {
            roots: Roots::new(certificates, time)?,
            pins: Vec::new(),
            wildcards: Wildcards::default(),
            allow_ip: false,
            min_rsa_bits: None,
        })
    }

    /// Wants one of these keys in the path as well: SHA-256 of a SubjectPublicKeyInfo, two at least.
    ///
    /// # Errors
    /// [`TlsError::Policy`] unless there are two that differ.
    pub fn with_pins(mut self, pins: &[[u8; DIGEST_LEN]]) -> Result<Self, TlsError> {
        PinSet::new(pins, sha256)?;
        self.pins = pins.to_owned();
        Ok(self)
    }

    /// Refuses revoked certificates, by lists in DER.
    ///
    /// # Errors
    /// [`TlsError::Policy`] for no list or too many; [`TlsError::Certificate`] for one that is malformed.
    pub fn with_revocation(
        mut self,
        lists: &[&[u8]],
        depth: Depth,
        unknown: UnknownStatus,
    ) -> Result<Self, TlsError> {
        self.roots.set_revocation(lists, depth, unknown)?;
        Revocation::new(&self.roots.lists()?)?;
        Ok(self)
    }

    /// With certificates that stand for many hosts.
    #[must_use]
    pub fn with_wildcards(mut self, wildcards: Wildcards) -> Self {
        self.wildcards = wildcards;
        self
    }

    /// Believes servers that are known by their address alone, too.
    #[must_use]
    pub fn with_ip(mut self) -> Self {
        self.allow_ip = true;
        self
    }

    /// Wants larger RSA keys than 2048 bits.
    ///
    /// # Errors
    /// [`TlsError::Policy`] below 2048 and above 8192.
    pub fn with_min_rsa_bits(mut self, bits: u16) -> Result<Self, TlsError> {
        if !(2048..=8192).contains(&bits) {
            return Err(TlsError::Policy(PolicyError::KeySize));
        }
        self.min_rsa_bits = Some(bits);
        Ok(self)
    }

    /// Judges a server's chain.
    pub(super) fn judge(
        &self,
        chain: &[&[u8]],
        host: &Host<'_>,
        time: CertificateTime,
        provider: &Provider,
    ) -> Result<(), TlsError> {
        let (anchors, lists) = (self.roots.anchors()?, self.roots.lists()?);
        let mut policy = ServerPolicy::new(&anchors, provider.algorithms())?.with_wildcards(self.wildcards);
        if self.allow_ip {
            policy = policy.with_ip();
        }
        if let Some(bits) = self.min_rsa_bits {
            policy = policy.with_min_rsa_bits(bits)?;
        }
        if !self.pins.is_empty() {
            policy = policy.with_pins(PinSet::new(&self.pins, sha256)?);
        }
        if let Some(revocation) = self.roots.revocation(&lists)? {
            policy = policy.with_revocation(revocation);
        }
        verify_server_chain(chain, host, time, &policy)?;
        Ok(())
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Sha256::of(&[bytes])
}

/// Keys of servers, for a fixed back end (RFC 7250): no certificates, no names, and nothing that ends.
///
/// A server whose key is lost can be replaced by one that has the other key, so there should be two.
///
/// ```
/// use iotsec_core::{crypto::KeyType, identity::SubjectPublicKey};
/// use iotsec_net::tls::{RawKeys, TlsError};
///
/// let keys = [SubjectPublicKey::new(KeyType::Ed25519, &[7; 32])?, SubjectPublicKey::new(KeyType::Ed25519, &[8; 32])?];
/// assert!(RawKeys::new(&keys).is_ok());
/// assert_eq!(RawKeys::new(&[]).err(), Some(TlsError::RawKeyList));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RawKeys(Vec<Vec<u8>>);

impl RawKeys {
    /// Keys at most: two in use, and two that come after them.
    pub const MAX: usize = 4;

    /// Believes servers with one of these keys, Ed25519 or P-256.
    ///
    /// # Errors
    /// [`TlsError::RawKeyList`] for none or more than [`MAX`](Self::MAX).
    pub fn new(keys: &[SubjectPublicKey<'_>]) -> Result<Self, TlsError> {
        if keys.is_empty() || keys.len() > Self::MAX {
            return Err(TlsError::RawKeyList);
        }
        let write = |key: &SubjectPublicKey<'_>| to_spki(key).ok_or(TlsError::RawKeyList);
        keys.iter().map(write).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn contains(&self, spki: &[u8]) -> bool {
        self.0.iter().any(|key| key == spki)
    }
}

/// The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
pub(super) fn to_spki(key: &SubjectPublicKey<'_>) -> Option<Vec<u8>> {
    // An uncompressed point of P-256 and 26 bytes in front of it.
    let mut out = [0; 96];
    key.write(&mut out).ok().map(<[u8]>::to_vec)
}
