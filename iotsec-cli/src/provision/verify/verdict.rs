//! What the figures mean, clause by clause.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Labels, Passwords, Tally};
use crate::{
    Output, Problem,
    key::type_name,
    provision::{
        device_key::public_key,
        statistics::{ALARM, ENOUGH, Symbols},
    },
};

/// A clause, and what was found about it.
struct Finding {
    clause: &'static str,
    verdict: Verdict,
    because: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Holds,
    Fails,
    /// Without labels, or with too few, there is nothing to say.
    Open,
}

impl Verdict {
    const fn of(good: bool) -> Self {
        if good { Self::Holds } else { Self::Fails }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Open => "open",
        }
    }
}

pub(super) fn report(tally: &Tally, key_given: bool) -> Result<Output, Problem> {
    let units = tally.units;
    let mut human = format!("{units} units: signatures, completeness and serial numbers hold\n");
    if !key_given {
        human.push_str("signed by the key in the batch itself: give --key to know whose batch it is\n");
    }
    let key = tally.first.as_ref().and_then(|first| first.device_key.as_deref());
    let kind = key.and_then(public_key).map(|key| type_name(key.key_type()));
    if let Some(kind) = kind {
        let _ = writeln!(human, "{units} device keys: {kind}, all different");
    }
    match &tally.labels {
        Some(labels) => {
            let _ = writeln!(
                human,
                "{units} labels in {}: each fits its unit, all different",
                labels.file
            );
        }
        None => human.push_str("no labels here to check: the clauses on passwords stay open\n"),
    }
    let findings = findings(tally);
    for finding in &findings {
        let _ = writeln!(
            human,
            "{:<5} {}: {}",
            finding.verdict.name(),
            finding.clause,
            finding.because
        );
    }
    let failed: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fails)
        .map(|finding| finding.clause)
        .collect();
    if !failed.is_empty() {
        return Err(Problem::new(
            "Clause",
            format!("{human}not met: {}", failed.join("; ")),
            "do not ship units of this batch; test the entropy source of the station and mint anew",
        ));
    }
    let clauses: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "clause": finding.clause,
                "verdict": finding.verdict.name(),
                "because": finding.because,
            })
        })
        .collect();
    Ok(Output::new(
        human,
        json!({
            "accepted": true,
            "units": units,
            "device_keys": if kind.is_some() { units } else { 0 },
            "device_key_type": kind,
            "key_given": key_given,
            "labels_checked": tally.labels.is_some(),
            "clauses": clauses,
            "statistics": tally.labels.as_ref().map(statistics),
        }),
    ))
}

fn statistics(labels: &Labels) -> Value {
    let passwords = labels.passwords.as_ref().map(|passwords| {
        let mut figures = passwords.symbols.json();
        figures["hexadecimal"] = passwords.hexadecimal.into();
        figures["designed_entropy_bits"] = passwords.bits.into();
        if let Some((distinct, expected, z)) = passwords.beginnings.figures() {
            figures["beginnings"] = json!({ "distinct": distinct, "expected": expected, "z": z });
        }
        figures
    });
    json!({
        "alarm_z": ALARM,
        "passwords": passwords,
        "setup_codes": labels.codes.as_ref().map(Symbols::json),
    })
}

const UNIQUE: &str = "PSTI Sch. 1 para 1(2)(a) and EN 303 645 5.1-1, unique per product";
const COUNTER: &str = "PSTI Sch. 1 para 1(3)(a), no incremental counter";
const PUBLIC: &str = "PSTI Sch. 1 para 1(3)(b), not from public information";
const SERIAL: &str = "PSTI Sch. 1 para 1(3)(c), not from serial number or MAC";
const GUESSABLE: &str = "PSTI Sch. 1 para 1(3)(d), not otherwise guessable";
const MECHANISM: &str = "EN 303 645 5.1-2, no automated attack on the class";

/// The exception that the paragraph makes.
const DERIVED: &str = "derived from the serial number by HKDF-SHA-256 under a batch key, the keyed hash that the paragraph permits, as long as that key is on no device; ";

fn findings(tally: &Tally) -> Vec<Finding> {
    let units = tally.units;
    let open = |clause, because: &str| Finding {
        clause,
        verdict: Verdict::Open,
        because: because.into(),
    };
    let clauses = [UNIQUE, COUNTER, PUBLIC, SERIAL, GUESSABLE, MECHANISM];
    let Some(labels) = &tally.labels else {
        return clauses.map(|clause| open(clause, "needs the labels")).into();
    };
    let sets: Vec<&Symbols> = labels
        .passwords
        .iter()
        .map(|passwords| &passwords.symbols)
        .chain(&labels.codes)
        .collect();
    let mut findings = vec![Finding {
        clause: UNIQUE,
        verdict: Verdict::Holds,
        because: format!(
            "{units} of {units} differ; against earlier batches the registry compared them when they were minted"
        ),
    }];
    let dictionary = Finding {
        clause: PUBLIC,
        verdict: Verdict::Holds,
        because: "no password shows product, model, vendor or serial number, or six characters in a row of one; none is in the dictionary of leaked defaults".into(),
    };
    if units < ENOUGH {
        let few = format!("{ENOUGH} units at least are needed to say it of figures");
        findings.push(open(COUNTER, &few));
        findings.push(dictionary);
        findings.extend([SERIAL, GUESSABLE, MECHANISM].map(|clause| open(clause, &few)));
        return findings;
    }
    let worst = |figure: fn(&Symbols) -> f64| sets.iter().map(|set| figure(set)).fold(f64::MIN, f64::max);
    let neighbours = worst(Symbols::independence);
    let steps: u64 = labels
        .passwords
        .iter()
        .map(|passwords| passwords.symbols.equal_steps())
        .sum();
    findings.push(Finding {
        clause: COUNTER,
        verdict: Verdict::of(neighbours < ALARM && steps == 0),
        because: format!(
            "{steps} passwords follow the one before at a distance seen before; differences of neighbours are uniform at every position (worst z {neighbours:.1}, alarm at {ALARM})"
        ),
    });
    findings.push(dictionary);
    let derived = tally.first.as_ref().is_some_and(|first| first.derived);
    let correlation = worst(|set| set.correlation().abs());
    let (address, address_good) = labels
        .passwords
        .as_ref()
        .map_or((String::new(), true), |passwords| addresses(passwords, units));
    findings.push(Finding {
        clause: SERIAL,
        verdict: Verdict::of(correlation < ALARM && address_good),
        because: format!(
            "{}no correlation with the running number (worst z {correlation:.1}){address}; the MAC address is no input of minting and was not compared",
            if derived { DERIVED } else { "" }
        ),
    });
    let uniformity = worst(Symbols::uniformity);
    findings.push(Finding {
        clause: GUESSABLE,
        verdict: Verdict::of(uniformity < ALARM),
        because: format!("symbols are uniform at every position (worst χ² z {uniformity:.1})"),
    });
    findings.push(mechanism(labels, derived));
    findings
}

/// Twelve hexadecimal digits would be a MAC address: there are as many as chance gives.
fn addresses(passwords: &Passwords, units: u64) -> (String, bool) {
    let symbols = passwords.bits / 5;
    let expected = units as f64 / 2_f64.powf(f64::from(symbols));
    let z = (passwords.hexadecimal as f64 - expected) / expected.max(1.0).sqrt();
    let text = format!(
        "; {} passwords are hexadecimal throughout, as an address is, where chance gives {expected:.1}",
        passwords.hexadecimal
    );
    (text, z < ALARM)
}

fn mechanism(labels: &Labels, derived: bool) -> Finding {
    let mut good = true;
    let mut because = String::new();
    if let Some(passwords) = &labels.passwords {
        let measured = passwords.symbols.entropy();
        let _ = write!(
            because,
            "passwords are {} bits of {}, measured {measured:.2}",
            passwords.bits,
            if derived {
                "HKDF-SHA-256 under a batch key of 256"
            } else {
                "the operating system's generator"
            }
        );
        if let Some((distinct, expected, z)) = passwords.beginnings.figures() {
            good = z.abs() < ALARM;
            let _ = write!(
                because,
                "; {distinct} different beginnings of 20 bits where chance gives {expected:.0} (z {z:.1})"
            );
        }
    }
    if labels.codes.is_some() {
        let between = if because.is_empty() { "" } else { "; " };
        let _ = write!(
            because,
            "{between}set-up codes are 26.6 bits, which hold only behind a PAKE and a limit of attempts"
        );
    }
    Finding {
        clause: MECHANISM,
        verdict: Verdict::of(good),
        because,
    }
}
