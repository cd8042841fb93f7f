use core::fmt::{self, Write as _};

use super::description::{Default, Description, FieldDescription, Shape};

/// A description as CDDL (RFC 8610): one rule, named after the document.
///
/// It allows whatever the parser accepts, and tells what CDDL can tell: a text also has to be what its type says.
/// Units and what a field is for stand in comments.
#[derive(Clone, Copy, Debug)]
pub struct Cddl(&'static Description);

impl Description {
    /// The description as CDDL.
    ///
    /// ```
    /// use iotsec_core::{document, input::{Quantity, document::Document, unit::Percent}};
    ///
    /// document! {
    ///     struct Dusk {
    ///         /// Of full brightness.
    ///         level: Quantity<Percent, 0, 100> = 30,
    ///     }
    /// }
    /// assert_eq!(
    ///     Dusk::DESCRIPTION.cddl().to_string(),
    ///     "Dusk = {\n  ; Of full brightness.\n  ; unit: %\n  ? \"level\": (0..100) .default 30,\n}\n"
    /// );
    /// ```
    pub const fn cddl(&'static self) -> Cddl {
        Cddl(self)
    }
}

impl fmt::Display for Cddl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        comment(f, self.0.about(), 0)?;
        write!(f, "{} = ", self.0.name())?;
        object(f, self.0, 0)?;
        f.write_str("\n")
    }
}

fn object(f: &mut fmt::Formatter<'_>, description: &Description, depth: usize) -> fmt::Result {
    f.write_str("{\n")?;
    for field in description.fields() {
        member(f, field, depth.saturating_add(1))?;
    }
    indent(f, depth)?;
    f.write_str("}")
}

fn member(f: &mut fmt::Formatter<'_>, field: &FieldDescription, depth: usize) -> fmt::Result {
    let unit = match field.shape() {
        Shape::Integer { unit, .. } => unit,
        Shape::List {
            element: Shape::Integer { unit, .. },
            ..
        } => unit,
        _ => "",
    };
    comment(f, field.about(), depth)?;
    if !unit.is_empty() {
        indent(f, depth)?;
        writeln!(f, "; unit: {unit}")?;
    }
    indent(f, depth)?;
    f.write_str(if field.is_optional() { "? " } else { "" })?;
    string(f, field.name())?;
    f.write_str(": ")?;
    match field.default() {
        Some(default) => {
            f.write_str("(")?;
            shape(f, &field.shape(), depth)?;
            f.write_str(") .default ")?;
            match default {
                Default::Bool(value) => write!(f, "{value}")?,
                Default::Integer(value) => write!(f, "{value}")?,
                Default::Text(value) => string(f, value)?,
            }
        }
        None => shape(f, &field.shape(), depth)?,
    }
    f.write_str(",\n")
}

fn shape(f: &mut fmt::Formatter<'_>, shaped: &Shape, depth: usize) -> fmt::Result {
    match shaped {
        Shape::Bool => f.write_str("bool"),
        Shape::Integer { min, max, .. } if min == max => write!(f, "{min}"),
        Shape::Integer { min, max, .. } => write!(f, "{min}..{max}"),
        Shape::Text {
            min, max, pattern, ..
        } => {
            if pattern.is_empty() {
                return write!(f, "tstr .size ({min}..{max})");
            }
            write!(f, "(tstr .size ({min}..{max})) .and (tstr .regexp ")?;
            string(f, pattern)?;
            f.write_str(")")
        }
        Shape::Choice(choices) => {
            for (count, choice) in choices.iter().enumerate() {
                f.write_str(if count == 0 { "" } else { " / " })?;
                string(f, choice)?;
            }
            Ok(())
        }
        Shape::List { element, min, max } => {
            // What begins with a parenthesis would be taken for a group.
            let text = matches!(element, Shape::Text { .. });
            write!(f, "[{min}*{max} {}", if text { "(" } else { "" })?;
            shape(f, element, depth)?;
            f.write_str(if text { ")]" } else { "]" })
        }
        Shape::Object(description) => object(f, description, depth),
    }
}

fn comment(f: &mut fmt::Formatter<'_>, about: &str, depth: usize) -> fmt::Result {
    for line in about.lines().map(str::trim).filter(|line| !line.is_empty()) {
        indent(f, depth)?;
        writeln!(f, "; {line}")?;
    }
    Ok(())
}

fn indent(f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    for _ in 0..depth {
        f.write_str("  ")?;
    }
    Ok(())
}

fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            _ => f.write_char(character)?,
        }
    }
    f.write_str("\"")
}
