//! The source of one crate, as a tree of modules.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use syn::{
    Attribute, ImplItem, Item, ItemImpl, ItemMod, Macro, Meta, Token, TraitItem, Type, UseTree,
    punctuated::Punctuated,
    visit::{self, Visit},
};

use super::{
    feature::Condition,
    marker::{Marker, segments},
};

/// Reads a file, by its path in the workspace.
pub(super) type Files = dyn Fn(&Path) -> Option<String>;

/// A crate.
pub(super) struct Tree {
    pub(super) name: String,
    pub(super) modules: BTreeMap<Vec<String>, Module>,
}

/// One of its modules.
#[derive(Default)]
pub(super) struct Module {
    file: PathBuf,
    /// When it is there at all.
    pub(super) conditions: Vec<Condition>,
    pub(super) functions: BTreeMap<String, Vec<Condition>>,
    /// Types and traits.
    pub(super) types: BTreeSet<String>,
    pub(super) methods: Vec<Methods>,
    /// Names that come from elsewhere, and from where.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// Modules whose names all come in.
    pub(super) globs: Vec<Vec<String>>,
    markers: Vec<(usize, Result<Marker, String>)>,
    tests: BTreeSet<String>,
    ignored: BTreeSet<String>,
    /// Calls of macros: their name, and the names among their arguments.
    calls: Vec<(String, BTreeSet<String>)>,
    /// Macros that make tests.
    makers: BTreeSet<String>,
}

/// The functions of an `impl` or a trait.
pub(super) struct Methods {
    /// The type as it is named here.
    pub(super) of: Vec<String>,
    pub(super) conditions: Vec<Condition>,
    pub(super) functions: BTreeMap<String, Vec<Condition>>,
}

/// A marker and where it stands.
pub(super) struct Place<'a> {
    pub(super) module: &'a [String],
    pub(super) file: &'a Path,
    pub(super) line: usize,
    pub(super) marker: &'a Result<Marker, String>,
}

impl Tree {
    pub(super) fn read(root: &Path, name: &str, files: &Files) -> Result<Self, String> {
        let mut tree = Self {
            name: name.to_owned(),
            modules: BTreeMap::new(),
        };
        let folder = root.parent().unwrap_or(root).to_owned();
        tree.file(root, &folder, Vec::new(), Vec::new(), files)?;
        Ok(tree)
    }

    pub(super) fn markers(&self) -> impl Iterator<Item = Place<'_>> {
        self.modules.iter().flat_map(|(module, content)| {
            content.markers.iter().map(|(line, marker)| Place {
                module,
                file: &content.file,
                line: *line,
                marker,
            })
        })
    }

    /// Whether there is a test at this path that runs.
    pub(super) fn test(&self, path: &[&str]) -> Result<(), String> {
        let (name, module) = path.split_last().ok_or("there is no test without a name")?;
        let module: Vec<String> = module.iter().map(|&part| part.to_owned()).collect();
        let Some(content) = self.modules.get(&module) else {
            return Err(format!("there is no module {}", module.join("::")));
        };
        if content.ignored.contains(*name) {
            return Err("this test is ignored".into());
        }
        let makers: BTreeSet<&String> = self.modules.values().flat_map(|one| &one.makers).collect();
        let made = content
            .calls
            .iter()
            .any(|(call, names)| makers.contains(call) && names.contains(*name));
        if content.tests.contains(*name) || made {
            Ok(())
        } else {
            Err(format!("{} has no such test", content.file.display()))
        }
    }

    fn file(
        &mut self,
        file: &Path,
        folder: &Path,
        path: Vec<String>,
        conditions: Vec<Condition>,
        files: &Files,
    ) -> Result<(), String> {
        let Some(text) = files(file) else {
            return Err(format!("{} cannot be read", file.display()));
        };
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut markers = Markers::default();
        markers.visit_file(&parsed);
        if let Some(line) = markers.hidden.first() {
            return Err(format!(
                "{}:{line}: a claim stands in a module, not inside of a function",
                file.display()
            ));
        }
        self.module(file, folder, path, conditions, &parsed.items, files)
    }

    fn module(
        &mut self,
        file: &Path,
        folder: &Path,
        path: Vec<String>,
        mut conditions: Vec<Condition>,
        items: &[Item],
        files: &Files,
    ) -> Result<(), String> {
        conditions.sort();
        conditions.dedup();
        let mut content = Module {
            file: file.to_owned(),
            conditions: conditions.clone(),
            ..Module::default()
        };
        for item in items {
            match item {
                Item::Mod(inner) => {
                    let mut path = path.clone();
                    path.push(inner.ident.to_string());
                    let mut conditions = conditions.clone();
                    conditions.extend(Condition::of(&inner.attrs));
                    self.inner(file, folder, path, conditions, inner, files)?;
                }
                other => content.item(other),
            }
        }
        self.modules.insert(path, content);
        Ok(())
    }

    fn inner(
        &mut self,
        file: &Path,
        folder: &Path,
        path: Vec<String>,
        conditions: Vec<Condition>,
        inner: &ItemMod,
        files: &Files,
    ) -> Result<(), String> {
        let name = inner.ident.to_string();
        if let Some((_, items)) = &inner.content {
            return self.module(file, &folder.join(name), path, conditions, items, files);
        }
        if let Some(place) = named_place(&inner.attrs) {
            let file = normal(&file.parent().unwrap_or(file).join(place));
            let folder = file.parent().unwrap_or(&file).to_owned();
            return self.file(&file, &folder, path, conditions, files);
        }
        let file = folder.join(format!("{name}.rs"));
        self.file(&file, &folder.join(name), path, conditions, files)
    }
}

impl Module {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(one) => {
                let name = one.sig.ident.to_string();
                if is(&one.attrs, "test") {
                    if is(&one.attrs, "ignore") {
                        self.ignored.insert(name.clone());
                    } else {
                        self.tests.insert(name.clone());
                    }
                }
                self.functions.insert(name, Condition::of(&one.attrs));
            }
            Item::Struct(one) => drop(self.types.insert(one.ident.to_string())),
            Item::Enum(one) => drop(self.types.insert(one.ident.to_string())),
            Item::Union(one) => drop(self.types.insert(one.ident.to_string())),
            Item::Trait(one) => {
                self.types.insert(one.ident.to_string());
                let functions = one.items.iter().filter_map(|item| match item {
                    TraitItem::Fn(function) if function.default.is_some() => {
                        Some((function.sig.ident.to_string(), Condition::of(&function.attrs)))
                    }
                    _ => None,
                });
                self.methods.push(Methods {
                    of: vec![one.ident.to_string()],
                    conditions: Condition::of(&one.attrs),
                    functions: functions.collect(),
                });
            }
            Item::Impl(one) => self.methods.extend(methods(one)),
            Item::Use(one) => self.import(&mut Vec::new(), &one.tree),
            Item::Macro(one) => self.call(one.ident.as_ref(), &one.mac),
            _ => {}
        }
    }

    fn import(&mut self, before: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(part) => {
                before.push(part.ident.to_string());
                self.import(before, &part.tree);
                before.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = before.last() {
                    self.imports.insert(last.clone(), before.clone());
                }
            }
            UseTree::Name(name) => {
                let mut path = before.clone();
                path.push(name.ident.to_string());
                self.imports.insert(name.ident.to_string(), path);
            }
            UseTree::Rename(name) => {
                let mut path = before.clone();
                path.push(name.ident.to_string());
                self.imports.insert(name.rename.to_string(), path);
            }
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(before, tree);
                }
            }
        }
    }

    fn call(&mut self, defines: Option<&syn::Ident>, call: &Macro) {
        let name = last_name(call);
        if let Some(defined) = defines {
            let body = call.tokens.to_string();
            if body.contains("# [test]") || body.contains("#[test]") {
                self.makers.insert(defined.to_string());
            }
        } else if name == "claim" {
            self.markers
                .push((line_of(call), Marker::read(call.tokens.clone())));
        } else {
            let words = call.tokens.to_string();
            let words = words.split(|c: char| c != '_' && !c.is_alphanumeric());
            self.calls.push((name, words.map(str::to_owned).collect()));
        }
    }
}

fn methods(one: &ItemImpl) -> Option<Methods> {
    let Type::Path(of) = &*one.self_ty else {
        return None;
    };
    let functions = one.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some((function.sig.ident.to_string(), Condition::of(&function.attrs))),
        _ => None,
    });
    Some(Methods {
        of: segments(&of.path),
        conditions: Condition::of(&one.attrs),
        functions: functions.collect(),
    })
}

fn is(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|one| one.path().is_ident(name))
}

fn last_name(call: &Macro) -> String {
    let last = call.path.segments.last();
    last.map(|one| one.ident.to_string()).unwrap_or_default()
}

fn line_of(call: &Macro) -> usize {
    let last = call.path.segments.last();
    last.map_or(0, |one| one.ident.span().start().line)
}

/// The file that `#[path = "…"]` names.
fn named_place(attributes: &[Attribute]) -> Option<String> {
    let named = attributes.iter().find(|one| one.path().is_ident("path"))?;
    let Meta::NameValue(pair) = &named.meta else {
        return None;
    };
    let syn::Expr::Lit(text) = &pair.value else {
        return None;
    };
    match &text.lit {
        syn::Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

/// Claims where nobody would read them.
#[derive(Default)]
struct Markers {
    hidden: Vec<usize>,
}

impl<'ast> Visit<'ast> for Markers {
    fn visit_macro(&mut self, call: &'ast Macro) {
        if last_name(call) == "claim" {
            self.hidden.push(line_of(call));
        }
    }

    // Those of modules are read; anything that is met on another way is not.
    fn visit_item_macro(&mut self, _: &'ast syn::ItemMacro) {}

    fn visit_block(&mut self, block: &'ast syn::Block) {
        for statement in &block.stmts {
            if let syn::Stmt::Item(Item::Macro(item)) = statement {
                self.visit_macro(&item.mac);
            }
        }
        visit::visit_block(self, block);
    }
}

impl Condition {
    /// What `#[cfg]` asks for.
    pub(super) fn of(attributes: &[Attribute]) -> Vec<Self> {
        let lists = attributes.iter().filter_map(|one| match &one.meta {
            Meta::List(list) if list.path.is_ident("cfg") => list.parse_args::<Meta>().ok(),
            _ => None,
        });
        lists.map(|meta| Self::from_meta(&meta)).collect()
    }

    fn from_meta(meta: &Meta) -> Self {
        match meta {
            Meta::NameValue(pair) if pair.path.is_ident("feature") => match &pair.value {
                syn::Expr::Lit(text) => match &text.lit {
                    syn::Lit::Str(text) => Self::Feature(text.value()),
                    _ => Self::Elsewhere,
                },
                _ => Self::Elsewhere,
            },
            Meta::List(list) => {
                let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
                let inner: Vec<Self> = inner.iter().flatten().map(Self::from_meta).collect();
                if list.path.is_ident("all") {
                    Self::All(inner)
                } else if list.path.is_ident("any") {
                    Self::Any(inner)
                } else {
                    Self::None(inner)
                }
            }
            Meta::Path(path) if path.is_ident("test") || path.is_ident("doctest") => Self::Test,
            _ => Self::Elsewhere,
        }
    }
}
