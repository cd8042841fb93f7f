use rand_core::TryCryptoRng;

use crate::{crypto::CryptoError, secret::Secret};

/// Whether these digits may be a set-up code: decimal, not eight times one digit, not 12345678 or 87654321 (Matter core
/// specification 1.4 §5.1.7.1).
pub(crate) fn is_setup_code(digits: &[u8; 8]) -> bool {
    let [first, ..] = digits;
    digits.iter().all(u8::is_ascii_digit)
        && digits.iter().any(|digit| digit != first)
        && digits != b"12345678"
        && digits != b"87654321"
}

/// Eight decimal digits that start a pairing, under a PAKE and a limit of attempts.
///
/// 26.6 bits withstand nothing but counted guesses: SPAKE2+ gives an attacker one guess a connection, and
/// 20 failures close the window. The forbidden codes are those of the Matter specification, so that one
/// code serves both. Like a [`DevicePassword`](super::DevicePassword) it comes from the
/// generator alone, shows nothing in `Debug` and is wiped on drop.
///
/// ```
/// use iotsec_core::credential::SetupCode;
///
/// # let mut rng = iotsec_testkit::SimRng::new(1);
/// let code = SetupCode::generate(&mut rng)?;
/// assert_eq!(code.digits().len(), 8);
/// assert!(SetupCode::is_allowed(code.value()) && !SetupCode::is_allowed(12_345_678));
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
pub struct SetupCode {
    digits: Secret<8>,
}

impl SetupCode {
    /// How many codes there are to draw from.
    pub const COUNT: u32 = 100_000_000 - 12;

    /// Draws a code. Numbers beyond eight digits and forbidden codes are thrown away and drawn again, so
    /// that every allowed code is as likely as any other.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails, or keeps giving numbers out of range, which for a
    /// source that works happens once in 2^120 calls.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        // 2^27 is the next power of two above 10^8: three draws of four are taken.
        for _ in 0..64 {
            let mut drawn = Secret::<4>::random(rng)?;
            let number = u32::from_be_bytes(*drawn.expose_mut()) & 0x07FF_FFFF;
            if Self::is_allowed(number) {
                return Ok(Self::of(number));
            }
        }
        Err(CryptoError::Entropy)
    }

    /// Whether a number may be a set-up code: not eight times the same digit, not 12345678 or 87654321
    /// (Matter core specification 1.4 §5.1.7.1), and no more than eight digits.
    pub fn is_allowed(number: u32) -> bool {
        number < 100_000_000 && is_setup_code(Self::of(number).digits.expose())
    }

    /// The digits, zeros in front. Every use of this is a place to review.
    pub fn digits(&self) -> &str {
        core::str::from_utf8(self.digits.expose()).unwrap_or_default()
    }

    /// The code as a number. Every use of this is a place to review.
    pub fn value(&self) -> u32 {
        self.digits.expose().iter().fold(0, |number: u32, digit| {
            number
                .wrapping_mul(10)
                .wrapping_add(u32::from(digit.wrapping_sub(b'0')))
        })
    }

    fn of(number: u32) -> Self {
        let mut digits = Secret::zero();
        let mut rest = number;
        for place in digits.expose_mut().iter_mut().rev() {
            *place = b'0'.wrapping_add(u8::try_from(rest % 10).unwrap_or(0));
            rest /= 10;
        }
        Self { digits }
    }
}

impl core::fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SetupCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use super::*;

    /// Gives the numbers of a list, one a draw, and then the last for ever.
    struct Listed(&'static [u32], usize);

    impl rand_core::TryRng for Listed {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let number = self.0[self.1.min(self.0.len() - 1)];
            self.1 += 1;
            Ok(number)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            self.try_next_u32().map(u64::from)
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
            dst.copy_from_slice(&self.try_next_u32()?.to_be_bytes());
            Ok(())
        }
    }

    impl TryCryptoRng for Listed {}

    #[test]
    fn what_is_out_of_range_or_forbidden_is_drawn_again_and_not_folded() {
        let mut rng = Listed(&[100_000_000, 0x07FF_FFFF, 44_444_444, 12_345_678, 0, 7], 0);
        let code = SetupCode::generate(&mut rng).unwrap();
        assert_eq!((code.digits(), code.value(), rng.1), ("00000007", 7, 6));
        // Bits above the 27th count for nothing.
        let mut rng = Listed(&[0xF800_0000 | 20_202_021], 0);
        assert_eq!(SetupCode::generate(&mut rng).unwrap().digits(), "20202021");
    }

    #[test]
    fn a_source_that_is_stuck_out_of_range_is_refused() {
        let mut rng = Listed(&[0x07FF_FFFF], 0);
        assert_eq!(SetupCode::generate(&mut rng).err(), Some(CryptoError::Entropy));
    }

    #[test]
    fn twelve_codes_of_eight_digits_are_forbidden() {
        let forbidden = (0..100_000_000).filter(|&number| !SetupCode::is_allowed(number));
        assert_eq!(forbidden.count(), 12);
        assert!(!SetupCode::is_allowed(100_000_000));
    }
}
