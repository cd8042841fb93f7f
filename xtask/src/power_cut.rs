//! Every sweep of power cuts through the update and the store, counted.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
    time::Instant,
};

use crate::tool::{self, Failure};

/// The sweeps, by the name they print.
const FLOWS: [&str; 12] = [
    "install",
    "install of components",
    "install of a patch",
    "install of an encrypted patch",
    "accept",
    "reject and revert",
    "expiring trial",
    "rotation",
    "MCUboot update",
    "MCUboot second update",
    "MCUboot revert",
    "MCUboot confirmation",
];

/// The sweeps of the store, and the points that they must try together when nothing is left out.
const STORE_FLOWS: [&str; 11] = [
    "put, new key",
    "put, old key",
    "put with collection",
    "remove",
    "transaction",
    "long value",
    "counter",
    "replay protection",
    "erase user domain",
    "scrub",
    "format",
];
const STORE_PAIRS: [&str; 2] = ["put and erasure", "transaction"];
const STORE_TRIPLES: [&str; 1] = ["put and erasure"];
const STORE_LEAST: u64 = 1_000_000;

/// The points that each must try when nothing is left out: more than the simulator of MCUboot tries in one configuration: 50,328, with writes that are never torn.
const LEAST: u64 = 50_400;

/// Sweeps that cut twice.
const PAIRS: [&str; 6] = [
    "install",
    "install of components",
    "accept and reject",
    "rotation",
    "two rotations",
    "MCUboot update",
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let full = match args {
        [] => true,
        ["--quick"] => false,
        _ => return Err("takes --quick or nothing".into()),
    };
    let start = Instant::now();
    let update = sweep(
        root,
        "iotsec-update",
        &["install", "session", "trust", "mcuboot"],
        full,
    )?;
    let store = sweep(root, "iotsec-store", &["store"], full)?;
    println!("\n== update");
    update.report(&FLOWS, &PAIRS, &[], if full { LEAST } else { 0 })?;
    println!("\n== store");
    let points = store.report(&STORE_FLOWS, &STORE_PAIRS, &STORE_TRIPLES, 0)?;
    println!("{:<32} {points:>9}", "in all");
    if full && points < STORE_LEAST {
        return Err(format!("store: fewer than {STORE_LEAST} points").into());
    }
    println!("power-cut: {} s", start.elapsed().as_secs());
    Ok(())
}

/// Runs the sweeps among the tests of a package.
fn sweep(root: &Path, package: &str, tests: &[&str], full: bool) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let mut command = tool::tests(root, package, full);
    for test in tests {
        command.args(["--test", test]);
    }
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
    Ok(counts)
}

/// What the sweeps printed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    points: BTreeMap<String, u64>,
    pairs: BTreeMap<String, u64>,
    triples: BTreeMap<String, u64>,
}

impl Counts {
    /// Takes `NAME: COUNT cut points`, `NAME: COUNT pairs of cuts` and the same for triples; a name with a comma is a
    /// part of a sweep.
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
            "triples of cuts" => &mut self.triples,
            _ => return,
        };
        counts.insert(name.to_owned(), count);
    }

    /// Prints them, each flow with at least `least` points. Returns points, pairs and triples together.
    fn report(&self, flows: &[&str], twice: &[&str], thrice: &[&str], least: u64) -> Result<u64, Failure> {
        let mut total = 0;
        println!("{:<32} {:>9}", "cut once", "points");
        for name in flows {
            let points = self
                .points
                .get(*name)
                .ok_or(format!("no sweep said \"{name}\""))?;
            println!("{name:<32} {points:>9}");
            if *points < least {
                return Err(format!("{name}: fewer than {least} points").into());
            }
            total += points;
        }
        for (title, what, names, counts) in [
            ("cut twice", "pairs", twice, &self.pairs),
            ("cut three times", "triples", thrice, &self.triples),
        ] {
            if names.is_empty() {
                continue;
            }
            println!("{title:<32} {what:>9}");
            for name in names {
                let count = counts.get(*name).ok_or(format!("no sweep said \"{name}\""))?;
                println!("{name:<32} {count:>9}");
                total += count;
            }
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRICE: [&str; 1] = ["install"];

    #[test]
    fn lines_of_whole_sweeps_are_counted_and_a_missing_one_fails() {
        let mut counts = Counts::default();
        for name in FLOWS {
            assert!(counts.report(&FLOWS, &PAIRS, &THRICE, 0).is_err());
            counts.note(&format!("{name}: {LEAST} cut points"));
        }
        counts.note("install, serial NOR: 5 cut points");
        counts.note("test power_cut::x ... install: 17 pairs of cuts");
        assert_eq!(counts.pairs.get("install"), Some(&17));
        for name in PAIRS {
            assert!(counts.report(&FLOWS, &PAIRS, &THRICE, LEAST).is_err());
            counts.note(&format!("{name}: 1 pairs of cuts"));
        }
        assert!(counts.report(&FLOWS, &PAIRS, &THRICE, LEAST).is_err());
        counts.note("install: 3 triples of cuts");
        let total = counts.report(&FLOWS, &PAIRS, &THRICE, LEAST).unwrap();
        assert_eq!(total, 12 * LEAST + 6 + 3);
        counts.note("accept: 7 cut points");
        assert!(counts.report(&FLOWS, &PAIRS, &THRICE, LEAST).is_err());
        counts.report(&FLOWS, &PAIRS, &THRICE, 0).unwrap();
    }
}
