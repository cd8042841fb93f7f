//! The queue of events on a flash that somebody else wrote.

use std::{collections::BTreeSet, sync::OnceLock};

use iotsec_core::{
    crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
    hal::{Millis, Region},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::{Consents, Health},
    registry,
    registry::{Class, EventDef, Field},
    spool::{Purge, Quotas, Spool, SpoolParts},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng};

use crate::{Seed, recipe, telemetry::granted};

const SERIAL: &[Field] = &[Field::number("serial", "1", 0, 0xFFFF)];
const fn event(id: u16, class: Class) -> EventDef {
    EventDef::new(id, "test", class, "Test", SERIAL)
}
const EVENTS: [EventDef; 3] = [
    event(1, Class::Critical),
    event(2, Class::Security),
    event(3, Class::Health),
];
registry!(static PRODUCT = [EVENTS[0], EVENTS[1], EVENTS[2]]);

const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 3,
    health: 2,
    usage: 2,
};
const PAGES: usize = 11;
const OURS: u8 = 7;
/// Later than every boot of [`history`].
const NEXT_BOOT: u32 = 20;
const ROOM: usize = 2048;

/// No image but one that was made with the key has events in it, and none takes more than a bounded number of reads.
pub fn image(input: &[u8]) -> bool {
    let blank = blank();
    let input = &input[..input.len().min(blank.image().len())];
    check(SimFlash::from_image(blank.geometry().clone(), input))
}

/// Whatever is done to the flash by somebody with copies of it and of another device's flash, what comes out was
/// recorded on this device, comes out once, and the queue works or says why not.
///
/// The input is a recipe (see `recipe.rs`) after one byte that picks the snapshot to start from.
pub fn tampered(input: &[u8]) -> bool {
    let Some((first, steps)) = input.split_first() else {
        return false;
    };
    let snapshots: Vec<&SimFlash> = history().iter().collect();
    let mut flash = snapshots[usize::from(*first) % (snapshots.len() - 1)].clone();
    recipe::cook(&mut flash, &snapshots, steps);
    check(flash)
}

fn check(mut flash: SimFlash) -> bool {
    let capacity = u64::from(flash.geometry().capacity());
    let before = flash.stats();
    let mut running = Running::start(&mut flash, OURS, NEXT_BOOT);
    let mount = running.flash.stats() - before;
    assert!(mount.bytes_read <= 4 * capacity, "{mount:?}");
    let came_out = running.drain();
    assert!(running.spool.is_empty());
    for (boot, serial) in &came_out {
        assert!(*boot < NEXT_BOOT && *serial < 1000, "{boot}: {serial}");
    }
    running.record(1, 1234);
    assert!(
        running.drain().contains(&(NEXT_BOOT, 1234)),
        "an event recorded after the attack"
    );
    // What was acknowledged does not come again.
    let mut again = Running::start(&mut flash, OURS, NEXT_BOOT + 1);
    assert_eq!(again.drain(), BTreeSet::new());
    !came_out.is_empty()
}

/// A device that has started.
struct Running<'f> {
    flash: &'f mut SimFlash,
    spool: Spool<'static>,
    consents: Consents,
    rng: SimRng,
}

impl<'f> Running<'f> {
    fn start(flash: &'f mut SimFlash, device: u8, boot: u32) -> Self {
        let parts = SpoolParts {
            region: region(),
            quotas: QUOTAS,
            registry: PRODUCT.hashed(&mut Sha256::new()),
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
        };
        let consents = granted();
        let key = |purpose: u8| Secret::from_bytes([device ^ purpose; 32]);
        let mut spool = Spool::mount(flash, parts, boot, &key(0)).expect("any content of a flash that works");
        spool
            .unlock::<Health>(flash, &consents, &key(0x40))
            .expect("it is on");
        let mut steps = 0;
        while spool.purge_step(flash, &consents).expect("a flash that works") == Purge::Pending {
            steps += 1;
            assert!(steps <= PAGES, "a purge without end");
        }
        Self {
            flash,
            spool,
            consents,
            rng: SimRng::new(u64::from(boot)),
        }
    }

    fn record(&mut self, class: usize, serial: u16) {
        let now = Millis::from_secs(serial.into());
        let _ = self
            .spool
            .record(self.flash, &self.consents, &EVENTS[class], &[serial.into()], now);
    }

    /// Sends and acknowledges until nothing is left to tell; boot and serial number of what came.
    fn drain(&mut self) -> BTreeSet<(u32, i64)> {
        let secret = Secret::from_bytes([3; 32]);
        let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
        let sizes = Sizes::up_to(SizeClass::B2048);
        let (mut scratch, mut out, mut plain) = ([0; ROOM], [0; ROOM], [0; ROOM]);
        let (mut came_out, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..100 {
            let sealed = self
                .spool
                .batch(
                    self.flash,
                    &self.consents,
                    &key,
                    sizes,
                    &mut self.rng,
                    &mut scratch,
                    &mut out,
                )
                .expect("a flash that works");
            let Some(sealed) = sealed else {
                return came_out;
            };
            let opened = key.open(sealed.bytes(), &mut plain).expect("our own batch");
            let batch = opened
                .read(&PRODUCT.hashed(&mut Sha256::new()))
                .expect("our own registry");
            for event in batch.events() {
                let id = (event.id().purpose.number(), event.id().boot, event.id().sequence);
                assert!(ids.insert(id), "{id:?} came twice");
                came_out.insert((id.1, event.raw(0).expect("its only field")));
            }
            let receipt = sealed.into_receipt();
            self.spool.ack(self.flash, receipt).expect("its own receipt");
        }
        panic!("there is always another batch");
    }
}

fn blank() -> SimFlash {
    SimFlash::new(Geometry::new(&[512; PAGES], 16))
}

fn region() -> Region {
    blank().region().expect("equal pages")
}

/// The life of our device in four copies of its flash, and another device's flash at the end.
fn history() -> &'static [SimFlash; 5] {
    static HISTORY: OnceLock<[SimFlash; 5]> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let mut flash = blank();
        let fill = |flash: &mut SimFlash, device: u8, boot: u32, events: u16| {
            let mut running = Running::start(flash, device, boot);
            for serial in 0..events {
                for class in 0..EVENTS.len() {
                    running.record(class, serial);
                }
            }
        };
        fill(&mut flash, OURS, 1, 6);
        let first = flash.clone();
        fill(&mut flash, OURS, 2, 30);
        let displaced = flash.clone();
        Running::start(&mut flash, OURS, 3).drain();
        let sent = flash.clone();
        fill(&mut flash, OURS, 4, 9);
        let mut other = blank();
        fill(&mut other, 8, 1, 6);
        [first, displaced, sent, flash, other]
    })
}

/// Images of a flash.
#[must_use]
pub fn image_seeds() -> Vec<Seed> {
    let [first, displaced, sent, _, other] = history();
    vec![
        Seed::new("valid-first-boot", first.image()),
        Seed::new("valid-displaced", displaced.image()),
        Seed::new("near-sent", sent.image()),
        Seed::new("near-other-device", other.image()),
        Seed::new("near-blank", [0xFF; 64]),
    ]
}

/// Recipes.
#[must_use]
pub fn tampered_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-untouched", [0]),
        Seed::new("near-sent", [2]),
        // One bit of an event, and one of the head of a page.
        Seed::new("valid-flipped-event", [0, 0, 4, 90, 0, 1]),
        Seed::new("valid-flipped-head", [1, 0, 8, 1, 0, 1]),
        // The pages of class critical of an earlier copy, after they were sent.
        Seed::new("near-replayed-pages", [2, 1, 0, 4, 0, 0, 1, 0, 5, 0, 0]),
        Seed::new("valid-other-device-page", [0, 1, 4, 4, 0, 0, 1, 4, 5, 0, 0]),
    ]
}
