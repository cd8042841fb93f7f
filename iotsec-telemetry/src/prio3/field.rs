//! The fields of VDAF §6.1.3: Field64 for counts and sums, Field128 for histograms.
//!
//! Numbers that come from a measurement or from randomness are [`Field`] elements in plain form; what they are
//! multiplied by is a [`Factor`], in Montgomery form. A product of the two is plain again, so that nothing is
//! ever converted to be written out. No step branches or reads memory depending on a value: carries become
//! masks, and `black_box` keeps the compiler from making branches of them.

use core::hint::black_box;

use zeroize::Zeroize;

/// An element of a prime field, in plain form and below the prime.
pub(crate) trait Field: Copy + Zeroize + Sized + 'static {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Bytes of its encoding.
    const LEN: usize;
    /// One half.
    const HALF: Factor<Self>;
    /// What makes a factor of an element.
    const TO_FACTOR: Factor<Self>;
    /// The principal roots of unity of order 2, 4, 8, …
    const ROOTS: &'static [Factor<Self>];
    /// Their inverses.
    const INVERSE_ROOTS: &'static [Factor<Self>];

    /// Adds another element.
    fn add(&mut self, other: &Self);
    /// Subtracts another element.
    fn subtract(&mut self, other: &Self);
    /// Multiplies by a factor.
    fn multiply(&mut self, factor: &Factor<Self>);
    /// Reads the little-endian encoding; `None` from the prime up, and for fewer bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
    /// Writes the little-endian encoding into the first [`LEN`](Self::LEN) bytes.
    fn write(&self, bytes: &mut [u8]);

    /// This element as a factor, times what `scale` has beyond [`TO_FACTOR`](Self::TO_FACTOR).
    fn factor_by(mut self, scale: &Factor<Self>) -> Factor<Self> {
        self.multiply(scale);
        Factor(self)
    }
    /// One where `bit` is 1, zero where it is 0.
    fn bit(bit: u32) -> Self;
}

/// What elements are multiplied by: a number in Montgomery form.
#[derive(Clone, Copy)]
pub(crate) struct Factor<F>(F);

impl<F: Field> Factor<F> {
    /// Multiplies by another factor.
    pub(crate) fn multiply(&mut self, other: &Self) {
        self.0.multiply(other);
    }
}

impl<F: Field> Zeroize for Factor<F> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// A number below 2^(32 L), least word first.
#[derive(Clone, Copy)]
pub(crate) struct Words<const L: usize>([u32; L]);

impl<const L: usize> Zeroize for Words<L> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Modulo 2^64 - 2^32 + 1.
pub(crate) type Field64 = Words<2>;
/// Modulo 2^66 * 4611686018427387897 + 1.
pub(crate) type Field128 = Words<4>;

macro_rules! field {
    ($field:ty, $limbs:literal, prime: $prime:expr, half: $half:expr, to_factor: $to_factor:expr,
     roots: $roots:expr, inverse_roots: $inverse_roots:expr $(,)?) => {
        impl Field for $field {
            const ZERO: Self = Words([0; $limbs]);
            const ONE: Self = {
                let mut one = [0; $limbs];
                let [first, ..] = &mut one;
                *first = 1;
                Words(one)
            };
            const LEN: usize = 4 * $limbs;
            const HALF: Factor<Self> = Factor(Words($half));
            const TO_FACTOR: Factor<Self> = Factor(Words($to_factor));
            const ROOTS: &'static [Factor<Self>] = &factors($roots);
            const INVERSE_ROOTS: &'static [Factor<Self>] = &factors($inverse_roots);

            fn add(&mut self, other: &Self) {
                add(&mut self.0, &other.0, &$prime);
            }
            fn subtract(&mut self, other: &Self) {
                subtract(&mut self.0, &other.0, &$prime);
            }
            fn multiply(&mut self, factor: &Factor<Self>) {
                multiply(&mut self.0, &factor.0.0, &$prime);
            }
            fn read(bytes: &[u8]) -> Option<Self> {
                read(bytes, &$prime)
            }
            fn write(&self, bytes: &mut [u8]) {
                for (to, word) in bytes.chunks_mut(4).zip(self.0) {
                    for (to, from) in to.iter_mut().zip(word.to_le_bytes()) {
                        *to = from;
                    }
                }
            }
            fn bit(bit: u32) -> Self {
                Words(Self::ONE.0.map(|word| word & bit))
            }
        }
    };
}

const fn factors<const L: usize, const N: usize>(words: [[u32; L]; N]) -> [Factor<Words<L>>; N] {
    let mut factors = [Factor(Words([0; L])); N];
    let (mut to, mut from) = (factors.as_mut_slice(), words.as_slice());
    while let ([factor, more @ ..], [words, rest @ ..]) = (to, from) {
        *factor = Factor(Words(*words));
        (to, from) = (more, rest);
    }
    factors
}

// Wire polynomials have up to 64 points here and gadget polynomials twice as many.
field!(
    Field64, 2,
    prime: [0x0000_0001, 0xFFFF_FFFF],
    half: [0x0000_0000, 0x8000_0000],
    to_factor: [0x0000_0001, 0xFFFF_FFFE],
    roots: [
        [0x0000_0002, 0xFFFF_FFFE],
        [0xFFFF_0001, 0xFFFF_FFFE],
        [0x0100_0001, 0xFEFF_FFFF],
        [0x1000_0000, 0x0000_0000],
        [0x0000_0001, 0xFFFF_BFFF],
        [0xFFFF_FF81, 0xFFFF_FFFE],
        [0xFFFF_F800, 0x07FF_FFFF],
    ],
    inverse_roots: [
        [0x0000_0002, 0xFFFF_FFFE],
        [0x0001_0000, 0x0000_0000],
        [0x0000_0001, 0xFFFF_FEFF],
        [0xFFFF_FFF1, 0xFFFF_FFFE],
        [0x0004_0001, 0xFFFB_FFFF],
        [0x0200_0000, 0x0000_0000],
        [0x000F_FFF0, 0x0000_0010],
    ],
);
field!(
    Field128, 4,
    prime: [0x0000_0001, 0x0000_0000, 0xFFFF_FFE4, 0xFFFF_FFFF],
    half: [0x0000_0000, 0x0000_0000, 0x0000_0000, 0x8000_0000],
    to_factor: [0xFFFF_FCF1, 0xFFFF_FFFF, 0x0000_5587, 0x0000_0000],
    roots: [
        [0x0000_0002, 0x0000_0000, 0xFFFF_FFC8, 0xFFFF_FFFF],
        [0x45B7_D9D6, 0x8FF9_4EA7, 0x7479_92C7, 0x6171_E408],
        [0x5FBA_9556, 0x1323_BB09, 0x55E5_A49C, 0x7F2A_4E66],
        [0x6AAF_ABFC, 0xD1C4_5595, 0xC5E8_9442, 0x3D66_1493],
        [0xCDFC_C65C, 0x416D_53FB, 0xFFD5_ECA0, 0x5C15_9E1C],
        [0x766F_5F3E, 0x1428_D15E, 0x96EC_3AA3, 0x960D_5C86],
    ],
    inverse_roots: [
        [0x0000_0002, 0x0000_0000, 0xFFFF_FFC8, 0xFFFF_FFFF],
        [0xBA48_262B, 0x7006_B158, 0x8B86_6D1C, 0x9E8E_1BF7],
        [0xF086_B367, 0xD857_F67A, 0x0634_04AE, 0x6710_2F74],
        [0x6F0F_B409, 0x4E1D_404D, 0x1112_2783, 0x077D_AA19],
        [0xAAAF_D432, 0xF859_FDC9, 0xBE94_9A67, 0xA3F1_A45A],
        [0xC4B4_6A3E, 0xA212_E02E, 0xEF36_F6F7, 0x10DD_D78C],
    ],
);

/// Low and high word.
fn halves(sum: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = sum.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// `t + a b + carry`, which 64 bits always hold.
fn multiply_add(t: u32, a: u32, b: u32, carry: u32) -> (u32, u32) {
    let product = u64::from(a).wrapping_mul(u64::from(b));
    halves(product.wrapping_add(t.into()).wrapping_add(carry.into()))
}

/// Subtracts the words of `b` that `mask` leaves, and says 1 if that is negative.
fn borrow<const L: usize>(a: &mut [u32; L], b: &[u32; L], mask: u32) -> u32 {
    let mut borrow = 0;
    for (a, b) in a.iter_mut().zip(b) {
        let difference = u64::from(*a)
            .wrapping_sub(u64::from(b & mask))
            .wrapping_sub(u64::from(borrow));
        let (low, high) = halves(difference);
        *a = low;
        borrow = high & 1;
    }
    borrow
}

/// Adds the words of `b` that `mask` leaves, and says what is carried out.
fn carry<const L: usize>(a: &mut [u32; L], b: &[u32; L], mask: u32) -> u32 {
    let mut carry = 0;
    for (a, b) in a.iter_mut().zip(b) {
        (*a, carry) = multiply_add(*a, b & mask, 1, carry);
    }
    carry
}

/// `a + top 2^(32 L)` modulo the prime, for a sum below twice the prime.
#[inline(never)]
fn reduce<const L: usize>(a: &mut [u32; L], top: u32, prime: &[u32; L]) {
    let below = borrow(a, prime, u32::MAX);
    // Taken back only if it was less than the prime: a borrow, and nothing to borrow from.
    let take_back = black_box(0_u32.wrapping_sub(below & (top ^ 1)));
    carry(a, prime, take_back);
}

#[inline(never)]
fn add<const L: usize>(a: &mut [u32; L], b: &[u32; L], prime: &[u32; L]) {
    let top = carry(a, b, u32::MAX);
    reduce(a, top, prime);
}

#[inline(never)]
fn subtract<const L: usize>(a: &mut [u32; L], b: &[u32; L], prime: &[u32; L]) {
    let negative = black_box(0_u32.wrapping_sub(borrow(a, b, u32::MAX)));
    carry(a, prime, negative);
}

/// Montgomery multiplication: `a b / 2^(32 L)`. The lowest word of both primes is 1, so that what makes a word
/// vanish is its negative.
#[inline(never)]
fn multiply<const L: usize>(a: &mut [u32; L], b: &[u32; L], prime: &[u32; L]) {
    let mut sum = [0; L];
    let mut top = 0;
    for b in b {
        let (mut carry, mut reduction_carry, mut quotient) = (0, 0, 0);
        let mut below: Option<&mut u32> = None;
        for ((word, a), prime) in sum.iter_mut().zip(&*a).zip(prime) {
            let (low, high) = multiply_add(*word, *a, *b, carry);
            carry = high;
            if below.is_none() {
                quotient = low.wrapping_neg();
            }
            let (low, high) = multiply_add(low, quotient, *prime, reduction_carry);
            reduction_carry = high;
            // Each word moves down by one; the lowest is zero now.
            if let Some(below) = below {
                *below = low;
            }
            below = Some(word);
        }
        let (low, high) = halves(
            u64::from(top)
                .wrapping_add(carry.into())
                .wrapping_add(reduction_carry.into()),
        );
        if let Some(below) = below {
            *below = low;
        }
        top = high;
    }
    reduce(&mut sum, top, prime);
    *a = sum;
}

fn read<const L: usize>(bytes: &[u8], prime: &[u32; L]) -> Option<Words<L>> {
    let (chunks, _) = bytes.as_chunks::<4>();
    let mut words = [0; L];
    if chunks.len() < L {
        return None;
    }
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*chunk);
    }
    let mut less = words;
    (borrow(&mut less, prime, u32::MAX) == 1).then_some(Words(words))
}

#[cfg(test)]
mod tests;
