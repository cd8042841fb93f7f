//! The life of a device whose boot loader and application are two images on an emulated board: set up, used, updated
//! over a serial link, and cut off from power at any moment.

// Built for the device, and here: what both must know alike.
#[allow(unreachable_pub, reason = "public in the images")]
#[path = "../../firmware/application/src/events.rs"]
mod events;
mod factory;
mod machine;
#[allow(
    unreachable_pub,
    dead_code,
    reason = "public in the images, and some is for them alone"
)]
#[path = "../../firmware/board/src/map.rs"]
mod map;
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

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use factory::Release;
use map::Map;
use random::Random;

use crate::{
    elf, image,
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
    folder: PathBuf,
    /// Build 1 for slot A, build 2 for slot B.
    images: [Vec<u8>; 2],
}

impl Build {
    fn make(root: &Path, map: Map) -> Result<Self, Failure> {
        for package in ["bootloader", "application"] {
            tool::run(&mut image::build(root, package, map.target)?)?;
        }
        let image = |slot: usize, name| -> Result<Vec<u8>, Failure> {
            let file = fs::read(image::path(root, map.target, name))?;
            let bytes = elf::loaded(&file, map.entry(slot))?;
            if bytes.len() > (map.image * map.page) as usize {
                return Err(format!("{name} is not linked for slot {slot}").into());
            }
            Ok(bytes)
        };
        Ok(Self {
            map,
            images: [image(0, "v1")?, image(1, "v2")?],
            folder: image::path(root, map.target, ""),
        })
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
    let folder = root.join("target/life");
    for build in &builds {
        let map = &build.map;
        println!("== boot loader and application on {} ({})", map.name, map.target);
        for (name, image) in ["build 1", "build 2"].iter().zip(&build.images) {
            println!("   {name}: {} bytes", image.len());
        }
        let begun = Instant::now();
        story::tell(build, "boot", &folder.join(map.name), plan.seed, true)?;
        println!("   one whole life: {:.1} s", begun.elapsed().as_secs_f32());
    }
    if let Some(build) = builds.iter().find(|build| build.map.name == CONTROLLED) {
        controls(build, &folder, plan.seed)?;
    }
    for build in &builds {
        cuts(build, &folder.join(build.map.name), plan)?;
    }
    Ok(())
}

/// The board of the boot loaders that have to be caught.
const CONTROLLED: &str = map::MPS2_AN386.name;

/// Boot loaders of which each leaves out one rule have to be caught.
fn controls(build: &Build, folder: &Path, seed: u64) -> Result<(), Failure> {
    for (loader, expected) in [
        ("never_reverts", story::NOT_REVERTED),
        ("ignores_counter", story::OLD_STARTED),
    ] {
        match story::tell(build, loader, &folder.join(loader), seed, false) {
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
fn cuts(build: &Build, folder: &Path, plan: &Plan<'_>) -> Result<(), Failure> {
    let begun = Instant::now();
    let (lives, done, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let work = |worker: usize| -> Result<owner::Tally, String> {
        let mut tally = owner::Tally::default();
        while done.load(Ordering::Relaxed) < plan.cuts && !stop.load(Ordering::Relaxed) {
            let life = lives.fetch_add(1, Ordering::Relaxed) as u64;
            let seed = Random::new(plan.seed).fork(life);
            let folder = folder.join(format!("worker-{worker}"));
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
