//! The facade with every combination of its features, on the host and on a core without an operating system.

use std::path::Path;

use serde_json::Value;

use crate::{
    image::THUMBV6M,
    tool::{self, Failure},
};

/// Features that a device without an allocator cannot have.
const NEEDS_ALLOC: [&str; 3] = ["alloc", "std", "full"];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    tool::need_target(THUMBV6M)?;
    let features = features(root)?;
    let host = closed_sets(&features, &[]);
    let device = closed_sets(&features, &NEEDS_ALLOC);
    for (target, sets) in [(None, &host), (Some(THUMBV6M), &device)] {
        println!("== {}: {} feature sets", target.unwrap_or("host"), sets.len());
        for set in sets {
            println!("{}", if set.is_empty() { "(none)" } else { set });
            let mut command = tool::cargo();
            command
                .current_dir(root)
                .args(["check", "--quiet", "--lib", "-p", "iotsec"]);
            command.args(["--features", set]);
            if let Some(target) = target {
                command.args(["--target", target]);
            }
            tool::run(&mut command)?;
        }
    }
    Ok(())
}

/// The features of the facade, each with those that it turns on.
pub(crate) fn features(root: &Path) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&tool::text(&mut command)?)?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    let facade = packages
        .iter()
        .find(|package| package["name"] == "iotsec")
        .ok_or("no package iotsec")?;
    let features = facade["features"].as_object().ok_or("no features")?;
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

/// Every set of features that is not the same as a smaller one: sets that hold all that their members turn on.
fn closed_sets(features: &[(String, Vec<String>)], without: &[&str]) -> Vec<String> {
    let features: Vec<_> = features
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    let place = |name: &str| features.iter().position(|(other, _)| other == name);
    let mut sets = Vec::new();
    for bits in 0..1u32 << features.len() {
        let has = |index: usize| bits >> index & 1 == 1;
        let closed = features
            .iter()
            .enumerate()
            .all(|(index, (_, on))| !has(index) || on.iter().filter_map(|name| place(name)).all(has));
        if closed {
            let names = features.iter().enumerate().filter(|(index, _)| has(*index));
            let names: Vec<&str> = names.map(|(_, (name, _))| name.as_str()).collect();
            sets.push(names.join(","));
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_is_the_same_as_another_is_not_repeated() {
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let features = [
            ("a".to_owned(), on(&["dep:a"])),
            ("b".to_owned(), on(&["a"])),
            ("c".to_owned(), on(&["core/c"])),
        ];
        assert_eq!(closed_sets(&features, &[]), ["", "a", "a,b", "c", "a,c", "a,b,c"]);
        assert_eq!(closed_sets(&features, &["c"]), ["", "a", "a,b"]);
    }
}
