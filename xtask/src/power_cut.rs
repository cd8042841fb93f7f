//! Every sweep of power cuts through the update, counted.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
    time::Instant,
};

use crate::tool::{self, Failure};

/// The sweeps, by the name they print.
const FLOWS: [&str; 8] = [
    "install",
    "install of components",
    "install of a patch",
    "install of an encrypted patch",
    "accept",
    "reject and revert",
    "expiring trial",
    "rotation",
];

/// The points that each must try when nothing is left out: more than the simulator of MCUboot tries in one configuration: 50,328, with writes that are never torn.
const LEAST: u64 = 50_400;

/// Sweeps that cut twice.
const PAIRS: [&str; 5] = [
    "install",
    "install of components",
    "accept and reject",
    "rotation",
    "two rotations",
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let full = match args {
        [] => true,
        ["--quick"] => false,
        _ => return Err("takes --quick or nothing".into()),
    };
    let start = Instant::now();
    let mut counts = Counts::default();
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(["test", "--release", "-p", "iotsec-update"]);
    command.args(["--test", "install", "--test", "session", "--test", "trust"]);
    command.args(["cut", "--", "--nocapture"]);
    command.env("IOTSEC_SWEEP", if full { "full" } else { "quick" });
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        counts.note(&line);
    }
    if !child.wait()?.success() {
        return Err("a sweep failed; it says how to repeat the run that did".into());
    }
    counts.report(full)?;
    println!("power-cut: {} s", start.elapsed().as_secs());
    Ok(())
}

/// What the sweeps printed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    points: BTreeMap<String, u64>,
    pairs: BTreeMap<String, u64>,
}

impl Counts {
    /// Takes `NAME: COUNT cut points` and `NAME: COUNT pairs of cuts`; a name with a comma is a part of a sweep.
    fn note(&mut self, line: &str) {
        let Some((name, rest)) = line.rsplit_once(": ") else {
            return;
        };
        let Some((count, what)) = rest.split_once(' ') else {
            return;
        };
        let Ok(count) = count.parse::<u64>() else {
            return;
        };
        // The name stands behind what the test runner has printed of the test.
        let name = name.rsplit("... ").next().unwrap_or(name);
        let counts = match what {
            "cut points" => &mut self.points,
            "pairs of cuts" => &mut self.pairs,
            _ => return,
        };
        counts.insert(name.to_owned(), count);
    }

    fn report(&self, full: bool) -> Result<(), Failure> {
        println!("\n{:<32} {:>9}", "cut once", "points");
        for name in FLOWS {
            let points = self.points.get(name).ok_or(format!("no sweep said \"{name}\""))?;
            println!("{name:<32} {points:>9}");
            if full && *points < LEAST {
                return Err(format!("{name}: fewer than {LEAST} points").into());
            }
        }
        println!("{:<32} {:>9}", "cut twice", "pairs");
        for name in PAIRS {
            let pairs = self.pairs.get(name).ok_or(format!("no sweep said \"{name}\""))?;
            println!("{name:<32} {pairs:>9}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_whole_sweeps_are_counted_and_a_missing_one_fails() {
        let mut counts = Counts::default();
        for name in FLOWS {
            assert!(counts.report(false).is_err());
            counts.note(&format!("{name}: {LEAST} cut points"));
        }
        counts.note("install, serial NOR: 5 cut points");
        counts.note("test power_cut::x ... install: 17 pairs of cuts");
        assert_eq!(counts.pairs.get("install"), Some(&17));
        for name in PAIRS {
            assert!(counts.report(true).is_err());
            counts.note(&format!("{name}: 1 pairs of cuts"));
        }
        counts.report(true).unwrap();
        counts.note("accept: 7 cut points");
        assert!(counts.report(true).is_err());
        counts.report(false).unwrap();
    }
}
