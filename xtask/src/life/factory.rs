//! The factory: signs releases, and fills the flash of a unit.

use iotsec::{
    core::{
        credential::{DevicePassword, Exposure},
        crypto::{Ed25519SigningKey, HkdfSha256, Sha256},
        hal::{DeviceRootKey, FlashError, Region},
        secret::Secret,
    },
    device::{Device, Hardware, Memory},
    store::{IndexEntry, ReplayProtection},
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        slot::SlotLayout,
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng};

use super::{
    Build,
    map::{COMPONENTS, Map, Pages},
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
            telemetry: enrolment.telemetry,
            flash: flash.image().to_vec(),
        })
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
