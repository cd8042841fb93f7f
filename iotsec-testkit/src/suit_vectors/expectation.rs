use std::fmt;

use iotsec_core::error::ErrorCode;
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
    Refused(Refusal),
}

/// Why an envelope was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By the update process.
    Update(UpdateError),
    /// When its payload was taken in, or because there is no device that it could be for; in words.
    Other(String),
}

impl From<UpdateError> for Refusal {
    fn from(error: UpdateError) -> Self {
        Self::Update(error)
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self::Other(reason.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update(error) => write!(f, "{error} ({})", error.code()),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl Refusal {
    /// Whether `wanted` names it: the name of the error, or its number.
    fn is(&self, wanted: &Value) -> bool {
        match (self, wanted) {
            (Self::Update(error), Value::String(name)) => {
                let shown = format!("{error:?}");
                shown.split(['(', ' ', '{']).next() == Some(name.as_str())
            }
            (Self::Update(error), Value::Number(number)) => number.as_u64() == Some(error.code().into()),
            _ => false,
        }
    }
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    auth: Wanted,
    process: Wanted,
    error: Option<Value>,
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
        let error = entry.get("error").cloned();
        Ok(Self { auth, process, error })
    }

    /// # Errors
    /// The difference, in words.
    pub fn compare(&self, answer: &Answer) -> Result<(), String> {
        let authentic = answer.authentic.is_ok();
        if let Some(error) = &self.error {
            match &answer.process {
                Process::Refused(refusal) if refusal.is(error) => {}
                _ => return Err(format!("must be refused with {error}")),
            }
        }
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
