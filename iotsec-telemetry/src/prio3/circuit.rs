use core::hint::black_box;

use zeroize::Zeroize;

use super::{Kind, Prio3};

/// A VDAF and an encoded measurement, as the proof sees them: a list of zeros and ones that is dealt out to
/// calls of a gadget.
pub(crate) struct Circuit {
    pub(crate) vdaf: Prio3,
    /// The bits of a count or sum, the bucket of a histogram.
    encoded: u64,
}

impl Circuit {
    /// Encodes a value that is within bounds (VDAF §7.4): the last bit of a sum weighs as much as is missing
    /// from the others to make up the maximum.
    pub(crate) fn new(vdaf: Prio3, value: u64) -> Self {
        let encoded = if let Kind::Sum { max, bits } = vdaf.0 {
            let threshold = ones(bits.saturating_sub(1));
            let last_weight = max.saturating_sub(threshold);
            // 1 exactly when the value is above the threshold.
            let last = black_box(threshold.wrapping_sub(value) >> 63);
            let rest = value.wrapping_sub(last_weight & last.wrapping_neg());
            rest | (last.wrapping_neg() & threshold.wrapping_add(1))
        } else {
            value
        };
        Self { vdaf, encoded }
    }

    /// What a device with other software could encode.
    #[cfg(test)]
    pub(crate) const fn forged(vdaf: Prio3, encoded: u64) -> Self {
        Self { vdaf, encoded }
    }

    /// Calls of the gadget.
    pub(crate) const fn calls(&self) -> usize {
        self.vdaf.calls()
    }

    /// Products in one call.
    pub(crate) const fn chunk(&self) -> usize {
        self.vdaf.chunk()
    }

    /// Points of a wire polynomial.
    pub(crate) const fn points(&self) -> usize {
        self.vdaf.points()
    }

    /// Random points for one pair of wires.
    pub(crate) const fn seeds(&self) -> usize {
        self.vdaf.seeds()
    }

    /// The element that pair `pair` of call `call` is about; zero past the end of the measurement.
    pub(crate) fn bit(&self, call: usize, pair: usize) -> u32 {
        let index = call.saturating_mul(self.chunk()).saturating_add(pair);
        self.element(index)
    }

    /// Element `index` of the encoded measurement: 0 or 1, in the same time for every measurement.
    pub(crate) fn element(&self, index: usize) -> u32 {
        let Ok(index) = u32::try_from(index) else { return 0 };
        let bit = if self.vdaf.is_histogram() {
            let different = u64::from(index) ^ self.encoded;
            // The highest bit of x | -x says whether x is not zero.
            ((different | different.wrapping_neg()) >> 63) ^ 1
        } else {
            self.encoded.checked_shr(index).unwrap_or_default() & 1
        };
        let [bit, ..] = bit.to_le_bytes();
        u32::from(bit)
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        self.encoded.zeroize();
    }
}

/// A number of `count` ones.
fn ones(count: usize) -> u64 {
    u32::try_from(count)
        .ok()
        .and_then(|count| u64::MAX.checked_shl(count))
        .map_or(u64::MAX, |zeros| !zeros)
}
