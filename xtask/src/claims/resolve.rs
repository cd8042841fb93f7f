//! From the name of a function to where it is defined.

use super::{feature::Condition, source::Tree};

/// A function.
#[derive(Debug)]
pub(super) struct Found {
    /// As debug information names it: the crate, the defining module, the type if any, the function.
    pub(super) path: String,
    /// When it is there.
    pub(super) conditions: Vec<Condition>,
}

/// What a path can lead to.
#[derive(Debug, PartialEq)]
enum Entity {
    Module(Vec<String>),
    /// A type or a function, in the module that defines it.
    Item(Vec<String>, String),
}

/// `use` that leads to `use`: more than any crate here has, and an end for one that leads to itself.
const STEPS: usize = 16;

impl Tree {
    /// The function that this path means in this module.
    pub(super) fn function(&self, module: &[String], path: &[String]) -> Result<Found, String> {
        let shown = path.join("::");
        let (name, before) = path.split_last().ok_or("a function has a name")?;
        let missing = || format!("{shown} is not in the source of {}", self.name);
        let owner = if before.is_empty() {
            match self.lookup(module, name, false, STEPS) {
                Some(Entity::Item(module, name)) => return self.free(&module, &name).ok_or_else(missing),
                _ => return Err(self.refusal(module, path)),
            }
        } else {
            self.resolve(module, before, STEPS)
        };
        match owner {
            Some(Entity::Module(module)) => match self.lookup(&module, name, false, STEPS) {
                Some(Entity::Item(module, name)) => self.free(&module, &name).ok_or_else(missing),
                _ => Err(missing()),
            },
            Some(Entity::Item(module, of)) => self.method(&module, &of, name).ok_or_else(missing),
            None => Err(self.refusal(module, path)),
        }
    }

    fn refusal(&self, module: &[String], path: &[String]) -> String {
        let shown = path.join("::");
        let first = path.first().map(String::as_str).unwrap_or_default();
        let imported = self.modules.get(module).and_then(|one| one.imports.get(first));
        match imported {
            Some(from) => format!(
                "{shown} comes from {}: claim it in the module that defines it",
                from.join("::")
            ),
            None => format!("{shown} is not in the source of {}", self.name),
        }
    }

    fn free(&self, module: &[String], name: &str) -> Option<Found> {
        let content = self.modules.get(module)?;
        let own = content.functions.get(name)?;
        Some(Found {
            path: self.full(module, &[name]),
            conditions: [content.conditions.as_slice(), own].concat(),
        })
    }

    fn method(&self, module: &[String], of: &str, name: &str) -> Option<Found> {
        let wanted = Entity::Item(module.to_vec(), of.to_owned());
        self.modules.iter().find_map(|(place, content)| {
            content.methods.iter().find_map(|methods| {
                let own = methods.functions.get(name)?;
                (self.resolve(place, &methods.of, STEPS)? == wanted).then(|| Found {
                    path: self.full(module, &[of, name]),
                    conditions: [content.conditions.as_slice(), &methods.conditions, own].concat(),
                })
            })
        })
    }

    fn full(&self, module: &[String], names: &[&str]) -> String {
        let parts = [self.name.as_str()].into_iter();
        let parts = parts.chain(module.iter().map(String::as_str));
        parts.chain(names.iter().copied()).collect::<Vec<_>>().join("::")
    }

    fn resolve(&self, module: &[String], path: &[String], steps: usize) -> Option<Entity> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Entity::Module(Vec::new()),
            "self" => Entity::Module(module.to_vec()),
            "super" => Entity::Module(module.split_last()?.1.to_vec()),
            name => self.lookup(module, name, !rest.is_empty(), steps)?,
        };
        while let Some((next, after)) = rest.split_first() {
            let Entity::Module(inside) = at else { return None };
            at = match next.as_str() {
                "super" => Entity::Module(inside.split_last()?.1.to_vec()),
                name => self.lookup(&inside, name, !after.is_empty(), steps)?,
            };
            rest = after;
        }
        Some(at)
    }

    /// What a name means in a module; a module and a function may have the same.
    fn lookup(&self, module: &[String], name: &str, goes_on: bool, steps: usize) -> Option<Entity> {
        let content = self.modules.get(module)?;
        let steps = steps.checked_sub(1)?;
        let child = [module, &[name.to_owned()]].concat();
        let child = self.modules.contains_key(&child).then_some(Entity::Module(child));
        let is_item = content.types.contains(name) || content.functions.contains_key(name);
        let item = is_item.then(|| Entity::Item(module.to_vec(), name.to_owned()));
        let imported = || {
            let path = content.imports.get(name)?;
            self.resolve(module, path, steps)
        };
        let global = || {
            content.globs.iter().find_map(|path| {
                let Entity::Module(from) = self.resolve(module, path, steps)? else {
                    return None;
                };
                self.lookup(&from, name, goes_on, steps)
            })
        };
        if goes_on {
            child.or_else(imported).or(item).or_else(global)
        } else {
            item.or_else(imported).or(child).or_else(global)
        }
    }
}
