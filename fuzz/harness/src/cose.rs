//! COSE messages and keys.

use iotsec_core::{
    cbor::Limits,
    cose::{Algorithm, ContentType, CoseError, Encrypt0, Key, Sign1, Sign1Builder},
    crypto::{
        Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, KeyType, P256PublicKey,
        P256SigningKey, Sign, Verify,
    },
    secret::Secret,
};

use crate::{
    Seed,
    model::{self, Value},
};

const LIMITS: Limits = Limits {
    depth: 8,
    items: 256,
    bytes: 4096,
};

/// The only payloads that the harness's keys ever signed or sealed.
const PAYLOADS: [&[u8]; 2] = [b"lamp on, says its maker", b""];
const AAD: &[u8] = b"context";

fn ed25519(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn p256() -> P256SigningKey {
    P256SigningKey::from_scalar(&Secret::from_bytes([7; 32])).expect("a scalar in range")
}

/// A message verifies only under the key that signed it, over what that key signed, in its context; and
/// then a verification built from the model's view of the message agrees.
pub fn sign1(input: &[u8]) -> bool {
    let Ok(message) = Sign1::parse(input, &LIMITS) else {
        return false;
    };
    let parts = Parts::of(input, 18, 4).expect("what parses has the shape of the message");
    let algorithm = message.headers().algorithm.expect("parse demands one");
    assert_eq!(
        parts.algorithm(),
        Some(algorithm.id()),
        "from the protected header only"
    );

    let maker = Ed25519PublicKey::from_bytes(ed25519(1).public_key()).expect("a good key");
    let stranger = Ed25519PublicKey::from_bytes(ed25519(2).public_key()).expect("a good key");
    let maker_p256 = P256PublicKey::from_sec1(p256().public_key()).expect("a good key");
    let mut scratch = vec![0; input.len() + 256];
    let mut accepted = false;
    for (key, is_ours) in [
        (&maker as &dyn Verify, true),
        (&maker_p256, true),
        (&stranger, false),
    ] {
        let attached = message.verify(key, AAD, &mut scratch);
        let detached = PAYLOADS.map(|payload| message.verify_detached(key, payload, AAD, &mut scratch));
        let detached_ok = detached.iter().any(Result::is_ok);
        match &parts.content {
            Some(payload) => {
                let expected = algorithm.key_type() == Some(key.key_type())
                    && key
                        .verify(&parts.structure("Signature1", AAD, Some(payload)), &parts.last)
                        .is_ok();
                assert_eq!(attached.is_ok(), expected);
                assert!(
                    detached
                        .iter()
                        .all(|result| result.as_ref().err() == Some(&CoseError::Payload))
                );
            }
            None => assert_eq!(attached.as_ref().err(), Some(&CoseError::Payload)),
        }
        if let Ok(verified) = &attached {
            assert!(PAYLOADS.contains(&verified.payload()), "forged");
        }
        assert!(is_ours || (attached.is_err() && !detached_ok), "a stranger's key");
        if algorithm.key_type() != Some(key.key_type()) {
            assert!(
                attached.is_err() && !detached_ok,
                "algorithm and key of different types"
            );
        }
        accepted |= attached.is_ok() || detached_ok;
        let elsewhere = message.verify(key, b"another context", &mut scratch);
        assert!(elsewhere.is_err());
    }
    accepted
}

/// A message opens only under its key and its cipher and in its context, to what was sealed; a failure
/// leaves no plaintext behind.
pub fn encrypt0(input: &[u8]) -> bool {
    let Ok(message) = Encrypt0::parse(input, &LIMITS) else {
        return false;
    };
    let parts = Parts::of(input, 16, 3).expect("what parses has the shape of the message");
    let algorithm = message.headers().algorithm.expect("parse demands one");
    assert_eq!(
        parts.algorithm(),
        Some(algorithm.id()),
        "from the protected header only"
    );

    let mut plain = vec![0; input.len()];
    let key = Secret::from_bytes([9; 32]);
    let opened = message.open(&ChaCha20Poly1305, &key, AAD, &mut plain);
    let accepted = match opened {
        Ok(payload) => {
            assert!(PAYLOADS.contains(&payload), "forged");
            assert_eq!(algorithm, Algorithm::ChaCha20Poly1305);
            true
        }
        Err(_) => {
            assert!(
                !plain
                    .windows(PAYLOADS[0].len())
                    .any(|window| window == PAYLOADS[0])
            );
            false
        }
    };
    let other_key = Secret::from_bytes([8; 32]);
    let refused = |result: Result<&[u8], CoseError>| assert!(result.is_err());
    refused(message.open(&ChaCha20Poly1305, &other_key, AAD, &mut plain));
    refused(message.open(&ChaCha20Poly1305, &key, b"another context", &mut plain));
    refused(message.open(&Aes256GcmSiv, &key, AAD, &mut plain));
    refused(
        message
            .open(&ChaCha20Poly1305, &key, AAD, &mut [])
            .and_then(|plain| {
                if plain.is_empty() {
                    // An empty plaintext fits in no bytes at all.
                    Err(CoseError::Scratch)
                } else {
                    Ok(plain)
                }
            }),
    );
    accepted
}

/// A key that reads has the algorithm of its type, and comes back from its own encoding the same.
pub fn key(input: &[u8]) -> bool {
    let Ok(key) = Key::parse(input) else {
        return false;
    };
    let value = model::decode(input).expect("strict CBOR");
    assert_eq!(value.at(-2).and_then(Value::bytes), Some(&key.x()[..]));
    assert_eq!(value.at(2).and_then(Value::bytes), key.kid());
    assert_eq!(value.at(-4).and_then(Value::bytes), key.secret().map(|d| &d[..]));
    let expected_type = match key.y() {
        Some(_) => KeyType::P256,
        None => KeyType::Ed25519,
    };
    assert_eq!(key.key_type(), expected_type);
    let mut out = vec![0; Key::MAX_LEN + key.kid().map_or(0, <[u8]>::len)];
    let written = key.write(&mut out).expect("room for any kid");
    let again = Key::parse(written).expect("what is written reads");
    assert_eq!((again.kid(), again.x(), again.y()), (key.kid(), key.x(), key.y()));
    assert_eq!((again.key_type(), again.secret()), (key.key_type(), key.secret()));
    true
}

/// A message as the model sees it.
struct Parts {
    protected: Vec<u8>,
    /// The payload of a Sign1.
    content: Option<Vec<u8>>,
    /// The signature of a Sign1, the ciphertext of an Encrypt0.
    last: Vec<u8>,
}

impl Parts {
    fn of(input: &[u8], tag: u64, len: usize) -> Option<Self> {
        let Value::Tag(found, array) = model::decode(input)? else {
            return None;
        };
        let Value::Array(elements) = *array else {
            return None;
        };
        let content = if len == 4 { elements.get(2)?.bytes() } else { None };
        let has_shape = found == tag && elements.len() == len && matches!(elements.get(1)?, Value::Map(_));
        has_shape.then_some(Self {
            protected: elements.first()?.bytes()?.to_vec(),
            content: content.map(<[u8]>::to_vec),
            last: elements.last()?.bytes()?.to_vec(),
        })
    }

    fn algorithm(&self) -> Option<i64> {
        match model::decode(&self.protected)?.at(1)? {
            Value::Uint(id) => i64::try_from(*id).ok(),
            Value::Nint(id) => i64::try_from(*id).ok().map(|id| -1 - id),
            _ => None,
        }
    }

    /// Sig_structure or Enc_structure, by another encoder.
    fn structure(&self, context: &str, aad: &[u8], content: Option<&[u8]>) -> Vec<u8> {
        use ciborium::Value;
        let mut parts = vec![
            Value::Text(context.to_owned()),
            Value::Bytes(self.protected.clone()),
            Value::Bytes(aad.to_vec()),
        ];
        parts.extend(content.map(|content| Value::Bytes(content.to_vec())));
        let mut out = Vec::new();
        ciborium::into_writer(&Value::Array(parts), &mut out).expect("a vector has room");
        out
    }
}

fn signed(builder: Sign1Builder<'_>, key: &dyn Sign, payload: &[u8], attached: bool) -> Vec<u8> {
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    let message = if attached {
        builder.sign(key, payload, AAD, &mut scratch, &mut out)
    } else {
        builder.sign_detached(key, payload, AAD, &mut scratch, &mut out)
    };
    message.expect("the buffers are large enough").to_vec()
}

/// Replaces one run of bytes by another of the same length.
fn patched(message: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = message
        .windows(from.len())
        .position(|window| window == from)
        .expect("the bytes are there");
    [&message[..at], to, &message[at + from.len()..]].concat()
}

/// Messages of the harness's keys, and ones that just miss.
#[must_use]
pub fn sign1_seeds() -> Vec<Seed> {
    let plain = Sign1Builder::new();
    let full = plain.kid(b"maker-1").content_type(ContentType::Coap(60));
    let media = plain.content_type(ContentType::Media("text/plain"));
    let good = signed(full, &ed25519(1), PAYLOADS[0], true);
    vec![
        Seed::new("valid-detached", signed(plain, &ed25519(1), PAYLOADS[0], false)),
        Seed::new(
            "valid-empty-payload",
            signed(media, &ed25519(1), PAYLOADS[1], true),
        ),
        Seed::new("valid-p256", signed(full, &p256(), PAYLOADS[0], true)),
        Seed::new("near-other-key", signed(full, &ed25519(3), PAYLOADS[0], true)),
        Seed::new("near-other-payload", patched(&good, b"lamp on", b"lamp oN")),
        // Ed25519 in the protected header replaced by ESP256.
        Seed::new(
            "near-other-algorithm",
            patched(&good, &[0x01, 0x32], &[0x01, 0x28]),
        ),
        Seed::new("near-trailing", [good.as_slice(), &[0]].concat()),
        Seed::new("near-untagged", &good[1..]),
        Seed::new("near-mac-tag", [&[0xD1], &good[1..]].concat()),
        // protected: {1: -19, 2: [9]}, which names a critical header that nobody knows.
        Seed::new(
            "near-critical",
            [
                &[
                    0xD2, 0x84, 0x46, 0xA2, 0x01, 0x32, 0x02, 0x81, 0x09, 0xA0, 0x41, 0x00, 0x58, 0x40,
                ][..],
                &[0; 64],
            ]
            .concat(),
        ),
        // The algorithm in the unprotected header.
        Seed::new(
            "near-unprotected-algorithm",
            [
                &[0xD2, 0x84, 0x40, 0xA1, 0x01, 0x32, 0x41, 0x00, 0x58, 0x40][..],
                &[0; 64],
            ]
            .concat(),
        ),
        Seed::new("valid-attached", good),
    ]
}

/// Sealed messages of the harness's key, and ones that just miss.
#[must_use]
pub fn encrypt0_seeds() -> Vec<Seed> {
    let seal = |key: u8, payload: &[u8]| {
        let mut out = [0; 256];
        let key = Secret::from_bytes([key; 32]);
        Encrypt0::seal(
            &ChaCha20Poly1305,
            &key,
            &[1; 12],
            b"batch",
            AAD,
            payload,
            &mut out,
        )
        .expect("the buffer is large enough")
        .to_vec()
    };
    let good = seal(9, PAYLOADS[0]);
    let mut tampered = good.clone();
    if let Some(last) = tampered.last_mut() {
        *last ^= 1;
    }
    vec![
        Seed::new("valid-empty", seal(9, PAYLOADS[1])),
        Seed::new("near-other-key", seal(7, PAYLOADS[0])),
        Seed::new("near-tag", tampered),
        Seed::new(
            "near-other-algorithm",
            patched(&good, &[0x01, 0x18, 0x18], &[0x01, 0x18, 0x19]),
        ),
        Seed::new(
            "near-short-iv",
            patched(&good, &[0x05, 0x4C, 0x01], &[0x05, 0x4B, 0x01]),
        ),
        Seed::new("near-cut", &good[..good.len() - 20]),
        Seed::new("valid-payload", good),
    ]
}

/// Keys of both types.
#[must_use]
pub fn key_seeds() -> Vec<Seed> {
    let write = |key: Key<'_>| {
        key.write(&mut [0; Key::MAX_LEN])
            .expect("room for any key")
            .to_vec()
    };
    let (x, y, d) = ([1; 32], [2; 32], [3; 32]);
    let good = write(Key::ed25519(&x).with_kid(b"maker-1"));
    vec![
        Seed::new("valid-ed25519-secret", write(Key::ed25519(&x).with_secret(&d))),
        Seed::new(
            "valid-p256",
            write(Key::p256(&x, &y).with_kid(b"k").with_secret(&d)),
        ),
        Seed::new("near-curve", patched(&good, &[0x20, 0x06], &[0x20, 0x01])),
        Seed::new("near-algorithm", patched(&good, &[0x03, 0x32], &[0x03, 0x28])),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("valid-ed25519", good),
    ]
}
