use super::{record::stretch, *};
use crate::{
    credential::{PhysicalPresence, StorageError, Throttle, ThrottleError, ThrottleStorage},
    crypto::{CryptoError, HkdfSha256},
    hal::Millis,
};
use core::convert::Infallible;
use iotsec_testkit::SimRng;
use rand_core::{TryCryptoRng, TryRng};
use spake2plus::{ProverSecret, ShareP, VerifierRecord};
use std::{string::String, vec, vec::Vec};

/// Gives exactly these bytes.
struct Replay(Vec<u8>);

impl TryRng for Replay {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("scalars are drawn as bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("scalars are drawn as bytes")
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}
impl TryCryptoRng for Replay {}

fn vector() -> impl Fn(&str) -> String {
    let text = include_str!("../../../../vectors/credential/spake2plus.json");
    move |name| {
        let start = text.find(&std::format!("\"{name}\": \"")).unwrap() + name.len() + 5;
        text[start..].split('"').next().unwrap().into()
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn both_roles_say_what_rfc_9383_says() {
    let value = vector();
    let hex = |name: &str| unhex(&value(name));
    // 64 bytes are reduced to a scalar, 80 to two of them.
    let scalar = |name: &str| Replay([vec![0; 32], hex(name)].concat());
    let (context, owner, device) = (value("context"), value("prover_id"), value("verifier_id"));
    let context = Context {
        context: context.as_bytes(),
        prover_id: owner.as_bytes(),
        verifier_id: device.as_bytes(),
    };
    let output = [vec![0; 8], hex("w0"), vec![0; 8], hex("w1")].concat();
    let secret = ProverSecret::from_pbkdf_output(&output).unwrap();
    let record = VerifierRecord::from_bytes(&[hex("w0"), hex("l")].concat()).unwrap();
    assert_eq!(*secret.verifier_record().to_bytes(), *record.to_bytes());

    let (prover, share) = owner::begin(&secret, &context, &mut scalar("x"));
    assert_eq!(share.to_vec(), hex("share_p"));
    let share = ShareP::from_bytes(&share).unwrap();
    let (confirming, answer) = window::answer(&record, &context, &share, &mut scalar("y")).unwrap();
    assert_eq!(answer.to_vec(), [hex("share_v"), hex("confirm_v")].concat());
    let (confirm, owner_key) = owner::end(prover, &answer).unwrap();
    assert_eq!(confirm.to_vec(), hex("confirm_p"));
    let device_key = window::conclude(confirming, &confirm).unwrap();
    assert_eq!(owner_key.as_bytes().to_vec(), hex("k_shared"));
    assert_eq!(device_key.as_bytes(), owner_key.as_bytes());
}

#[derive(Default, Clone)]
struct Memory {
    record: Option<[u8; Throttle::LEN]>,
    saves: u32,
    fails: bool,
}

impl ThrottleStorage for Memory {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.record.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        if self.fails {
            return Err(StorageError::of(&CryptoError::Driver));
        }
        self.saves += 1;
        self.record = Some(*record);
        Ok(())
    }
}

struct Button(bool);
impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        self.0
    }
}

const DEVICE: &[u8] = b"LAMP-0042";
const START: Millis = Millis::from_secs(100);

struct Place {
    storage: Memory,
    record: PairingRecord,
    rng: SimRng,
}

impl Place {
    fn new() -> Self {
        let mut rng = SimRng::new(7);
        let parameters = PairingParameters::generate(1000, &mut rng).unwrap();
        let code = PairingCode::parse("20202021").unwrap();
        let record = PairingRecord::register(&code, DEVICE, &parameters, &HkdfSha256).unwrap();
        let mut storage = Memory::default();
        Throttle::initialise(&mut storage).unwrap();
        Self { storage, record, rng }
    }

    fn names() -> PairingNames<'static> {
        PairingNames::new(b"phone", DEVICE).unwrap()
    }

    fn owner(&self, code: &str) -> Owner<'static> {
        let code = PairingCode::parse(code).unwrap();
        Owner::new(&code, Self::names(), self.record.parameters(), &HkdfSha256).unwrap()
    }

    /// A run with an owner that knows the code or not, to the end.
    fn run(
        &mut self,
        window: &mut PairingWindow,
        owner: &Owner<'_>,
        now: Millis,
    ) -> Result<(), PairingError> {
        let (waiting, share) = owner.start(&mut self.rng, &HkdfSha256)?;
        let (device, answer) = self.answer(window, &share, now)?;
        match waiting.finish(&answer, &HkdfSha256) {
            Ok((confirm, keys)) => {
                let (_, found) = window.finish(&mut self.storage, now, device, &confirm, &HkdfSha256)?;
                assert!(keys.owner_to_device().ct_eq(found.owner_to_device()));
                assert!(keys.device_to_owner().ct_eq(found.device_to_owner()));
                assert!(!keys.device_to_owner().ct_eq(found.owner_to_device()));
                assert!(!keys.exporter().ct_eq(found.owner_to_device()));
                Ok(())
            }
            Err(error) => {
                // An attacker says something anyway.
                let refused = window.finish(&mut self.storage, now, device, &[7; 32], &HkdfSha256);
                assert_eq!(refused.err(), Some(PairingError::Refused));
                Err(error)
            }
        }
    }

    fn answer(
        &mut self,
        window: &mut PairingWindow,
        share: &[u8; SHARE_LEN],
        now: Millis,
    ) -> Result<(DeviceWaiting<'static>, [u8; ANSWER_LEN]), PairingError> {
        window.answer(
            &mut self.storage,
            now,
            &self.record,
            Self::names(),
            share,
            &mut self.rng,
            &HkdfSha256,
        )
    }
}

#[test]
fn the_right_code_pairs_once_and_closes_the_window() {
    let mut place = Place::new();
    let mut window = PairingWindow::without_owner(START, PairingWindow::LONGEST).unwrap();
    let owner = place.owner("2020-2021");
    place.run(&mut window, &owner, START).unwrap();
    assert_eq!(place.run(&mut window, &owner, START), Err(PairingError::Closed));
    let mut next = PairingWindow::without_owner(START, PairingWindow::LONGEST).unwrap();
    assert_eq!(next.status(&mut place.storage, START).unwrap().failures, 0);
}

#[test]
fn twenty_failures_are_all_there_are_across_windows_and_reboots() {
    let mut place = Place::new();
    let wrong = place.owner("20202022");
    let right = place.owner("20202021");
    let mut failures = 0;
    let mut now = START;
    'all: loop {
        // Every second turn a reboot: uptime starts again, and so does a window that nobody opened by hand.
        let mut window = PairingWindow::without_owner(now, PairingWindow::LONGEST).unwrap();
        for _ in 0..2 {
            match place.run(&mut window, &wrong, now) {
                Err(PairingError::Refused) => failures += 1,
                Err(PairingError::Throttle(ThrottleError::Wait { remaining })) => {
                    now = Millis(now.0 + remaining.0);
                }
                Err(PairingError::Throttle(ThrottleError::Locked)) => break 'all,
                other => panic!("{other:?}"),
            }
        }
        assert!(failures <= PairingWindow::FAILURES);
    }
    assert_eq!(failures, PairingWindow::FAILURES);
    let mut window = PairingWindow::without_owner(now, PairingWindow::LONGEST).unwrap();
    let locked = place.run(&mut window, &right, now);
    assert_eq!(locked, Err(PairingError::Throttle(ThrottleError::Locked)));
    // Somebody at the device helps, and nobody else.
    let length = PairingWindow::LONGEST;
    let refused = PairingWindow::by_presence(&mut place.storage, &mut Button(false), now, length);
    assert_eq!(refused.err(), Some(PairingError::Closed));
    let mut window = PairingWindow::by_presence(&mut place.storage, &mut Button(true), now, length).unwrap();
    place.run(&mut window, &right, now).unwrap();
}

#[test]
fn the_attempt_is_counted_before_it_is_answered_and_not_answered_when_it_cannot_be() {
    let mut place = Place::new();
    let mut window = PairingWindow::without_owner(START, PairingWindow::LONGEST).unwrap();
    let (_, share) = place
        .owner("20202021")
        .start(&mut place.rng, &HkdfSha256)
        .unwrap();
    place.storage.fails = true;
    assert!(matches!(
        place.answer(&mut window, &share, START),
        Err(PairingError::Throttle(ThrottleError::Storage(_)))
    ));
    place.storage.fails = false;
    let saves = place.storage.saves;
    let (device, _) = place.answer(&mut window, &share, START).unwrap();
    assert_eq!(place.storage.saves, saves + 1);
    assert_eq!(window.status(&mut place.storage, START).unwrap().failures, 1);
    // The power goes here: the failure stays. Without that, a success that cannot be noted lets nobody in.
    drop(device);
    let mut rebooted = PairingWindow::without_owner(Millis(0), PairingWindow::LONGEST).unwrap();
    assert_eq!(
        rebooted.status(&mut place.storage, Millis(0)).unwrap().failures,
        1
    );
}

#[test]
fn a_window_ends_with_its_time_even_within_a_run() {
    let mut place = Place::new();
    let owner = place.owner("20202021");
    let length = Millis::from_secs(60);
    let late = Millis(START.0 + length.0);
    let mut window = PairingWindow::without_owner(START, length).unwrap();
    let (waiting, share) = owner.start(&mut place.rng, &HkdfSha256).unwrap();
    let (device, answer) = place.answer(&mut window, &share, Millis(late.0 - 1)).unwrap();
    let (confirm, _) = waiting.finish(&answer, &HkdfSha256).unwrap();
    let refused = window.finish(&mut place.storage, late, device, &confirm, &HkdfSha256);
    assert_eq!(refused.err(), Some(PairingError::Closed));
    // It does not open again when a clock goes back.
    assert!(!window.is_open(START));
    let too_long = Millis(PairingWindow::LONGEST.0 + 1);
    let refused = PairingWindow::without_owner(START, too_long);
    assert_eq!(refused.err(), Some(PairingError::WindowLength));
}

#[test]
fn malformed_messages_cost_nothing_and_changed_ones_are_refused() {
    let mut place = Place::new();
    let owner = place.owner("20202021");
    let mut window = PairingWindow::without_owner(START, PairingWindow::LONGEST).unwrap();
    let saves = place.storage.saves;
    for share in [[0; SHARE_LEN], [4; SHARE_LEN], [0xFF; SHARE_LEN]] {
        let refused = place.answer(&mut window, &share, START).err();
        assert_eq!(refused, Some(PairingError::Message));
    }
    assert_eq!(place.storage.saves, saves);
    let mut now = START;
    for at in [0, 20, 64, 65, 96] {
        now = Millis(now.0 + 60_000);
        let (waiting, share) = owner.start(&mut place.rng, &HkdfSha256).unwrap();
        let (_, mut answer) = place.answer(&mut window, &share, now).unwrap();
        answer[at] ^= 1;
        let refused = waiting.finish(&answer, &HkdfSha256).err();
        let expected = if at < SHARE_LEN {
            PairingError::Message
        } else {
            PairingError::Refused
        };
        assert_eq!(refused, Some(expected), "byte {at}");
    }
}

#[test]
fn another_name_on_either_side_is_refused() {
    let mut place = Place::new();
    let code = PairingCode::parse("20202021").unwrap();
    for names in [
        PairingNames::new(b"other", DEVICE).unwrap(),
        PairingNames::new(b"phone", b"LAMP-0043").unwrap(),
    ] {
        let mut window = PairingWindow::without_owner(START, PairingWindow::LONGEST).unwrap();
        let owner = Owner::new(&code, names, place.record.parameters(), &HkdfSha256).unwrap();
        assert_eq!(place.run(&mut window, &owner, START), Err(PairingError::Refused));
    }
    assert_eq!(PairingNames::new(b"", DEVICE).err(), Some(PairingError::Name));
    assert_eq!(PairingNames::new(b"x", &[0; 65]).err(), Some(PairingError::Name));
}

#[test]
fn records_and_parameters_are_read_strictly() {
    let place = Place::new();
    let good = *place.record.expose();
    assert!(PairingRecord::parse(&good).is_ok());
    for bit in 0..good.len() * 8 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            PairingRecord::parse(&bad).err(),
            Some(PairingError::Record),
            "bit {bit}"
        );
    }
    for len in 0..good.len() {
        assert_eq!(
            PairingRecord::parse(&good[..len]).err(),
            Some(PairingError::Record)
        );
    }
    for iterations in [0, 999, 100_001, u32::MAX] {
        let refused = PairingParameters::generate(iterations, &mut SimRng::new(1)).err();
        assert_eq!(refused, Some(PairingError::Parameters));
    }
}

#[test]
fn codes_that_no_label_has_are_refused() {
    for text in [
        "",
        "2020202",
        "202020212",
        "2020202a",
        "00000000",
        "99999999",
        "12345678",
        "87654321",
        "２0202021",
    ] {
        assert_eq!(PairingCode::parse(text).err(), Some(PairingError::Code), "{text}");
    }
    assert!(PairingCode::parse(" 0000-0001 ").is_ok());
}

/// The password of PBKDF2 is that of RFC 9383 §3.2; computed by Python's hashlib.
#[test]
fn a_code_is_stretched_as_the_table_says() {
    let parameters = PairingParameters::parse(&[&1000u32.to_be_bytes()[..], &[0x5A; 16]].concat()).unwrap();
    let code = PairingCode::parse("20202021").unwrap();
    let record = PairingRecord::register(&code, DEVICE, &parameters, &HkdfSha256).unwrap();
    let w0: String = record.expose()[24..56]
        .iter()
        .map(|byte| std::format!("{byte:02x}"))
        .collect();
    assert_eq!(
        w0,
        "6c9360883c8d744c00af09019e0ab6f6b163710368669bff0e2451072d4a0b0e"
    );
    stretch(&code, DEVICE, &parameters, &HkdfSha256).unwrap();
}

#[test]
fn nothing_shows_a_secret() {
    let place = Place::new();
    let shown = std::format!("{:?} {:?}", PairingCode::parse("20202021"), place.record);
    assert!(!shown.contains("2020") && shown.ends_with(".. }"), "{shown}");
}
