//! `docs/performance.md`: what the store asks of the flash and telemetry of the wire, beside others.

mod device;
#[path = "../../benches/store/figures.rs"]
mod figures;
#[path = "../../benches/store/ours.rs"]
mod ours;
#[path = "../../benches/store/workload.rs"]
mod workload;

use std::{fs, path::Path};

use self::{
    figures::{Figures, Outcome},
    ours::{DEVICE_ONLY, OURS},
    workload::{CASES, Case, Contender, measure},
};
use crate::{bench, tool::Failure};

const FILE: &str = "docs/performance.md";
const LOCK: &str = "benches/peers/Cargo.lock";
const PEERS: [&str; 7] = [
    "sequential-storage",
    "chacha20poly1305",
    "ekv",
    "littlefs2",
    "redb",
    "rusqlite",
    "fjall",
];

/// How the table of the stores in files begins.
const DEVICE_TABLE: &str = "| store | KiB written |";
const DEVICE: &str = "\n\n\
    ## The store in a file\n\n\
    The same keys and values on ext4 with blocks of 4 KiB, on a loop device of its own that is formatted before; \
    1000 puts to age, then 1000 that are measured, each durable when it returns. KiB written is what reached the \
    device, the journal of the file system included; device WA is that over bytes of key and value. These figures \
    repeat within one per cent, and `--check` leaves them out.\n\n\
    - *iotsec-store*: on a preallocated file, `fdatasync` after each program operation and each erasure, but for the \
    changes of a transaction, which are synchronised together before its commit; pages of 4 KiB, words of 16 bytes; \
    encrypted.\n\
    - The others are not encrypted: redb as it comes; SQLite with a write-ahead log, synchronous full, and \
    `fdatasync`; fjall with its journal synchronised after each batch.\n\n";

const WIRE: &str = "\n\n\
    ## Telemetry on the wire\n\n\
    The events of `vectors/telemetry/events.json`. Ours are sealed and padded, and their names and units are in the \
    registry, which both ends know by its hash. The others are neither encrypted nor padded. How long it takes is what \
    `cargo bench --bench telemetry` prints.\n\n";

/// What one figure of ours may be at most, and what it is to be.
struct Limit {
    store: &'static str,
    case: &'static str,
    what: &'static str,
    figure: fn(&Figures) -> f64,
    most: f64,
    aim: f64,
}

const LIMITS: &[Limit] = &[
    Limit {
        store: OURS.name,
        case: "32 KiB",
        what: "write amplification",
        figure: Figures::write_amplification,
        most: 1.32,
        aim: 1.25,
    },
    Limit {
        store: DEVICE_ONLY.name,
        case: "32 KiB",
        what: "write amplification, no user domain",
        figure: Figures::write_amplification,
        most: 1.25,
        aim: 1.25,
    },
    Limit {
        store: OURS.name,
        case: "32 KiB",
        what: "program operations for a put",
        figure: Figures::writes,
        most: 1.18,
        aim: 1.1,
    },
    Limit {
        store: OURS.name,
        case: "32 KiB",
        what: "erases in a put",
        figure: |figures| number(figures.most_erases),
        most: 1.0,
        aim: 1.0,
    },
    Limit {
        store: OURS.name,
        case: "32 KiB",
        what: "bytes that a get reads beyond key and value",
        figure: |figures| number(figures.most_beyond_payload()),
        most: 48.0,
        aim: 48.0,
    },
    Limit {
        store: OURS.name,
        case: "32 KiB",
        what: "wear spread",
        figure: spread,
        most: 1.0,
        aim: 1.0,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB",
        what: "write amplification",
        figure: Figures::write_amplification,
        most: 1.18,
        aim: 1.18,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB",
        what: "program operations for a put",
        figure: Figures::writes,
        most: 1.1,
        aim: 1.1,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB",
        what: "erases in a put",
        figure: |figures| number(figures.most_erases),
        most: 1.0,
        aim: 1.0,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB",
        what: "bytes that a get reads beyond key and value",
        figure: |figures| number(figures.most_beyond_payload()),
        most: 48.0,
        aim: 48.0,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB",
        what: "bytes read by opening",
        figure: |figures| number(figures.open),
        most: 4032.0,
        aim: 4096.0,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB",
        what: "wear spread",
        figure: spread,
        most: 1.0,
        aim: 1.0,
    },
    Limit {
        store: OURS.name,
        case: "64 KiB, counters of 8 bytes",
        what: "write amplification",
        figure: Figures::write_amplification,
        most: 1.66,
        aim: 1.66,
    },
];

fn spread(figures: &Figures) -> f64 {
    let (least, most) = figures.wear;
    f64::from(most - least)
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
const fn number(count: u64) -> f64 {
    count as f64
}

/// Our store, in both of its forms.
const STORES: [Contender; 2] = [OURS, DEVICE_ONLY];

/// What one of ours took in a case.
struct Row {
    store: &'static str,
    case: &'static Case,
    outcome: Outcome,
}

type Ours = Vec<Row>;

/// Each of ours in each case.
fn measure_ours() -> Ours {
    let rows = CASES.iter().flat_map(|case| {
        STORES.map(|store| Row {
            store: store.name,
            case,
            outcome: measure(&store, case),
        })
    });
    rows.collect()
}

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let path = root.join(FILE);
    let ours = measure_ours();
    let committed = || fs::read_to_string(&path);
    let (flash, device) = match args {
        [] => (bench::stores(root)?, device::table(root)?),
        ["--ours" | "--check"] => {
            let committed = committed()?;
            let flash = replace(between(&committed, "### ", "\n## ")?, &ours)?;
            (flash, between(&committed, DEVICE_TABLE, "\n\n")?.to_owned())
        }
        _ => return Err("takes --ours, --check or nothing".into()),
    };
    let wire = bench::telemetry(root)?;
    let document = render(
        &fs::read_to_string(root.join(LOCK))?,
        &flash,
        &device,
        &wire,
        &ours,
    )?;
    if !matches!(args, ["--check"]) {
        fs::write(&path, &document)?;
        println!("{FILE} written");
    } else if committed()? == document {
        println!("{FILE} is up to date");
    } else {
        let drift = drift(&committed()?, &document);
        return Err(format!("{FILE} has drifted: run `cargo xtask performance --ours`\n{drift}").into());
    }
    let exceeded = exceeded(&ours)?;
    if exceeded.is_empty() {
        Ok(())
    } else {
        Err(format!("limits exceeded:\n{}", exceeded.join("\n")).into())
    }
}

fn render(lock: &str, flash: &str, device: &str, wire: &str, ours: &Ours) -> Result<String, Failure> {
    // Both programs measured ours: they must have counted the same.
    if replace(flash, ours)? != flash {
        return Err("two runs of the same workload differ".into());
    }
    let mut document = introduction(lock)?;
    document.push_str(flash.trim_end());
    document.push_str(DEVICE);
    document.push_str(device.trim_end());
    document.push_str(WIRE);
    document.push_str(wire.trim_end());
    document.push_str(&limits(ours)?);
    Ok(document)
}

fn introduction(lock: &str) -> Result<String, Failure> {
    let mut versions = Vec::new();
    for name in PEERS {
        versions.push(format!("{name} {}", version(lock, name)?));
    }
    Ok(format!(
        "# Performance\n\n\
        Generated by `cargo xtask performance`, which measures all stores in one run; with `--ours` it measures \
        ours on flash alone and leaves the rest. `cargo xtask performance --check` fails when a figure of ours on \
        flash has drifted or is over its limit. Those on flash repeat exactly; no time is among any.\n\n\
        Measured beside ours: {}.\n\n\
        ## The store on NOR flash\n\n\
        Workload: 50 keys, 1000 updates to age the flash, then 1000 that are measured, of a key drawn at random; \
        values of 32 to 256 random bytes; pages of 4 KiB, words of 4 bytes unless the heading says otherwise, reads \
        of any length; seed 42. Then 500 gets, and one opening. Each value that is read is compared with what was \
        put. A store that is full with these values is measured with the first of the seeds 1, 2 and 3 whose values \
        it holds, and its row says so. 2050 counters of 8 bytes fill 64 KiB hardly once, so that collecting is \
        little or none of what they cost.\n\n\
        - WA, erase WA: bytes programmed (headers, tags and padding included) and bytes erased, over bytes of key and \
        value. A key is counted as four bytes.\n\
        - writes/put, read/put: program operations and bytes read.\n\
        - get +avg, get +max: bytes that a get reads beyond key and value, with everything in RAM that the store \
        keeps there.\n\
        - open, 1st get: bytes read by opening the store, and by the first get after that, key and value included.\n\
        - erases/put: pages erased in one call, at most.\n\
        - wear: erases of the page with the fewest and of the one with the most, by the measured updates.\n\
        - RAM: bytes that the store keeps and buffers of the caller for these 50 keys, without stack.\n\n\
        What the rows are:\n\n\
        - *iotsec-store*: encrypted and authenticated, with AES-256-GCM-SIV. The page with the user key is part of the \
        size, and not of the wear.\n\
        - *iotsec-store, no user domain*: the same for a device that keeps nothing of an owner's, formatted as \
        `DeviceOnly`. It has no such page, and one more for its records.\n\
        - *sequential-storage, plain*: its map with all its caches. It opens when it is first used.\n\
        - *sequential-storage, XChaCha20-Poly1305*: the same with a random nonce and a tag in each value, 40 bytes.\n\
        - *ekv*: with checksums, one transaction for a put, its settings as they come, RAM included.\n\
        - *littlefs2*: a file for each key, caches of 512 bytes so that the files lie in the directory, wear levelled \
        every 500 erases.\n\n\
        Not in the figures is what survives a power cut, and who can read or change a value.\n\n",
        versions.join(", ")
    ))
}

/// The version of a package in a lock file.
fn version<'a>(lock: &'a str, name: &str) -> Result<&'a str, Failure> {
    let (_, package) = lock
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .ok_or_else(|| format!("{LOCK} has no {name}"))?;
    Ok(package.split('"').next().unwrap_or_default())
}

/// The part of a document from `start` up to `end`: what was measured when it was written.
fn between<'a>(document: &'a str, start: &str, end: &str) -> Result<&'a str, Failure> {
    let at = document
        .find(start)
        .ok_or_else(|| format!("{FILE} has no {start:?}"))?;
    let part = document.get(at..).unwrap_or_default();
    Ok(part.split(end).next().unwrap_or_default())
}

/// The tables with our rows as they are now.
fn replace(tables: &str, ours: &Ours) -> Result<String, Failure> {
    for Row { case, .. } in ours {
        if !tables.contains(&figures::heading(case)) {
            return Err(format!(
                "{} was not measured like this: run `cargo xtask performance`",
                case.name
            )
            .into());
        }
    }
    let mut rest: Vec<_> = CASES.iter().map(|case| case.name).collect();
    let mut replaced = String::new();
    let mut case = "";
    for line in tables.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            case = name;
        }
        if line.starts_with(&format!("| {}", OURS.name)) {
            // All of ours take the place of the first.
            if rest.contains(&case) {
                rest.retain(|one| *one != case);
                for row in ours.iter().filter(|row| row.case.name == case) {
                    replaced.push_str(&figures::row(row.store, &row.outcome));
                }
            }
        } else {
            replaced.push_str(line);
            replaced.push('\n');
        }
    }
    match rest.first() {
        Some(case) => Err(format!("{case} was never measured: run `cargo xtask performance`").into()),
        None => Ok(replaced),
    }
}

fn limits(ours: &Ours) -> Result<String, Failure> {
    let mut text = String::from(
        "\n\n## Limits\n\n\
        `cargo xtask performance` fails when a figure of ours is over its limit; the aim is what the limit is to \
        become.\n\n\
        | flash | what | measured | limit | aim |\n|---|---|--:|--:|--:|\n",
    );
    for limit in LIMITS {
        let measured = measured(limit, ours)?;
        let [measured, most, aim] = [measured, limit.most, limit.aim].map(shown);
        text.push_str(&format!(
            "| {} | {} | {measured} | {most} | {aim} |\n",
            limit.case, limit.what
        ));
    }
    Ok(text)
}

/// A count without decimals, a ratio with two.
fn shown(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

fn exceeded(ours: &Ours) -> Result<Vec<String>, Failure> {
    let mut over = Vec::new();
    for limit in LIMITS {
        let measured = measured(limit, ours)?;
        if measured > limit.most {
            let Limit { case, what, most, .. } = limit;
            over.push(format!("{case}: {what} {measured:.3}, {most} at most"));
        }
    }
    Ok(over)
}

fn measured(limit: &Limit, ours: &Ours) -> Result<f64, Failure> {
    let is_of = |row: &&Row| row.case.name == limit.case && row.store == limit.store;
    let found = ours.iter().find(is_of);
    let row = found.ok_or_else(|| format!("no case is called {}", limit.case))?;
    match &row.outcome {
        Ok(figures) => Ok((limit.figure)(figures)),
        Err(why) => Err(format!("{}: {why}", limit.case).into()),
    }
}

/// Lines that are not the same.
fn drift(committed: &str, measured: &str) -> String {
    let (mut old, mut new) = (committed.lines(), measured.lines());
    let mut text = String::new();
    loop {
        match (old.next(), new.next()) {
            (None, None) => return text,
            (old, new) if old == new => {}
            (old, new) => text.push_str(&format!(
                "- {}\n+ {}\n",
                old.unwrap_or_default(),
                new.unwrap_or_default()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(open: u64) -> Ours {
        let mut ours = measure_ours();
        for row in &mut ours {
            if let Ok(figures) = &mut row.outcome {
                figures.open = open;
            }
        }
        ours
    }

    fn document(ours: &Ours) -> String {
        let mut document = String::from("text\n\n");
        // Without rows of the other form, which are to come beside ours.
        for Row { case, outcome, .. } in ours.iter().filter(|row| row.store == OURS.name) {
            let (ours, other) = (figures::row(OURS.name, outcome), figures::row("other", outcome));
            document.push_str(&format!("{}{ours}{other}\n", figures::heading(case)));
        }
        document + "## Limits\n"
    }

    #[test]
    fn only_our_rows_are_replaced() {
        let (old, new) = (outcomes(11), outcomes(22));
        let document = document(&old);
        let replaced = replace(between(&document, "### ", "\n## ").unwrap(), &new).unwrap();
        let rows = |store: &str, open: &str| {
            let lines = replaced.lines().filter(|line| line.starts_with(store));
            lines.filter(|line| line.contains(open)).count()
        };
        let measured = |store: &str| {
            let rows = new.iter().filter(|row| row.store == store);
            rows.filter(|row| row.outcome.is_ok()).count()
        };
        let [with_user, device_only] = STORES.map(|store| measured(store.name));
        assert!(with_user > 0 && device_only > 0);
        assert_eq!(
            (rows("| other", " 11 |"), rows("| iotsec-store", " 22 |")),
            (with_user, with_user + device_only)
        );
        // Once more changes nothing.
        assert_eq!(replace(&replaced, &new).unwrap(), replaced);
        assert!(!replaced.contains("Limits"));
        let nameless = replaced.replace("### 32 KiB\n", "");
        assert!(replace(&nameless, &new).is_err());
    }

    #[test]
    fn every_limit_is_of_a_case_and_no_figure_of_ours_is_over_it() {
        let ours = measure_ours();
        assert_eq!(exceeded(&ours).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_version_is_that_of_the_package_itself() {
        let lock = "name = \"ekv-more\"\nversion = \"2.0.0\"\n\nname = \"ekv\"\nversion = \"1.0.0\"\n";
        assert_eq!(version(lock, "ekv").unwrap(), "1.0.0");
        assert!(version(lock, "other").is_err());
    }
}
