use std::{vec, vec::Vec};

use iotsec_core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey},
    secret::Secret,
};

use super::*;
use crate::install::InstallError;

fn keys() -> (Ed25519SigningKey, Ed25519PublicKey) {
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([3; 32]));
    let public = Ed25519PublicKey::from_bytes(key.public_key()).unwrap();
    (key, public)
}

fn message(outcome: Outcome, measured: &[Measured<'_>]) -> Vec<u8> {
    let report = Report {
        reference_uri: "https://fw.example/m",
        manifest_digest: &[7; 32],
        nonce: Some(b"nonce"),
        measured,
        outcome,
    };
    let (mut scratch, mut out) = (vec![0; 2048], vec![0; 2048]);
    report
        .sign(&keys().0, Some(b"device"), &mut scratch, &mut out)
        .unwrap()
        .to_vec()
}

#[test]
fn what_is_reported_arrives() {
    let measured = [0, 1].map(|index| Measured {
        id: ComponentId::from_encoded(&[[0x81, 0x41, 0x00], [0x81, 0x41, 0x01]][index]).unwrap(),
        digest: [9; 32],
        size: 70_000,
    });
    let failed = Outcome::Failed(Failure::of(InstallError::TrialExpired.code()));
    for outcome in [Outcome::Done, failed] {
        let message = message(outcome, &measured);
        let mut scratch = [0; 2048];
        let mut received = verify(&message, &keys().1, &mut scratch).unwrap();
        assert_eq!(received.outcome, outcome);
        assert_eq!(received.reference_uri, "https://fw.example/m");
        assert_eq!(received.nonce, Some(&b"nonce"[..]));
        assert_eq!(received.next_measured().unwrap(), Some(measured[0]));
        assert_eq!(received.next_measured().unwrap(), Some(measured[1]));
        assert_eq!(received.next_measured().unwrap(), None);
    }
}

/// Written out by hand from the CDDL of the draft.
#[test]
fn the_bytes_are_those_of_the_draft() {
    let message = message(Outcome::Failed(Failure::of(2709)), &[]);
    let mut expected = vec![0xA4, 0x02, 0x45];
    expected.extend(b"nonce");
    expected.extend([0x03, 0x80, 0x04, 0xA3, 0x05, 0x19, 0x0A, 0x95]);
    expected.extend([0x06, 0x85, 0x80, 0x14, 0x00, 0x00, 0xA0, 0x07, 0x0B]);
    expected.extend([0x18, 0x63, 0x82, 0x74]);
    expected.extend(b"https://fw.example/m");
    expected.extend([0x82, 0x2F, 0x58, 0x20]);
    expected.extend([7; 32]);
    let payload = Reader::new(&message, &LIMITS).and_then(|mut reader| {
        reader.tag()?;
        reader.array()?;
        reader.skip()?;
        reader.skip()?;
        reader.bytes()
    });
    assert_eq!(payload, Ok(&expected[..]));
}

#[test]
fn no_bit_of_a_report_can_be_changed() {
    let message = message(Outcome::Done, &[]);
    let mut scratch = [0; 2048];
    let good = verify(&message, &keys().1, &mut scratch).unwrap().manifest_digest;
    assert_eq!(good, &[7; 32]);
    // Only the unprotected header, with the key identifier, is outside the signature; it decides nothing.
    let mut reader = Reader::new(&message, &LIMITS).unwrap();
    reader.tag().unwrap();
    reader.array().unwrap();
    reader.skip().unwrap();
    let from = reader.offset();
    let unsigned = from..from + reader.skip().unwrap().len();
    for bit in 0..message.len() * 8 {
        let mut bad = message.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(received) = verify(&bad, &keys().1, &mut scratch) {
            assert!(unsigned.contains(&(bit / 8)), "bit {bit}");
            assert_eq!(received.outcome, Outcome::Done);
        }
    }
}

#[test]
fn every_reason_has_its_number_and_every_error_a_reason() {
    for number in 0..=12 {
        assert_eq!(Reason::from_number(number).map(Reason::number), Some(number));
    }
    assert_eq!(Reason::from_number(13), None);
    let of = |error: UpdateError| Reason::of(error.code());
    assert_eq!(of(UpdateError::Threshold), Reason::Unauthorised);
    assert_eq!(of(UpdateError::CommandUnknown), Reason::CommandUnsupported);
    assert_eq!(of(UpdateError::ParameterUnknown), Reason::ParameterUnsupported);
    assert_eq!(of(UpdateError::ComponentUnknown), Reason::ComponentUnsupported);
    assert_eq!(of(UpdateError::ElementAbsent), Reason::SeveringUnsupported);
    assert_eq!(of(UpdateError::WrongClass), Reason::ConditionFailed);
    assert_eq!(of(UpdateError::DigestAlgorithm), Reason::AlgorithmUnsupported);
    assert_eq!(of(UpdateError::Method), Reason::CoseUnsupported);
    assert_eq!(
        Reason::of(InstallError::PayloadDigest.code()),
        Reason::OperationFailed
    );
}
