//! The encrypted store mounted, one value put and read.

use core::hint::black_box;

use harness::{device::STORE, entropy::FixedBytes, flash::SimulatedFlash};
use iotsec_core::{
    crypto::{Aead, HkdfSha256},
    hal::DeviceRootKey,
    secret::Secret,
};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};

const KEY: KeyId = KeyId::new(KeyDomain::User, 1, 1);

/// The root key of the device.
pub fn root() -> Option<DeviceRootKey<'static>> {
    let key = Secret::from_bytes(black_box(*b"a root key for firmware tests..."));
    DeviceRootKey::new(&key, &HkdfSha256).ok()
}

/// Formats the store, as the factory does.
pub fn prepare(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>, aead: &dyn Aead) -> Option<()> {
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 256]);
    let mut rng = FixedBytes::new(2);
    Store::format(
        flash,
        STORE,
        suite(root, aead),
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .ok()
    .map(drop)
}

/// Mount, put, get.
#[inline(never)]
pub fn run(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>, aead: &dyn Aead) -> bool {
    mount_put_get(flash, root, aead) == Ok(true)
}

fn mount_put_get(
    flash: &mut SimulatedFlash,
    root: &DeviceRootKey<'_>,
    aead: &dyn Aead,
) -> Result<bool, StoreError> {
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 256]);
    let mut rng = FixedBytes::new(3);
    let mut store = Store::mount(
        flash,
        STORE,
        suite(root, aead),
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )?;
    store.put(flash, KEY, black_box(&[7; 32]))?;
    let mut value = [0; 32];
    Ok(store.get(flash, KEY, &mut value)? == [7; 32])
}

fn suite<'a>(root: &'a DeviceRootKey<'_>, aead: &'a dyn Aead) -> Suite<'a> {
    Suite {
        aead,
        kdf: &HkdfSha256,
        root,
    }
}
