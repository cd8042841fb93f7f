//! Signed records: the vectors, and what is refused.

use iotsec_core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign},
    secret::Secret,
};
use iotsec_evidence::{
    outcome::Outcome,
    record::{Record, RecordError, Subject},
};

const COMPONENT: &[u8] = include_bytes!("../../vectors/evidence/component.cbor");
const PRODUCT: &[u8] = include_bytes!("../../vectors/evidence/product.cbor");
const PUBLIC: &[u8; 32] = include_bytes!("../../vectors/evidence/public.bin");

fn public() -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(PUBLIC).unwrap()
}

fn private() -> Ed25519SigningKey {
    let mut seed = [0; 32];
    for (n, byte) in (0..).zip(&mut seed) {
        *byte = n;
    }
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(seed));
    assert_eq!(key.public_key(), PUBLIC);
    key
}

/// Ed25519 is deterministic: what another program wrote from the description comes out byte for byte.
#[test]
fn records_of_another_program_are_read_and_written_alike() {
    let product = Record::verify(PRODUCT, &public()).unwrap();
    assert_eq!(product.sign(&private(), Some(b"maker-1")).unwrap(), PRODUCT);
    assert_eq!(product.tests.len(), 5);
    assert_eq!(
        product.outcome("lamp::light::is_blue"),
        &Outcome::Skipped("no blue lamp".into())
    );
    assert_eq!(product.product().unwrap().product.model.as_str(), "lamp-2");

    let Subject::Product { component, .. } = &product.subject else {
        panic!("a record of a product")
    };
    assert_eq!(component.as_deref(), Some(COMPONENT));
    let component = Record::verify(COMPONENT, &public()).unwrap();
    assert_eq!(component.sign(&private(), None).unwrap(), COMPONENT);
    assert!(matches!(component.product(), Err(RecordError::Subject)));
}

#[test]
fn every_changed_byte_is_noticed() {
    for at in 0..PRODUCT.len() {
        let mut bad = PRODUCT.to_vec();
        bad[at] ^= 1;
        // The key identifier is not signed.
        if let Ok(record) = Record::verify(&bad, &public()) {
            assert_eq!(record, Record::verify(PRODUCT, &public()).unwrap());
            assert!(PRODUCT[..at].len() < 24, "byte {at}");
        }
    }
    for len in 0..PRODUCT.len() {
        assert!(Record::verify(&PRODUCT[..len], &public()).is_err());
    }
}

#[test]
fn another_key_and_a_signature_for_another_use_are_refused() {
    let stranger = Ed25519SigningKey::from_seed(&Secret::from_bytes([9; 32]));
    let record = Record::verify(COMPONENT, &public()).unwrap();
    let signed = record.sign(&stranger, None).unwrap();
    assert!(matches!(
        Record::verify(&signed, &public()),
        Err(RecordError::Signature(_))
    ));
    let mut scratch = vec![0; 4096];
    let mut out = vec![0; 4096];
    let token = iotsec_core::cose::Sign1Builder::new()
        .sign(&private(), b"\xa0", b"", &mut scratch, &mut out)
        .unwrap();
    assert!(matches!(
        Record::verify(token, &public()),
        Err(RecordError::Signature(_))
    ));
}

#[test]
fn what_is_signed_and_no_record_is_refused() {
    for payload in [&b"\xa0"[..], b"\x80", b"\xa1\x67version\x01", b"\x00"] {
        let mut scratch = vec![0; 4096];
        let mut out = vec![0; 4096];
        let signed = iotsec_core::cose::Sign1Builder::new()
            .sign(
                &private(),
                payload,
                b"iotsec evidence record 1",
                &mut scratch,
                &mut out,
            )
            .unwrap();
        assert!(matches!(
            Record::verify(signed, &public()),
            Err(RecordError::Document(_))
        ));
    }
}

#[test]
fn claims_of_another_version_fit_no_conclusion() {
    let record = Record::verify(COMPONENT, &public()).unwrap();
    assert!(matches!(record.fits(), Err(RecordError::OtherClaims)));
    let new = Record::new(
        Subject::Component {
            version: "0.1.0".into(),
        },
        0,
    );
    assert!(new.fits().is_ok());
}

#[test]
fn what_is_inherited_does_not_hide_what_was_run() {
    let mut product = Record::verify(PRODUCT, &public()).unwrap();
    let mut component = Record::verify(COMPONENT, &public()).unwrap();
    component
        .tests
        .insert("lamp::light::is_off".into(), Outcome::Passed);
    component
        .tests
        .insert("lamp::light::is_new".into(), Outcome::Passed);
    product.inherit(&component);
    assert_eq!(product.outcome("lamp::light::is_off"), &Outcome::Failed);
    assert_eq!(product.outcome("lamp::light::is_new"), &Outcome::Passed);
    assert_eq!(product.outcome("lamp::light::was_never"), &Outcome::Missing);
}

/// Whoever signs for a product cannot say another thing of the SDK's tests than whoever tested the SDK.
#[test]
fn what_is_inherited_is_checked_again_under_its_own_key() {
    let (sdk, maker) = (
        private(),
        Ed25519SigningKey::from_seed(&Secret::from_bytes([9; 32])),
    );
    let (sdk_key, maker_key) = (
        public(),
        Ed25519PublicKey::from_bytes(maker.public_key()).unwrap(),
    );
    let mut component = Record::new(Subject::Component { version: "1".into() }, 0);
    component
        .tests
        .insert("iotsec-core::lib::a".into(), Outcome::Passed);
    component
        .tests
        .insert("iotsec-core::lib::b".into(), Outcome::Failed);

    let made_of = |component: Option<Vec<u8>>| {
        let Subject::Product {
            manifest, firmware, ..
        } = Record::verify(PRODUCT, &public()).unwrap().subject
        else {
            panic!("a record of a product")
        };
        Record::new(
            Subject::Product {
                manifest,
                firmware,
                component,
            },
            0,
        )
    };
    let mut honest = made_of(Some(component.sign(&sdk, None).unwrap()));
    honest.inherit(&component);
    assert!(honest.check_inherited(&sdk_key).is_ok());
    assert!(matches!(
        honest.check_inherited(&maker_key),
        Err(RecordError::Inherited(cause)) if matches!(*cause, RecordError::Signature(_))
    ));

    for outcome in [Some(Outcome::Passed), None] {
        let mut forged = honest.clone();
        forged.tests.remove("iotsec-core::lib::b");
        forged
            .tests
            .extend(outcome.map(|outcome| ("iotsec-core::lib::b".into(), outcome)));
        assert!(matches!(
            forged.check_inherited(&sdk_key),
            Err(RecordError::Differs(test)) if test == "iotsec-core::lib::b"
        ));
    }
    assert!(matches!(
        made_of(None).check_inherited(&sdk_key),
        Err(RecordError::NothingInherited)
    ));
    // A record of a product, and one that was made with other claims, are none of the SDK of today.
    for inner in [honest.sign(&sdk, None).unwrap(), COMPONENT.to_vec()] {
        assert!(matches!(
            made_of(Some(inner)).check_inherited(&sdk_key),
            Err(RecordError::Inherited(_))
        ));
    }
    assert!(matches!(
        component.check_inherited(&sdk_key),
        Err(RecordError::Subject)
    ));
}
