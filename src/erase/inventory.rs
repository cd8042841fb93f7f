//! Where personal data lives.

use iotsec_store::{KeyDomain, KeyId};

/// A place where personal data lives: a namespace of the user domain, what is in it, and what for.
///
/// The two texts are for people: the owner, who asks what the device knows, and whoever has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    keeper: Keeper,
    holds: &'static str,
    purpose: &'static str,
}

/// What keeps it, and so how it is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keeper {
    /// All keys of a namespace of the user domain. Erased with the key of the domain, then scrubbed.
    Namespace(u8),
    /// One key of the user domain. Erased likewise.
    Key(KeyId),
    /// The keys under which events wait in a region of their own. Erased with the key of the domain, and then nobody can
    /// read what is in the region; [`scrub_spool_step`](crate::device::Device::scrub_spool_step) takes that away too.
    Spool,
    /// Requests to the service, in the device domain: they outlive a reset until the service has answered.
    Requests,
    /// Memory of the running firmware. Cleared at once, and gone with the power.
    Memory,
}

impl Place {
    /// A namespace of the application.
    pub const fn new(namespace: u8, holds: &'static str, purpose: &'static str) -> Self {
        Self::of(Keeper::Namespace(namespace), holds, purpose)
    }

    pub(crate) const fn of(keeper: Keeper, holds: &'static str, purpose: &'static str) -> Self {
        Self {
            keeper,
            holds,
            purpose,
        }
    }

    /// What keeps it.
    pub const fn keeper(&self) -> Keeper {
        self.keeper
    }

    /// What is there, in plain words.
    pub const fn holds(&self) -> &'static str {
        self.holds
    }

    /// What it is there for.
    pub const fn purpose(&self) -> &'static str {
        self.purpose
    }

    /// Whether a value under `key` is in this place.
    pub fn covers(&self, key: KeyId) -> bool {
        match self.keeper {
            Keeper::Namespace(namespace) => key.domain() == KeyDomain::User && key.namespace() == namespace,
            Keeper::Key(own) => own == key,
            Keeper::Spool => is_spool_key(key),
            Keeper::Requests => is_request(key),
            Keeper::Memory => false,
        }
    }
}

/// Where the life cycle keeps them, if it is there.
fn is_request(key: KeyId) -> bool {
    #[cfg(feature = "device")]
    return crate::device::is_request(key);
    #[cfg(not(feature = "device"))]
    {
        let _ = key;
        false
    }
}

/// Likewise.
fn is_spool_key(key: KeyId) -> bool {
    #[cfg(feature = "device")]
    return crate::device::is_spool_key(key);
    #[cfg(not(feature = "device"))]
    {
        let _ = key;
        false
    }
}

/// A place and how much is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The place.
    pub place: Place,
    /// Values, or events in memory.
    pub values: usize,
}

/// Every place where the application keeps personal data. The life cycle knows its own.
///
/// A device that has one ([`Device::with_inventory`](crate::device::Device::with_inventory)) refuses to store a value
/// of the owner anywhere else, so that a place that nobody registered is found by the first test that uses it.
/// Without one, every namespace of the application may be used, and everything is erased all the same.
///
/// ```
/// use iotsec::erase::{Inventory, Place};
/// use iotsec::store::{KeyDomain, KeyId};
///
/// const INVENTORY: Inventory = Inventory::new(&[
///     Place::new(1, "name and password of the network", "to be online"),
///     Place::new(2, "times at which the light goes on", "the owner's schedule"),
/// ])
/// .unwrap();
///
/// assert!(INVENTORY.covers(KeyId::new(KeyDomain::User, 2, 7)));
/// assert!(!INVENTORY.covers(KeyId::new(KeyDomain::User, 3, 7)));
/// ```
/// Wrong ones do not compile:
/// ```compile_fail,E0080
/// use iotsec::erase::{Inventory, Place};
///
/// const TWICE: Inventory =
///     Inventory::new(&[Place::new(1, "network", "to be online"), Place::new(1, "light", "schedule")]).unwrap();
/// # let _ = TWICE;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Inventory {
    places: &'static [Place],
}

/// The namespace that applications leave alone.
const RESERVED: u8 = 0xFF;

impl Inventory {
    /// `None` when a namespace is there twice or is reserved (255), or when a text is empty.
    pub const fn new(places: &'static [Place]) -> Option<Self> {
        let mut rest = places;
        while let [place, others @ ..] = rest {
            let Keeper::Namespace(namespace) = place.keeper else {
                return None;
            };
            if namespace == RESERVED || place.holds.is_empty() || place.purpose.is_empty() {
                return None;
            }
            let mut behind = others;
            while let [other, more @ ..] = behind {
                if matches!(other.keeper, Keeper::Namespace(same) if same == namespace) {
                    return None;
                }
                behind = more;
            }
            rest = others;
        }
        Some(Self { places })
    }

    /// The places, in the order in which they were registered.
    pub const fn places(&self) -> &'static [Place] {
        self.places
    }

    /// Whether a value under `key` is in one of the places.
    pub fn covers(&self, key: KeyId) -> bool {
        self.places.iter().any(|place| place.covers(key))
    }
}
