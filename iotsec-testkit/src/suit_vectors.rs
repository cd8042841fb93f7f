//! Answers an index of SUIT test vectors with the whole update process: authenticate, admit, then take
//! in the payload and compare its size and digest.
//!
//! The index is a JSON array; paths in it are relative to it, and keys are `keys/<name>.*` beside it: raw, in
//! hexadecimal digits, PEM or COSE_Key. Their length says what they are: Ed25519, P-256, HSS-LMS or ML-DSA-44.
//! A key called `hmac…` is a shared one, and `hmac:000102..1f` is its own value.
//!
//! | field | meaning |
//! |---|---|
//! | `file`, `len`, `sha256` | the envelope |
//! | `trusted_keys` | names of the trust anchors; names of keys that cannot be loaded are no anchors |
//! | `auth`, `process` | what must be answered, see [`Expectation`] |
//! | `why` | in words; "threshold N" in it asks for N signatures, otherwise one is enough |
//! | `payload` | folder or file that payloads are fetched from, `payloads/` otherwise |
//! | `error` | the name of the [`UpdateError`](iotsec_update::UpdateError), or its number |
//! | `limits` | changes to [`Limits::DEFAULT`](iotsec_update::Limits::DEFAULT); without it, larger envelopes are read |
//! | `state` | `seq`: the sequence number installed; `slot`: to be written; `now`: seconds since 1970; `threshold` |
//!
//! Vectors in `oracle/`, `positive/` and `negative/` are made for one device: vendor "iotsec.example", class
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
mod hex;
mod keys;
mod process;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

pub use expectation::{Answer, Expectation, Process, Refusal};

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
/// # Errors
/// [`IndexError`] when the index cannot be read. A vector that cannot be read is a difference.
pub fn answer(path: &Path) -> Result<Vec<Line>, IndexError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let entries = array(path, &read(path)?)?;
    Ok(entries.iter().map(|entry| line(folder, entry)).collect())
}

fn line(folder: &Path, entry: &Value) -> Line {
    let file = entry["file"].as_str().unwrap_or("(no file)").to_string();
    // A panic is a wrong answer, and the rest of the index wants answering too.
    let answered = std::panic::catch_unwind(|| process::answer(folder, entry));
    let (answer, difference) = match answered {
        Err(_) => (String::new(), Some("panicked".to_string())),
        Ok(Err(problem)) => (String::new(), Some(problem)),
        Ok(Ok(answer)) => {
            let difference = Expectation::of(entry).and_then(|wanted| wanted.compare(&answer));
            (answer.to_string(), difference.err())
        }
    };
    Line {
        file,
        answer,
        difference,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, IndexError> {
    std::fs::read(path).map_err(|error| IndexError::File(path.into(), error))
}

fn array(path: &Path, json: &[u8]) -> Result<Vec<Value>, IndexError> {
    serde_json::from_slice(json).map_err(|error| IndexError::Form(path.into(), error.to_string()))
}
