//! A device that starts MCUboot images in place: its slots, its counter, its maker.

use iotsec_core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign, Verify},
    hal::{BootControl, Region, Slot, Trial},
    secret::Secret,
};
use iotsec_testkit::{Geometry, ImageMaker, Power, SimCounter, SimFlash, SimFlashError, Violation, World};
use iotsec_update::{
    boot::BootError,
    mcuboot::{
        Hashes, Loader, Mode, Reason, Refusal, Selection, Startable, Trailer, TrailerControl, TrailerError,
        select,
    },
};

pub(crate) const VENDOR: [u8; 16] = [0x51; 16];
pub(crate) const CLASS: [u8; 16] = [0xC1; 16];
/// Pages of each slot.
pub(crate) const PAGES: u32 = 4;

pub(crate) fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

pub(crate) const MAKER: u8 = 7;

/// An image for this device, of `len` bytes of payload.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) version: (u8, u8, u16),
    pub(crate) counter: u32,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn maker(version: (u8, u8, u16), counter: u32) -> ImageMaker {
    ImageMaker::new(version)
        .security_counter(counter)
        .vendor(VENDOR)
        .class(CLASS)
}

pub(crate) fn payload(version: (u8, u8, u16), len: usize) -> Vec<u8> {
    let seed = usize::from(version.0) * 31 + usize::from(version.2);
    (0..len)
        .map(|at| u8::try_from((at * 7 + at / 251 + seed) % 256).unwrap())
        .collect()
}

pub(crate) fn release(version: (u8, u8, u16), counter: u32, len: usize) -> Release {
    Release {
        version,
        counter,
        bytes: maker(version, counter)
            .sign(&key(MAKER), &payload(version, len))
            .unwrap(),
    }
}

/// Its flash, whose two slots lie behind each other, and its counter.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) flash: SimFlash,
    pub(crate) counter: SimCounter,
    pub(crate) a: Trailer,
    pub(crate) b: Trailer,
    /// What an application does first.
    pub(crate) rom: [Option<u32>; 2],
}

impl Device {
    pub(crate) fn new(page: u32, word: u32, align: u32) -> Self {
        Self::with_erased(page, word, align, 0xFF)
    }

    pub(crate) fn with_erased(page: u32, word: u32, align: u32, erased: u8) -> Self {
        let pages = usize::try_from(2 * PAGES).unwrap();
        let flash = SimFlash::new(Geometry::new(&vec![page; pages], word).with_erased(erased));
        let slot = |start| {
            let region = Region::new(start, page, PAGES, word).unwrap();
            Trailer::new(region.with_erased(erased), align).unwrap()
        };
        let counter = SimCounter::new().powered_by(flash.power());
        Self {
            flash,
            counter,
            a: slot(0),
            b: slot(PAGES * page),
            rom: [None; 2],
        }
    }

    /// Two slots of 4 KiB.
    pub(crate) fn small() -> Self {
        Self::new(1024, 4, 8)
    }

    pub(crate) fn trailer(&self, slot: Slot) -> Trailer {
        match slot {
            Slot::A => self.a,
            Slot::B => self.b,
        }
    }

    /// A confirmed image in slot A.
    pub(crate) fn with_factory(mut self, release: &Release) -> Self {
        self.put(Slot::A, &release.bytes);
        self.ask(Slot::A, Slot::B, Trial::Permanent).unwrap();
        self
    }

    /// Bytes into a slot, whoever put them there; its trailer is gone.
    pub(crate) fn put(&mut self, slot: Slot, bytes: &[u8]) {
        let region = *self.trailer(slot).region();
        for page in 0..region.page_count() {
            region.erase_page(&mut self.flash, page).unwrap();
        }
        self.flash.tamper(region.start(), bytes);
    }

    /// What the application in `running` asks of the boot loader.
    pub(crate) fn ask(&mut self, slot: Slot, running: Slot, trial: Trial) -> Result<(), TrailerError> {
        let mode = Mode::DirectXip { running };
        let mut control = TrailerControl::new(&mut self.flash, self.a, self.b, mode);
        match control.select(slot, trial) {
            Ok(()) => Ok(()),
            Err(_) => Err(control.failed().unwrap()),
        }
    }

    /// The image is there and its start on trial is asked for.
    pub(crate) fn stage(&mut self, slot: Slot, release: &Release) {
        self.put(slot, &release.bytes);
        self.ask(slot, slot.other(), Trial::Once).unwrap();
    }

    pub(crate) fn select(&mut self) -> Result<Selection, BootError> {
        self.select_with(&[MAKER])
    }

    pub(crate) fn select_with(&mut self, seeds: &[u8]) -> Result<Selection, BootError> {
        let keys: Vec<Ed25519PublicKey> = seeds
            .iter()
            .map(|seed| Ed25519PublicKey::from_bytes(key(*seed).public_key()).unwrap())
            .collect();
        let keys: Vec<&dyn Verify> = keys.iter().map(|key| key as &dyn Verify).collect();
        let [rom_a, rom_b] = self.rom;
        let loader = Loader {
            vendor: Some(VENDOR),
            class: Some(CLASS),
            rom_a,
            rom_b,
            ..Loader::new(self.a, self.b, &keys)
        };
        let mut sha256 = Sha256::new();
        let mut hashes = Hashes {
            sha256: &mut sha256,
            sha512: None,
        };
        select(&mut self.flash, &loader, &mut self.counter, &mut hashes)
    }

    /// What starts.
    pub(crate) fn boots(&mut self) -> Startable {
        match self.select().unwrap() {
            Selection::Boot(image) => {
                assert!(image.is_proven());
                image
            }
            Selection::Recovery { a, b } => panic!("nothing starts: {a}, {b}"),
        }
    }

    /// Slot and reason of what starts.
    pub(crate) fn starts(&mut self) -> (Slot, Reason) {
        let image = self.boots();
        (image.slot(), image.reason())
    }

    /// Why nothing starts.
    pub(crate) fn refuses(&mut self) -> (Refusal, Refusal) {
        match self.select().unwrap() {
            Selection::Recovery { a, b } => (a, b),
            Selection::Boot(image) => panic!("{image:?}"),
        }
    }
}

impl World for Device {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        let violation = self.flash.violation()?;
        // The format has one word for each flag. One that a cut left looking erased is written again; the simulator
        // refuses that and notes it, and the image is not started or not confirmed.
        let is_flag = [self.a, self.b].iter().any(|trailer| {
            let region = trailer.region();
            let end = region.start() + region.len();
            (end - 96..end - 16).contains(&violation.offset)
        });
        (violation.error != SimFlashError::Overwrite || !is_flag).then_some(violation)
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
