//! A file in TOML that people write, and what is wrong with it, at its place.

use serde::de::DeserializeOwned;

use crate::{finding::Finding, place::Places};

/// What a kind of file is called in findings.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The rule of a file that is too large.
    pub size: &'static str,
    /// The rule of a file that is no text.
    pub text: &'static str,
    /// The rule of a file that has not the form.
    pub form: &'static str,
    /// Bytes of it at most.
    pub max_len: usize,
    /// What to do about one that is larger.
    pub smaller: &'static str,
    /// Where a complete one can be seen.
    pub example: &'static str,
    /// What it is, for lines that cannot be read at all.
    pub about: &'static str,
}

/// What a file says, and where each value stands in it.
///
/// ```
/// use iotsec_product::{Finding, document::{Document, Kind}};
///
/// #[derive(Debug, serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Note { days: u16 }
///
/// const NOTE: Kind = Kind {
///     size: "note.size", text: "note.text", form: "note.form", max_len: 1000,
///     smaller: "write less", example: "the guide shows one", about: "the file is TOML",
/// };
/// let note = Document::<Note>::parse(NOTE, b"# How long\ndays = 500\n").unwrap();
/// assert_eq!(note.value().days, 500);
/// let finding = note.place(Finding::error("note.days", "days", "is 1 to 365", "choose"));
/// assert_eq!(finding.to_string(), "line 2, column 1: days: is 1 to 365");
///
/// let wrong = Document::<Note>::parse(NOTE, b"day = 5\n").unwrap_err();
/// assert!(wrong[0].to_string().starts_with("line 1, column 1: unknown field `day`"));
/// ```
#[derive(Clone, Debug)]
pub struct Document<T> {
    value: T,
    places: Places,
}

impl<T: DeserializeOwned> Document<T> {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// One finding, with its place where it has one.
    pub fn parse(kind: Kind, bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        if bytes.len() > kind.max_len {
            let message = format!("{} bytes, {} at most", bytes.len(), kind.max_len);
            return Err(vec![Finding::error(kind.size, "", message, kind.smaller)]);
        }
        let text = std::str::from_utf8(bytes).map_err(|cause| {
            let message = format!("not UTF-8 from byte {} on", cause.valid_up_to());
            vec![Finding::error(kind.text, "", message, "save the file as UTF-8")]
        })?;
        let places = Places::of(text);
        match toml::from_str(text) {
            Ok(value) => Ok(Self { value, places }),
            Err(cause) => {
                let place = cause.span().map(|span| places.at(span.start));
                let remedy = remedy_of(&kind, cause.message());
                let finding = Finding::error(kind.form, "", cause.message().trim_end(), remedy);
                Err(vec![finding.found(place)])
            }
        }
    }
}

impl<T> Document<T> {
    /// What the file says.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Puts the place in the text to what a finding is about.
    pub fn place(&self, finding: Finding) -> Finding {
        let place = finding.place.or_else(|| self.places.find(&finding.at));
        finding.found(place)
    }

    /// Apart.
    pub(crate) fn into_parts(self) -> (T, Places) {
        (self.value, self.places)
    }
}

/// What to do about a text that does not have the form.
fn remedy_of(kind: &Kind, message: &str) -> String {
    match message {
        text if text.starts_with("unknown field") => {
            "take one of the names that are expected, or leave it out".into()
        }
        text if text.starts_with("unknown variant") => "take one of the words that are expected".into(),
        text if text.starts_with("missing field") => format!("add it; {}", kind.example),
        text if text.starts_with("invalid type") => {
            "write it as the type that is expected: texts in quotes, numbers and days without".into()
        }
        text if text.starts_with("duplicate") => "keep one of the two".into(),
        _ => format!("correct this line; {}", kind.about),
    }
}
