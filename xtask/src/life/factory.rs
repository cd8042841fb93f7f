//! The factory: signs releases, and fills the flash of a unit.

use iotsec::{
    core::{
        credential::{DevicePassword, Exposure, Pepper, StorageError, Throttle, ThrottleStorage, Verifier},
        crypto::{Aes256GcmSiv, Ed25519SigningKey, HkdfSha256, Sha256},
        hal::{DeviceRootKey, FlashError, Region},
        secret::Secret,
    },
    device::{Device, Hardware, Memory},
    store::{IndexEntry, ReplayProtection, Store, StoreError, Suite as StoreSuite},
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        slot::SlotLayout,
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng};

use super::{
    Build, key,
    map::{COMPONENTS, Map, Pages},
    owner::PASSWORD,
    unit::{self, EVENTS, KEYS, RECORD, ROOT},
};
use crate::{
    fixture::{CLASS, SEED, VENDOR},
    tool::Failure,
};

/// An image and its envelope.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) envelope: Vec<u8>,
    pub(super) image: Vec<u8>,
}

impl Release {
    /// Signs an image that is linked for `slot`.
    pub(super) fn sign(slot: usize, sequence: u64, image: &[u8]) -> Result<Self, Failure> {
        let component = ManifestComponent {
            id: ComponentId::from_encoded(&COMPONENTS[slot])?,
            digest: Sha256::of(&[image]),
            size: u32::try_from(image.len())?,
            payload: Payload::Uri("coap://fw"),
            transport: None,
            invoke: true,
        };
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(Sha256::of(&[SEED])));
        let (mut scratch, mut out) = ([0; 512], [0; 512]);
        let (vendor, class) = (VENDOR.to_be_bytes(), CLASS.to_be_bytes());
        let envelope = EnvelopeBuilder::new(vendor, class, SequenceNumber(sequence), &[component]).write(
            &[Signer { key: &key, kid: None }],
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )?;
        Ok(Self {
            envelope: envelope.to_vec(),
            image: image.to_vec(),
        })
    }

    /// Puts it into a slot.
    pub(super) fn place(&self, map: &Map, slot: usize, flash: &mut SimFlash) -> Result<(), Failure> {
        let layout = SlotLayout {
            manifest: region(map, map.manifest(slot))?,
            images: [region(map, map.image(slot))?],
        };
        Ok(layout.provision(flash, &self.envelope, [&self.image])?)
    }
}

/// A unit as it leaves the factory, and what is known of it.
pub(super) struct Unit {
    pub(super) flash: Vec<u8>,
    /// What its label says.
    pub(super) label: String,
    /// What its owner types.
    pub(super) password: String,
    /// What its telemetry is sealed under.
    pub(super) telemetry: Secret<32>,
}

impl Unit {
    /// A unit with release 1 in slot A, an identity of its own and no owner.
    pub(super) fn make(build: &Build, seed: u64) -> Result<Self, Failure> {
        let map = &build.map;
        let mut flash = blank(map);
        build.release(0, 1)?.place(map, 0, &mut flash)?;
        let mut rng = SimRng::new(seed);
        let password = DevicePassword::generate(Exposure::Online, &mut rng)?;
        let key = Secret::from_bytes(ROOT);
        let root = DeviceRootKey::new(&key, &HkdfSha256)?;
        if !map.is_whole() {
            return Self::of_parts(map, flash, rng, &password);
        }
        let product = unit::product(region(map, map.store())?);
        let hardware = Hardware {
            flash: &mut flash,
            rng,
            counter: &mut SimCounter::new(),
            root: &root,
            replay: ReplayProtection::None,
        };
        let (mut index, mut record) = ([IndexEntry::EMPTY; KEYS], [0; RECORD]);
        let memory = Memory {
            index: &mut index,
            record: &mut record,
        };
        let device = Device::<_, _, _, EVENTS>::format(product, hardware, memory)?;
        let provisioned = device.provision("LAMP-0042", &password);
        let (_, enrolment) = provisioned.map_err(|(_, error)| error)?;
        Ok(Self {
            label: password.label().as_str().to_owned(),
            password: PASSWORD.to_owned(),
            telemetry: enrolment.telemetry,
            flash: flash.image().to_vec(),
        })
    }

    /// One whose application keeps its parts in the store by itself. The label's password is its owner's.
    fn of_parts(
        map: &Map,
        mut flash: SimFlash,
        mut rng: SimRng,
        password: &DevicePassword,
    ) -> Result<Self, Failure> {
        let secret = Secret::from_bytes(ROOT);
        let root = DeviceRootKey::new(&secret, &HkdfSha256)?;
        let suite = StoreSuite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: &root,
        };
        let verifier = Verifier::for_device(password, &Pepper::derive(&root, &HkdfSha256)?, &mut rng)?;
        let telemetry = Secret::from_bytes(Sha256::of(&[password.label().as_str().as_bytes()]));
        let (mut index, mut record) = ([IndexEntry::EMPTY; KEYS], [0; RECORD]);
        let mut store = Store::format(
            &mut flash,
            region(map, map.store())?,
            suite,
            &mut index,
            &mut record,
            ReplayProtection::None,
            &mut rng,
        )?;
        store.put(&mut flash, key::VERIFIER, &verifier.to_bytes())?;
        store.put(&mut flash, key::TELEMETRY, telemetry.expose())?;
        Throttle::initialise(&mut Count {
            store: &mut store,
            flash: &mut flash,
        })?;
        let label = password.label().as_str().to_owned();
        Ok(Self {
            password: label.clone(),
            label,
            telemetry,
            flash: flash.image().to_vec(),
        })
    }
}

/// The throttle's record in a store.
struct Count<'c, 's> {
    store: &'c mut Store<'s>,
    flash: &'c mut SimFlash,
}

impl ThrottleStorage for Count<'_, '_> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, key::THROTTLE, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        let put = self.store.put(self.flash, key::THROTTLE, record);
        put.map_err(|error| StorageError::of(&error))
    }
}

/// A flash that is erased.
pub(super) fn blank(map: &Map) -> SimFlash {
    SimFlash::new(geometry(map))
}

pub(super) fn geometry(map: &Map) -> Geometry {
    Geometry::new(&vec![map.page; map.page_count() as usize], map.word)
}

pub(super) fn region(map: &Map, pages: Pages) -> Result<Region, FlashError> {
    Region::new(pages.first * map.page, map.page, pages.count, map.word)
}
