//! Base scores of CVSS 3.1.

use std::{fmt, str::FromStr};

/// Why a vector is none.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CvssError {
    /// It does not start with `CVSS:3.1/`.
    #[error("starts with CVSS:3.1/")]
    Version,
    /// A metric that is none of the base ones, or a value that it has not.
    #[error("has {0:?}, which is no base metric with one of its values")]
    Metric(String),
    /// A metric that stands twice.
    #[error("has the metric {0} twice")]
    Twice(String),
    /// A metric that is not there.
    #[error("lacks the metric {0}")]
    Missing(&'static str),
}

/// The base metrics of a weakness, and how severe that is.
///
/// ```
/// use iotsec_disclosure::cvss::Vector;
///
/// let vector: Vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".parse()?;
/// assert_eq!((vector.score().to_string(), vector.score().severity()), ("9.8".into(), "CRITICAL"));
/// # Ok::<(), iotsec_disclosure::cvss::CvssError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    text: String,
    score: Score,
}

/// A score, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u8);

/// The metrics, and the weights of their values (CVSS 3.1 §7.4); those of privileges depend on the scope.
const METRICS: [(&str, &[(char, f64)]); 8] = [
    ("AV", &[('N', 0.85), ('A', 0.62), ('L', 0.55), ('P', 0.2)]),
    ("AC", &[('L', 0.77), ('H', 0.44)]),
    ("PR", &[('N', 0.85), ('L', 0.62), ('H', 0.27)]),
    ("UI", &[('N', 0.85), ('R', 0.62)]),
    ("S", &[('U', 0.0), ('C', 1.0)]),
    ("C", &IMPACT),
    ("I", &IMPACT),
    ("A", &IMPACT),
];
const IMPACT: [(char, f64); 3] = [('H', 0.56), ('L', 0.22), ('N', 0.0)];

impl Vector {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The base score.
    pub const fn score(&self) -> Score {
        self.score
    }
}

impl FromStr for Vector {
    type Err = CvssError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("CVSS:3.1/").ok_or(CvssError::Version)?;
        let mut values = [None::<(char, f64)>; 8];
        for part in rest.split('/') {
            let wrong = || CvssError::Metric(part.to_owned());
            let (name, value) = part.split_once(':').ok_or_else(wrong)?;
            let metric = METRICS.iter().position(|(known, _)| *known == name);
            let metric = metric.ok_or_else(wrong)?;
            let value = METRICS[metric]
                .1
                .iter()
                .find(|(known, _)| value == known.to_string());
            if values[metric].replace(*value.ok_or_else(wrong)?).is_some() {
                return Err(CvssError::Twice(name.to_owned()));
            }
        }
        let mut weights = [('N', 0.0); 8];
        for ((weight, value), (name, _)) in weights.iter_mut().zip(values).zip(METRICS) {
            *weight = value.ok_or(CvssError::Missing(name))?;
        }
        Ok(Self {
            text: text.to_owned(),
            score: base(weights),
        })
    }
}

/// CVSS 3.1 §7.1.
fn base(metrics: [(char, f64); 8]) -> Score {
    let [
        (_, vector),
        (_, complexity),
        privileges,
        (_, interaction),
        scope,
        rest @ ..,
    ] = metrics;
    let changed = scope.0 == 'C';
    let privileges = match (privileges.0, changed) {
        ('L', true) => 0.68,
        ('H', true) => 0.5,
        _ => privileges.1,
    };
    let whole = 1.0 - rest.iter().map(|(_, weight)| 1.0 - weight).product::<f64>();
    let impact = if changed {
        7.52 * (whole - 0.029) - 3.25 * (whole - 0.02).powi(15)
    } else {
        6.42 * whole
    };
    if impact <= 0.0 {
        return Score(0);
    }
    let exploitability = 8.22 * vector * complexity * privileges * interaction;
    let factor = if changed { 1.08 } else { 1.0 };
    Score(rounded_up((factor * (impact + exploitability)).min(10.0)))
}

/// To tenths, upwards, in whole numbers as appendix A of CVSS 3.1 has it, so that every computer finds the same.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 10 times 100,000"
)]
fn rounded_up(score: f64) -> u8 {
    let parts = (score * 100_000.0).round() as u64;
    u8::try_from(parts.div_ceil(10_000)).unwrap_or(u8::MAX)
}

impl Score {
    /// As a number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// CVSS 3.1 §5.
    pub const fn severity(self) -> &'static str {
        match self.0 {
            0 => "NONE",
            1..40 => "LOW",
            40..70 => "MEDIUM",
            70..90 => "HIGH",
            _ => "CRITICAL",
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_that_others_published() {
        // All but the last two are in the examples that FIRST published with CVSS 3.1.
        for (vector, score, severity) in [
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "6.4", "MEDIUM"),
            ("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1", "LOW"),
            ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1", "MEDIUM"),
            ("AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", "4.2", "MEDIUM"),
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "9.9", "CRITICAL"),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5", "HIGH"),
            ("AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0", "NONE"),
            ("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", "CRITICAL"),
        ] {
            let found: Vector = format!("CVSS:3.1/{vector}").parse().unwrap();
            assert_eq!(
                (found.score().to_string().as_str(), found.score().severity()),
                (score, severity),
                "{vector}"
            );
        }
    }

    #[test]
    fn what_is_no_vector_is_refused_with_the_reason() {
        let refused = |text: &str| text.parse::<Vector>().unwrap_err();
        let whole = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        assert_eq!(refused("CVSS:4.0/AV:N"), CvssError::Version);
        assert_eq!(refused(&whole.replace("/A:H", "")), CvssError::Missing("A"));
        assert_eq!(refused(&format!("{whole}/A:L")), CvssError::Twice("A".into()));
        assert_eq!(refused(&format!("{whole}/E:P")), CvssError::Metric("E:P".into()));
        assert_eq!(
            refused(&whole.replace("AV:N", "AV:X")),
            CvssError::Metric("AV:X".into())
        );
    }
}
