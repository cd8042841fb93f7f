//! A first device, on Linux: what is flash on a microcontroller are files in the folder `unit`.
//!
//! ```text
//! device make RECORD ENVELOPE IMAGE   the factory: secrets from a unit record, the first release
//! device set-up LABEL PASSWORD        its owner has the label, and chooses a password
//! device login PASSWORD
//! device update ENVELOPE IMAGE        a release, verified, tried and kept
//! device about                        what it tells everybody
//! ```
#![allow(unused_crate_dependencies)]

use std::{env, error::Error, fs, path::Path};

use getrandom::SysRng;
use iotsec::{
    core::{
        cose::Key,
        credential::{Attempt, Exposure, Iterations, ThrottlePolicy, UnitRecord, UserPassword},
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, HkdfSha256, Sha256},
        hal::{
            CounterError, Millis, MonotonicCounter, Region, Slot,
            linux::{FileFlash, FileRootKey, Part},
        },
    },
    device::{Booted, Device, Hardware, Memory, Owned, Product, Suite},
    setup::{Plan, Setup},
    status::About,
    store::{IndexEntry, ReplayProtection},
    telemetry::{detect::AUTH_BURST, registry},
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, TrustAnchor, TrustAnchors,
        boot::{self, BootConfig, Selection, Verified},
        install::{Clean, Finish, State},
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};

/// Made of `iotsec.toml` by `build.rs`.
#[allow(dead_code)]
mod product {
    include!(concat!(env!("OUT_DIR"), "/product.rs"));
}

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;
type Unit<'d, S = Owned> = Device<'d, S, &'d mut FileFlash, SysRng, 16>;

// What it reports: guesses that come too fast.
registry!(static EVENTS = [AUTH_BURST]);

/// The public half of the key that `iotsec key new maker` made.
const MAKER: &[u8] = include_bytes!("maker.pub");
const FOLDER: &str = "unit";
const PARTS: [(&str, u32); 4] = [("keys", 16), ("slot-a", 17), ("slot-b", 17), ("journal", 3)];
const PAGE: u32 = 4096;
/// In the life of a program that runs for a second, it is always ten minutes after power-on.
const NOW: Millis = Millis::from_secs(600);

fn main() -> Result {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", record, envelope, image] => make(record, envelope, image),
        ["set-up", label, password] => set_up(label, password),
        ["login", password] => owned(|mut device, _, _| {
            let _owner = device.login(&Attempt::from_text(password)?, NOW)?;
            println!("welcome");
            Ok(())
        }),
        ["update", envelope, image] => update(&fs::read(envelope)?, &fs::read(image)?),
        ["about"] => about(),
        _ => Err("make, set-up, login, update or about: the top of main.rs has their words".into()),
    }
}

/// A blank board, and what the factory puts into it.
fn make(record: &str, envelope: &str, image: &str) -> Result {
    fs::create_dir(FOLDER)?;
    FileRootKey::create(&path("root-key"), &HkdfSha256, &mut SysRng)?;
    for (name, pages) in PARTS {
        Part::create(&path(name), pages * PAGE)?;
    }
    let (mut flash, config) = (flash()?, config()?);
    let (envelope, image) = (fs::read(envelope)?, fs::read(image)?);
    config.layout.slot(Slot::A).provision(&mut flash, &envelope, [&image])?;
    let record = fs::read(record)?;
    let record = UnitRecord::parse(&record)?;
    let password = record.password().ok_or("the record has no password")?;
    with(&mut flash, |product, hardware, memory| {
        let device = Device::<_, _, _, 16>::format(product, hardware, memory)?;
        device
            .provision(record.serial(), &password)
            .map_err(|(_, error)| error)?;
        Ok(())
    })?;
    println!("{} is made", record.serial());
    Ok(())
}

fn set_up(label: &str, password: &str) -> Result {
    with(&mut flash()?, |product, hardware, memory| {
        let Booted::<_, _, 16>::Provisioned(device) = Booted::open(product, hardware, memory)? else {
            return Err("it has an owner".into());
        };
        let mut setup = Setup::begin(device, Plan::local()).map_err(|(_, error)| error)?;
        setup.present_label(&Attempt::from_label(label)?, NOW)?;
        let password = UserPassword::new(password, Exposure::Online, &[product::MODEL])?;
        let ready = setup.ready().map_err(|(_, error)| error)?;
        ready
            .claim(&password, Iterations::MCU)
            .map_err(|(_, error)| error)?;
        println!("it is yours");
        Ok(())
    })
}

fn update(envelope: &[u8], image: &[u8]) -> Result {
    owned(|mut device, config, running| {
        let mut upkeep = device.upkeep(config, policy()?, running.running(), Sha256::new())?;
        while upkeep.state() == State::Updated && upkeep.clean()? == Clean::More {}
        let mut session = upkeep.start(envelope, None)?;
        while let Some(wanted) = session.wanted() {
            let rest = &image[usize::try_from(wanted.offset)?..];
            upkeep.write(&mut session, rest)?;
        }
        loop {
            if let Finish::Done(candidate) = upkeep.finish(&mut session)? {
                return Ok(upkeep.install(candidate)?);
            }
        }
    })?;
    // The device restarts, into the release on trial.
    owned(|mut device, config, running| {
        let mut upkeep = device.upkeep(config, policy()?, running.running(), Sha256::new())?;
        upkeep.accept()?;
        println!("release {} runs", running.manifest().sequence.0);
        Ok(())
    })
}

fn about() -> Result {
    let about = About {
        name: product::NAME,
        model: product::MODEL,
        vendor: product::VENDOR,
        version: product::VERSION,
        support_until: Some(product::SUPPORT_UNTIL),
        disclosure_policy: Some(product::DISCLOSURE_POLICY),
    };
    let mut page = String::new();
    about.write_public(&mut page)?;
    println!("{page}");
    Ok(())
}

/// A start: the boot loader verifies what runs, the program opens the device.
fn owned(work: impl FnOnce(Unit<'_>, &BootConfig<'_>, &Verified) -> Result) -> Result {
    let (mut flash, config) = (flash()?, config()?);
    let (mut counter, mut scratch) = (FileCounter("counter"), [0; 4096]);
    let mut rollback = Rollback::new(&mut counter, policy()?);
    let hash = &mut Sha256::new();
    let running = match boot::select(&mut flash, &config, &mut rollback, hash, &mut scratch)? {
        Selection::Boot(image) => image,
        Selection::Recovery { .. } => return Err("nothing authentic to start".into()),
    };
    with(&mut flash, |product, hardware, memory| {
        match Booted::open(product, hardware, memory)? {
            Booted::Owned(device) => work(device, &config, &running),
            _ => Err("it has no owner".into()),
        }
    })
}

fn with<T>(
    flash: &mut FileFlash,
    work: impl for<'d> FnOnce(Product<'d>, Hardware<'d, &'d mut FileFlash, SysRng>, Memory<'d>) -> Result<T>,
) -> Result<T> {
    let root = FileRootKey::open(&path("root-key"), &HkdfSha256)?;
    let (mut counter, mut guard) = (FileCounter("counter"), FileCounter("guard"));
    let (mut index, mut record) = ([IndexEntry::EMPTY; 32], [0; 512]);
    let product = Product {
        store: region(0, 16)?,
        events: EVENTS.hashed(&mut Sha256::new()),
        reserve: 4,
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    };
    let hardware = Hardware {
        flash,
        rng: SysRng,
        counter: &mut counter,
        root: &root,
        replay: ReplayProtection::EachPage(&mut guard),
    };
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    work(product, hardware, memory)
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(FOLDER).join(name)
}

fn flash() -> Result<FileFlash> {
    let parts = PARTS.map(|(name, _)| Part::open(&path(name)));
    Ok(FileFlash::new(parts.into_iter().collect::<std::result::Result<_, _>>()?)?)
}

fn region(page: u32, count: u32) -> Result<Region> {
    Ok(Region::new(page * PAGE, PAGE, count, 16)?)
}

fn policy() -> Result<RollbackPolicy> {
    Ok(RollbackPolicy::new(0)?)
}

/// What the boot loader has: whom it trusts, and which product this is.
fn config() -> Result<BootConfig<'static>> {
    let slot = |page| -> Result<_> {
        Ok(SlotLayout {
            manifest: region(page, 1)?,
            images: [region(page + 1, 16)?],
        })
    };
    let layout = UpdateLayout::new(slot(16)?, slot(33)?, region(50, 3)?)?;
    let key = Ed25519PublicKey::from_bytes(Key::parse(MAKER)?.x())?;
    let key: &_ = Box::leak(Box::new(key));
    let anchors = Box::leak(Box::new([TrustAnchor { key, kid: None }]));
    let components = Box::leak(Box::new([DeviceComponent {
        id: ComponentId::from_encoded(&[0x81, 0x41, 0x00])?,
        capacity: 16 * PAGE,
        slot: None,
    }]));
    let device = DeviceIdentity {
        vendor: product::VENDOR_ID,
        class: product::CLASS_ID,
        device: None,
        components,
    };
    Ok(BootConfig::new(layout, TrustAnchors::new(anchors, 1)?, device))
}

/// A number in a file that only rises, in place of fuses or of a TPM.
struct FileCounter(&'static str);

impl MonotonicCounter for FileCounter {
    fn read(&mut self) -> std::result::Result<u64, CounterError> {
        let text = fs::read_to_string(path(self.0)).unwrap_or_default();
        Ok(text.parse().unwrap_or(0))
    }

    fn advance_to(&mut self, value: u64) -> std::result::Result<(), CounterError> {
        let value = self.read()?.max(value);
        fs::write(path(self.0), value.to_string()).map_err(|_| CounterError::Unreadable)
    }
}
