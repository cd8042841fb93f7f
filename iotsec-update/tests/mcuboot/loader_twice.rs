//! The boot loader looks twice, and believes what it sees only if it is the same.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use iotsec_core::{
    crypto::{Ed25519PublicKey, Sha256, Sign, Verify},
    hal::{CounterError, MonotonicCounter},
};
use iotsec_testkit::{SimCounter, SimFlash, SimFlashError};
use iotsec_update::mcuboot::{Hashes, Loader, Selection, Startable, select};

use super::device::{CLASS, Device, MAKER, Release, VENDOR, key, release};

const LEN: usize = 700;

fn old() -> Release {
    release((1, 0, 0), 1, LEN)
}

/// A flash with a byte that reads otherwise from the second time on.
struct Shifty {
    flash: SimFlash,
    at: u32,
    reads: u32,
    /// Reads that tell the truth.
    honest: u32,
}

impl ErrorType for Shifty {
    type Error = SimFlashError;
}

impl ReadNorFlash for Shifty {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimFlashError> {
        self.flash.read(offset, bytes)?;
        let index = self
            .at
            .checked_sub(offset)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
            self.reads += 1;
            if self.reads > self.honest {
                *byte ^= 1;
            }
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl NorFlash for Shifty {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimFlashError> {
        self.flash.erase(from, to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimFlashError> {
        self.flash.write(offset, bytes)
    }
}

/// What starts from a flash that lies about this byte after so many honest reads.
fn starts_in_spite_of(at: usize, honest: u32) -> Option<Startable> {
    let device = Device::small().with_factory(&old());
    let mut flash = Shifty {
        flash: device.flash.clone(),
        at: u32::try_from(at).unwrap(),
        reads: 0,
        honest,
    };
    let public = Ed25519PublicKey::from_bytes(key(MAKER).public_key()).unwrap();
    let keys: [&dyn Verify; 1] = [&public];
    let loader = Loader {
        vendor: Some(VENDOR),
        class: Some(CLASS),
        ..Loader::new(device.a, device.b, &keys)
    };
    let (mut counter, mut sha256) = (SimCounter::new(), Sha256::new());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: None,
    };
    match select(&mut flash, &loader, &mut counter, &mut hashes).unwrap() {
        Selection::Boot(image) => Some(image),
        Selection::Recovery { .. } => None,
    }
}

#[test]
fn t15_what_the_second_look_reads_must_be_what_the_first_one_read() {
    let end = old().bytes.len();
    let (unprotected, protected) = (end - 4 - 36 - 36 - 68, 32 + LEN);
    for at in (0..32).chain(protected..end) {
        let is_header = at < 32;
        // The header is read once more, to know the version.
        let honest = if is_header { 2 } else { 1 };
        let image = starts_in_spite_of(at, honest);
        let means_nothing = matches!(at, 4..8 | 20..28);
        assert_eq!(image.is_some(), means_nothing, "byte {at}");
        assert!(
            starts_in_spite_of(at, honest + 1).is_some_and(|image| image.is_proven()),
            "byte {at}"
        );
    }
    assert!(unprotected > protected);
    // The payload is read once.
    for at in 32..protected {
        if at % 50 == 0 {
            assert!(starts_in_spite_of(at, 1).is_some_and(|image| image.is_proven()));
        }
    }
}

/// A counter that is raised behind the boot loader's back after so many readings.
struct Rising {
    reads: u32,
    at: u32,
}

impl MonotonicCounter for Rising {
    fn read(&mut self) -> Result<u64, CounterError> {
        self.reads += 1;
        Ok(if self.reads > self.at { 2 } else { 1 })
    }
    fn advance_to(&mut self, _: u64) -> Result<(), CounterError> {
        Ok(())
    }
}

#[test]
fn the_counter_is_compared_twice() {
    let mut device = Device::small().with_factory(&old());
    let public = Ed25519PublicKey::from_bytes(key(MAKER).public_key()).unwrap();
    let keys: [&dyn Verify; 1] = [&public];
    let loader = Loader {
        vendor: Some(VENDOR),
        class: Some(CLASS),
        ..Loader::new(device.a, device.b, &keys)
    };
    let mut starts = |at| {
        let mut sha256 = Sha256::new();
        let mut hashes = Hashes {
            sha256: &mut sha256,
            sha512: None,
        };
        let mut counter = Rising { reads: 0, at };
        select(&mut device.flash, &loader, &mut counter, &mut hashes).unwrap()
    };
    // Once to know that it can be read, and once for each look.
    assert!(matches!(starts(1), Selection::Recovery { .. }));
    assert!(matches!(starts(2), Selection::Recovery { .. }));
    assert!(matches!(starts(3), Selection::Boot(image) if image.is_proven()));
}
