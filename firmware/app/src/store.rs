//! The encrypted store: what was put is there after a mount, and nothing of it can be read from the flash.

use embedded_storage::nor_flash::ReadNorFlash;
use harness::{
    console::{self, require},
    device::STORE,
    entropy::FixedBytes,
    flash::SimulatedFlash,
};
use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::DeviceRootKey,
    secret::Secret,
};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};

const WIFI: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const SECRET: &[u8] = b"correct horse battery staple";

#[inline(never)]
pub(crate) fn keeps_what_was_put(flash: &mut SimulatedFlash) {
    let key = Secret::from_bytes(*b"a root key for firmware tests...");
    let Ok(root) = DeviceRootKey::new(&key, &HkdfSha256) else {
        console::fail("the root key was refused")
    };
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let kept = format_and_put(flash, suite).and_then(|()| mount_and_get(flash, suite));
    require(kept == Ok(true), "the store did not keep what was put");
    require(!holds(flash, SECRET), "the secret lies in flash");
    console::text("store: formatted, put, mounted, got; no plaintext in flash\n");
}

fn format_and_put(flash: &mut SimulatedFlash, suite: Suite<'_>) -> Result<(), StoreError> {
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 256]);
    let mut rng = FixedBytes::new(2);
    Store::format(
        flash,
        STORE,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )?
    .put(flash, WIFI, SECRET)
}

fn mount_and_get(flash: &mut SimulatedFlash, suite: Suite<'_>) -> Result<bool, StoreError> {
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 256]);
    let mut rng = FixedBytes::new(3);
    let mut store = Store::mount(
        flash,
        STORE,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )?;
    let mut value = [0; 64];
    Ok(store.get(flash, WIFI, &mut value)? == SECRET)
}

/// Whether the first eight bytes of `secret` lie anywhere in the flash.
fn holds(flash: &mut SimulatedFlash, secret: &[u8]) -> bool {
    let mut window = [0; 8];
    (0..flash.capacity() - window.len())
        .any(|at| flash.read(at as u32, &mut window).is_ok() && secret.starts_with(&window))
}
