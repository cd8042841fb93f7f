//! What minting costs: units a second of `iotsec provision`, beside what others make of keys, certificates and labels.
//!
//! ```text
//! cargo bench --bench provision
//! ```
//!
//! All of it is timed as it is used: programs are started, files reach the disk. Ours draw passwords, set-up codes and
//! keys, compare them with all that were ever drawn, sign an entry for each unit and encrypt the secrets. `openssl`
//! makes a key and a certificate and nothing else, in a process for each, as scripts do. esp-matter-mfg-tool makes
//! passcodes, verifiers, an NVS image and a QR code as a picture; ours beside it mints, and writes the list that an NVS
//! image is made of and the QR codes. Each row is the best of its rounds, which take turns.
//!
//! Peers that are missing are named, with how to install them.

#[path = "provision/peers.rs"]
mod peers;
#[path = "provision/station.rs"]
mod station;

use std::{env, error::Error, path::PathBuf, process::Command, time::Duration};

use peers::{MatterTool, OpenSsl};
use station::{Keys, Station};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const UNITS: u32 = 20_000;
/// Verifiers of Matter take ten thousand rounds of PBKDF2 each.
const MATTER_UNITS: u32 = 200;
/// A process or two for each.
const OPENSSL_UNITS: u32 = 200;
const TOOL_UNITS: u32 = 20;
const ROUNDS: usize = 3;

/// A thing that is timed: what it is called, how many units it makes, how it makes them.
type Row<'r> = (String, u32, Box<dyn FnMut() -> Result<Duration> + 'r>);

fn main() -> Result<()> {
    let iotsec = program()?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-provision");
    let station = Station::new(&iotsec, &folder.join("ours"));
    let (openssl, tool) = (OpenSsl::find(&folder), MatterTool::find(&folder));
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (what, keys) in [
        ("password, code, Ed25519 key", Keys::Ed25519),
        (
            "  with certificate of an Ed25519 authority",
            Keys::Ed25519Certified,
        ),
        (
            "  P-256 key, certificate of a P-256 authority",
            Keys::P256Certified,
        ),
    ] {
        let station = &station;
        let mint = move || station.mint(keys, UNITS);
        rows.push((format!("iotsec: {what}"), UNITS, Box::new(mint)));
    }
    let matter = || station.matter(MATTER_UNITS);
    let what = "iotsec: Matter, with NVS list and QR picture";
    rows.push((what.into(), MATTER_UNITS, Box::new(matter)));

    let mut missing = Vec::new();
    match &openssl {
        Ok(openssl) => {
            let name = |what: &str| format!("{}: {what}", openssl.version());
            let keys = || openssl.keys(OPENSSL_UNITS);
            rows.push((name("Ed25519 key (genpkey)"), OPENSSL_UNITS, Box::new(keys)));
            let certified = || openssl.certified(OPENSSL_UNITS);
            let what = name("  with certificate (genpkey, req -x509)");
            rows.push((what, OPENSSL_UNITS, Box::new(certified)));
        }
        Err(missed) => missing.push(*missed),
    }
    match &tool {
        Ok(tool) => {
            let make = || tool.make(TOOL_UNITS);
            let what = "esp-matter-mfg-tool: Matter, with NVS image and QR picture";
            rows.push((what.into(), TOOL_UNITS, Box::new(make)));
        }
        Err(missed) => missing.push(*missed),
    }

    let mut best = vec![Duration::MAX; rows.len()];
    for _ in 0..ROUNDS {
        for ((_, _, make), best) in rows.iter_mut().zip(&mut best) {
            *best = make()?.min(*best);
        }
    }
    println!("{:<64}{:>8}{:>12}", "", "units", "units/s");
    for ((what, units, _), best) in rows.iter().zip(best) {
        println!(
            "{what:<64}{units:>8}{:>12.0}",
            f64::from(*units) / best.as_secs_f64()
        );
    }
    for missed in missing {
        println!("NOT MEASURED: {missed}");
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// The host tool as makers build it, or the one that `IOTSEC` names.
fn program() -> Result<PathBuf> {
    if let Some(path) = env::var_os("IOTSEC") {
        return Ok(path.into());
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut build = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    build
        .current_dir(&root)
        .args(["build", "--quiet", "--release", "-p", "iotsec-cli"]);
    if !build.status()?.success() {
        return Err("iotsec-cli does not build".into());
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/iotsec"))
}
