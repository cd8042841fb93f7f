//! Requests for certificates, certificates, attestation tokens.

use iotsec_core::{
    attest::{Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce, Token},
    crypto::{Ed25519PublicKey, Ed25519SigningKey, P256PublicKey, P256SigningKey, Sha256, Sign, Verify},
    identity::{CertificateKey, CertificationRequest, Subject, SubjectPublicKey},
    secret::Secret,
};

use crate::Seed;

const NONCE: [u8; 32] = [0x5A; 32];

fn ed25519() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

fn p256() -> P256SigningKey {
    P256SigningKey::from_scalar(&Secret::from_bytes([7; 32])).expect("a scalar in range")
}

/// The input is a serial number, and behind a zero byte each a common name and an organization. Whatever subject is
/// taken, the request is DER to another reader, has these texts and the key in it, and is signed by that key.
pub fn request(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else {
        return false;
    };
    let mut parts = text.splitn(3, '\0');
    let serial = parts.next().unwrap_or_default();
    let (name, organization) = (parts.next(), parts.next());
    let Ok(mut subject) = Subject::new(serial) else {
        return false;
    };
    for (part, with) in [
        (name, Subject::common_name as fn(_, _) -> _),
        (organization, Subject::organization),
    ] {
        if let Some(text) = part {
            match with(subject, text) {
                Ok(longer) => subject = longer,
                Err(_) => return false,
            }
        }
    }
    let (ed25519, p256) = (ed25519(), p256());
    for key in [&ed25519 as &dyn Sign, &p256] {
        let mut out = [0; CertificationRequest::MAX_LEN];
        let der = CertificationRequest::write(&subject, key, &mut out).expect("the stated length is enough");
        let mut texts = Vec::new();
        let (whole, rest) = tree(der, &mut texts);
        assert!(rest.is_empty(), "nothing behind it");
        let expected: Vec<&str> = [organization, name, Some(serial)].into_iter().flatten().collect();
        assert_eq!(texts, expected);
        let (info, tail) = next(whole);
        let (algorithm, tail) = next(tail);
        let (bits, end) = next(tail);
        assert!(end.is_empty() && algorithm[0] == 0x30 && bits[0] == 3);
        let signature = &body(bits)[1..];
        let mut spki = [0; SubjectPublicKey::MAX_LEN];
        let spki = SubjectPublicKey::of(key)
            .expect("a supported key")
            .write(&mut spki)
            .expect("it fits");
        assert!(info.windows(spki.len()).any(|part| part == spki));
        if signature.len() == 64 {
            let public = Ed25519PublicKey::from_bytes(key.public_key()).expect("a good key");
            public.verify(info, signature).expect("signed by its key");
        } else {
            let (r, s) = next(body(signature));
            let raw = [scalar(body(r)), scalar(body(s))].concat();
            let public = P256PublicKey::from_sec1(key.public_key()).expect("a good key");
            public.verify(info, &raw).expect("signed by its key");
        }
    }
    true
}

fn scalar(integer: &[u8]) -> [u8; 32] {
    let digits = integer.strip_prefix(&[0]).unwrap_or(integer);
    let mut out = [0; 32];
    out[32 - digits.len()..].copy_from_slice(digits);
    out
}

/// Head and content of the first value, with what follows.
fn next(input: &[u8]) -> (&[u8], &[u8]) {
    let head = input.len() - body_and_rest(input).0.len() - body_and_rest(input).1.len();
    input.split_at(head + body_and_rest(input).0.len())
}

fn body(value: &[u8]) -> &[u8] {
    body_and_rest(value).0
}

fn body_and_rest(input: &[u8]) -> (&[u8], &[u8]) {
    let (len, from) = match input[1] {
        0x82 => (usize::from(input[2]) * 256 + usize::from(input[3]), 4),
        0x81 => (usize::from(input[2]), 3),
        short => (usize::from(short), 2),
    };
    assert!(from == 2 || len >= [128, 256][from - 3], "shortest form");
    input[from..].split_at(len)
}

/// Walks through a value and collects its texts; its content, and what follows it.
fn tree<'a>(input: &'a [u8], texts: &mut Vec<&'a str>) -> (&'a [u8], &'a [u8]) {
    let (content, rest) = body_and_rest(input);
    match input[0] {
        0x0C | 0x13 => texts.push(core::str::from_utf8(content).expect("text")),
        constructed if constructed & 0x20 != 0 => {
            let mut inside = content;
            while !inside.is_empty() {
                inside = tree(inside, texts).1;
            }
        }
        _ => {}
    }
    (content, rest)
}

/// A certificate tells a key only if the key's SubjectPublicKeyInfo stands in it, whole.
pub fn certificate(input: &[u8]) -> bool {
    let Ok(found) = CertificateKey::of(input) else {
        return false;
    };
    let mut out = [0; SubjectPublicKey::MAX_LEN];
    let spki = found
        .public_key()
        .write(&mut out)
        .expect("the stated length is enough");
    assert!(input.windows(spki.len()).any(|part| part == spki));
    let ours = found.must_be(&ed25519()).is_ok();
    assert_eq!(ours, found.public_key().key() == ed25519().public_key());
    true
}

/// A token verifies only under the key that signed it, and that key signed only the tokens of the seeds.
pub fn token(input: &[u8]) -> bool {
    let Ok(token) = Token::parse(input) else {
        return false;
    };
    let ed25519 = Ed25519PublicKey::from_bytes(ed25519().public_key()).expect("a good key");
    let p256 = P256PublicKey::from_sec1(p256().public_key()).expect("a good key");
    let nonce = Nonce::new(&NONCE).expect("a good length");
    let mut scratch = vec![0; input.len() + 256];
    let mut accepted = false;
    for (key, at) in [(&ed25519 as &dyn Verify, 0), (&p256, 1)] {
        let Ok(evidence) = token.verify(key, nonce, &mut Sha256::new(), &mut scratch) else {
            continue;
        };
        accepted = true;
        assert_eq!(input, tokens()[at], "signed by the harness, byte for byte");
        assert_eq!(evidence.instance_id(), token.instance_id());
        assert_eq!(evidence.components().count(), 2);
        assert_eq!(
            evidence.manifest().and_then(|manifest| manifest.version),
            Some("42")
        );
    }
    accepted
}

fn tokens() -> [Vec<u8>; 2] {
    let components = [
        Component::image("App", &[2; 32], "1.4.2", &[3; 32]),
        Component::manifest(&[4; 32], "42", &[3; 32]),
    ];
    let (ed25519, p256) = (ed25519(), p256());
    [&ed25519 as &dyn Sign, &p256].map(|key| {
        let claims = Claims {
            nonce: Nonce::new(&NONCE).expect("a good length"),
            instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
            implementation_id: &[9; 32],
            client_id: 1,
            lifecycle: Lifecycle::new(LifecycleState::Secured, 0),
            components: &components,
            boot_seed: None,
            boot_seed_for_tfm: false,
            certification: None,
            service: None,
        };
        let (mut scratch, mut out) = ([0; 2048], [0; 1024]);
        claims
            .sign(key, &mut scratch, &mut out)
            .expect("good claims")
            .to_vec()
    })
}

/// Seeds of [`request`].
pub fn request_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-serial", "LAMP-0042"),
        Seed::new("valid-all", "LAMP-0042\0Lampe № 2\0Example Ltd"),
        Seed::new("valid-longest", format!("{0}\0{0}\0{0}", "x".repeat(64))),
        Seed::new("near-empty", ""),
        Seed::new("near-underscore", "LAMP_0042"),
        Seed::new("near-longer", "x".repeat(65)),
        Seed::new("near-control", "1\0a\u{7}"),
    ]
}

/// Seeds of [`certificate`].
pub fn certificate_seeds() -> Vec<Seed> {
    let key = ed25519();
    let mut spki = [0; SubjectPublicKey::MAX_LEN];
    let spki = SubjectPublicKey::of(&key).and_then(|key| key.write(&mut spki).map(<[u8]>::to_vec));
    let wrap = |parts: &[&[u8]]| {
        let content = parts.concat();
        let len = u8::try_from(content.len()).expect("a short one");
        [&[0x30, len][..], &content].concat()
    };
    let signed = wrap(&[
        &[0xA0, 3, 2, 1, 2, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0],
        &spki.expect("a supported key"),
    ]);
    let good = wrap(&[&signed, &[0x30, 0, 3, 1, 0]]);
    let mut old = good.clone();
    let version = old
        .windows(5)
        .position(|part| part == [0xA0, 3, 2, 1, 2])
        .expect("it is there");
    old[version + 4] = 0;
    vec![
        Seed::new("near-version-1", old),
        Seed::new("near-longer", [&good[..], &[0]].concat()),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("valid-shortest", good),
    ]
}

/// Seeds of [`token`].
pub fn token_seeds() -> Vec<Seed> {
    let [ed25519, p256] = tokens();
    let mut forged = p256.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    vec![
        Seed::new("near-forged", forged),
        Seed::new("near-untagged", &p256[1..]),
        Seed::new("valid-ed25519", ed25519),
        Seed::new("valid-p256", p256),
    ]
}
