use super::*;
use crate::crypto::{
    Aes128Ctr, Aes128KeyWrap, Aes128WrappingKey, Aes256KeyWrap, ChaCha20Poly1305Stream, ContentEncrypt,
    HkdfSha256, P256AgreementKey, X25519Key,
};
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
use std::{vec, vec::Vec};

/// Bytes that differ, and are not random.
struct Counting(u8);

impl TryRng for Counting {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from(self.0))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.0))
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for byte in dst {
            self.0 = self.0.wrapping_mul(5).wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn p256(seed: u8) -> P256AgreementKey {
    P256AgreementKey::from_scalar(&Secret::from_bytes([seed; 32])).unwrap()
}

fn x25519(seed: u8) -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([seed; 32]))
}

fn kek(seed: u8) -> Aes128WrappingKey {
    Aes128WrappingKey::new(Secret::from_bytes([seed; 16]))
}

fn agreeing(key: &dyn KeyAgreement) -> RecipientKey<'_> {
    RecipientKey::agreement(key, &HkdfSha256, &Aes128KeyWrap)
}

const PLAINTEXT: &[u8; 20] = b"twenty bytes of code";

/// A message and its payload, tag included.
fn encrypted(to: &[EncryptTo<'_>], cipher: &mut dyn ContentEncrypt) -> (Vec<u8>, Vec<u8>) {
    let mut out = [0; Encrypt::MAX_LEN];
    let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
        .start(to, cipher, &mut Counting(9), &mut out)
        .unwrap()
        .to_vec();
    let mut payload = PLAINTEXT.to_vec();
    cipher.encrypt(&mut payload).unwrap();
    payload.extend(cipher.tag().unwrap().into_iter().flatten());
    (info, payload)
}

fn opened(
    info: &[u8],
    key: &RecipientKey<'_>,
    cipher: &mut dyn ContentDecrypt,
    payload: &[u8],
) -> Result<Vec<u8>, CoseError> {
    let message = Encrypt::parse(info)?;
    message.start(key, cipher)?;
    let (text, tag) = payload.split_at(payload.len() - message.algorithm().tag_len());
    let mut text = text.to_vec();
    cipher.decrypt(&mut text)?;
    cipher.finish(tag)?;
    Ok(text)
}

#[test]
fn every_recipient_opens_what_was_encrypted_for_it() {
    let (device, other, sender, other_sender) = (p256(1), x25519(2), p256(3), x25519(4));
    let to = [
        EncryptTo::wrap(&Aes128KeyWrap, &[7; 16]).with_kid(b"group"),
        EncryptTo::agreement(&sender, device.public_key()),
        EncryptTo::agreement(&other_sender, other.public_key()).with_kid(b"other"),
        EncryptTo::wrap(&Aes256KeyWrap, &[8; 32]),
    ];
    let (info, payload) = encrypted(&to, &mut ChaCha20Poly1305Stream::new());
    let kek = kek(7);
    for key in [
        RecipientKey::wrap(&kek),
        RecipientKey::wrap(&kek).with_kid(b"group"),
        agreeing(&device),
        // The structure names no key, so one that has a name may try.
        agreeing(&device).with_kid(b"device"),
        agreeing(&other).with_kid(b"other"),
    ] {
        let text = opened(&info, &key, &mut ChaCha20Poly1305Stream::new(), &payload);
        assert_eq!(text.unwrap(), PLAINTEXT, "{key:?}");
    }
}

#[test]
fn whoever_is_no_recipient_gets_one_answer() {
    let (device, sender) = (p256(1), p256(3));
    let to = EncryptTo::agreement(&sender, device.public_key()).with_kid(b"device");
    let (info, _) = encrypted(&[to], &mut Aes128Ctr::new());
    let start = |key: &RecipientKey<'_>| Encrypt::parse(&info)?.start(key, &mut Aes128Ctr::new());
    assert_eq!(start(&agreeing(&device)), Ok(()));
    let (stranger, curve, kek) = (p256(2), x25519(1), kek(1));
    for key in [
        agreeing(&stranger),
        agreeing(&curve),
        RecipientKey::wrap(&kek),
        agreeing(&device).with_kid(b"devicf"),
        RecipientKey::agreement(&device, &HkdfSha256, &Aes256KeyWrap),
    ] {
        assert_eq!(start(&key), Err(CoseError::Recipient));
    }
}

#[test]
fn no_flipped_bit_opens_to_another_text() {
    let (device, sender, curve, curve_sender) = (p256(1), p256(3), x25519(2), x25519(4));
    for (to, key) in [
        (
            EncryptTo::agreement(&sender, device.public_key()),
            agreeing(&device),
        ),
        (
            EncryptTo::agreement(&curve_sender, curve.public_key()).with_kid(b"k"),
            agreeing(&curve).with_kid(b"k"),
        ),
    ] {
        let (info, payload) = encrypted(&[to], &mut ChaCha20Poly1305Stream::new());
        let open =
            |info: &[u8], payload: &[u8]| opened(info, &key, &mut ChaCha20Poly1305Stream::new(), payload);
        assert_eq!(open(&info, &payload).unwrap(), PLAINTEXT);
        for bit in 0..info.len() * 8 {
            let mut bad = info.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // RFC 7748 masks the top bit of a coordinate, so one flip leaves the same key.
            if let Ok(text) = open(&bad, &payload) {
                assert_eq!(text, PLAINTEXT, "bit {bit}");
                assert_eq!(info[bit / 8] ^ bad[bit / 8], 0x80, "bit {bit}");
            }
        }
        for len in 0..info.len() {
            assert!(open(&info[..len], &payload).is_err());
        }
        for bit in 0..payload.len() * 8 {
            let mut bad = payload.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&info, &bad), Err(CryptoError::Tag.into()));
        }
        assert_eq!(
            open(&info, &payload[1..]),
            Err(CryptoError::Tag.into()),
            "truncated"
        );
    }
}

#[test]
fn points_off_the_curve_and_of_small_order_are_answered_like_a_wrong_key() {
    let (device, sender, curve, curve_sender) = (p256(1), p256(3), x25519(2), x25519(4));
    let (info, _) = encrypted(
        &[EncryptTo::agreement(&sender, device.public_key())],
        &mut Aes128Ctr::new(),
    );
    let at = find(&info, &sender.public_key()[33..]);
    let mut off = info.clone();
    off[at + 31] ^= 1;
    let answer = Encrypt::parse(&off)
        .unwrap()
        .start(&agreeing(&device), &mut Aes128Ctr::new());
    assert_eq!(answer, Err(CoseError::Recipient));

    let (info, _) = encrypted(
        &[EncryptTo::agreement(&curve_sender, curve.public_key())],
        &mut Aes128Ctr::new(),
    );
    let at = find(&info, curve_sender.public_key());
    for small in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let mut bad = info.clone();
        bad[at..at + 32].copy_from_slice(&small);
        let answer = Encrypt::parse(&bad)
            .unwrap()
            .start(&agreeing(&curve), &mut Aes128Ctr::new());
        assert_eq!(answer, Err(CoseError::Recipient));
    }
}

/// A driver that does not check what it is given.
struct Careless;

impl KeyAgreement for Careless {
    fn curve(&self) -> AgreementCurve {
        AgreementCurve::X25519
    }
    fn public_key(&self) -> &[u8] {
        &[9; 32]
    }
    fn agree(&self, _peer: &[u8]) -> Result<Secret<32>, CryptoError> {
        Ok(Secret::zero())
    }
}

/// A driver whose bus is dead.
struct Dead;

impl KeyUnwrap for Dead {
    fn algorithm(&self) -> KeyWrapAlgorithm {
        KeyWrapAlgorithm::Aes128
    }
    fn unwrap(&self, _wrapped: &[u8], _key: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Driver)
    }
}

#[test]
fn a_shared_secret_of_zeros_opens_nothing_and_encrypts_nothing() {
    // What an attacker would send who knows that the driver answers with zeros.
    let protected = [0xA1, 0x01, 0x38, 0x1C];
    let context = kdf_context(&protected, &mut [0; 64]).unwrap().to_vec();
    let mut kek = [0; 16];
    HkdfSha256.hkdf(&[], &[0; 32], &[&context], &mut kek).unwrap();
    let mut wrapped = [0; 24];
    Aes128KeyWrap.wrap(&kek, &[5; 16], &mut wrapped).unwrap();
    let other = x25519(4);
    let (info, _) = encrypted(
        &[EncryptTo::agreement(&x25519(5), other.public_key())],
        &mut Aes128Ctr::new(),
    );
    let mut forged = info.clone();
    let at = forged.len() - wrapped.len();
    forged[at..].copy_from_slice(&wrapped);
    let answer = Encrypt::parse(&forged)
        .unwrap()
        .start(&agreeing(&Careless), &mut Aes128Ctr::new());
    assert_eq!(answer, Err(CoseError::Recipient));

    let answer = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
        .start(
            &[EncryptTo::agreement(&Careless, &[0; 32])],
            &mut Aes128Ctr::new(),
            &mut Counting(1),
            &mut [0; 512],
        )
        .err();
    assert_eq!(answer, Some(CryptoError::PublicKey.into()));
}

#[test]
fn hardware_that_fails_is_not_a_wrong_key() {
    let (info, _) = encrypted(
        &[EncryptTo::wrap(&Aes128KeyWrap, &[7; 16])],
        &mut Aes128Ctr::new(),
    );
    let answer = Encrypt::parse(&info)
        .unwrap()
        .start(&RecipientKey::wrap(&Dead), &mut Aes128Ctr::new());
    assert_eq!(answer, Err(CryptoError::Driver.into()));
}

/// A message of parts: both buckets of the content, what stands for the ciphertext, the recipients.
fn message(protected: &[u8], unprotected: &[u8], ciphertext: &[u8], recipients: &[&[u8]]) -> Vec<u8> {
    let mut out = [0; Encrypt::MAX_LEN];
    let mut writer = Writer::new(&mut out);
    writer
        .tag(96)
        .unwrap()
        .array(4)
        .unwrap()
        .bytes(protected)
        .unwrap();
    writer.raw(unprotected).unwrap().raw(ciphertext).unwrap();
    writer.array(recipients.len() as u64).unwrap();
    for recipient in recipients {
        writer.raw(recipient).unwrap();
    }
    writer.finish().unwrap().to_vec()
}

/// A recipient of parts.
fn recipient(protected: &[u8], unprotected: &[u8], wrapped: usize) -> Vec<u8> {
    let mut out = [0; 512];
    let mut writer = Writer::new(&mut out);
    writer
        .array(3)
        .unwrap()
        .bytes(protected)
        .unwrap()
        .raw(unprotected)
        .unwrap();
    writer.bytes(&vec![0; wrapped]).unwrap();
    writer.finish().unwrap().to_vec()
}

const CTR: &[u8] = &[
    0xA2, 0x01, 0x39, 0xFF, 0xFD, 0x05, 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];
const IV12: &[u8] = &[0xA1, 0x05, 0x4C, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const NIL: &[u8] = &[0xF6];
const KW: &[u8] = &[0xA1, 0x01, 0x22];
const ECDH: &[u8] = &[0xA1, 0x01, 0x38, 0x1C];

/// `{-1: {1: 1, -1: 4, -2: 32 bytes}}`
fn x25519_header() -> Vec<u8> {
    let mut header = vec![0xA1, 0x20, 0xA3, 0x01, 0x01, 0x20, 0x04, 0x21, 0x58, 0x20];
    header.extend([9; 32]);
    header
}

#[test]
fn shapes_outside_the_profile_are_refused() {
    let kw = recipient(&[], KW, 24);
    let parse = |message: &[u8]| Encrypt::parse(message).map(|message| message.algorithm());
    assert_eq!(
        parse(&message(&[], CTR, NIL, &[&kw])),
        Ok(ContentAlgorithm::Aes128Ctr)
    );
    let refused: &[(Vec<u8>, CoseError)] = &[
        // An unauthenticated algorithm in the protected bucket, an authenticated one outside, none, both.
        (
            message(&[0xA1, 0x01, 0x39, 0xFF, 0xFD], IV12, NIL, &[&kw]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], &[0xA2, 0x01, 0x18, 0x18, 0x05, 0x40], NIL, &[&kw]),
            CoseError::AlgorithmMissing,
        ),
        (message(&[], IV12, NIL, &[&kw]), CoseError::AlgorithmMissing),
        (
            message(&[0xA1, 0x01, 0x18, 0x18], CTR, NIL, &[&kw]),
            CoseError::Header,
        ),
        // AES-CCM, AES-CBC, AES-192-CTR, an algorithm by name.
        (
            message(&[0xA1, 0x01, 0x0A], IV12, NIL, &[&kw]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], &[0xA2, 0x01, 0x39, 0xFF, 0xFA, 0x05, 0x40], NIL, &[&kw]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], &[0xA2, 0x01, 0x39, 0xFF, 0xFC, 0x05, 0x40], NIL, &[&kw]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], &[0xA2, 0x01, 0x61, b'x', 0x05, 0x40], NIL, &[&kw]),
            CoseError::AlgorithmUnknown,
        ),
        // An empty map where a string of no bytes belongs; `crit`; another protected parameter.
        (message(&[0xA0], CTR, NIL, &[&kw]), CoseError::Header),
        (
            message(&[0xA2, 0x01, 0x01, 0x02, 0x81, 0x01], IV12, NIL, &[&kw]),
            CoseError::Header,
        ),
        (message(&[0xA1, 0x04, 0x01], IV12, NIL, &[&kw]), CoseError::Header),
        // No IV, one of another length, parameters of a recipient, unknown ones.
        (
            message(&[], &[0xA1, 0x01, 0x39, 0xFF, 0xFD], NIL, &[&kw]),
            CoseError::Header,
        ),
        (
            message(&[], &[0xA2, 0x01, 0x39, 0xFF, 0xFD, 0x05, 0x41, 0], NIL, &[&kw]),
            CoseError::Header,
        ),
        (
            message(
                &[0xA1, 0x01, 0x01],
                &[&[0xA2, 0x04, 0x40], &IV12[1..]].concat(),
                NIL,
                &[&kw],
            ),
            CoseError::Header,
        ),
        (
            message(
                &[0xA1, 0x01, 0x01],
                &[&[0xA2], &IV12[1..], &[0x06, 0x40]].concat(),
                NIL,
                &[&kw],
            ),
            CoseError::Header,
        ),
        // A ciphertext inside.
        (message(&[], CTR, &[0x41, 0], &[&kw]), CoseError::Payload),
        // Recipients: direct keys, ECDH without key wrap, A192KW; a wrap algorithm in the protected bucket.
        (
            message(&[], CTR, NIL, &[&recipient(&[], &[0xA1, 0x01, 0x25], 0)]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(
                &[],
                CTR,
                NIL,
                &[&recipient(&[0xA1, 0x01, 0x38, 0x18], &x25519_header(), 24)],
            ),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], CTR, NIL, &[&recipient(&[], &[0xA1, 0x01, 0x23], 24)]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], CTR, NIL, &[&recipient(KW, &[0xA0], 24)]),
            CoseError::AlgorithmUnknown,
        ),
        (
            message(&[], CTR, NIL, &[&recipient(&[], &[0xA1, 0x01, 0x38, 0x1C], 24)]),
            CoseError::AlgorithmMissing,
        ),
        (
            message(&[], CTR, NIL, &[&recipient(&[], &[0xA0], 24)]),
            CoseError::AlgorithmMissing,
        ),
        // No ephemeral key; one where none belongs; an IV; party information.
        (
            message(&[], CTR, NIL, &[&recipient(ECDH, &[0xA0], 24)]),
            CoseError::Header,
        ),
        (
            message(
                &[],
                CTR,
                NIL,
                &[&recipient(
                    &[],
                    &[&[0xA2, 0x01, 0x22], &x25519_header()[1..]].concat(),
                    24,
                )],
            ),
            CoseError::Header,
        ),
        (
            message(
                &[],
                CTR,
                NIL,
                &[&recipient(&[], &[0xA2, 0x01, 0x22, 0x05, 0x40], 24)],
            ),
            CoseError::Header,
        ),
        (
            message(
                &[],
                CTR,
                NIL,
                &[&recipient(
                    ECDH,
                    &[&[0xA2], &x25519_header()[1..], &[0x34, 0x40]].concat(),
                    24,
                )],
            ),
            CoseError::Header,
        ),
    ];
    for (message, error) in refused {
        assert_eq!(parse(message), Err(*error), "{message:02x?}");
    }

    // A wrapped key of another length than the cipher's, no recipient, too many, bytes behind.
    let kind = |message: &[u8]| match parse(message) {
        Err(CoseError::Encoding(error)) => error.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        kind(&message(&[], CTR, NIL, &[&recipient(&[], KW, 40)])),
        Kind::Length
    );
    assert_eq!(kind(&message(&[], CTR, NIL, &[])), Kind::Length);
    assert_eq!(kind(&message(&[], CTR, NIL, &[kw.as_slice(); 9])), Kind::Length);
    assert!(parse(&message(&[], CTR, NIL, &[kw.as_slice(); 8])).is_ok());
    let good = message(&[], CTR, NIL, &[&kw]);
    assert_eq!(kind(&[good.as_slice(), &[0]].concat()), Kind::Trailing);
    assert_eq!(kind(&good[2..]), Kind::Type, "without its tag");
}

#[test]
fn ephemeral_keys_of_another_shape_are_refused() {
    let with = |header: &[u8]| {
        let message = message(&[], CTR, NIL, &[&recipient(ECDH, header, 24)]);
        Encrypt::parse(&message).map(|_| ())
    };
    let good = x25519_header();
    assert_eq!(with(&good), Ok(()));
    // Ed25519, a curve of another key type, a private key in it, an identifier.
    for (at, byte) in [(6, 0x06), (6, 0x01), (4, 0x02)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(with(&bad), Err(CoseError::AlgorithmMismatch));
    }
    let mut private = good.clone();
    private[2] = 0xA4;
    private.extend([0x23, 0x40]);
    assert!(matches!(with(&private), Err(CoseError::Encoding(e)) if e.kind == Kind::UnknownKey));
    // A point of P-256 with the sign of y alone.
    let mut compressed = vec![0xA1, 0x20, 0xA4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20];
    compressed.extend([9; 32]);
    compressed.extend([0x22, 0xF5]);
    assert!(matches!(with(&compressed), Err(CoseError::Encoding(e)) if e.kind == Kind::Type));
}

#[test]
fn a_full_message_fits_the_stated_length() {
    let (device, sender) = (p256(1), p256(3));
    let to = [EncryptTo::agreement(&sender, device.public_key()).with_kid(&[7; 64]); Encrypt::MAX_RECIPIENTS];
    let (info, _) = encrypted(&to, &mut ChaCha20Poly1305Stream::new());
    assert!(info.len() <= Encrypt::MAX_LEN, "{}", info.len());
    let opened = Encrypt::parse(&info)
        .unwrap()
        .start(&agreeing(&device), &mut ChaCha20Poly1305Stream::new());
    assert_eq!(opened, Ok(()));
    let answer = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
        .start(
            &[to[0].with_kid(&[7; 65])],
            &mut Aes128Ctr::new(),
            &mut Counting(1),
            &mut [0; 512],
        )
        .err();
    assert_eq!(answer, Some(CoseError::Header));
}

#[test]
fn each_message_has_its_own_key_and_iv() {
    let mut rng = Counting(9);
    let mut payloads = Vec::new();
    for _ in 0..2 {
        let mut cipher = Aes128Ctr::new();
        let mut out = [0; 256];
        EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
            .start(
                &[EncryptTo::wrap(&Aes128KeyWrap, &[7; 16])],
                &mut cipher,
                &mut rng,
                &mut out,
            )
            .unwrap();
        let mut payload = PLAINTEXT.to_vec();
        cipher.encrypt(&mut payload).unwrap();
        payloads.push((out.to_vec(), payload));
    }
    assert_ne!(payloads[0], payloads[1]);
    assert_ne!(payloads[0].1, payloads[1].1);
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes
        .windows(part.len())
        .position(|window| window == part)
        .unwrap()
}
