//! The life of a device whose boot loader and application are two images on an emulated board: set up, used, updated
//! over a serial link, and cut off from power at any moment.

// Built for the device, and here: what both must know alike.
#[allow(unreachable_pub, reason = "public in the images")]
#[path = "../../firmware/application/src/events.rs"]
mod events;
mod factory;
#[allow(unreachable_pub, reason = "public in the images")]
#[path = "../../firmware/parts/src/key.rs"]
mod key;
mod machine;
#[allow(
    unreachable_pub,
    dead_code,
    reason = "public in the images, and some is for them alone"
)]
#[path = "../../firmware/board/src/map.rs"]
pub(crate) mod map;
#[allow(
    unreachable_pub,
    dead_code,
    reason = "public in the images, and some is for them alone"
)]
#[path = "../../firmware/board/src/message.rs"]
mod message;
mod owner;
mod random;
mod story;
#[allow(unreachable_pub, reason = "public in the images")]
#[path = "../../firmware/application/src/unit.rs"]
mod unit;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use factory::Release;
use map::Map;
use random::Random;

use crate::{
    elf,
    image::{self, Source},
    rustc,
    tool::{self, Failure},
};

/// Emulators that run at a time.
const WORKERS: usize = 2;

/// How a board is tried.
pub(crate) struct Plan<'p> {
    /// Power cuts on each board.
    pub(crate) cuts: usize,
    /// What everything random begins with.
    pub(crate) seed: u64,
    /// The one board, or all.
    pub(crate) board: Option<&'p str>,
}

/// What is built for a board.
struct Build {
    map: Map,
    /// Where its boot loaders are, and its lives are lived.
    folder: PathBuf,
    /// Build 1 for slot A, and build 2 for slot B if that has room for an image.
    images: Vec<Vec<u8>>,
}

/// The boot loader, and those of which each leaves out one rule.
const LOADERS: [&str; 3] = ["boot", "never_reverts", "ignores_counter"];
/// Builds 1 and 2.
const IMAGES: [&str; 2] = ["v1", "v2"];

impl Build {
    fn make(root: &Path, map: Map) -> Result<Self, Failure> {
        let source = Source::of(root);
        let folder = root.join("target/life").join(map.name);
        fs::create_dir_all(&folder)?;
        for command in commands(&source, &map)? {
            tool::run(&mut { command })?;
        }
        // The next board of the same core is built in their place.
        for loader in LOADERS {
            fs::copy(image::path(root, map.target, loader), folder.join(loader))?;
        }
        let mut images = Vec::new();
        for (slot, name) in names(&map).iter().enumerate() {
            let file = fs::read(image::path(root, map.target, name))?;
            let bytes = elf::loaded(&file, map.entry(slot))?;
            if bytes.len() > map.room(slot) as usize {
                return Err(format!("{name} is not linked for slot {slot}").into());
            }
            images.push(bytes);
        }
        Ok(Self { map, folder, images })
    }

    /// The boot loader called `name`.
    fn loader(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A release for slot 0 or 1.
    fn release(&self, slot: usize, sequence: u64) -> Result<Release, Failure> {
        Release::sign(slot, sequence, &self.images[slot])
    }
}

/// The images that a board has room for.
pub(crate) fn names(map: &Map) -> &'static [&'static str] {
    match (map.is_whole(), map.has_two_slots()) {
        (false, _) => &["parts"],
        (true, false) => &IMAGES[..1],
        (true, true) => &IMAGES,
    }
}

/// What builds the boot loaders and the images of a board.
pub(crate) fn commands(source: &Source, map: &Map) -> Result<[Command; 2], Failure> {
    let mut loaders = image::build_from(source, "bootloader", map.target)?;
    let mut images = image::build_from(source, map.application, map.target)?;
    for name in names(map) {
        images.args(["--bin", name]);
    }
    for command in [&mut loaders, &mut images] {
        command.env("BOARD", map.name);
        rustc::wrap(command, &source.root)?;
    }
    Ok([loaders, images])
}

/// Lives one life on each board without a cut and others with some, and with boot loaders that leave something out.
pub(crate) fn run(root: &Path, plan: &Plan<'_>) -> Result<(), Failure> {
    let mut builds = Vec::new();
    for map in map::BOARDS {
        if plan.board.is_none_or(|board| board == map.name) {
            builds.push(Build::make(root, map)?);
        }
    }
    if builds.is_empty() {
        let names: Vec<_> = map::BOARDS.iter().map(|map| map.name).collect();
        return Err(format!("boards are: {}", names.join(", ")).into());
    }
    for build in &builds {
        let map = &build.map;
        println!("== boot loader and application on {} ({})", map.name, map.target);
        for (name, image) in names(map).iter().zip(&build.images) {
            println!("   {name}: {} bytes", image.len());
        }
        let begun = Instant::now();
        story::tell(build, "boot", &build.folder.join("story"), plan.seed, true)?;
        println!("   one whole life: {:.1} s", begun.elapsed().as_secs_f32());
    }
    if let Some(build) = builds.iter().find(|build| build.map.name == CONTROLLED) {
        controls(build, plan.seed)?;
    }
    for build in &builds {
        cuts(build, plan)?;
    }
    Ok(())
}

/// The board of the boot loaders that have to be caught.
const CONTROLLED: &str = map::MPS2_AN386.name;

/// Boot loaders of which each leaves out one rule have to be caught.
fn controls(build: &Build, seed: u64) -> Result<(), Failure> {
    for (loader, expected) in [
        ("never_reverts", story::NOT_REVERTED),
        ("ignores_counter", story::OLD_STARTED),
    ] {
        match story::tell(build, loader, &build.folder.join("control"), seed, false) {
            Err(found) if found.to_string().contains(expected) => {
                println!("== the boot loader {loader} is caught: {expected}");
            }
            Err(other) => return Err(format!("the boot loader {loader}: {other}").into()),
            Ok(()) => return Err(format!("the boot loader {loader} was not caught").into()),
        }
    }
    Ok(())
}

/// Lives lives with power cuts until there were enough of them.
fn cuts(build: &Build, plan: &Plan<'_>) -> Result<(), Failure> {
    let begun = Instant::now();
    let (lives, done, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let work = |worker: usize| -> Result<owner::Tally, String> {
        let mut tally = owner::Tally::default();
        while done.load(Ordering::Relaxed) < plan.cuts && !stop.load(Ordering::Relaxed) {
            let life = lives.fetch_add(1, Ordering::Relaxed) as u64;
            let seed = Random::new(plan.seed).fork(life);
            let folder = build.folder.join(format!("worker-{worker}"));
            let lived = owner::live(build, &folder, Random::new(seed));
            let lived = lived.map_err(|error| {
                stop.store(true, Ordering::Relaxed);
                format!("{}, seed {} life {life}: {error}", build.map.name, plan.seed)
            })?;
            done.fetch_add(lived.cuts(), Ordering::Relaxed);
            tally.add(&lived);
        }
        Ok(tally)
    };
    let mut tally = owner::Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        for worker in workers {
            let done = worker.join().map_err(|_| "a worker died".to_owned())?;
            tally.add(&done?);
        }
        Ok::<_, String>(())
    })?;
    println!(
        "== {}, seed {}: {} lives with {tally}; {:.0} s",
        build.map.name,
        plan.seed,
        lives.load(Ordering::Relaxed),
        begun.elapsed().as_secs_f32(),
    );
    Ok(())
}

/// No answer takes longer, not even one for which a password is stretched on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
