//! What can go wrong, with what to do about it.

use std::{
    fmt::{self, Debug, Display},
    io,
    path::Path,
};

use iotsec::core::error::ErrorCode;
use iotsec_disclosure::DisclosureError;

use crate::advice::advice;

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) struct Problem {
    number: Option<u16>,
    name: String,
    message: String,
    remedy: String,
    rule: Option<&'static str>,
    offset: Option<u32>,
    exit: u8,
}

/// Refused, invalid or failed.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;

impl Problem {
    /// A refusal that the SDK has no number for. `name` is for programs, in `CamelCase`.
    pub(crate) fn new(name: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            number: None,
            name: name.into(),
            message: message.into(),
            remedy: remedy.into(),
            rule: None,
            offset: None,
            exit: FAILED,
        }
    }

    /// The command line asks for what cannot be.
    pub(crate) fn usage(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            exit: USAGE,
            ..Self::new("Usage", message, remedy)
        }
    }

    /// The operating system did not do it.
    pub(crate) fn file(path: &Path, cause: &io::Error) -> Self {
        let remedy = match cause.kind() {
            io::ErrorKind::NotFound => "check the name, and that the directory exists",
            io::ErrorKind::PermissionDenied => {
                "run as the user who may read and write there, or choose another place"
            }
            _ => "check the file and the disk it is on, then try again",
        };
        Self::new("File", format!("{}: {cause}", path.display()), remedy)
    }

    /// A name that is taken.
    pub(crate) fn exists(path: &Path) -> Self {
        let message = format!("{} exists already and is left as it is", path.display());
        Self::new("Exists", message, "choose another name")
    }

    /// For `map_err`: `path` was refused.
    pub(crate) fn refused<E: Display + Debug + ErrorCode>(path: &Path) -> impl Fn(E) -> Self + '_ {
        |cause| Self::coded(format!("{} refused: {cause}", path.display()), &cause)
    }

    /// For `map_err`: `what` could not be made.
    pub(crate) fn make<E: Display + Debug + ErrorCode>(what: &'static str) -> impl Fn(E) -> Self {
        move |cause| Self::coded(format!("{what} cannot be made: {cause}"), &cause)
    }

    /// For `map_err`: a document that cannot be made.
    #[expect(clippy::needless_pass_by_value, reason = "as map_err has it")]
    pub(crate) fn document(cause: DisclosureError) -> Self {
        match cause {
            DisclosureError::Mud(cause) => Self::make("MUD file")(cause),
            DisclosureError::Section(_) => Self::new("Manifest", cause.to_string(), cause.remedy()),
            _ => Self::new(
                &variant(&format!("{cause:?}").replace('(', " ")),
                cause.to_string(),
                cause.remedy(),
            ),
        }
    }

    /// With number, name and remedy of `cause`.
    pub(crate) fn coded<E: Debug + ErrorCode>(message: String, cause: &E) -> Self {
        Self {
            number: Some(cause.code()),
            remedy: advice(cause.code()).remedy.into(),
            ..Self::new(&variant(&format!("{cause:?}")), message, "")
        }
    }

    /// With a remedy that fits the occasion better than that of the number.
    pub(crate) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: remedy.into(),
            ..self
        }
    }

    /// With the rule that was not kept.
    pub(crate) fn with_rule(self) -> Self {
        Self {
            rule: self.number.map(|number| advice(number).rule),
            ..self
        }
    }

    /// At which byte of the input it was noticed.
    pub(crate) fn with_offset(self, offset: u32) -> Self {
        Self {
            offset: Some(offset),
            ..self
        }
    }

    pub(crate) const fn number(&self) -> Option<u16> {
        self.number
    }
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
    /// Without the number.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
    pub(crate) fn remedy(&self) -> &str {
        &self.remedy
    }
    pub(crate) const fn rule(&self) -> Option<&'static str> {
        self.rule
    }
    pub(crate) const fn offset(&self) -> Option<u32> {
        self.offset
    }
    pub(crate) const fn exit(&self) -> u8 {
        self.exit
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{} (error {number})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The innermost variant of an error as `Debug` shows it: `Signature` of `Cose(Crypto(Signature))`,
/// `Truncated` of `CborError { kind: Truncated, offset: 0 }`.
fn variant(debug: &str) -> String {
    let inner = debug.rsplit_once("kind: ").map_or(debug, |(_, kind)| kind);
    let inner = inner.rsplit('(').next().unwrap_or(inner);
    inner.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use iotsec::{
        core::{
            cbor::{CborError, Kind},
            cose::CoseError,
            crypto::CryptoError,
        },
        update::UpdateError,
    };

    use super::*;

    #[test]
    fn a_problem_has_number_and_name_of_the_innermost_cause() {
        for (error, number, name) in [
            (UpdateError::Rollback, 2041, "Rollback"),
            (
                UpdateError::Cose(CoseError::Crypto(CryptoError::Signature)),
                1201,
                "Signature",
            ),
            (CborError::new(Kind::Truncated, 7).into(), 1001, "Truncated"),
        ] {
            let problem = Problem::refused("file".as_ref())(error);
            assert_eq!((problem.number(), problem.name()), (Some(number), name));
            assert!(!problem.remedy().is_empty());
        }
    }
}
