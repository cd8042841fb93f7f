//! The lamp of the update examples: its maker, its flash, its boot loader. What it does with an update stands in
//! each example.

use iotsec::{
    core::{
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::Slot,
    },
    update::{
        Accepted, ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, SequenceNumber,
        TrustAnchor, TrustAnchors, Updater,
        boot::{BootConfig, Selection, Verified, select},
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        install::{Finish, Session, State},
        payload::{Check, Decode, Transport},
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, SimRng, Violation, World};

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The components that a lamp may have, and where their payloads are.
const COMPONENTS: [(&[u8], &str); 2] = [
    (&[0x81, 0x41, 0x00], "https://fw.example.com:8443/app"),
    (&[0x81, 0x41, 0x01], "https://fw.example.com:8443/radio"),
];
const VENDOR: [u8; 16] = *b"example.com lamp";
const CLASS: [u8; 16] = *b"lamp-2 with wifi";

/// The maker's key, the same in every run: a real one is made by `iotsec key new`.
fn maker() -> Result<Ed25519SigningKey> {
    Ok(Ed25519SigningKey::generate(&mut SimRng::new(7))?)
}

/// The maker signs a release of images, each with what is told of its way. The first one is started.
pub(crate) fn sign(number: u64, parts: &[(&[u8], Transport<'_>)]) -> Result<Vec<u8>> {
    let mut components = Vec::new();
    for ((image, transport), (name, uri)) in parts.iter().zip(COMPONENTS) {
        components.push(ManifestComponent {
            id: ComponentId::from_encoded(name)?,
            digest: Sha256::of(&[image]),
            size: image.len().try_into()?,
            payload: Payload::Uri(uri),
            transport: Some(*transport),
            invoke: components.is_empty(),
        });
    }
    let key = maker()?;
    let signers = [Signer {
        key: &key,
        kid: Some(b"maker"),
    }];
    let (mut scratch, mut out) = ([0; 8192], [0; 4096]);
    let builder = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(number), &components);
    Ok(builder
        .write(&signers, &mut Sha256::new(), &mut scratch, &mut out)?
        .to_vec())
}

/// What outlives a reset, and what is compiled into the firmware.
pub(crate) struct Lamp<const N: usize> {
    pub(crate) flash: SimFlash,
    pub(crate) counter: SimCounter,
    pub(crate) config: BootConfig<'static, N>,
}

/// Every accepted release raises the security counter, and nothing older boots.
pub(crate) fn policy() -> Result<RollbackPolicy> {
    Ok(RollbackPolicy::new(0)?)
}

impl<const N: usize> Lamp<N> {
    /// One that leaves the factory with these images, and has room for others of at most `pages` pages.
    pub(crate) fn new(geometry: &Geometry, pages: u32, envelope: &[u8], images: [&[u8]; N]) -> Result<Self> {
        let mut next = 0;
        let mut region = |count| {
            next += count;
            geometry.pages(next - count, count)
        };
        let manifest = 4096_u32.div_ceil(geometry.pages(0, 1)?.page_size());
        let mut slots = Vec::new();
        for _ in 0..2 {
            let (manifest, mut images) = (region(manifest)?, [region(pages)?; N]);
            for image in images.iter_mut().skip(1) {
                *image = region(pages)?;
            }
            slots.push(SlotLayout { manifest, images });
        }
        let layout = UpdateLayout::new(slots[0], slots[1], region(4)?)?;
        let mut flash = SimFlash::new(geometry.clone());
        layout.slot(Slot::A).provision(&mut flash, envelope, images)?;

        let mut places = Vec::new();
        for ((name, _), region) in COMPONENTS.into_iter().zip(layout.slot(Slot::A).images) {
            places.push(DeviceComponent {
                id: ComponentId::from_encoded(name)?,
                capacity: region.len(),
                slot: None,
            });
        }
        let key: &_ = forever(Ed25519PublicKey::from_bytes(maker()?.public_key())?);
        let anchors = forever([TrustAnchor {
            key,
            kid: Some(b"maker"),
        }]);
        let device = DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: forever(places),
        };
        Ok(Self {
            counter: SimCounter::new().powered_by(flash.power()),
            config: BootConfig::new(layout, TrustAnchors::new(anchors, 1)?, device),
            flash,
        })
    }

    /// The boot loader: starts what is authentic.
    pub(crate) fn boot(&mut self) -> Result<Verified<N>> {
        let mut rollback = Rollback::new(&mut self.counter, policy()?);
        let (mut hash, mut scratch) = (Sha256::new(), [0; 4096]);
        match select(
            &mut self.flash,
            &self.config,
            &mut rollback,
            &mut hash,
            &mut scratch,
        )? {
            Selection::Boot(image) => Ok(image),
            Selection::Recovery { .. } => Err("nothing authentic to boot".into()),
        }
    }

    /// Authenticates and admits an update over the release with the number `installed`.
    pub(crate) fn admit<'e>(
        config: &BootConfig<'_, N>,
        envelope: &'e [u8],
        installed: SequenceNumber,
    ) -> Result<Accepted<'e>> {
        let mut hash = Sha256::new();
        Ok(Envelope::parse(envelope, &Limits::DEFAULT)?
            .authenticate(&config.anchors, &mut hash)?
            .admit(&config.device_a, &policy()?.admission(installed, None), &mut hash)?)
    }

    /// The last look at what was written; then the next boot tries it.
    pub(crate) fn stage<P: Decode, C: Check>(
        updater: &mut Updater<Sha256, N>,
        mut session: Session<'_, P, C, N>,
        flash: &mut SimFlash,
    ) -> Result {
        loop {
            if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
                return Ok(updater.install(flash, candidate)?);
            }
        }
    }

    #[allow(dead_code, reason = "update_power_cut does it step by step")]
    /// Reboots into the release on trial, which finds itself well and stays.
    pub(crate) fn accept(&mut self) -> Result<Verified<N>> {
        let image = self.boot()?;
        let mut rollback = Rollback::new(&mut self.counter, policy()?);
        let (flash, layout) = (&mut self.flash, self.config.layout);
        let mut updater = Updater::mount(flash, layout, image.running(), &mut rollback, Sha256::new())?;
        assert_eq!(updater.state(), State::Trial);
        updater.accept(flash, &mut rollback)?;
        Ok(image)
    }
}

/// What a product has among its constants.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl<const N: usize> World for Lamp<N> {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl<const N: usize> Clone for Lamp<N> {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        Self {
            counter: self.counter.clone().powered_by(flash.power()),
            flash,
            config: self.config,
        }
    }
}
