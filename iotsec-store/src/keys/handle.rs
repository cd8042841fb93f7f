use super::{KeyError, KeyKind, KeyUsage};
use crate::KeyId;

/// What a key is to be: where it lies, its type, and what it may be used for.
///
/// ```
/// use iotsec_store::{KeyDomain, KeyId, keys::{KeyKind, KeySpec, KeyUsage}};
///
/// const LINK: KeySpec = KeySpec {
///     id: KeyId::new(KeyDomain::User, 7, 1),
///     kind: KeyKind::ChaCha20Poly1305,
///     usage: KeyUsage::ENCRYPT.and(KeyUsage::DECRYPT),
/// };
/// assert!(LINK.kind.allows(LINK.usage));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySpec {
    /// Its name in the store.
    pub id: KeyId,
    /// Its type.
    pub kind: KeyKind,
    /// Its usage; nothing changes it later.
    pub usage: KeyUsage,
}

/// The token that a key exists and what it is for. Holds no byte of the key.
///
/// It stands for the key with one number. After [`rotate`](super::Keyring::rotate) it answers
/// [`KeyError::Stale`], after [`destroy`](super::Keyring::destroy) `NotFound`, also if it was made before a reboot.
/// Only a new key of the same name, type and usage that begins at number 1 again cannot be told apart from its
/// predecessor.
///
/// ```
/// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
/// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite};
/// # use iotsec_store::keys::{KeyError, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring};
/// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
/// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
/// # let region = flash.region().unwrap();
/// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
/// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
/// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
/// let id = KeyId::new(KeyDomain::Device, 7, 1);
/// let spec = KeySpec { id, kind: KeyKind::HmacSha256, usage: KeyUsage::SIGN };
/// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
/// let made = keys.generate(&mut flash, spec, &mut rng)?;
///
/// let opened = keys.open(&mut flash, id)?;
/// assert_eq!(opened, made);
/// assert_eq!((opened.id(), opened.kind(), opened.number()), (id, KeyKind::HmacSha256, 1));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct KeyHandle {
    pub(super) spec: KeySpec,
    pub(super) number: u32,
}

impl KeyHandle {
    /// Its name in the store.
    pub const fn id(&self) -> KeyId {
        self.spec.id
    }

    /// Its type.
    pub const fn kind(&self) -> KeyKind {
        self.spec.kind
    }

    /// What it may be used for.
    pub const fn usage(&self) -> KeyUsage {
        self.spec.usage
    }

    /// How many keys this name has had with this one: 1, and one more with each rotation.
    pub const fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn need(&self, usage: KeyUsage) -> Result<(), KeyError> {
        if self.spec.usage.contains(usage) {
            Ok(())
        } else {
            Err(KeyError::Usage)
        }
    }

    /// Whether a key of this usage may come from this one: what may leave must come from what may be revealed.
    pub(super) fn need_for(&self, child: KeyUsage) -> Result<(), KeyError> {
        if child.intersects(KeyUsage::EXPORT | KeyUsage::REVEAL) {
            self.need(KeyUsage::REVEAL)
        } else {
            Ok(())
        }
    }
}
