//! A TPM that was recorded, and what its answers may become on the way.
#![cfg(unix)]

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use iotsec_core::{
    crypto::HkdfSha256,
    hal::{
        CounterError, MonotonicCounter, RootKey,
        linux::{
            FileError,
            tpm::{Tpm, TpmCounter, TpmError, TpmRootKey},
        },
    },
    secret::Secret,
};
use iotsec_testkit::{Replay, SimRng};

const ROOT_KEY: &str = include_str!("../../vectors/tpm/root_key.txt");
const COUNTER: &str = include_str!("../../vectors/tpm/counter.txt");
const INDEX: u32 = 0x0180_4711;

/// A place for a file that goes away with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("iotsec-tpm-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn key(&self) -> PathBuf {
        self.0.join("root-key")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// What was recorded: a key made and opened again.
fn make_and_open(place: &Place, tpm: &mut Tpm<Replay>) -> Result<[Secret<32>; 2], TpmError> {
    fs::remove_file(place.key()).ok();
    let made = TpmRootKey::create(tpm, &place.key(), &HkdfSha256, &mut SimRng::new(1))?;
    let opened = TpmRootKey::open(tpm, &place.key(), &HkdfSha256)?;
    let (mut first, mut second) = (Secret::zero(), Secret::zero());
    made.derive(b"store", &mut first)?;
    opened.derive(b"store", &mut second)?;
    Ok([first, second])
}

/// The conversation as it is when only opening is played.
fn opening() -> Replay {
    let lines: Vec<&str> = ROOT_KEY.lines().filter(|line| !line.starts_with('#')).collect();
    Replay::new(&lines[6..].join("\n"))
}

#[test]
fn what_was_sealed_is_unsealed_however_answers_arrive() {
    let place = Place::new();
    for piece in [usize::MAX, 1, 3, 10, 11] {
        let mut replay = Replay::new(ROOT_KEY).in_pieces(piece);
        assert!(!replay.is_over());
        let mut tpm = Tpm::new(replay.clone());
        let [first, second] = make_and_open(&place, &mut tpm).unwrap();
        assert!(first.ct_eq(&second));
        replay = opening().in_pieces(piece);
        TpmRootKey::open(&mut Tpm::new(replay), &place.key(), &HkdfSha256).unwrap();
    }
}

#[test]
fn a_sealed_key_is_private_and_stays_as_it_is() {
    let place = Place::new();
    make_and_open(&place, &mut Tpm::new(Replay::new(ROOT_KEY))).unwrap();
    let mode = fs::metadata(place.key()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(place.key()).unwrap();
    let again = TpmRootKey::create(
        &mut Tpm::new(Replay::new(ROOT_KEY)),
        &place.key(),
        &HkdfSha256,
        &mut SimRng::new(1),
    );
    let there = FileError::Io(ErrorKind::AlreadyExists);
    assert_eq!(again.err(), Some(TpmError::File(there)));
    assert_eq!(fs::read(place.key()).unwrap(), before);

    fs::set_permissions(place.key(), fs::Permissions::from_mode(0o640)).unwrap();
    let opened = TpmRootKey::open(&mut Tpm::new(opening()), &place.key(), &HkdfSha256);
    assert_eq!(opened.err(), Some(TpmError::File(FileError::Permissions)));
}

#[test]
fn a_file_without_a_sealed_key_never_reaches_the_tpm() {
    let place = Place::new();
    make_and_open(&place, &mut Tpm::new(Replay::new(ROOT_KEY))).unwrap();
    let whole = fs::read(place.key()).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(place.key(), bytes).unwrap();
        let silent = Replay::new("");
        let opened = TpmRootKey::open(&mut Tpm::new(silent), &place.key(), &HkdfSha256);
        assert_eq!(opened.err(), Some(TpmError::Sealed));
    };
    for len in 0..whole.len() {
        refused(&whole[..len]);
    }
    refused(&[&whole[..], &[0]].concat());
    refused(&[&whole[..], &vec![0; 1 << 20]].concat());
    // The template: type, hash, attributes, policy and scheme, behind magic, private part and its length.
    let public = 4 + 2 + usize::from(u16::from_be_bytes([whole[4], whole[5]])) + 2;
    for at in (0..4).chain(public..public + 12) {
        let mut other = whole.clone();
        other[at] ^= 1;
        refused(&other);
    }
}

#[test]
fn a_counter_counts() {
    for piece in [usize::MAX, 1, 7] {
        let replay = Replay::new(COUNTER).in_pieces(piece);
        let mut counter = TpmCounter::create(Tpm::new(replay), INDEX).unwrap();
        assert_eq!(counter.read(), Ok(1));
        assert_eq!(counter.advance_to(3), Ok(()));
        assert_eq!(counter.advance_to(1), Ok(()));
        assert_eq!(counter.read(), Ok(3));
        assert_eq!(counter.advance_to(1 << 40), Err(CounterError::Exhausted));
        assert_eq!(counter.failed(), None);
    }
}

/// Plays the recording of a counter until something fails.
fn count(replay: Replay) -> Result<u64, TpmError> {
    let mut counter = TpmCounter::create(Tpm::new(replay), INDEX)?;
    let steps = counter
        .read()
        .and_then(|first| counter.advance_to(first.saturating_add(2)))
        .and_then(|()| counter.advance_to(1))
        .and_then(|()| counter.read());
    // A counter that is said to stand far off is exhausted, which is no failure of the TPM.
    let failed = counter.failed().unwrap_or(TpmError::NoCounter);
    steps.map_err(|_| failed)
}

/// Answers of the counter that `count` reads: of the definition, three increments and five reads.
const COUNTER_ANSWERS: usize = 11;
const ROOT_KEY_ANSWERS: usize = 8;

#[test]
fn an_answer_that_is_cut_short_or_goes_on_is_none() {
    let place = Place::new();
    let edit = |text: &str, answer: usize, len: usize| {
        let mut replay = Replay::new(text);
        replay.edit(answer, |bytes| bytes.resize(len, 0));
        replay
    };
    let length_of = |text: &str, answer: usize| {
        let mut len = 0;
        Replay::new(text).edit(answer, |bytes| len = bytes.len());
        len
    };
    for answer in 0..COUNTER_ANSWERS {
        let whole = length_of(COUNTER, answer);
        for len in (0..whole).chain(whole + 1..whole + 5) {
            let counted = count(edit(COUNTER, answer, len));
            assert!(counted.is_err(), "answer {answer} of {len} bytes: {counted:?}");
        }
    }
    for answer in 0..ROOT_KEY_ANSWERS {
        let whole = length_of(ROOT_KEY, answer);
        for len in (0..whole).chain(whole + 1..whole + 5) {
            let mut tpm = Tpm::new(edit(ROOT_KEY, answer, len));
            assert!(
                make_and_open(&place, &mut tpm).is_err(),
                "answer {answer} of {len} bytes"
            );
        }
    }
}

#[test]
fn whatever_an_answer_says_nothing_panics_and_nothing_is_read_beyond_it() {
    let place = Place::new();
    let mut refused = 0;
    for answer in 0..COUNTER_ANSWERS {
        for at in 0.. {
            let mut more = false;
            for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
                let mut replay = Replay::new(COUNTER);
                replay.edit(answer, |bytes| {
                    if let Some(byte) = bytes.get_mut(at) {
                        (*byte, more) = (value, true);
                    }
                });
                refused += u32::from(count(replay).is_err());
            }
            if !more {
                break;
            }
        }
    }
    for answer in 0..ROOT_KEY_ANSWERS {
        for at in (0..40).chain(150..460).step_by(3) {
            for value in [0x00, 0xFF] {
                let mut replay = Replay::new(ROOT_KEY);
                replay.edit(answer, |bytes| {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = value;
                    }
                });
                refused += u32::from(make_and_open(&place, &mut Tpm::new(replay)).is_err());
            }
        }
    }
    assert!(refused > 500, "only {refused} were refused");
}

#[test]
fn refusals_are_said_as_the_tpm_says_them() {
    let refuse = |code: u32| {
        move |bytes: &mut Vec<u8>| {
            *bytes = [&[0x80, 0x01, 0, 0, 0, 10], &code.to_be_bytes()[..]].concat();
        }
    };
    for (answer, code) in [(0, 0x101), (1, 0x14C), (2, 0x922), (3, 0x18B), (4, 0x149)] {
        let mut replay = Replay::new(COUNTER);
        replay.edit(answer, refuse(code));
        assert_eq!(count(replay), Err(TpmError::Refused(code)));
    }
    let place = Place::new();
    for (answer, code) in [(0, 0x185), (1, 0x902), (2, 0x18B), (4, 0x1DF), (5, 0x98E)] {
        let mut replay = Replay::new(ROOT_KEY);
        replay.edit(answer, refuse(code));
        let made = make_and_open(&place, &mut Tpm::new(replay));
        assert_eq!(made.err(), Some(TpmError::Refused(code)), "answer {answer}");
    }
    // A refusal with a session, and one of a TPM 1.2.
    for tag in [0x8002_u16, 0x00C4] {
        let mut replay = Replay::new(COUNTER);
        replay.edit(0, |bytes| bytes[..2].copy_from_slice(&tag.to_be_bytes()));
        assert_eq!(count(replay), Err(TpmError::Response));
    }
}

#[test]
fn an_index_that_is_no_counter_is_refused() {
    // Bytes of the public part of the index: its number, hash, attributes, policy, size.
    let opened = |edit: &dyn Fn(&mut Vec<u8>)| {
        let lines: Vec<&str> = COUNTER.lines().filter(|line| !line.starts_with('#')).collect();
        let mut replay = Replay::new(&lines[6..8].join("\n"));
        replay.edit(0, edit);
        TpmCounter::open(Tpm::new(replay), INDEX).map(drop)
    };
    assert_eq!(opened(&|_| {}), Ok(()));
    for at in 12..26 {
        let expected = match at {
            12..16 => TpmError::Response,
            // A policy that the length of the structure leaves no room for.
            22..24 => TpmError::Response,
            _ => TpmError::NoCounter,
        };
        let found = opened(&|bytes| bytes[at] ^= 0x01);
        assert_eq!(found, Err(expected), "byte {at}");
    }
    // Defined and never incremented.
    assert_eq!(opened(&|bytes| bytes[18] &= !0x20), Err(TpmError::NoCounter));
}

#[test]
fn a_counter_that_does_not_move_does_not_hang() {
    let lines: Vec<&str> = COUNTER.lines().filter(|line| !line.starts_with('#')).collect();
    let read = lines[8..10].join("\n");
    let increment = lines[12..14].join("\n");
    assert!(increment.starts_with("> 80020000001f00000134"), "{increment}");
    let text = [&lines[6..8].join("\n"), &read, &increment, &read]
        .map(String::as_str)
        .join("\n");
    let mut counter = TpmCounter::open(Tpm::new(Replay::new(&text)), INDEX).unwrap();
    assert_eq!(counter.advance_to(5), Err(CounterError::Unreadable));
    assert_eq!(counter.failed(), Some(TpmError::Response));
}

#[test]
fn starting_twice_is_no_failure() {
    let start = "> 80010000000c000001440000";
    for (answer, wanted) in [
        ("80010000000a00000000", Ok(())),
        ("80010000000a00000100", Ok(())),
        ("80010000000a00000101", Err(TpmError::Refused(0x101))),
        ("80010000000900000000", Err(TpmError::Response)),
        ("80010000100100000000", Err(TpmError::Response)),
        ("8001ffffffff00000000", Err(TpmError::Response)),
    ] {
        let mut tpm = Tpm::new(Replay::new(&format!("{start}\n< {answer}")));
        assert_eq!(tpm.start(), wanted, "{answer}");
    }
}
