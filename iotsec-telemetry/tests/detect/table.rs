//! One detector's figures, and the gates that they have to pass.

use std::fmt;

use crate::SEEDS;

pub(crate) struct Row {
    pub(crate) detector: &'static str,
    /// Reports in all the quiet years together, and how many may be.
    pub(crate) false_alarms: (usize, usize),
    pub(crate) attacks: Vec<Attack>,
}

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Minutes until the first report, for each seed that had one; sorted.
    pub(crate) delays: Vec<u64>,
    /// How many minutes it may take for the slowest.
    pub(crate) most: u64,
}

impl Row {
    /// The gates that it does not pass.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let (found, most) = self.false_alarms;
        if found > most {
            failures.push(format!("{}: {found} false alarms, {most} at most", self.detector));
        }
        for attack in &self.attacks {
            let what = format!("{}, {}", self.detector, attack.name);
            let noticed = attack.delays.len();
            if u64::try_from(noticed) != Ok(SEEDS) {
                failures.push(format!("{what}: noticed {noticed} times of {SEEDS}"));
            }
            let slowest = attack.delays.last().copied().unwrap_or(u64::MAX);
            if slowest > attack.most {
                failures.push(format!("{what}: {slowest} minutes, {} at most", attack.most));
            }
        }
        failures
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attack) in self.attacks.iter().enumerate() {
            let (detector, wrong) = match index {
                0 => (self.detector, self.false_alarms.0.to_string()),
                _ => ("", String::new()),
            };
            let median = attack
                .delays
                .get(attack.delays.len() / 2)
                .copied()
                .unwrap_or(u64::MAX);
            let slowest = attack.delays.last().copied().unwrap_or(u64::MAX);
            writeln!(
                f,
                "| {detector} | {wrong} | {} | {} | {} |",
                attack.name,
                duration(median),
                duration(slowest)
            )?;
        }
        Ok(())
    }
}

fn duration(minutes: u64) -> String {
    match minutes {
        0 => "at once".into(),
        1..120 => format!("{minutes} min"),
        _ => format!("{}.{} h", minutes / 60, minutes % 60 / 6),
    }
}
