//! Tests that claims name, and how they ended.

use std::collections::BTreeMap;

use iotsec_core::claim;
use serde::{Deserialize, Serialize};

/// A test, by the words with which cargo finds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestName<'a> {
    /// The package.
    pub package: &'a str,
    /// The test program: a file under `tests`, or the library for tests inside it.
    pub target: &'a str,
    /// The test in it.
    pub path: &'a str,
}

impl<'a> TestName<'a> {
    /// From `package::target::path`.
    ///
    /// ```
    /// use iotsec_evidence::outcome::TestName;
    ///
    /// let name = TestName::parse("door::owner::login::a_stranger_stands_outside").unwrap();
    /// assert_eq!((name.target, name.path), ("owner", "login::a_stranger_stands_outside"));
    /// assert!(TestName::parse("a_stranger_stands_outside").is_none());
    /// ```
    pub fn parse(text: &'a str) -> Option<Self> {
        if !claim::is_test(text) {
            return None;
        }
        let (package, rest) = text.split_once("::")?;
        let (target, path) = rest.split_once("::")?;
        Some(Self {
            package,
            target,
            path,
        })
    }
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It is marked to be ignored, or said that it skips; with its reason.
    Skipped(String),
    /// There is no such test.
    Missing,
    /// It did not end in time, or its program did not start.
    Unfinished(String),
}

impl Outcome {
    /// In words, after the name of the test.
    pub fn said(&self) -> String {
        match self {
            Self::Passed => "passed".into(),
            Self::Failed => "failed".into(),
            Self::Skipped(reason) if reason.is_empty() => "was skipped".into(),
            Self::Skipped(reason) => format!("was skipped: {reason}"),
            Self::Missing => "does not exist".into(),
            Self::Unfinished(reason) => format!("did not end: {reason}"),
        }
    }
}

/// Reads what a test program wrote that was asked for these tests with `--exact --show-output`. A test of which it
/// says nothing is missing; one that passes and says `skipped` in its own output is skipped.
///
/// ```
/// use iotsec_evidence::outcome::{Outcome, read};
///
/// let written = "running 2 tests\ntest one ... ok\ntest two ... ignored, needs a TPM\n";
/// let outcomes = read(written, &["one", "two", "three"]);
/// assert_eq!(outcomes["one"], Outcome::Passed);
/// assert_eq!(outcomes["two"], Outcome::Skipped("needs a TPM".into()));
/// assert_eq!(outcomes["three"], Outcome::Missing);
/// ```
pub fn read<'t>(written: &str, asked: &[&'t str]) -> BTreeMap<&'t str, Outcome> {
    let mut ends = BTreeMap::new();
    let mut speaker = None;
    for line in written.lines() {
        if let Some((name, end)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        {
            let name = name.strip_suffix(" - should panic").unwrap_or(name);
            ends.insert(name, ended(end));
            speaker = None;
        } else if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            speaker = Some(name);
        } else if let Some(name) = speaker
            && let Some(reason) = skipped(line)
            && ends.get(name) == Some(&Outcome::Passed)
        {
            ends.insert(name, Outcome::Skipped(reason.to_owned()));
        }
    }
    of_asked(&ends, asked)
}

/// How these ended; missing where nothing is said of it.
fn of_asked<'t>(ends: &BTreeMap<&str, Outcome>, asked: &[&'t str]) -> BTreeMap<&'t str, Outcome> {
    let outcome = |name| ends.get(name).cloned().unwrap_or(Outcome::Missing);
    asked.iter().map(|name| (*name, outcome(name))).collect()
}

fn ended(end: &str) -> Outcome {
    if end == "ok" {
        return Outcome::Passed;
    }
    match end.strip_prefix("ignored") {
        Some(reason) => Outcome::Skipped(reason.trim_start_matches(", ").to_owned()),
        None => Outcome::Failed,
    }
}

/// Of a line in which a test says that it skips, the reason.
fn skipped(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line
        .strip_prefix("skipped")
        .or_else(|| line.strip_prefix("skipping"))?;
    Some(rest.trim_start_matches([':', ' ']))
}

/// The first part of the names of tests that `ctest` runs, where those of cargo have their package.
pub const CTEST: &str = "ctest";

/// Reads what `ctest` wrote that was asked for these tests. One of which it says nothing is missing.
///
/// ```
/// use iotsec_evidence::outcome::{Outcome, read_ctest};
///
/// let written = "1/2 Test #1: door.opens ......   Passed    0.01 sec\n\
///                2/2 Test #4: door.jams .......***Skipped   0.00 sec\n";
/// let outcomes = read_ctest(written, &["door.opens", "door.jams", "door"]);
/// assert_eq!(outcomes["door.opens"], Outcome::Passed);
/// assert_eq!(outcomes["door.jams"], Outcome::Skipped(String::new()));
/// assert_eq!(outcomes["door"], Outcome::Missing);
/// ```
pub fn read_ctest<'t>(written: &str, asked: &[&'t str]) -> BTreeMap<&'t str, Outcome> {
    let mut ends = BTreeMap::new();
    for line in written.lines() {
        let Some((_, line)) = line.split_once(" Test ") else {
            continue;
        };
        let Some((_, line)) = line.trim_start().split_once(": ") else {
            continue;
        };
        if let Some((name, end)) = line.split_once(' ') {
            let end = end.trim_start_matches(['.', ' ']);
            ends.insert(name, ended_ctest(end));
        }
    }
    of_asked(&ends, asked)
}

fn ended_ctest(end: &str) -> Outcome {
    let starts = |word: &str| end.starts_with(word);
    if starts("Passed ") {
        Outcome::Passed
    } else if starts("***Skipped") {
        Outcome::Skipped(String::new())
    } else if starts("***Not Run (Disabled)") {
        Outcome::Skipped("disabled".into())
    } else if starts("***Not Run") {
        Outcome::Unfinished("its program does not start".into())
    } else if starts("***Timeout") {
        Outcome::Unfinished("not in time".into())
    } else {
        Outcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_says_it_skips_did_not_pass() {
        let written = "\nrunning 3 tests\ntest a ... ok\ntest b ... FAILED\ntest c - should panic ... ok\n\nsuccesses:\n\n\
                       ---- a stdout ----\nlooking for swtpm\nskipped: swtpm is not installed\n\n\
                       failures:\n\n---- b stdout ----\nskipped\n\ntest result: FAILED. 2 passed; 1 failed;\n";
        let outcomes = read(written, &["a", "b", "c", "d"]);
        assert_eq!(outcomes["a"], Outcome::Skipped("swtpm is not installed".into()));
        assert_eq!(outcomes["b"], Outcome::Failed);
        assert_eq!(outcomes["c"], Outcome::Passed);
        assert_eq!(outcomes["d"], Outcome::Missing);
    }

    #[test]
    fn every_end_that_ctest_tells_is_read() {
        // As ctest 3.25 writes it.
        let written = "Test project /door/build\n    Start 1: stranger.stands_outside\n\
            1/7 Test #1: stranger.stands_outside .................   Passed    0.01 sec\n\
            2/7 Test #2: fails ...................................***Failed    0.01 sec\n\
            3/7 Test #3: crashes .................................Subprocess aborted***Exception:   0.02 sec\n\
            4/7 Test #4: sleeps ..................................***Timeout   2.02 sec\n\
            5/7 Test #5: skips ...................................***Skipped   0.00 sec\n\
            6/7 Test #6: off .....................................***Not Run (Disabled)   0.00 sec\n\
            7/7 Test #7: gone ....................................***Not Run   0.00 sec\n\n\
            The following tests did not run:\n\t  5 - skips (Skipped)\n";
        let unfinished = |why: &str| Outcome::Unfinished(why.into());
        for (name, outcome) in [
            ("stranger.stands_outside", Outcome::Passed),
            ("fails", Outcome::Failed),
            ("crashes", Outcome::Failed),
            ("sleeps", unfinished("not in time")),
            ("skips", Outcome::Skipped(String::new())),
            ("off", Outcome::Skipped("disabled".into())),
            ("gone", unfinished("its program does not start")),
            ("stranger", Outcome::Missing),
        ] {
            assert_eq!(read_ctest(written, &[name])[name], outcome, "{name}");
        }
    }

    /// A program can write anything.
    #[test]
    fn what_a_hostile_program_writes_passes_no_test_that_it_does_not_name() {
        for written in [
            "",
            "test",
            "test  ... ok",
            "test x ...",
            "---- x stdout ----\nskipped",
            "test x ... okay",
        ] {
            assert_ne!(read(written, &["x"])["x"], Outcome::Passed, "{written}");
        }
    }
}
