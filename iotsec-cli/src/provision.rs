//! Factory batches.
//!
//! A batch directory holds `manifest.cborseq`, with one COSE_Sign1 entry a unit and no secret in it, and
//! `labels.tsv` (mode 0600) with what goes on the labels. README.md describes the entries.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use getrandom::SysRng;
use iotsec::{
    core::{
        cbor::{Limits, from_slice, split_first, to_vec},
        cose::{CoseError, Sign1, Sign1Builder},
        credential::{Attempt, Exposure},
        crypto::{HkdfSha256, Verify},
        error::ErrorCode,
        secret::Secret,
    },
    factory::Batch,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, hex},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Mint unique passwords for a run of serial numbers.
    ///
    /// The directory gets labels.tsv (mode 0600: serial number, tab, password as printed) and
    /// manifest.cborseq (signed, without secrets).
    Batch(New),
    /// Check a batch: signatures, completeness, serial numbers, label codes, uniqueness.
    ///
    /// Without labels.tsv, which is destroyed once labels are printed, the manifest alone is checked.
    Verify {
        /// The batch directory.
        dir: PathBuf,
        /// The station's public key.
        #[arg(long, value_name = "PUB")]
        key: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct New {
    /// Model designation, as on the type label; up to 64 bytes.
    #[arg(long, value_parser = text)]
    product: String,
    /// What every serial number starts with, up to 64 bytes; a running number of six digits or more
    /// follows.
    #[arg(long, value_name = "TEXT", value_parser = text)]
    serial_prefix: String,
    /// The first running number.
    #[arg(long, value_name = "N", default_value_t = 1)]
    first: u32,
    /// How many units.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_UNITS))]
    count: u32,
    /// The password is also open to guessing away from the device (a Wi-Fi passphrase, say): 16 symbols
    /// instead of 12.
    #[arg(long)]
    offline: bool,
    /// The station's private key, which signs the manifest.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A directory; must not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What the maker keeps of a unit. Nothing in it helps to guess the password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u8,
    /// The same random number in every entry of a batch, in hexadecimal.
    batch: String,
    /// Which one of `count`, from 1.
    unit: u32,
    count: u32,
    product: String,
    serial: String,
    entropy_bits: u32,
}

const ENTRY_LIMITS: Limits = Limits {
    depth: 4,
    items: 32,
    bytes: 1024,
};
/// An entry and its signature.
const ENTRY_MAX: usize = 2048;
/// What fits the memory of a station's computer several times over.
const MAX_UNITS: i64 = 1_000_000;
const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"iotsec/provision/entry/v1";
const LABELS: &str = "labels.tsv";
const MANIFEST: &str = "manifest.cborseq";

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Batch(new) => batch(new),
        Command::Verify { dir, key } => verify(dir, key),
    }
}

fn batch(new: &New) -> Result<Output, Problem> {
    file::must_be_free(&new.out)?;
    let beyond = || {
        Problem::usage(
            "running numbers end at 4294967295",
            "choose a smaller --first or --count, or another --serial-prefix",
        )
    };
    let last = new.first.checked_add(new.count - 1).ok_or_else(beyond)?;
    let exposure = if new.offline {
        Exposure::Offline
    } else {
        Exposure::Online
    };
    let key = KeyFile::read(&new.key)?;
    let (signer, kid) = (key.signer()?, key.kid()?);
    let signed = match kid.as_deref() {
        Some(kid) => Sign1Builder::new().kid(kid),
        None => Sign1Builder::new(),
    };

    let mut batch = Batch::new(&HkdfSha256, &mut SysRng).map_err(Problem::make("batch"))?;
    let id = Secret::<16>::random(&mut SysRng).map_err(Problem::make("batch"))?;
    let id = hex(id.expose());
    // With room for all of it from the start, so that no copy is left behind in memory.
    let mut labels = Zeroizing::new(String::with_capacity(
        usize::try_from(new.count).unwrap_or(0) * (new.serial_prefix.len() + LABEL_LINE),
    ));
    let mut manifest = Vec::new();
    for (unit, number) in (1..).zip(new.first..=last) {
        let minted = batch
            .mint(
                &format!("{}{number:06}", new.serial_prefix),
                exposure,
                &mut SysRng,
            )
            .map_err(Problem::make("batch"))?;
        let entry = Entry {
            version: VERSION,
            batch: id.clone(),
            unit,
            count: new.count,
            product: new.product.clone(),
            serial: minted.serial().into(),
            entropy_bits: exposure.entropy_bits(),
        };
        let payload = to_vec(&entry, &ENTRY_LIMITS).map_err(Problem::make("batch"))?;
        let (mut scratch, mut out) = ([0; ENTRY_MAX], [0; ENTRY_MAX]);
        let entry = signed
            .sign(signer.as_ref(), &payload, CONTEXT, &mut scratch, &mut out)
            .map_err(Problem::make("batch"))?;
        manifest.extend_from_slice(entry);
        let _ = writeln!(
            labels,
            "{}\t{}",
            minted.serial(),
            minted.password().label().as_str()
        );
    }

    file::create_dir(&new.out)?;
    let (labels_path, manifest_path) = (new.out.join(LABELS), new.out.join(MANIFEST));
    file::create(&labels_path, labels.as_bytes(), Access::Private)?;
    // Last, so that a batch with a manifest is whole.
    file::create(&manifest_path, &manifest, Access::Public)?;
    Ok(Output::new(
        format!(
            "{} units minted, {} bits each, all different\n\
             labels    {} (secret: print, then destroy)\n\
             manifest  {} (no secrets: keep)\n",
            new.count,
            exposure.entropy_bits(),
            labels_path.display(),
            manifest_path.display()
        ),
        json!({
            "batch": id,
            "units": new.count,
            "entropy_bits": exposure.entropy_bits(),
            "labels": labels_path,
            "manifest": manifest_path,
        }),
    ))
}

/// A running number, a tab, a label of up to 21 bytes, a line break.
const LABEL_LINE: usize = 10 + 1 + 21 + 1;

fn verify(dir: &Path, key: &Path) -> Result<Output, Problem> {
    let verifier = KeyFile::read(key)?.verifier()?;
    let path = dir.join(MANIFEST);
    let manifest = file::read(&path)?;
    let serials = check_manifest(&manifest, verifier.as_ref()).map_err(refused(&path))?;
    let units = serials.len();
    let mut report = format!("{units} units: signatures, completeness and serial numbers hold\n");

    let path = dir.join(LABELS);
    let result = |labels: bool| json!({ "accepted": true, "units": units, "labels_checked": labels });
    if file::must_be_free(&path).is_ok() {
        let _ = writeln!(report, "{} is not there: labels not checked", path.display());
        return Ok(Output::new(report, result(false)));
    }
    let labels = Zeroizing::new(file::read(&path)?);
    check_labels(&labels, serials).map_err(refused(&path))?;
    let _ = writeln!(report, "{units} labels: check symbols hold, all different");
    Ok(Output::new(report, result(true)))
}

/// The serial numbers of a whole batch.
fn check_manifest(manifest: &[u8], verifier: &dyn Verify) -> Result<BTreeSet<String>, String> {
    let mut serials = BTreeSet::new();
    let mut first: Option<Entry> = None;
    let mut rest = manifest;
    for number in 1u32.. {
        if rest.is_empty() {
            break;
        }
        let at = |cause: CoseError| format!("entry {number}: {cause} (error {})", cause.code());
        let (signed, after) = split_first(rest, &ENTRY_LIMITS).map_err(|cause| at(cause.into()))?;
        let mut scratch = [0; ENTRY_MAX];
        let entry = Sign1::parse(signed, &ENTRY_LIMITS)
            .and_then(|message| message.verify(verifier, CONTEXT, &mut scratch))
            .map_err(at)?;
        let entry: Entry = from_slice(entry.payload(), &ENTRY_LIMITS)
            .map_err(|cause| format!("entry {number}: {cause} (error {})", cause.code()))?;
        rest = after;

        let first = first.get_or_insert_with(|| entry.clone());
        if entry.version != VERSION {
            return Err(format!("entry {number}: version {} is not known", entry.version));
        }
        if (&entry.batch, entry.count, &entry.product) != (&first.batch, first.count, &first.product) {
            return Err(format!("entry {number} is of another batch"));
        }
        if entry.unit != number {
            return Err(format!(
                "unit {number} is missing: unit {} stands in its place",
                entry.unit
            ));
        }
        if let Some(serial) = serials.replace(entry.serial) {
            return Err(format!("serial number {serial:?} occurs twice"));
        }
    }
    let announced = first.map_or(0, |first| first.count);
    if announced == 0 || usize::try_from(announced) != Ok(serials.len()) {
        return Err(format!("{} entries for {announced} units", serials.len()));
    }
    Ok(serials)
}

/// One label a unit, and no code twice.
fn check_labels(labels: &[u8], mut serials: BTreeSet<String>) -> Result<(), String> {
    let labels = std::str::from_utf8(labels).map_err(|_| "not text".to_owned())?;
    let mut codes = BTreeSet::new();
    for (number, line) in (1..).zip(labels.lines()) {
        let (serial, code) = line
            .split_once('\t')
            .ok_or_else(|| format!("line {number} has no code"))?;
        if !serials.remove(serial) {
            return Err(format!(
                "line {number}: {serial:?} is not in the manifest, or labelled twice"
            ));
        }
        Attempt::from_label(code)
            .map_err(|cause| format!("line {number}, {serial:?}: {cause} (error {})", cause.code()))?;
        if !codes.insert(code) {
            return Err(format!("line {number}: the code of {serial:?} occurs twice"));
        }
    }
    match serials.first() {
        Some(serial) => Err(format!("no label for {serial:?}, and {} more", serials.len() - 1)),
        None => Ok(()),
    }
}

fn refused(path: &Path) -> impl Fn(String) -> Problem + '_ {
    |cause| {
        Problem::new(
            "Batch",
            format!("{} refused: {cause}", path.display()),
            "get the batch again from the station that minted it; do not ship units of this one",
        )
    }
}

/// Product and serial numbers are printed, and separated by tabs and line breaks.
fn text(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
        return Err("takes 1 to 64 bytes without control characters");
    }
    Ok(text.to_owned())
}
