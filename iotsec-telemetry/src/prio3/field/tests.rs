use std::vec::Vec;

use iotsec_testkit::SimRng;
use rand_core::Rng;

use super::*;

const P64: u128 = 0xFFFF_FFFF_0000_0001;
const P128: u128 = 340_282_366_920_938_462_946_865_773_367_900_766_209;

/// Schoolbook: doubling and adding, with no carry out of 128 bits.
fn product(a: u128, b: u128, prime: u128) -> u128 {
    let add = |a: u128, b: u128| if a >= prime - b { a - (prime - b) } else { a + b };
    (0..128).rev().fold(0, |sum, bit| {
        let sum = if sum == 0 { 0 } else { add(sum, sum) };
        if b >> bit & 1 == 1 && a != 0 {
            add(sum, a)
        } else {
            sum
        }
    })
}

fn number<F: Field>(element: F) -> u128 {
    let mut bytes = [0; 16];
    element.write(&mut bytes[..F::LEN]);
    u128::from_le_bytes(bytes)
}

fn element<F: Field>(number: u128) -> F {
    F::read(&number.to_le_bytes()[..F::LEN]).unwrap()
}

fn agrees_with_schoolbook<F: Field>(prime: u128) {
    let mut rng = SimRng::new(64);
    let mut numbers: Vec<u128> = Vec::from([0, 1, 2, 3, prime - 1, prime - 2, prime / 2, prime / 2 + 1]);
    numbers.extend((1..F::LEN * 8).map(|bit| ((1 << bit) - 1) % prime));
    numbers.extend((0..120).map(|_| {
        let wide = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        wide % prime
    }));
    for &a in &numbers {
        for &b in &numbers {
            let (x, y) = (element::<F>(a), element::<F>(b));
            let sum = if a >= prime - b { a - (prime - b) } else { a + b };
            let difference = if a >= b { a - b } else { prime - (b - a) };
            let with = |change: fn(&mut F, &F)| {
                let mut result = x;
                change(&mut result, &y);
                number(result)
            };
            assert_eq!(with(F::add), sum % prime, "{a} + {b}");
            assert_eq!(with(F::subtract), difference, "{a} - {b}");
            let multiply = |x: &mut F, y: &F| x.multiply(&y.factor_by(&F::TO_FACTOR));
            assert_eq!(with(multiply), product(a, b, prime), "{a} * {b}");
        }
    }
    let plain = |factor: &Factor<F>| {
        let mut one = F::ONE;
        one.multiply(factor);
        number(one)
    };
    let half = plain(&F::HALF);
    assert_eq!(product(half, 2, prime), 1);
    // Each root is the square root of the one before, and the first is -1.
    let mut above = 1;
    for (root, inverse) in F::ROOTS.iter().zip(F::INVERSE_ROOTS) {
        let (root, inverse) = (plain(root), plain(inverse));
        assert_eq!(product(root, root, prime), above);
        assert_eq!(product(root, inverse, prime), 1);
        above = root;
    }
    assert_eq!(plain(&F::ROOTS[0]), prime - 1);
    // What is not below the prime is no element.
    assert!(F::read(&prime.to_le_bytes()[..F::LEN]).is_none());
    assert!(F::read(&[0xFF; 16][..F::LEN]).is_none());
    assert!(F::read(&[0; 16][..F::LEN - 1]).is_none());
}

#[test]
fn both_fields_count_as_schoolbook_arithmetic_does() {
    agrees_with_schoolbook::<Field64>(P64);
    agrees_with_schoolbook::<Field128>(P128);
}
