//! The 32 symbols of a code and the check symbol over them.

use rand_core::TryCryptoRng;

use crate::{crypto::CryptoError, secret::Secret};

/// Most symbols in a code, the check symbol not counted.
pub(super) const MAX_SYMBOLS: usize = 16;

/// The symbols of one code, as values below 32. Wiped on drop.
pub(super) struct Symbols {
    values: Secret<MAX_SYMBOLS>,
    count: usize,
}

impl Symbols {
    /// Draws `count` symbols, each from a byte of its own: 32 divides 256, so masking has no bias.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails, or repeats a byte, a 32-bit or a 64-bit word,
    /// or a block of 16 bytes, as a source that is stuck does. By chance that happens once in 2^61 draws.
    pub(super) fn draw<R: TryCryptoRng + ?Sized>(count: usize, rng: &mut R) -> Result<Self, CryptoError> {
        let drawn = Secret::<{ 2 * MAX_SYMBOLS }>::random(rng)?;
        let mut words = drawn.expose().chunks_exact(8);
        while let Some(word) = words.next() {
            if words.clone().any(|other| other == word) {
                return Err(CryptoError::Entropy);
            }
        }
        let mut symbols = Self::empty();
        for byte in drawn.expose().iter().take(count) {
            symbols.push(byte & 31);
        }
        Ok(symbols)
    }

    pub(super) const fn empty() -> Self {
        Self {
            values: Secret::zero(),
            count: 0,
        }
    }

    /// Appends a symbol; false when the code is full.
    pub(super) fn push(&mut self, symbol: u8) -> bool {
        match self.values.expose_mut().get_mut(self.count) {
            Some(place) => {
                *place = symbol;
                self.count = self.count.saturating_add(1);
                true
            }
            None => false,
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.values.expose().get(..self.count).unwrap_or_default()
    }
}

/// The character of a symbol.
pub(crate) fn encode(symbol: u8) -> u8 {
    ALPHABET.get(usize::from(symbol)).copied().unwrap_or(b'?')
}

/// The symbol of a character: case is ignored, `O` reads as `0`, `I` and `L` read as `1`.
/// `U` is not in the alphabet.
pub(crate) fn decode(character: char) -> Option<u8> {
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let index = ALPHABET
        .iter()
        .position(|&known| char::from(known) == character)?;
    u8::try_from(index).ok()
}

/// The check symbol `c = Σ α^(i+1)·dᵢ` in GF(2^5), by Horner's rule from the last symbol.
///
/// The weights α, α², … of up to 30 symbols and the weight 1 of the check symbol differ, so that any
/// one wrong symbol and any two swapped symbols, neighbours or not, change the sum.
pub(super) fn check_symbol(symbols: &[u8]) -> u8 {
    symbols
        .iter()
        .rev()
        .fold(0, |sum, symbol| times_alpha(sum ^ symbol))
}

/// Multiplies by α, the root of x^5 + x^2 + 1.
fn times_alpha(symbol: u8) -> u8 {
    let carry = if symbol & 16 == 0 { 0 } else { 0b10_0101 };
    ((symbol << 1) ^ carry) & 31
}

/// Crockford's base 32: no `I`, `L`, `O` or `U`.
const ALPHABET: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_reads_back_in_both_cases() {
        for symbol in 0..32 {
            let character = char::from(encode(symbol));
            assert_eq!(decode(character), Some(symbol));
            assert_eq!(decode(character.to_ascii_lowercase()), Some(symbol));
        }
    }

    #[test]
    fn look_alikes_read_as_digits_and_strangers_do_not_read() {
        for (character, symbol) in [('O', 0), ('o', 0), ('I', 1), ('i', 1), ('L', 1), ('l', 1)] {
            assert_eq!(decode(character), Some(symbol));
        }
        for character in ['U', 'u', '-', ' ', '_', '\0', 'é', 'Ａ', '\u{130}', '\u{212A}'] {
            assert_eq!(decode(character), None, "{character:?}");
        }
    }

    #[test]
    fn alpha_generates_the_whole_field() {
        let mut seen = [false; 32];
        let mut power = 1;
        for _ in 0..31 {
            assert!(!core::mem::replace(&mut seen[usize::from(power)], true));
            power = times_alpha(power);
        }
        assert_eq!(power, 1);
    }

    #[test]
    fn the_check_symbol_is_the_weighted_sum() {
        // By hand: α·1 = 2; α²·1 = 4; α^5 = α² + 1 = 5.
        assert_eq!(check_symbol(&[1]), 2);
        assert_eq!(check_symbol(&[0, 1]), 4);
        assert_eq!(check_symbol(&[0, 0, 0, 0, 1]), 5);
        assert_eq!(check_symbol(&[1, 1, 0, 0, 1]), 2 ^ 4 ^ 5);
    }
}
