//! Which feature of the facade brings a piece of code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const FACADE: &str = "iotsec";

/// What `#[cfg]` asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    Feature(String),
    All(Vec<Self>),
    Any(Vec<Self>),
    None(Vec<Self>),
    /// Built for tests.
    Test,
    /// Of the target, which a feature cannot change.
    Elsewhere,
}

impl Condition {
    fn holds(&self, has: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Feature(name) => has(name),
            Self::All(all) => all.iter().all(|one| one.holds(has)),
            Self::Any(any) => any.iter().any(|one| one.holds(has)),
            Self::None(none) => !none.iter().any(|one| one.holds(has)),
            Self::Test => false,
            Self::Elsewhere => true,
        }
    }
}

/// The features of all packages of the workspace.
#[derive(Default)]
pub(super) struct Features {
    packages: BTreeMap<String, Package>,
}

struct Package {
    features: BTreeMap<String, Vec<String>>,
    /// Whether it is optional, and the features that it is taken with.
    dependencies: BTreeMap<String, (bool, Vec<String>)>,
}

/// What is built.
#[derive(Default, PartialEq, Clone)]
struct Built {
    packages: BTreeSet<String>,
    features: BTreeSet<(String, String)>,
}

impl Built {
    fn holds(&self, package: &str, conditions: &[Condition]) -> bool {
        let has = |name: &str| self.features.contains(&(package.to_owned(), name.to_owned()));
        self.packages.contains(package) && conditions.iter().all(|one| one.holds(&has))
    }
}

impl Features {
    /// From what `cargo metadata` says.
    pub(super) fn of(packages: &[Value]) -> Self {
        let texts = |value: &Value| -> Vec<String> {
            let all = value.as_array().into_iter().flatten();
            all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
        };
        let all = packages.iter().map(|package| {
            let features = package["features"].as_object().into_iter().flatten();
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            let dependencies = dependencies.filter(|one| one["kind"].is_null());
            let known = Package {
                features: features.map(|(name, on)| (name.clone(), texts(on))).collect(),
                dependencies: dependencies
                    .map(|one| {
                        let name = one["name"].as_str().unwrap_or_default().to_owned();
                        (name, (one["optional"] == true, texts(&one["features"])))
                    })
                    .collect(),
            };
            (package["name"].as_str().unwrap_or_default().to_owned(), known)
        });
        Self {
            packages: all.collect(),
        }
    }

    /// The feature of the facade without which code under these conditions is not there; none if it always is.
    ///
    /// Where it takes two, it is the one that brings the code into a package that the other one brings.
    pub(super) fn facade(&self, package: &str, conditions: &[Condition]) -> Result<Option<String>, String> {
        if self.build(&[]).holds(package, conditions) {
            return Ok(None);
        }
        let needed = self.needed(package, conditions);
        if !self.build(&needed).holds(package, conditions) {
            return Err(if self.build(&self.all()).holds(package, conditions) {
                "one or another feature brings this code: name a function that there is with one alone".into()
            } else {
                "no feature of the facade brings this code: only a tool can claim here".into()
            });
        }
        let for_package = self.needed(package, &[]);
        let mut last: Vec<&str> = needed
            .iter()
            .copied()
            .filter(|one| {
                !needed
                    .iter()
                    .any(|other| other != one && self.implies(other, one))
            })
            .collect();
        if last.len() > 1 {
            last.retain(|one| !for_package.contains(one));
        }
        match last.as_slice() {
            [one] => Ok(Some((*one).to_owned())),
            several => Err(format!(
                "this code needs {several:?}: name a function that needs one of them"
            )),
        }
    }

    /// Without each of which the code is never there.
    fn needed(&self, package: &str, conditions: &[Condition]) -> Vec<&str> {
        let all = self.all();
        let needed = all.iter().copied().filter(|one| {
            let others: Vec<&str> = all
                .iter()
                .copied()
                .filter(|other| !self.implies(other, one))
                .collect();
            !self.build(&others).holds(package, conditions)
        });
        needed.collect()
    }

    fn all(&self) -> Vec<&str> {
        let facade = self.packages.get(FACADE).into_iter();
        facade
            .flat_map(|facade| facade.features.keys().map(String::as_str))
            .collect()
    }

    /// Whether one feature of the facade turns another one on, or is it.
    fn implies(&self, one: &str, other: &str) -> bool {
        let built = self.build(&[one]);
        built.features.contains(&(FACADE.to_owned(), other.to_owned()))
    }

    /// What a device has with these features of the facade.
    fn build(&self, features: &[&str]) -> Built {
        let mut built = Built::default();
        built.packages.insert(FACADE.to_owned());
        let features = features
            .iter()
            .map(|name| (FACADE.to_owned(), (*name).to_owned()));
        built.features.extend(features);
        loop {
            let mut next = built.clone();
            for name in &built.packages {
                for (dependency, (optional, features)) in self.dependencies(name) {
                    if !optional {
                        self.take(&mut next, dependency, features);
                    }
                }
            }
            for (package, feature) in &built.features {
                let on = self
                    .packages
                    .get(package)
                    .and_then(|one| one.features.get(feature));
                for one in on.into_iter().flatten() {
                    self.turn_on(&mut next, package, one);
                }
            }
            if next == built {
                return built;
            }
            built = next;
        }
    }

    fn turn_on(&self, built: &mut Built, package: &str, one: &str) {
        if let Some(dependency) = one.strip_prefix("dep:") {
            let mut dependencies = self.dependencies(package);
            if let Some((name, (_, features))) = dependencies.find(|(name, _)| *name == dependency) {
                self.take(built, name, features);
            }
        } else if let Some((dependency, feature)) = one.split_once("?/") {
            if built.packages.contains(dependency) {
                self.take(built, dependency, &[feature.to_owned()]);
            }
        } else if let Some((dependency, feature)) = one.split_once('/') {
            self.take(built, dependency, &[feature.to_owned()]);
        } else {
            built.features.insert((package.to_owned(), one.to_owned()));
        }
    }

    fn take(&self, built: &mut Built, package: &str, features: &[String]) {
        if self.packages.contains_key(package) {
            built.packages.insert(package.to_owned());
            let features = features.iter().map(|one| (package.to_owned(), one.clone()));
            built.features.extend(features);
        }
    }

    fn dependencies(&self, package: &str) -> impl Iterator<Item = (&str, &(bool, Vec<String>))> {
        let package = self.packages.get(package);
        package
            .into_iter()
            .flat_map(|one| one.dependencies.iter().map(|(name, how)| (name.as_str(), how)))
    }
}
