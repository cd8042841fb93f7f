//! Flash that the store wrote, read by a program that was written from `iotsec-store/FORMAT.md` alone.

mod device;
mod life;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, File},
    path::PathBuf,
};

use iotsec::store::{KeyDomain, KeyId, ReplayLevel};
use iotsec_testkit::SimRng;
use serde_json::Value;

use self::device::{Cipher, Device, Shape};
use super::{Place, venv::Venv};
use crate::tool::{self, Failure};

const SHAPES: [Shape; 9] = [
    shape(256, 4, 4, 0xFF),
    shape(1024, 5, 8, 0xFF),
    shape(1024, 6, 32, 0xFF),
    shape(512, 5, 4, 0x00),
    shape(512, 6, 1, 0xFF),
    shape(4096, 4, 256, 0xFF),
    device_only(shape(256, 3, 4, 0xFF)),
    device_only(shape(512, 6, 4, 0x00)),
    device_only(shape(4096, 4, 256, 0xFF)),
];
const LEVELS: [ReplayLevel; 3] = [ReplayLevel::None, ReplayLevel::EachPage, ReplayLevel::EachWrite];
/// Bits that are flipped in each image of a life, and of one with cuts.
const FLIPS: usize = 40;
const FLIPS_AFTER_CUTS: usize = 4;
/// Random lives of a shape and a level, and power cuts in each.
const RANDOM_LIVES: usize = 3;
const CUTS: usize = 12;

const fn shape(page: u32, pages: usize, word: u32, erased: u8) -> Shape {
    Shape {
        page,
        pages,
        word,
        erased,
        device_only: false,
    }
}

const fn device_only(shape: Shape) -> Shape {
    Shape {
        device_only: true,
        ..shape
    }
}

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    let folder = place.work.join("store");
    fs::create_dir_all(&folder)?;
    let mut readings = Readings {
        folder,
        jobs: String::new(),
        expected: Vec::new(),
        images: 0,
        rng: SimRng::new(2),
    };
    for shape in SHAPES {
        for level in LEVELS {
            for cipher in Cipher::ALL {
                readings.lives(shape, cipher, level)?;
                readings.cuts(shape, cipher, level)?;
                readings.refusals(shape, cipher, level)?;
            }
        }
    }

    let jobs = readings.folder.join("jobs");
    fs::write(&jobs, &readings.jobs)?;
    let mut reader = python.script(&place.root, "store.py");
    reader.current_dir(&readings.folder).stdin(File::open(&jobs)?);
    let text = tool::text(&mut reader)?;
    let answers: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    if answers.len() != readings.expected.len() || answers.is_empty() {
        return Err(format!(
            "store: {} answers, not {}",
            answers.len(),
            readings.expected.len()
        )
        .into());
    }
    let mut tally = Tally::default();
    let mut wrong = 0;
    for (expected, answer) in readings.expected.iter().zip(&answers) {
        if let Err(difference) = expected.compare(answer, &mut tally) {
            wrong += 1;
            println!("store: {}: {difference}", expected.what);
        }
    }
    if wrong > 0 {
        return Err(format!("store: {wrong} of {} readings differ", answers.len()).into());
    }
    println!(
        "store: {} images read alike, {} keys and {} refusals; with a flipped bit {} more: {} refused, {} with \
         damaged or lost values, {} with the values of the whole image, {} with older ones",
        tally.images,
        tally.keys,
        tally.refusals,
        tally.flips,
        tally.flips_refused,
        tally.flips_damaged,
        tally.flips_unnoticed,
        tally.flips_older,
    );
    Ok(())
}

/// What is to be read, and what the store answers.
struct Readings {
    folder: PathBuf,
    /// A line for each.
    jobs: String,
    expected: Vec<Expected>,
    images: usize,
    rng: SimRng,
}

struct Expected {
    what: String,
    /// Keys and values, or why it is refused.
    contents: Result<Value, String>,
    /// What the whole image holds of which this one is a copy with a bit flipped.
    flipped_from: Option<Result<Value, String>>,
    /// What else is known of an image right after a mount.
    mounted: Option<Mounted>,
    stored: BTreeMap<KeyId, BTreeSet<Vec<u8>>>,
}

struct Mounted {
    pages_in_use: u32,
    /// None where the key is lost, and its page erased.
    generation: Option<u32>,
    /// Zero without one.
    counter: u64,
}

#[derive(Default)]
struct Tally {
    images: usize,
    keys: usize,
    refusals: usize,
    flips: usize,
    flips_refused: usize,
    flips_damaged: usize,
    flips_unnoticed: usize,
    flips_older: usize,
}

impl Readings {
    fn lives(&mut self, shape: Shape, cipher: Cipher, level: ReplayLevel) -> Result<(), Failure> {
        for (name, steps) in life::lives(shape) {
            let mut device = Device::blank(shape, cipher, level);
            device.format()?;
            device.run(&steps)?;
            self.read(name, &device, FLIPS)?;
        }
        Ok(())
    }

    /// Random lives that the power leaves, at some byte of some step, once and again.
    fn cuts(&mut self, shape: Shape, cipher: Cipher, level: ReplayLevel) -> Result<(), Failure> {
        for _ in 0..RANDOM_LIVES {
            let mut device = Device::blank(shape, cipher, level);
            device.format()?;
            device.run(&life::random(shape, &mut self.rng, 40))?;
            self.read("random life", &device, FLIPS)?;
            for _ in 0..CUTS {
                let steps = life::random(shape, &mut self.rng, 6);
                let mut whole = device.fork();
                let before = whole.flash.steps();
                whole.run(&steps)?;
                let length = whole.flash.steps() - before;
                for _ in 0..2 {
                    device.flash.cut_after(self.rng.below(length.max(1)));
                    // Whether and where it fails is chance.
                    let _ = device.run(&steps);
                    device.flash.power_on();
                    self.read("cut", &device, FLIPS_AFTER_CUTS)?;
                }
            }
        }
        let mut device = Device::blank(shape, cipher, level);
        for format in [true, false, true] {
            device.flash.cut_after(self.rng.below(200));
            let _ = if format { device.format() } else { device.destroy() };
            device.flash.power_on();
            self.read("formatting or destroying cut", &device, FLIPS_AFTER_CUTS)?;
            device.format()?;
        }
        Ok(())
    }

    /// Images that are no store, or not this one.
    fn refusals(&mut self, shape: Shape, cipher: Cipher, level: ReplayLevel) -> Result<(), Failure> {
        self.read("blank", &Device::blank(shape, cipher, level), FLIPS_AFTER_CUTS)?;
        let mut device = Device::blank(shape, cipher, level);
        device.format()?;
        let young = device.flash.image().to_vec();
        device.run(&life::random(shape, &mut self.rng, 40))?;
        self.read("an earlier image", &device.with_image(&young), 0)?;
        let mut other = device.fork();
        other.root = *b"a root key of quite some others.";
        self.read("another root key", &other, 0)?;
        for level in LEVELS {
            let mut other = device.fork();
            other.level = level;
            self.read("protected in some way", &other, 0)?;
        }
        for cipher in Cipher::ALL {
            let mut other = device.fork();
            other.cipher = cipher;
            self.read("sealed with some cipher", &other, FLIPS)?;
            let keyless = vec![shape.erased; usize::try_from(shape.page)?];
            let mut image = device.flash.image().to_vec();
            image.splice(..keyless.len(), keyless);
            self.read(
                "sealed with some cipher, no user key page",
                &other.with_image(&image),
                FLIPS,
            )?;
            let mut other = Device::blank(shape, cipher.other(), level);
            other.format()?;
            other.cipher = cipher;
            self.read("sealed with the other cipher, formatted", &other, FLIPS)?;
        }
        let mut other = device.fork();
        other.shape.pages += 1;
        self.read("a larger region", &other.with_image(device.flash.image()), 0)?;
        let mut other = device.fork();
        other.shape.word *= 2;
        self.read("longer words", &other.with_image(device.flash.image()), 0)?;
        if shape.pages >= 4 {
            let mut other = device.fork();
            other.shape.device_only = !shape.device_only;
            self.read("the other form", &other, FLIPS_AFTER_CUTS)?;
            other.cipher = cipher.other();
            self.read("the other form and cipher", &other, 0)?;
        }
        if shape.pages >= 6 {
            let mut other = device.fork();
            (other.shape.page, other.shape.pages) = (2 * shape.page, shape.pages / 2);
            other.shape.device_only = true;
            self.read("larger pages", &other.with_image(device.flash.image()), 0)?;
        }
        Ok(())
    }

    /// Reads the flash of a device as it is, after a mount, and with some bits flipped.
    fn read(&mut self, what: &str, device: &Device, flips: usize) -> Result<(), Failure> {
        let mut mounted = device.fork();
        let answer = mounted.answer();
        let shape = device.shape;
        let what = format!(
            "{what}, {} pages of {}, words of {}, erased to {:02x}, device only: {}, {:?}, cipher {}",
            shape.pages,
            shape.page,
            shape.word,
            shape.erased,
            shape.device_only,
            device.level,
            device.cipher.number()
        );
        let expected = |what: String, contents: &Result<Value, String>| Expected {
            what,
            contents: contents.clone(),
            flipped_from: None,
            mounted: None,
            stored: device.stored.clone(),
        };
        let job = self.job(device)?;
        self.push(&job, expected(format!("{job}: {what}"), &answer.contents));

        if answer.contents.is_ok() {
            let job = self.job(&mounted)?;
            let key_page = Some(mounted.flash.image()).filter(|image| image.starts_with(b"iSK1"));
            let generation = key_page
                .and_then(|page| page.get(8..))
                .and_then(<[u8]>::first_chunk);
            let state = Mounted {
                pages_in_use: answer.pages_in_use,
                generation: generation.copied().map(u32::from_le_bytes),
                counter: match device.level {
                    ReplayLevel::None => 0,
                    _ => mounted.counter.value(),
                },
            };
            let after = Expected {
                mounted: Some(state),
                ..expected(format!("{job}: {what}, mounted"), &answer.contents)
            };
            self.push(&job, after);
        }

        let mut image = device.flash.image().to_vec();
        for _ in 0..flips {
            let at = self.some_byte(&image, shape.erased);
            let bit = self.rng.below(8);
            let Some(byte) = image.get_mut(at) else { continue };
            *byte ^= 1 << bit;
            let flipped = device.with_image(&image).answer();
            if let Some(byte) = image.get_mut(at) {
                *byte ^= 1 << bit;
            }
            let job = format!("{job} --flip {}", u64::try_from(at)? * 8 + bit);
            let expected = Expected {
                flipped_from: Some(answer.contents.clone()),
                ..expected(format!("{job}: {what}"), &flipped.contents)
            };
            self.push(&job, expected);
        }
        Ok(())
    }

    /// Most often one that was written.
    fn some_byte(&mut self, image: &[u8], erased: u8) -> usize {
        let mut at = 0;
        for _ in 0..10 {
            at = life::below(&mut self.rng, image.len());
            if image.get(at) != Some(&erased) {
                break;
            }
        }
        at
    }

    /// Keeps the flash of a device for the reader, and returns what the reader is to be told.
    fn job(&mut self, device: &Device) -> Result<String, Failure> {
        self.images += 1;
        let file = format!("{:05}.bin", self.images);
        fs::write(self.folder.join(&file), device.flash.image())?;
        let shape = device.shape;
        let mut job = format!(
            "{file} --page {} --word {} --erased {:02x} --root {}",
            shape.page,
            shape.word,
            shape.erased,
            tool::hex(&device.root)
        );
        if shape.device_only {
            job.push_str(" --device-only");
        }
        write!(job, " --cipher {}", device.cipher.number())?;
        let counter = device.counter.value();
        match device.level {
            ReplayLevel::None => {}
            ReplayLevel::EachPage => write!(job, " --replay each-page {counter}")?,
            ReplayLevel::EachWrite => write!(job, " --replay each-write {counter}")?,
        }
        Ok(job)
    }

    fn push(&mut self, job: &str, expected: Expected) {
        self.jobs.push_str(job);
        self.jobs.push('\n');
        self.expected.push(expected);
    }
}

impl Expected {
    fn compare(&self, answer: &Value, tally: &mut Tally) -> Result<(), Failure> {
        let found = match answer.get("refused").and_then(Value::as_str) {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(answer.get("keys").cloned().unwrap_or_default()),
        };
        if found != self.contents {
            return Err(format!("the reader has {found:?}, the store {:?}", self.contents).into());
        }
        let keys = found.as_ref().ok().and_then(Value::as_array);
        for key in keys.into_iter().flatten() {
            self.check_stored(key)?;
        }
        if let Some(mounted) = &self.mounted {
            mounted.compare(answer)?;
        }
        tally.count(self, &found);
        Ok(())
    }

    /// Refuses a value that was never stored under its name.
    fn check_stored(&self, key: &Value) -> Result<(), Failure> {
        let number = |index: usize| key.get(index).and_then(Value::as_u64).ok_or("no number");
        let domain = match number(0)? {
            0 => KeyDomain::Device,
            _ => KeyDomain::User,
        };
        let id = KeyId::new(domain, u8::try_from(number(1)?)?, u16::try_from(number(2)?)?);
        let Some(value) = key.get(3).and_then(Value::as_str) else {
            return Ok(());
        };
        let stored = self.stored.get(&id);
        let known = stored.is_some_and(|stored| stored.iter().any(|stored| tool::hex(stored) == value));
        if known || value == "damaged" || value == "lost" {
            Ok(())
        } else {
            Err(format!("{key} was never stored").into())
        }
    }
}

impl Mounted {
    fn compare(&self, answer: &Value) -> Result<(), Failure> {
        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
        let pages = number("sequence")
            .checked_sub(number("oldest"))
            .map(|pages| pages + 1);
        if pages != Some(u64::from(self.pages_in_use)) {
            return Err(format!("the reader has {pages:?} pages, the store {}", self.pages_in_use).into());
        }
        let generation = self.generation.map_or(number("generation"), u64::from);
        if number("generation") != generation {
            return Err(format!("the user key's generation is {generation}").into());
        }
        // A mount leaves it to the first write to raise the counter.
        let ahead = number("counter").checked_sub(self.counter);
        if !matches!(ahead, Some(0 | 1)) {
            return Err(format!("the counter is at {}, not {}", self.counter, number("counter")).into());
        }
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, expected: &Expected, found: &Result<Value, String>) {
        let keys = found.as_ref().ok().and_then(Value::as_array);
        let Some(whole) = &expected.flipped_from else {
            self.images += 1;
            self.keys += keys.map_or(0, Vec::len);
            self.refusals += usize::from(found.is_err());
            return;
        };
        self.flips += 1;
        if found == whole {
            self.flips_unnoticed += 1;
        } else if found.is_err() {
            self.flips_refused += 1;
        } else if has_values(found, &["damaged", "lost"]) {
            self.flips_damaged += 1;
        } else {
            self.flips_older += 1;
        }
    }
}

/// Whether one of the keys has one of these values.
fn has_values(contents: &Result<Value, String>, values: &[&str]) -> bool {
    let keys = contents.as_ref().ok().and_then(Value::as_array);
    let value = |key: &Value| key.get(3).and_then(Value::as_str).map(str::to_owned);
    let mut found = keys.into_iter().flatten().filter_map(value);
    found.any(|value| values.contains(&value.as_str()))
}
