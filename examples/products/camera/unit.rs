//! The board: parts of the eMMC as files, the root key as a file that is its owner's alone, the two halves of the
//! system. What stands here in place of the boot loader is what a boot loader runs.

use std::{fs, path::PathBuf};

use getrandom::SysRng;
use iotsec::{
    core::{
        credential::ThrottlePolicy,
        crypto::{
            Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, P256SigningKey,
            Sha256, Sign,
        },
        hal::{
            Region, Slot,
            linux::{FileFlash, FileRootKey, Part},
        },
        secret::Secret,
    },
    device::{Booted, Device, Hardware, Memory, Owned, Product, Suite},
    erase::{Inventory, Place},
    store::{
        IndexEntry, KeyDomain, KeyId, ReplayProtection,
        keys::{Algorithm, KeySuite, SignAlgorithm},
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, SequenceNumber, TrustAnchor, TrustAnchors,
        boot::{self, BootConfig, Selection, Verified},
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::SimCounter;

use crate::product;

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
/// A camera as its program finds it at start.
pub type Unit<'d> = Booted<'d, &'d mut FileFlash, SysRng, 16>;
/// One with an owner.
pub type OwnedCamera<'d> = Device<'d, Owned, &'d mut FileFlash, SysRng, 16>;

/// Where the owner's clips have their key.
pub const CLIPS: KeyId = KeyId::new(KeyDomain::User, 1, 1);
/// All places where this product keeps personal data. A value of the owner anywhere else is refused.
pub const INVENTORY: Inventory =
    Inventory::new(&[Place::new(CLIPS.namespace(), "key of the clips", "to show them")]).unwrap();

const PAGE: u32 = 4096;
/// The one component: `[h'00']`.
const SYSTEM: [u8; 3] = [0x81, 0x41, 0x00];
/// SHA-256 of "iotsec test vector key ed25519_a". Public knowledge: never for a product, whose key is in an HSM.
const MAKER_SEED: [u8; 32] = *b"\x4e\xf5\x7a\x2d\xf2\x05\xbf\x6e\xd3\x46\xed\x7f\xec\xec\x3c\xd7\
                               \x05\x7e\xed\x21\xdb\xc1\xbf\x21\x0e\x84\x57\xa2\x60\x7d\x59\xf7";

const SIGN: &[&dyn SignAlgorithm] = &[&Algorithm::<P256SigningKey>::NEW];

/// How the camera makes its identity and signs with it.
pub fn keys() -> KeySuite<'static> {
    KeySuite {
        sign: SIGN,
        ..KeySuite::new(&HkdfSha256)
    }
}

pub struct Camera {
    folder: PathBuf,
    pub flash: FileFlash,
    /// In the replay-protected part of the eMMC.
    counter: SimCounter,
    storage_counter: SimCounter,
    store: Region,
    config: BootConfig<'static>,
}

impl Camera {
    /// A blank one, with a root key of its own.
    pub fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("iotsec-camera-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let _root = FileRootKey::create(&folder.join("root-key"), &HkdfSha256, &mut SysRng)?;
        let part = |name: &str, pages: u32| Part::create(&folder.join(name), pages * PAGE);
        let flash = FileFlash::new(vec![
            part("keys", 32)?,
            part("half-a", 17)?.streamed(),
            part("half-b", 17)?.streamed(),
            part("journal", 3)?,
        ])?;
        let pages = |at: u32, pages: u32| Region::new(at * PAGE, PAGE, pages, 16);
        let half = |at: u32| -> Result<_> {
            let (manifest, images) = (pages(at, 1)?, [pages(at + 1, 16)?]);
            Ok(SlotLayout { manifest, images })
        };
        let layout = UpdateLayout::new(half(32)?, half(49)?, pages(66, 3)?)?;
        Ok(Self {
            folder,
            flash,
            counter: SimCounter::new(),
            storage_counter: SimCounter::new(),
            store: pages(0, 32)?,
            config: config(layout)?,
        })
    }

    /// The first image, at the station.
    pub fn fill(&mut self, envelope: &[u8], image: &[u8]) -> Result {
        let half = self.config.layout.slot(Slot::A);
        Ok(half.provision(&mut self.flash, envelope, [image])?)
    }

    /// Power comes on: the boot loader verifies a half and starts it.
    pub fn boot(&mut self) -> Result<Verified> {
        let mut rollback = Rollback::new(&mut self.counter, policy()?);
        let (mut hash, mut scratch) = (Sha256::new(), [0; 4096]);
        let flash = &mut self.flash;
        match boot::select(flash, &self.config, &mut rollback, &mut hash, &mut scratch)? {
            Selection::Boot(image) => Ok(image),
            Selection::Recovery { .. } => Err("no half is authentic".into()),
        }
    }

    /// The program starts.
    pub fn run<T>(&mut self, work: impl FnOnce(Unit<'_>, &BootConfig<'_>) -> Result<T>) -> Result<T> {
        let config = self.config;
        self.with(|product, hardware, memory| work(Booted::open(product, hardware, memory)?, &config))
    }

    /// The program of a camera that has an owner.
    pub fn owned<T>(
        &mut self,
        work: impl FnOnce(OwnedCamera<'_>, &BootConfig<'_>) -> Result<T>,
    ) -> Result<T> {
        self.run(|unit, config| match unit {
            Booted::Owned(camera) => work(camera.with_inventory(INVENTORY), config),
            other => Err(format!("{:?}, and not owned", other.state()).into()),
        })
    }

    /// Product, hardware and memory, as the program has them.
    pub fn with<T>(
        &mut self,
        work: impl for<'d> FnOnce(Product<'d>, Hardware<'d, &'d mut FileFlash, SysRng>, Memory<'d>) -> Result<T>,
    ) -> Result<T> {
        let root = FileRootKey::open(&self.folder.join("root-key"), &HkdfSha256)?;
        let (mut index, mut record) = ([IndexEntry::EMPTY; 48], [0; 1280]);
        let product = Product {
            store: self.store,
            events: product::TELEMETRY.hashed(&mut Sha256::new()),
            reserve: 4,
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
        let memory = Memory {
            index: &mut index,
            record: &mut record,
        };
        work(product, hardware, memory)
    }

    /// Where halves and journal are.
    pub const fn layout(&self) -> UpdateLayout {
        self.config.layout
    }

    /// Whether these bytes lie anywhere in the eMMC.
    pub fn holds(&self, bytes: &[u8]) -> Result<bool> {
        for name in ["keys", "half-a", "half-b", "journal"] {
            let raw = fs::read(self.folder.join(name))?;
            if raw.windows(bytes.len()).any(|window| window == bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Every accepted release raises the security counter.
pub fn policy() -> Result<RollbackPolicy> {
    Ok(RollbackPolicy::new(0)?)
}

/// What the boot loader knows: the maker's key, and which product this is.
fn config(layout: UpdateLayout) -> Result<BootConfig<'static>> {
    let key: &_ = forever(Ed25519PublicKey::from_bytes(maker().public_key())?);
    let anchors = forever([TrustAnchor { key, kid: None }]);
    let components = forever([DeviceComponent {
        id: ComponentId::from_encoded(&SYSTEM)?,
        capacity: layout.slot(Slot::A).images[0].len(),
        slot: None,
    }]);
    let device = DeviceIdentity {
        vendor: product::VENDOR_ID,
        class: product::CLASS_ID,
        device: None,
        components,
    };
    Ok(BootConfig::new(layout, TrustAnchors::new(anchors, 1)?, device))
}

/// What a product has among its constants.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn maker() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes(MAKER_SEED))
}

/// The maker signs a release.
pub fn sign(number: u64, image: &[u8], uri: &str) -> Result<Vec<u8>> {
    let components = [ManifestComponent {
        id: ComponentId::from_encoded(&SYSTEM)?,
        digest: Sha256::of(&[image]),
        size: image.len().try_into()?,
        payload: Payload::Uri(uri),
        transport: None,
        invoke: true,
    }];
    let (key, number) = (maker(), SequenceNumber(number));
    let signers = [Signer { key: &key, kid: None }];
    let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
    let builder = EnvelopeBuilder::new(product::VENDOR_ID, product::CLASS_ID, number, &components);
    Ok(builder
        .write(&signers, &mut Sha256::new(), &mut scratch, &mut out)?
        .to_vec())
}
