//! A device with `N` components, and its maker.

use std::collections::HashMap;

use iotsec_core::{
    cose::{EncryptBuilder, EncryptTo, RecipientKey},
    crypto::{
        Aes128Ctr, Aes128KeyWrap, ChaCha20Poly1305Stream, ContentDecrypt, ContentEncrypt, Ed25519PublicKey,
        Ed25519SigningKey, HkdfSha256, KeyAgreement, Sha256, Sign, X25519Key,
    },
    hal::{Region, Slot},
    secret::Secret,
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, SimRng, Violation, World};
use iotsec_update::{
    ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, SequenceNumber, TrustAnchor,
    TrustAnchors, UpdateError, Updater,
    boot::{self, BootConfig, Reason, Refusal, Running, Selection, Verified},
    builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
    install::{Clean, Finish, InstallError, Session, State},
    payload::{Check, Checked, Chunks, Decode, Decrypt, Delta, Encoding, PayloadError, Transport},
    rollback::{Rollback, RollbackPolicy},
    slot::{SlotLayout, UpdateLayout},
};

pub const VENDOR: [u8; 16] = [0xA1; 16];
pub const CLASS: [u8; 16] = [0xC2; 16];
const IDS: [&[u8]; 4] = [
    &[0x81, 0x41, 0x00],
    &[0x81, 0x41, 0x01],
    &[0x81, 0x41, 0x02],
    &[0x81, 0x41, 0x03],
];

/// Where the content of a component comes from, and how.
#[derive(Clone)]
pub enum From {
    /// What is there is kept.
    Present,
    /// In the envelope.
    Integrated,
    /// As it is.
    Plain,
    /// With digests over chunks of so many bytes.
    Chunks(u32),
    /// A patch against this image.
    Patch { base: Vec<u8>, patch: Vec<u8> },
    /// Compressed.
    Compressed(Vec<u8>),
    /// AES-CTR, with digests over chunks.
    Counter(u32),
    /// AES-CTR, with a digest over the whole.
    CounterWhole,
    /// AES-CTR over a patch, with digests over chunks.
    CounterPatch {
        base: Vec<u8>,
        patch: Vec<u8>,
        chunk: u32,
    },
    /// ChaCha20-Poly1305.
    Authenticated,
}

/// One release of the maker.
#[derive(Clone)]
pub struct Release<const N: usize> {
    pub sequence: u64,
    pub envelope: Vec<u8>,
    pub images: [Vec<u8>; N],
    pub payloads: HashMap<String, Vec<u8>>,
}

pub fn image(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = SimRng::new(seed);
    (0..len).map(|_| u8::try_from(rng.below(256)).unwrap()).collect()
}

pub fn maker() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([0x51; 32]))
}

fn device_key() -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([0x17; 32]))
}

/// Encrypts to the device; the info and the payload.
fn encrypt(cipher: &mut dyn ContentEncrypt, plain: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut rng = SimRng::new(5);
    let ephemeral = X25519Key::generate(&mut rng).unwrap();
    let mut out = [0; 512];
    let device = device_key();
    let to = [EncryptTo::agreement(&ephemeral, device.public_key())];
    let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
        .start(&to, cipher, &mut rng, &mut out)
        .unwrap()
        .to_vec();
    let mut payload = plain.to_vec();
    cipher.encrypt(&mut payload).unwrap();
    payload.extend(cipher.tag().unwrap().into_iter().flatten());
    (info, payload)
}

/// What a manifest has to say of one payload, owned.
#[derive(Default)]
struct Told {
    payload: Vec<u8>,
    digest: Option<[u8; 32]>,
    chunks: Option<(u32, Vec<[u8; 32]>)>,
    base: Option<([u8; 32], u32)>,
    window: Option<(u8, u8)>,
    info: Option<Vec<u8>>,
}

impl Told {
    fn of(image: &[u8], from: &From) -> Self {
        let base = |base: &[u8]| Some((Sha256::of(&[base]), u32::try_from(base.len()).unwrap()));
        let mut told = Self::default();
        let mut chunk = None;
        match from {
            From::Present | From::Integrated | From::Plain => told.payload = image.to_vec(),
            From::Chunks(size) => {
                told.payload = image.to_vec();
                chunk = Some(*size);
            }
            From::Patch { base: old, patch } => {
                told.payload.clone_from(patch);
                told.base = base(old);
            }
            From::Compressed(stream) => {
                told.payload.clone_from(stream);
                told.window = Some((8, 4));
            }
            From::Counter(size) => {
                let (info, payload) = encrypt(&mut Aes128Ctr::new(), image);
                (told.info, told.payload, chunk) = (Some(info), payload, Some(*size));
            }
            From::CounterWhole => {
                let (info, payload) = encrypt(&mut Aes128Ctr::new(), image);
                told.digest = Some(Sha256::of(&[&payload]));
                (told.info, told.payload) = (Some(info), payload);
            }
            From::CounterPatch {
                base: old,
                patch,
                chunk: size,
            } => {
                let (info, payload) = encrypt(&mut Aes128Ctr::new(), patch);
                (told.info, told.payload, chunk) = (Some(info), payload, Some(*size));
                told.base = base(old);
            }
            From::Authenticated => {
                let (info, payload) = encrypt(&mut ChaCha20Poly1305Stream::new(), image);
                (told.info, told.payload) = (Some(info), payload);
            }
        }
        told.chunks = chunk.map(|size| {
            let parts = told.payload.chunks(size as usize);
            (size, parts.map(|part| Sha256::of(&[part])).collect())
        });
        told
    }

    fn transport(&self) -> Transport<'_> {
        Transport {
            digest: self.digest.as_ref(),
            chunks: self
                .chunks
                .as_ref()
                .map(|(size, digests)| Chunks::new(*size, digests).unwrap()),
            encoding: match (&self.base, self.window) {
                (Some((base, base_size)), _) => Encoding::Delta {
                    base,
                    base_size: *base_size,
                },
                (None, Some((window, lookahead))) => Encoding::Heatshrink { window, lookahead },
                (None, None) => Encoding::Plain,
            },
            encryption: self.info.as_deref(),
            ..Transport::plain(u32::try_from(self.payload.len()).unwrap())
        }
    }
}

/// Signs `images`, each transported as `from` says.
pub fn release<const N: usize>(sequence: u64, images: [Vec<u8>; N], from: &[From; N]) -> Release<N> {
    let told: Vec<Told> = images
        .iter()
        .zip(from)
        .map(|(image, from)| Told::of(image, from))
        .collect();
    let uris: Vec<String> = (0..N)
        .map(|place| format!("https://fw.example/{sequence}/{place}"))
        .collect();
    let names: Vec<String> = (0..N).map(|place| format!("#{place}")).collect();
    let components: Vec<ManifestComponent<'_>> = (0..N)
        .map(|place| {
            let told = &told[place];
            let plain = matches!(from[place], From::Present | From::Integrated | From::Plain);
            ManifestComponent {
                id: ComponentId::from_encoded(IDS[place]).unwrap(),
                digest: Sha256::of(&[&images[place]]),
                size: u32::try_from(images[place].len()).unwrap(),
                payload: match from[place] {
                    From::Present => Payload::Present,
                    From::Integrated => Payload::Integrated {
                        name: &names[place],
                        bytes: &told.payload,
                    },
                    _ => Payload::Uri(&uris[place]),
                },
                transport: (!plain).then(|| told.transport()),
                invoke: place == 0,
            }
        })
        .collect();
    let key = maker();
    let signer = Signer { key: &key, kid: None };
    let (mut scratch, mut out) = (vec![0; 16 * 1024], vec![0; 64 * 1024]);
    let envelope = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(sequence), &components)
        .write(&[signer], &mut Sha256::new(), &mut scratch, &mut out)
        .unwrap()
        .to_vec();
    let payloads = uris
        .into_iter()
        .zip(told)
        .map(|(uri, told)| (uri, told.payload))
        .collect();
    Release {
        sequence,
        envelope,
        images,
        payloads,
    }
}

/// Everything of a device that outlives a power cut.
pub struct Device<const N: usize> {
    pub flash: SimFlash,
    pub counter: SimCounter,
    pub layout: UpdateLayout<N>,
    /// Bytes that the network delivers at once.
    pub packet: usize,
}

impl<const N: usize> World for Device<N> {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl<const N: usize> Clone for Device<N> {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        Self {
            counter: self.counter.clone().powered_by(flash.power()),
            flash,
            ..*self
        }
    }
}

/// Why a run of the application ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Recovery,
    Admission(UpdateError),
    Install(InstallError),
}

impl std::convert::From<InstallError> for Stop {
    fn from(error: InstallError) -> Self {
        Self::Install(error)
    }
}

/// Bytes of the largest stored envelope.
const ENVELOPE: u32 = 3000;

impl<const N: usize> Device<N> {
    /// With pages of one size, images of so many pages, and a factory image.
    pub fn new(page: u32, word: u32, pages: [u32; N], factory: &Release<N>) -> Self {
        let manifest = ENVELOPE.div_ceil(page);
        let total = 2 * (manifest + pages.iter().sum::<u32>()) + 3;
        let geometry = Geometry::new(&vec![page; total as usize], word);
        Self::on(&geometry, pages, factory)
    }

    pub fn on(geometry: &Geometry, pages: [u32; N], factory: &Release<N>) -> Self {
        let page = geometry.pages(0, 1).unwrap().page_size();
        let manifest = ENVELOPE.div_ceil(page);
        let mut next = 0;
        let mut region = |pages: u32| -> Region {
            next += pages;
            geometry.pages(next - pages, pages).unwrap()
        };
        let mut slot = || SlotLayout {
            manifest: region(manifest),
            images: pages.map(&mut region),
        };
        let (a, b) = (slot(), slot());
        let layout = UpdateLayout::new(a, b, region(3)).unwrap();
        let mut flash = SimFlash::new(geometry.clone());
        let images = factory.images.each_ref().map(|image| &image[..]);
        layout
            .slot(Slot::A)
            .provision(&mut flash, &factory.envelope, images)
            .unwrap();
        Self {
            counter: SimCounter::new().powered_by(flash.power()),
            flash,
            layout,
            packet: 300,
        }
    }

    /// Pages that [`on`](Self::on) takes of this geometry.
    pub fn pages(geometry: &Geometry, pages: [u32; N]) -> u32 {
        let page = geometry.pages(0, 1).unwrap().page_size();
        2 * (ENVELOPE.div_ceil(page) + pages.iter().sum::<u32>()) + 3
    }

    pub fn config<R>(&self, work: impl FnOnce(&BootConfig<'_, N>) -> R) -> R {
        let key = Ed25519PublicKey::from_bytes(maker().public_key()).unwrap();
        let anchors = [TrustAnchor { key: &key, kid: None }];
        let mut place = 0;
        let components = self.layout.slot(Slot::A).images.map(|region| {
            place += 1;
            DeviceComponent {
                id: ComponentId::from_encoded(IDS[place - 1]).unwrap(),
                capacity: region.len(),
                slot: None,
            }
        });
        let device = DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: &components,
        };
        let mut config = BootConfig::new(self.layout, TrustAnchors::new(&anchors, 1).unwrap(), device);
        config.limits = limits();
        work(&config)
    }

    /// What the boot loader does.
    pub fn started(&mut self) -> Result<Verified<N>, Stop> {
        match self.boot() {
            Selection::Boot(image) => Ok(image),
            Selection::Recovery { .. } => Err(Stop::Recovery),
        }
    }

    pub fn boot(&mut self) -> Selection<N> {
        let mut flash = std::mem::replace(&mut self.flash, SimFlash::new(Geometry::small(1)));
        let mut counter = std::mem::replace(&mut self.counter, SimCounter::new());
        let selection = self.config(|config| {
            let mut rollback = Rollback::new(&mut counter, policy());
            let mut scratch = vec![0; 64 * 1024];
            boot::select(
                &mut flash,
                config,
                &mut rollback,
                &mut Sha256::new(),
                &mut scratch,
            )
        });
        (self.flash, self.counter) = (flash, counter);
        selection.unwrap()
    }

    pub fn verify(&mut self, slot: Slot) -> Result<Verified<N>, Refusal> {
        let mut flash = self.flash.clone();
        let mut counter = self.counter.clone();
        self.config(|config| {
            let mut rollback = Rollback::new(&mut counter, policy());
            let mut scratch = vec![0; 64 * 1024];
            boot::verify(
                &mut flash,
                config,
                slot,
                &mut rollback,
                &mut Sha256::new(),
                &mut scratch,
            )
        })
    }

    pub fn updater(&mut self, running: Running) -> Result<Updater<Sha256, N>, InstallError> {
        let mut rollback = Rollback::new(&mut self.counter, policy());
        Updater::mount(
            &mut self.flash,
            self.layout,
            running,
            &mut rollback,
            Sha256::new(),
        )
    }

    pub fn start<'e, P: Decode, C: Check>(
        &mut self,
        updater: &mut Updater<Sha256, N>,
        envelope: &'e [u8],
        decoder: P,
        check: C,
    ) -> Result<Session<'e, P, C, N>, Stop> {
        let accepted = self.config(|config| {
            let policy = policy().admission(SequenceNumber(0), None);
            Envelope::parse(envelope, &limits())?
                .authenticate(&config.anchors, &mut Sha256::new())?
                .admit(&config.device_a, &policy, &mut Sha256::new())
        });
        let accepted = accepted.map_err(Stop::Admission)?;
        let mut rollback = Rollback::new(&mut self.counter, policy());
        Ok(updater.start_with(&mut self.flash, accepted, &mut rollback, decoder, check)?)
    }

    /// Boots, and brings `release` as far as `Staged`, from wherever the device is. Returns what was sent.
    pub fn stage(&mut self, release: &Release<N>) -> Result<usize, Stop> {
        let running = self.started()?.running();
        let mut updater = self.updater(running)?;
        if matches!(updater.state(), State::Staged | State::Trial) {
            return Ok(0);
        }
        if matches!(updater.state(), State::Failed | State::Updated) {
            while bounded(&mut self.flash, |flash| updater.clean(flash))? == Clean::More {}
        }
        let mut buffer = [0; 1024];
        let mut cipher = cipher(release);
        let key = device_key();
        let key = RecipientKey::agreement(&key, &HkdfSha256, &Aes128KeyWrap);
        let decoder = Decrypt::new(key, &mut *cipher, Delta::<256>::new());
        let check = Checked::new(&mut buffer, Sha256::new());
        let mut session = self.start(&mut updater, &release.envelope, decoder, check)?;
        let sent = self.send(&mut updater, &mut session, &release.payloads)?;
        let candidate = loop {
            let step = bounded(&mut self.flash, |flash| updater.finish(&mut session, flash))?;
            if let Finish::Done(candidate) = step {
                break candidate;
            }
        };
        bounded(&mut self.flash, |flash| updater.install(flash, candidate))?;
        Ok(sent)
    }

    /// Sends all that is wanted; returns the bytes that were taken.
    pub fn send<P: Decode, C: Check>(
        &mut self,
        updater: &mut Updater<Sha256, N>,
        session: &mut Session<'_, P, C, N>,
        payloads: &HashMap<String, Vec<u8>>,
    ) -> Result<usize, InstallError> {
        let (mut sent, mut idle) = (0, 0);
        while let Some(wanted) = session.wanted() {
            let payload = &payloads[wanted.uri];
            assert_eq!(payload.len(), wanted.size as usize);
            let rest = &payload[wanted.offset as usize..];
            let packet = &rest[..rest.len().min(self.packet)];
            let taken = bounded(&mut self.flash, |flash| updater.write(session, flash, packet))?;
            sent += taken;
            idle = if taken == 0 { idle + 1 } else { 0 };
            assert!(idle < 2000, "nothing is taken any more");
        }
        Ok(sent)
    }

    /// Boots into a trial and accepts it.
    pub fn try_and_accept(&mut self) -> Result<Verified<N>, Stop> {
        let image = self.started()?;
        assert!(
            matches!(image.reason(), Reason::Trial { .. }),
            "{:?}",
            image.reason()
        );
        let mut updater = self.updater(image.running())?;
        let mut rollback = Rollback::new(&mut self.counter, policy());
        updater.accept(&mut self.flash, &mut rollback)?;
        Ok(image)
    }

    pub fn slot_image(&self, slot: Slot, place: usize, len: usize) -> &[u8] {
        let start = self.layout.slot(slot).images[place].start() as usize;
        &self.flash.image()[start..start + len]
    }

    /// That what runs is one release as a whole; which of them.
    pub fn is_whole(&mut self, releases: &[&Release<N>]) -> u64 {
        let image = self.started().unwrap();
        let number = image.manifest().sequence.0;
        let release = releases.iter().find(|release| release.sequence == number);
        let release = release.unwrap_or_else(|| panic!("release {number} runs"));
        assert_eq!(image.components().len(), N);
        for part in image.components() {
            let expected = &release.images[part.place()];
            assert_eq!(
                self.slot_image(image.slot(), part.place(), expected.len()),
                expected
            );
            assert_eq!(*part.digest(), Sha256::of(&[expected]));
        }
        number
    }
}

pub fn limits() -> Limits {
    Limits::DEFAULT
}

pub fn policy() -> RollbackPolicy {
    RollbackPolicy::new(4).unwrap()
}

/// The device's one cipher, chosen for what the test sends.
fn cipher<const N: usize>(release: &Release<N>) -> Box<dyn ContentDecrypt> {
    // The algorithm identifier of ChaCha20-Poly1305 in a protected header.
    let chacha = [0x44, 0xA1, 0x01, 0x18, 0x18];
    if release.envelope.windows(5).any(|window| window == chacha) {
        Box::new(ChaCha20Poly1305Stream::new())
    } else {
        Box::new(Aes128Ctr::new())
    }
}

/// One call may erase one page, and one more to record that it failed.
fn bounded<T, E>(flash: &mut SimFlash, call: impl FnOnce(&mut SimFlash) -> Result<T, E>) -> Result<T, E> {
    let (result, stats) = flash.measure(call);
    let most = if result.is_ok() { 1 } else { 2 };
    assert!(stats.erases <= most, "{} erases in one call", stats.erases);
    result
}

/// What Error says of the payload.
pub fn payload(error: PayloadError) -> Stop {
    Stop::Install(InstallError::Payload(error))
}

/// A sequential patch without compression: as many bytes as both have in common places, then the rest.
pub fn patch(base: &[u8], image: &[u8]) -> Vec<u8> {
    let common = base.len().min(image.len());
    let mut out = vec![0];
    number(&mut out, image.len());
    out.push(0);
    number(&mut out, common);
    out.extend(base.iter().zip(image).map(|(old, new)| new.wrapping_sub(*old)));
    number(&mut out, image.len() - common);
    out.extend_from_slice(&image[common..]);
    out.push(0);
    out
}

fn number(out: &mut Vec<u8>, value: usize) {
    let mut rest = value >> 6;
    let more = |rest: usize| if rest > 0 { 0x80 } else { 0 };
    out.push(u8::try_from(value & 0x3F).unwrap() | more(rest));
    while rest > 0 {
        let byte = u8::try_from(rest & 0x7F).unwrap();
        rest >>= 7;
        out.push(byte | more(rest));
    }
}
