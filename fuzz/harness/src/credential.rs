//! What people type and what a device stores about passwords.

use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Iterations, LabelError, Pepper, Permit, StorageError, Throttle,
        ThrottleError, ThrottlePolicy, ThrottleStorage, UserPassword, Verifier,
    },
    crypto::HkdfSha256,
    hal::Millis,
};
use iotsec_testkit::{SimRng, SimRootKey};

use crate::Seed;

/// A typed label is accepted exactly when its symbols and its check symbol say so; typing it in another
/// case, or without hyphens, changes nothing; any one other symbol is noticed.
pub fn label(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else {
        return false;
    };
    let found = Attempt::from_label(text);
    let symbols = symbols_of(text);
    let expected = symbols
        .as_ref()
        .is_some_and(|symbols| matches!(symbols.len(), 13 | 17) && checks(symbols));
    assert_eq!(found.is_ok(), expected, "{:?}", found.err());
    if let Err(LabelError::Character { position } | LabelError::TooLong { position }) = found {
        assert!(usize::from(position) <= text.chars().count());
    }
    let Some(symbols) = symbols.filter(|_| expected) else {
        return false;
    };
    assert!(Attempt::from_label(&text.to_ascii_lowercase()).is_ok());
    assert!(Attempt::from_label(&text.replace(['-', ' '], "")).is_ok());
    for at in 0..symbols.len() {
        let mut wrong = symbols.clone();
        wrong[at] = (wrong[at] + 1) % 32;
        assert_eq!(Attempt::from_label(&typed(&wrong)).err(), Some(LabelError::Check));
    }
    true
}

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn symbols_of(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .filter(|character| !matches!(character, '-' | ' '))
        .map(|character| match character.to_ascii_uppercase() {
            'O' => Some(0),
            'I' | 'L' => Some(1),
            other => (0..32_u8).find(|symbol| char::from(ALPHABET[usize::from(*symbol)]) == other),
        })
        .collect()
}

fn typed(symbols: &[u8]) -> String {
    symbols
        .iter()
        .map(|symbol| char::from(ALPHABET[usize::from(*symbol)]))
        .collect()
}

/// The last symbol is the sum of α^(i+1)·dᵢ over the others, with α^5 = α^2 + 1.
fn checks(symbols: &[u8]) -> bool {
    let Some((check, data)) = symbols.split_last() else {
        return false;
    };
    let mut sum = 0;
    let mut power = 1;
    for symbol in data {
        power = product(power, 2);
        sum ^= product(power, *symbol);
    }
    sum == *check
}

/// Product of two polynomials over GF(2) modulo x^5 + x^2 + 1.
fn product(a: u8, b: u8) -> u8 {
    let mut product = 0_u16;
    for bit in 0..5 {
        if b >> bit & 1 == 1 {
            product ^= u16::from(a) << bit;
        }
    }
    for bit in (5..10).rev() {
        if product >> bit & 1 == 1 {
            product ^= 0b10_0101 << (bit - 5);
        }
    }
    product.to_le_bytes()[0]
}

/// A stored verifier has one encoding.
pub fn verifier(input: &[u8]) -> bool {
    let Ok(verifier) = Verifier::from_bytes(input) else {
        return false;
    };
    assert_eq!(verifier.to_bytes(), input);
    true
}

/// A record in storage, as somebody left it.
struct Stored(Option<Vec<u8>>);

impl ThrottleStorage for Stored {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        let Some(bytes) = &self.0 else {
            return Ok(None);
        };
        let len = bytes.len().min(record.len());
        record[..len].copy_from_slice(&bytes[..len]);
        Ok(Some(bytes.len()))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.0 = Some(record.to_vec());
        Ok(())
    }
}

/// Whatever the record says, there are no more guesses than the policy allows, no delay is longer than
/// its longest, and a record that is not whole permits no guess.
pub fn throttle(input: &[u8]) -> bool {
    let policy = ThrottlePolicy::DEFAULT;
    let longest = Millis::from_secs(900);
    let mut storage = Stored(Some(input.to_vec()));
    let mut throttle = Throttle::new(policy);
    let Ok(status) = throttle.status(&mut storage, Millis(0)) else {
        for now in [Millis(0), Millis(u64::MAX)] {
            let result: Result<Permit, ThrottleError> = throttle.begin(&mut storage, now);
            assert_eq!(result.err(), Some(ThrottleError::Damaged));
        }
        assert_eq!(
            storage.0.as_deref(),
            Some(input),
            "a damaged record stays for the service"
        );
        assert!(Throttle::initialise(&mut storage).is_err());
        return false;
    };
    assert_eq!(input.len(), Throttle::LEN);
    assert!(status.remaining <= longest && status.left <= 100);
    let mut now = Millis(0);
    let mut guesses = 0;
    loop {
        match throttle.begin(&mut storage, now) {
            Ok(_) => guesses += 1,
            Err(ThrottleError::Wait { remaining }) => {
                assert!(remaining > Millis(0) && remaining <= longest);
                now = Millis(now.0.saturating_add(remaining.0));
            }
            Err(error) => {
                assert_eq!(error, ThrottleError::Locked);
                break;
            }
        }
    }
    assert_eq!(guesses, u32::from(status.left));
    true
}

/// Labels as printed and as typed.
#[must_use]
pub fn label_seeds() -> Vec<Seed> {
    let print = |exposure, seed| {
        DevicePassword::generate(exposure, &mut SimRng::new(seed))
            .expect("the simulated source works")
            .label()
            .as_str()
            .to_owned()
    };
    let short = print(Exposure::Online, 1);
    let swapped: String = [&short[1..2], &short[..1], &short[2..]].concat();
    vec![
        Seed::new("valid-long", print(Exposure::Offline, 2)),
        Seed::new(
            "valid-typed",
            short
                .to_lowercase()
                .replace('-', " ")
                .replace('0', "o")
                .replace('1', "l"),
        ),
        Seed::new("near-swapped", swapped),
        Seed::new("near-no-check-symbol", &short[..short.len() - 2]),
        Seed::new("near-u", short.replacen(|c: char| c != '-', "U", 1)),
        Seed::new("near-not-ascii", "Ｋ2M4-P6R8-T0V3-6"),
        Seed::new("valid-short", short),
    ]
}

/// Stored verifiers.
#[must_use]
pub fn verifier_seeds() -> Vec<Seed> {
    let mut rng = SimRng::new(1);
    let root = SimRootKey::new(1);
    let pepper = Pepper::derive(&root, &HkdfSha256).expect("the simulated root key works");
    let password = DevicePassword::generate(Exposure::Online, &mut rng).expect("the source works");
    let device = Verifier::for_device(&password, &pepper, &mut rng).expect("the source works");
    let chosen =
        UserPassword::new("green kettle, blue door", Exposure::Online, &[]).expect("a good password");
    let user = Verifier::for_user(&chosen, Iterations::MCU, &pepper, &mut rng).expect("the source works");
    let mut damaged = device.to_bytes();
    damaged[30] ^= 1;
    vec![
        Seed::new("valid-device", device.to_bytes()),
        Seed::new("valid-user", user.to_bytes()),
        Seed::new("near-damaged", damaged),
        Seed::new("near-erased", [0xFF; Verifier::LEN]),
    ]
}

/// Records after some failures.
#[must_use]
pub fn throttle_seeds() -> Vec<Seed> {
    let after = |failures| {
        let mut storage = Stored(None);
        Throttle::initialise(&mut storage).expect("the storage works");
        let mut throttle = Throttle::new(ThrottlePolicy::DEFAULT);
        let mut now = Millis(5);
        for _ in 0..failures {
            let _permit = throttle.begin(&mut storage, now).expect("after the delay");
            now = Millis(now.0 + 900_000);
        }
        storage.0.unwrap_or_default()
    };
    let mut damaged = after(3);
    damaged[1] = 0;
    vec![
        Seed::new("valid-fresh", after(0)),
        Seed::new("valid-seven-failures", after(7)),
        Seed::new("valid-locked", after(100)),
        Seed::new("near-count-reset", damaged),
        Seed::new("near-erased", [0xFF; Throttle::LEN]),
        Seed::new("near-empty", []),
    ]
}
