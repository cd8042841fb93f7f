//! A simulated device, its maker, and its application.

use iotsec_core::{
    cbor::{CborError, Writer},
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
    hal::{Region, Slot},
    secret::Secret,
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, Violation, World};
use iotsec_update::{
    Accepted, ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, SequenceNumber, TrustAnchor,
    TrustAnchors, UpdateError,
    boot::{self, BootConfig, BootError, Reason, Refusal, Running, Selection, Verified},
    install::{Candidate, Clean, Finish, InstallError, Session, State, Updater},
    rollback::{Rollback, RollbackPolicy},
    slot::{SlotLayout, UpdateLayout},
};

pub const VENDOR: [u8; 16] = [0xA1; 16];
pub const CLASS: [u8; 16] = [0xC2; 16];
/// `[h'00']`
const COMPONENT: &[u8] = &[0x81, 0x41, 0x00];

/// One release of the maker.
#[derive(Clone)]
pub struct Release {
    pub envelope: Vec<u8>,
    pub image: Vec<u8>,
    pub sequence: SequenceNumber,
}

/// What goes into a manifest.
pub struct Maker {
    pub seed: u8,
    pub class: [u8; 16],
    pub components: u8,
    /// Size to be claimed, if not the real one.
    pub size: Option<u32>,
}

impl Default for Maker {
    fn default() -> Self {
        Self {
            seed: 1,
            class: CLASS,
            components: 1,
            size: None,
        }
    }
}

impl Maker {
    /// Signs `len` bytes of firmware.
    pub fn release(&self, sequence: u64, len: usize) -> Release {
        let image: Vec<u8> = (0..len)
            .map(|at| (at as u64 * 31 + (at as u64 >> 8)).wrapping_add(sequence.wrapping_mul(7)) as u8)
            .collect();
        Release {
            envelope: self.sign(sequence, &image),
            image,
            sequence: SequenceNumber(sequence),
        }
    }

    /// The envelope, encoded by hand so that nothing here depends on the encoder under test.
    pub fn sign(&self, sequence: u64, image: &[u8]) -> Vec<u8> {
        let size = self.size.unwrap_or(image.len() as u32);
        let digest = digest(&Sha256::of(&[image]));
        let shared = written(|w| {
            w.array(6)?.uint(20)?.map(4)?;
            w.uint(1)?.bytes(&VENDOR)?.uint(2)?.bytes(&self.class)?;
            w.uint(3)?.bytes(&digest)?.uint(14)?.uint(size.into())?;
            w.uint(1)?.uint(15)?.uint(2)?.uint(15)
        });
        let shared = match self.components {
            1 => shared,
            _ => [&[0x88, 0x0C, 0xF5], &shared[1..]].concat(),
        };
        let common = written(|w| {
            w.map(2)?.uint(2)?.array(self.components.into())?;
            for number in 0..self.components {
                w.array(1)?.bytes(&[number])?;
            }
            w.uint(4)?.bytes(&shared)
        });
        let all = |sequence: &[u8]| match self.components {
            1 => sequence.to_vec(),
            _ => [&[sequence[0] + 2, 0x0C, 0xF5], &sequence[1..]].concat(),
        };
        let first = |sequence: &[u8]| match self.components {
            1 => sequence.to_vec(),
            _ => [&[sequence[0] + 2, 0x0C, 0x00], &sequence[1..]].concat(),
        };
        let install = written(|w| {
            w.array(6)?
                .uint(20)?
                .map(1)?
                .uint(21)?
                .text("https://fw.example/app")?;
            w.uint(21)?.uint(2)?.uint(3)?.uint(15)
        });
        let manifest = written(|w| {
            w.map(6)?
                .uint(1)?
                .uint(1)?
                .uint(2)?
                .uint(sequence)?
                .uint(3)?
                .bytes(&common)?;
            w.uint(7)?.bytes(&all(&[0x82, 3, 15]))?;
            w.uint(9)?.bytes(&first(&[0x82, 23, 2]))?;
            w.uint(20)?.bytes(&all(&install))
        });
        let manifest = written(|w| w.bytes(&manifest));
        let digest = self::digest(&Sha256::of(&[&manifest]));
        let to_be_signed = written(|w| {
            w.array(4)?
                .text("Signature1")?
                .bytes(&[0xA1, 1, 0x32])?
                .bytes(&[])?
                .bytes(&digest)
        });
        let mut signature = [0; 64];
        key(self.seed).sign(&to_be_signed, &mut signature).unwrap();
        let block = written(|w| {
            w.tag(18)?
                .array(4)?
                .bytes(&[0xA1, 1, 0x32])?
                .map(0)?
                .null()?
                .bytes(&signature)
        });
        let wrapper = written(|w| w.array(2)?.bytes(&digest)?.bytes(&block));
        written(|w| {
            w.tag(107)?
                .map(2)?
                .uint(2)?
                .bytes(&wrapper)?
                .uint(3)?
                .raw(&manifest)
        })
    }
}

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed, 2, 3, 4].repeat(8).try_into().unwrap()))
}

fn digest(bytes: &[u8; 32]) -> Vec<u8> {
    written(|w| w.array(2)?.int(-16)?.bytes(bytes))
}

fn written(
    write: impl for<'w, 'b> FnOnce(&'w mut Writer<'b>) -> Result<&'w mut Writer<'b>, CborError>,
) -> Vec<u8> {
    let mut out = [0; 2048];
    let mut writer = Writer::new(&mut out);
    write(&mut writer).unwrap();
    writer.finish().unwrap().to_vec()
}

/// Why a run of the application ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "read when a test fails")]
pub enum Stop {
    Boot(BootError),
    Recovery(Refusal, Refusal),
    Admission(UpdateError),
    Install(InstallError),
    /// Started, but not on trial.
    NotTried,
}

impl From<InstallError> for Stop {
    fn from(error: InstallError) -> Self {
        Self::Install(error)
    }
}

/// Everything of a device that outlives a power cut.
pub struct Device {
    pub flash: SimFlash,
    pub counter: SimCounter,
    pub layout: UpdateLayout,
    pub policy: RollbackPolicy,
    pub trial_boots: u8,
    /// Bytes that the network delivers at once.
    pub chunk: usize,
}

impl World for Device {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl Clone for Device {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        let counter = self.counter.clone().powered_by(flash.power());
        Self {
            flash,
            counter,
            ..*self
        }
    }
}

impl Device {
    /// Slots with images of `image` pages and a journal of `journal` pages.
    pub fn new(geometry: &Geometry, image: u32, journal: u32) -> Self {
        let page = geometry.pages(0, 1).unwrap().page_size();
        let manifest = 600_u32.div_ceil(page);
        let mut next = 0;
        let mut region = |pages: u32| -> Region {
            next += pages;
            geometry.pages(next - pages, pages).unwrap()
        };
        let a = SlotLayout {
            manifest: region(manifest),
            images: [region(image)],
        };
        let journal = region(journal);
        let b = SlotLayout {
            images: [region(image)],
            manifest: region(manifest),
        };
        let flash = SimFlash::new(geometry.clone());
        Self {
            counter: SimCounter::new().powered_by(flash.power()),
            flash,
            layout: UpdateLayout::new(a, b, journal).unwrap(),
            policy: RollbackPolicy::new(4).unwrap(),
            trial_boots: 3,
            chunk: 300,
        }
    }

    /// Pages that [`new`](Self::new) takes.
    pub fn pages(geometry: &Geometry, image: u32, journal: u32) -> u32 {
        let page = geometry.pages(0, 1).unwrap().page_size();
        2 * 600_u32.div_ceil(page) + 2 * image + journal
    }

    pub fn with_factory(mut self, release: &Release) -> Self {
        let slot = *self.layout.slot(Slot::A);
        slot.provision(&mut self.flash, &release.envelope, [&release.image])
            .unwrap();
        self
    }

    // The boot loader

    pub fn boot(&mut self) -> Result<Selection, BootError> {
        with_config(self.layout, self.trial_boots, |config| {
            let mut rollback = Rollback::new(&mut self.counter, self.policy);
            bounded(&mut self.flash, |flash| {
                boot::select(flash, config, &mut rollback, &mut Sha256::new(), &mut [0; 1024])
            })
        })
    }

    /// Boots, and insists that an image starts.
    pub fn started(&mut self) -> Result<Verified, Stop> {
        match self.boot() {
            Ok(Selection::Boot(image)) => Ok(image),
            Ok(Selection::Recovery { a, b }) => Err(Stop::Recovery(a, b)),
            Err(error) => Err(Stop::Boot(error)),
        }
    }

    /// What is in a slot, up to `len` bytes.
    pub fn image(&self, slot: Slot, len: usize) -> &[u8] {
        let start = self.layout.slot(slot).images[0].start() as usize;
        &self.flash.image()[start..start + len]
    }

    /// Bytes of the image that slot B holds, from its first byte on.
    pub fn written_before_cut(&self, release: &Release) -> u32 {
        let found = self.image(Slot::B, release.image.len());
        let same = found
            .iter()
            .zip(&release.image)
            .take_while(|(a, b)| a == b)
            .count();
        same as u32
    }

    /// All bytes of a slot.
    pub fn slot_bytes(&self, slot: Slot) -> Vec<u8> {
        let layout = self.layout.slot(slot);
        let bytes = |region: &Region| {
            let start = region.start() as usize;
            &self.flash.image()[start..start + region.len() as usize]
        };
        [bytes(&layout.manifest), bytes(&layout.images[0])].concat()
    }

    // The application

    pub fn updater(&mut self, running: Running) -> Result<Updater<Sha256>, InstallError> {
        let mut rollback = Rollback::new(&mut self.counter, self.policy);
        Updater::mount(
            &mut self.flash,
            self.layout,
            running,
            &mut rollback,
            Sha256::new(),
        )
    }

    pub fn start<'e>(
        &mut self,
        updater: &mut Updater<Sha256>,
        envelope: &'e [u8],
    ) -> Result<Session<'e>, Stop> {
        let accepted = self.admit(envelope).map_err(Stop::Admission)?;
        let mut rollback = Rollback::new(&mut self.counter, self.policy);
        Ok(updater.start(&mut self.flash, accepted, &mut rollback)?)
    }

    /// Starts, and says from where on bytes are wanted.
    pub fn begin(&mut self, updater: &mut Updater<Sha256>, envelope: &[u8]) -> Result<u32, Stop> {
        self.start(updater, envelope).map(|session| wanted(&session))
    }

    /// Authenticates and admits, whatever its number: that is for `start` to judge.
    pub fn admit<'e>(&self, envelope: &'e [u8]) -> Result<Accepted<'e>, UpdateError> {
        let policy = RollbackPolicy::new(0)
            .unwrap()
            .with_max_jump(u64::MAX)
            .with_reinstall(true);
        with_config(self.layout, 1, |config| {
            Envelope::parse(envelope, &Limits::DEFAULT)?
                .authenticate(&config.anchors, &mut Sha256::new())?
                .admit(
                    &config.device_a,
                    &policy.admission(SequenceNumber(0), None),
                    &mut Sha256::new(),
                )
        })
    }

    pub fn accept(&mut self, updater: &mut Updater<Sha256>) -> Result<(), InstallError> {
        let mut rollback = Rollback::new(&mut self.counter, self.policy);
        bounded(&mut self.flash, |flash| updater.accept(flash, &mut rollback))
    }

    /// Boots, and brings `release` as far as `Staged`, from wherever the device is.
    pub fn stage(&mut self, release: &Release) -> Result<(), Stop> {
        let running = self.started()?.running();
        let mut updater = self.updater(running)?;
        self.stage_with(&mut updater, release)
    }

    pub fn stage_with(&mut self, updater: &mut Updater<Sha256>, release: &Release) -> Result<(), Stop> {
        if matches!(updater.state(), State::Failed | State::Updated) {
            self.clean(updater)?;
        }
        let mut session = self.start(updater, &release.envelope)?;
        self.send(updater, &mut session, &release.image)?;
        let candidate = self.finish(updater, &mut session)?;
        Ok(bounded(&mut self.flash, |flash| {
            updater.install(flash, candidate)
        })?)
    }

    /// Sends what is wanted of an image, in chunks.
    pub fn send(
        &mut self,
        updater: &mut Updater<Sha256>,
        session: &mut Session<'_>,
        image: &[u8],
    ) -> Result<(), InstallError> {
        loop {
            let from = wanted(session) as usize;
            if from >= image.len() {
                return Ok(());
            }
            let end = image.len().min(from + self.chunk);
            bounded(&mut self.flash, |flash| {
                updater.write(session, flash, &image[from..end])
            })?;
        }
    }

    pub fn finish(
        &mut self,
        updater: &mut Updater<Sha256>,
        session: &mut Session<'_>,
    ) -> Result<Candidate, InstallError> {
        loop {
            let step = bounded(&mut self.flash, |flash| updater.finish(session, flash))?;
            if let Finish::Done(candidate) = step {
                return Ok(candidate);
            }
        }
    }

    pub fn clean(&mut self, updater: &mut Updater<Sha256>) -> Result<(), InstallError> {
        loop {
            if bounded(&mut self.flash, |flash| updater.clean(flash))? == Clean::Done {
                return Ok(());
            }
        }
    }

    /// Boots into a trial and accepts it.
    pub fn try_and_accept(&mut self) -> Result<Verified, Stop> {
        let image = self.started()?;
        if !matches!(image.reason(), Reason::Trial { .. }) {
            return Err(Stop::NotTried);
        }
        let mut updater = self.updater(image.running())?;
        assert_eq!(updater.state(), State::Trial);
        self.accept(&mut updater)?;
        Ok(image)
    }

    /// Boots and says what the application finds.
    pub fn state(&mut self) -> (Verified, State) {
        let image = self.started().unwrap();
        let state = self.updater(image.running()).unwrap().state();
        (image, state)
    }
}

/// The byte of the image that is wanted next; all of them when none is.
pub fn wanted(session: &Session<'_>) -> u32 {
    session
        .wanted()
        .map_or(session.progress().1, |wanted| wanted.offset)
}

pub fn with_config<R>(layout: UpdateLayout, trial_boots: u8, work: impl FnOnce(&BootConfig<'_>) -> R) -> R {
    let public = Ed25519PublicKey::from_bytes(key(1).public_key()).unwrap();
    let anchors = [TrustAnchor {
        key: &public,
        kid: None,
    }];
    let components = components(&layout);
    let device = DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: None,
        components: &components,
    };
    let mut config = BootConfig::new(layout, TrustAnchors::new(&anchors, 1).unwrap(), device);
    config.trial_boots = trial_boots;
    work(&config)
}

/// One call may erase one page, and one more to record that it failed.
fn bounded<T, E>(flash: &mut SimFlash, call: impl FnOnce(&mut SimFlash) -> Result<T, E>) -> Result<T, E> {
    let (result, stats) = flash.measure(call);
    let most = if result.is_ok() { 1 } else { 2 };
    assert!(stats.erases <= most, "{} erases in one call", stats.erases);
    result
}

fn components(layout: &UpdateLayout) -> [DeviceComponent<'static>; 2] {
    let capacity = layout.slot(Slot::A).images[0].len();
    let component = |id| DeviceComponent {
        id: ComponentId::from_encoded(id).unwrap(),
        capacity,
        slot: None,
    };
    [component(COMPONENT), component(&[0x81, 0x41, 0x01])]
}
