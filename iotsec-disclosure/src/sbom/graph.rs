//! What cargo built a firmware of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{DisclosureError, firmware::encoded};

/// Bytes of `cargo metadata` at most: a thousand crates have a tenth of it.
const MAX_LEN: usize = 64 * 1024 * 1024;

/// The crates below one package, and which of them are linked.
#[derive(Clone, Debug)]
pub struct Graph {
    packages: BTreeMap<String, Package>,
    root: String,
}

/// A crate.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Source,
    pub(super) licence: Option<String>,
    pub(super) licence_file: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) repository: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) description: Option<String>,
    /// The library of the operating system or in C that it binds to.
    pub(super) links: Option<String>,
    /// SHA-256 of the archive of a registry.
    pub(super) checksum: Option<String>,
    pub(super) features: Vec<String>,
    /// Its code is in the image, and not only in what made it.
    pub(super) linked: bool,
    /// It is one of the maker's workspace.
    pub(super) own: bool,
    needs: Vec<String>,
}

/// Where a crate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The registry of everybody.
    CratesIo,
    /// Another one.
    Registry(String),
    /// A repository, and the commit.
    Git(String, String),
    /// A folder.
    Path,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    workspace_members: Vec<String>,
    resolve: Option<Resolve>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    version: String,
    id: String,
    source: Option<String>,
    license: Option<String>,
    license_file: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
    repository: Option<String>,
    homepage: Option<String>,
    description: Option<String>,
    links: Option<String>,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
    root: Option<String>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    #[serde(default)]
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<LockPackage>,
}

#[derive(Deserialize)]
struct LockPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

impl Graph {
    /// From `cargo metadata --format-version 1 --filter-platform TARGET`: of the package whose folder that was said in, or
    /// of `package`, a member of the workspace. What this tells to be linked is an upper bound, since it has the features of
    /// all members together: [`Self::linked`] says exactly.
    ///
    /// # Errors
    /// [`DisclosureError::Metadata`]: it is something else, or has no such package.
    pub fn parse(metadata: &str, package: Option<&str>) -> Result<Self, DisclosureError> {
        if metadata.len() > MAX_LEN {
            return Err(DisclosureError::Metadata(format!(
                "is larger than {MAX_LEN} bytes"
            )));
        }
        let metadata: Metadata = serde_json::from_str(metadata)
            .map_err(|cause| DisclosureError::Metadata(format!("cannot be read: {cause}")))?;
        let resolve = metadata
            .resolve
            .ok_or_else(|| DisclosureError::Metadata("has no graph, as with --no-deps".into()))?;
        let members: Vec<(&str, &str)> = metadata
            .packages
            .iter()
            .filter(|one| metadata.workspace_members.contains(&one.id))
            .map(|one| (one.name.as_str(), one.id.as_str()))
            .collect();
        let root = match package {
            Some(name) => members
                .iter()
                .find(|(member, _)| *member == name)
                .map(|(_, id)| (*id).to_owned()),
            None => resolve.root.clone(),
        };
        let root = root.ok_or_else(|| {
            let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
            DisclosureError::Package {
                asked: package.map(str::to_owned),
                there: names.join(", "),
            }
        })?;
        let nodes: BTreeMap<&str, &Node> = resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect();
        let macros: BTreeSet<String> = metadata
            .packages
            .iter()
            .filter(|one| {
                one.targets
                    .iter()
                    .any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
            })
            .map(|one| one.id.clone())
            .collect();
        let linked = reached(&nodes, &root, |from, kind| {
            kind.is_none() && !macros.contains(from)
        });
        let built = reached(&nodes, &root, |_, kind| kind != Some("dev"));
        let mut packages = BTreeMap::new();
        for one in metadata
            .packages
            .into_iter()
            .filter(|one| built.contains(one.id.as_str()))
        {
            let node = nodes.get(one.id.as_str());
            let needs = node.into_iter().flat_map(|node| &node.deps);
            let needs = needs
                .filter(|next| next.is(|kind| kind != Some("dev")))
                .map(|next| next.pkg.clone())
                .collect();
            let package = Package {
                source: Source::of(one.source.as_deref()),
                licence: one.license,
                licence_file: one.license_file,
                authors: one.authors,
                repository: one.repository,
                homepage: one.homepage,
                description: one.description,
                links: one.links,
                checksum: None,
                own: metadata.workspace_members.contains(&one.id),
                features: node.map(|node| node.features.clone()).unwrap_or_default(),
                linked: linked.contains(one.id.as_str()) && !macros.contains(&one.id),
                needs,
                name: one.name,
                version: one.version,
            };
            packages.insert(one.id, package);
        }
        if !packages.contains_key(&root) {
            return Err(DisclosureError::Metadata(format!("does not describe {root}")));
        }
        Ok(Self { packages, root })
    }

    /// With the digests that a `Cargo.lock` has.
    ///
    /// # Errors
    /// [`DisclosureError::Lock`]: it is something else, or lacks a crate of a registry.
    pub fn locked(mut self, lock: &str) -> Result<Self, DisclosureError> {
        let lock: Lock = toml::from_str(lock)
            .map_err(|cause| DisclosureError::Lock(format!("cannot be read: {}", cause.message())))?;
        let mut checksums = BTreeMap::new();
        for one in lock.package {
            let source = Source::of(one.source.as_deref());
            checksums.insert((one.name, one.version, source.to_string()), one.checksum);
        }
        for package in self.packages.values_mut() {
            let key = (
                package.name.clone(),
                package.version.clone(),
                package.source.to_string(),
            );
            let checksum = checksums.get(&key).cloned().flatten();
            if checksum.is_none() && matches!(package.source, Source::CratesIo | Source::Registry(_)) {
                let which = format!("has no checksum of {} {}", package.name, package.version);
                return Err(DisclosureError::Lock(which));
            }
            package.checksum = checksum;
        }
        Ok(self)
    }

    /// With what the linker is given, and nothing else linked: `linked` is the output of `cargo tree --package P --target T
    /// --edges normal,no-proc-macro --prefix none --format '{p}\t{f}'`, and `all` that of `--edges normal,build`. What is
    /// in neither is left out.
    ///
    /// # Errors
    /// [`DisclosureError::Metadata`]: one of them is something else.
    pub fn linked(mut self, linked: &str, all: &str) -> Result<Self, DisclosureError> {
        let (linked, all) = (tree(linked)?, tree(all)?);
        let key = |package: &Package| (package.name.clone(), package.version.clone());
        let root = self.root.clone();
        self.packages
            .retain(|id, package| *id == root || all.contains_key(&key(package)));
        for package in self.packages.values_mut() {
            let features = linked.get(&key(package));
            package.linked = features.is_some();
            if let Some(features) = features.or_else(|| all.get(&key(package))) {
                package.features = features.iter().cloned().collect();
            }
        }
        if !self.root().linked {
            let root = self.root();
            let message = format!("of cargo tree does not start with {} {}", root.name, root.version);
            return Err(DisclosureError::Metadata(message));
        }
        let kept: BTreeSet<String> = self.packages.keys().cloned().collect();
        for package in self.packages.values_mut() {
            package.needs.retain(|id| kept.contains(id));
        }
        // What is needed by nothing any more came in with a feature of another member.
        Ok(self)
    }

    /// In the order of names.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        let mut packages: Vec<&Package> = self.packages.values().collect();
        packages.sort_by_key(|one| (&one.name, &one.version, one.reference()));
        packages.into_iter()
    }

    pub(super) fn root(&self) -> &Package {
        &self.packages[&self.root]
    }

    /// How many crates there are: linked, and only used to build.
    pub fn count(&self) -> (usize, usize) {
        let linked = self.packages.values().filter(|one| one.linked).count();
        (linked, self.packages.len().saturating_sub(linked))
    }

    /// What a package needs, in order.
    pub(super) fn needs(&self, package: &Package) -> Vec<String> {
        let needs = package.needs.iter().filter_map(|id| self.packages.get(id));
        let needs: BTreeSet<String> = needs.map(Package::reference).collect();
        needs.into_iter().collect()
    }
}

/// What can be reached over dependencies that `follow` names, from one package on.
fn reached<'a>(
    nodes: &BTreeMap<&'a str, &'a Node>,
    root: &str,
    follow: impl Fn(&str, Option<&str>) -> bool,
) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = nodes.get_key_value(root).map(|(id, _)| *id).into_iter().collect();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        let next = node.deps.iter().filter(|next| next.is(|kind| follow(id, kind)));
        open.extend(next.filter_map(|next| nodes.get_key_value(next.pkg.as_str()).map(|(id, _)| *id)));
    }
    found
}

/// Names, versions and features of a `cargo tree`.
fn tree(text: &str) -> Result<BTreeMap<(String, String), BTreeSet<String>>, DisclosureError> {
    let mut found: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (package, features) = line.split_once('\t').unwrap_or((line, ""));
        let mut words = package.split(' ');
        let (Some(name), Some(version)) =
            (words.next(), words.next().and_then(|word| word.strip_prefix('v')))
        else {
            return Err(DisclosureError::Metadata(format!(
                "of cargo tree has the line {line:?}"
            )));
        };
        // A line that stands again says so instead of its features.
        let features = features.trim_end_matches(" (*)");
        found
            .entry((name.to_owned(), version.to_owned()))
            .or_default()
            .extend(
                features
                    .split(',')
                    .filter(|one| !one.is_empty() && *one != "(*)")
                    .map(str::to_owned),
            );
    }
    Ok(found)
}

impl Dependency {
    fn is(&self, follow: impl Fn(Option<&str>) -> bool) -> bool {
        self.dep_kinds.iter().any(|one| follow(one.kind.as_deref()))
    }
}

impl Source {
    fn of(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Path };
        if let Some(git) = text.strip_prefix("git+") {
            let (place, commit) = git.split_once('#').unwrap_or((git, ""));
            let place = place.split('?').next().unwrap_or(place);
            return Self::Git(place.to_owned(), commit.to_owned());
        }
        let place = text.trim_start_matches("registry+").trim_start_matches("sparse+");
        match place {
            "https://github.com/rust-lang/crates.io-index" | "https://index.crates.io/" => Self::CratesIo,
            other => Self::Registry(other.to_owned()),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CratesIo => f.write_str("crates.io"),
            Self::Registry(place) => f.write_str(place),
            Self::Git(place, commit) => write!(f, "{place}#{commit}"),
            Self::Path => f.write_str("path"),
        }
    }
}

impl Package {
    /// Its package URL; none of a folder, which no registry has.
    pub(super) fn purl(&self) -> Option<String> {
        let plain = format!("pkg:cargo/{}@{}", encoded(&self.name), encoded(&self.version));
        match &self.source {
            Source::CratesIo => Some(plain),
            Source::Registry(place) => Some(format!("{plain}?repository_url={}", encoded(place))),
            Source::Git(place, commit) => Some(format!(
                "{plain}?vcs_url={}",
                encoded(&format!("git+{place}@{commit}"))
            )),
            Source::Path => None,
        }
    }

    /// Its name in the document.
    pub(super) fn reference(&self) -> String {
        self.purl()
            .unwrap_or_else(|| format!("cargo:{}@{}", self.name, self.version))
    }
}
