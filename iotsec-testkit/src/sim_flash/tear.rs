//! Memory cells, and what an interrupted operation leaves in them.

use std::ops::Range;

use super::SimFlashError;
use crate::{Power, SimRng};

/// What a power cut does to the step under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tear {
    /// It does not happen; a sector erase is one step. Few real chips are so kind.
    Clean,
    /// A random part of the bits has changed.
    Torn,
    /// As [`Torn`](Self::Torn), and reading a word that is neither old nor new fails until it is erased,
    /// as on STM32H7.
    EccPoison,
    /// As [`Torn`](Self::Torn), and half of the bits that should have changed read differently each time
    /// until they are erased.
    Unstable,
}

impl Tear {
    pub(super) const fn erase_steps(self) -> u64 {
        match self {
            Self::Clean => 1,
            _ => 5,
        }
    }
}

/// What counts as one step of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepUnit {
    /// A word.
    Word,
    /// A byte: a word of 8 bytes can be cut at eight points, each further along than the one before.
    Byte,
}

/// The bytes of the flash, and which bits or words cannot be relied on.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    bytes: Vec<u8>,
    erased: u8,
    /// A mask for each byte; empty while no bit is unstable.
    unstable: Vec<u8>,
    /// A flag for each byte; empty while no word is poisoned.
    poisoned: Vec<bool>,
}

impl Cells {
    pub(super) fn new(capacity: usize, erased: u8) -> Self {
        Self {
            bytes: vec![erased; capacity],
            erased,
            unstable: Vec::new(),
            poisoned: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_erased(&self, range: Range<usize>) -> bool {
        self.bytes[range].iter().all(|byte| *byte == self.erased)
    }

    pub(super) fn set(&mut self, from: usize, bytes: &[u8]) {
        self.bytes[from..from + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn erase(&mut self, range: Range<usize>) {
        self.bytes[range.clone()].fill(self.erased);
        if !self.unstable.is_empty() {
            self.unstable[range.clone()].fill(0);
        }
        if !self.poisoned.is_empty() {
            self.poisoned[range].fill(false);
        }
    }

    pub(super) fn make_unstable(&mut self, at: usize, mask: u8) {
        self.unstable.resize(self.bytes.len(), 0);
        self.unstable[at] |= mask;
    }

    pub(super) fn poison(&mut self, range: Range<usize>) {
        self.poisoned.resize(self.bytes.len(), false);
        self.poisoned[range].fill(true);
    }

    /// Reads with the words that `bytes` touches.
    pub(super) fn read(
        &self,
        from: usize,
        word: usize,
        bytes: &mut [u8],
        power: &Power,
    ) -> Result<(), SimFlashError> {
        let end = from + bytes.len();
        if !self.poisoned.is_empty() && from < end {
            let words = from / word * word..end.next_multiple_of(word);
            if self.poisoned[words].contains(&true) {
                return Err(SimFlashError::Ecc);
            }
        }
        bytes.copy_from_slice(&self.bytes[from..end]);
        if !self.unstable.is_empty() {
            for (byte, mask) in bytes.iter_mut().zip(&self.unstable[from..end]) {
                if *mask != 0 {
                    *byte ^= power.chance().to_le_bytes()[0] & mask;
                }
            }
        }
        Ok(())
    }

    /// Leaves `new` half written: `progress` is how many bytes of it were done, in units of how many.
    pub(super) fn tear_write(
        &mut self,
        from: usize,
        new: &[u8],
        word: usize,
        progress: (usize, usize),
        tear: Tear,
        power: &Power,
    ) {
        let mut rng = SimRng::new(power.chance());
        // The two ends, nothing and everything, are what a naive recovery gets right or wrong.
        let jitter = match rng.below(8) {
            0 => 0,
            1 => FULL,
            _ => rng.below(FULL + 1),
        };
        let (done, unit) = progress;
        let units = |bytes: usize| u64::try_from(bytes / unit).unwrap_or(u64::MAX);
        let density = (units(done) * FULL + jitter) / units(new.len());
        for (index, new) in new.chunks(word).enumerate() {
            let at = from + index * word;
            self.blend(at, new, density, tear, &mut rng);
            // A word that is wholly old or wholly new has a matching check sum.
            if tear == Tear::EccPoison && (1..FULL).contains(&density) {
                self.poison(at..at + word);
            }
        }
    }

    /// Leaves a sector in stage `stage` of its erase.
    pub(super) fn tear_erase(
        &mut self,
        range: Range<usize>,
        word: usize,
        stage: u64,
        tear: Tear,
        power: &Power,
    ) {
        let mut rng = SimRng::new(power.chance());
        let (target, density) = match stage {
            // Many chips program a sector evenly before they erase it.
            0 => (!self.erased, rng.below(FULL + 1)),
            1 => (self.erased, FULL / 2),
            2 => (self.erased, FULL * 3 / 4),
            3 => (self.erased, FULL - 1),
            _ => (self.erased, FULL),
        };
        let target = vec![target; word];
        for at in range.step_by(word) {
            self.blend(at, &target, density, tear, &mut rng);
            if tear == Tear::EccPoison && density < FULL && rng.below(FULL) < FULL - density + 4 {
                self.poison(at..at + word);
            }
        }
    }

    /// Moves `density` 64ths of the bits that differ to their new value.
    fn blend(&mut self, from: usize, new: &[u8], density: u64, tear: Tear, rng: &mut SimRng) {
        for (chunk, new) in new.chunks(8).enumerate() {
            let moved = some_bits(rng, density).to_le_bytes();
            let shaky = if tear == Tear::Unstable && density < FULL {
                some_bits(rng, FULL / 2).to_le_bytes()
            } else {
                [0; 8]
            };
            for (index, new) in new.iter().enumerate() {
                let at = from + chunk * 8 + index;
                let differ = self.bytes[at] ^ new;
                self.bytes[at] ^= differ & moved[index];
                if differ & shaky[index] != 0 {
                    self.make_unstable(at, differ & shaky[index]);
                }
            }
        }
    }
}

const FULL: u64 = 64;

/// 64 bits, each set with a probability of `density` 64ths.
fn some_bits(rng: &mut SimRng, density: u64) -> u64 {
    if density >= FULL {
        return u64::MAX;
    }
    // Six digits of the binary fraction, the lowest first: a one halves the way to certainty, a zero
    // halves the way to never.
    (0..6).fold(0, |bits, digit| {
        let random = rng.next();
        if density >> digit & 1 == 1 {
            bits | random
        } else {
            bits & random
        }
    })
}
