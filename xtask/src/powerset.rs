//! The facade with each of its features, without each, and on the host with every two of them; also on a core without
//! an operating system.

use std::{collections::BTreeSet, path::Path};

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
    let host = closed_sets(&features, &[], Together::Two);
    let device = closed_sets(&features, &NEEDS_ALLOC, Together::One);
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

/// How many features are tried together, besides all and all but one.
#[derive(Clone, Copy, PartialEq)]
enum Together {
    One,
    Two,
}

/// What the features turn on, alone or two together, and everything but what one feature's absence rules out, each
/// once.
///
/// All combinations double with every feature and take hours. A feature that breaks another shows in the pair; one
/// that is silently needed shows where it alone is absent, or where only its user is present.
fn closed_sets(features: &[(String, Vec<String>)], without: &[&str], together: Together) -> BTreeSet<String> {
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
        let other = all.clone().filter(|other| !with(&[*other]).contains(&one));
        sets.insert(named(other.collect()));
        let last = if together == Together::Two {
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
        assert_eq!(closed_sets(&features, &[], Together::Two), all);
        assert_eq!(
            closed_sets(&features, &["c", "d"], Together::Two),
            sets(&["", "a", "a,b"])
        );
        let one = [
            "", "a", "a,b", "c", "d", "c,d", "a,c,d", "a,b,c", "a,b,d", "a,b,c,d",
        ];
        assert_eq!(closed_sets(&features, &[], Together::One), sets(&one));
    }
}
