use super::EpsilonError;

/// The greatest denominator: fine enough for any epsilon that means something, and small enough that the
/// samplers' products stay within 64 bits.
pub const MAX_DENOMINATOR: u32 = 10_000;
/// The greatest epsilon. Already at 10 an answer is true unless a chance of one in 22,000 strikes; what lies
/// beyond is no protection.
pub const MAX_EPSILON: u32 = 16;

/// How much one report may tell at most: whatever is seen, it is at most *e*^ε times likelier under one true
/// value than under another. Smaller protects better.
///
/// A rational number `n/d` in lowest terms, so that sums of it are exact.
///
/// ```
/// use iotsec_telemetry::privacy::Epsilon;
///
/// const HALF: Epsilon = iotsec_telemetry::epsilon!(1 / 2);
/// assert_eq!(Epsilon::new(2, 4), Ok(HALF));
/// assert!(Epsilon::new(17, 1).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epsilon {
    n: u32,
    d: u32,
}

impl Epsilon {
    /// `n/d`, which is above zero and at most [`MAX_EPSILON`], with `d` up to [`MAX_DENOMINATOR`] once it is in
    /// lowest terms.
    ///
    /// # Errors
    /// [`EpsilonError`], by which bound is broken.
    pub const fn new(n: u32, d: u32) -> Result<Self, EpsilonError> {
        if n == 0 || d == 0 {
            return Err(EpsilonError::Zero);
        }
        let divisor = gcd(n, d);
        let (Some(n), Some(d)) = (n.checked_div(divisor), d.checked_div(divisor)) else {
            return Err(EpsilonError::Zero);
        };
        if d > MAX_DENOMINATOR {
            return Err(EpsilonError::Denominator);
        }
        if n > MAX_EPSILON.saturating_mul(d) {
            return Err(EpsilonError::TooLarge);
        }
        Ok(Self { n, d })
    }

    /// The numerator.
    pub const fn n(self) -> u32 {
        self.n
    }

    /// The denominator.
    pub const fn d(self) -> u32 {
        self.d
    }
}

const fn gcd(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// An [`Epsilon`] that is checked while compiling.
///
/// ```
/// use iotsec_telemetry::{epsilon, privacy::Epsilon};
///
/// const EPSILON: Epsilon = epsilon!(1 / 2);
/// assert_eq!((EPSILON.n(), EPSILON.d()), (1, 2));
/// ```
///
/// ```compile_fail
/// let _ = iotsec_telemetry::epsilon!(1 / 0);
/// ```
#[macro_export]
macro_rules! epsilon {
    ($n:literal / $d:literal) => {
        const {
            match $crate::privacy::Epsilon::new($n, $d) {
                ::core::result::Result::Ok(epsilon) => epsilon,
                ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epsilon_is_bounded_and_in_lowest_terms() {
        let epsilon = Epsilon::new(30_000, 60_000).unwrap();
        assert_eq!((epsilon.n(), epsilon.d()), (1, 2));
        assert_eq!(Epsilon::new(0, 1), Err(EpsilonError::Zero));
        assert_eq!(Epsilon::new(1, 0), Err(EpsilonError::Zero));
        assert_eq!(Epsilon::new(1, 10_001), Err(EpsilonError::Denominator));
        assert_eq!(Epsilon::new(160_001, 10_000), Err(EpsilonError::TooLarge));
        assert!(Epsilon::new(160_000, 10_000).is_ok());
        assert_eq!(Epsilon::new(u32::MAX, 1), Err(EpsilonError::TooLarge));
    }
}
