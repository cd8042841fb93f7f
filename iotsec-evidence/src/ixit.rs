//! Extra information for testing: the 29 tables of TS 103 701, filled from the manifest, with a plain gap where it
//! says nothing.

mod rows;

use std::fmt::Write as _;

use iotsec_product::{Product, text::markdown};

use crate::catalogue::{Catalogue, Table};

/// What stands where the manifest says nothing.
pub const GAP: &str = "(to be filled in)";

/// A table with its rows.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The table.
    pub table: &'static Table,
    /// Each with a value for every field of the table; one row where the table is single.
    pub rows: Vec<Vec<String>>,
}

impl Filled {
    /// Values that are missing.
    pub fn gaps(&self) -> usize {
        self.rows.iter().flatten().filter(|value| *value == GAP).count()
    }
}

/// All tables of a product.
///
/// ```
/// use iotsec_product::Product;
///
/// let lamp = "[product]\nname = 'Lamp'\nmodel = 'lamp-2'\nvendor = 'V'\n[serial]\nprefix = 'L-'\n\
///             [[sensor]]\nid = 'light'\nkind = 'photo diode'\ndescription = 'How bright the room is'\n";
/// let tables = iotsec_evidence::ixit::of(&Product::parse(lamp.as_bytes()).unwrap());
/// assert_eq!(tables.len(), 29);
/// assert_eq!(tables[21].rows, [["ExtSens-1: light", "photo diode: How bright the room is"]]);
/// ```
pub fn of(product: &Product) -> Vec<Filled> {
    Catalogue::get()
        .tables()
        .iter()
        .map(|table| {
            let rows = rows::of(product, table.number);
            Filled {
                table,
                rows: rows
                    .into_iter()
                    .enumerate()
                    .map(|(n, row)| fitted(table, n, row))
                    .collect(),
            }
        })
        .collect()
}

/// A row with its name in front, and gaps for what it lacks.
fn fitted(table: &Table, number: usize, row: rows::Row) -> Vec<String> {
    let mut values: Vec<String> = Vec::with_capacity(table.fields.len());
    if !table.single {
        let short = table.name.split(' ').next().unwrap_or(&table.name);
        values.push(format!("{short}-{}: {}", number.saturating_add(1), row.id));
    }
    values.extend(
        row.values
            .into_iter()
            .map(|value| value.unwrap_or_else(|| GAP.into())),
    );
    values.resize(table.fields.len(), GAP.into());
    values
}

/// As a page.
pub fn to_markdown(product: &Product, tables: &[Filled]) -> String {
    let gaps: usize = tables.iter().map(Filled::gaps).sum();
    let mut text = format!(
        "# Extra information for testing\n\n{} ({}), the tables of ETSI TS 103 701 V2.1.1. {gaps} values are to be filled in.\n",
        markdown(product.product.name.as_str()),
        markdown(product.product.model.as_str())
    );
    for filled in tables {
        let table = filled.table;
        let _ = write!(
            text,
            "\n## IXIT {}-{}: {}\n\n",
            table.number, table.name, table.title
        );
        if filled.rows.is_empty() {
            text += "No entry.\n";
            continue;
        }
        if table.single {
            text += "| what | value |\n|---|---|\n";
            for (field, value) in table.fields.iter().zip(filled.rows.iter().flatten()) {
                let _ = writeln!(text, "| {field} | {} |", markdown(value));
            }
            continue;
        }
        let _ = writeln!(
            text,
            "| {} |\n|{}",
            table.fields.join(" | "),
            "---|".repeat(table.fields.len())
        );
        for row in &filled.rows {
            let cells: Vec<String> = row.iter().map(markdown).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text
}

/// For programs: a list of tables, each with its rows as objects.
pub fn to_json(tables: &[Filled]) -> serde_json::Value {
    let tables = tables.iter().map(|filled| {
        let rows = filled.rows.iter().map(|row| {
            let pairs = filled.table.fields.iter().zip(row);
            serde_json::Value::Object(
                pairs
                    .map(|(field, value)| (field.clone(), value.clone().into()))
                    .collect(),
            )
        });
        serde_json::json!({
            "number": filled.table.number,
            "name": filled.table.name,
            "title": filled.table.title,
            "gaps": filled.gaps(),
            "rows": rows.collect::<Vec<_>>(),
        })
    });
    serde_json::Value::Array(tables.collect())
}
