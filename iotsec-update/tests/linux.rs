//! Partitions as flash, and a boot loader that is told through its environment.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::hal::{BootControl, Region, Slot, Trial};
use iotsec_testkit::conformance;
use iotsec_update::linux::{BootOrder, Environment, FileError, FileFlash, LinuxError, Part, Place};

const SIZE: usize = 256;

/// A folder of its own that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("iotsec-linux-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    /// Two copies in one file, as on an eMMC.
    fn places(&self) -> [Place; 2] {
        [16, 16 + 1024].map(|offset| Place {
            path: self.join("env"),
            offset,
        })
    }
    fn fresh(&self) -> Environment {
        fs::write(self.join("env"), vec![0x5A; 2048]).unwrap();
        Environment::create(self.places(), SIZE).unwrap()
    }
    fn open(&self) -> Result<Environment, LinuxError> {
        Environment::open(self.places(), SIZE)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn parts_are_a_flash_like_any_other() {
    let folder = Folder::new();
    let mut flash = FileFlash::new(vec![
        Part::create(&folder.join("a"), 0x4000).unwrap().streamed(),
        Part::create(&folder.join("b"), 0x2000).unwrap(),
    ])
    .unwrap();
    for (start, pages, word) in [(0, 4, 16), (0x4000, 2, 1)] {
        let region = Region::new(start, 4096, pages, word).unwrap();
        conformance::check(&mut flash, &region).unwrap();
    }
    assert_eq!((flash.start(1), flash.start(2)), (Some(0x4000), None));

    // The border of two parts is no place, and neither is the end.
    assert_eq!(flash.write(0x3FFC, &[0; 8]), Err(FileError::OutOfBounds));
    assert_eq!(flash.erase(0x3000, 0x5000), Err(FileError::OutOfBounds));
    assert_eq!(flash.read(0x6000, &mut [0]), Err(FileError::OutOfBounds));
    assert_eq!(flash.read(u32::MAX, &mut [0; 2]), Err(FileError::OutOfBounds));

    flash.erase(0, 0x6000 - 0x2000).unwrap();
    flash.write(0x10, b"image").unwrap();
    flash.write(0x4010, b"journal").unwrap();
    drop(flash);
    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(&file("a")[0x10..0x15], b"image");
    assert_eq!(&file("b")[0x10..0x17], b"journal");
}

#[test]
fn two_updaters_do_not_share_a_slot() {
    let folder = Folder::new();
    let path = folder.join("slot");
    let first = Part::create(&path, 4096).unwrap();
    assert_eq!(Part::open(&path).err(), Some(FileError::Busy));
    drop(first);
    assert!(Part::open(&path).is_ok());
    assert!(
        matches!(Part::create(&path, 4096), Err(FileError::Io(_))),
        "it is there"
    );
}

#[test]
fn variables_are_kept_in_the_order_and_the_words_in_which_they_were() {
    let folder = Folder::new();
    let mut environment = folder.fresh();
    environment.set("bootcmd", "run a=b; boot").unwrap();
    environment.set("empty", "").unwrap();
    environment.write().unwrap();
    let mut environment = folder.open().unwrap();
    assert_eq!(environment.get("bootcmd"), Some("run a=b; boot"));
    assert_eq!(environment.get("empty"), Some(""));
    assert_eq!(environment.get("boot"), None);
    environment.set("empty", "no more").unwrap();
    environment.write().unwrap();
    let bytes = fs::read(folder.join("env")).unwrap();
    // The first and then the second copy were written, with counters 1 and 2, between what is not theirs.
    assert_eq!((bytes[16 + 4], bytes[16 + 1024 + 4]), (1, 2));
    assert!(
        bytes[..16]
            .iter()
            .chain(&bytes[16 + SIZE..16 + 1024])
            .all(|b| *b == 0x5A)
    );
    assert_eq!(
        &bytes[16 + 1024 + 5..][..39],
        b"bootcmd=run a=b; boot\0empty=no more\0\0\0\0"
    );

    assert_eq!(environment.set("a=b", "c"), Err(LinuxError::Value));
    assert_eq!(environment.set("", "c"), Err(LinuxError::Value));
    assert_eq!(environment.set("a", "b\0c=d"), Err(LinuxError::Value));
    environment.set("long", &"x".repeat(SIZE)).unwrap();
    assert_eq!(environment.write(), Err(LinuxError::Full));
    assert_eq!(folder.open().unwrap().get("long"), None);
}

#[test]
fn a_write_that_is_cut_at_any_byte_leaves_the_old_variables_or_the_new_ones() {
    let folder = Folder::new();
    let mut environment = folder.fresh();
    let mut cuts = 0;
    // Into either copy.
    for round in 0..2_u32 {
        environment.set("BOOT_ORDER", &format!("old {round}")).unwrap();
        environment.write().unwrap();
        let old = fs::read(folder.join("env")).unwrap();
        let mut next = environment.clone();
        next.set("BOOT_ORDER", &format!("new {round}")).unwrap();
        next.write().unwrap();
        let new = fs::read(folder.join("env")).unwrap();
        let judge = |bytes: &[u8], again: bool| {
            fs::write(folder.join("env"), bytes).unwrap();
            let mut left = folder.open().unwrap();
            let value = left.get("BOOT_ORDER").unwrap().to_owned();
            assert!(
                value.ends_with(&round.to_string()) && (value.starts_with("old") || value.starts_with("new"))
            );
            // And what is left can be written again, whichever it is. Waiting for the disk takes its time.
            if again {
                left.set("BOOT_ORDER", "again").unwrap();
                left.write().unwrap();
                assert_eq!(folder.open().unwrap().get("BOOT_ORDER"), Some("again"));
            }
            value
        };
        let from = old.iter().zip(&new).position(|(a, b)| a != b).unwrap();
        let to = old.len()
            - old
                .iter()
                .rev()
                .zip(new.iter().rev())
                .position(|(a, b)| a != b)
                .unwrap();
        let copy = if from < 1040 {
            16..16 + SIZE
        } else {
            1040..1040 + SIZE
        };
        for cut in copy.clone() {
            // A prefix, a suffix (blocks are written in any order), and garbage where it was cut.
            let prefix = [&new[..cut], &old[cut..]].concat();
            let value = judge(&prefix, cut % 16 == 0);
            assert_eq!(value.starts_with("new"), cut >= to, "cut at {cut}");
            let suffix = [&old[..cut], &new[cut..]].concat();
            assert_eq!(
                judge(&suffix, cut % 16 == 5).starts_with("new"),
                cut <= from,
                "cut at {cut}"
            );
            let mut garbage = prefix;
            garbage[cut] = !new[cut];
            assert!(judge(&garbage, false).starts_with("old"));
            cuts += 3;
        }
        if copy.start > 1024 {
            // The file may have been left short.
            for len in copy {
                judge(&new[..len], len % 16 == 0);
                cuts += 1;
            }
        }
        fs::write(folder.join("env"), &new).unwrap();
        environment = folder.open().unwrap();
    }
    println!("{cuts} cuts");
    assert!(cuts > 2 * 3 * SIZE);
}

#[test]
fn the_counter_goes_round() {
    let folder = Folder::new();
    let mut environment = folder.fresh();
    environment.write().unwrap();
    environment.write().unwrap();
    // The counter is not under the checksum.
    let mut bytes = fs::read(folder.join("env")).unwrap();
    (bytes[16 + 4], bytes[16 + 1024 + 4]) = (252, 253);
    fs::write(folder.join("env"), &bytes).unwrap();
    let mut counters = Vec::new();
    for number in 0..6_u32 {
        environment = folder.open().unwrap();
        environment.set("n", &number.to_string()).unwrap();
        environment.write().unwrap();
        assert_eq!(folder.open().unwrap().get("n"), Some(number.to_string().as_str()));
        let bytes = fs::read(folder.join("env")).unwrap();
        counters.push(bytes[16 + 4 + 1024 * (number as usize % 2)]);
    }
    assert_eq!(counters, [254, 255, 0, 1, 2, 3]);
}

#[test]
fn without_a_whole_copy_there_is_no_environment() {
    let folder = Folder::new();
    let mut environment = folder.fresh();
    assert_eq!(folder.open().err(), Some(LinuxError::NoEnvironment));
    environment.set("a", "b").unwrap();
    environment.write().unwrap();
    let bytes = fs::read(folder.join("env")).unwrap();
    for at in 16..16 + SIZE {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(folder.join("env"), &damaged).unwrap();
        // The counter alone is not under the checksum.
        assert_eq!(folder.open().is_ok(), at == 16 + 4, "byte {at}");
    }
    // A checksum that fits over a list without an end, or an entry without a value.
    for data in [b'x', b'=', 0xFF] {
        let mut image = vec![data; SIZE - 5];
        if data == b'x' {
            image[200..].fill(0);
        }
        let crc = crc32(&image).to_le_bytes();
        let image = [&crc[..], &[1], &image].concat();
        let mut damaged = bytes.clone();
        damaged[16..16 + SIZE].copy_from_slice(&image);
        fs::write(folder.join("env"), &damaged).unwrap();
        assert_eq!(folder.open().err(), Some(LinuxError::NoEnvironment));
    }
    assert!(Environment::open([missing(&folder.0), missing(&folder.0)], SIZE).is_err());
    assert_eq!(
        Environment::create(folder.places(), 8).err(),
        Some(LinuxError::Size)
    );
}

fn missing(folder: &Path) -> Place {
    Place {
        path: folder.join("missing"),
        offset: 0,
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}

/// A boot script for RAUC's variables: the first slot of the order that has boots left.
fn boot(folder: &Folder) -> Option<Slot> {
    let mut environment = folder.open().unwrap();
    let order = environment.get("BOOT_ORDER").unwrap().to_owned();
    for slot in order.split(' ') {
        let left = format!("BOOT_{slot}_LEFT");
        let boots = u8::from_str_radix(environment.get(&left).unwrap_or("3"), 16).unwrap();
        if boots > 0 {
            environment.set(&left, &format!("{:x}", boots - 1)).unwrap();
            environment.write().unwrap();
            return Some(if slot == "A" { Slot::A } else { Slot::B });
        }
    }
    None
}

#[test]
fn a_trial_ends_by_itself_unless_it_is_confirmed() {
    for (trials, confirmed) in [(1, false), (1, true), (2, false), (3, true)] {
        let folder = Folder::new();
        folder.fresh().write().unwrap();
        let control = |running| {
            let environment = folder.open().unwrap();
            BootOrder::new(environment, running).with_trial_boots(trials)
        };
        control(Slot::A).select(Slot::A, Trial::Permanent).unwrap();
        // An image that says so after every boot stays for ever.
        for _ in 0..20 {
            assert_eq!(boot(&folder), Some(Slot::A));
            control(Slot::A).select(Slot::A, Trial::Permanent).unwrap();
        }
        control(Slot::A).select(Slot::B, Trial::Once).unwrap();
        for _ in 0..trials {
            assert_eq!(boot(&folder), Some(Slot::B));
        }
        if confirmed {
            control(Slot::B).select(Slot::B, Trial::Permanent).unwrap();
            assert_eq!(boot(&folder), Some(Slot::B));
        } else {
            assert_eq!(boot(&folder), Some(Slot::A));
            control(Slot::A).select(Slot::A, Trial::Permanent).unwrap();
            // Also when the old one fails later, what failed its trial is not tried again.
            for _ in 0..3 {
                assert_eq!(boot(&folder), Some(Slot::A));
            }
            assert_eq!(boot(&folder), None);
        }
    }
}

#[test]
fn a_choice_that_stands_is_not_written_again() {
    let folder = Folder::new();
    folder.fresh().write().unwrap();
    let mut control = BootOrder::new(folder.open().unwrap(), Slot::B);
    control.select(Slot::B, Trial::Permanent).unwrap();
    let before = fs::read(folder.join("env")).unwrap();
    control.select(Slot::B, Trial::Permanent).unwrap();
    assert_eq!(fs::read(folder.join("env")).unwrap(), before);
    assert!(control.select(Slot::B, Trial::Once).is_err());
    assert_eq!(control.failed(), Some(LinuxError::Value));
}
