//! Who may sign what, and how that changes: trust bundles, statements of what is latest, and downgrade
//! tokens. `TRUST.md` beside this crate's manifest is the specification.
//!
//! A trust bundle is a COSE_Sign over a [`TrustBundle`]: keys, the roles they have, how many of them must
//! sign, which keys are revoked, and what makes TLS servers trustworthy. The first is compiled into the
//! firmware. Each next one is signed by enough root keys of the one before and by enough root keys of its
//! own ([`Trust::rotate`]), and nothing of it is believed or stored before both were checked.
//!
//! ```text
//! factory bundle ─ Trust::factory ─► Trust ─ rotate ─► Rotation ─ TrustStore::put ─► Trust ─ keys ─► TrustAnchors
//!                                      ├─ Challenge::check ─► Latest ────┐
//!                                      └─ Downgrade::check ─► Downgrade ─┴─► Policy ─► admit
//! ```
//!
//! ```
//! use iotsec_core::{
//!     cose::{Key, SignBuilder, Signer},
//!     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
//!     secret::Secret,
//! };
//! use iotsec_update::{
//!     DeviceIdentity,
//!     trust::{Role, Trust, TrustBundleContent, TrustError},
//! };
//!
//! // The maker: version 1 with one root key and one update key, version 2 with another update key.
//! let key = |seed: u8| Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]));
//! let root = key(1);
//! let bundle = |version, update: &Ed25519SigningKey| {
//!     let public = |key: &Ed25519SigningKey| <[u8; 32]>::try_from(key.public_key());
//!     let (a, b) = (public(&root).unwrap(), public(update).unwrap());
//!     let content = TrustBundleContent {
//!         version,
//!         expires: None,
//!         vendor: [1; 16],
//!         class: [2; 16],
//!         keys: &[Key::ed25519(&a), Key::ed25519(&b)],
//!         roles: &[(Role::Root, 1, &[0]), (Role::Update, 1, &[1])],
//!         revoked: &[],
//!         tls: &[],
//!     };
//!     let (mut payload, mut scratch, mut out) = ([0; 512], [0; 512], [0; 512]);
//!     let payload = content.write(&mut Sha256::new(), &mut payload)?;
//!     let signer = Signer { key: &root, kid: None };
//!     let signed = SignBuilder::new(&[signer]).sign(payload, b"", &mut scratch, &mut out)?;
//!     Ok::<_, TrustError>(signed.to_vec())
//! };
//! let (first, second) = (bundle(1, &key(2))?, bundle(2, &key(3))?);
//!
//! // The device.
//! let device = DeviceIdentity { vendor: [1; 16], class: [2; 16], device: None, components: &[] };
//! let (mut hash, mut scratch) = (Sha256::new(), [0; 512]);
//! let load = Ed25519PublicKey::from_cose;
//! let trust = Trust::factory(&first, &device, load, &mut hash, &mut scratch)?;
//! let rotation = trust.rotate(&second, &device, load, &mut hash, &mut scratch)?;
//! let rotation = rotation.expect("not the bundle that is in force");
//! let trust = rotation.into_trust(); // or into flash: `TrustStore::put`
//! let keys = trust.keys(Role::Update, None, load)?;
//! let list = keys.list();
//! let anchors = list.anchors()?; // for `Envelope::authenticate`
//! # let _ = anchors;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod content;
mod downgrade;
mod error;
mod guard;
mod key;
mod latest;
mod quorum;
mod statement;
mod store;

use iotsec_core::{
    cbor::Limits,
    cose::{CoseError, Key, Sign},
    crypto::{CryptoError, Digest, Verify},
    hal::UnixTime,
};

use crate::DeviceIdentity;
pub use bundle::{Role, TlsAnchor, TrustBundle};
pub use content::TrustBundleContent;
pub use downgrade::{Downgrade, DowngradeContent};
pub use error::TrustError;
pub use guard::{Guard, Seal};
pub use iotsec_core::hal::{Reading, TimeFloor};
pub use key::{AnchorList, RoleKeys};
pub use latest::{Challenge, Latest, LatestContent};
use quorum::Quorum;
pub use store::TrustStore;

/// A trust bundle that is believed. Only a factory bundle, a [`Rotation`] or the [store](TrustStore)
/// makes one.
///
/// ```compile_fail,E0451
/// use iotsec_update::trust::{Trust, TrustBundle};
///
/// fn believe<'a>(message: &'a [u8], bundle: TrustBundle<'a>) -> Trust<'a> {
///     Trust { message, payload: message, bundle }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Trust<'a> {
    message: &'a [u8],
    payload: &'a [u8],
    bundle: TrustBundle<'a>,
}

/// The next bundle, checked in full but not yet in force.
///
/// [`keys`](Self::keys) shows what it will trust, so that a device can check that its running image is
/// still signed by enough of those keys before it goes on.
#[derive(Debug)]
#[must_use]
pub struct Rotation<'n> {
    trust: Trust<'n>,
}

impl<'n> Rotation<'n> {
    /// The bundle.
    pub const fn bundle(&self) -> &TrustBundle<'n> {
        self.trust.bundle()
    }

    /// The keys that a role will have; as [`Trust::keys`].
    ///
    /// # Errors
    /// As [`Trust::keys`].
    pub fn keys<K: Verify>(
        &self,
        role: Role,
        now: Option<UnixTime>,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
    ) -> Result<RoleKeys<'n, K>, TrustError> {
        self.trust.keys(role, now, load)
    }

    /// Believes it without storing it: for devices without a [store](TrustStore), and for the steps of
    /// a chain of which only the last is stored.
    pub fn into_trust(self) -> Trust<'n> {
        self.trust
    }
}

/// The message around a bundle. As many signatures as there can be, each of about twelve items.
const MESSAGE_LIMITS: Limits = Limits {
    depth: Sign::DEPTH,
    items: 160,
    bytes: 4096,
};

impl<'a> Trust<'a> {
    /// Signature checks for one message at most. Signatures that name their key by its identifier need
    /// one each; this leaves room for as many that do not.
    pub const MAX_CHECKS: u8 = 24;

    /// Believes a bundle that came with the firmware. It must be signed by enough of its own root keys,
    /// like every other.
    ///
    /// `load` makes a key that verifies out of its bytes, such as `Ed25519PublicKey::from_cose`, and with
    /// it decides which types of key this device knows. `scratch` as long as the message is enough.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn factory<K: Verify>(
        message: &'a [u8],
        device: &DeviceIdentity<'_>,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
        hash: &mut dyn Digest,
        scratch: &mut [u8],
    ) -> Result<Self, TrustError> {
        let (sign, payload) = open(message)?;
        let bundle = TrustBundle::parse(payload, hash)?;
        if !bundle.is_for(device) {
            return Err(TrustError::Product);
        }
        Self {
            message,
            payload,
            bundle,
        }
        .signed_by_itself(&sign, &mut Quorum::new(load, scratch))
    }

    /// Checks that `message` is the bundle after this one: its version one higher, signed by enough root
    /// keys of this bundle and by enough of its own, for this device. `None` when it is this very bundle.
    ///
    /// The signatures by the present root are checked before the new bundle is read. A key that the new
    /// bundle revokes does not count among them. The expiry of neither bundle matters: an expired bundle
    /// must be replaceable, and a chain may lead through expired ones. `load` and `scratch` as in
    /// [`factory`](Self::factory).
    ///
    /// # Errors
    /// [`TrustError::OldRoot`], [`TrustError::NewRoot`], [`TrustError::Skipped`], [`TrustError::Rollback`],
    /// [`TrustError::Conflict`], and what is wrong with the bundle itself.
    pub fn rotate<'n, K: Verify>(
        &self,
        message: &'n [u8],
        device: &DeviceIdentity<'_>,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
        hash: &mut dyn Digest,
        scratch: &mut [u8],
    ) -> Result<Option<Rotation<'n>>, TrustError> {
        let (sign, payload) = open(message)?;
        if payload == self.payload {
            return Ok(None);
        }
        let mut quorum = Quorum::new(load, scratch);
        let root = self.bundle.members(Role::Root).ok_or(TrustError::RoleAbsent)?;
        let mut signed = quorum.signers(&sign, &self.bundle, Role::Root)?;
        if !signed.reach(root.threshold) {
            return Err(TrustError::OldRoot);
        }

        let bundle = TrustBundle::parse(payload, hash)?;
        if !bundle.is_for(device) {
            return Err(TrustError::Product);
        }
        match bundle.version().checked_sub(self.bundle.version()) {
            Some(1) => {}
            Some(0) => return Err(TrustError::Conflict),
            Some(_) => return Err(TrustError::Skipped),
            None => return Err(TrustError::Rollback),
        }
        for (place, key) in self.bundle.keys().enumerate() {
            if bundle.revokes(&key, hash) {
                signed.remove(place);
            }
        }
        if !signed.reach(root.threshold) {
            return Err(TrustError::OldRoot);
        }
        let kept = |old: &[u8; 32]| bundle.revoked().any(|new| new == old);
        if !self.bundle.revoked().all(kept) {
            return Err(TrustError::RevocationDropped);
        }
        let next = Trust {
            message,
            payload,
            bundle,
        };
        let trust = next.signed_by_itself(&sign, &mut quorum)?;
        Ok(Some(Rotation { trust }))
    }

    /// The keys of a role, ready to verify.
    ///
    /// `now` is trusted time where the device has it, and `None` where it has not or where time must not
    /// matter: what was installed rightly still boots when the bundle has expired.
    ///
    /// # Errors
    /// [`TrustError::Expired`]; [`TrustError::RoleAbsent`]; [`TrustError::KeyRefused`].
    pub fn keys<K: Verify>(
        &self,
        role: Role,
        now: Option<UnixTime>,
        load: impl Fn(&Key<'_>) -> Result<K, CryptoError>,
    ) -> Result<RoleKeys<'a, K>, TrustError> {
        self.check_expiry(now)?;
        RoleKeys::load(&self.bundle, role, load)
    }

    /// What it says.
    pub const fn bundle(&self) -> &TrustBundle<'a> {
        &self.bundle
    }

    /// The signed bytes that it came as.
    pub const fn message(&self) -> &'a [u8] {
        self.message
    }

    fn check_expiry(&self, now: Option<UnixTime>) -> Result<(), TrustError> {
        match (self.bundle.expires(), now) {
            (Some(expires), Some(now)) if now > expires => Err(TrustError::Expired),
            _ => Ok(()),
        }
    }

    fn signed_by_itself<K: Verify, L: Fn(&Key<'_>) -> Result<K, CryptoError>>(
        self,
        sign: &Sign<'_>,
        quorum: &mut Quorum<'_, L>,
    ) -> Result<Self, TrustError> {
        quorum.check_keys(&self.bundle)?;
        let root = self.bundle.members(Role::Root).ok_or(TrustError::Role)?;
        if !quorum
            .signers(sign, &self.bundle, Role::Root)?
            .reach(root.threshold)
        {
            return Err(TrustError::NewRoot);
        }
        Ok(self)
    }
}

iotsec_core::claim! {
    provisions: ["5.3-10"],
    claims: "Every key that signs updates can be exchanged by the old and the new root together, and one that is revoked counts nowhere",
    code: [Trust::rotate],
    tests: [
        "iotsec-update::trust::rotation::a_chain_of_steps_changes_every_key",
        "iotsec-update::trust::rotation::t11_both_the_old_and_the_new_root_must_sign",
        "iotsec-update::trust::rotation::t11_an_old_key_counts_nowhere_after_its_revocation",
    ],
}

/// The message around a bundle, and the bundle's bytes.
fn open(message: &[u8]) -> Result<(Sign<'_>, &[u8]), TrustError> {
    if message.len() > TrustBundle::MAX_LEN {
        return Err(TrustError::Size);
    }
    let sign = Sign::parse(message, &MESSAGE_LIMITS)?;
    let payload = sign.unverified_payload().ok_or(CoseError::Payload)?;
    Ok((sign, payload))
}
