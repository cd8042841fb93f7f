use core::fmt::{self, Write as _};

use super::description::{Default, Description, FieldDescription, Shape};

/// A description as JSON Schema 2020-12, in one line.
///
/// It allows whatever the parser accepts, and tells what a schema can tell: a text also has to be what its type says,
/// and an integer is written without fraction or exponent. The unit of an integer is in `x-unit`.
#[derive(Clone, Copy, Debug)]
pub struct JsonSchema(&'static Description);

impl Description {
    /// The description as JSON Schema.
    ///
    /// ```
    /// use iotsec_core::{document, input::{Ranged, document::Document}};
    ///
    /// document! { struct Dusk { level: Ranged<0, 100> = 30 } }
    /// assert_eq!(
    ///     Dusk::DESCRIPTION.json_schema().to_string(),
    ///     concat!(
    ///         r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Dusk","type":"object","#,
    ///         r#""properties":{"level":{"type":"integer","minimum":0,"maximum":100,"default":30}},"#,
    ///         r#""required":[],"additionalProperties":false}"#,
    ///     )
    /// );
    /// ```
    pub const fn json_schema(&'static self) -> JsonSchema {
        JsonSchema(self)
    }
}

impl fmt::Display for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description = self.0;
        f.write_str("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":")?;
        string(f, description.name())?;
        f.write_str(",")?;
        about(f, description.about())?;
        shape(f, &Shape::Object(description))?;
        f.write_str("}")
    }
}

/// The members of the schema of a value, without braces.
pub(in crate::input) fn shape(f: &mut fmt::Formatter<'_>, shaped: &Shape) -> fmt::Result {
    match shaped {
        Shape::Bool => f.write_str("\"type\":\"boolean\""),
        Shape::Integer { min, max, unit } => {
            write!(f, "\"type\":\"integer\",\"minimum\":{min},\"maximum\":{max}")?;
            member(f, "x-unit", unit, "")
        }
        Shape::Text {
            min,
            max,
            format,
            pattern,
        } => {
            // A schema counts characters. Texts with a pattern are ASCII; of others, none may be empty.
            let least = if pattern.is_empty() { (*min).min(1) } else { *min };
            write!(f, "\"type\":\"string\",\"minLength\":{least},\"maxLength\":{max}")?;
            member(f, "format", format, "")?;
            member(f, "pattern", pattern, "^$")
        }
        Shape::Choice(choices) => {
            f.write_str("\"enum\":")?;
            strings(f, choices.iter().copied())
        }
        Shape::List { element, min, max } => {
            write!(
                f,
                "\"type\":\"array\",\"minItems\":{min},\"maxItems\":{max},\"items\":{{"
            )?;
            shape(f, element)?;
            f.write_str("}")
        }
        Shape::Object(description) => {
            f.write_str("\"type\":\"object\",\"properties\":{")?;
            for (count, field) in description.fields().iter().enumerate() {
                f.write_str(if count == 0 { "" } else { "," })?;
                property(f, field)?;
            }
            f.write_str("},\"required\":")?;
            let required = description.fields().iter().filter(|field| !field.is_optional());
            strings(f, required.map(FieldDescription::name))?;
            f.write_str(",\"additionalProperties\":false")
        }
    }
}

fn property(f: &mut fmt::Formatter<'_>, field: &FieldDescription) -> fmt::Result {
    string(f, field.name())?;
    f.write_str(":{")?;
    about(f, field.about())?;
    shape(f, &field.shape())?;
    match field.default() {
        Some(Default::Bool(value)) => write!(f, ",\"default\":{value}")?,
        Some(Default::Integer(value)) => write!(f, ",\"default\":{value}")?,
        Some(Default::Text(value)) => {
            f.write_str(",\"default\":")?;
            string(f, value)?;
        }
        None => {}
    }
    f.write_str("}")
}

/// One more member, unless it says nothing. `around` is what stands before and behind the text.
fn member(f: &mut fmt::Formatter<'_>, name: &str, text: &str, around: &str) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    write!(f, ",\"{name}\":\"")?;
    let anchored = !around.is_empty();
    f.write_str(if anchored { "^(" } else { "" })?;
    escape(f, text)?;
    f.write_str(if anchored { ")$\"" } else { "\"" })
}

fn about(f: &mut fmt::Formatter<'_>, about: &str) -> fmt::Result {
    if about.trim().is_empty() {
        return Ok(());
    }
    f.write_str("\"description\":\"")?;
    let lines = about.lines().map(str::trim).filter(|line| !line.is_empty());
    for (count, line) in lines.enumerate() {
        f.write_str(if count == 0 { "" } else { " " })?;
        escape(f, line)?;
    }
    f.write_str("\",")
}

fn strings(f: &mut fmt::Formatter<'_>, texts: impl Iterator<Item = &'static str>) -> fmt::Result {
    f.write_str("[")?;
    for (count, text) in texts.enumerate() {
        f.write_str(if count == 0 { "" } else { "," })?;
        string(f, text)?;
    }
    f.write_str("]")
}

pub(in crate::input) fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    escape(f, text)?;
    f.write_str("\"")
}

pub(in crate::input) fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            '\0'..='\u{1F}' => write!(f, "\\u{:04x}", u32::from(character))?,
            _ => f.write_char(character)?,
        }
    }
    Ok(())
}
