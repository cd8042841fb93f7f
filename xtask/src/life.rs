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
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
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
        for loader in loaders(&map) {
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

/// The boot loaders that a board is tried with.
fn loaders(map: &Map) -> &'static [&'static str] {
    if map.name == CONTROLLED {
        &LOADERS
    } else {
        &LOADERS[..1]
    }
}

/// What builds the boot loaders and the images of a board.
pub(crate) fn commands(source: &Source, map: &Map) -> Result<[Command; 2], Failure> {
    let mut boot = image::build_from(source, "bootloader", map.target)?;
    let mut images = image::build_from(source, map.application, map.target)?;
    for name in loaders(map) {
        boot.args(["--bin", name]);
    }
    for name in names(map) {
        images.args(["--bin", name]);
    }
    for command in [&mut boot, &mut images] {
        command.env("BOARD", map.name);
        rustc::wrap(command, &source.root)?;
    }
    Ok([boot, images])
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
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for build in &builds {
        jobs.push(Box::new(|| story(build, plan.seed)));
        if build.map.name == CONTROLLED {
            jobs.push(Box::new(|| warm(build, plan.seed)));
            for (loader, expected) in LEFT_OUT {
                jobs.push(Box::new(move || control(build, loader, expected, plan.seed)));
            }
        }
    }
    share(jobs)?;
    for build in &builds {
        cuts(build, plan)?;
    }
    Ok(())
}

/// Work that can be done beside other: what is to be told of it, or how it failed.
type Job<'j> = Box<dyn FnOnce() -> Result<String, String> + Send + 'j>;

/// Has all of it done, and tells of each when it is.
fn share(jobs: Vec<Job<'_>>) -> Result<(), Failure> {
    let jobs = Mutex::new(jobs.into_iter());
    let next = || jobs.lock().ok()?.next();
    let work = || -> Result<(), String> {
        while let Some(job) = next() {
            print!("{}", job()?);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| "a worker died".to_owned())??;
        }
        Ok::<_, String>(())
    })?;
    Ok(())
}

/// One whole life without a cut.
fn story(build: &Build, seed: u64) -> Result<String, String> {
    let (map, begun) = (&build.map, Instant::now());
    let mut told = format!(
        "== boot loader and application on {} ({})\n",
        map.name, map.target
    );
    for (name, image) in names(map).iter().zip(&build.images) {
        told += &format!("   {name}: {} bytes\n", image.len());
    }
    let (lines, lived) = story::tell(build, LOADERS[0], &build.folder.join("story"), seed);
    told += &lines;
    lived.map_err(|error| format!("{error}, after\n{told}"))?;
    Ok(told + &format!("   one whole life: {:.1} s\n", begun.elapsed().as_secs_f32()))
}

/// One whole life under one power: every restart is one of the machine in the emulator.
fn warm(build: &Build, seed: u64) -> Result<String, String> {
    let begun = Instant::now();
    let (lines, lived) = story::tell_warm(build, LOADERS[0], &build.folder.join("warm"), seed);
    let told = format!("== {}, warm restarts\n{lines}", build.map.name);
    lived.map_err(|error| format!("{error}, after\n{told}"))?;
    Ok(told + &format!("   one whole life: {:.1} s\n", begun.elapsed().as_secs_f32()))
}

/// The board of the boot loaders that have to be caught, and of warm restarts.
const CONTROLLED: &str = map::MPS2_AN386.name;
/// These, of which each leaves out one rule, and how it is found.
const LEFT_OUT: [(&str, &str); 2] = [
    (LOADERS[1], story::NOT_REVERTED),
    (LOADERS[2], story::OLD_STARTED),
];

/// A boot loader that leaves out a rule has to be caught.
fn control(build: &Build, loader: &str, expected: &str, seed: u64) -> Result<String, String> {
    match story::tell(
        build,
        loader,
        &build.folder.join(format!("without-{loader}")),
        seed,
    )
    .1
    {
        Err(found) if found.to_string().contains(expected) => {
            Ok(format!("== the boot loader {loader} is caught: {expected}\n"))
        }
        Err(other) => Err(format!("the boot loader {loader}: {other}")),
        Ok(()) => Err(format!("the boot loader {loader} was not caught")),
    }
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
