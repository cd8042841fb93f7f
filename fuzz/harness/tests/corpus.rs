//! Every input of the corpus, and what lies near it, through its target.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use iotsec_fuzz_harness::{TARGETS, Target, mutate};

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a target's corpus by name.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    files(&fuzz().join("corpus").join(target.name))
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_corpus_has_accepted_and_refused_inputs_and_says_so_in_their_names() {
    for target in TARGETS {
        let (mut accepted, mut refused) = (0, 0);
        for (name, bytes) in corpus(target) {
            let is_accepted = (target.run)(&bytes);
            if name.starts_with("valid-") || name.starts_with("near-") {
                let expected = name.starts_with("valid-");
                assert_eq!(is_accepted, expected, "{}/{name}", target.name);
            }
            accepted += u32::from(is_accepted);
            refused += u32::from(!is_accepted);
        }
        assert!(
            accepted > 0 && refused > 0,
            "{}: {accepted} accepted, {refused} refused",
            target.name
        );
    }
}

#[test]
fn test_vectors_keep_the_invariants() {
    for target in TARGETS {
        for folder in target.vectors {
            let files = files(&fuzz().join("..").join(folder));
            let accepted = files.iter().filter(|(_, bytes)| (target.run)(bytes)).count();
            println!("{}: {accepted} of {} in {folder}", target.name, files.len());
            if folder.ends_with("oracle") {
                assert!(accepted > 5, "{}: {accepted} of {}", target.name, files.len());
            }
        }
    }
}

#[test]
fn every_seed_truncated_flipped_and_mixed_keeps_the_invariants() {
    for target in TARGETS {
        let files: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, bytes)| bytes).collect();
        // A program of C calls is a life of a device, with keys that are made and passwords that are stretched.
        // An odd share meets every bit of a byte.
        let share = if target.name == "c_calls" { 31 } else { 1 };
        let mut tried = 0;
        for file in &files {
            mutate::each(file, &files, 200, share, |input| {
                (target.run)(input);
                tried += 1;
            });
        }
        assert!(tried * share > 500, "{}: {tried}", target.name);
        println!("{}: {tried} inputs", target.name);
    }
}

#[test]
fn every_generated_seed_is_as_its_name_says_and_has_a_file() {
    for target in TARGETS {
        let files = corpus(target);
        for seed in (target.seeds)() {
            let expected = seed.name.starts_with("valid-");
            assert_eq!(
                (target.run)(&seed.bytes),
                expected,
                "{}/{}",
                target.name,
                seed.name
            );
            assert!(
                files.iter().any(|(name, _)| *name == seed.name),
                "{}/{} is missing: run the example write_seeds",
                target.name,
                seed.name
            );
        }
    }
}

#[test]
fn targets_corpora_and_fuzz_binaries_belong_together() {
    let names = |directory: &str| -> BTreeSet<String> {
        fs::read_dir(fuzz().join(directory))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(targets.len(), TARGETS.len());
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
        let binary = fs::read_to_string(fuzz().join(format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(binary.contains(&format!("run(\"{target}\", data)")), "{target}");
    }
}
