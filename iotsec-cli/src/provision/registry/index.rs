//! Which hashes there are, in sorted runs on disk, with little of them in memory.
//!
//! The index is made from the log and can be made again: a folder that is gone is rebuilt. A run is a file
//! of sorted hashes, named after its level and after the length of the log that it covers. Four runs of a
//! level become one of the next, so that a search looks into few of them.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{HASH, Hash};
use crate::Problem;

/// Hashes in memory before they become a run: a few megabytes.
const FRESH: usize = 1 << 17;
/// Runs of a level before they become one.
const RUNS: usize = 4;
/// Hashes of a block, of which each run keeps one number in memory: 4 KiB for 8 bytes.
const BLOCK: usize = 256;

pub(crate) struct Index {
    folder: PathBuf,
    runs: Vec<Run>,
    fresh: HashSet<Hash>,
}

struct Run {
    path: PathBuf,
    file: File,
    level: u32,
    covers: u64,
    hashes: u64,
    /// How each block begins.
    fence: Vec<u64>,
}

impl Index {
    pub(crate) fn open(folder: &Path) -> Result<Self, Problem> {
        let failed = |cause| Problem::file(folder, &cause);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut runs = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if let Some((level, covers)) = read_name(&path) {
                runs.push(Run::open(path, level, covers).map_err(failed)?);
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            runs,
            fresh: HashSet::new(),
        })
    }

    /// Length of the log whose hashes are all on disk here.
    pub(super) fn covers(&self) -> u64 {
        self.runs.iter().map(|run| run.covers).max().unwrap_or(0)
    }

    /// Starts anew when the log is shorter than what is here: it is another log.
    pub(super) fn forget_beyond(&mut self, end: u64) -> Result<(), Problem> {
        if self.covers() > end {
            for run in self.runs.drain(..) {
                fs::remove_file(&run.path).map_err(|cause| Problem::file(&run.path, &cause))?;
            }
        }
        Ok(())
    }

    pub(crate) fn holds(&self, hash: &Hash) -> Result<bool, Problem> {
        if self.fresh.contains(hash) {
            return Ok(true);
        }
        for run in &self.runs {
            if run
                .holds(hash)
                .map_err(|cause| Problem::file(&run.path, &cause))?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes hashes in, up to this length of the log.
    pub(crate) fn add(&mut self, hashes: &[Hash], covers: u64) -> Result<(), Problem> {
        self.fresh.extend(hashes);
        if self.fresh.len() < FRESH {
            return Ok(());
        }
        let folder = self.folder.clone();
        self.spill(covers).map_err(|cause| Problem::file(&folder, &cause))
    }

    fn spill(&mut self, covers: u64) -> io::Result<()> {
        let mut hashes: Vec<Hash> = self.fresh.drain().collect();
        hashes.sort_unstable();
        let run = Run::write(&self.folder, 0, covers, hashes.into_iter().map(Ok))?;
        self.runs.push(run);
        for level in 0.. {
            if self.runs.iter().filter(|run| run.level == level).count() < RUNS {
                break;
            }
            let (full, rest) = self.runs.drain(..).partition(|run| run.level == level);
            self.runs = rest;
            let run = merge(&self.folder, level + 1, &full)?;
            self.runs.push(run);
            for run in full {
                fs::remove_file(&run.path)?;
            }
        }
        Ok(())
    }
}

fn merge(folder: &Path, level: u32, runs: &[Run]) -> io::Result<Run> {
    let mut readers = Vec::new();
    let mut heads = BinaryHeap::new();
    for (number, run) in runs.iter().enumerate() {
        let mut file = run.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(1 << 16, file).take(run.hashes * HASH as u64);
        if let Some(hash) = next(&mut reader)? {
            heads.push(Reverse((hash, number)));
        }
        readers.push(reader);
    }
    let covers = runs.iter().map(|run| run.covers).max().unwrap_or(0);
    let sorted = std::iter::from_fn(move || {
        let Reverse((hash, number)) = heads.pop()?;
        match readers.get_mut(number).map(next) {
            Some(Ok(Some(after))) => heads.push(Reverse((after, number))),
            Some(Err(cause)) => return Some(Err(cause)),
            _ => {}
        }
        Some(Ok(hash))
    });
    Run::write(folder, level, covers, sorted)
}

fn next(reader: &mut impl Read) -> io::Result<Option<Hash>> {
    let mut hash = [0; HASH];
    match reader.read_exact(&mut hash) {
        Ok(()) => Ok(Some(hash)),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(cause) => Err(cause),
    }
}

impl Run {
    fn open(path: PathBuf, level: u32, covers: u64) -> io::Result<Self> {
        let mut file = File::open(&path)?;
        let hashes = file.metadata()?.len() / HASH as u64;
        let mut fence = Vec::new();
        for at in (0..hashes).step_by(BLOCK) {
            file.seek(SeekFrom::Start(at * HASH as u64))?;
            let mut hash = [0; HASH];
            file.read_exact(&mut hash)?;
            fence.push(start(&hash));
        }
        Ok(Self {
            path,
            file,
            level,
            covers,
            hashes,
            fence,
        })
    }

    /// Under another name first, so that a run is whole or not there.
    fn write(
        folder: &Path,
        level: u32,
        covers: u64,
        sorted: impl Iterator<Item = io::Result<Hash>>,
    ) -> io::Result<Self> {
        let unfinished = folder.join("unfinished");
        let mut out = BufWriter::with_capacity(1 << 16, File::create(&unfinished)?);
        for hash in sorted {
            out.write_all(&hash?)?;
        }
        let file = out.into_inner()?;
        file.sync_all()?;
        let path = folder.join(format!("{level}-{covers}.run"));
        fs::rename(&unfinished, &path)?;
        Self::open(path, level, covers)
    }

    fn holds(&self, hash: &Hash) -> io::Result<bool> {
        let wanted = start(hash);
        let first = self
            .fence
            .partition_point(|begin| *begin < wanted)
            .saturating_sub(1);
        for (block, begin) in self.fence.iter().enumerate().skip(first) {
            if *begin > wanted {
                break;
            }
            let at = (block * BLOCK) as u64;
            let rest = usize::try_from(self.hashes - at).unwrap_or(BLOCK);
            let len = rest.min(BLOCK);
            let mut bytes = [0; BLOCK * HASH];
            let bytes = &mut bytes[..len * HASH];
            let mut file = &self.file;
            file.seek(SeekFrom::Start(at * HASH as u64))?;
            file.read_exact(bytes)?;
            if bytes.as_chunks::<HASH>().0.binary_search(hash).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn start(hash: &Hash) -> u64 {
    hash.first_chunk().map_or(0, |start| u64::from_be_bytes(*start))
}

fn read_name(path: &Path) -> Option<(u32, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".run")?;
    let (level, covers) = name.split_once('-')?;
    Some((level.parse().ok()?, covers.parse().ok()?))
}
