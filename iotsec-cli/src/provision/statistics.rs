//! Figures over passwords and set-up codes, in one pass and little memory.
//!
//! Each test gives a z value: how many standard deviations the batch lies from what independent uniform
//! draws give. [`ALARM`] is far enough out that a good batch raises it once in 10^10.

use serde_json::{Value, json};

/// Standard deviations that are no chance.
pub(super) const ALARM: f64 = 7.0;
/// Below this many units the tests say nothing.
pub(super) const ENOUGH: u64 = 200;
/// Below this many the count of distinct beginnings says nothing.
const ENOUGH_BEGINNINGS: u64 = 20_000;
const BEGINNINGS: usize = 1 << 20;

/// Over symbols of one alphabet, by position.
pub(super) struct Symbols {
    alphabet: usize,
    /// How often each symbol stands at each position.
    counts: Vec<Vec<u64>>,
    /// How often each difference to the unit before occurs.
    steps: Vec<Vec<u64>>,
    before: Vec<u8>,
    /// As numbers: those of the last two units, for counters of any step.
    last: Option<u128>,
    step: Option<u128>,
    equal_steps: u64,
    correlation: Correlation,
    units: u64,
}

impl Symbols {
    pub(super) fn new(alphabet: usize, positions: usize) -> Self {
        Self {
            alphabet,
            counts: vec![vec![0; alphabet]; positions],
            steps: vec![vec![0; alphabet]; positions],
            before: Vec::new(),
            last: None,
            step: None,
            equal_steps: 0,
            correlation: Correlation::default(),
            units: 0,
        }
    }

    /// Takes the symbols of the next unit: as many as there are positions, each within the alphabet.
    pub(super) fn add(&mut self, symbols: &[u8]) {
        let mut number = 0_u128;
        for (position, &symbol) in symbols.iter().enumerate() {
            number = number
                .wrapping_mul(self.alphabet as u128)
                .wrapping_add(u128::from(symbol));
            self.counts[position][usize::from(symbol)] += 1;
            if let Some(&before) = self.before.get(position) {
                let step = (usize::from(symbol) + self.alphabet - usize::from(before)) % self.alphabet;
                self.steps[position][step] += 1;
            }
        }
        self.before = symbols.to_vec();
        let step = self.last.map(|last| number.wrapping_sub(last));
        if step.is_some() && step == self.step {
            self.equal_steps += 1;
        }
        (self.step, self.last) = (step, Some(number));
        self.units += 1;
        self.correlation.add(self.units as f64, number as f64);
    }

    /// The worst position's distribution of symbols.
    pub(super) fn uniformity(&self) -> f64 {
        worst(&self.counts)
    }

    /// The worst position's distribution of differences between neighbours.
    pub(super) fn independence(&self) -> f64 {
        worst(&self.steps)
    }

    /// Between password and running number.
    pub(super) fn correlation(&self) -> f64 {
        self.correlation.z()
    }

    /// How often a unit lies as far from the one before as that from its own.
    pub(super) const fn equal_steps(&self) -> u64 {
        self.equal_steps
    }

    /// Bits that the distribution of symbols has, summed over positions.
    pub(super) fn entropy(&self) -> f64 {
        let bits = |counts: &Vec<u64>| {
            let total = self.units as f64;
            let shares = counts
                .iter()
                .filter(|count| **count > 0)
                .map(|count| *count as f64 / total);
            shares.map(|share| -share * share.log2()).sum::<f64>()
        };
        self.counts.iter().map(bits).sum()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "uniformity_z": self.uniformity(),
            "neighbours_z": self.independence(),
            "correlation_with_serial_z": self.correlation(),
            "equal_steps": self.equal_steps,
            "measured_entropy_bits": self.entropy(),
        })
    }
}

/// How many different beginnings of 20 bits there are.
pub(super) struct Beginnings {
    seen: Vec<u64>,
    units: u64,
}

impl Beginnings {
    pub(super) fn new() -> Self {
        Self {
            seen: vec![0; BEGINNINGS / 64],
            units: 0,
        }
    }

    /// Takes the first four symbols of 5 bits.
    pub(super) fn add(&mut self, symbols: &[u8]) {
        let start = symbols
            .iter()
            .take(4)
            .fold(0, |start, symbol| start << 5 | usize::from(*symbol));
        self.seen[start / 64] |= 1 << (start % 64);
        self.units += 1;
    }

    /// How many there are, how many uniform draws give, and the z value; `None` for too few units.
    pub(super) fn figures(&self) -> Option<(u64, f64, f64)> {
        if self.units < ENOUGH_BEGINNINGS {
            return None;
        }
        let distinct: u64 = self.seen.iter().map(|word| u64::from(word.count_ones())).sum();
        let cells = BEGINNINGS as f64;
        let load = self.units as f64 / cells;
        let expected = cells * (1.0 - (-load).exp());
        let variance = cells * (-load).exp() * (1.0 - (1.0 + load) * (-load).exp());
        // When hardly a cell is free any more, one more or less is no finding.
        Some((
            distinct,
            expected,
            (distinct as f64 - expected) / variance.max(1.0).sqrt(),
        ))
    }
}

/// The z value of the largest χ² among rows of counts that should be equal.
fn worst(rows: &[Vec<u64>]) -> f64 {
    rows.iter().map(|row| chi_squared(row)).fold(f64::MIN, f64::max)
}

/// χ² as a z value, by the approximation of Wilson and Hilferty.
fn chi_squared(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let expected = total as f64 / counts.len() as f64;
    let chi: f64 = counts
        .iter()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum();
    let freedom = counts.len() as f64 - 1.0;
    let spread = 2.0 / (9.0 * freedom);
    ((chi / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// Pearson's r of pairs that come one after the other (Welford's update).
#[derive(Default)]
struct Correlation {
    n: f64,
    mean: (f64, f64),
    squares: (f64, f64),
    product: f64,
}

impl Correlation {
    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        let (dx, dy) = (x - self.mean.0, y - self.mean.1);
        self.mean = (self.mean.0 + dx / self.n, self.mean.1 + dy / self.n);
        self.squares.0 += dx * (x - self.mean.0);
        self.squares.1 += dy * (y - self.mean.1);
        self.product += dx * (y - self.mean.1);
    }

    fn z(&self) -> f64 {
        let scale = (self.squares.0 * self.squares.1).sqrt();
        if scale == 0.0 {
            // All the same.
            return f64::INFINITY;
        }
        self.product / scale * self.n.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits of a 64-bit mixer's output: uniform enough, and the same in each run.
    fn mixed(seed: u64) -> impl Iterator<Item = [u8; 12]> {
        (0..20_000_u64).map(move |unit| {
            core::array::from_fn(|position| {
                let mut x = (unit * 12 + position as u64 + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                ((x ^ (x >> 31)) & 31) as u8
            })
        })
    }

    fn over(units: impl Iterator<Item = [u8; 12]>) -> Symbols {
        let mut symbols = Symbols::new(32, 12);
        units.for_each(|unit| symbols.add(&unit));
        symbols
    }

    #[test]
    fn what_is_uniform_raises_no_alarm() {
        for seed in 0..5 {
            let symbols = over(mixed(seed << 40));
            for z in [
                symbols.uniformity(),
                symbols.independence(),
                symbols.correlation().abs(),
            ] {
                assert!(z < 5.0, "{z}");
            }
            assert!(symbols.entropy() > 59.9 && symbols.equal_steps() == 0);
        }
    }

    #[test]
    fn bias_counters_and_drift_raise_the_alarm() {
        // One symbol 10 % too frequent at one position.
        let bias = over(mixed(1).enumerate().map(|(unit, mut symbols)| {
            if unit.is_multiple_of(10) {
                symbols[3] = 7;
            }
            symbols
        }));
        assert!(bias.uniformity() > ALARM);
        // A counter in the last symbols.
        let counter = over(mixed(1).enumerate().map(|(unit, mut symbols)| {
            symbols[11] = u8::try_from(unit % 32).unwrap();
            symbols
        }));
        assert!(counter.uniformity() < ALARM && counter.independence() > ALARM);
        // Nothing but a counter, of a step that no single symbol shows.
        let steps = over((0..1000_u64).map(|unit| {
            let number = unit.wrapping_mul(0x0123_4567_89AB_CDEF) >> 4;
            core::array::from_fn(|at| (number >> (5 * (11 - at)) & 31) as u8)
        }));
        assert!(steps.equal_steps() > 100);
        // Growing with the running number.
        let drift = over(mixed(1).enumerate().map(|(unit, mut symbols)| {
            symbols[0] = (symbols[0] / 2) + u8::try_from(unit / 1250).unwrap();
            symbols
        }));
        assert!(drift.correlation() > ALARM);
    }

    #[test]
    fn beginnings_that_repeat_too_often_raise_the_alarm() {
        let mut good = Beginnings::new();
        mixed(9).for_each(|unit| good.add(&unit));
        assert!(good.figures().unwrap().2.abs() < 5.0);
        let mut few = Beginnings::new();
        mixed(9).for_each(|mut unit| {
            unit[1] &= 3;
            few.add(&unit);
        });
        assert!(few.figures().unwrap().2 < -ALARM);
    }
}
