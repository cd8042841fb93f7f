//! What a command has to say: once for people, once for programs.

use std::{
    io::{self, Write as _},
    path::Path,
};

use serde_json::{Value, json};

use crate::{
    Problem,
    file::{self, Access},
};

/// The result of a command. Every command makes both forms; `--json` picks one.
///
/// ```text
/// Ok(Output::new(
///     format!("{}: {} bytes\n", path.display(), bytes.len()),
///     json!({ "file": path, "bytes": bytes.len() }),
/// ))
/// ```
#[derive(Debug)]
pub(crate) struct Output {
    human: String,
    json: Value,
    exit: u8,
    /// What people are told on standard error, beside the result.
    notes: String,
}

impl Output {
    /// `human` ends with a line break. `json` is an object: digests and keys in lower-case hexadecimal,
    /// sizes in bytes, times in seconds since 1970.
    pub(crate) fn new(human: impl Into<String>, json: Value) -> Self {
        Self {
            human: human.into(),
            json,
            exit: 0,
            notes: String::new(),
        }
    }

    /// A text that somebody asked for: in a new file of this name, or as the result itself. `what` says what it is.
    pub(crate) fn text(
        out: Option<&Path>,
        what: &str,
        text: String,
        mut json: Value,
    ) -> Result<Self, Problem> {
        let Some(path) = out else {
            return Ok(Self::new(text, json));
        };
        file::create(path, text.as_bytes(), Access::Public)?;
        json["file"] = json!(path);
        let human = format!("{}: {what}, {} bytes\n", path.display(), text.len());
        Ok(Self::new(human, json))
    }

    /// With lines for standard error; programs find the same in the object.
    pub(crate) fn with_notes(self, notes: impl Into<String>) -> Self {
        Self {
            notes: notes.into(),
            ..self
        }
    }

    /// The command did what it was asked, and found what there should not be: exit status 1.
    pub(crate) fn with_findings(self) -> Self {
        Self { exit: 1, ..self }
    }

    pub(crate) const fn exit(&self) -> u8 {
        self.exit
    }
}

/// Which of the two forms is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Human,
    Json,
}

impl Format {
    /// Writes the result to standard output.
    pub(crate) fn print(self, output: &Output) -> Result<(), Problem> {
        let text = match self {
            Self::Human => {
                eprint!("{}", output.notes);
                output.human.clone()
            }
            Self::Json => format!("{:#}\n", output.json),
        };
        print(&text)
    }

    /// Reports a failure: to people on standard error, to programs on standard output.
    pub(crate) fn report(self, problem: &Problem) {
        match self {
            Self::Human => {
                let rule = problem.rule().map(|rule| format!("rule: {rule}\n"));
                let rule = rule.unwrap_or_default();
                eprintln!("iotsec: {problem}\n{rule}remedy: {}", problem.remedy());
            }
            Self::Json => {
                let mut error = json!({ "error": {
                    "number": problem.number(),
                    "name": problem.name(),
                    "message": problem.message(),
                    "remedy": problem.remedy(),
                }});
                if let Some(rule) = problem.rule() {
                    error["error"]["rule"] = rule.into();
                }
                if let Some(offset) = problem.offset() {
                    error["error"]["offset"] = offset.into();
                }
                // Nobody is left to be told of a second failure; the exit status says it.
                let _ = print(&format!("{error:#}\n"));
            }
        }
    }
}

/// A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::file("standard output".as_ref(), &cause))
        }
        _ => Ok(()),
    }
}
