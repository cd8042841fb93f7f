use iotsec_core::{
    cose::Key,
    crypto::{CryptoError, Verify},
};

use super::{
    bundle::{Role, TrustBundle},
    error::TrustError,
};
use crate::{TrustAnchor, TrustAnchors, UpdateError};

/// The keys of one role, ready to verify, in memory of the caller's.
///
/// ```no_run
/// use iotsec_core::crypto::{Digest, Ed25519PublicKey};
/// use iotsec_update::{Authenticated, Envelope, trust::{Role, Trust}};
///
/// fn authenticate<'e>(
///     trust: &Trust<'_>,
///     envelope: Envelope<'e>,
///     hash: &mut dyn Digest,
/// ) -> Result<Authenticated<'e>, Box<dyn std::error::Error>> {
///     let keys = trust.keys(Role::Update, None, Ed25519PublicKey::from_cose)?;
///     let list = keys.list();
///     Ok(envelope.authenticate(&list.anchors()?, hash)?)
/// }
/// ```
#[derive(Debug)]
pub struct RoleKeys<'a, K> {
    threshold: u8,
    keys: [Option<RoleKey<'a, K>>; TrustAnchors::MAX],
}

#[derive(Debug)]
struct RoleKey<'a, K> {
    key: K,
    kid: Option<&'a [u8]>,
}

impl<'a, K: Verify> RoleKeys<'a, K> {
    pub(super) fn load(
        bundle: &TrustBundle<'a>,
        role: Role,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
    ) -> Result<Self, TrustError> {
        let (threshold, members) = bundle.role(role).ok_or(TrustError::RoleAbsent)?;
        let mut keys = [const { None }; TrustAnchors::MAX];
        for (place, key) in keys.iter_mut().zip(members) {
            *place = Some(RoleKey {
                key: load(&key).map_err(|_| TrustError::KeyRefused)?,
                kid: key.kid(),
            });
        }
        Ok(Self { threshold, keys })
    }

    /// The keys as [`TrustAnchors`] wants them.
    pub fn list(&self) -> AnchorList<'_> {
        let mut keys = self
            .keys
            .iter()
            .flatten()
            .map(|RoleKey { key, kid }| TrustAnchor { key, kid: *kid });
        let first = keys.next();
        let mut list = AnchorList {
            threshold: self.threshold,
            anchors: first.map(|first| [first; TrustAnchors::MAX]),
            count: usize::from(first.is_some()),
        };
        for (place, anchor) in list.anchors.iter_mut().flatten().skip(1).zip(keys) {
            *place = anchor;
            list.count = list.count.saturating_add(1);
        }
        list
    }
}

/// The list behind a [`TrustAnchors`].
#[derive(Clone, Copy)]
pub struct AnchorList<'k> {
    threshold: u8,
    /// The first of them repeated where there are no more. A role has at least one.
    anchors: Option<[TrustAnchor<'k>; TrustAnchors::MAX]>,
    count: usize,
}

impl AnchorList<'_> {
    /// What [`authenticate`](crate::Envelope::authenticate) and the boot loader's configuration take.
    ///
    /// # Errors
    /// None in practice: the bundle was checked to have different keys and a threshold within reach.
    pub fn anchors(&self) -> Result<TrustAnchors<'_>, UpdateError> {
        let anchors = self
            .anchors
            .as_ref()
            .and_then(|anchors| anchors.get(..self.count));
        TrustAnchors::new(anchors.unwrap_or_default(), self.threshold)
    }
}

impl core::fmt::Debug for AnchorList<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AnchorList")
            .field("anchors", &self.count)
            .field("threshold", &self.threshold)
            .finish()
    }
}
