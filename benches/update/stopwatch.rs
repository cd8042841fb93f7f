//! What is timed, in memory, and the table that it goes into.

use std::time::{Duration, Instant};

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec::core::{crypto::Sha256, hal::Slot};
use iotsec::update::boot::Verified;

use super::{
    device::{Device, Result, Times},
    ram_flash::RamFlash,
};

/// A device as the factory left it, and the flash that it is measured with.
pub(crate) struct Stopwatch<'d> {
    device: &'d Device,
    factory: RamFlash,
    running: Verified,
    flash: RamFlash,
}

impl<'d> Stopwatch<'d> {
    pub(crate) fn new(device: &'d Device) -> Result<Self> {
        let mut factory = RamFlash::new(device.pages());
        device.provision(&mut factory)?;
        let running = device.boot(&mut factory)?;
        Ok(Self {
            device,
            flash: factory.clone(),
            factory,
            running,
        })
    }

    /// One pass of SHA-256 over the image.
    pub(crate) fn hash(&self) -> Duration {
        let start = Instant::now();
        std::hint::black_box(Sha256::of(&[&self.device.image]));
        start.elapsed()
    }

    /// What an installation from chunks of `chunk` bytes has the flash do with the image, and nothing else.
    /// Done twice, and the second time counts: what is taken off an installation must not be too much.
    pub(crate) fn traffic(&mut self, chunk: usize) -> Result<Duration> {
        self.touch(chunk)?;
        let start = Instant::now();
        self.touch(chunk)?;
        Ok(start.elapsed())
    }

    fn touch(&mut self, chunk: usize) -> Result<()> {
        let region = self.device.slot(Slot::B);
        let flash = &mut self.flash;
        let mut block = [0; 256];
        let mut at = region.start();
        for page in self.device.image.chunks(RamFlash::ERASE_SIZE) {
            flash.erase(at, at + region.page_size()).map_err(failed)?;
            for chunk in page.chunks(chunk) {
                flash.write(at, chunk).map_err(failed)?;
                for part in chunk.chunks(block.len()) {
                    let block = block.get_mut(..part.len()).unwrap_or_default();
                    flash.read(at, block).map_err(failed)?;
                    std::hint::black_box(block);
                    at += u32::try_from(part.len())?;
                }
            }
        }
        Ok(())
    }

    /// An installation from chunks of `chunk` bytes.
    pub(crate) fn install(&mut self, chunk: usize) -> Result<Times> {
        self.flash.copy_from(&self.factory);
        self.device.install(&mut self.flash, &self.running, chunk)
    }

    /// The boot that follows the installation.
    pub(crate) fn boot(&mut self) -> Result<Duration> {
        let start = Instant::now();
        let trial = self.device.boot(&mut self.flash)?;
        let time = start.elapsed();
        assert_eq!(trial.slot(), Slot::B);
        Ok(time)
    }
}

fn failed(error: embedded_storage::nor_flash::NorFlashErrorKind) -> String {
    format!("flash: {error:?}")
}

/// Times of the same bytes, each with the ratio to it of the time that SHA-256 took of them.
pub(crate) struct Table {
    bytes: usize,
    hashing: Duration,
}

impl Table {
    /// Starts with the time that SHA-256 took of `bytes`.
    pub(crate) fn new(bytes: usize, hashing: Duration) -> Self {
        println!("{:<44}{:>9}{:>9}{:>9}", "time", "µs", "MB/s", "ratio");
        let table = Self { bytes, hashing };
        table.row("SHA-256 of the image", hashing);
        table
    }

    #[allow(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
    pub(crate) fn row(&self, name: &str, time: Duration) {
        let micros = time.as_secs_f64() * 1e6;
        let speed = self.bytes as f64 / micros;
        let ratio = self.hashing.as_secs_f64() / time.as_secs_f64();
        println!("{name:<44}{micros:>9.0}{speed:>9.0}{ratio:>9.2}");
    }
}
