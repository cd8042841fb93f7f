use std::{fs, path::PathBuf};

use super::*;

/// A folder of its own, empty.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("iotsec-registry-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn range(first: u32, count: u32) -> Range {
    Range {
        batch: [first.try_into().unwrap(); 16],
        first,
        count,
        prefix: "L-".into(),
    }
}

/// Hashes of a chunk.
fn hashes(chunk: u32, n: u32) -> Vec<Hash> {
    let one = |at: u32| {
        let digest = Sha256::of(&[&chunk.to_be_bytes(), &at.to_be_bytes()]);
        *digest.first_chunk().unwrap()
    };
    (0..n).map(one).collect()
}

fn progress(units: u32) -> Progress {
    Progress {
        units,
        files: [1, 2, 3, 4],
    }
}

#[test]
fn what_was_committed_is_found_again_and_nothing_else() {
    let folder = folder("found");
    let mut registry = Registry::open(&folder).unwrap();
    assert!(registry.is_empty() && registry.next("L-").is_none());
    registry.begin(range(5, 10)).unwrap();
    registry
        .commit(&[5; 16], progress(4), &mut hashes(1, 12))
        .unwrap();
    drop(registry);

    let registry = Registry::open(&folder).unwrap();
    assert!(hashes(1, 12).iter().all(|hash| registry.holds(hash).unwrap()));
    assert!(!hashes(2, 12).iter().any(|hash| registry.holds(hash).unwrap()));
    assert_eq!(registry.next("L-"), Some(15));
    assert_eq!(registry.progress(&[5; 16]), Some((&range(5, 10), progress(4))));
    assert_eq!(registry.progress(&[6; 16]), None);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_log_cut_anywhere_in_its_last_frame_opens_without_that_frame() {
    let folder = folder("cut");
    let mut registry = Registry::open(&folder).unwrap();
    registry.begin(range(1, 10)).unwrap();
    registry.commit(&[1; 16], progress(4), &mut hashes(1, 4)).unwrap();
    let before = registry.len;
    registry.commit(&[1; 16], progress(8), &mut hashes(2, 4)).unwrap();
    let after = registry.len;
    drop(registry);
    let log = folder.join("log");
    let whole = fs::read(&log).unwrap();
    for len in before..after {
        fs::write(&log, &whole[..usize::try_from(len).unwrap()]).unwrap();
        let mut registry = Registry::open(&folder).unwrap();
        assert_eq!(registry.progress(&[1; 16]).unwrap().1, progress(4), "{len}");
        assert!(!registry.holds(&hashes(2, 1)[0]).unwrap());
        registry.commit(&[1; 16], progress(8), &mut hashes(2, 4)).unwrap();
        drop(registry);
        assert_eq!(fs::read(&log).unwrap(), whole, "{len}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_changed_byte_before_the_last_frame_is_refused() {
    let folder = folder("changed");
    let mut registry = Registry::open(&folder).unwrap();
    registry.begin(range(1, 10)).unwrap();
    let end = registry.len;
    registry.commit(&[1; 16], progress(4), &mut hashes(1, 4)).unwrap();
    drop(registry);
    let log = folder.join("log");
    let whole = fs::read(&log).unwrap();
    // Not the length: a longer frame is one that was cut off.
    for at in (0..9).chain(13..usize::try_from(end).unwrap()) {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        fs::write(&log, &bad).unwrap();
        let problem = Registry::open(&folder).err().unwrap();
        assert_eq!(problem.name(), "RegistryDamaged", "byte {at}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn two_runs_at_once_are_refused() {
    let folder = folder("twice");
    let registry = Registry::open(&folder).unwrap();
    assert_eq!(Registry::open(&folder).err().unwrap().name(), "Busy");
    // Shares the lock, as that of a process does that was forked and has not started its program.
    let copy = registry.log.try_clone().unwrap();
    drop(registry);
    Registry::open(&folder).unwrap();
    drop(copy);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_index_on_disk_finds_all_and_only_what_went_in_and_can_be_made_again() {
    let folder = folder("index");
    let (chunk, chunks) = (16_384, 80);
    let mut registry = Registry::open(&folder).unwrap();
    registry.begin(range(1, 10)).unwrap();
    for number in 0..chunks {
        registry
            .commit(&[1; 16], progress(number), &mut hashes(number, chunk))
            .unwrap();
    }
    let check = |registry: &Registry| {
        for number in (0..chunks).step_by(7) {
            assert!(
                hashes(number, 500)
                    .iter()
                    .all(|hash| registry.holds(hash).unwrap())
            );
        }
        assert!(
            !hashes(chunks, 5000)
                .iter()
                .any(|hash| registry.holds(hash).unwrap())
        );
    };
    check(&registry);
    drop(registry);
    let runs = || fs::read_dir(folder.join("index")).unwrap().count();
    assert_eq!(runs(), 4, "ten runs became two of four, and two");
    check(&Registry::open(&folder).unwrap());
    fs::remove_dir_all(folder.join("index")).unwrap();
    check(&Registry::open(&folder).unwrap());
    fs::remove_dir_all(folder).unwrap();
}
