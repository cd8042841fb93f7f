//! The board behind the knob: flash, what the boot loader knows, hardware and memory of the device.

use harness::{
    console,
    device::VolatileCounter,
    entropy::FixedBytes,
    flash::{PAGE, SimulatedFlash, WORD},
    vector,
};
use iotsec::{
    core::{
        credential::ThrottlePolicy,
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, HkdfSha256, P256SigningKey, Sha256},
        hal::{DeviceRootKey, Region},
    },
    device::{Booted, Device, Hardware, Memory, Owned, Product, Suite},
    erase::{Inventory, Place},
    store::{
        IndexEntry, KeyDomain, KeyId, ReplayProtection,
        keys::{Algorithm, KeySuite, SignAlgorithm},
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, TrustAnchor, TrustAnchors,
        boot::BootConfig,
        rollback::RollbackPolicy,
        slot::{SlotLayout, UpdateLayout},
    },
};

use crate::product;

/// Events that wait.
const EVENTS: usize = 16;
/// A lock as it is found at start.
pub type Unit<'d> = Booted<'d, &'d mut SimulatedFlash, FixedBytes, EVENTS>;
/// In some phase of its life.
pub type Lock<'d, S = Owned> = Device<'d, S, &'d mut SimulatedFlash, FixedBytes, EVENTS>;
/// What it is made of.
pub type Parts<'d> = Hardware<'d, &'d mut SimulatedFlash, FixedBytes>;

/// Where the owner's keys for guests are kept.
pub const GUESTS: KeyId = KeyId::new(KeyDomain::User, 1, 1);
/// All places where this product keeps personal data.
pub const INVENTORY: Inventory =
    match Inventory::new(&[Place::new(GUESTS.namespace(), "keys of guests", "to open")]) {
        Some(inventory) => inventory,
        None => panic!("one place"),
    };

/// Every release that is accepted raises the security counter.
pub const ROLLBACK: RollbackPolicy = match RollbackPolicy::new(0) {
    Ok(policy) => policy,
    Err(_) => panic!("the shift is below 64"),
};

/// Two slots and the journal.
pub const LAYOUT: UpdateLayout = match UpdateLayout::new(slot(0), slot(9), region(18, 3)) {
    Ok(layout) => layout,
    Err(_) => panic!("the regions lie behind each other"),
};

const fn slot(page: u32) -> SlotLayout {
    SlotLayout {
        manifest: region(page, 1),
        images: [region(page + 1, 8)],
    }
}

const fn region(page: u32, count: u32) -> Region {
    match Region::new(page * PAGE as u32, PAGE as u32, count, WORD as u32) {
        Ok(region) => region,
        Err(_) => panic!("a region of whole pages"),
    }
}

const SIGN: &[&dyn SignAlgorithm] = &[&Algorithm::<P256SigningKey>::NEW];

/// How the lock makes its identity and signs with it.
pub fn keys() -> KeySuite<'static> {
    KeySuite {
        sign: SIGN,
        ..KeySuite::new(&HkdfSha256)
    }
}

/// Calls `with` with all that the boot loader knows.
pub fn with_config<R>(with: impl FnOnce(&BootConfig<'_>) -> R) -> R {
    let Ok(key) = Ed25519PublicKey::from_bytes(&vector::KEY_ED25519) else {
        console::fail("the maker's key was refused")
    };
    let anchors = [TrustAnchor { key: &key, kid: None }];
    let (Ok(anchors), Ok(id)) = (
        TrustAnchors::new(&anchors, 1),
        ComponentId::from_encoded(vector::COMPONENT),
    ) else {
        console::fail("the device's description was refused")
    };
    let components = [DeviceComponent {
        id,
        capacity: 8 * PAGE as u32,
        slot: None,
    }];
    let device = DeviceIdentity {
        vendor: product::VENDOR_ID,
        class: product::CLASS_ID,
        device: None,
        components: &components,
    };
    with(&BootConfig::new(LAYOUT, anchors, device))
}

/// What outlives a restart.
pub struct Board<'b> {
    pub flash: &'b mut SimulatedFlash,
    pub counter: VolatileCounter,
    pub storage_counter: VolatileCounter,
    pub root: &'b DeviceRootKey<'b>,
    /// Of the random source, another at each start.
    pub boots: u64,
}

impl Board<'_> {
    /// Product, hardware and memory, given to `work`.
    pub fn start<T>(
        &mut self,
        work: impl for<'d> FnOnce(Product<'d>, Parts<'d>, Memory<'d>) -> Option<T>,
    ) -> Option<T> {
        self.boots += 1;
        let (mut index, mut record) = ([IndexEntry::EMPTY; 48], [0; 512]);
        let product = Product {
            store: region(24, 40),
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
            flash: &mut *self.flash,
            rng: FixedBytes::new(self.boots),
            counter: &mut self.counter,
            root: self.root,
            replay: ReplayProtection::EachPage(&mut self.storage_counter),
        };
        let memory = Memory {
            index: &mut index,
            record: &mut record,
        };
        work(product, hardware, memory)
    }

    /// The application of a lock that has an owner.
    pub fn owned<T>(&mut self, work: impl FnOnce(Lock<'_>) -> Option<T>) -> Option<T> {
        self.start(
            |product, hardware, memory| match Unit::open(product, hardware, memory).ok()? {
                Booted::Owned(lock) => work(lock.with_inventory(INVENTORY)),
                _ => None,
            },
        )
    }
}
