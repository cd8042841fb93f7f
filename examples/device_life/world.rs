//! One sensor and the people around it: flash, fuses, the factory's key, the boot loader.

use std::error::Error;

use getrandom::SysRng;
use iotsec::{
    core::{
        credential::ThrottlePolicy,
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256},
        hal::{DeviceRootKey, FlashError, Region},
        secret::Secret,
    },
    device::{Booted, Device, Hardware, Memory, Owned, Product, Suite},
    store::{IndexEntry, ReplayProtection},
    telemetry::{
        consent::Usage,
        detect::{AUTH_BURST, BOOT_LOOP, CLOCK_ROLLBACK, INTEGRITY, MODE, RECONNECTS, UPDATE_REFUSED},
        registry,
        registry::{Buckets, Class, EventDef, Field},
        spool::{Purge, Quotas, Spool},
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, SequenceNumber, TrustAnchor, TrustAnchors,
        boot::{self, BootConfig, Selection, Verified},
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash};

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// UUID 5 of "iotsec.example", and of "sensor-rev-b" under it.
pub const VENDOR: [u8; 16] = *b"\x0e\x01\x1a\x35\xe5\x98\x55\x69\x81\x98\xae\x31\x7f\x6d\xa1\x78";
pub const CLASS: [u8; 16] = *b"\x35\xc5\x00\xe3\x28\xa3\x5f\xc1\xbd\x5d\x0e\x07\x9a\xb2\x96\x6f";
/// The one component: `[h'00']`.
const APPLICATION: [u8; 3] = [0x81, 0x41, 0x00];

/// SHA-256 of "iotsec test vector key ed25519_a". Public knowledge: never for a product.
const MAKER_SEED: [u8; 32] = *b"\x4e\xf5\x7a\x2d\xf2\x05\xbf\x6e\xd3\x46\xed\x7f\xec\xec\x3c\xd7\
                               \x05\x7e\xed\x21\xdb\xc1\xbf\x21\x0e\x84\x57\xa2\x60\x7d\x59\xf7";

pub const MOTION: EventDef = EventDef::new(
    1,
    "motion.minutes",
    Class::Usage,
    "Helps to choose the battery of the next model",
    &[Field::bucket("per_day", "min", MINUTES)],
);
pub const MINUTES: Buckets = Buckets::new(&[10, 60, 240]);
pub const LINK_LOST: EventDef = EventDef::new(
    2,
    "link.lost",
    Class::Security,
    "Shows jamming and failing access points",
    &[Field::number("outage", "s", 0, 86400)],
);
registry!(pub static EVENTS = [
    MOTION, LINK_LOST, AUTH_BURST, BOOT_LOOP, INTEGRITY, UPDATE_REFUSED, CLOCK_ROLLBACK, RECONNECTS, MODE,
]);

/// Pages of the region where events wait.
const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 2,
    health: 2,
    usage: 2,
};

/// What outlives a power cut.
pub struct World {
    pub flash: SimFlash,
    pub counter: SimCounter,
    /// Another one, for the store.
    pub storage_counter: SimCounter,
    /// The hardware unique key, in fuses.
    fuses: Secret<32>,
    pub store: Region,
    pub slots: UpdateLayout,
    /// Where events wait.
    pub spool: Region,
}

/// A device with an owner.
pub type OwnedDevice<'w> = Device<'w, Owned, &'w mut SimFlash, SysRng, 32>;

/// A unit as firmware sees it.
pub type Unit<'w> = Booted<'w, &'w mut SimFlash, SysRng, 32>;

impl World {
    /// A blank nRF52840-like board: pages of 4 KiB, words of 4 bytes.
    pub fn new() -> Result<Self> {
        let flash = SimFlash::new(Geometry::nrf52840(38));
        let pages = |first: u32, count: u32| Region::new(first * 4096, 4096, count, 4);
        let slot = |first| -> std::result::Result<_, FlashError> {
            Ok(SlotLayout {
                manifest: pages(first, 1)?,
                images: [pages(first + 1, 4)?],
            })
        };
        Ok(Self {
            counter: SimCounter::new().powered_by(flash.power()),
            storage_counter: SimCounter::new().powered_by(flash.power()),
            flash,
            fuses: Secret::random(&mut SysRng)?,
            store: pages(0, 14)?,
            slots: UpdateLayout::new(slot(14)?, slot(19)?, pages(24, 3)?)?,
            spool: pages(28, 10)?,
        })
    }

    /// Raw bytes of the fuses, to look for in the flash.
    pub fn fuses(&self) -> &[u8] {
        self.fuses.expose()
    }

    /// What the boot loader has in its own, write-protected flash, given to `work`.
    pub fn with_boot<T>(&mut self, work: impl FnOnce(&mut Self, &BootConfig<'_>) -> Result<T>) -> Result<T> {
        let key =
            Ed25519PublicKey::from_bytes(&hex(include_str!("../../vectors/suit/keys/ed25519_a.pub.hex")))?;
        let anchors = [TrustAnchor { key: &key, kid: None }];
        let id = ComponentId::from_encoded(&APPLICATION)?;
        let components = [DeviceComponent {
            id,
            capacity: self.slots.slot(iotsec::core::hal::Slot::A).images[0].len(),
            slot: None,
        }];
        let identity = DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: &components,
        };
        let config = BootConfig::new(self.slots, TrustAnchors::new(&anchors, 1)?, identity);
        work(self, &config)
    }

    /// Power comes on: the boot loader chooses and verifies an image.
    pub fn power_on(&mut self) -> Result<Verified> {
        self.flash.power_on();
        self.with_boot(|world, config| {
            let mut rollback = Rollback::new(&mut world.counter, rollback_policy()?);
            let mut scratch = [0; 4096];
            match boot::select(
                &mut world.flash,
                config,
                &mut rollback,
                &mut Sha256::new(),
                &mut scratch,
            )? {
                Selection::Boot(verified) => Ok(verified),
                Selection::Recovery { a, b } => Err(format!("nothing to start: A {a}, B {b}").into()),
            }
        })
    }

    /// The firmware's part of a boot: opens the device, works with it, and lets go of the hardware.
    pub fn run<T>(&mut self, work: impl FnOnce(Unit<'_>) -> Result<T>) -> Result<T> {
        self.with_hardware(|product, hardware, memory| work(Booted::open(product, hardware, memory)?))
    }

    /// Product, hardware and memory, as `main` of a firmware would have them.
    pub fn with_hardware<T>(
        &mut self,
        work: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SysRng>, Memory<'w>) -> Result<T>,
    ) -> Result<T> {
        let root = DeviceRootKey::new(&self.fuses, &HkdfSha256)?;
        let product = Product {
            store: self.store,
            events: EVENTS.hashed(&mut Sha256::new()),
            reserve: 8,
            throttle: ThrottlePolicy::DEFAULT,
            suite: Suite {
                storage: &Aes256GcmSiv,
                wire: &ChaCha20Poly1305,
                kdf: &HkdfSha256,
            },
        };
        let hardware = Hardware {
            flash: &mut self.flash,
            rng: SysRng,
            counter: &mut self.counter,
            root: &root,
            replay: ReplayProtection::EachPage(&mut self.storage_counter),
        };
        let (mut index, mut record) = ([IndexEntry::EMPTY; 40], [0; 1280]);
        work(
            product,
            hardware,
            Memory {
                index: &mut index,
                record: &mut record,
            },
        )
    }
}

/// The queue in flash, as firmware opens it at every boot.
pub fn open_spool<'w>(device: &mut OwnedDevice<'w>, region: Region) -> Result<Spool<'w>> {
    let mut spool = device.mount_spool(region, QUOTAS)?;
    if device.consent::<Usage>().is_some() {
        device.unlock_spool::<Usage>(&mut spool)?;
    }
    while device.purge_spool(&mut spool)? == Purge::Pending {}
    Ok(spool)
}

/// The maker signs an image for a class of devices. `uri` is where devices fetch it.
pub fn sign_release(class: [u8; 16], sequence: u64, image: &[u8], uri: &str) -> Result<Vec<u8>> {
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(MAKER_SEED));
    let component = ManifestComponent {
        id: ComponentId::from_encoded(&APPLICATION)?,
        digest: Sha256::of(&[image]),
        size: u32::try_from(image.len())?,
        payload: Payload::Uri(uri),
        transport: None,
        invoke: true,
    };
    let components = [component];
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let envelope = EnvelopeBuilder::new(VENDOR, class, SequenceNumber(sequence), &components).write(
        &[Signer { key: &key, kid: None }],
        &mut Sha256::new(),
        &mut scratch,
        &mut out,
    )?;
    Ok(envelope.to_vec())
}

/// Every accepted release raises the security counter.
pub fn rollback_policy() -> Result<RollbackPolicy> {
    Ok(RollbackPolicy::new(0)?)
}

/// Reads hexadecimal.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.trim().chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}
