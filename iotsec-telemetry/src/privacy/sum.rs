//! Exact sums of epsilons.

use super::Epsilon;

/// A sum in lowest terms.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    n: u64,
    d: u64,
}

impl Sum {
    pub(super) const ZERO: Self = Self { n: 0, d: 1 };

    /// `None` when 64 bits do not hold it: that takes five epsilons or more whose denominators have nothing in
    /// common, and counts as too much.
    pub(super) fn plus(self, epsilon: Epsilon) -> Option<Self> {
        let (n, d) = (u64::from(epsilon.n()), u64::from(epsilon.d()));
        let own = d.checked_div(gcd(self.d, d))?;
        let common = self.d.checked_mul(own)?;
        let theirs = common.checked_div(d)?;
        let sum = self.n.checked_mul(own)?.checked_add(n.checked_mul(theirs)?)?;
        let divisor = gcd(sum, common);
        Some(Self {
            n: sum.checked_div(divisor)?,
            d: common.checked_div(divisor)?,
        })
    }

    pub(super) fn is_within(self, limit: Epsilon) -> bool {
        let ours = u128::from(self.n).saturating_mul(limit.d().into());
        let theirs = u128::from(limit.n()).saturating_mul(self.d.into());
        ours <= theirs
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(parts: &[(u32, u32)]) -> Option<Sum> {
        parts
            .iter()
            .try_fold(Sum::ZERO, |sum, (n, d)| sum.plus(Epsilon::new(*n, *d).unwrap()))
    }

    #[test]
    fn ten_tenths_are_one_and_not_a_bit_more() {
        let one = Epsilon::new(1, 1).unwrap();
        let ten = sum(&[(1, 10); 10]).unwrap();
        assert!(ten.is_within(one) && !ten.plus(Epsilon::new(1, 10_000).unwrap()).unwrap().is_within(one));
        let thirds = sum(&[(1, 3), (1, 6), (1, 2)]).unwrap();
        assert_eq!((thirds.n, thirds.d), (1, 1));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_none() {
        assert!(sum(&[(1, 9_973), (1, 9_967), (1, 9_949), (1, 9_941)]).is_some());
        assert!(sum(&[(1, 9_973), (1, 9_967), (1, 9_949), (1, 9_941), (1, 9_931)]).is_none());
    }
}
