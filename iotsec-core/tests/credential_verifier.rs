//! Stored verifiers: known answers, strict decoding, and what passwords people may choose.

#[path = "support/vector_file.rs"]
mod vector_file;

use std::convert::Infallible;

use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Iterations, Login, LoginError, MemoryCost, PasswordError, Pepper,
        Scheme, StorageError, Throttle, ThrottlePolicy, ThrottleStorage, UserPassword, Verifier,
        VerifierError,
    },
    crypto::{Argon2Block, Argon2id, CryptoError, HkdfSha256},
    hal::{Millis, RootKeyError},
    secret::Secret,
};
use iotsec_testkit::{SimRng, SimRootKey};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use vector_file::hex;

/// Gives prepared bytes, and no more.
struct Prepared(Vec<u8>);

impl TryRng for Prepared {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!()
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!()
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0.drain(..dst.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Prepared {}

fn vectors() -> Value {
    vector_file::read("credential/credential.json")
}

fn pepper(case: &Value) -> Pepper<'static> {
    Pepper::new(Secret::from_slice(&hex(&case["pepper"])).unwrap(), &HkdfSha256).unwrap()
}

#[derive(Default)]
struct Memory(Option<[u8; Throttle::LEN]>);

impl ThrottleStorage for Memory {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.0.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

fn gets_in(verifier: &Verifier, attempt: &Attempt<'_>, pepper: &Pepper<'_>) -> bool {
    let mut storage = Memory::default();
    Throttle::initialise(&mut storage).unwrap();
    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), pepper);
    match login.attempt(&mut storage, verifier, attempt, Millis(0)) {
        Ok(_) => true,
        Err(LoginError::Refused) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn generated_passwords_labels_and_verifiers_agree_with_another_implementation() {
    let cases = vectors();
    let cases = cases["generated"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let exposure = match case["symbols"].as_u64() {
            Some(12) => Exposure::Online,
            Some(16) => Exposure::Offline,
            other => panic!("{other:?}"),
        };
        let password = DevicePassword::generate(exposure, &mut Prepared(hex(&case["entropy"]))).unwrap();
        assert_eq!(password.label().as_str(), case["label"].as_str().unwrap());
        let pepper = pepper(case);
        let verifier = Verifier::for_device(&password, &pepper, &mut Prepared(hex(&case["salt"]))).unwrap();
        assert_eq!(verifier.to_bytes().to_vec(), hex(&case["verifier"]));
        let stored = Verifier::from_bytes(&hex(&case["verifier"])).unwrap();
        assert_eq!(stored.scheme(), Scheme::Generated);
        let right = Attempt::from_label(case["label"].as_str().unwrap()).unwrap();
        assert!(gets_in(&stored, &right, &pepper));
        // The same characters as a text are another password.
        let text = Attempt::from_text(case["label"].as_str().unwrap()).unwrap();
        assert!(!gets_in(&stored, &text, &pepper));
    }
}

#[test]
fn verifiers_of_chosen_passwords_agree_with_another_implementation() {
    let cases = vectors();
    let cases = cases["chosen"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let text = case["password"].as_str().unwrap();
        let iterations =
            Iterations::new(u32::try_from(case["iterations"].as_u64().unwrap()).unwrap()).unwrap();
        let pepper = pepper(case);
        let password = UserPassword::new(text, Exposure::Offline, &[]).unwrap();
        let mut salt = Prepared(hex(&case["salt"]));
        let verifier = Verifier::for_user(&password, iterations, &pepper, &mut salt).unwrap();
        assert_eq!(verifier.to_bytes().to_vec(), hex(&case["verifier"]));
        let stored = Verifier::from_bytes(&hex(&case["verifier"])).unwrap();
        assert_eq!(stored.scheme(), Scheme::Chosen(iterations));
        assert!(gets_in(&stored, &Attempt::from_text(text).unwrap(), &pepper));
        assert!(!gets_in(
            &stored,
            &Attempt::from_text(&text[1..]).unwrap(),
            &pepper
        ));
    }
}

#[test]
fn verifiers_that_cost_memory_agree_with_another_implementation() {
    let cases = vectors();
    let cases = cases["memory_hard"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    let mut memory = vec![Argon2Block::new(); 19 * 1024];
    let function = Argon2id::new(&mut memory);
    for case in cases {
        let text = case["password"].as_str().unwrap();
        let number = |name: &str| case[name].as_u64().unwrap();
        let cost = MemoryCost::new(
            number("kib").try_into().unwrap(),
            number("passes").try_into().unwrap(),
        );
        let cost = cost.unwrap();
        let pepper = pepper(case).with_memory_hard(&function);
        let password = UserPassword::new(text, Exposure::Offline, &[]).unwrap();
        let mut salt = Prepared(hex(&case["salt"]));
        let verifier = Verifier::for_user(&password, cost, &pepper, &mut salt).unwrap();
        assert_eq!(verifier.to_bytes().to_vec(), hex(&case["verifier"]));
        let stored = Verifier::from_bytes(&hex(&case["verifier"])).unwrap();
        assert_eq!(stored.scheme(), Scheme::MemoryHard(cost));
        assert!(!stored.needs_rehash(cost) && stored.needs_rehash(Iterations::MCU));
        assert!(gets_in(&stored, &Attempt::from_text(text).unwrap(), &pepper));
        assert!(!gets_in(
            &stored,
            &Attempt::from_text("another one, of words").unwrap(),
            &pepper
        ));
    }
}

#[test]
fn without_the_memory_nobody_gets_in() {
    let mut rng = SimRng::new(31);
    let root = SimRootKey::new(1);
    let (mut enough, mut less) = (vec![Argon2Block::new(); 256], vec![Argon2Block::new(); 255]);
    let (enough, less) = (Argon2id::new(&mut enough), Argon2id::new(&mut less));
    let plain = || Pepper::derive(&root, &HkdfSha256).unwrap();
    let text = "seven small otters swim";
    let password = UserPassword::new(text, Exposure::Online, &[]).unwrap();
    let pepper = plain().with_memory_hard(&enough);
    let verifier = Verifier::for_user(&password, MemoryCost::DEVICE, &pepper, &mut rng).unwrap();
    let right = Attempt::from_text(text).unwrap();
    assert!(gets_in(&verifier, &right, &pepper));

    let cases = [
        (plain(), CryptoError::Algorithm),
        (plain().with_memory_hard(&less), CryptoError::Length),
    ];
    for (pepper, expected) in cases {
        let made = Verifier::for_user(&password, MemoryCost::DEVICE, &pepper, &mut rng);
        assert_eq!(made.err(), Some(expected));
        let mut storage = Memory::default();
        Throttle::initialise(&mut storage).unwrap();
        let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
        let answer = login.attempt(&mut storage, &verifier, &right, Millis(0));
        assert_eq!(answer.err(), Some(LoginError::Crypto(expected)));
    }
}

#[test]
fn throttle_records_agree_with_another_implementation() {
    let cases = vectors();
    for case in cases["throttle"].as_array().unwrap() {
        let mut storage = Memory(Some(hex(&case["record"]).try_into().unwrap()));
        let failures = u8::try_from(case["failures"].as_u64().unwrap()).unwrap();
        let uptime = Millis(case["uptime_ms"].as_str().unwrap().parse().unwrap());
        let mut throttle = Throttle::new(ThrottlePolicy::DEFAULT);
        let status = throttle.status(&mut storage, uptime).unwrap();
        assert_eq!((status.failures, status.left), (failures, 100 - failures));
        assert_eq!(status.remaining, ThrottlePolicy::DEFAULT.delay(failures));
    }
}

#[test]
fn a_verifier_is_of_one_device_and_one_salt() {
    let mut rng = SimRng::new(21);
    let here = Pepper::derive(&SimRootKey::new(1), &HkdfSha256).unwrap();
    let elsewhere = Pepper::derive(&SimRootKey::new(2), &HkdfSha256).unwrap();
    let password = DevicePassword::generate(Exposure::Online, &mut rng).unwrap();
    let label = password.label();
    let right = Attempt::from_label(label.as_str()).unwrap();
    let verifier = Verifier::for_device(&password, &here, &mut rng).unwrap();
    let again = Verifier::for_device(&password, &here, &mut rng).unwrap();
    assert!(gets_in(&verifier, &right, &here));
    assert!(!gets_in(&verifier, &right, &elsewhere));
    assert_ne!(verifier.to_bytes(), again.to_bytes());
    assert!(
        !verifier
            .to_bytes()
            .windows(4)
            .any(|part| again.to_bytes()[8..56].windows(4).any(|other| part == other))
    );
}

#[test]
fn peppers_that_anyone_could_guess_are_refused() {
    for byte in [0x00, 0xFF] {
        let result = Pepper::new(Secret::from_bytes([byte; 32]), &HkdfSha256);
        assert_eq!(result.err(), Some(RootKeyError::Weak));
    }
    let result = Pepper::derive(&SimRootKey::unavailable(), &HkdfSha256);
    assert_eq!(result.err(), Some(RootKeyError::Unavailable));
}

fn sealed(mut record: Vec<u8>) -> Vec<u8> {
    // CRC-32, bit by bit, as another implementation would.
    let mut crc = u32::MAX;
    for byte in &record[..56] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    record[56..].copy_from_slice(&(!crc).to_be_bytes());
    record
}

#[test]
fn stored_verifiers_are_read_strictly() {
    let cases = vectors();
    let generated = hex(&cases["generated"][0]["verifier"]);
    let chosen = hex(&cases["chosen"][0]["verifier"]);
    assert!(Verifier::from_bytes(&sealed(generated.clone())).is_ok());

    for record in [&generated, &chosen] {
        for len in 0..record.len() {
            assert_eq!(
                Verifier::from_bytes(&record[..len]).err(),
                Some(VerifierError::Length)
            );
        }
        let longer = [record.as_slice(), &[0]].concat();
        assert_eq!(Verifier::from_bytes(&longer).err(), Some(VerifierError::Length));
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let expected = if bit < 8 {
                VerifierError::Version
            } else {
                VerifierError::Damaged
            };
            assert_eq!(Verifier::from_bytes(&flipped).err(), Some(expected), "bit {bit}");
        }
    }

    let with = |record: &[u8], at: usize, bytes: &[u8]| {
        let mut record = record.to_vec();
        record[at..at + bytes.len()].copy_from_slice(bytes);
        Verifier::from_bytes(&sealed(record)).err()
    };
    for scheme in (0..=255).filter(|scheme| *scheme != 1) {
        let expected = if scheme == 2 || scheme == 3 {
            VerifierError::Iterations
        } else {
            VerifierError::Scheme
        };
        assert_eq!(with(&generated, 1, &[scheme]), Some(expected));
    }
    assert_eq!(with(&generated, 2, &[1]), Some(VerifierError::Scheme));
    assert_eq!(with(&generated, 3, &[1]), Some(VerifierError::Scheme));
    assert_eq!(
        with(&generated, 4, &10_000u32.to_be_bytes()),
        Some(VerifierError::Scheme)
    );
    for count in [0, 1, 9_999, 1_000_001, u32::MAX] {
        assert_eq!(
            with(&chosen, 4, &count.to_be_bytes()),
            Some(VerifierError::Iterations)
        );
    }
    for count in [10_000u32, 1_000_000] {
        assert_eq!(with(&chosen, 4, &count.to_be_bytes()), None);
    }
    let memory_hard = hex(&cases["memory_hard"][0]["verifier"]);
    for (kib, passes) in [
        (0, 0u16),
        (63, 1),
        (64, 0),
        (64, 65),
        (65_537, 1),
        (65_536, 3),
        (u32::MAX, u16::MAX),
    ] {
        let numbers = [&passes.to_be_bytes()[..], &kib.to_be_bytes()].concat();
        assert_eq!(with(&memory_hard, 2, &numbers), Some(VerifierError::Iterations));
    }
    for (kib, passes) in [(64u32, 1u16), (2048, 64), (65_536, 2)] {
        let numbers = [&passes.to_be_bytes()[..], &kib.to_be_bytes()].concat();
        assert_eq!(with(&memory_hard, 2, &numbers), None);
    }
    for erased in [[0x00; Verifier::LEN], [0xFF; Verifier::LEN]] {
        assert_eq!(Verifier::from_bytes(&erased).err(), Some(VerifierError::Version));
    }
}

#[test]
fn people_may_choose_long_passwords_of_any_characters_that_are_not_predictable() {
    let context = [
        "Acme Cam 3",
        "SN-00412-7731",
        "AA:BB:CC:DD:EE:FF",
        "acme-guest",
        "x",
    ];
    let long = "ß".repeat(129);
    let spaced: String = (0..64u32).map(|n| char::from_u32(0x1F400 + n).unwrap()).collect();
    for (text, exposure, expected) in [
        ("green kettle, blue door", Exposure::Online, Ok(())),
        ("grün wie Gras", Exposure::Online, Ok(())),
        ("grün wie Gras", Exposure::Offline, Err(PasswordError::TooShort)),
        ("elevenchars", Exposure::Online, Err(PasswordError::TooShort)),
        ("zwölf Züge ä", Exposure::Online, Ok(())),
        (spaced.as_str(), Exposure::Offline, Ok(())),
        (long.as_str(), Exposure::Online, Err(PasswordError::TooLong)),
        (
            "green kettle\nblue door",
            Exposure::Online,
            Err(PasswordError::Control),
        ),
        (
            "green kettle\0blue door",
            Exposure::Online,
            Err(PasswordError::Control),
        ),
        ("7ujMko0vizxv", Exposure::Online, Err(PasswordError::Predictable)),
        ("7UJMKO0ADMIN", Exposure::Online, Err(PasswordError::Predictable)),
        (
            "adminadminadmin",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "Password123456!",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "aaaaaaaaaaaaaaaa",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "abcdefghijklmnop",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "9876543210987654",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "qwertyuiopasdf12345",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "kit9kit9kit9kit9",
            Exposure::Online,
            Err(PasswordError::Predictable),
        ),
        (
            "my acme CAM 3 rocks",
            Exposure::Online,
            Err(PasswordError::Context),
        ),
        (
            "hello 00412 7731 hello",
            Exposure::Online,
            Err(PasswordError::Context),
        ),
        (
            "hello dd-ee-ff hello",
            Exposure::Online,
            Err(PasswordError::Context),
        ),
        (
            "ACME_GUEST forever",
            Exposure::Online,
            Err(PasswordError::Context),
        ),
    ] {
        assert_eq!(
            UserPassword::new(text, exposure, &context).map(|_| ()),
            expected,
            "{text:?}"
        );
    }
}
