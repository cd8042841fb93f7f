//! Answers an index of SUIT test vectors with the whole update process: authenticate, admit, then take
//! in the payload and compare its size and digest.
//!
//! The index is a JSON array; paths in it are relative to it, and public keys are
//! `keys/<name>.pub.hex` beside it.
//!
//! | field | meaning |
//! |---|---|
//! | `file`, `len`, `sha256` | the envelope |
//! | `trusted_keys` | names of the trust anchors; names of keys that cannot be loaded are no anchors |
//! | `auth`, `process` | what must be answered, see [`Expectation`] |
//! | `why` | in words; "threshold N" in it asks for N signatures, otherwise one is enough |
//! | `payload` | folder or file that payloads are fetched from, `payloads/` otherwise |
//! | `state` | `seq`: the sequence number installed; `slot`: to be written; `now`: seconds since 1970; `threshold` |
//!
//! Vectors in `oracle/` and `negative/` are made for one device: vendor "iotsec.example", class
//! "sensor-rev-b", device "device-0001", components `[h'00']` and `[h'01']`, sequence number 10 and
//! `payloads/app_v2.bin` installed, and a clock that says 2026. All others are answered by the device that
//! they were made for, fresh from the factory: vendor, class and components are read from the manifest
//! once it is authentic, and a payload that is not at hand is passed over, which the line says.
//!
//! ```
//! use iotsec_testkit::suit_vectors;
//!
//! let folder = std::env::temp_dir().join("iotsec-suit-vectors-doctest");
//! std::fs::create_dir_all(&folder)?;
//! std::fs::write(folder.join("empty.suit"), b"")?;
//! std::fs::write(
//!     folder.join("index.json"),
//!     r#"[{"file": "empty.suit", "trusted_keys": [], "auth": "reject", "process": "reject"}]"#,
//! )?;
//! for line in suit_vectors::answer(&folder.join("index.json"))? {
//!     assert_eq!(line.difference, None, "{line}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod device;
mod expectation;
mod process;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

pub use expectation::{Answer, Expectation, Process};

/// What became of one file.
#[derive(Clone, Debug)]
pub struct Line {
    /// The file, as the index names it.
    pub file: String,
    /// The two answers, with their reasons.
    pub answer: String,
    /// Why this is not what the index says.
    pub difference: Option<String>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.difference {
            None => write!(f, "ok    {}: {}", self.file, self.answer),
            Some(difference) => write!(f, "WRONG {}: {} ({difference})", self.file, self.answer),
        }
    }
}

/// An index that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The file is not there.
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    File(PathBuf, std::io::Error),
    /// The file is not JSON of the form described above.
    #[error("{path}: {problem}", path = .0.display(), problem = .1)]
    Form(PathBuf, String),
}

/// Answers every vector of the index at `path`.
///
/// An `exceptions.json` beside the index, an array of `{"file", "reason"}`, lists vectors that need a
/// feature which is not there. They must be refused; that one of them passes is a difference too.
///
/// # Errors
/// [`IndexError`] when the index or the exceptions cannot be read. A vector that cannot be read is a
/// difference.
pub fn answer(path: &Path) -> Result<Vec<Line>, IndexError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let entries = array(path, &read(path)?)?;
    let beside = folder.join("exceptions.json");
    let exceptions = if beside.exists() {
        array(&beside, &read(&beside)?)?
    } else {
        Vec::new()
    };
    let mut unused: Vec<&Value> = exceptions.iter().collect();
    let mut lines = Vec::new();
    for entry in &entries {
        let exception = unused
            .iter()
            .position(|exception| exception["file"] == entry["file"]);
        let exception = exception.map(|place| unused.remove(place));
        lines.push(line(folder, entry, exception));
    }
    for exception in unused {
        lines.push(Line {
            file: exception["file"].to_string(),
            answer: String::new(),
            difference: Some("listed in exceptions.json, but not in the index".into()),
        });
    }
    Ok(lines)
}

fn line(folder: &Path, entry: &Value, exception: Option<&Value>) -> Line {
    let file = entry["file"].as_str().unwrap_or("(no file)").to_string();
    // A panic is a wrong answer, and the rest of the index wants answering too.
    let answered = std::panic::catch_unwind(|| process::answer(folder, entry));
    let (answer, difference) = match answered {
        Err(_) => (String::new(), Some("panicked".to_string())),
        Ok(Err(problem)) => (String::new(), Some(problem)),
        Ok(Ok(answer)) => {
            let difference = match exception {
                Some(exception) => excepted(&answer, exception),
                None => Expectation::of(entry)
                    .and_then(|wanted| wanted.compare(&answer))
                    .err(),
            };
            (answer.to_string(), difference)
        }
    };
    Line {
        file,
        answer,
        difference,
    }
}

fn excepted(answer: &Answer, exception: &Value) -> Option<String> {
    if exception["reason"].as_str().is_none_or(str::is_empty) {
        return Some("exception without a reason".into());
    }
    match &answer.process {
        Process::Refused(_) => None,
        _ => Some("passes although it is listed in exceptions.json".into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, IndexError> {
    std::fs::read(path).map_err(|error| IndexError::File(path.into(), error))
}

fn array(path: &Path, json: &[u8]) -> Result<Vec<Value>, IndexError> {
    serde_json::from_slice(json).map_err(|error| IndexError::Form(path.into(), error.to_string()))
}
