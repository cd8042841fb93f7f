//! A maker, and a device that installs what it signs, on any flash with pages of 4 KiB and words of 4 bytes.

use std::time::{Duration, Instant};

use embedded_storage::nor_flash::NorFlash;
use iotsec::{
    core::{
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::{Region, Slot},
        secret::Secret,
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, SequenceNumber, TrustAnchor,
        TrustAnchors, Updater,
        boot::{self, BootConfig, Selection, Verified},
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        install::Finish,
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::SimCounter;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PAGE: u32 = 4096;
const VENDOR: [u8; 16] = [1; 16];
const CLASS: [u8; 16] = [2; 16];
/// `[h'00']`
const COMPONENT: &[u8] = &[0x81, 0x41, 0x00];

/// Everything but the flash: the maker's key, two releases of one image, the device's layout.
pub(crate) struct Device {
    pub(crate) image: Vec<u8>,
    key: Ed25519PublicKey,
    layout: UpdateLayout,
    /// Of the image that runs, and of the one to be installed.
    envelopes: [Vec<u8>; 2],
}

/// What was spent on the two halves of an installation.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// Parsing the envelope, its signature, and whether the device may have it.
    pub(crate) admission: Duration,
    /// Erasing, programming, reading back, comparing, hashing, and the journal.
    pub(crate) streaming: Duration,
}

impl Device {
    /// A device whose image has `size` bytes.
    pub(crate) fn new(size: usize) -> Result<Self> {
        let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
        let image: Vec<u8> = (0..size)
            .map(|at| u8::try_from(at * 31 % 251).unwrap_or(0))
            .collect();
        let pages = u32::try_from(size)?.div_ceil(PAGE);
        let region = |first: u32, count: u32| Region::new(first * PAGE, PAGE, count, 4);
        let slot = |first| -> Result<_> {
            Ok(SlotLayout {
                manifest: region(first, 1)?,
                images: [region(first + 1, pages)?],
            })
        };
        let layout = UpdateLayout::new(slot(0)?, slot(1 + pages)?, region(2 + 2 * pages, 3)?)?;
        Ok(Self {
            key: Ed25519PublicKey::from_bytes(maker.public_key())?,
            layout,
            envelopes: [release(&maker, 1, &image)?, release(&maker, 2, &image)?],
            image,
        })
    }

    /// Pages of flash that it takes.
    pub(crate) fn pages(&self) -> usize {
        5 + 2 * self.image.len().div_ceil(4096)
    }

    /// Where the image of a slot is.
    pub(crate) fn slot(&self, slot: Slot) -> Region {
        let [image] = self.layout.slot(slot).images;
        image
    }

    /// Puts the first release where a factory does.
    pub(crate) fn provision<F: NorFlash>(&self, flash: &mut F) -> Result<()> {
        let [first, _] = &self.envelopes;
        Ok(self
            .layout
            .slot(Slot::A)
            .provision(flash, first, [self.image.as_slice()])?)
    }

    /// The boot loader's choice.
    pub(crate) fn boot<F: NorFlash>(&self, flash: &mut F) -> Result<Verified> {
        self.with_config(|config| {
            let mut counter = SimCounter::new();
            let mut rollback = Rollback::new(&mut counter, RollbackPolicy::new(0)?);
            let mut scratch = [0; 4096];
            match boot::select(flash, config, &mut rollback, &mut Sha256::new(), &mut scratch)? {
                Selection::Boot(image) => Ok(image),
                Selection::Recovery { .. } => Err("no image boots".into()),
            }
        })
    }

    /// Installs the second release beside the image that `running` says, from chunks of `chunk` bytes.
    pub(crate) fn install<F: NorFlash>(
        &self,
        flash: &mut F,
        running: &Verified,
        chunk: usize,
    ) -> Result<Times> {
        let [_, envelope] = &self.envelopes;
        self.with_config(|config| {
            let mut counter = SimCounter::new();
            let mut rollback = Rollback::new(&mut counter, RollbackPolicy::new(0)?);
            let (running, hash) = (running.running(), Sha256::new());
            let mut updater = Updater::mount(flash, self.layout, running, &mut rollback, hash)?;

            let start = Instant::now();
            let policy = rollback.policy().admission(updater.installed(), None);
            let accepted = Envelope::parse(envelope, &Limits::DEFAULT)?
                .authenticate(&config.anchors, &mut Sha256::new())?
                .admit(&config.device_b, &policy, &mut Sha256::new())?;
            let admission = start.elapsed();

            let start = Instant::now();
            let mut session = updater.start(flash, accepted, &mut rollback)?;
            while let Some(wanted) = session.wanted() {
                let rest = self.image.get(usize::try_from(wanted.offset)?..);
                let rest = rest.unwrap_or_default();
                updater.write(&mut session, flash, rest.get(..chunk).unwrap_or(rest))?;
            }
            let candidate = loop {
                if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
                    break candidate;
                }
            };
            updater.install(flash, candidate)?;
            let streaming = start.elapsed();
            Ok(Times { admission, streaming })
        })
    }

    fn with_config<R>(&self, work: impl FnOnce(&BootConfig<'_>) -> Result<R>) -> Result<R> {
        let anchors = [TrustAnchor {
            key: &self.key,
            kid: None,
        }];
        let components = [DeviceComponent {
            id: ComponentId::from_encoded(COMPONENT)?,
            capacity: u32::try_from(self.image.len())?,
            slot: None,
        }];
        let device = DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: &components,
        };
        work(&BootConfig::new(
            self.layout,
            TrustAnchors::new(&anchors, 1)?,
            device,
        ))
    }
}

fn release(maker: &Ed25519SigningKey, sequence: u64, image: &[u8]) -> Result<Vec<u8>> {
    let component = ManifestComponent {
        id: ComponentId::from_encoded(COMPONENT)?,
        digest: Sha256::of(&[image]),
        size: u32::try_from(image.len())?,
        payload: Payload::Uri("https://fw.example/image.bin"),
        transport: None,
        invoke: true,
    };
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let components = [component];
    let builder = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(sequence), &components);
    let signer = Signer {
        key: maker,
        kid: None,
    };
    Ok(builder
        .write(&[signer], &mut Sha256::new(), &mut scratch, &mut out)?
        .to_vec())
}
