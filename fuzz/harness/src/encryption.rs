//! Encrypted payloads: the encryption info of a manifest, and the payload that comes after it.

use iotsec_core::{
    cose::{Encrypt, EncryptBuilder, EncryptTo, RecipientKey},
    crypto::{
        Aes128Ctr, Aes128KeyWrap, Aes128WrappingKey, ChaCha20Poly1305Stream, ContentAlgorithm,
        ContentDecrypt, ContentEncrypt, HkdfSha256, KeyAgreement, P256AgreementKey, X25519Key,
    },
    secret::Secret,
};
use iotsec_testkit::SimRng;
use iotsec_update::payload::{Decode, Decrypt, PayloadError, Plain, Transport};

use crate::{Seed, model, model::Value};

/// The only contents that the harness ever encrypted with an authenticated cipher.
const CONTENTS: [&[u8]; 2] = [
    b"",
    b"an image of more than sixty-four bytes, so that it takes two rounds",
];

fn p256(seed: u8) -> P256AgreementKey {
    P256AgreementKey::from_scalar(&Secret::from_bytes([seed; 32])).expect("a scalar in range")
}

fn x25519(seed: u8) -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([seed; 32]))
}

/// Two bytes of length, the encryption info of that length, and the payload.
///
/// An info that is read says what the model sees in it, and opens for its recipients only. Of an
/// authenticated cipher nothing ends well but what was encrypted; of counter mode, going on from a saved
/// state makes the same image. The image never has more bytes than was said.
pub fn payload(input: &[u8]) -> bool {
    let Some((len, rest)) = input.split_first_chunk() else {
        return false;
    };
    let Some((info, payload)) = rest.split_at_checked(u16::from_be_bytes(*len).into()) else {
        return false;
    };
    let Ok(message) = Encrypt::parse(info) else {
        return false;
    };
    agrees_with_the_model(&message, info);

    let (kek, point, scalar) = (
        Aes128WrappingKey::new(Secret::from_bytes([1; 16])),
        p256(1),
        x25519(1),
    );
    let keys = [
        RecipientKey::wrap(&kek),
        RecipientKey::agreement(&point, &HkdfSha256, &Aes128KeyWrap),
        RecipientKey::agreement(&scalar, &HkdfSha256, &Aes128KeyWrap).with_kid(b"lamp"),
    ];
    let mut accepted = false;
    for key in keys {
        let mut cipher: Box<dyn ContentDecrypt> = match message.algorithm() {
            ContentAlgorithm::Aes128Ctr => Box::new(Aes128Ctr::new()),
            _ => Box::new(ChaCha20Poly1305Stream::new()),
        };
        let Ok(image) = decrypted(key, cipher.as_mut(), info, payload, None) else {
            continue;
        };
        if message.algorithm().is_authenticated() {
            assert!(CONTENTS.contains(&image.as_slice()), "forged");
        } else {
            let cut = image.len() / 2;
            let again = decrypted(key, cipher.as_mut(), info, payload, Some(cut));
            assert_eq!(again.as_ref(), Ok(&image), "cut at {cut}");
        }
        accepted = true;
    }
    let stranger = x25519(2);
    let stranger = RecipientKey::agreement(&stranger, &HkdfSha256, &Aes128KeyWrap);
    assert!(message.start(&stranger, &mut Aes128Ctr::new()).is_err());
    accepted
}

/// The image, made in one go, or with a reset after `cut` bytes of it.
fn decrypted(
    key: RecipientKey<'_>,
    cipher: &mut dyn ContentDecrypt,
    info: &[u8],
    payload: &[u8],
    cut: Option<usize>,
) -> Result<Vec<u8>, PayloadError> {
    let tag = cipher.algorithm().tag_len();
    let size = payload.len().saturating_sub(tag);
    let transport = Transport {
        digest: Some(&[0; 32]),
        encryption: Some(info),
        ..Transport::plain(u32::try_from(payload.len()).expect("a short input"))
    };
    let image_size = u32::try_from(size).expect("a short input");
    let mut decoder = Decrypt::new(key, cipher, Plain::default());
    decoder.begin(&transport, image_size)?;
    let mut image = vec![0; size];
    let (mut taken, mut given) = (0, 0);
    if let Some(cut) = cut {
        let step = decoder.decode(payload, &mut image[..cut], &mut &b""[..])?;
        given = step.given;
        let mut state = [0; 16];
        let saved = decoder.save(&mut state).expect("counter mode goes on");
        decoder.begin(&transport, image_size)?;
        let offset = decoder.restore(&state[..saved.len])?;
        assert_eq!(offset, saved.payload_offset);
        taken = usize::try_from(offset).expect("within the payload");
    }
    while taken < payload.len() {
        let step = decoder.decode(&payload[taken..], &mut image[given..], &mut &b""[..])?;
        assert!(step.taken > 0 || step.given > 0, "no progress");
        taken += step.taken;
        given += step.given;
    }
    decoder.end()?;
    assert_eq!(given, size);
    Ok(image)
}

fn agrees_with_the_model(message: &Encrypt<'_>, info: &[u8]) {
    let Some(Value::Tag(96, inner)) = model::decode(info) else {
        panic!("what parses has the tag");
    };
    let Value::Array(parts) = *inner else {
        panic!("an array");
    };
    let [protected, unprotected, Value::Null, Value::Array(recipients)] = parts.as_slice() else {
        panic!("four parts, the third null");
    };
    let protected = protected.bytes().expect("a byte string");
    let outside = unprotected.at(1).and_then(int);
    let inside = model::decode(protected).and_then(|map| map.at(1).and_then(int));
    let (inside_expected, outside_expected) = match message.algorithm() {
        ContentAlgorithm::Aes128Ctr => (None, Some(-65534)),
        ContentAlgorithm::Aes256Ctr => (None, Some(-65532)),
        ContentAlgorithm::Aes128Gcm => (Some(1), None),
        _ => (Some(24), None),
    };
    assert_eq!((inside, outside), (inside_expected, outside_expected));
    assert_eq!(protected.is_empty(), inside.is_none());
    let iv = unprotected.at(5).and_then(Value::bytes).expect("an IV");
    assert_eq!(iv.len(), message.algorithm().iv_len());
    assert!((1..=Encrypt::MAX_RECIPIENTS).contains(&recipients.len()));
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Uint(n) => i64::try_from(*n).ok(),
        Value::Nint(n) => i64::try_from(*n).ok().map(|n| !n),
        _ => None,
    }
}

/// Messages for each kind of key, and some that just miss.
pub fn seeds() -> Vec<Seed> {
    let (sender_point, sender) = (p256(3), x25519(3));
    let (point, scalar) = (p256(1), x25519(1));
    let wrap = EncryptTo::wrap(&Aes128KeyWrap, &[1; 16]).with_kid(b"group");
    let to_point = EncryptTo::agreement(&sender_point, point.public_key());
    let to_scalar = EncryptTo::agreement(&sender, scalar.public_key()).with_kid(b"lamp");
    let other = x25519(9);
    let to_other = EncryptTo::agreement(&sender, other.public_key()).with_kid(b"other");
    let content = CONTENTS[1];
    let good = made(
        &[to_other, to_scalar],
        &mut ChaCha20Poly1305Stream::new(),
        content,
    );
    let mut tampered = good.clone();
    if let Some(last) = tampered.last_mut() {
        *last ^= 1;
    }
    let mut other_name = good.clone();
    if let Some(at) = good.windows(4).position(|window| window == b"lamp") {
        other_name[at] ^= 1;
    }
    vec![
        Seed::new("valid-wrap-ctr", made(&[wrap], &mut Aes128Ctr::new(), content)),
        Seed::new(
            "valid-wrap-empty",
            made(&[wrap], &mut ChaCha20Poly1305Stream::new(), CONTENTS[0]),
        ),
        Seed::new(
            "valid-p256-ctr",
            made(&[to_point], &mut Aes128Ctr::new(), b"image"),
        ),
        Seed::new(
            "near-other-key",
            made(&[to_other], &mut Aes128Ctr::new(), content),
        ),
        Seed::new("near-tag", tampered),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("near-other-name", other_name),
        Seed::new("valid-x25519-second", good),
    ]
}

fn made(to: &[EncryptTo<'_>], cipher: &mut dyn ContentEncrypt, content: &[u8]) -> Vec<u8> {
    let mut out = vec![0; Encrypt::MAX_LEN];
    let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
        .start(to, cipher, &mut SimRng::new(5), &mut out)
        .expect("room for any message");
    let mut payload = content.to_vec();
    cipher.encrypt(&mut payload).expect("a short content");
    payload.extend(cipher.tag().expect("started").into_iter().flatten());
    let len = u16::try_from(info.len()).expect("a short message");
    [&len.to_be_bytes(), info, &payload].concat()
}
