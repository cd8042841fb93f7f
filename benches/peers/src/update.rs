//! An installation of ours, and verification by `tough`, the client of The Update Framework, of a target that
//! is the same bytes: measured in turns in one process, the least of each counts.
//!
//! Ours authenticates an envelope, admits it, and streams the image into flash that is memory, from where it
//! reads it back. `tough` loads and verifies the four roles of a repository, and collects the verified target
//! in memory; from files, as it comes, and from memory, where reading them costs neither of the two anything.
//! Both sides check Ed25519 and hash with SHA-256, each with the library that it brings.

#[path = "../../update/device.rs"]
mod device;
mod memory;
#[path = "../../update/ram_flash.rs"]
mod ram_flash;
mod repository;
#[path = "../../update/stopwatch.rs"]
mod stopwatch;

use std::time::{Duration, Instant};

use device::{Device, Result};
use memory::Memory;
use repository::Repository;
use stopwatch::{Stopwatch, Table};
use tough::{FilesystemTransport, Transport};

const SIZE: usize = 1024 * 1024;
const CHUNK: usize = 4096;
const ROUNDS: usize = 50;

/// What `tough` took for the metadata and for the target.
#[derive(Clone, Copy)]
struct Spent {
    load: Duration,
    read: Duration,
}

impl Spent {
    const MOST: Self = Self {
        load: Duration::MAX,
        read: Duration::MAX,
    };

    fn least(self, other: Self) -> Self {
        Self {
            load: self.load.min(other.load),
            read: self.read.min(other.read),
        }
    }
}

pub(crate) fn run() -> Result<()> {
    let device = Device::new(SIZE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let repository = runtime.block_on(Repository::write(&device.image))?;
    let memory = Memory::of(&repository)?;

    let mut stopwatch = Stopwatch::new(&device)?;
    let (mut hashing, mut traffic) = (Duration::MAX, Duration::MAX);
    let (mut streaming, mut admission, mut booting) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let (mut files, mut in_memory) = (Spent::MOST, Spent::MOST);
    for _ in 0..ROUNDS {
        hashing = hashing.min(stopwatch.hash());
        traffic = traffic.min(stopwatch.traffic(CHUNK)?);
        let times = stopwatch.install(CHUNK)?;
        streaming = streaming.min(times.streaming);
        admission = admission.min(times.admission);
        booting = booting.min(stopwatch.boot()?);
        files = files.least(runtime.block_on(verify(&repository, FilesystemTransport, &device.image))?);
        in_memory = in_memory.least(runtime.block_on(verify(&repository, memory.clone(), &device.image))?);
    }

    println!(
        "image and target of {} KiB; iotsec: from chunks of {CHUNK} bytes into flash that is memory, and read back;\n\
         tough: into memory, without reading it back; ratio: time of SHA-256 over time of the row\n",
        SIZE / 1024
    );
    let table = Table::new(SIZE, hashing);
    table.row("iotsec: stream and read back", streaming);
    table.row(
        "  without what the flash takes",
        streaming.saturating_sub(traffic),
    );
    table.row(
        "iotsec: authenticate and admit, then stream",
        admission + streaming,
    );
    table.row("iotsec: boot", booting);
    table.row("tough, in memory: read_target", in_memory.read);
    table.row(
        "tough, in memory: load, then read_target",
        in_memory.load + in_memory.read,
    );
    table.row("tough, from files: read_target", files.read);
    table.row(
        "tough, from files: load, then read_target",
        files.load + files.read,
    );
    println!(
        "\nmetadata and signatures alone: iotsec {} µs, tough {} µs in memory, {} µs from files",
        admission.as_micros(),
        in_memory.load.as_micros(),
        files.load.as_micros()
    );
    Ok(())
}

async fn verify<T>(repository: &Repository, transport: T, image: &[u8]) -> Result<Spent>
where
    T: Transport + Send + Sync + 'static,
{
    let start = Instant::now();
    let loaded = repository.load(transport).await?;
    let load = start.elapsed();
    let start = Instant::now();
    let target = repository.read(&loaded).await?;
    let read = start.elapsed();
    assert!(target == image, "the target is not the image");
    Ok(Spent { load, read })
}
