/// Which key protects a record, and so what it is erased with.
///
/// ```
/// use iotsec_store::{KeyDomain, KeyId};
///
/// // The same name in two domains: two records.
/// let (device, user) = (KeyId::new(KeyDomain::Device, 1, 1), KeyId::new(KeyDomain::User, 1, 1));
/// assert_ne!(device, user);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyDomain {
    /// What makes this device this device: identity, trust, counters. Goes when the device is retired.
    Device,
    /// Whatever belongs to the owner. Goes when the owner says so.
    User,
}

impl KeyDomain {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Device => 0,
            Self::User => 1,
        }
    }
}

/// The name of a record: its domain, a namespace for each part of the firmware, and a number in it.
///
/// ```
/// use iotsec_store::{KeyDomain, KeyId};
///
/// const WIFI: KeyId = KeyId::new(KeyDomain::User, 1, 7);
/// assert_eq!((WIFI.domain(), WIFI.namespace(), WIFI.number()), (KeyDomain::User, 1, 7));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// The domain in one bit, the name in the three lower bytes.
    id: u32,
}

/// As in the flags of a header.
const USER: u32 = 0x0800_0000;
const NAME: u32 = 0x00FF_FFFF;

impl KeyId {
    /// The record `number` of `namespace` in `domain`.
    pub const fn new(domain: KeyDomain, namespace: u8, number: u16) -> Self {
        let [c, d] = number.to_be_bytes();
        let name = u32::from_be_bytes([0, namespace, c, d]);
        let domain = match domain {
            KeyDomain::Device => 0,
            KeyDomain::User => USER,
        };
        Self { id: domain | name }
    }

    /// From domain and name in a header, whatever else is in `id`.
    pub(crate) const fn from_id(id: u32) -> Self {
        Self {
            id: id & (USER | NAME),
        }
    }

    pub(crate) const fn id(self) -> u32 {
        self.id
    }

    pub(crate) const fn name(self) -> u32 {
        self.id & NAME
    }

    /// Its domain.
    pub const fn domain(self) -> KeyDomain {
        if self.id & USER == 0 {
            KeyDomain::Device
        } else {
            KeyDomain::User
        }
    }

    /// Its namespace.
    pub const fn namespace(self) -> u8 {
        let [_, namespace, _, _] = self.id.to_be_bytes();
        namespace
    }

    /// Its number in the namespace.
    pub const fn number(self) -> u16 {
        let [_, _, c, d] = self.id.to_be_bytes();
        u16::from_be_bytes([c, d])
    }
}

impl core::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeyId")
            .field("domain", &self.domain())
            .field("name", &self.name())
            .finish()
    }
}
