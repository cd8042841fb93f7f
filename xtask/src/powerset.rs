//! Features alone, without each, and every two that one crate's source asks about; also on a core without an operating
//! system. Quickly: alone, and all of them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    image::THUMBV6M,
    tool::{self, Failure},
};

const FACADE: &str = "iotsec";
/// The crates behind the facade that have features.
const PARTS: [&str; 4] = ["iotsec-core", "iotsec-store", "iotsec-update", "iotsec-net"];
/// What a device without an allocator cannot have, nor what turns it on.
const NEEDS_ALLOC: [&str; 2] = ["alloc", "std"];

/// A feature, and those that it turns on.
type Feature = (String, Vec<String>);

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let quick = match args {
        [] => false,
        ["--quick"] => true,
        _ => return Err("takes --quick or nothing".into()),
    };
    tool::need_target(THUMBV6M)?;
    let facade = features(root)?;
    let tried = if quick { Tried::Alone } else { Tried::Absent };
    let device = closed_sets(&facade, &needing(&facade, &NEEDS_ALLOC), tried);
    check(root, FACADE, Some(THUMBV6M), &device)?;
    // What a device can have, it has been tried with.
    let all = closed_sets(&facade, &[], tried);
    let host = all.difference(&device).cloned().collect();
    check(root, FACADE, None, &host)?;
    if quick {
        return Ok(());
    }
    for name in [FACADE].iter().chain(&PARTS) {
        let asked = asked_about(&sources(root, name))?;
        let features: Vec<Feature> = features_of(root, name)?
            .into_iter()
            .filter(|(feature, _)| asked.contains(feature))
            .collect();
        let mut sets = closed_sets(&features, &[], Tried::Pairs);
        if *name == FACADE {
            sets = sets.difference(&all).cloned().collect();
        }
        check(root, name, None, &sets)?;
    }
    Ok(())
}

fn check(root: &Path, package: &str, target: Option<&str>, sets: &BTreeSet<String>) -> Result<(), Failure> {
    println!(
        "== {package}, {}: {} feature sets",
        target.unwrap_or("host"),
        sets.len()
    );
    for set in sets {
        println!("{}", if set.is_empty() { "(none)" } else { set });
        let mut command = tool::cargo();
        command
            .current_dir(root)
            .args(["check", "--quiet", "--lib", "-p", package]);
        command.args(["--features", set]);
        if let Some(target) = target {
            command.args(["--target", target]);
        }
        tool::run(&mut command)?;
    }
    Ok(())
}

fn sources(root: &Path, package: &str) -> PathBuf {
    let folder = if package == FACADE {
        root.to_owned()
    } else {
        root.join(package)
    };
    folder.join("src")
}

/// The features that sources mention. Two that are never asked about in one crate cannot break each other there.
fn asked_about(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(asked_about(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(mentioned(&fs::read_to_string(&path)?));
        }
    }
    Ok(found)
}

fn mentioned(text: &str) -> impl Iterator<Item = String> {
    let after = text.split("feature = \"").skip(1);
    after.filter_map(|rest| rest.split_once('"').map(|(name, _)| name.to_owned()))
}

/// The features that turn one of `named` on, and those themselves.
fn needing<'f>(features: &'f [Feature], named: &[&'f str]) -> Vec<&'f str> {
    let mut needing = named.to_vec();
    loop {
        let known = needing.len();
        for (name, on) in features {
            if !needing.contains(&name.as_str()) && on.iter().any(|other| needing.contains(&other.as_str())) {
                needing.push(name);
            }
        }
        if needing.len() == known {
            return needing;
        }
    }
}

/// The features of the facade, each with those that it turns on.
pub(crate) fn features(root: &Path) -> Result<Vec<Feature>, Failure> {
    features_of(root, FACADE)
}

fn features_of(root: &Path, package: &str) -> Result<Vec<Feature>, Failure> {
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&tool::text(&mut command)?)?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    let found = packages.iter().find(|found| found["name"] == package);
    let features = found.ok_or("no such package")?["features"]
        .as_object()
        .ok_or("no features")?;
    let turned_on = |list: &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    };
    Ok(features
        .iter()
        .filter(|(name, _)| *name != "default")
        .map(|(name, list)| (name.clone(), turned_on(list)))
        .collect())
}

/// With what features are tried, besides none and all.
#[derive(Clone, Copy, PartialEq)]
enum Tried {
    /// One alone.
    Alone,
    /// That, and all but one.
    Absent,
    /// That, and two together.
    Pairs,
}

/// What the features turn on, alone or two together, and everything but what one feature's absence rules out, each
/// once.
///
/// All combinations double with every feature and take hours. A feature that breaks another shows in the pair, in the
/// crate that asks about both; one that is silently needed shows where it alone is absent, or where only its user is
/// present.
fn closed_sets(features: &[Feature], without: &[&str], tried: Tried) -> BTreeSet<String> {
    let features: Vec<_> = features
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    let place = |name: &str| features.iter().position(|(other, _)| other == name);
    let turned_on = |index: usize| features[index].1.iter().filter_map(move |name| place(name));
    let with = |members: &[usize]| {
        let mut set = BTreeSet::new();
        let mut next = members.to_vec();
        while let Some(index) = next.pop() {
            if set.insert(index) {
                next.extend(turned_on(index));
            }
        }
        set
    };
    let named = |set: BTreeSet<usize>| {
        let names: Vec<&str> = set.into_iter().map(|index| features[index].0.as_str()).collect();
        names.join(",")
    };
    let all = 0..features.len();
    let mut sets = BTreeSet::from([named(BTreeSet::new())]);
    for one in all.clone() {
        if tried != Tried::Alone {
            let other = all.clone().filter(|other| !with(&[*other]).contains(&one));
            sets.insert(named(other.collect()));
        }
        let last = if tried == Tried::Pairs {
            features.len()
        } else {
            one + 1
        };
        sets.extend((one..last).map(|two| named(with(&[one, two]))));
    }
    sets.insert(named(all.collect()));
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_an_allocator_is_found_through_others() {
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let features = [
            ("mqtt".to_owned(), on(&["tls"])),
            ("tls".to_owned(), on(&["std", "certificate"])),
            ("certificate".to_owned(), on(&["dep:webpki"])),
            ("std".to_owned(), on(&[])),
        ];
        assert_eq!(needing(&features, &["std"]), ["std", "tls", "mqtt"]);
    }

    #[test]
    fn features_are_found_in_source() {
        let text = "#[cfg(any(feature = \"a\", feature = \"b-c\"))]\nmod x;";
        assert_eq!(mentioned(text).collect::<Vec<_>>(), ["a", "b-c"]);
    }

    #[test]
    fn a_set_that_is_the_same_as_another_is_not_repeated() {
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let features = [
            ("a".to_owned(), on(&["dep:a"])),
            ("b".to_owned(), on(&["a"])),
            ("c".to_owned(), on(&["core/c"])),
            ("d".to_owned(), on(&["core/d"])),
        ];
        let sets = |list: &[&str]| list.iter().map(|set| (*set).to_owned()).collect::<BTreeSet<_>>();
        let pairs = ["", "a", "a,b", "a,b,c", "a,b,d", "a,c", "a,d", "c", "c,d", "d"];
        let mut all = sets(&pairs);
        all.extend(sets(&["a,c,d", "a,b,c,d"]));
        assert_eq!(closed_sets(&features, &[], Tried::Pairs), all);
        assert_eq!(
            closed_sets(&features, &["c", "d"], Tried::Pairs),
            sets(&["", "a", "a,b"])
        );
        let one = [
            "", "a", "a,b", "c", "d", "c,d", "a,c,d", "a,b,c", "a,b,d", "a,b,c,d",
        ];
        assert_eq!(closed_sets(&features, &[], Tried::Absent), sets(&one));
        let alone = ["", "a", "a,b", "c", "d", "a,b,c,d"];
        assert_eq!(closed_sets(&features, &[], Tried::Alone), sets(&alone));
    }
}
