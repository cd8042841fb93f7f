//! `docs/dependencies.md` names every direct dependency, and nothing else.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::tool::{self, Failure};

const FILE: &str = "docs/dependencies.md";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    let declared = declared(root)?;
    let listed = listed(&fs::read_to_string(root.join(FILE))?);
    let missing: Vec<_> = declared.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&declared).collect();
    if missing.is_empty() && gone.is_empty() {
        println!("{FILE} lists all {} direct dependencies", declared.len());
        Ok(())
    } else {
        Err(format!("{FILE} does not list {missing:?}, and lists {gone:?}, which nothing depends on").into())
    }
}

/// What the members of the workspace, the firmware and the fuzz targets depend on, without themselves.
fn declared(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for manifest in ["Cargo.toml", "firmware/Cargo.toml", "fuzz/Cargo.toml"] {
        let manifest = root.join(manifest);
        if !manifest.exists() {
            continue;
        }
        let mut command = tool::cargo();
        command
            .args([
                "metadata",
                "--format-version",
                "1",
                "--no-deps",
                "--offline",
                "--manifest-path",
            ])
            .arg(&manifest);
        let metadata: Value = serde_json::from_str(&tool::text(&mut command)?)?;
        for package in metadata["packages"].as_array().into_iter().flatten() {
            for dependency in package["dependencies"].as_array().into_iter().flatten() {
                // A dependency from a registry has a source; one of ours has a path.
                if dependency["path"].is_null() {
                    names.extend(dependency["name"].as_str().map(str::to_owned));
                }
            }
        }
    }
    Ok(names)
}

/// The first column of the tables: `` | `name` | … ``.
fn listed(document: &str) -> BTreeSet<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_direct_dependency_is_explained() {
        run(&tool::root(), &[]).unwrap();
    }

    #[test]
    fn only_the_first_column_names_a_dependency() {
        let names = listed("| crate | why |\n|---|---|\n| `sha2` | not `md5` |\nand `serde`\n");
        assert_eq!(names, BTreeSet::from(["sha2".to_owned()]));
    }
}
