//! From one bundle to the next (T11).

use iotsec_core::{
    cose::{Key, SignBuilder, Signer},
    hal::UnixTime,
};
use iotsec_update::{
    Policy, SequenceNumber, UpdateError,
    trust::{Role, Trust, TrustError},
};

use crate::maker::{
    Bundle, NOW, Refused, admit, cose_key, factory, key, load, public, refusal, rotate, update,
};

const POLICY: Policy = Policy::newer_than(SequenceNumber(1));

/// Where a chain of bundles ends, or the first refusal.
fn chain(bundles: &[Bundle]) -> Result<u64, TrustError> {
    let messages: Vec<_> = bundles.iter().map(Bundle::signed).collect();
    let mut trust = factory(&messages[0])?;
    for message in &messages[1..] {
        trust = rotate(&trust, message)?.expect("another bundle").into_trust();
    }
    Ok(trust.bundle().version())
}

#[test]
fn a_chain_of_steps_changes_every_key() {
    let steps = [
        Bundle::new(1),
        Bundle::new(2)
            .with_keys(&[11, 12, 13, 4, 5, 6])
            .signed_by(&[1, 2, 11, 12]),
        Bundle::new(3)
            .with_keys(&[11, 12, 13, 14, 15, 16])
            .signed_by(&[13, 11]),
    ];
    assert_eq!(chain(&steps), Ok(3));
    // Not in another order, and not with a step left out.
    assert_eq!(
        chain(&[steps[0].clone(), steps[2].clone()]),
        Err(TrustError::OldRoot)
    );
}

#[test]
fn t11_both_the_old_and_the_new_root_must_sign() {
    let next = |signers: &[u8]| {
        let next = Bundle::new(2)
            .with_keys(&[11, 12, 13, 4, 5, 6])
            .signed_by(signers);
        refusal(&Bundle::new(1), &next)
    };
    assert_eq!(next(&[1, 3, 12, 13]), None);
    for only_new in [&[11, 12, 13][..], &[1, 11, 12], &[1, 1, 11, 12], &[4, 5, 11, 12]] {
        assert_eq!(next(only_new), Some(TrustError::OldRoot), "{only_new:?}");
    }
    for only_old in [&[1, 2, 3][..], &[1, 2, 11], &[1, 2, 11, 11], &[1, 2, 4, 5]] {
        assert_eq!(next(only_old), Some(TrustError::NewRoot), "{only_old:?}");
    }
}

#[test]
fn t11_a_version_that_skips_repeats_or_goes_back_is_refused() {
    let to = |version| {
        refusal(
            &Bundle::new(5),
            &Bundle::new(version).with(|next| next.expires = Some(9)),
        )
    };
    assert_eq!(to(6), None);
    assert_eq!(to(7), Some(TrustError::Skipped));
    assert_eq!(to(4), Some(TrustError::Rollback));
    assert_eq!(to(1), Some(TrustError::Rollback));
    assert_eq!(
        to(5),
        Some(TrustError::Conflict),
        "another bundle with the same number"
    );
}

#[test]
fn t7_a_bundle_cannot_jump_to_the_last_number() {
    assert_eq!(
        refusal(&Bundle::new(1), &Bundle::new(u64::MAX)),
        Some(TrustError::Skipped)
    );
    assert_eq!(refusal(&Bundle::new(u64::MAX - 1), &Bundle::new(u64::MAX)), None);
    assert_eq!(
        refusal(&Bundle::new(u64::MAX), &Bundle::new(0)),
        Some(TrustError::VersionZero)
    );
}

#[test]
fn t11_the_same_bundle_again_changes_nothing_whoever_signed_it_since() {
    let message = Bundle::new(2).signed();
    let trust = factory(&message).unwrap();
    assert!(rotate(&trust, &message).unwrap().is_none());
    let resigned = Bundle::new(2).signed_by(&[2, 3, 9]).signed();
    assert!(rotate(&trust, &resigned).unwrap().is_none());
}

#[test]
fn t11_an_old_key_counts_nowhere_after_its_revocation() {
    let (by_old, _) = update(2, 4);
    let (by_new, _) = update(2, 14);
    let first = Bundle::new(1).signed();
    let second = Bundle::new(2)
        .with_keys(&[1, 2, 3, 14, 5, 6])
        .revoking(&[4])
        .signed();
    let trust = factory(&first).unwrap();
    assert!(admit(&trust, None, &by_old, &POLICY).is_ok());
    assert_eq!(
        admit(&trust, None, &by_new, &POLICY).err(),
        Some(Refused::Update(UpdateError::Threshold))
    );
    let trust = rotate(&trust, &second).unwrap().unwrap().into_trust();
    assert!(admit(&trust, None, &by_new, &POLICY).is_ok());
    // Signed while the key was good, and refused all the same.
    assert_eq!(
        admit(&trust, None, &by_old, &POLICY).err(),
        Some(Refused::Update(UpdateError::Threshold))
    );
    // It cannot come back: not while it is revoked, and not by dropping the revocation.
    let returns = Bundle::new(3).revoking(&[4]);
    assert_eq!(
        rotate(&trust, &returns.signed()).err(),
        Some(TrustError::KeyRevoked)
    );
    let forgotten = Bundle::new(3);
    assert_eq!(
        rotate(&trust, &forgotten.signed()).err(),
        Some(TrustError::RevocationDropped)
    );
}

#[test]
fn t11_a_root_key_that_is_revoked_does_not_sign_its_own_successor() {
    let next = |signers: &[u8]| {
        let next = Bundle::new(2)
            .with_keys(&[11, 2, 3, 4, 5, 6])
            .revoking(&[1])
            .signed_by(signers);
        refusal(&Bundle::new(1), &next)
    };
    assert_eq!(next(&[2, 3]), None);
    assert_eq!(next(&[1, 2, 11]), Some(TrustError::OldRoot));
    assert_eq!(next(&[1, 2, 3, 11]), None);
}

#[test]
fn a_key_is_found_with_a_wrong_hint_and_counts_once_under_many() {
    // Every key calls itself "root-1".
    let named = |seed: u8| {
        let key = Key::ed25519(&public(seed))
            .with_kid(b"root-1")
            .write(&mut [0; 192])
            .map(<[u8]>::to_vec);
        key.unwrap()
    };
    let bundle = Bundle::new(1).with(|bundle| {
        bundle.keys = vec![
            named(1),
            named(2),
            cose_key(3),
            cose_key(4),
            cose_key(5),
            cose_key(6),
        ];
    });
    let signed = |seeds: &[u8], kid: &'static [u8]| {
        let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
        let signers: Vec<_> = keys.iter().map(|key| Signer { key, kid: Some(kid) }).collect();
        let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
        let message = SignBuilder::new(&signers).sign(&bundle.payload(), b"", &mut scratch, &mut out);
        message.unwrap().to_vec()
    };
    assert!(factory(&signed(&[2, 3], b"root-1")).is_ok());
    assert!(factory(&signed(&[1, 2], b"nobody")).is_ok());
    assert_eq!(
        factory(&signed(&[2, 2, 2], b"root-1")).err(),
        Some(TrustError::NewRoot)
    );
}

#[test]
fn freeze_an_expired_bundle_admits_nothing_but_its_successor() {
    let (envelope, _) = update(2, 4);
    let first = Bundle::new(1)
        .with(|bundle| bundle.expires = Some(NOW.0))
        .signed();
    let trust = factory(&first).unwrap();
    let at = |trust: &Trust<'_>, now| admit(trust, now, &envelope, &POLICY).err();
    let later = Some(UnixTime(NOW.0 + 1));
    assert_eq!(at(&trust, Some(NOW)), None);
    assert_eq!(at(&trust, later), Some(Refused::Trust(TrustError::Expired)));
    // No clock, no expiry: the statement of what is latest is for such devices.
    assert_eq!(at(&trust, None), None);
    // The boot loader's question has no time in it.
    assert!(trust.keys(Role::Update, None, load).is_ok());

    // The chain leads on, and through bundles that have long expired too.
    let second = Bundle::new(2).with(|bundle| bundle.expires = Some(1)).signed();
    let third = Bundle::new(3).signed();
    let trust = rotate(&trust, &second).unwrap().unwrap().into_trust();
    assert_eq!(at(&trust, later), Some(Refused::Trust(TrustError::Expired)));
    let trust = rotate(&trust, &third).unwrap().unwrap().into_trust();
    assert_eq!(at(&trust, later), None);
}

#[test]
fn a_rotation_shows_what_it_will_trust_before_it_is_in_force() {
    let (running, _) = update(2, 4);
    let first = Bundle::new(1).signed();
    let second = Bundle::new(2).with_keys(&[1, 2, 3, 14, 5, 6]).signed();
    let trust = factory(&first).unwrap();
    let rotation = rotate(&trust, &second).unwrap().unwrap();
    let keys = rotation.keys(Role::Update, None, load).unwrap();
    let list = keys.list();
    let anchors = list.anchors().unwrap();
    let judged = iotsec_update::Envelope::parse(&running, &iotsec_update::Limits::DEFAULT)
        .unwrap()
        .authenticate(&anchors, &mut iotsec_core::crypto::Sha256::new());
    assert_eq!(judged.err(), Some(UpdateError::Threshold));
    assert_eq!(rotation.bundle().version(), 2);
}

#[test]
fn a_role_that_nobody_has_accepts_nothing() {
    let message = Bundle::new(1).with(|bundle| bundle.roles.truncate(2)).signed();
    let trust = factory(&message).unwrap();
    for role in [Role::Freshness, Role::Recovery] {
        assert_eq!(trust.keys(role, None, load).err(), Some(TrustError::RoleAbsent));
    }
}
