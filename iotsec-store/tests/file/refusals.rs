//! Files that are not as they must be.
use std::{
    fs::{self, OpenOptions, Permissions},
    io::ErrorKind,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::{
    crypto::{CryptoError, HkdfSha256},
    hal::{Region, RootKey, RootKeyError},
    secret::Secret,
};
use iotsec_store::linux::{FileError, FileRootKey, NorFile};
use iotsec_testkit::{FailingRng, SimRng, StuckRng, conformance};

use crate::{PROCESSES, folder::Folder};

fn region() -> Region {
    Region::new(0, 4096, 5, 16).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_is_a_flash_like_any_other() {
    let folder = Folder::new();
    for (number, (start, erased)) in [(0, 0xFF), (4096, 0x00)].into_iter().enumerate() {
        let region = Region::new(start, 4096, 5, 16).unwrap().with_erased(erased);
        let mut file = NorFile::create(&folder.join(&number.to_string()), region).unwrap();
        conformance::check(&mut file, &region).unwrap();
    }
}

#[test]
fn a_new_file_belongs_to_its_owner_alone_and_takes_all_its_room() {
    let folder = Folder::new();
    let path = folder.join("keys");
    NorFile::create(&path, region()).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read(&path).unwrap(), vec![0xFF; 5 * 4096]);
    let room = fs::metadata(&path).unwrap().blocks() * 512;
    assert!(room >= 5 * 4096, "{room} bytes are allocated");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing else is left"
    );
}

#[test]
fn a_file_that_others_may_read_or_write_is_refused() {
    let folder = Folder::new();
    let (store, key) = (folder.join("keys"), folder.join("root-key"));
    NorFile::create(&store, region()).unwrap();
    FileRootKey::create(&key, &HkdfSha256, &mut SimRng::new(1)).unwrap();
    for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
        for path in [&store, &key] {
            set_mode(path, 0o600 | bit);
        }
        assert_eq!(
            NorFile::open(&store, region()).err(),
            Some(FileError::Permissions)
        );
        let root = FileRootKey::open(&key, &HkdfSha256);
        assert_eq!(root.err(), Some(FileError::Permissions), "{bit:o}");
    }
    for path in [&store, &key] {
        set_mode(path, 0o600);
    }
    NorFile::open(&store, region()).unwrap();
    set_mode(&key, 0o400);
    FileRootKey::open(&key, &HkdfSha256).unwrap();
}

#[test]
fn a_file_that_may_not_be_written_is_refused() {
    let folder = Folder::new();
    let path = folder.join("keys");
    NorFile::create(&path, region()).unwrap();
    set_mode(&path, 0o400);
    let opened = NorFile::open(&path, region());
    // Root may write what nobody may.
    if OpenOptions::new().write(true).open(&path).is_ok() {
        assert!(opened.is_ok());
    } else {
        assert_eq!(opened.err(), Some(FileError::Io(ErrorKind::PermissionDenied)));
    }
    assert!(matches!(
        NorFile::open(folder.path(), region()),
        Err(FileError::Io(_))
    ));
    let none = NorFile::open(&folder.join("none"), region());
    assert_eq!(none.err(), Some(FileError::Io(ErrorKind::NotFound)));
}

#[test]
fn a_file_of_another_size_is_refused() {
    let folder = Folder::new();
    let path = folder.join("keys");
    NorFile::create(&path, region()).unwrap();
    for (page, count) in [(4096, 4), (4096, 6), (8192, 5)] {
        let other = Region::new(0, page, count, 16).unwrap();
        assert_eq!(NorFile::open(&path, other).err(), Some(FileError::Size));
    }
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    for len in [0, 5 * 4096 - 1, 5 * 4096 + 1] {
        file.set_len(len).unwrap();
        assert_eq!(NorFile::open(&path, region()).err(), Some(FileError::Size));
    }
}

#[test]
fn one_process_at_a_time() {
    let _alone = PROCESSES.lock().unwrap();
    let folder = Folder::new();
    let path = folder.join("keys");
    let file = NorFile::create(&path, region()).unwrap();
    assert_eq!(NorFile::open(&path, region()).err(), Some(FileError::Busy));
    let other = |path: &Path| {
        let mut command = Command::new("flock");
        command
            .arg("--nonblock")
            .arg(path)
            .arg("true")
            .stdout(Stdio::null());
        command.status().unwrap().success()
    };
    assert!(!other(&path), "another process got the lock");
    drop(file);
    assert!(other(&path));
    NorFile::open(&path, region()).unwrap();
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let folder = Folder::new();
    let there = Some(FileError::Io(ErrorKind::AlreadyExists));
    let (path, link, nowhere) = (folder.join("keys"), folder.join("link"), folder.join("dangling"));
    fs::write(&path, b"something").unwrap();
    symlink(&path, &link).unwrap();
    symlink(folder.join("nowhere"), &nowhere).unwrap();
    for place in [&path, &link, &nowhere] {
        assert_eq!(NorFile::create(place, region()).err(), there);
        let made = FileRootKey::create(place, &HkdfSha256, &mut SimRng::new(1));
        assert_eq!(made.err(), there);
    }
    assert_eq!(fs::read(&path).unwrap(), b"something");
    assert!(!folder.join("nowhere").exists());
}

#[test]
fn words_are_written_once() {
    let folder = Folder::new();
    let mut file = NorFile::create(&folder.join("keys"), region()).unwrap();
    file.write(32, &[0; 48]).unwrap();
    for at in [16, 32, 48, 64] {
        assert_eq!(file.write(at, &[0; 32]), Err(FileError::NotErased), "{at}");
    }
    let mut bytes = [0; 112];
    file.read(0, &mut bytes).unwrap();
    assert!(bytes[..32].iter().chain(&bytes[80..]).all(|byte| *byte == 0xFF));

    // One programmed bit at the far end of a long write.
    file.erase(4096, 3 * 4096).unwrap();
    file.write(
        3 * 4096 - 16,
        &[
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE,
        ],
    )
    .unwrap();
    assert_eq!(file.write(4096, &[0; 2 * 4096]), Err(FileError::NotErased));
    file.erase(0, 4096).unwrap();
    file.write(32, &[0; 48]).unwrap();

    assert_eq!(file.write(8, &[0; 16]), Err(FileError::NotAligned));
    assert_eq!(file.write(16, &[0; 8]), Err(FileError::NotAligned));
    assert_eq!(file.erase(0, 2048), Err(FileError::NotAligned));
    assert_eq!(file.erase(4096, 0), Err(FileError::OutOfBounds));
    assert_eq!(file.erase(4 * 4096, 6 * 4096), Err(FileError::OutOfBounds));
    assert_eq!(file.write(5 * 4096, &[0; 16]), Err(FileError::OutOfBounds));
    assert_eq!(file.read(5 * 4096 - 1, &mut [0; 2]), Err(FileError::OutOfBounds));
    assert_eq!(file.read(u32::MAX, &mut [0; 2]), Err(FileError::OutOfBounds));
}

#[test]
fn a_root_key_of_another_length_or_a_weak_one_is_refused() {
    let folder = Folder::new();
    let path = folder.join("root-key");
    FileRootKey::create(&path, &HkdfSha256, &mut SimRng::new(1)).unwrap();
    assert_eq!((mode(&path), fs::read(&path).unwrap().len()), (0o600, 32));
    let whole = fs::read(&path).unwrap();
    for len in [0, 31, 33] {
        let mut other = whole.clone();
        other.resize(len, 7);
        fs::write(&path, other).unwrap();
        assert_eq!(FileRootKey::open(&path, &HkdfSha256).err(), Some(FileError::Size));
    }
    let weak = Some(FileError::RootKey(RootKeyError::Weak));
    fs::write(&path, [0xFF; 32]).unwrap();
    assert_eq!(FileRootKey::open(&path, &HkdfSha256).err(), weak);
    fs::write(&path, (0..32).collect::<Vec<u8>>()).unwrap();
    assert_eq!(FileRootKey::open(&path, &HkdfSha256).err(), weak);
}

#[test]
fn a_bad_source_makes_no_key() {
    let folder = Folder::new();
    let path = folder.join("root-key");
    let entropy = Some(FileError::Crypto(CryptoError::Entropy));
    let made = FileRootKey::create(&path, &HkdfSha256, &mut StuckRng(7));
    assert_eq!(made.err(), entropy);
    let made = FileRootKey::create(&path, &HkdfSha256, &mut FailingRng::after(0));
    assert_eq!(made.err(), entropy);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn of_many_who_make_the_root_key_at_once_one_does_and_all_read_his() {
    let folder = Folder::new();
    for round in 0..20 {
        let path = folder.join(&format!("root-key-{round}"));
        let made: Vec<Result<Secret<32>, FileError>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|number| {
                    let path = &path;
                    scope.spawn(move || {
                        let mut rng = SimRng::new(round * 100 + number);
                        let root = FileRootKey::create(path, &HkdfSha256, &mut rng)?;
                        let mut derived = Secret::zero();
                        root.derive(b"test", &mut derived)?;
                        Ok(derived)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut derived = Secret::zero();
        let root = FileRootKey::open(&path, &HkdfSha256).unwrap();
        root.derive(b"test", &mut derived).unwrap();
        let winners: Vec<_> = made.iter().filter_map(|made| made.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1);
        assert!(winners[0].ct_eq(&derived));
        let losers = made.iter().filter_map(|made| made.as_ref().err());
        for error in losers {
            assert_eq!(*error, FileError::Io(ErrorKind::AlreadyExists));
        }
    }
}

#[test]
fn what_a_cut_left_unfinished_is_in_nobodys_way() {
    let folder = Folder::new();
    let path = folder.join("root-key");
    fs::write(folder.join(".root-key.new"), [1; 7]).unwrap();
    set_mode(&folder.join(".root-key.new"), 0o644);
    FileRootKey::create(&path, &HkdfSha256, &mut SimRng::new(1)).unwrap();
    assert_eq!(
        (mode(&path), fs::read_dir(folder.path()).unwrap().count()),
        (0o600, 1)
    );
}
