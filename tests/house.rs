//! The rules of the code base that a tool can check.

use std::{
    fs,
    path::{Path, PathBuf},
};

const DEVICE_CRATES: [&str; 4] = ["iotsec-core", "iotsec-store", "iotsec-update", "iotsec-telemetry"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `dir` with this ending, build output left out.
fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&root(), ".rs", &mut found);
    assert!(found.len() > 50, "the walk found only {} files", found.len());
    found
}

/// Lines outside the `#[cfg(test)] mod tests` at the end of a file.
fn product_lines(text: &str) -> usize {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().count()
}

#[test]
fn no_file_is_longer_than_600_lines_without_its_tests() {
    for path in rust_files() {
        let name = path.file_name().unwrap();
        if name == "tests.rs" || path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let lines = product_lines(&fs::read_to_string(&path).unwrap());
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}

#[test]
fn lib_rs_is_docs_and_re_exports() {
    for member in DEVICE_CRATES.iter().copied().chain(["."]) {
        let path = root().join(member).join("src/lib.rs");
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().count() <= 150,
            "{} has more than 150 lines",
            path.display()
        );
        for word in ["\nfn ", "\npub fn ", "\nimpl ", "\nstruct ", "\npub struct "] {
            assert!(!text.contains(word), "{} has code in it:{word}", path.display());
        }
    }
}

#[test]
fn device_crates_forbid_unsafe_and_panics() {
    for member in DEVICE_CRATES {
        let text = fs::read_to_string(root().join(member).join("src/lib.rs")).unwrap();
        for rule in [
            "#![no_std]",
            "#![forbid(unsafe_code)]",
            "clippy::unwrap_used",
            "clippy::expect_used",
            "clippy::panic",
            "clippy::indexing_slicing",
            "clippy::as_conversions",
        ] {
            assert!(text.contains(rule), "{member} lacks {rule}");
        }
    }
}

#[test]
fn every_member_inherits_the_lints_and_has_no_default_features() {
    let mut manifests = Vec::new();
    files(&root(), "Cargo.toml", &mut manifests);
    let members = manifests.iter().filter(|path| {
        let outside = ["firmware", "fuzz"]
            .iter()
            .any(|dir| path.parent() == Some(&root().join(dir)));
        !outside && !path.starts_with(root().join("firmware"))
    });
    let mut count = 0;
    for path in members {
        let text = fs::read_to_string(path).unwrap();
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{} does not inherit the lints",
            path.display()
        );
        for line in text.lines().filter(|line| line.starts_with("default = ")) {
            assert_eq!(line, "default = []", "{}", path.display());
        }
        count += 1;
    }
    assert!(count >= 9, "only {count} manifests found");
}

#[test]
fn arrows_point_down() {
    let middle = ["iotsec-store", "iotsec-update", "iotsec-telemetry"];
    for member in DEVICE_CRATES {
        let text = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        let start = text.find("\n[dependencies]").unwrap();
        let section = &text[start + 1..];
        let section = &section[..section[1..].find("\n[").map_or(section.len(), |end| end + 1)];
        for other in middle {
            assert!(!section.contains(other), "{member} depends on {other}");
        }
        assert!(
            member != "iotsec-core" || !section.contains("iotsec-"),
            "core depends on one of ours"
        );
    }
}

#[test]
fn error_numbers_are_unique_and_in_the_range_of_their_crate() {
    let ranges = [
        ("iotsec-core/src", 1000..2000),
        ("iotsec-update/src", 2000..3000),
        ("iotsec-store/src", 3000..4000),
        ("iotsec-telemetry/src", 4000..5000),
        ("src", 6000..7000),
    ];
    let mut seen = std::collections::BTreeMap::new();
    for (dir, range) in ranges {
        let mut found = Vec::new();
        files(&root().join(dir), ".rs", &mut found);
        for path in found {
            let text = fs::read_to_string(&path).unwrap();
            // The arms of `fn code`: `Self::Variant => 1234,`.
            let Some(start) = text.find("fn code(&self) -> u16") else {
                continue;
            };
            for line in text[start..].lines() {
                let Some((_, number)) = line.trim().rsplit_once("=> ") else {
                    continue;
                };
                let Ok(number) = number.trim_end_matches(',').parse::<u16>() else {
                    continue;
                };
                assert!(range.contains(&number), "{} has {number}", path.display());
                if let Some(other) = seen.insert(number, (path.clone(), line.to_owned())) {
                    panic!("{number} is in {} and in {}", path.display(), other.0.display());
                }
            }
        }
    }
    assert!(seen.len() > 60, "only {} error numbers found", seen.len());
}

#[test]
fn modules_have_names_that_say_something() {
    for path in rust_files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            ![
                "mod.rs",
                "utils.rs",
                "util.rs",
                "common.rs",
                "types.rs",
                "helpers.rs",
                "misc.rs"
            ]
            .contains(&&*name),
            "{}",
            path.display()
        );
    }
}
