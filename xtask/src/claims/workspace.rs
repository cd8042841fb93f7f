//! What packages there are, and where their sources are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{feature::Features, source::Files};
use crate::tool::{self, Failure};

pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
    pub(super) features: Features,
    pub(super) files: Box<Files>,
}

pub(super) struct Package {
    pub(super) name: String,
    pub(super) targets: Vec<Target>,
}

/// Something that cargo builds out of a package.
pub(super) struct Target {
    /// What cargo calls it.
    pub(super) name: String,
    pub(super) is_test: bool,
    /// Its first file, from the root of the workspace.
    pub(super) root: PathBuf,
}

impl Target {
    /// Its name in paths.
    pub(super) fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }
}

impl Workspace {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let mut command = tool::cargo();
        command
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&tool::text(&mut command)?)?;
        let described = metadata["packages"].as_array().cloned().unwrap_or_default();
        let packages = described.iter().map(|package| Package {
            name: text(&package["name"]),
            targets: targets(&package["targets"], root),
        });
        let folder = root.to_owned();
        Ok(Self {
            packages: packages.collect(),
            features: Features::of(&described),
            files: Box::new(move |path| fs::read_to_string(folder.join(path)).ok()),
        })
    }
}

fn targets(described: &Value, root: &Path) -> Vec<Target> {
    let all = described.as_array().into_iter().flatten();
    let known = all.filter_map(|target| {
        let kind = text(&target["kind"][0]);
        let is_test = match kind.as_str() {
            "test" => true,
            "lib" | "rlib" | "bin" => false,
            _ => return None,
        };
        let place = PathBuf::from(text(&target["src_path"]));
        Some(Target {
            name: text(&target["name"]),
            is_test,
            root: place.strip_prefix(root).unwrap_or(&place).to_owned(),
        })
    });
    known.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
