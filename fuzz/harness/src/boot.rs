//! The boot decision and the updater on a flash that somebody else wrote.

use std::sync::OnceLock;

use iotsec_core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
    hal::{MonotonicCounter, Region, Slot},
    secret::Secret,
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash};
use iotsec_update::{
    Accepted, ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, SequenceNumber, TrustAnchor,
    TrustAnchors, UpdateError, Updater,
    boot::{BootConfig, Selection, Verified, select, verify},
    builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
    install::{Finish, InstallError, Session, State},
    rollback::{Rollback, RollbackPolicy},
    slot::{SlotLayout, UpdateLayout},
};

use crate::{Seed, recipe};

/// Whatever is done to slots and journal by somebody with copies of them, what boots is an image that
/// the maker signed and that is no older than the counter says; the counter never goes down, and up only
/// to a signed number; and an installation that reports success has the right bytes in the slot.
///
/// The input is a recipe (see `recipe.rs`) after one byte that picks the snapshot and one that is the
/// counter.
pub fn boot(input: &[u8]) -> bool {
    let [first, floor, steps @ ..] = input else {
        return false;
    };
    let history = history();
    let snapshots: Vec<&SimFlash> = history.iter().collect();
    let mut flash = snapshots[usize::from(*first) % (snapshots.len() - 1)].clone();
    recipe::cook(&mut flash, &snapshots, steps);
    let floor = u64::from(floor % 5);
    let mut counter = SimCounter::new().at(floor);

    let before = flash.stats();
    let selection = start(&mut flash, &mut counter);
    assert!((flash.stats() - before).erases <= 1);
    assert!(counter.value() >= floor && (counter.value() == floor || counter.value() <= NEWEST));
    let Selection::Boot(running) = selection else {
        return false;
    };
    assert!(running.manifest().sequence.0 >= floor, "a rollback");
    holds(&flash, &running);
    install(&mut flash, &mut counter, &running);
    true
}

/// Installs the newest image over the slot that does not run, if the updater lets it.
fn install(flash: &mut SimFlash, counter: &mut SimCounter, running: &Verified) {
    let floor = counter.value();
    let mut rollback = Rollback::new(counter, policy());
    let Ok(mut updater) = Updater::mount(flash, layout(), running.running(), &mut rollback, Sha256::new())
    else {
        return;
    };
    if !matches!(updater.state(), State::Ready | State::Writing | State::Candidate) {
        // A journal may tell of an update that ended; its owner would clean up first.
        return;
    }
    assert_ne!(updater.staging_slot(), running.slot());
    let release = release(NEWEST);
    let kit = Kit::new();
    let Ok(accepted) = kit.accept(&release.envelope) else {
        panic!("a good envelope");
    };
    let Ok(session) = updater.start(flash, accepted, &mut rollback) else {
        return;
    };
    let done = stream(&mut updater, session, flash, &release.image);
    if done.is_err() {
        return;
    }
    let staged = running.slot().other();
    let found = verify(
        flash,
        &kit.config(),
        staged,
        &mut rollback,
        &mut Sha256::new(),
        &mut [0; 1024],
    );
    assert_eq!(
        found.map(|image| *image.digest()),
        Ok(Sha256::of(&[&release.image]))
    );
    assert!(counter.value() >= floor);
}

fn stream(
    updater: &mut Updater<Sha256>,
    mut session: Session<'_>,
    flash: &mut SimFlash,
    image: &[u8],
) -> Result<(), InstallError> {
    let mut steps = 0;
    while let Some(wanted) = session.wanted() {
        let offset = usize::try_from(wanted.offset).expect("a small image");
        updater.write(&mut session, flash, &image[offset..])?;
        steps += 1;
        assert!(steps < 1000, "stuck while writing");
    }
    loop {
        if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
            return updater.install(flash, candidate);
        }
        steps += 1;
        assert!(steps < 1000, "stuck while finishing");
    }
}

/// The slot holds the bytes of the release that it says it is.
fn holds(flash: &SimFlash, running: &Verified) {
    let release = release(running.manifest().sequence.0);
    assert_eq!(*running.digest(), Sha256::of(&[&release.image]), "not signed");
    let start = usize::try_from(layout().slot(running.slot()).images[0].start()).expect("a small flash");
    assert!(flash.image()[start..].starts_with(&release.image));
}

fn start(flash: &mut SimFlash, counter: &mut SimCounter) -> Selection {
    let kit = Kit::new();
    let mut rollback = Rollback::new(counter, policy());
    select(
        flash,
        &kit.config(),
        &mut rollback,
        &mut Sha256::new(),
        &mut [0; 1024],
    )
    .expect("layout and counter are good")
}

const NEWEST: u64 = 3;

/// The maker's key and the device's identity, for the borrows of a configuration.
struct Kit {
    anchors: [TrustAnchor<'static>; 1],
    components: [DeviceComponent<'static>; 1],
}

impl Kit {
    fn new() -> Self {
        static KEY: OnceLock<Ed25519PublicKey> = OnceLock::new();
        let key = KEY.get_or_init(|| Ed25519PublicKey::from_bytes(maker().public_key()).expect("a good key"));
        Self {
            anchors: [TrustAnchor { key, kid: None }],
            components: [DeviceComponent {
                id: component(),
                capacity: 512,
                slot: None,
            }],
        }
    }

    fn config(&self) -> BootConfig<'_> {
        let anchors = TrustAnchors::new(&self.anchors, 1).expect("one key");
        BootConfig::new(layout(), anchors, self.device())
    }

    fn device(&self) -> DeviceIdentity<'_> {
        DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: &self.components,
        }
    }

    fn accept<'e>(&self, envelope: &'e [u8]) -> Result<Accepted<'e>, UpdateError> {
        let policy = policy().admission(SequenceNumber(0), None);
        Envelope::parse(envelope, &Limits::DEFAULT)?
            .authenticate(&TrustAnchors::new(&self.anchors, 1)?, &mut Sha256::new())?
            .admit(&self.device(), &policy, &mut Sha256::new())
    }
}

const VENDOR: [u8; 16] = [1; 16];
const CLASS: [u8; 16] = [2; 16];

fn component() -> ComponentId<'static> {
    ComponentId::from_encoded(&[0x81, 0x41, 0x00]).expect("an array of byte strings")
}

fn policy() -> RollbackPolicy {
    RollbackPolicy::new(0).expect("less than 64")
}

fn maker() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([0xB0; 32]))
}

/// Two slots of three pages for the envelope and two for the image, and a journal of three.
fn layout() -> UpdateLayout {
    let region = |page: u32, count| Region::new(page * 256, 256, count, 4).expect("within the flash");
    let slot = |page| SlotLayout {
        manifest: region(page, 3),
        images: [region(page + 3, 2)],
    };
    UpdateLayout::new(slot(0), slot(5), region(10, 3)).expect("no overlap")
}

/// An image and the envelope that speaks for it.
struct Release {
    envelope: Vec<u8>,
    image: Vec<u8>,
}

fn signed(number: u64, key: &dyn Sign) -> Release {
    let image: Vec<u8> = format!("image {number} ")
        .bytes()
        .cycle()
        .take(300 + usize::try_from(number).unwrap_or(0))
        .collect();
    let components = [ManifestComponent {
        id: component(),
        digest: Sha256::of(&[&image]),
        size: u32::try_from(image.len()).expect("a small image"),
        payload: Payload::Uri("https://fw.example/image"),
        transport: None,
        invoke: true,
    }];
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let envelope = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(number), &components)
        .write(
            &[Signer { key, kid: None }],
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )
        .expect("room for an envelope")
        .to_vec();
    Release { envelope, image }
}

/// Number 1 to [`NEWEST`] of the maker.
fn release(number: u64) -> &'static Release {
    static RELEASES: OnceLock<Vec<Release>> = OnceLock::new();
    let releases = RELEASES.get_or_init(|| (1..=NEWEST).map(|n| signed(n, &maker())).collect());
    let index = usize::try_from(number).unwrap_or(0).checked_sub(1);
    index
        .and_then(|index| releases.get(index))
        .expect("a number that the maker signed")
}

/// The life of a device in copies of its flash, and at the end the same slots with a stranger's images.
fn history() -> &'static Vec<SimFlash> {
    static HISTORY: OnceLock<Vec<SimFlash>> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let mut flash = SimFlash::new(Geometry::small(13));
        let mut counter = SimCounter::new();
        let provision = |flash: &mut SimFlash, slot, release: &Release| {
            layout()
                .slot(slot)
                .provision(flash, &release.envelope, [&release.image])
                .expect("room for an image");
        };
        provision(&mut flash, Slot::A, release(1));
        let mut history = vec![flash.clone()];
        let kit = Kit::new();
        for number in [2, 3] {
            let Selection::Boot(running) = start(&mut flash, &mut counter) else {
                panic!("a good image boots");
            };
            let mut rollback = Rollback::new(&mut counter, policy());
            let release = release(number);
            let mut updater = Updater::mount(
                &mut flash,
                layout(),
                running.running(),
                &mut rollback,
                Sha256::new(),
            )
            .expect("a good layout");
            if number == 3 {
                while updater.clean(&mut flash).expect("a healthy flash")
                    == iotsec_update::install::Clean::More
                {}
            }
            let accepted = kit.accept(&release.envelope).expect("a good envelope");
            let session = updater
                .start(&mut flash, accepted, &mut rollback)
                .expect("a good update");
            history.push(flash.clone());
            stream(&mut updater, session, &mut flash, &release.image).expect("a healthy flash");
            history.push(flash.clone());
            let Selection::Boot(trial) = start(&mut flash, &mut counter) else {
                panic!("a good image boots");
            };
            history.push(flash.clone());
            let mut rollback = Rollback::new(&mut counter, policy());
            Updater::mount(
                &mut flash,
                layout(),
                trial.running(),
                &mut rollback,
                Sha256::new(),
            )
            .and_then(|mut updater| updater.accept(&mut flash, &mut rollback))
            .expect("a trial that went well");
            history.push(flash.clone());
        }
        assert_eq!(counter.read(), Ok(NEWEST));
        let stranger = Ed25519SigningKey::from_seed(&Secret::from_bytes([0xEE; 32]));
        for slot in [Slot::A, Slot::B] {
            provision(&mut flash, slot, &signed(2, &stranger));
        }
        history.push(flash);
        history
    })
}

/// Recipes.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-fresh", [0, 0]),
        Seed::new("valid-staged", [2, 0]),
        Seed::new("valid-half-written", [5, 2]),
        Seed::new("valid-accepted", [8, 3]),
        // The journal erased; the journal of an earlier time.
        Seed::new(
            "valid-no-journal",
            [4, 1, 3, 10, 0, 0, 0, 3, 11, 0, 0, 0, 3, 12, 0, 0, 0],
        ),
        Seed::new(
            "valid-old-journal",
            [8, 3, 1, 2, 10, 0, 0, 1, 2, 11, 0, 0, 1, 2, 12, 0, 0],
        ),
        // One bit of the running image.
        Seed::new("near-flipped-image", [0, 0, 0, 3, 7, 0, 1]),
        // The stranger's envelope and image in slot A.
        Seed::new(
            "near-stranger",
            [0, 0, 1, 9, 0, 0, 0, 1, 9, 1, 0, 0, 1, 9, 3, 0, 0, 1, 9, 4, 0, 0],
        ),
        Seed::new("near-below-floor", [0, 2]),
    ]
}
