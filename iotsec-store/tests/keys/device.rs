//! A device with keys: the fixture of the tests beside this file.
use iotsec_core::{
    crypto::{
        Aes128KeyWrap, Aes256GcmSiv, Aes256KeyWrap, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey,
        HkdfSha256, P256AgreementKey, P256PublicKey, P256SigningKey, X25519Key,
    },
    hal::Region,
};
use iotsec_store::{
    IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite,
    keys::{Algorithm, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring},
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, SimRootKey, StepUnit, Tear, Violation, World};

/// Every type, with everything that it can be used for but leaving the store.
pub(crate) const KINDS: [(KeyKind, KeyUsage); 10] = [
    (KeyKind::Ed25519, KeyUsage::SIGN.and(KeyUsage::VERIFY)),
    (KeyKind::P256, KeyUsage::SIGN.and(KeyUsage::VERIFY)),
    (KeyKind::X25519, KeyUsage::DERIVE.and(KeyUsage::REVEAL)),
    (KeyKind::P256Agreement, KeyUsage::DERIVE.and(KeyUsage::REVEAL)),
    (KeyKind::Aes256GcmSiv, KeyUsage::ENCRYPT.and(KeyUsage::DECRYPT)),
    (
        KeyKind::ChaCha20Poly1305,
        KeyUsage::ENCRYPT.and(KeyUsage::DECRYPT),
    ),
    (KeyKind::HmacSha256, KeyUsage::SIGN.and(KeyUsage::VERIFY)),
    (KeyKind::HkdfSha256, KeyUsage::DERIVE.and(KeyUsage::REVEAL)),
    (KeyKind::Aes128Wrap, KeyUsage::UNWRAP.and(KeyUsage::REVEAL)),
    (KeyKind::Aes256Wrap, KeyUsage::UNWRAP.and(KeyUsage::REVEAL)),
];

pub(crate) const ALL: KeySuite<'static> = KeySuite {
    kdf: &HkdfSha256,
    sign: &[
        &Algorithm::<Ed25519SigningKey>::NEW,
        &Algorithm::<P256SigningKey>::NEW,
    ],
    verify: &[
        &Algorithm::<Ed25519PublicKey>::NEW,
        &Algorithm::<P256PublicKey>::NEW,
    ],
    agree: &[&Algorithm::<X25519Key>::NEW, &Algorithm::<P256AgreementKey>::NEW],
    aead: &[&Aes256GcmSiv, &ChaCha20Poly1305],
    wrap: &[&Aes128KeyWrap, &Aes256KeyWrap],
};

pub(crate) const fn id(number: u16) -> KeyId {
    KeyId::new(KeyDomain::Device, 7, number)
}

pub(crate) const fn user_id(number: u16) -> KeyId {
    KeyId::new(KeyDomain::User, 7, number)
}

pub(crate) const fn spec(number: u16, kind: KeyKind, usage: KeyUsage) -> KeySpec {
    KeySpec {
        id: id(number),
        kind,
        usage,
    }
}

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) flash: SimFlash,
    pub(crate) region: Region,
    boots: u64,
}

impl World for Device {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl Device {
    pub(crate) fn new() -> Self {
        Self::on(Geometry::nrf52840(8), Tear::Torn)
    }

    pub(crate) fn on(geometry: Geometry, tear: Tear) -> Self {
        let flash = SimFlash::new(geometry).with_tear(tear).with_unit(StepUnit::Byte);
        let region = flash.region().unwrap();
        let mut device = Self {
            flash,
            region,
            boots: 0,
        };
        device.boot(true, |_, _, _| ()).unwrap();
        device
    }

    /// Boots and works with the store. Every boot draws other random numbers.
    fn boot<R>(
        &mut self,
        format: bool,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash, &mut SimRng) -> R,
    ) -> Result<R, StoreError> {
        let root = SimRootKey::new(7);
        let suite = Suite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 256]);
        let mut rng = SimRng::new(self.boots);
        self.boots += 1;
        let (flash, region) = (&mut self.flash, self.region);
        let (index, buffer) = (&mut index, &mut buffer);
        let mut store = if format {
            Store::format(
                flash,
                region,
                suite,
                index,
                buffer,
                ReplayProtection::None,
                &mut rng,
            )
        } else {
            Store::mount(
                flash,
                region,
                suite,
                index,
                buffer,
                ReplayProtection::None,
                &mut rng,
            )
        }?;
        Ok(work(&mut store, flash, &mut rng))
    }

    pub(crate) fn try_with_store<R>(
        &mut self,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash, &mut SimRng) -> R,
    ) -> Result<R, StoreError> {
        self.boot(false, work)
    }

    pub(crate) fn with_store<R>(
        &mut self,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash, &mut SimRng) -> R,
    ) -> R {
        self.try_with_store(work).unwrap()
    }

    pub(crate) fn with_keys<R>(
        &mut self,
        work: impl FnOnce(&mut Keyring<'_, '_>, &mut SimFlash, &mut SimRng) -> R,
    ) -> R {
        self.with_store(|store, flash, rng| work(&mut Keyring::new(store, ALL), flash, rng))
    }
}
