//! Verhoeff's check digit, which finds every wrong digit and every swap of neighbours.

/// Multiplication in the dihedral group of order ten: rotations below 5, reflections above.
fn product(a: u8, b: u8) -> u8 {
    let (turn, other) = (a % 5, b % 5);
    match (a < 5, b < 5) {
        (true, true) => turn.wrapping_add(other) % 5,
        (true, false) => (turn.wrapping_add(other) % 5).wrapping_add(5),
        (false, true) => (turn.wrapping_add(5).wrapping_sub(other) % 5).wrapping_add(5),
        (false, false) => turn.wrapping_add(5).wrapping_sub(other) % 5,
    }
}

/// The permutation of Verhoeff, applied as often as the digit is far from the end.
const PERMUTATION: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

fn permuted(digit: u8, times: usize) -> u8 {
    // It comes back to itself after eight.
    (0..times % 8).fold(digit, |digit, _| {
        PERMUTATION.get(usize::from(digit)).copied().unwrap_or(0)
    })
}

/// The digit to put behind ASCII digits.
pub(super) fn check_digit(digits: &[u8]) -> u8 {
    let sum = digits.iter().rev().zip(1..).fold(0, |sum, (digit, place)| {
        product(sum, permuted(digit.wrapping_sub(b'0'), place))
    });
    // Reflections are their own inverses.
    let inverse = if sum < 5 { 5u8.wrapping_sub(sum) % 5 } else { sum };
    inverse.wrapping_add(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_verhoeff_holds() {
        assert_eq!(check_digit(b"236"), b'3');
        assert_eq!(check_digit(b"12345"), b'1');
        assert_eq!(check_digit(b"142857"), b'0');
    }

    #[test]
    fn every_wrong_digit_and_every_swap_of_neighbours_is_found() {
        let digits = *b"3497011233";
        let right = check_digit(&digits);
        for at in 0..digits.len() {
            for digit in b'0'..=b'9' {
                let mut wrong = digits;
                wrong[at] = digit;
                assert_eq!(check_digit(&wrong) == right, wrong == digits);
            }
            let mut swapped = digits;
            swapped.swap(at, (at + 1) % digits.len());
            if at + 1 < digits.len() {
                assert_eq!(check_digit(&swapped) == right, swapped == digits, "{at}");
            }
        }
    }
}
