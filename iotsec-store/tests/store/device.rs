//! A device with a store: the fixture of the tests beside this file.
use std::collections::BTreeMap;

use iotsec_core::{
    crypto::{Aead, Aes256GcmSiv, ChaCha20HmacSiv, HkdfSha256},
    hal::Region,
};
use iotsec_store::{
    DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, StoreRegion, Suite,
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, SimRootKey, StepUnit, Tear, Violation, World};

pub(crate) const KEY_A: KeyId = KeyId::new(KeyDomain::Device, 1, 1);
pub(crate) const KEY_B: KeyId = KeyId::new(KeyDomain::Device, 1, 2);
pub(crate) const KEY_NEW: KeyId = KeyId::new(KeyDomain::Device, 1, 3);
pub(crate) const CHURN: KeyId = KeyId::new(KeyDomain::Device, 2, 1);
pub(crate) const PROBE: KeyId = KeyId::new(KeyDomain::Device, 0xFF, 0xFFFF);
pub(crate) const OWNER: [KeyId; 2] = [
    KeyId::new(KeyDomain::User, 1, 1),
    KeyId::new(KeyDomain::User, 1, 2),
];

/// What a store may be sealed with.
pub(crate) type Cipher = &'static (dyn Aead + Sync);
pub(crate) const CIPHERS: [Cipher; 2] = [&Aes256GcmSiv, &ChaCha20HmacSiv];

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) flash: SimFlash,
    pub(crate) region: Region,
    /// Whether there is no user domain.
    pub(crate) device_only: bool,
    pub(crate) root: u64,
    pub(crate) cipher: Cipher,
    pub(crate) boots: u64,
}

impl World for Device {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

/// A value that no other call gives.
pub(crate) fn value(tag: u32, len: usize) -> Vec<u8> {
    format!("value-{tag}-").bytes().cycle().take(len).collect()
}

/// What a fresh device holds.
pub(crate) fn contents() -> BTreeMap<KeyId, Vec<u8>> {
    BTreeMap::from([
        (KEY_A, value(1, 32)),
        (KEY_B, value(2, 57)),
        (OWNER[0], b"Anna's network".to_vec()),
        (OWNER[1], b"correct horse battery staple".to_vec()),
        (CHURN, value(0, 50)),
    ])
}

impl Device {
    /// Formatted, with [`contents`] in it.
    pub(crate) fn new(geometry: Geometry, tear: Tear) -> Self {
        Self::blank(geometry, tear).with_contents()
    }

    pub(crate) fn with_contents(self) -> Self {
        let mut device = self;
        device.format().unwrap();
        let values = device.contents();
        device.with_store(|store, flash, _| {
            for (key, value) in values {
                store.put(flash, key, &value).unwrap();
            }
        });
        device
    }

    pub(crate) fn blank(geometry: Geometry, tear: Tear) -> Self {
        let flash = SimFlash::new(geometry).with_tear(tear).with_unit(StepUnit::Byte);
        let region = flash.region().unwrap();
        Self {
            flash,
            region,
            device_only: false,
            root: 7,
            cipher: CIPHERS[0],
            boots: 0,
        }
    }

    pub(crate) fn sealed_with(self, cipher: Cipher) -> Self {
        Self { cipher, ..self }
    }

    /// Without a user domain.
    pub(crate) fn device_only(self) -> Self {
        Self {
            device_only: true,
            ..self
        }
    }

    pub(crate) fn store_region(&self) -> StoreRegion {
        if self.device_only {
            DeviceOnly(self.region).into()
        } else {
            self.region.into()
        }
    }

    /// [`contents`], as far as there are domains for them.
    pub(crate) fn contents(&self) -> BTreeMap<KeyId, Vec<u8>> {
        let mut contents = contents();
        contents.retain(|key, _| !self.device_only || key.domain() == KeyDomain::Device);
        contents
    }

    pub(crate) fn format(&mut self) -> Result<(), StoreError> {
        let root = SimRootKey::new(self.root);
        let suite = Suite {
            aead: self.cipher,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 2048]);
        let mut rng = SimRng::new(self.boots);
        self.boots += 1;
        let region = self.store_region();
        Store::format(
            &mut self.flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )
        .map(|_| ())
    }

    /// Boots: mounts the store anew and works with it.
    pub(crate) fn try_with_store<R>(
        &mut self,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash, &mut SimRng) -> R,
    ) -> Result<R, StoreError> {
        let root = SimRootKey::new(self.root);
        let suite = Suite {
            aead: self.cipher,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 2048]);
        let mut rng = SimRng::new(self.boots);
        self.boots += 1;
        let region = self.store_region();
        let flash = &mut self.flash;
        let mut store = Store::mount(
            flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )?;
        Ok(work(&mut store, flash, &mut rng))
    }

    /// As [`try_with_store`](Self::try_with_store), for an operation that a sweep cuts.
    pub(crate) fn run(
        &mut self,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash, &mut SimRng) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.try_with_store(work).and_then(|done| done)
    }

    /// As [`try_with_store`](Self::try_with_store), where mounting must succeed.
    pub(crate) fn with_store<R>(
        &mut self,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash, &mut SimRng) -> R,
    ) -> R {
        match self.try_with_store(work) {
            Ok(done) => done,
            Err(error) => panic!("mounting failed: {error:?}"),
        }
    }
}

/// The value under a key, `None` when there is none. Anything else is a failure.
pub(crate) fn read(store: &mut Store<'_>, flash: &mut SimFlash, key: KeyId) -> Option<Vec<u8>> {
    let mut out = [0; 2048];
    match store.get(flash, key, &mut out) {
        Ok(value) => Some(value.to_vec()),
        Err(StoreError::NotFound) => None,
        Err(error) => panic!("{key:?}: {error:?}"),
    }
}
