//! `docs/dependencies.md` names every direct dependency with its licence, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::tool::{self, Failure};

const FILE: &str = "docs/dependencies.md";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    names(root)?;
    licences(root)
}

/// Compares the names with the manifests.
fn names(root: &Path) -> Result<(), Failure> {
    let mut declared = BTreeSet::new();
    for package in packages(root, &["--no-deps"])? {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // A dependency from a registry has a source; one of ours has a path.
            if dependency["path"].is_null() {
                declared.extend(dependency["name"].as_str().map(str::to_owned));
            }
        }
    }
    let listed: BTreeSet<String> = listed(&fs::read_to_string(root.join(FILE))?)
        .into_keys()
        .collect();
    let missing: Vec<_> = declared.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&declared).collect();
    if missing.is_empty() && gone.is_empty() {
        println!("{FILE} lists all {} direct dependencies", declared.len());
        Ok(())
    } else {
        Err(format!("{FILE} does not list {missing:?}, and lists {gone:?}, which nothing depends on").into())
    }
}

/// Compares the licences with what the packages say of themselves.
fn licences(root: &Path) -> Result<(), Failure> {
    let listed = listed(&fs::read_to_string(root.join(FILE))?);
    for package in packages(root, &[])? {
        let (Some(name), Some(licence)) = (package["name"].as_str(), package["license"].as_str()) else {
            continue;
        };
        match listed.get(name) {
            Some(listed) if terms(listed) != terms(licence) => {
                return Err(format!("{FILE} says {listed} of {name}, whose licence is {licence}").into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A licence expression whatever its order.
fn terms(licence: &str) -> BTreeSet<&str> {
    licence
        .split([' ', '/'])
        .filter(|term| !term.is_empty() && *term != "OR")
        .collect()
}

/// What cargo knows of the packages of the workspace and of those that stand beside it.
fn packages(root: &Path, args: &[&str]) -> Result<Vec<Value>, Failure> {
    let mut packages = Vec::new();
    for folder in ["", "benches/footprint", "benches/peers", "firmware", "fuzz"] {
        let manifest = root.join(folder).join("Cargo.toml");
        if !manifest.exists() {
            continue;
        }
        let mut command = tool::cargo();
        command
            .args(["metadata", "--format-version", "1", "--manifest-path"])
            .arg(&manifest)
            .args(args);
        let mut metadata: Value = serde_json::from_str(&tool::text(&mut command)?)?;
        if let Value::Array(found) = metadata["packages"].take() {
            packages.extend(found);
        }
    }
    Ok(packages)
}

/// The first and the third column of the tables: `` | `name` | why | licence | … ``.
fn listed(document: &str) -> BTreeMap<String, String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (name, row) = row.split_once('`')?;
        Some((name.to_owned(), row.split('|').nth(2)?.trim().to_owned()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_direct_dependency_is_explained() {
        names(&tool::root()).unwrap();
    }

    #[test]
    fn the_first_column_names_a_dependency_and_the_third_its_licence() {
        let found =
            listed("| crate | why | licence |\n|---|---|---|\n| `a` | not `b` | MIT |\nand `serde`\n");
        assert_eq!(found, BTreeMap::from([("a".to_owned(), "MIT".to_owned())]));
        assert_eq!(terms("MIT/Apache-2.0"), terms("Apache-2.0 OR MIT"));
    }
}
