//! What is wrong with a manifest, where, and how to mend it.

use std::fmt;

/// A place in the text of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Could be better.
    Advice,
    /// An assessor will ask.
    Warning,
    /// The manifest cannot be used, or a mandatory provision is not met.
    Error,
}

impl Severity {
    /// As reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken; stable.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: `update[0].check`; empty for the manifest as a whole.
    pub at: String,
    /// Where that stands, if it does.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// An error.
    pub fn error(
        rule: &'static str,
        at: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            at: at.into(),
            place: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// With another severity.
    #[must_use]
    pub fn as_bad_as(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// With a place.
    #[must_use]
    pub fn found(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        f.write_str(&self.message)
    }
}
