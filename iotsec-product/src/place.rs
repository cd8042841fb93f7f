//! Where each value stands in the text.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::finding::Place;

/// Paths such as `update[0].check` with the offsets of what they name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    offsets: BTreeMap<String, usize>,
    /// Where each line begins.
    lines: Vec<usize>,
    text: String,
}

impl Places {
    /// Of a text that is TOML; none otherwise.
    pub(crate) fn of(text: &str) -> Self {
        let mut places = Self {
            offsets: BTreeMap::new(),
            lines: std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1)))
                .collect(),
            text: text.to_owned(),
        };
        if let Ok(table) = DeTable::parse(text) {
            places.table("", table.get_ref());
        }
        places
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{}", key.get_ref());
            self.offsets.insert(path.clone(), key.span().start);
            self.value(&path, value.get_ref());
        }
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    let path = format!("{path}[{number}]");
                    self.offsets.insert(path.clone(), item.span().start);
                    self.value(&path, item.get_ref());
                }
            }
            _ => {}
        }
    }

    /// Of what `path` names, or of what it would stand in.
    pub(crate) fn find(&self, path: &str) -> Option<Place> {
        let mut path = path;
        loop {
            if let Some(offset) = self.offsets.get(path) {
                return Some(self.at(*offset));
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Where each line that has this word in it has it first.
    pub(crate) fn lines_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = Place> + 'a {
        let lines = self.text.lines().enumerate();
        lines.filter_map(move |(number, line)| {
            let column = line.get(..line.find(word)?)?.chars().count().saturating_add(1);
            Some(Place {
                line: number.saturating_add(1),
                column,
            })
        })
    }

    /// The place of an offset in bytes.
    pub(crate) fn at(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        Place {
            line,
            column: before.chars().count().saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_line_or_to_that_of_what_surrounds_it() {
        let places = Places::of("[a]\nb = 1\n\n[[c]]\nd = [ 1,\n  \"é\", { e = 2 } ]\n");
        let found = |path| places.find(path).map(|place| (place.line, place.column));
        assert_eq!(found("a"), Some((1, 2)));
        assert_eq!(found("a.b"), Some((2, 1)));
        assert_eq!(found("a.missing"), Some((1, 2)));
        assert_eq!(found("c[0].d[2].e"), Some((6, 10)));
        assert_eq!(found("c[0].d[9]"), Some((5, 1)));
        assert_eq!(found("nothing"), None);
    }
}
