//! The pages about the guidelines are those that the data makes, and everything that they name is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use iotsec_evidence::{
    catalogue::{Catalogue, Edition},
    claims, guidelines,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// The source of the crate that the second word of a path names, and the rest of the path.
fn crate_of(path: &str) -> (String, Vec<&str>) {
    let mut words: Vec<&str> = path.split("::").skip(1).collect();
    let member = ["core", "store", "update", "telemetry", "net"].contains(&words[0]);
    let folder = if member {
        format!("iotsec-{}/src", words.remove(0))
    } else {
        "src".into()
    };
    let mut source = String::new();
    sources(&root().join(folder), &mut source);
    (source, words)
}

/// Whether a public item of this name is declared.
fn declares(source: &str, name: &str) -> bool {
    let kinds = ["fn", "const fn", "struct", "enum", "trait", "mod", "type"];
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let found = kinds.iter().any(|kind| {
        let item = format!("pub {kind} {name}");
        let mut places = source.match_indices(&item);
        places.any(|(at, _)| ends(&source[at + item.len()..]))
    });
    found || source.contains(&format!("macro_rules! {name} "))
}

#[test]
fn the_pages_are_those_that_the_data_makes() {
    let mapping = format!("{:#}\n", guidelines::mapping());
    for (file, made) in [
        ("docs/guidelines.md", guidelines::page(claims::sdk())),
        ("docs/mapping.md", guidelines::mapping_page()),
        ("docs/mapping.json", mapping),
    ] {
        assert!(read(file) == made, "{file} has drifted: cargo xtask documents");
    }
}

#[test]
fn every_path_of_rust_is_public() {
    for one in guidelines::all() {
        assert!(!one.rust.is_empty(), "{}", one.number);
        for path in &one.rust {
            let (source, words) = crate_of(path);
            for word in words {
                assert!(declares(&source, word), "{path}: nothing public is called {word}");
            }
        }
    }
    let (source, _) = crate_of("iotsec::core::input");
    assert!(!declares(&source, "inpu") && !declares(&source, "DevicePass"));
}

#[test]
fn every_function_of_c_command_and_example_is_there() {
    let header = read("iotsec-ffi/include/iotsec.h");
    let tool = read("iotsec-cli/src/main.rs");
    for one in guidelines::all() {
        assert!(!one.c.is_empty(), "{}", one.number);
        for function in &one.c {
            assert!(header.contains(&format!("{function}(")), "{function}");
        }
        for command in &one.tools {
            let (first, rest) = command.split_at(1);
            let variant = format!("    {}{rest}(", first.to_uppercase());
            assert!(tool.contains(&variant), "iotsec {command}");
        }
        assert!(!one.examples.is_empty(), "{}", one.number);
        for example in &one.examples {
            assert!(root().join(example).exists(), "{example}");
        }
    }
}

#[test]
fn every_test_that_a_claim_names_is_there() {
    for claim in claims::sdk() {
        for test in &claim.tests {
            let (words, mut source) = (test.split("::").collect::<Vec<_>>(), String::new());
            let package = words[0];
            let folder = if package == "iotsec" {
                root()
            } else {
                root().join(package)
            };
            for part in ["src", "tests"] {
                if folder.join(part).exists() {
                    sources(&folder.join(part), &mut source);
                }
            }
            let name = words[words.len() - 1];
            assert!(source.contains(&format!("fn {name}(")), "{test}");
        }
    }
}

/// Of both editions, none is lost: those without a guideline stand at the end.
#[test]
fn the_mapping_has_every_provision() {
    let mapping = guidelines::mapping();
    let of = |value: &serde_json::Value, edition: &str| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.filter_map(|one| one[edition]["provision"].as_str().map(str::to_owned))
            .collect()
    };
    for (edition, key) in [(Edition::V3_1_3, "v3"), (Edition::V2_1_1, "v2")] {
        let mut found: BTreeSet<String> = of(&mapping["others"], key).into_iter().collect();
        for guideline in mapping["guidelines"].as_array().unwrap() {
            found.extend(of(&guideline["provisions"], key));
        }
        let all = Catalogue::get().provisions().iter();
        let all: BTreeSet<String> = all
            .filter_map(|one| one.number(edition).map(str::to_owned))
            .collect();
        assert_eq!(found, all);
    }
    let statutory = mapping["guidelines"].as_array().unwrap().iter();
    let statutory = statutory.filter(|one| {
        one["provisions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|provision| !provision["psti"].is_null())
    });
    // The first three became law in the United Kingdom.
    let numbers: Vec<u64> = statutory.map(|one| one["guideline"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
}
