//! Content ciphers, key wrap, key agreement and encrypted payloads against published values, through the
//! dyn-safe traits.

#[path = "support/vector_file.rs"]
mod vector_file;

use iotsec_core::{
    cose::{CoseError, Encrypt, RecipientKey},
    crypto::{
        Aes128Ctr, Aes128GcmStream, Aes128KeyWrap, Aes128WrappingKey, Aes256Ctr, Aes256KeyWrap,
        Aes256WrappingKey, ChaCha20Poly1305Stream, ContentAlgorithm, ContentDecrypt, ContentEncrypt,
        CryptoError, HkdfSha256, KeyAgreement, KeyUnwrap, KeyWrap, P256AgreementKey, X25519Key,
    },
    secret::Secret,
};
use serde_json::Value;
use vector_file::hex;

/// The cases of a file, of which there must be `count`.
fn cases(file: &Value, count: usize) -> &[Value] {
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), count);
    cases
}

#[test]
fn counter_mode_agrees_with_sp_800_38a_from_any_byte_on() {
    for case in cases(&vector_file::read("crypto/aes_ctr.json"), 4) {
        let (key, iv) = (hex(&case["key"]), hex(&case["iv"]));
        let (plaintext, ciphertext) = (hex(&case["plaintext"]), hex(&case["ciphertext"]));
        let mut cipher: Box<dyn ContentEncrypt> = match key.len() {
            16 => Box::new(Aes128Ctr::new()),
            _ => Box::new(Aes256Ctr::new()),
        };
        for split in 0..=plaintext.len() {
            let mut buffer = plaintext.clone();
            cipher.start(&key, &iv, &[]).unwrap();
            cipher.encrypt(&mut buffer[..split]).unwrap();
            cipher.encrypt(&mut buffer[split..]).unwrap();
            assert_eq!(buffer, ciphertext, "{}", case["comment"]);
            assert_eq!(cipher.tag(), Ok(None));

            cipher.start(&key, &iv, &[]).unwrap();
            cipher.seek(u32::try_from(split).unwrap()).unwrap();
            cipher.decrypt(&mut buffer[split..]).unwrap();
            assert_eq!(buffer[split..], plaintext[split..], "{}", case["comment"]);
            assert_eq!(cipher.finish(&[]), Ok(()));
        }
        assert_eq!(cipher.start(&key, &iv, b"aad"), Err(CryptoError::Length));
        assert_eq!(cipher.start(&key[1..], &iv, &[]), Err(CryptoError::KeyLength));
        assert_eq!(cipher.start(&key, &iv[1..], &[]), Err(CryptoError::KeyLength));
        // Nothing is left of an earlier key.
        assert_eq!(cipher.decrypt(&mut [0; 4]), Err(CryptoError::Length));
    }
}

fn in_pieces(cipher: &mut dyn ContentEncrypt, file: &str, count: usize) {
    for case in cases(&vector_file::read(file), count) {
        let comment = &case["comment"];
        let (key, nonce, aad) = (hex(&case["key"]), hex(&case["nonce"]), hex(&case["aad"]));
        let (plaintext, ciphertext) = (hex(&case["plaintext"]), hex(&case["ciphertext"]));
        let tag = hex(&case["tag"]);
        for step in [1, 3, 15, 16, 17, 64, 1000] {
            let mut buffer = plaintext.clone();
            cipher.start(&key, &nonce, &aad).unwrap();
            for part in buffer.chunks_mut(step) {
                cipher.encrypt(part).unwrap();
            }
            assert_eq!(buffer, ciphertext, "{comment}");
            assert_eq!(cipher.tag().unwrap().unwrap().to_vec(), tag, "{comment}");

            cipher.start(&key, &nonce, &aad).unwrap();
            for part in buffer.chunks_mut(step) {
                cipher.decrypt(part).unwrap();
            }
            assert_eq!(buffer, plaintext, "{comment}");
            assert_eq!(cipher.finish(&tag), Ok(()), "{comment}");
            assert_eq!(cipher.finish(&tag), Err(CryptoError::Length), "only once");
        }

        let mut answer = |aad: &[u8], ciphertext: &[u8], tag: &[u8]| {
            let mut buffer = ciphertext.to_vec();
            cipher.start(&key, &nonce, aad).unwrap();
            cipher.decrypt(&mut buffer).unwrap();
            cipher.finish(tag)
        };
        let flipped = |bytes: &[u8], bit: usize| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        for bit in 0..tag.len() * 8 {
            assert_eq!(
                answer(&aad, &ciphertext, &flipped(&tag, bit)),
                Err(CryptoError::Tag)
            );
        }
        for bit in 0..ciphertext.len() * 8 {
            assert_eq!(
                answer(&aad, &flipped(&ciphertext, bit), &tag),
                Err(CryptoError::Tag)
            );
        }
        for bit in 0..aad.len() * 8 {
            assert_eq!(
                answer(&flipped(&aad, bit), &ciphertext, &tag),
                Err(CryptoError::Tag)
            );
        }
        for len in 0..tag.len() {
            assert_eq!(answer(&aad, &ciphertext, &tag[..len]), Err(CryptoError::Tag));
        }
        let longer = [ciphertext.as_slice(), &[0]].concat();
        assert_eq!(answer(&aad, &longer, &tag), Err(CryptoError::Tag));
        cipher.start(&key, &nonce, &aad).unwrap();
        assert_eq!(cipher.seek(0), Err(CryptoError::Length));
    }
}

#[test]
fn chacha20_poly1305_in_pieces_agrees_with_rfc_8439() {
    in_pieces(
        &mut ChaCha20Poly1305Stream::new(),
        "crypto/chacha20poly1305.json",
        2,
    );
}

#[test]
fn aes_128_gcm_in_pieces_agrees_with_its_authors() {
    in_pieces(&mut Aes128GcmStream::new(), "crypto/aes128gcm.json", 3);
}

#[test]
fn key_wrap_agrees_with_rfc_3394_and_notices_every_flipped_bit() {
    for case in cases(&vector_file::read("crypto/aes_kw.json"), 4) {
        let (kek, key, wrapped) = (hex(&case["kek"]), hex(&case["key"]), hex(&case["wrapped"]));
        let (wrap, unwrap): (&dyn KeyWrap, Box<dyn KeyUnwrap>) = match kek.len() {
            16 => (
                &Aes128KeyWrap,
                Box::new(Aes128WrappingKey::new(Secret::from_slice(&kek).unwrap())),
            ),
            _ => (
                &Aes256KeyWrap,
                Box::new(Aes256WrappingKey::new(Secret::from_slice(&kek).unwrap())),
            ),
        };
        assert_eq!(wrap.algorithm(), unwrap.algorithm());
        let mut made = vec![0; wrapped.len()];
        wrap.wrap(&kek, &key, &mut made).unwrap();
        assert_eq!(made, wrapped, "{}", case["comment"]);
        let mut out = vec![0; key.len()];
        unwrap.unwrap(&wrapped, &mut out).unwrap();
        assert_eq!(out, key, "{}", case["comment"]);

        for bit in 0..wrapped.len() * 8 {
            let mut wrong = wrapped.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            let mut out = vec![0xEE; key.len()];
            assert_eq!(unwrap.unwrap(&wrong, &mut out), Err(CryptoError::Tag));
            assert!(out.iter().all(|byte| *byte == 0), "something of a key is left");
        }
        for (wrapped_len, key_len) in [(0, 0), (8, 0), (16, 8), (24, 15), (23, 16), (24, 24)] {
            let answer = wrap.unwrap(&kek, &vec![0; wrapped_len], &mut vec![0; key_len]);
            assert_eq!(answer, Err(CryptoError::KeyLength), "{wrapped_len} {key_len}");
        }
    }
}

fn agreement(file: &str, count: usize, open: impl Fn(&Value) -> Box<dyn KeyAgreement>) {
    let file = vector_file::read(file);
    for case in cases(&file, count) {
        let key = open(&case["scalar"]);
        assert_eq!(key.public_key().to_vec(), hex(&case["public_key"]));
        let shared = key.agree(&hex(&case["peer"])).unwrap();
        assert_eq!(
            shared.expose().to_vec(),
            hex(&case["shared"]),
            "{}",
            case["comment"]
        );
        for peer in file["refused_peers"].as_array().unwrap() {
            let answer = key.agree(&hex(peer)).err();
            assert_eq!(answer, Some(CryptoError::PublicKey), "{peer}");
        }
        for len in 0..70 {
            assert!(len == key.public_key().len() || key.agree(&vec![4; len]).is_err());
        }
    }
}

#[test]
fn x25519_agrees_with_rfc_7748_and_refuses_small_order() {
    agreement("crypto/x25519.json", 4, |scalar| {
        Box::new(X25519Key::from_scalar(&Secret::from_slice(&hex(scalar)).unwrap()))
    });
}

#[test]
fn p256_key_agreement_agrees_with_rfc_5903_and_refuses_points_off_the_curve() {
    agreement("crypto/ecdh_p256.json", 2, |scalar| {
        Box::new(P256AgreementKey::from_scalar(&Secret::from_slice(&hex(scalar)).unwrap()).unwrap())
    });
    for scalar in [[0; 32], [0xFF; 32]] {
        let refused = P256AgreementKey::from_scalar(&Secret::from_bytes(scalar)).err();
        assert_eq!(refused, Some(CryptoError::PublicKey));
    }
}

/// The key that a case names.
enum Held {
    Kek128(Aes128WrappingKey),
    Kek256(Aes256WrappingKey),
    P256(P256AgreementKey),
    X25519(X25519Key),
}

impl Held {
    fn of(case: &Value) -> Self {
        let bytes = |name: &str| case.get(name).map(hex);
        if let Some(scalar) = bytes("p256") {
            let scalar = Secret::from_slice(&scalar).unwrap();
            return Self::P256(P256AgreementKey::from_scalar(&scalar).unwrap());
        }
        if let Some(scalar) = bytes("x25519") {
            return Self::X25519(X25519Key::from_scalar(&Secret::from_slice(&scalar).unwrap()));
        }
        let kek = bytes("kek").unwrap();
        match Secret::from_slice(&kek) {
            Ok(kek) => Self::Kek128(Aes128WrappingKey::new(kek)),
            Err(_) => Self::Kek256(Aes256WrappingKey::new(Secret::from_slice(&kek).unwrap())),
        }
    }

    fn key(&self) -> RecipientKey<'_> {
        match self {
            Self::Kek128(key) => RecipientKey::wrap(key),
            Self::Kek256(key) => RecipientKey::wrap(key),
            Self::P256(key) => RecipientKey::agreement(key, &HkdfSha256, &Aes128KeyWrap),
            Self::X25519(key) => RecipientKey::agreement(key, &HkdfSha256, &Aes128KeyWrap),
        }
    }
}

#[test]
fn encrypted_payloads_of_another_implementation_open_for_their_recipient_only() {
    let file = vector_file::read("crypto/suit_encryption.json");
    let cases = cases(&file, 16);
    for (number, case) in cases.iter().enumerate() {
        let info = hex(&case["info"]);
        let message = Encrypt::parse(&info).unwrap();
        let mut cipher: Box<dyn ContentDecrypt> = match case["algorithm"].as_i64().unwrap() {
            -65534 => Box::new(Aes128Ctr::new()),
            -65532 => Box::new(Aes256Ctr::new()),
            1 => Box::new(Aes128GcmStream::new()),
            _ => Box::new(ChaCha20Poly1305Stream::new()),
        };
        assert_eq!(message.algorithm(), cipher.algorithm());
        message.start(&Held::of(case).key(), cipher.as_mut()).unwrap();
        let mut payload = hex(&case["payload"]);
        let tag = payload.split_off(payload.len() - message.algorithm().tag_len());
        cipher.decrypt(&mut payload).unwrap();
        assert_eq!(payload, hex(&case["plaintext"]), "{}", case["comment"]);
        assert_eq!(cipher.finish(&tag), Ok(()), "{}", case["comment"]);

        // The keys of the other cases with this cipher. A message to two is also for the first of them.
        let family = cases.iter().skip(number / 4 * 4).take(4);
        let others = family.enumerate().filter(|(other, _)| *other != number % 4);
        for (other, case) in others {
            let answer = message.start(&Held::of(case).key(), cipher.as_mut());
            let expected = if number % 4 == 3 && other == 2 {
                Ok(())
            } else {
                Err(CoseError::Recipient)
            };
            assert_eq!(answer, expected, "{}", case["comment"]);
        }
        let mut wrong: Box<dyn ContentDecrypt> = match message.algorithm() {
            ContentAlgorithm::Aes128Ctr => Box::new(Aes128GcmStream::new()),
            _ => Box::new(Aes128Ctr::new()),
        };
        assert_eq!(
            message.start(&Held::of(case).key(), wrong.as_mut()),
            Err(CoseError::AlgorithmMismatch)
        );
    }
}
