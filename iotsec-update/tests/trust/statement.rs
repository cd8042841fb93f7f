//! Statements of what is latest, downgrade tokens, and time.

use iotsec_core::{crypto::CryptoError, hal::UnixTime};
use iotsec_testkit::{SimRng, StuckRng};
use iotsec_update::{
    DeviceIdentity, Policy, SequenceNumber, UpdateError,
    trust::{
        Challenge, Downgrade, DowngradeContent, Latest, LatestContent, Reading, Role, TimeFloor, Trust,
        TrustError,
    },
};

use crate::maker::{
    Bundle, CLASS, NOW, Refused, UNIT, VENDOR, admit, device, factory, load, rotate, sign, update,
};

const POLICY: Policy = Policy::newer_than(SequenceNumber(1));

fn challenge(seed: u64) -> Challenge {
    Challenge::new(&mut SimRng::new(seed)).unwrap()
}

/// Says that update 3 by key 4 is the latest.
fn latest(challenge: &Challenge) -> LatestContent {
    let (_, digest) = update(3, 4);
    LatestContent {
        nonce: *challenge.nonce(),
        vendor: VENDOR,
        class: CLASS,
        sequence: SequenceNumber(3),
        manifest_digest: digest,
        trust_version: 1,
        time: Some(NOW),
    }
}

fn signed(content: &LatestContent, seeds: &[u8]) -> Vec<u8> {
    sign(content.write(&mut [0; LatestContent::MAX_LEN]).unwrap(), seeds)
}

fn check(challenge: &Challenge, message: &[u8], trust: &Trust<'_>) -> Result<Latest, TrustError> {
    challenge.check(message, trust, &device(), None, load, &mut [0; 512])
}

fn under(latest: Latest) -> Policy {
    Policy {
        latest: Some(latest),
        ..POLICY
    }
}

#[test]
fn freeze_and_replay_an_answer_counts_for_its_challenge_alone() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let (first, second) = (challenge(1), challenge(2));
    let answer = signed(&latest(&first), &[5]);
    let good = check(&first, &answer, &trust).unwrap();
    assert_eq!(
        (good.sequence_number(), good.time()),
        (SequenceNumber(3), Some(NOW))
    );
    assert!(!good.trust_is_behind());
    assert_eq!(check(&second, &answer, &trust).err(), Some(TrustError::Nonce));
}

#[test]
fn freeze_only_the_latest_manifest_is_admitted() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let challenge = challenge(1);
    let policy = under(check(&challenge, &signed(&latest(&challenge), &[5]), &trust).unwrap());
    // Newer than what is installed and genuine, but not the latest.
    let (stale, _) = update(2, 4);
    assert!(admit(&trust, None, &stale, &POLICY).is_ok());
    assert_eq!(
        admit(&trust, None, &stale, &policy).err(),
        Some(Refused::Update(UpdateError::NotLatest))
    );
    let (newest, _) = update(3, 4);
    assert!(admit(&trust, None, &newest, &policy).is_ok());
    // Installed already: it says so, and changes nothing.
    let installed = Policy {
        installed: SequenceNumber(3),
        ..policy
    };
    assert_eq!(
        admit(&trust, None, &newest, &installed).err(),
        Some(Refused::Update(UpdateError::Installed))
    );
}

#[test]
fn fast_forward_a_statement_lifts_no_cap() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let challenge = challenge(1);
    let (last, digest) = update(u64::MAX, 4);
    let content = LatestContent {
        sequence: SequenceNumber(u64::MAX),
        manifest_digest: digest,
        ..latest(&challenge)
    };
    let policy = under(check(&challenge, &signed(&content, &[5]), &trust).unwrap());
    assert_eq!(
        admit(&trust, None, &last, &policy).err(),
        Some(Refused::Update(UpdateError::FastForward))
    );
}

#[test]
fn mix_and_match_number_and_digest_belong_together() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let challenge = challenge(1);
    let (envelope, digest) = update(3, 4);
    for (sequence, manifest_digest) in [(2, digest), (4, digest), (3, update(2, 4).1)] {
        let content = LatestContent {
            sequence: SequenceNumber(sequence),
            manifest_digest,
            ..latest(&challenge)
        };
        let policy = under(check(&challenge, &signed(&content, &[5]), &trust).unwrap());
        assert_eq!(
            admit(&trust, None, &envelope, &policy).err(),
            Some(Refused::Update(UpdateError::NotLatest))
        );
    }
}

#[test]
fn mix_and_match_nothing_is_admitted_under_a_trust_bundle_that_is_behind() {
    let (first, second) = (Bundle::new(1).signed(), Bundle::new(2).signed());
    let trust = factory(&first).unwrap();
    let challenge = challenge(1);
    let content = LatestContent {
        trust_version: 2,
        ..latest(&challenge)
    };
    let answer = signed(&content, &[5]);
    let behind = check(&challenge, &answer, &trust).unwrap();
    assert!(behind.trust_is_behind());
    assert_eq!(behind.trust_version(), 2);
    let (envelope, _) = update(3, 4);
    assert_eq!(
        admit(&trust, None, &envelope, &under(behind)).err(),
        Some(Refused::Update(UpdateError::TrustBehind))
    );
    let trust = rotate(&trust, &second).unwrap().unwrap().into_trust();
    let level = check(&challenge, &answer, &trust).unwrap();
    assert!(admit(&trust, None, &envelope, &under(level)).is_ok());
}

#[test]
fn a_statement_is_for_its_product_and_by_its_role() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let challenge = challenge(1);
    let good = latest(&challenge);
    for stranger in [1, 4, 6, 9] {
        let answer = signed(&good, &[stranger]);
        assert_eq!(
            check(&challenge, &answer, &trust).err(),
            Some(TrustError::RoleThreshold),
            "key {stranger}"
        );
    }
    for content in [
        LatestContent {
            class: [0; 16],
            ..good
        },
        LatestContent {
            vendor: [0; 16],
            ..good
        },
    ] {
        assert_eq!(
            check(&challenge, &signed(&content, &[5]), &trust).err(),
            Some(TrustError::Product)
        );
    }
    // Another kind of document, signed by the right key.
    let mut out = [0; DowngradeContent::MAX_LEN];
    let confused = sign(downgrade().write(&mut out).unwrap(), &[5]);
    assert_eq!(
        check(&challenge, &confused, &trust).err(),
        Some(TrustError::Domain)
    );
    let expired = Bundle::new(1).with(|bundle| bundle.expires = Some(1)).signed();
    let expired = factory(&expired).unwrap();
    let answer = signed(&good, &[5]);
    let late = challenge.check(&answer, &expired, &device(), Some(NOW), load, &mut [0; 512]);
    assert_eq!(late.err(), Some(TrustError::Expired));
}

#[test]
fn no_flipped_bit_of_a_statement_or_a_token_counts() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let challenge = challenge(1);
    let answer = signed(&latest(&challenge), &[5]);
    let token = token(&downgrade(), &[6]);
    for (good, is_statement) in [(answer, true), (token, false)] {
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if is_statement {
                assert!(check(&challenge, &bad, &trust).is_err(), "bit {bit}");
            } else {
                assert!(go_back(&bad, &trust, &[1; 32], None).is_err(), "bit {bit}");
            }
        }
    }
}

#[test]
fn a_generator_that_is_stuck_makes_no_challenge() {
    assert_eq!(Challenge::new(&mut StuckRng(0)).err(), Some(CryptoError::Entropy));
    assert_ne!(challenge(1).nonce(), challenge(2).nonce());
}

// Downgrade

fn downgrade() -> DowngradeContent {
    DowngradeContent {
        vendor: VENDOR,
        class: CLASS,
        device: UNIT,
        from: [1; 32],
        to: update(2, 4).1,
        expires: None,
    }
}

fn token(content: &DowngradeContent, seeds: &[u8]) -> Vec<u8> {
    sign(content.write(&mut [0; DowngradeContent::MAX_LEN]).unwrap(), seeds)
}

fn go_back(
    message: &[u8],
    trust: &Trust<'_>,
    installed: &[u8; 32],
    now: Option<UnixTime>,
) -> Result<Downgrade, TrustError> {
    Downgrade::check(message, trust, &device(), installed, now, load, &mut [0; 512])
}

#[test]
fn a_downgrade_is_for_one_device_one_start_and_one_target() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let good = token(&downgrade(), &[6]);
    let leave = go_back(&good, &trust, &[1; 32], None).unwrap();
    let policy = Policy {
        installed: SequenceNumber(9),
        downgrade: Some(leave),
        ..POLICY
    };
    let (target, digest) = update(2, 4);
    assert_eq!((leave.from(), leave.to()), (&[1; 32], &digest));
    assert!(admit(&trust, None, &target, &policy).is_ok());
    // Any other old one stays refused, and without the token this one too.
    let without = Policy {
        downgrade: None,
        ..policy
    };
    for (envelope, policy) in [
        (update(3, 4).0, policy),
        (update(1, 4).0, policy),
        (target, without),
    ] {
        assert_eq!(
            admit(&trust, None, &envelope, &policy).err(),
            Some(Refused::Update(UpdateError::Rollback))
        );
    }

    // Replay after moving on.
    assert_eq!(
        go_back(&good, &trust, &[2; 32], None).err(),
        Some(TrustError::WrongStart)
    );
    let other = DeviceIdentity {
        device: Some([0; 16]),
        ..device()
    };
    let nameless = DeviceIdentity {
        device: None,
        ..device()
    };
    for other in [other, nameless] {
        let answer = Downgrade::check(&good, &trust, &other, &[1; 32], None, load, &mut [0; 512]);
        assert_eq!(answer.err(), Some(TrustError::WrongDevice));
    }
    for stranger in [1, 4, 5, 9] {
        let forged = token(&downgrade(), &[stranger]);
        assert_eq!(
            go_back(&forged, &trust, &[1; 32], None).err(),
            Some(TrustError::RoleThreshold)
        );
    }
    let elsewhere = DowngradeContent {
        class: [0; 16],
        ..downgrade()
    };
    assert_eq!(
        go_back(&token(&elsewhere, &[6]), &trust, &[1; 32], None).err(),
        Some(TrustError::Product)
    );
}

#[test]
fn a_downgrade_is_taken_over_the_latest_for_its_target_alone() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let challenge = challenge(1);
    let latest = check(&challenge, &signed(&latest(&challenge), &[5]), &trust).unwrap();
    let leave = go_back(&token(&downgrade(), &[6]), &trust, &[1; 32], None).unwrap();
    let policy = Policy {
        installed: SequenceNumber(3),
        latest: Some(latest),
        downgrade: Some(leave),
        ..POLICY
    };
    assert!(admit(&trust, None, &update(2, 4).0, &policy).is_ok());
    assert_eq!(
        admit(&trust, None, &update(1, 4).0, &policy).err(),
        Some(Refused::Update(UpdateError::NotLatest))
    );
}

#[test]
fn a_downgrade_that_expires_needs_trusted_time() {
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let content = DowngradeContent {
        expires: Some(NOW),
        ..downgrade()
    };
    let good = token(&content, &[6]);
    let at = |now| go_back(&good, &trust, &[1; 32], now).err();
    assert_eq!(at(Some(NOW)), None);
    assert_eq!(at(Some(UnixTime(NOW.0 + 1))), Some(TrustError::TokenExpired));
    assert_eq!(at(None), Some(TrustError::TimeUnknown));
}

// Time (T12)

const BUILT: UnixTime = UnixTime(1_790_000_000);

#[test]
fn t12_an_absent_clock_one_before_the_build_and_one_far_ahead_are_not_believed() {
    let floor = TimeFloor::new(BUILT);
    let cases = [
        (None, Reading::Absent),
        (Some(0), Reading::BeforeFloor),
        (Some(BUILT.0 - 1), Reading::BeforeFloor),
        (Some(BUILT.0), Reading::Trusted(BUILT)),
        (Some(NOW.0), Reading::Trusted(NOW)),
        (
            Some(BUILT.0 + TimeFloor::SPAN),
            Reading::Trusted(UnixTime(BUILT.0 + TimeFloor::SPAN)),
        ),
        (Some(BUILT.0 + TimeFloor::SPAN + 1), Reading::FarFuture),
        (Some(u64::MAX), Reading::FarFuture),
    ];
    for (clock, reading) in cases {
        assert_eq!(floor.read(clock.map(UnixTime)), reading, "{clock:?}");
    }
}

#[test]
fn t12_what_a_clock_says_decides_only_when_it_is_believed() {
    let message = Bundle::new(1)
        .with(|bundle| bundle.expires = Some(NOW.0 - 1))
        .signed();
    let trust = factory(&message).unwrap();
    let floor = TimeFloor::new(BUILT);
    let judge = |clock: Option<u64>| {
        let now = floor.read(clock.map(UnixTime)).trusted();
        trust.keys(Role::Update, now, load).err()
    };
    assert_eq!(judge(Some(NOW.0)), Some(TrustError::Expired));
    // Set far ahead to make everything expire; it decides nothing.
    assert_eq!(judge(Some(u64::MAX)), None);
    // A manifest or a token that expires is refused without trusted time, and so when the clock lies.
    let content = DowngradeContent {
        expires: Some(NOW),
        ..downgrade()
    };
    let message = Bundle::new(1).signed();
    let trust = factory(&message).unwrap();
    let good = token(&content, &[6]);
    for clock in [None, Some(0), Some(BUILT.0 - 1), Some(u64::MAX)] {
        let now = floor.read(clock.map(UnixTime)).trusted();
        assert_eq!(
            go_back(&good, &trust, &[1; 32], now).err(),
            Some(TrustError::TimeUnknown),
            "{clock:?}"
        );
    }
}

#[test]
fn t12_a_signed_time_raises_the_floor_and_never_lowers_it() {
    let mut floor = TimeFloor::new(BUILT);
    floor.raise(NOW);
    assert_eq!(floor.floor(), NOW);
    assert_eq!(floor.read(Some(UnixTime(NOW.0 - 1))), Reading::BeforeFloor);
    floor.raise(BUILT);
    floor.raise(UnixTime(u64::MAX));
    assert_eq!(floor.floor(), NOW);
    // The far end stays where it was.
    let end = BUILT.0 + TimeFloor::SPAN;
    assert_eq!(floor.read(Some(UnixTime(end))), Reading::Trusted(UnixTime(end)));
    assert_eq!(floor.read(Some(UnixTime(end + 1))), Reading::FarFuture);
}
