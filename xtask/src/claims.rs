//! `iotsec-evidence/data/claims.json`: every `claim!` of the sources, regenerated or checked for drift.
//!
//! A claim is refused where its function, a test or a provision is not there: what it says could not be looked up.

mod feature;
mod marker;
mod resolve;
mod source;
#[cfg(test)]
mod tests;
mod workspace;

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use crate::tool::{self, Failure};
use feature::Features;
use marker::{Marker, Subject};
use source::Tree;
use workspace::{Package, Workspace};

const FILE: &str = "iotsec-evidence/data/claims.json";
const CATALOGUE: &str = "iotsec-evidence/data/en_303_645.json";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let check = match args {
        [] => false,
        ["--check"] => true,
        _ => return Err("the one option is --check".into()),
    };
    let workspace = Workspace::read(root)?;
    let catalogue: Value = serde_json::from_str(&std::fs::read_to_string(root.join(CATALOGUE))?)?;
    let provisions = catalogue["provisions"].as_array().into_iter().flatten();
    let provisions: Vec<String> = provisions
        .filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect();
    let claims = collect(&workspace, &provisions).map_err(|wrong| wrong.join("\n"))?;
    let text = format!("{:#}\n", Value::Array(claims));
    tool::settle(root, FILE, &text, check, "claims")
}

/// All claims, in the order of the catalogue; or all that is wrong with them, each with file and line.
fn collect(workspace: &Workspace, provisions: &[String]) -> Result<Vec<Value>, Vec<String>> {
    let mut trees = Trees {
        workspace,
        read: BTreeMap::new(),
    };
    let (mut claims, mut wrong) = (Vec::new(), Vec::new());
    let mut sentences: BTreeMap<String, String> = BTreeMap::new();
    for package in &workspace.packages {
        for target in package.targets.iter().filter(|target| !target.is_test) {
            let tree = match Tree::read(&target.root, &target.crate_name(), &workspace.files) {
                Ok(tree) => tree,
                Err(error) => {
                    wrong.push(error);
                    continue;
                }
            };
            for place in tree.markers() {
                let at = format!("{}:{}", place.file.display(), place.line);
                let marker = match &place.marker {
                    Ok(marker) => marker,
                    Err(error) => {
                        wrong.push(format!("{at}: {error}"));
                        continue;
                    }
                };
                if let Some(other) = sentences.insert(marker.claims.clone(), at.clone()) {
                    wrong.push(format!(
                        "{at}: {other} says the same: one claim may have several functions"
                    ));
                }
                let judge = Judge {
                    package,
                    tree: &tree,
                    module: place.module,
                    provisions,
                    features: &workspace.features,
                };
                match judge.claim(marker, &mut trees) {
                    Ok(mut claim) => {
                        claim["package"] = json!(package.name);
                        claim["file"] = json!(place.file.display().to_string());
                        claims.push((judge.order(marker), marker.claims.clone(), claim));
                    }
                    Err(errors) => wrong.extend(errors.iter().map(|error| format!("{at}: {error}"))),
                }
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    claims.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Ok(claims.into_iter().map(|(_, _, claim)| claim).collect())
}

/// What a claim is judged by.
struct Judge<'a> {
    package: &'a Package,
    tree: &'a Tree,
    module: &'a [String],
    provisions: &'a [String],
    features: &'a Features,
}

impl Judge<'_> {
    fn claim(&self, marker: &Marker, trees: &mut Trees<'_>) -> Result<Value, Vec<String>> {
        let mut wrong = Vec::new();
        let mut named: Vec<&String> = marker.provisions.iter().collect();
        for provision in &marker.provisions {
            if !self.provisions.contains(provision) {
                wrong.push(format!("{provision} is no provision of EN 303 645 V3.1.3"));
            }
        }
        named.sort_by_key(|provision| self.place(provision));
        for test in &marker.tests {
            wrong.extend(trees.test(test).err());
        }
        let (mut code, mut tool, mut feature) = (Vec::new(), None, None);
        match &marker.subject {
            Subject::Code(anchors) => {
                let mut conditions = Vec::new();
                for anchor in anchors {
                    match self.tree.function(self.module, anchor) {
                        Ok(found) => {
                            code.push(found.path);
                            conditions.extend(found.conditions);
                        }
                        Err(error) => wrong.push(error),
                    }
                }
                match self.features.facade(&self.package.name, &conditions) {
                    Ok(name) => feature = name,
                    Err(error) => wrong.push(error),
                }
            }
            Subject::Tool(name) => {
                let program = name.split(' ').next().unwrap_or_default();
                if !self.package.targets.iter().any(|one| one.name == program) {
                    wrong.push(format!("{} has no program {program}", self.package.name));
                }
                tool = Some(name);
            }
        }
        if wrong.is_empty() {
            Ok(json!({
                "provisions": named,
                "claims": marker.claims,
                "code": code,
                "tool": tool,
                "feature": feature,
                "tests": marker.tests,
            }))
        } else {
            Err(wrong)
        }
    }

    fn place(&self, provision: &str) -> usize {
        let all = self.provisions.iter();
        all.take_while(|one| *one != provision).count()
    }

    /// Where the first of its provisions stands in the catalogue.
    fn order(&self, marker: &Marker) -> usize {
        let places = marker.provisions.iter().map(|one| self.place(one));
        places.min().unwrap_or_default()
    }
}

/// The sources of test programs, each read once.
struct Trees<'a> {
    workspace: &'a Workspace,
    read: BTreeMap<(String, String), Result<Tree, String>>,
}

impl Trees<'_> {
    /// Whether the source has this test.
    fn test(&mut self, test: &str) -> Result<(), String> {
        let mut parts = test.split("::");
        let (package, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let path: Vec<&str> = parts.collect();
        let packages = &self.workspace.packages;
        let Some(package) = packages.iter().find(|one| one.name == package) else {
            return Err(format!("{test}: there is no package {package}"));
        };
        let Some(found) = package.targets.iter().find(|one| one.name == target) else {
            return Err(format!("{test}: {} has no target {target}", package.name));
        };
        let key = (package.name.clone(), target.to_owned());
        let files = &self.workspace.files;
        let tree = self
            .read
            .entry(key)
            .or_insert_with(|| Tree::read(&found.root, &found.crate_name(), files));
        match tree {
            Ok(tree) => tree.test(&path).map_err(|error| format!("{test}: {error}")),
            Err(error) => Err(error.clone()),
        }
    }
}
