use iotsec_core::hal::Region;

/// The region of a store without a user domain: for devices that keep nothing of their owner, only identity, trust and
/// counters ([`KeyDomain::Device`](crate::KeyDomain::Device)).
///
/// Such a store has no page for the key of the user domain, so that it makes do with three pages, or has one more for
/// its records. Whatever would write in the user domain, or erase it, answers
/// [`StoreError::NoUserDomain`](crate::StoreError::NoUserDomain). A store keeps for its life the form that it was
/// formatted with: mounting it in the other one is refused.
///
/// ```
/// use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
/// use iotsec_store::{DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
/// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
///
/// # let mut flash = SimFlash::new(Geometry::nrf52840(3));
/// # let region = flash.region()?;
/// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
/// let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
/// let (region, replay) = (DeviceOnly(region), ReplayProtection::None);
/// let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
///
/// store.put(&mut flash, KeyId::new(KeyDomain::Device, 0, 1), b"serial 4711")?;
/// let wifi = KeyId::new(KeyDomain::User, 1, 1);
/// assert_eq!(store.put(&mut flash, wifi, b"correct horse battery"), Err(StoreError::NoUserDomain));
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceOnly(pub Region);

/// Where a store lies, and whether it has a user domain: what [`Store`](crate::Store) is formatted and mounted with.
/// From a [`Region`] with one, from [`DeviceOnly`] without.
///
/// ```
/// use iotsec_core::hal::Region;
/// use iotsec_store::{DeviceOnly, StoreRegion};
///
/// let region = Region::new(0, 4096, 8, 4)?;
/// assert_ne!(StoreRegion::from(region), StoreRegion::from(DeviceOnly(region)));
/// # Ok::<(), iotsec_core::hal::FlashError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreRegion {
    pub(crate) region: Region,
    /// Pages in front of the data pages: that of the user domain's key, alone in it, or none.
    pub(crate) key_pages: u32,
}

impl From<Region> for StoreRegion {
    fn from(region: Region) -> Self {
        Self { region, key_pages: 1 }
    }
}

impl From<DeviceOnly> for StoreRegion {
    fn from(DeviceOnly(region): DeviceOnly) -> Self {
        Self { region, key_pages: 0 }
    }
}
