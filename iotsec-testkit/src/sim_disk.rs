//! A disk behind the operating system's cache.

use std::{collections::BTreeMap, io};

use iotsec_core::hal::linux::Medium;

use crate::{Power, Violation, World};

const SECTOR: usize = 512;

type Sector = [u8; SECTOR];

/// Sectors of 512 bytes behind a cache that writes them back when it likes, in any order, or never.
///
/// Each sector written to the cache is a step, and so is each sync. After a power cut [`lose_cache`](Self::lose_cache)
/// decides for each sector that was written since the last completed sync which of its contents since then the
/// disk holds, old and new ones alike, whatever the others hold. A single sector is never torn.
///
/// ```
/// use iotsec_core::hal::linux::Medium;
/// use iotsec_testkit::SimDisk;
///
/// let mut disk = SimDisk::new(2);
/// disk.write_at(0, b"old")?;
/// disk.sync()?;
/// disk.write_at(0, b"new")?;
/// disk.power().cut();
/// assert!(disk.sync().is_err());
/// disk.power().restore();
/// disk.lose_cache();
/// let mut bytes = [0; 3];
/// disk.read_at(0, &mut bytes)?;
/// assert!(&bytes == b"old" || &bytes == b"new");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SimDisk {
    disk: Vec<Sector>,
    /// What each sector was since the last sync, oldest first.
    cache: BTreeMap<usize, Vec<Sector>>,
    syncs: bool,
    power: Power,
}

impl SimDisk {
    /// So many sectors of zeros.
    #[must_use]
    pub fn new(sectors: usize) -> Self {
        Self {
            disk: vec![[0; SECTOR]; sectors],
            cache: BTreeMap::new(),
            syncs: true,
            power: Power::new(),
        }
    }

    /// One that says yes to a sync and does nothing, as some do: a test that passes on it does not test
    /// durability.
    #[must_use]
    pub const fn lying(mut self) -> Self {
        self.syncs = false;
        self
    }

    /// Its supply.
    #[must_use]
    pub const fn power(&self) -> &Power {
        &self.power
    }

    /// What a restart of the system does: only what is on the disk is left.
    pub fn lose_cache(&mut self) {
        for (number, versions) in std::mem::take(&mut self.cache) {
            let count = u64::try_from(versions.len())
                .unwrap_or(u64::MAX)
                .saturating_add(1);
            let chosen = usize::try_from(self.power.chance() % count).unwrap_or(0);
            if let Some(version) = chosen.checked_sub(1).and_then(|at| versions.get(at)) {
                self.disk[number] = *version;
            }
        }
    }

    fn latest(&self, number: usize) -> Option<&Sector> {
        let cached = self.cache.get(&number).and_then(|versions| versions.last());
        cached.or_else(|| self.disk.get(number))
    }

    fn pieces(&self, offset: u64, len: usize) -> io::Result<Vec<Piece>> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let end = start.checked_add(len).ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.disk.len() * SECTOR {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut pieces = Vec::new();
        let mut at = start;
        while at < end {
            let next = ((at / SECTOR + 1) * SECTOR).min(end);
            pieces.push(Piece {
                sector: at / SECTOR,
                within: at % SECTOR,
                from: at - start,
                to: next - start,
            });
            at = next;
        }
        Ok(pieces)
    }
}

/// The part of an access that lies in one sector.
struct Piece {
    sector: usize,
    within: usize,
    from: usize,
    to: usize,
}

impl Clone for SimDisk {
    /// A snapshot on a power supply of its own.
    fn clone(&self) -> Self {
        Self {
            disk: self.disk.clone(),
            cache: self.cache.clone(),
            syncs: self.syncs,
            power: self.power.fork(),
        }
    }
}

impl World for SimDisk {
    fn power(&self) -> &Power {
        &self.power
    }
    fn violation(&self) -> Option<Violation> {
        None
    }
}

fn no_power() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

impl Medium for SimDisk {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        if self.power.is_lost() {
            return Err(no_power());
        }
        for piece in self.pieces(offset, bytes.len())? {
            let len = piece.to - piece.from;
            if let Some(sector) = self.latest(piece.sector) {
                bytes[piece.from..piece.to].copy_from_slice(&sector[piece.within..piece.within + len]);
            }
        }
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        for piece in self.pieces(offset, bytes.len())? {
            if self.power.spend(1) == 0 {
                return Err(no_power());
            }
            let len = piece.to - piece.from;
            if let Some(mut sector) = self.latest(piece.sector).copied() {
                sector[piece.within..piece.within + len].copy_from_slice(&bytes[piece.from..piece.to]);
                self.cache.entry(piece.sector).or_default().push(sector);
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.power.spend(1) == 0 {
            return Err(no_power());
        }
        if self.syncs {
            for (number, versions) in std::mem::take(&mut self.cache) {
                if let Some(version) = versions.last() {
                    self.disk[number] = *version;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(disk: &mut SimDisk, at: u64) -> u8 {
        let mut byte = [0];
        disk.read_at(at, &mut byte).unwrap();
        byte[0]
    }

    #[test]
    fn what_is_not_synced_reaches_the_disk_in_every_combination() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut disk = SimDisk::new(3);
            disk.write_at(0, &[1; 3 * SECTOR]).unwrap();
            disk.sync().unwrap();
            disk.write_at(0, &[2; 2 * SECTOR]).unwrap();
            disk.write_at(SECTOR as u64, &[3; 1]).unwrap();
            disk.power().reseed(seed);
            disk.lose_cache();
            let state = [0, 512, 513, 1024].map(|at| byte(&mut disk, at));
            assert_eq!(state[3], 1, "not written, not changed");
            seen.insert(state);
        }
        // The first sector old or new, the second old, in between or new.
        assert_eq!(seen.len(), 6, "{seen:?}");
    }

    #[test]
    fn without_power_nothing_works_and_what_was_synced_stays() {
        let mut disk = SimDisk::new(1);
        disk.write_at(0, &[7]).unwrap();
        disk.sync().unwrap();
        disk.power().cut_after(0);
        assert!(disk.write_at(0, &[8]).is_err());
        assert!(disk.sync().is_err());
        assert!(disk.read_at(0, &mut [0]).is_err());
        disk.power().restore();
        disk.lose_cache();
        assert_eq!(byte(&mut disk, 0), 7);
    }

    #[test]
    fn a_disk_that_lies_loses_what_was_synced() {
        let lost = (0..50).any(|seed| {
            let mut disk = SimDisk::new(1).lying();
            disk.write_at(0, &[7]).unwrap();
            disk.sync().unwrap();
            disk.power().reseed(seed);
            disk.lose_cache();
            byte(&mut disk, 0) == 0
        });
        assert!(lost);
    }
}
