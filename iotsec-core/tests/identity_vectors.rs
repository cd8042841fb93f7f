//! Requests, public keys and certificates as another implementation makes them.

#[path = "support/vector_file.rs"]
mod vector_file;

use iotsec_core::{
    attest::{AttestError, BootSeed, Claims, Component, InstanceId, Lifecycle, Nonce, Token},
    cbor::{Kind, Limits},
    cose::{Algorithm, CoseError, Sign1, Sign1Builder},
    crypto::{Ed25519SigningKey, P256PublicKey, P256SigningKey, Sha512, Sign, SigningKey, Verify},
    identity::{
        CertificateKey, CertificationRequest, DiceInputs, DiceLayer, DiceMode, IdentityError, Subject,
        SubjectPublicKey, dice_id,
    },
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

/// Public key and identifier of a layer, in hexadecimal.
fn named<K: SigningKey>(layer: &DiceLayer) -> (Vec<u8>, String) {
    let mut hash = Sha512::new();
    let key: K = layer.key(&mut hash).unwrap();
    let id = dice_id(key.public_key(), &mut hash).unwrap();
    let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
    (key.public_key().to_vec(), id)
}

#[test]
fn dice_layers_are_those_of_open_dice() {
    let file = vector_file::read("identity/open_dice.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let wide = |name: &str| <[u8; 64]>::try_from(hex(&case[name])).unwrap();
        let secret = |name: &str| Secret::from_slice(&hex(&case[name])).unwrap();
        let layer = DiceLayer::from_cdis(secret("attest"), secret("seal"));
        let inputs = DiceInputs {
            code: &wide("code"),
            config: &wide("config"),
            authority: &wide("authority"),
            mode: DiceMode::NotConfigured,
            hidden: &Secret::zero(),
        };
        assert_eq!(case["mode"], inputs.mode.number());
        let next = layer.next(&inputs, &mut Sha512::new()).unwrap();
        assert!(next.attest().ct_eq(&secret("next_attest")), "{}", case["name"]);
        assert!(next.seal().ct_eq(&secret("next_seal")), "{}", case["name"]);
        let found = [
            (
                "Ed25519",
                named::<Ed25519SigningKey>(&next),
                named::<Ed25519SigningKey>(&layer),
            ),
            (
                "P256",
                named::<P256SigningKey>(&next),
                named::<P256SigningKey>(&layer),
            ),
        ];
        for (kind, (public, id), (_, parent)) in found {
            assert_eq!(public, hex(&case[kind]["public"]), "{kind}");
            assert_eq!(case[kind]["id"], id);
            assert_eq!(case[kind]["parent_id"], parent);
        }
    }
}

#[test]
fn every_input_makes_another_layer_and_only_the_stable_ones_another_seal() {
    let mut hash = Sha512::new();
    let (zero, one) = ([0; 64], [1; 64]);
    let hidden = Secret::zero();
    let base = DiceInputs {
        code: &zero,
        config: &zero,
        authority: &zero,
        mode: DiceMode::Normal,
        hidden: &hidden,
    };
    let rom = DiceLayer::from_uds(&Secret::from_bytes([7; 32]));
    let first = rom.next(&base, &mut hash).unwrap();
    let other_hidden = Secret::from_bytes(one);
    for (changed, seal_stays) in [
        (DiceInputs { code: &one, ..base }, true),
        (DiceInputs { config: &one, ..base }, true),
        (
            DiceInputs {
                authority: &one,
                ..base
            },
            false,
        ),
        (
            DiceInputs {
                mode: DiceMode::Debug,
                ..base
            },
            false,
        ),
        (
            DiceInputs {
                hidden: &other_hidden,
                ..base
            },
            false,
        ),
    ] {
        let next = rom.next(&changed, &mut hash).unwrap();
        assert!(!next.attest().ct_eq(first.attest()));
        assert_eq!(next.seal().ct_eq(first.seal()), seal_stays);
    }
}

/// The payload in the RFC has its claims in another order than the deterministic one, so it is refused here; its claims
/// are those that we write, and its signature is genuine.
#[test]
fn the_token_of_rfc_9783_has_our_claims_in_another_order() {
    let file = vector_file::read("identity/psa_token.json");
    let public = P256PublicKey::from_sec1(&hex(&file["public_key"])).unwrap();
    let token = hex(&file["token"]);
    let envelope = Sign1::parse(&token, &Limits::SMALL).unwrap();
    let mut scratch = [0; 1024];
    envelope.verify(&public, b"", &mut scratch).unwrap();
    let refused = Token::parse(&token).err();
    assert!(matches!(
        refused,
        Some(AttestError::Cose(CoseError::Encoding(error))) if error.kind == Kind::Unsorted
    ));

    let (nonce, seed) = (hex(&file["nonce"]), hex(&file["boot_seed"]));
    let component = &file["component"];
    let (digest, signer) = (hex(&component["digest"]), hex(&component["signer"]));
    let components = [Component {
        role: component["role"].as_str(),
        digest: &digest,
        version: None,
        signer: &signer,
        hash: None,
    }];
    let claims = Claims {
        nonce: Nonce::new(&nonce).unwrap(),
        instance_id: InstanceId::from_bytes(hex(&file["instance_id"]).try_into().unwrap()).unwrap(),
        implementation_id: &hex(&file["implementation_id"]).try_into().unwrap(),
        client_id: file["client_id"].as_i64().unwrap().try_into().unwrap(),
        lifecycle: Lifecycle::from_number(file["lifecycle"].as_u64().unwrap().try_into().unwrap()).unwrap(),
        components: &components,
        boot_seed: Some(BootSeed::new(&seed).unwrap()),
        boot_seed_for_tfm: false,
        certification: None,
        service: None,
    };
    let secret = Secret::from_slice(&hex(&file["secret_key"])).unwrap();
    let key = P256SigningKey::from_scalar(&secret).unwrap();
    let mut out = [0; 1024];
    let ours = claims.sign(&key, &mut scratch, &mut out).unwrap();
    let mut expected = [0; 1024];
    let expected = Sign1Builder::new()
        .algorithm(Algorithm::Es256)
        .sign(
            &key,
            &hex(&file["claims_in_order"]),
            b"",
            &mut [0; 1024],
            &mut expected,
        )
        .unwrap();
    assert_eq!(ours, expected);
    // The same header too.
    assert_eq!(ours[..9], token[..9]);
}
