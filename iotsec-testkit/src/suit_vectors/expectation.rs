use std::fmt;

use iotsec_update::UpdateError;
use serde_json::Value;

/// How an envelope was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether the manifest is authentic.
    pub authentic: Result<(), UpdateError>,
    /// What the whole process made of it.
    pub process: Process,
    /// What was passed over, in words.
    pub note: Option<String>,
}

/// The end of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// Installed.
    Accepted,
    /// Not to be installed, because a severed section is absent, but good to boot from.
    BootOnly,
    /// Refused, and why.
    Refused(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.authentic {
            Ok(()) => f.write_str("authentic, ")?,
            Err(_) => f.write_str("not authentic, ")?,
        }
        match &self.process {
            Process::Accepted => f.write_str("accepted")?,
            Process::BootOnly => f.write_str("accepted for boot, not for an update")?,
            Process::Refused(reason) => write!(f, "refused: {reason}")?,
        }
        match &self.note {
            Some(note) => write!(f, " [{note}]"),
            None => Ok(()),
        }
    }
}

/// What an index entry asks for. Words that are not known are an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    auth: Wanted,
    process: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Accept,
    Reject,
    /// Not for an update; a boot may be fine.
    RejectForUpdate,
    /// Both answers are right.
    Either,
}

impl Expectation {
    /// Reads `auth` and `process`, of which the first word counts.
    ///
    /// # Errors
    /// A word that is not known, in words.
    pub fn of(entry: &Value) -> Result<Self, String> {
        let auth = match word(entry, "auth")? {
            "accept" | "accept-signature" => Wanted::Accept,
            "reject" => Wanted::Reject,
            "accept-if-supported" | "reject-or-policy" | "reject-if-over-limit" => Wanted::Either,
            other => return Err(format!("auth: \"{other}\" is not understood")),
        };
        let process = match word(entry, "process")? {
            "accept" => Wanted::Accept,
            "reject" | "reject-by-default" => Wanted::Reject,
            "reject-for-update" => Wanted::RejectForUpdate,
            "accept-if-supported"
            | "accept-reinstall-or-policy"
            | "accept-or-policy"
            | "accept-in-order-or-reject"
            | "reject-or-ignore"
            | "reject-or-policy"
            | "reject-if-over-limit" => Wanted::Either,
            other => return Err(format!("process: \"{other}\" is not understood")),
        };
        Ok(Self { auth, process })
    }

    /// # Errors
    /// The difference, in words.
    pub fn compare(&self, answer: &Answer) -> Result<(), String> {
        let authentic = answer.authentic.is_ok();
        match self.auth {
            Wanted::Accept if !authentic => return Err("must be authentic".into()),
            Wanted::Reject | Wanted::RejectForUpdate if authentic => {
                return Err("must not be authentic".into());
            }
            // The process cannot be judged when the index leaves it open whether it is entered.
            Wanted::Either if !authentic => return Ok(()),
            _ => {}
        }
        if !authentic && !matches!(answer.process, Process::Refused(_)) {
            return Err("went on without an authentic manifest".into());
        }
        match (self.process, &answer.process) {
            (Wanted::Accept, Process::Refused(_)) if authentic => Err("must be accepted".into()),
            (Wanted::Reject, Process::Accepted | Process::BootOnly) => Err("must be refused".into()),
            (Wanted::RejectForUpdate, Process::Accepted) => Err("must not be installed".into()),
            _ => Ok(()),
        }
    }
}

fn word<'e>(entry: &'e Value, field: &str) -> Result<&'e str, String> {
    let text = entry[field].as_str().ok_or(format!("no field {field}"))?;
    text.split_whitespace()
        .next()
        .ok_or_else(|| format!("{field} is empty"))
}
