//! What an update costs: bytes of flash traffic counted, time compared with hashing in the same run.
//!
//! ```text
//! cargo bench --bench update
//! ```
//!
//! An installation hashes the image once, over what it reads back, so SHA-256 of the same bytes is the least
//! that it can take. Times are measured in turns in one process, the least of each counts, and the ratio is
//! the time of SHA-256 over the time of the row. Flash is memory here. Erasing, programming and
//! reading it take time of the processor that a flash would take by itself: the second row of each
//! installation leaves it out.
//!
//! `cargo xtask bench` compares with other implementations as well.

#[path = "update/device.rs"]
mod device;
#[path = "update/ram_flash.rs"]
mod ram_flash;
#[path = "update/stopwatch.rs"]
mod stopwatch;

use std::time::Duration;

use device::{Device, Result};
use iotsec::core::hal::Slot;
use iotsec_testkit::{Geometry, SimFlash, Stats};
use stopwatch::{Stopwatch, Table};

/// Large enough that an envelope and a journal are little beside it.
const SIZE: usize = 1024 * 1024;
const CHUNKS: [usize; 2] = [4096, 1000];
const ROUNDS: usize = 100;

fn main() -> Result<()> {
    let device = Device::new(SIZE)?;
    println!("image of {} KiB, pages of 4 KiB, words of 4 bytes\n", SIZE / 1024);
    counts(&device)?;
    println!();
    times(&device)
}

/// The traffic between processor and flash.
fn counts(device: &Device) -> Result<()> {
    println!(
        "{:<44}{:>9}{:>9}{:>9}",
        "bytes for each byte of the image", "written", "read", "erases"
    );
    for chunk in CHUNKS {
        let mut flash = SimFlash::new(Geometry::nrf52840(device.pages()));
        device.provision(&mut flash)?;
        let running = device.boot(&mut flash)?;
        let before = flash.stats();
        device.install(&mut flash, &running, chunk)?;
        let installed = flash.stats();
        let trial = device.boot(&mut flash)?;
        assert_eq!(trial.slot(), Slot::B);
        count(&format!("install, chunks of {chunk} bytes"), installed - before);
        if chunk == 4096 {
            count("boot", flash.stats() - installed);
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn count(name: &str, stats: Stats) {
    let [written, read] = [stats.bytes_written, stats.bytes_read].map(|bytes| bytes as f64 / SIZE as f64);
    println!("{name:<44}{written:>9.4}{read:>9.4}{:>9}", stats.erases);
}

/// What one way to cut the image into chunks takes.
struct Row {
    chunk: usize,
    traffic: Duration,
    streaming: Duration,
    admission: Duration,
}

/// Time, in memory.
fn times(device: &Device) -> Result<()> {
    let mut stopwatch = Stopwatch::new(device)?;
    let (mut hashing, mut booting) = (Duration::MAX, Duration::MAX);
    let mut rows = CHUNKS.map(|chunk| Row {
        chunk,
        traffic: Duration::MAX,
        streaming: Duration::MAX,
        admission: Duration::MAX,
    });
    for _ in 0..ROUNDS {
        for row in &mut rows {
            hashing = hashing.min(stopwatch.hash());
            row.traffic = row.traffic.min(stopwatch.traffic(row.chunk)?);
            let times = stopwatch.install(row.chunk)?;
            row.streaming = row.streaming.min(times.streaming);
            row.admission = row.admission.min(times.admission);
        }
        booting = booting.min(stopwatch.boot()?);
    }
    let table = Table::new(SIZE, hashing);
    for row in rows {
        table.row(&format!("install, chunks of {} bytes", row.chunk), row.streaming);
        table.row(
            "  without what the flash takes",
            row.streaming.saturating_sub(row.traffic),
        );
        table.row("  with parsing and signature", row.streaming + row.admission);
    }
    table.row("boot", booting);
    Ok(())
}
