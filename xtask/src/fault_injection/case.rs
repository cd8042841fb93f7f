//! What is attacked: flash, envelope and counter of a device that must not start what is there.

use iotsec::{
    core::{
        cose::Sign1Builder,
        crypto::{Sha256, Verify},
        hal::{Region, Slot},
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, Envelope, SequenceNumber, TrustAnchor, TrustAnchors,
        Updater,
        boot::{self, BootConfig},
        install::Finish,
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash};

use super::{
    End,
    device::{
        CAPACITY, CLASS, COMPONENT, Input, JOURNAL, JOURNAL_PAGES, Job, PAGE, SHIFT, SLOTS, VENDOR, WORD,
    },
    maker::{Maker, bad_signature, graft},
};
use crate::tool::Failure;

/// One attack.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) image: &'static str,
    pub(super) input: Input,
    /// How it ends without a fault.
    pub(super) expected: End,
    /// Bit 0 when the image in slot A may run, bit 1 for slot B.
    pub(super) may_start: u32,
    /// Instructions after which a run hangs: several times what one takes.
    pub(super) budget: u32,
}

/// The image that runs, and the one that comes.
const OLD: (u64, &[u8]) = (0x110, &noise(1));
const NEW: (u64, &[u8]) = (0x120, &noise(2));
/// An image that nobody signed.
const EVIL: &[u8] = &noise(3);

/// Bytes of which no word is like the one before: where they are alike, a skipped load goes unnoticed.
pub(super) const fn noise(seed: u32) -> [u8; 200] {
    let (mut bytes, mut state, mut at) = ([0; 200], seed, 0);
    while at < bytes.len() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes[at] = state.to_be_bytes()[0];
        at += 1;
    }
    bytes
}

const FEW: u32 = 1_000_000;
pub(super) const MANY: u32 = 20_000_000;

/// Genuine images, which must be accepted: an attack on a device that refuses everything proves nothing.
pub(super) fn genuine() -> Result<Vec<Case>, Failure> {
    let maker = Maker::with_unit(7);
    let real = Maker::in_software()?;
    let running = Device::new(&maker)?;
    let staged = Device::new(&maker)?.stage()?;
    let update = sign(&maker, NEW.0, NEW.1)?;
    let mut cases = vec![
        Case::boot("genuine", running.input(), End::Accepted(0)),
        Case::boot("genuine, staged", staged.input(), End::Accepted(1)),
        Case::boot(
            "genuine, no journal",
            running.without_journal().input(),
            End::Accepted(0),
        ),
        Case::install("genuine", running.receives(&update, NEW.1), End::Accepted(1)),
        Case::single("genuine", signed_alone(&maker)?, End::Accepted(0)),
    ];
    for image in ["boot_ed25519", "boot_ed25519_small"] {
        let input = Device::new(&real)?.input();
        cases.push(Case::boot("genuine", input, End::Accepted(0)).in_software(image));
    }
    Ok(cases)
}

/// What a boot loader must not start, and an application must not install.
pub(super) fn attacks() -> Result<Vec<Case>, Failure> {
    let (maker, stranger) = (Maker::with_unit(7), Maker::with_unit(9));
    let running = Device::new(&maker)?;
    let staged = Device::new(&maker)?.stage()?;
    let (old, new) = (sign(&maker, OLD.0, OLD.1)?, sign(&maker, NEW.0, NEW.1)?);
    let boot = |name, device: Device<'_>| Case::boot(name, device.input(), End::Refused);
    let staged_case = |name, device: Device<'_>| Case::boot(name, device.input(), End::Accepted(0));
    let install = |name, envelope: &[u8], payload: &[u8]| {
        Case::install(name, running.receives(envelope, payload), End::Refused)
    };
    Ok(vec![
        // The longest first, so that no core has to wait for it at the end.
        staged_case(
            "staged, image changed",
            staged.holding(Slot::B, &new, &changed(NEW.1))?,
        ),
        staged_case(
            "staged, signed by another key",
            staged.holding(Slot::B, &sign(&stranger, NEW.0, NEW.1)?, NEW.1)?,
        ),
        boot(
            "signature changed",
            running.holding(Slot::A, &bad_signature(&old), OLD.1)?,
        ),
        boot(
            "signed by another key",
            running.holding(Slot::A, &sign(&stranger, OLD.0, OLD.1)?, OLD.1)?,
        ),
        boot(
            "manifest exchanged",
            running.holding(Slot::A, &graft(&old, &sign(&stranger, OLD.0, EVIL)?), EVIL)?,
        ),
        boot("image changed", running.holding(Slot::A, &old, &changed(OLD.1))?),
        boot("below the security counter", running.with_counter(2)),
        boot(
            "no journal, image changed",
            running
                .without_journal()
                .holding(Slot::A, &old, &changed(OLD.1))?,
        ),
        install("signature changed", &bad_signature(&new), NEW.1),
        install("signed by another key", &sign(&stranger, NEW.0, NEW.1)?, NEW.1),
        install(
            "manifest exchanged",
            &graft(&new, &sign(&stranger, NEW.0, EVIL)?),
            EVIL,
        ),
        // Staged in vain: the boot loader refuses it, which is attacked above.
        Case {
            may_start: 0b10,
            ..install("payload changed", &new, &changed(NEW.1))
        },
        install("older than what runs", &sign(&maker, OLD.0 - 1, NEW.1)?, NEW.1),
    ])
}

/// The same with signatures checked in software.
pub(super) fn software() -> Result<Vec<Case>, Failure> {
    let maker = Maker::in_software()?;
    let old = bad_signature(&sign(&maker, OLD.0, OLD.1)?);
    let device = Device::new(&maker)?.holding(Slot::A, &old, OLD.1)?;
    Ok(["boot_ed25519", "boot_ed25519_small"]
        .map(|image| Case::boot("signature changed", device.input(), End::Refused).in_software(image))
        .into())
}

/// An attack that must succeed.
pub(super) fn unprotected() -> Result<Case, Failure> {
    let input = signed_alone(&Maker::with_unit(9))?;
    let key = [7; 32];
    Ok(Case::single(
        "signed by another key",
        Input { key, ..input },
        End::Refused,
    ))
}

impl Case {
    pub(super) fn boot(name: &'static str, input: Input, expected: End) -> Self {
        Self {
            name,
            image: "boot",
            input,
            expected,
            may_start: match expected {
                End::Accepted(0) => 1,
                End::Accepted(_) => 3,
                _ => 0,
            },
            budget: FEW,
        }
    }

    /// The same on another image.
    pub(super) fn on(self, image: &'static str) -> Self {
        Self { image, ..self }
    }

    /// The same on an image that checks signatures in software.
    pub(super) fn in_software(self, image: &'static str) -> Self {
        Self {
            image,
            budget: MANY,
            ..self
        }
    }

    fn install(name: &'static str, input: Input, expected: End) -> Self {
        Self {
            image: "install",
            ..Self::boot(name, input, expected)
        }
    }

    fn single(name: &'static str, input: Input, expected: End) -> Self {
        Self {
            image: "single",
            ..Self::boot(name, input, expected)
        }
    }
}

/// A device with the old image in slot A.
struct Device<'k> {
    maker: &'k Maker,
    flash: Vec<u8>,
    counter: u32,
}

impl<'k> Device<'k> {
    fn new(maker: &'k Maker) -> Result<Self, Failure> {
        let mut flash = SimFlash::new(geometry());
        let envelope = sign(maker, OLD.0, OLD.1)?;
        layout()?
            .slot(Slot::A)
            .provision(&mut flash, &envelope, [OLD.1])?;
        let device = Self {
            maker,
            flash: flash.image().to_vec(),
            counter: 1,
        };
        // Writes the journal.
        device.with_updater(|updater, flash, _, _| Ok(updater.forget_rejected(flash)?))
    }

    /// With the new image in slot B, to be tried at the next boot.
    fn stage(self) -> Result<Self, Failure> {
        let envelope = sign(self.maker, NEW.0, NEW.1)?;
        self.with_updater(|updater, flash, rollback, config| {
            let mut hash = Sha256::new();
            let policy = rollback.policy().admission(updater.installed(), None);
            let accepted = Envelope::parse(&envelope, &config.limits)?
                .authenticate(&config.anchors, &mut hash)?
                .admit(&config.device_b, &policy, &mut hash)?;
            let mut session = updater.start(flash, accepted, rollback)?;
            while let Some(wanted) = session.wanted() {
                let rest = NEW.1.get(usize::try_from(wanted.offset)?..).unwrap_or_default();
                updater.write(&mut session, flash, rest)?;
            }
            loop {
                if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
                    return Ok(updater.install(flash, candidate)?);
                }
            }
        })
    }

    fn with_updater(
        mut self,
        work: impl FnOnce(
            &mut Updater<Sha256>,
            &mut SimFlash,
            &mut Rollback<'_>,
            &BootConfig<'_>,
        ) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let anchors = [TrustAnchor {
            key: &*self.maker.public,
            kid: None,
        }];
        let components = [DeviceComponent {
            id: ComponentId::from_encoded(COMPONENT)?,
            capacity: PAGE,
            slot: None,
        }];
        let identity = DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: &components,
        };
        let config = BootConfig::new(layout()?, TrustAnchors::new(&anchors, 1)?, identity);
        let mut flash = SimFlash::from_image(geometry(), &self.flash);
        let (mut counter, mut hash, mut scratch) = (
            SimCounter::new().at(u64::from(self.counter)),
            Sha256::new(),
            [0; 512],
        );
        let mut rollback = Rollback::new(&mut counter, RollbackPolicy::new(SHIFT)?);
        let running = boot::identify(&mut flash, &config, Slot::A, &mut hash, &mut scratch)?;
        let mut updater = Updater::mount(&mut flash, layout()?, running, &mut rollback, hash)?;
        work(&mut updater, &mut flash, &mut rollback, &config)?;
        self.flash = flash.image().to_vec();
        Ok(self)
    }

    /// With this in a slot, whoever put it there.
    fn holding(&self, slot: Slot, envelope: &[u8], image: &[u8]) -> Result<Self, Failure> {
        let mut flash = SimFlash::from_image(geometry(), &self.flash);
        layout()?.slot(slot).provision(&mut flash, envelope, [image])?;
        Ok(Self {
            flash: flash.image().to_vec(),
            ..*self
        })
    }

    fn with_counter(&self, counter: u32) -> Self {
        Self {
            flash: self.flash.clone(),
            counter,
            ..*self
        }
    }

    fn without_journal(&self) -> Self {
        let mut flash = self.flash.clone();
        flash
            .iter_mut()
            .skip((JOURNAL * PAGE) as usize)
            .for_each(|byte| *byte = 0xFF);
        Self { flash, ..*self }
    }

    fn input(&self) -> Input {
        let mut input = Input::new(&*self.maker.public, self.counter);
        input.flash.copy_from_slice(&self.flash);
        input
    }

    fn receives(&self, envelope: &[u8], payload: &[u8]) -> Input {
        let mut input = self.input();
        input.envelope_len = put(&mut input.envelope, envelope);
        input.payload_len = put(&mut input.payload, payload);
        input
    }
}

fn put(to: &mut [u8; 512], from: &[u8]) -> u32 {
    to[..from.len()].copy_from_slice(from);
    u32::try_from(from.len()).unwrap_or_default()
}

impl Input {
    /// With erased flash, and nothing that arrives.
    pub(super) fn new(key: &dyn Verify, counter: u32) -> Self {
        let mut input = Self {
            flash: [0xFF; CAPACITY],
            envelope: [0; 512],
            payload: [0; 512],
            key: [0; 32],
            envelope_len: 0,
            payload_len: 0,
            counter,
        };
        input.key.copy_from_slice(key.public_key());
        input
    }

    /// As the images have it in memory: the fields in their order, without gaps.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = [&self.flash[..], &self.envelope, &self.payload, &self.key].concat();
        for number in [self.envelope_len, self.payload_len, self.counter] {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }
}

impl Job {
    /// Likewise.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.budget, self.repeats, self.every, self.bytes, self.may_start];
        let mut bytes = numbers.map(u32::to_le_bytes).concat();
        bytes.extend(self.input.to_bytes());
        bytes
    }
}

fn changed(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    image[100] ^= 1;
    image
}

fn sign(maker: &Maker, sequence: u64, image: &[u8]) -> Result<Vec<u8>, Failure> {
    maker.envelope(SequenceNumber(sequence), image)
}

/// What the image `single` checks: a signature over the digest of the payload.
fn signed_alone(maker: &Maker) -> Result<Input, Failure> {
    let device = Device::new(maker)?;
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let digest = Sha256::of(&[EVIL]);
    let message = Sign1Builder::new().sign_detached(&*maker.key, &digest, b"", &mut scratch, &mut out)?;
    Ok(device.receives(message, EVIL))
}

pub(super) fn geometry() -> Geometry {
    Geometry::new(&[PAGE; CAPACITY / PAGE as usize], WORD)
}

fn layout() -> Result<UpdateLayout, Failure> {
    let region = |page: u32, count| Region::new(page * PAGE, PAGE, count, WORD);
    let slot = |page| -> Result<_, Failure> {
        Ok(SlotLayout {
            manifest: region(page, 1)?,
            images: [region(page + 1, 1)?],
        })
    };
    let [a, b] = SLOTS;
    Ok(UpdateLayout::new(
        slot(a)?,
        slot(b)?,
        region(JOURNAL, JOURNAL_PAGES)?,
    )?)
}
