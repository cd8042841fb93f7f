//! `iotsec provision verify`

mod verdict;

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use clap::Args;
use getrandom::SysRng;
use iotsec::{
    core::{
        credential::{Attempt, Exposure, PasswordError, UserPassword},
        error::ErrorCode as _,
        secret::Secret,
    },
    factory::SetupCode,
};
use zeroize::Zeroizing;

use super::{
    LABELS, MANIFEST, PLAIN, SIGNER,
    device_key::{kind_of, public_key},
    entry::{Entries, Entry, Matter},
    registry::{Hasher, Index, What},
    sealed::Opener,
    statistics::{Beginnings, Symbols},
    unseal::Sealed,
};
use crate::{
    Output, Problem, file,
    key::{KeyFile, RecipientFile, hex},
};

#[derive(Args)]
pub(crate) struct Verify {
    /// The batch directory.
    dir: PathBuf,
    /// The station's public key; without it, signer.pub of the batch itself, which says that the batch is of
    /// one piece but not whose it is.
    #[arg(long, value_name = "PUB")]
    key: Option<PathBuf>,
    /// The private key that opens labels.sealed, to check its passwords instead of those in labels.csv.
    #[arg(long, value_name = "FILE")]
    unseal: Option<PathBuf>,
}

/// What was counted.
struct Tally {
    units: u64,
    first: Option<Entry>,
    labels: Option<Labels>,
}

/// What was counted over passwords and set-up codes.
struct Labels {
    file: &'static str,
    passwords: Option<Passwords>,
    codes: Option<Symbols>,
}

struct Passwords {
    bits: u32,
    symbols: Symbols,
    beginnings: Beginnings,
    /// Passwords of hexadecimal digits alone, which a hardware address would be.
    hexadecimal: u64,
}

pub(super) fn verify(command: &Verify) -> Result<Output, Problem> {
    let key = command.key.clone().unwrap_or_else(|| command.dir.join(SIGNER));
    let verifier = KeyFile::read(&key)?.verifier()?;
    let recipient = command.unseal.as_deref().map(RecipientFile::read).transpose()?;
    let private = recipient.as_ref().map(RecipientFile::private).transpose()?;
    let kid = recipient.as_ref().map(RecipientFile::kid).transpose()?.flatten();
    let opener = private.as_ref().map(|key| Opener {
        key: key.as_ref(),
        kid: kid.as_deref(),
        signer: verifier.as_ref(),
    });
    let lines = Lines::open(&command.dir, opener)?;
    let path = command.dir.join(MANIFEST);
    let manifest = File::open(&path).map_err(|cause| Problem::file(&path, &cause))?;
    let entries = Entries::new(manifest, verifier.as_ref());
    let tally = Check::new()?.run(entries, lines, &path, &command.dir)?;
    verdict::report(&tally, command.key.is_some())
}

struct Check {
    hasher: Hasher,
    index: Index,
    _folder: Scratch,
}

impl Check {
    fn new() -> Result<Self, Problem> {
        let made = Problem::make("check");
        let name = Secret::<16>::random(&mut SysRng).map_err(&made)?;
        let name = format!("iotsec-verify-{}", hex(name.expose()));
        let folder = Scratch(std::env::temp_dir().join(name));
        file::create_dir(&folder.0)?;
        Ok(Self {
            hasher: Hasher::new(Secret::random(&mut SysRng).map_err(made)?),
            index: Index::open(&folder.0)?,
            _folder: folder,
        })
    }

    fn run<R: std::io::Read>(
        mut self,
        mut entries: Entries<'_, R>,
        mut lines: Option<Lines<'_>>,
        path: &Path,
        dir: &Path,
    ) -> Result<Tally, Problem> {
        let label_path = lines.as_ref().map_or(PLAIN, |lines| lines.name);
        let label_path = dir.join(label_path);
        let mut tally = Tally {
            units: 0,
            first: None,
            labels: None,
        };
        let mut before: Option<String> = None;
        while let Some(entry) = entries.next().map_err(refused(path))? {
            tally.units += 1;
            let first = tally.first.get_or_insert_with(|| entry.clone());
            check_entry(&entry, first, tally.units, before.as_deref()).map_err(refused(path))?;
            if let Some(key) = &entry.device_key
                && !self.once(What::PublicKey, key.as_bytes(), tally.units)?
            {
                let cause = format!("the device key of {:?} occurs twice", entry.serial);
                return Err(refused(path)(cause));
            }
            if let Some(lines) = &mut lines {
                let labels = tally
                    .labels
                    .get_or_insert_with(|| Labels::new(lines.name, &entry));
                let line = lines.next(&entry.batch).map_err(refused(&label_path))?;
                self.label(
                    labels,
                    &entry,
                    line.as_deref().map(String::as_str),
                    tally.units,
                    &label_path,
                )?;
            }
            before = Some(entry.serial);
        }
        let announced = tally.first.as_ref().map_or(0, |first| first.count);
        if announced == 0 || u64::from(announced) != tally.units {
            return Err(refused(path)(format!(
                "{} entries for {announced} units",
                tally.units
            )));
        }
        if let (Some(lines), Some(first)) = (&mut lines, &tally.first) {
            let more = lines.next(&first.batch).map_err(refused(&label_path))?;
            if more.is_some() {
                return Err(refused(&label_path)("more labels than units".into()));
            }
        }
        Ok(tally)
    }

    /// False for what came before.
    fn once(&mut self, what: What, value: &[u8], unit: u64) -> Result<bool, Problem> {
        let hash = self.hasher.hash(what, value)?;
        if self.index.holds(&hash)? {
            return Ok(false);
        }
        self.index.add(&[hash], unit)?;
        Ok(true)
    }

    fn label(
        &mut self,
        labels: &mut Labels,
        entry: &Entry,
        line: Option<&str>,
        unit: u64,
        path: &Path,
    ) -> Result<(), Problem> {
        let refused = refused(path);
        let serial = &entry.serial;
        let line = line.ok_or_else(|| refused(format!("no label for {serial:?}")))?;
        let mut fields = line.split(',');
        let mut field = || fields.next().unwrap_or_default();
        let (labelled, password, code) = (field(), field(), field());
        if labelled != serial || fields.next().is_some() {
            return Err(refused(format!(
                "unit {unit}: this is not the label of {serial:?}"
            )));
        }
        if let Some(passwords) = &mut labels.passwords {
            passwords
                .add(password, entry)
                .map_err(|cause| refused(format!("the password of {serial:?} {cause}")))?;
            if !self.once(What::Password, password.as_bytes(), unit)? {
                return Err(refused(format!("the password of {serial:?} occurs twice")));
            }
        } else if !password.is_empty() {
            return Err(refused(format!(
                "{serial:?} has a password that the manifest has not"
            )));
        }
        if let Some(codes) = &mut labels.codes {
            let digits: Vec<u8> = code.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
            let number = code.parse().ok().filter(|number| SetupCode::is_allowed(*number));
            if digits.len() != 8 || digits.iter().any(|digit| *digit > 9) || number.is_none() {
                return Err(refused(format!("the set-up code of {serial:?} is not allowed")));
            }
            codes.add(&digits);
            if !self.once(What::SetupCode, code.as_bytes(), unit)? {
                return Err(refused(format!("the set-up code of {serial:?} occurs twice")));
            }
        } else if !code.is_empty() {
            return Err(refused(format!(
                "{serial:?} has a set-up code that the manifest has not"
            )));
        }
        Ok(())
    }
}

fn check_entry(entry: &Entry, first: &Entry, unit: u64, before: Option<&str>) -> Result<(), String> {
    if !entry.belongs_with(first) {
        return Err(format!("entry {unit} is of another batch"));
    }
    if u64::from(entry.unit) != unit {
        return Err(format!(
            "unit {unit} is missing: unit {} stands in its place",
            entry.unit
        ));
    }
    let next = before.map(next_serial);
    if next.is_some_and(|next| next.as_ref() != Some(&entry.serial)) {
        return Err(format!(
            "entry {unit}: serial number {:?} does not follow {:?}",
            entry.serial,
            before.unwrap_or_default()
        ));
    }
    let key = |entry: &Entry| entry.device_key.as_deref().map(public_key);
    let kind = |entry: &Entry| key(entry).map(|key| key.map(|key| kind_of(key.as_ref())));
    if key(entry).is_some_and(|key| key.is_none()) || kind(entry) != kind(first) {
        return Err(format!("entry {unit}: the device key is not what it should be"));
    }
    if !entry.matter.as_ref().is_none_or(Matter::is_sound) {
        return Err(format!("entry {unit}: what it says of Matter cannot be"));
    }
    Ok(())
}

/// The serial number that follows: prefixes end in no digit, so the digits at the end are the number.
fn next_serial(serial: &str) -> Option<String> {
    let prefix = serial.trim_end_matches(|last: char| last.is_ascii_digit());
    let digits = serial.get(prefix.len()..)?;
    let number: u64 = digits.parse().ok()?;
    let (number, width) = (number.checked_add(1)?, digits.len());
    Some(format!("{prefix}{number:0width$}"))
}

impl Labels {
    fn new(file: &'static str, entry: &Entry) -> Self {
        Self {
            file,
            passwords: entry.entropy_bits.map(|bits| Passwords {
                bits,
                symbols: Symbols::new(32, usize::try_from(bits / 5).unwrap_or(0)),
                beginnings: Beginnings::new(),
                hexadecimal: 0,
            }),
            codes: entry.setup_code.then(|| Symbols::new(10, 8)),
        }
    }
}

impl Passwords {
    fn add(&mut self, label: &str, entry: &Entry) -> Result<(), String> {
        Attempt::from_label(label)
            .map_err(|cause| format!("is refused: {cause} (error {})", cause.code()))?;
        let mut symbols: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(label.len()));
        symbols.extend(label.bytes().filter(|byte| *byte != b'-'));
        // The check symbol is derived and no part of the password.
        symbols.pop();
        let length = symbols.len();
        for symbol in symbols.iter_mut() {
            let value = ALPHABET.iter().position(|letter| letter == symbol);
            *symbol = value
                .and_then(|value| u8::try_from(value).ok())
                .ok_or("has another alphabet")?;
        }
        if length * 5 != usize::try_from(self.bits).unwrap_or(0) {
            return Err(format!(
                "has {length} symbols, and the manifest says {} bits",
                self.bits
            ));
        }
        let exposure = if self.bits == Exposure::Offline.entropy_bits() {
            Exposure::Offline
        } else {
            Exposure::Online
        };
        let context = [&*entry.product, &entry.model, &entry.vendor, &entry.serial];
        match UserPassword::new(label, exposure, &context) {
            Err(PasswordError::Context) => return Err("shows serial number, product or vendor".into()),
            Err(PasswordError::Predictable) => return Err("is in the dictionary, or a pattern".into()),
            _ => {}
        }
        self.hexadecimal += u64::from(symbols.iter().all(|symbol| *symbol < 16));
        self.symbols.add(&symbols);
        self.beginnings.add(&symbols);
        Ok(())
    }
}

/// Crockford's base 32, as labels have it.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The label of each unit, from whichever file there is.
struct Lines<'k> {
    name: &'static str,
    source: Source<'k>,
}

enum Source<'k> {
    Plain(BufReader<File>),
    Sealed(Box<Sealed<'k>>),
}

impl<'k> Lines<'k> {
    fn open(dir: &Path, opener: Option<Opener<'k>>) -> Result<Option<Self>, Problem> {
        if let Some(opener) = opener {
            let sealed = Sealed::open(&dir.join(LABELS), opener)?;
            return Ok(Some(Self {
                name: LABELS,
                source: Source::Sealed(Box::new(sealed)),
            }));
        }
        let path = dir.join(PLAIN);
        if file::must_be_free(&path).is_ok() {
            return Ok(None);
        }
        let failed = |cause| Problem::file(&path, &cause);
        let mut file = BufReader::new(File::open(&path).map_err(failed)?);
        file.read_line(&mut String::new()).map_err(failed)?;
        Ok(Some(Self {
            name: PLAIN,
            source: Source::Plain(file),
        }))
    }

    fn next(&mut self, batch: &str) -> Result<Option<Zeroizing<String>>, String> {
        match &mut self.source {
            Source::Plain(file) => {
                let mut line = Zeroizing::new(String::with_capacity(128));
                let read = file.read_line(&mut line).map_err(|cause| cause.to_string())?;
                let end = line.trim_end_matches(['\r', '\n']).len();
                line.truncate(end);
                Ok((read > 0).then_some(line))
            }
            Source::Sealed(sealed) => {
                let line = sealed.next()?;
                if sealed.kind != LABELS || sealed.batch() != Some(batch) {
                    return Err("it is not the labels of this batch".into());
                }
                Ok(line)
            }
        }
    }
}

/// A directory that goes when the check is over.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
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

#[cfg(test)]
mod tests {
    use super::next_serial;

    #[test]
    fn the_next_serial_number_keeps_prefix_and_digits() {
        for (serial, next) in [
            ("L2-000009", Some("L2-000010")),
            ("L2-999999", Some("L2-1000000")),
            ("7", Some("8")),
            ("L2-", None),
        ] {
            assert_eq!(next_serial(serial).as_deref(), next);
        }
    }
}
