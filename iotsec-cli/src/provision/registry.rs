//! What was minted before, so that nothing is minted twice: an append-only log of keyed hashes.
//!
//! The log is also the journal. A chunk of units counts as minted when its frame is in the log, in one
//! piece and on the disk; a run that is killed goes on behind the last such frame.
//!
//! ```text
//! log    = magic: 8 bytes "iotsecR1", frame...
//! frame  = kind: 1, length of body: 4, body, SHA-256 over kind, length and body: 16 of 32 bytes
//! begin  = batch: 16, first running number: 4, count: 4, prefix of the serial numbers   ; kind 1
//! commit = batch: 16, units so far: 4, lengths of its files: 4 × 8, hashes: n × 16      ; kind 2
//! single = hashes: n × 16                                                               ; kind 3
//! hash   = HMAC-SHA-256(registry key, what ‖ value), 16 of 32 bytes
//! ```
//!
//! Integers are big-endian. The hashes of a frame are sorted, so that their order says nothing of the unit.
//! Whoever has the log but not the key learns how many units there are and their serial numbers. Whoever
//! has both can test guesses: the key is in a file of its own, so that the log can be copied to a backup
//! or to another station without it.

mod index;

use std::{
    fs::{self, File},
    io::{BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use iotsec::core::{
    crypto::{HkdfSha256, Kdf, Sha256},
    secret::Secret,
};

use crate::{
    Problem,
    file::{self, Access},
};
pub(crate) use index::Index;

/// A keyed hash.
pub(crate) type Hash = [u8; HASH];

/// 128 bits: among 10^8 hashes two are equal by chance once in 10^23.
const HASH: usize = 16;
const MAGIC: &[u8; 8] = b"iotsecR1";
const HEAD: usize = 5;
const CHECK: usize = 16;
/// A chunk of units has far fewer hashes.
const MAX_BODY: usize = 16 << 20;

const BEGIN: u8 = 1;
const COMMIT: u8 = 2;
const SINGLE: u8 = 3;

/// What is hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Password,
    SetupCode,
    PublicKey,
    /// A serial number that a certificate was issued for.
    CertifiedSerial,
    /// A serial number and the key that it was certified with.
    Certified,
}

impl What {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Password => b"iotsec/registry/password/v1",
            Self::SetupCode => b"iotsec/registry/setup-code/v1",
            Self::PublicKey => b"iotsec/registry/public-key/v1",
            Self::CertifiedSerial => b"iotsec/registry/certified-serial/v1",
            Self::Certified => b"iotsec/registry/certified/v1",
        }
    }
}

/// Makes hashes; shared by the threads that mint.
pub(crate) struct Hasher(Secret<32>);

impl Hasher {
    pub(crate) const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    pub(crate) fn hash(&self, what: What, value: &[u8]) -> Result<Hash, Problem> {
        let hash = HkdfSha256
            .hmac(self.0.expose(), &[what.label(), value])
            .map_err(Problem::make("registry"))?;
        let (start, _) = hash.split_first_chunk().unwrap_or((&[0; HASH], &[]));
        Ok(*start)
    }
}

/// Serial numbers that a batch has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) batch: [u8; 16],
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) prefix: String,
}

/// How far a batch came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) units: u32,
    /// Bytes of each file of the batch that count, in the order of their names in `FILES`.
    pub(crate) files: [u64; 4],
}

/// The log, opened by one run at a time.
pub(crate) struct Registry {
    path: PathBuf,
    log: File,
    len: u64,
    index: Index,
    ranges: Vec<Range>,
    last: Vec<([u8; 16], Progress)>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Closing is not enough: a thread that starts a program has a copy of the descriptor for a moment.
        self.log.unlock().ok();
    }
}

impl Registry {
    /// Opens the registry in `folder`, or begins one. What a killed run left behind the last whole frame
    /// is cut off.
    pub(crate) fn open(folder: &Path) -> Result<Self, Problem> {
        fs::create_dir_all(folder).map_err(|cause| Problem::file(folder, &cause))?;
        let path = folder.join("log");
        let failed = |cause| Problem::file(&path, &cause);
        let mut options = file::writing(Access::Private);
        options.read(true).create(true).truncate(false);
        let mut log = options.open(&path).map_err(failed)?;
        log.try_lock().map_err(|_| {
            Problem::new(
                "Busy",
                format!("{} is in use by another run", path.display()),
                "wait for that run to end, or use a station directory of its own for each line",
            )
        })?;
        let len = log.metadata().map_err(failed)?.len();
        if len < MAGIC.len() as u64 {
            log.set_len(0).map_err(failed)?;
            log.write_all(MAGIC).map_err(failed)?;
            log.sync_all().map_err(failed)?;
        }
        let index = Index::open(&folder.join("index"))?;
        let mut registry = Self {
            path: path.clone(),
            log,
            len: MAGIC.len() as u64,
            index,
            ranges: Vec::new(),
            last: Vec::new(),
        };
        registry.replay()?;
        Ok(registry)
    }

    /// Whether nothing was ever minted.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == MAGIC.len() as u64
    }

    /// Whether a batch has this serial number.
    pub(crate) fn has_serial(&self, serial: &str) -> bool {
        self.ranges.iter().any(|range| {
            let number = serial.strip_prefix(range.prefix.as_str());
            let number = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            let number: Option<u32> = number.and_then(|number| number.parse().ok());
            number.is_some_and(|number| number >= range.first && number - range.first < range.count)
        })
    }

    /// Whether this was minted before.
    pub(crate) fn holds(&self, hash: &Hash) -> Result<bool, Problem> {
        self.index.holds(hash)
    }

    /// The first running number that is free behind all that were taken with this prefix.
    pub(crate) fn next(&self, prefix: &str) -> Option<u64> {
        let same = self.ranges.iter().filter(|range| range.prefix == prefix);
        same.map(|range| u64::from(range.first) + u64::from(range.count))
            .max()
    }

    /// The range of a batch that has begun, and how far it came.
    pub(crate) fn progress(&self, batch: &[u8; 16]) -> Option<(&Range, Progress)> {
        let range = self.ranges.iter().find(|range| range.batch == *batch)?;
        let last = self.last.iter().find(|(id, _)| id == batch);
        Some((
            range,
            last.map_or_else(Progress::default, |(_, progress)| *progress),
        ))
    }

    /// Takes serial numbers for a batch.
    pub(crate) fn begin(&mut self, range: Range) -> Result<(), Problem> {
        let body = [
            &range.batch[..],
            &range.first.to_be_bytes(),
            &range.count.to_be_bytes(),
            range.prefix.as_bytes(),
        ]
        .concat();
        self.append(BEGIN, &body)?;
        self.ranges.push(range);
        Ok(())
    }

    /// From here on these units are minted.
    pub(crate) fn commit(
        &mut self,
        batch: &[u8; 16],
        progress: Progress,
        hashes: &mut [Hash],
    ) -> Result<(), Problem> {
        hashes.sort_unstable();
        let mut body = Vec::with_capacity(52 + hashes.len() * HASH);
        body.extend_from_slice(batch);
        body.extend_from_slice(&progress.units.to_be_bytes());
        for length in progress.files {
            body.extend_from_slice(&length.to_be_bytes());
        }
        body.extend(hashes.iter().flatten());
        self.append(COMMIT, &body)?;
        self.note(*batch, progress);
        self.index.add(hashes, self.len)
    }

    /// From here on something that belongs to no batch is known.
    pub(crate) fn add(&mut self, hashes: &mut [Hash]) -> Result<(), Problem> {
        hashes.sort_unstable();
        self.append(SINGLE, hashes.as_flattened())?;
        self.index.add(hashes, self.len)
    }

    fn note(&mut self, batch: [u8; 16], progress: Progress) {
        match self.last.iter_mut().find(|(id, _)| *id == batch) {
            Some((_, last)) => *last = progress,
            None => self.last.push((batch, progress)),
        }
    }

    fn append(&mut self, kind: u8, body: &[u8]) -> Result<(), Problem> {
        let failed = |cause| Problem::file(&self.path, &cause);
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let head = [&[kind][..], &len.to_be_bytes()].concat();
        let digest = Sha256::of(&[&head, body]);
        let check = digest.get(..CHECK).unwrap_or_default();
        let frame = [&head[..], body, check].concat();
        self.log.seek(SeekFrom::Start(self.len)).map_err(failed)?;
        self.log.write_all(&frame).map_err(failed)?;
        self.log.sync_data().map_err(failed)?;
        self.len += frame.len() as u64;
        Ok(())
    }

    /// Reads the log from its start: headers everywhere, hashes only where no index has them.
    fn replay(&mut self) -> Result<(), Problem> {
        let path = self.path.clone();
        let failed = |cause| Problem::file(&path, &cause);
        let end = self.log.metadata().map_err(failed)?.len();
        self.index.forget_beyond(end)?;
        let mut log = BufReader::new(self.log.try_clone().map_err(failed)?);
        let mut magic = [0; 8];
        log.seek(SeekFrom::Start(0)).map_err(failed)?;
        log.read_exact(&mut magic).map_err(failed)?;
        if &magic != MAGIC {
            return Err(damaged(&path));
        }
        loop {
            let at = self.len;
            let mut head = [0; HEAD];
            if end - at < (HEAD + CHECK) as u64 {
                break;
            }
            log.read_exact(&mut head).map_err(failed)?;
            let [kind, len @ ..] = head;
            let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
            let whole = (HEAD + len + CHECK) as u64;
            if len > MAX_BODY || !(BEGIN..=SINGLE).contains(&kind) {
                return Err(damaged(&path));
            }
            if end - at < whole {
                break;
            }
            // What an index covers was checked when it went in.
            let read = if at < self.index.covers() {
                len.min(52)
            } else {
                len
            };
            let mut body = vec![0; read];
            log.read_exact(&mut body).map_err(failed)?;
            if read == len {
                let mut check = [0; CHECK];
                log.read_exact(&mut check).map_err(failed)?;
                let digest = Sha256::of(&[&head, &body]);
                if digest.get(..CHECK) != Some(&check[..]) {
                    if at + whole == end {
                        // The length came to the disk before the bytes did.
                        break;
                    }
                    return Err(damaged(&path));
                }
            } else {
                let rest = i64::try_from(len - read + CHECK).unwrap_or(i64::MAX);
                log.seek_relative(rest).map_err(failed)?;
            }
            self.len += whole;
            self.take(kind, &body, at)?;
        }
        drop(log);
        if self.len < end {
            self.log.set_len(self.len).map_err(failed)?;
            self.log.sync_all().map_err(failed)?;
        }
        Ok(())
    }

    fn take(&mut self, kind: u8, body: &[u8], at: u64) -> Result<(), Problem> {
        let path = self.path.clone();
        let hashes = match kind {
            SINGLE => body,
            BEGIN => {
                let range = Range::read(body).ok_or_else(|| damaged(&path))?;
                self.ranges.push(range);
                return Ok(());
            }
            _ => {
                let (batch, progress, rest) = read_commit(body).ok_or_else(|| damaged(&path))?;
                self.note(batch, progress);
                rest
            }
        };
        if at < self.index.covers() {
            return Ok(());
        }
        let (hashes, rest) = hashes.as_chunks::<HASH>();
        if !rest.is_empty() {
            return Err(damaged(&path));
        }
        self.index.add(hashes, self.len)
    }
}

impl Range {
    fn read(body: &[u8]) -> Option<Self> {
        let (batch, body) = body.split_first_chunk::<16>()?;
        let (first, body) = body.split_first_chunk::<4>()?;
        let (count, body) = body.split_first_chunk::<4>()?;
        Some(Self {
            batch: *batch,
            first: u32::from_be_bytes(*first),
            count: u32::from_be_bytes(*count),
            prefix: std::str::from_utf8(body).ok()?.to_owned(),
        })
    }
}

fn read_commit(body: &[u8]) -> Option<([u8; 16], Progress, &[u8])> {
    let (batch, body) = body.split_first_chunk::<16>()?;
    let (units, mut body) = body.split_first_chunk::<4>()?;
    let mut files = [0; 4];
    for file in &mut files {
        let (length, rest) = body.split_first_chunk::<8>()?;
        *file = u64::from_be_bytes(*length);
        body = rest;
    }
    let units = u32::from_be_bytes(*units);
    Some((*batch, Progress { units, files }, body))
}

fn damaged(path: &Path) -> Problem {
    Problem::new(
        "RegistryDamaged",
        format!("{} is damaged", path.display()),
        "restore the registry from its backup; without it nothing can be compared with earlier batches",
    )
}

#[cfg(test)]
mod tests;
