//! Requests, public keys and certificates as another implementation makes them.

#[path = "support/vector_file.rs"]
mod vector_file;

use iotsec_core::{
    crypto::{Ed25519SigningKey, P256PublicKey, P256SigningKey, Sign, Verify},
    identity::{CertificateKey, CertificationRequest, IdentityError, Subject, SubjectPublicKey},
    secret::Secret,
};
use serde_json::Value;
use vector_file::hex;

fn key(case: &Value) -> Box<dyn Sign> {
    let secret = Secret::from_slice(&hex(&case["secret"])).unwrap();
    match case["key"].as_str().unwrap() {
        "Ed25519" => Box::new(Ed25519SigningKey::from_seed(&secret)),
        "P-256" => Box::new(P256SigningKey::from_scalar(&secret).unwrap()),
        other => panic!("{other}"),
    }
}

fn subject(value: &Value) -> Subject<'_> {
    let mut subject = Subject::new(value["serial"].as_str().unwrap()).unwrap();
    if let Some(name) = value["common_name"].as_str() {
        subject = subject.common_name(name).unwrap();
    }
    if let Some(name) = value["organization"].as_str() {
        subject = subject.organization(name).unwrap();
    }
    subject
}

/// ECDSA-Sig-Value back to r‖s.
fn raw(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let len = usize::from(rest[1]);
        let digits = &rest[2..2 + len];
        assert!(
            digits[0] < 0x80 && (digits[0] > 0 || digits[1] >= 0x80),
            "not shortest"
        );
        let digits = digits.strip_prefix(&[0]).unwrap_or(digits);
        out.extend(std::iter::repeat_n(0, 32 - digits.len()));
        out.extend(digits);
        rest = &rest[2 + len..];
    }
    assert!(rest.is_empty());
    out
}

#[test]
fn requests_are_those_of_another_implementation() {
    let file = vector_file::read("identity/request.json");
    let cases = file["requests"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let key = key(case);
        let mut out = [0; CertificationRequest::MAX_LEN];
        let der = CertificationRequest::write(&subject(&case["subject"]), &*key, &mut out).unwrap();
        let info = hex(&case["info"]);
        if let Some(whole) = case.get("request") {
            assert_eq!(der, hex(whole));
        } else {
            let at = der.windows(info.len()).position(|part| part == info).unwrap();
            let tail = &der[at + info.len()..];
            assert_eq!(
                tail[..12],
                [0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]
            );
            let public = P256PublicKey::from_sec1(key.public_key()).unwrap();
            public.verify(&info, &raw(&tail[15..])).unwrap();
        }
        // One byte less is too little, and says so.
        let len = der.len();
        for short in 0..len {
            let mut out = vec![0; short];
            let refused = CertificationRequest::write(&subject(&case["subject"]), &*key, &mut out);
            assert_eq!(refused.err(), Some(IdentityError::BufferFull), "{short}");
        }
    }
}

#[test]
fn public_keys_are_those_of_another_implementation() {
    for case in vector_file::read("identity/request.json")["requests"]
        .as_array()
        .unwrap()
    {
        let key = key(case);
        let mut out = [0; SubjectPublicKey::MAX_LEN];
        let der = SubjectPublicKey::of(&*key).unwrap().write(&mut out).unwrap();
        assert_eq!(der, hex(&case["spki"]));
    }
}

#[test]
fn a_certificate_tells_its_key_and_no_cut_or_longer_one_does() {
    let file = vector_file::read("identity/request.json");
    let requests = file["requests"].as_array().unwrap();
    let certificates = file["certificates"].as_array().unwrap();
    assert_eq!(certificates.len(), 8);
    for (at, case) in certificates.iter().enumerate() {
        let der = hex(&case["certificate"]);
        let found = CertificateKey::of(&der).unwrap();
        let mut out = [0; SubjectPublicKey::MAX_LEN];
        assert_eq!(found.public_key().write(&mut out).unwrap(), hex(&case["spki"]));
        for (other, request) in requests.iter().enumerate() {
            let expected = if at == other {
                Ok(())
            } else {
                Err(IdentityError::ForeignKey)
            };
            assert_eq!(found.must_be(&*key(request)), expected);
        }
        for len in 0..der.len() {
            assert_eq!(
                CertificateKey::of(&der[..len]).err(),
                Some(IdentityError::Certificate)
            );
        }
        let longer = [&der[..], &[0]].concat();
        assert_eq!(
            CertificateKey::of(&longer).err(),
            Some(IdentityError::Certificate)
        );
    }
}
