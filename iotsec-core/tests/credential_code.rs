//! Generated passwords and their labels: statistics of the generator, and what the check symbol catches.

use std::collections::HashSet;

use iotsec_core::{
    credential::{Attempt, DevicePassword, Exposure, Label, LabelError},
    crypto::CryptoError,
};
use iotsec_testkit::{FailingRng, SimRng, StuckRng};
use rand_core::{TryCryptoRng, TryRng};

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BOTH: [Exposure; 2] = [Exposure::Online, Exposure::Offline];

fn label(exposure: Exposure, rng: &mut SimRng) -> Label {
    DevicePassword::generate(exposure, rng).unwrap().label()
}

fn bare(label: &Label) -> Vec<char> {
    label.as_str().chars().filter(|c| *c != '-').collect()
}

#[test]
fn a_label_is_groups_of_four_and_a_check_symbol_and_reads_back() {
    let mut rng = SimRng::new(1);
    for (exposure, groups) in [
        (Exposure::Online, vec![4, 4, 4, 1]),
        (Exposure::Offline, vec![4, 4, 4, 4, 1]),
    ] {
        for _ in 0..100 {
            let label = label(exposure, &mut rng);
            let text = label.as_str();
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), groups);
            assert!(text.chars().all(|c| c == '-' || ALPHABET.contains(c)));
            assert!(text.len() <= Label::MAX_LEN);
            for typed in [
                text.to_string(),
                text.to_lowercase(),
                text.replace('-', ""),
                text.replace('-', " "),
                format!("  {text}  "),
                text.replace('0', "O").replace('1', "I"),
                text.replace('0', "o").replace('1', "l"),
            ] {
                assert!(Attempt::from_label(&typed).is_ok(), "{typed}");
            }
        }
    }
}

#[test]
fn every_single_wrong_symbol_is_caught() {
    let mut rng = SimRng::new(2);
    let mut tried = 0;
    for exposure in BOTH {
        for _ in 0..300 {
            let code = bare(&label(exposure, &mut rng));
            for position in 0..code.len() {
                for other in ALPHABET.chars().filter(|c| *c != code[position]) {
                    let mut typed = code.clone();
                    typed[position] = other;
                    let typed: String = typed.into_iter().collect();
                    assert_eq!(
                        Attempt::from_label(&typed).err(),
                        Some(LabelError::Check),
                        "{typed}"
                    );
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 300 * 31 * (13 + 17));
}

#[test]
fn every_swap_of_two_symbols_is_caught() {
    let mut rng = SimRng::new(3);
    let (mut tried, mut equal) = (0, 0);
    for exposure in BOTH {
        for _ in 0..300 {
            let code = bare(&label(exposure, &mut rng));
            for first in 0..code.len() {
                for second in first + 1..code.len() {
                    if code[first] == code[second] {
                        equal += 1;
                        continue;
                    }
                    let mut typed = code.clone();
                    typed.swap(first, second);
                    let typed: String = typed.into_iter().collect();
                    assert_eq!(
                        Attempt::from_label(&typed).err(),
                        Some(LabelError::Check),
                        "{typed}"
                    );
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried + equal, 300 * (13 * 12 / 2 + 17 * 16 / 2));
    assert!(tried > 60_000, "{tried}");
}

#[test]
fn a_label_that_does_not_read_says_where() {
    let cases: [(&str, LabelError); 13] = [
        ("", LabelError::TooShort),
        ("- -", LabelError::TooShort),
        ("K2M4-P6R8-T0V3", LabelError::TooShort),
        ("K2M4-P6R8-T0V3-6A", LabelError::Length),
        ("K2M4-P6R8-T0V3-6ABC", LabelError::Length),
        ("K2M4-P6R8-T0V3-6ABCDE", LabelError::TooLong { position: 20 }),
        ("U2M4-P6R8-T0V3-6", LabelError::Character { position: 0 }),
        ("K2M4-P6R8-T0V3-u", LabelError::Character { position: 15 }),
        ("K2M4_P6R8-T0V3-6", LabelError::Character { position: 4 }),
        ("K2M4-P6R8-T0V3-é", LabelError::Character { position: 15 }),
        // Counted in characters, not in bytes.
        ("KÄM4-P6R8?T0V3-6", LabelError::Character { position: 1 }),
        ("K2M4\tP6R8-T0V3-6", LabelError::Character { position: 4 }),
        ("K2M4-P6R8-T0V3-7", LabelError::Check),
    ];
    for (typed, error) in cases {
        assert_eq!(Attempt::from_label(typed).err(), Some(error), "{typed:?}");
    }
    assert!(Attempt::from_label("K2M4-P6R8-T0V3-6").is_ok());
}

/// χ² with 31 degrees of freedom exceeds 84.2 by chance once in a million.
const CHI_SQUARE_LIMIT: f64 = 84.2;

fn chi_square(counts: &[u32; 32]) -> f64 {
    let total: u32 = counts.iter().sum();
    let expected = f64::from(total) / 32.0;
    counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum()
}

#[test]
fn symbols_are_evenly_spread_at_every_position_and_no_password_occurs_twice() {
    let mut rng = SimRng::new(4);
    for exposure in BOTH {
        let mut by_position = vec![[0u32; 32]; exposure.symbols()];
        let mut steps = [0u32; 32];
        let mut seen = HashSet::new();
        for _ in 0..50_000 {
            let label = label(exposure, &mut rng);
            let symbols: Vec<usize> = bare(&label)
                .into_iter()
                .take(exposure.symbols())
                .map(|c| ALPHABET.find(c).unwrap())
                .collect();
            for (position, symbol) in symbols.iter().enumerate() {
                by_position[position][*symbol] += 1;
            }
            for pair in symbols.chunks(2) {
                steps[(32 + pair[1] - pair[0]) % 32] += 1;
            }
            assert!(seen.insert(label.as_str().to_string()));
        }
        let mut all = [0; 32];
        for (position, counts) in by_position.iter().enumerate() {
            let statistic = chi_square(counts);
            assert!(
                statistic < CHI_SQUARE_LIMIT,
                "{exposure:?} position {position}: {statistic}"
            );
            for (sum, count) in all.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        assert!(
            chi_square(&all) < CHI_SQUARE_LIMIT,
            "{exposure:?}: {}",
            chi_square(&all)
        );
        assert!(
            chi_square(&steps) < CHI_SQUARE_LIMIT,
            "{exposure:?} steps: {}",
            chi_square(&steps)
        );
    }
}

#[test]
fn the_statistic_notices_the_bias_that_a_modulo_would_make() {
    // 31 symbols drawn from a byte by remainder: eight of them come once more in 256.
    let mut rng = SimRng::new(5);
    let mut counts = [0; 32];
    for _ in 0..800_000 {
        counts[(rng.below(256) % 31) as usize] += 1;
    }
    let expected = 800_000.0 / 31.0;
    let statistic: f64 = counts[..31]
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!(statistic > CHI_SQUARE_LIMIT, "{statistic}");
}

/// Counts draws of a good source.
struct Counting(SimRng, u32);

impl TryRng for Counting {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.0.try_next_u32()
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0.try_next_u64()
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        self.1 += 1;
        self.0.try_fill_bytes(dst)
    }
}

impl TryCryptoRng for Counting {}

#[test]
fn refusing_bad_draws_costs_less_than_a_hundredth_of_a_bit() {
    for exposure in BOTH {
        let mut rng = Counting(SimRng::new(6), 0);
        for _ in 0..50_000 {
            DevicePassword::generate(exposure, &mut rng).unwrap();
        }
        let redrawn = rng.1 - 50_000;
        // 2^-0.01 of the codes would be 345 of 50 000.
        assert!((20..345).contains(&redrawn), "{exposure:?}: {redrawn}");
        println!("{exposure:?}: {redrawn} of {} draws refused", rng.1);
    }
}

#[test]
fn generated_codes_show_no_pattern_and_no_word() {
    let mut rng = SimRng::new(7);
    for _ in 0..50_000 {
        let label = label(Exposure::Offline, &mut rng);
        let code: String = bare(&label).into_iter().take(16).collect();
        for word in ["ADM1N", "R00T", "1234", "12345", "PASS", "SH1T", "SEX", "FAG"] {
            assert!(!code.contains(word), "{code}");
        }
        let bytes = code.as_bytes();
        assert!(!bytes.windows(4).any(|w| w.iter().all(|b| *b == w[0])), "{code}");
    }
}

/// Repeats a block of bytes for ever.
struct Repeating(Vec<u8>, usize);

impl TryRng for Repeating {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        for byte in dst {
            *byte = self.0[self.1 % self.0.len()];
            self.1 += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeating {}

#[test]
fn a_source_that_is_stuck_repeats_counts_or_fails_gives_no_password() {
    let refused = |rng: &mut dyn FnMut(Exposure) -> Result<DevicePassword, CryptoError>| {
        for exposure in BOTH {
            assert_eq!(rng(exposure).err(), Some(CryptoError::Entropy));
        }
    };
    for byte in [0x00, 0xFF, 0xA5] {
        refused(&mut |exposure| DevicePassword::generate(exposure, &mut StuckRng(byte)));
    }
    refused(&mut |exposure| DevicePassword::generate(exposure, &mut FailingRng::after(0)));
    let mut good = SimRng::new(8);
    for period in [1, 2, 4, 8, 16] {
        let mut block = vec![0; period];
        good.try_fill_bytes(&mut block).unwrap();
        refused(&mut |exposure| DevicePassword::generate(exposure, &mut Repeating(block.clone(), 0)));
    }
    let counter: Vec<u8> = (0..=255).collect();
    refused(&mut |exposure| DevicePassword::generate(exposure, &mut Repeating(counter.clone(), 0)));
}
