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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    domain: KeyDomain,
    name: u32,
}

impl KeyId {
    /// The record `number` of `namespace` in `domain`.
    pub const fn new(domain: KeyDomain, namespace: u8, number: u16) -> Self {
        let [c, d] = number.to_be_bytes();
        Self {
            domain,
            name: u32::from_be_bytes([0, namespace, c, d]),
        }
    }

    /// From the three lower bytes of `name`.
    pub(crate) const fn from_name(domain: KeyDomain, name: u32) -> Self {
        let [_, b, c, d] = name.to_be_bytes();
        Self {
            domain,
            name: u32::from_be_bytes([0, b, c, d]),
        }
    }

    pub(crate) const fn name(self) -> u32 {
        self.name
    }

    /// Its domain.
    pub const fn domain(self) -> KeyDomain {
        self.domain
    }

    /// Its namespace.
    pub const fn namespace(self) -> u8 {
        let [_, namespace, _, _] = self.name.to_be_bytes();
        namespace
    }

    /// Its number in the namespace.
    pub const fn number(self) -> u16 {
        let [_, _, c, d] = self.name.to_be_bytes();
        u16::from_be_bytes([c, d])
    }
}
