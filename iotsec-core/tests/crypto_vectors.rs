//! Every suite against the published vectors of each standard, through the dyn-safe traits.

#[path = "support/vector_file.rs"]
mod vector_file;

use iotsec_core::{
    crypto::{
        Aead, Aes256GcmSiv, ChaCha20HmacSiv, ChaCha20Poly1305, CryptoError, Digest, Ed25519PublicKey,
        Ed25519SigningKey, Ed25519SmallPublicKey, HkdfSha256, HssLmsPublicKey, Kdf, MlDsa44PublicKey,
        P256PublicKey, P256SigningKey, Sha256, Sign, Verify, aws_lc, ring,
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

fn secret(value: &Value) -> Secret<32> {
    Secret::from_slice(&hex(value)).unwrap()
}

type Opened = Result<Box<dyn Verify>, CryptoError>;

/// Whether a signature can be foretold.
#[derive(PartialEq)]
enum Signs {
    Deterministic,
    Randomised,
}

fn signatures(
    file: &str,
    count: usize,
    signs: &Signs,
    sign: fn(&Value) -> Option<Box<dyn Sign>>,
    open: fn(&[u8]) -> Opened,
) {
    let file = vector_file::read(file);
    let (mut valid, mut invalid) = (0, 0);
    for case in cases(&file, count) {
        let comment = &case["comment"];
        let message = hex(&case["message"]);
        let signature = hex(&case["signature"]);
        let public = open(&hex(&case["public_key"])).unwrap();
        if case["result"] == "valid" {
            let key = sign(case).unwrap();
            let mut made = [0; 64];
            key.sign(&message, &mut made).unwrap();
            assert_eq!(
                made.to_vec() == signature,
                *signs == Signs::Deterministic,
                "{comment}"
            );
            assert_eq!(public.verify(&message, &made), Ok(()), "{comment}");
            assert_eq!(key.public_key().to_vec(), hex(&case["public_key"]), "{comment}");
            assert_eq!(public.verify(&message, &signature), Ok(()), "{comment}");
            // Not one bit of a good signature may change.
            for bit in 0..512 {
                let mut flipped = made;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    public.verify(&message, &flipped),
                    Err(CryptoError::Signature),
                    "{comment}, bit {bit}"
                );
            }
            valid += 1;
        } else {
            assert_eq!(
                public.verify(&message, &signature),
                Err(CryptoError::Signature),
                "{comment}"
            );
            invalid += 1;
        }
    }
    assert!(valid >= 2 && invalid >= 10);
    for case in file["refused_keys"].as_array().unwrap() {
        let refused = open(&hex(&case["public_key"])).err();
        assert!(
            matches!(refused, Some(CryptoError::PublicKey | CryptoError::KeyLength)),
            "{}: {refused:?}",
            case["comment"]
        );
    }
}

#[test]
fn ed25519_signs_and_verifies_as_rfc_8032_says_and_refuses_what_it_forbids() {
    signatures(
        "crypto/ed25519.json",
        15,
        &Signs::Deterministic,
        |case| Some(Box::new(Ed25519SigningKey::from_seed(&secret(&case["seed"])))),
        |bytes| Ok(Box::new(Ed25519PublicKey::from_bytes(bytes)?)),
    );
    signatures(
        "crypto/ed25519.json",
        15,
        &Signs::Deterministic,
        |case| Some(Box::new(Ed25519SigningKey::from_seed(&secret(&case["seed"])))),
        |bytes| Ok(Box::new(Ed25519SmallPublicKey::from_bytes(bytes)?)),
    );
}

#[test]
fn p256_signs_and_verifies_as_rfc_6979_says_and_refuses_what_fips_186_forbids() {
    signatures(
        "crypto/p256.json",
        14,
        &Signs::Deterministic,
        |case| {
            Some(Box::new(
                P256SigningKey::from_scalar(&secret(&case["scalar"])).ok()?,
            ))
        },
        |bytes| Ok(Box::new(P256PublicKey::from_sec1(bytes)?)),
    );
    signatures(
        "crypto/p256.json",
        14,
        &Signs::Randomised,
        |case| {
            Some(Box::new(
                ring::P256SigningKey::from_scalar(&secret(&case["scalar"])).ok()?,
            ))
        },
        |bytes| Ok(Box::new(ring::P256PublicKey::from_sec1(bytes)?)),
    );
    signatures(
        "crypto/p256.json",
        14,
        &Signs::Randomised,
        |case| {
            Some(Box::new(
                aws_lc::P256SigningKey::from_scalar(&secret(&case["scalar"])).ok()?,
            ))
        },
        |bytes| Ok(Box::new(aws_lc::P256PublicKey::from_sec1(bytes)?)),
    );
    let file = vector_file::read("crypto/p256.json");
    for scalar in file["refused_scalars"].as_array().unwrap() {
        let refused = Some(CryptoError::PublicKey);
        let scalar = secret(scalar);
        assert_eq!(P256SigningKey::from_scalar(&scalar).err(), refused);
        assert_eq!(ring::P256SigningKey::from_scalar(&scalar).err(), refused);
        assert_eq!(aws_lc::P256SigningKey::from_scalar(&scalar).err(), refused);
    }
}

/// Signatures that this SDK checks and does not make.
fn checked(file: &str, count: usize, stride: usize, open: fn(&[u8]) -> Opened) {
    for case in cases(&vector_file::read(file), count) {
        let comment = &case["comment"];
        let message = hex(&case["message"]);
        let signature = hex(&case["signature"]);
        let key = hex(&case["public_key"]);
        let public = open(&key).unwrap();
        assert_eq!(public.public_key(), key);
        let wrong = Err(CryptoError::Signature);
        if case["result"] == "invalid" {
            assert_eq!(public.verify(&message, &signature), wrong, "{comment}");
            continue;
        }
        assert_eq!(public.verify(&message, &signature), Ok(()), "{comment}");
        assert_eq!(public.verify(&[&message[..], b"x"].concat(), &signature), wrong);
        assert_eq!(public.verify(&message, &[&signature[..], b"x"].concat()), wrong);
        for len in (0..signature.len()).step_by(stride).chain([signature.len() - 1]) {
            assert_eq!(
                public.verify(&message, &signature[..len]),
                wrong,
                "{comment}, {len} bytes"
            );
        }
        for at in (0..signature.len()).step_by(stride).chain(0..16) {
            for change in [0x01, 0x80, 0xFF] {
                let mut flipped = signature.clone();
                flipped[at] ^= change;
                assert_eq!(public.verify(&message, &flipped), wrong, "{comment}, byte {at}");
            }
        }
        for at in (0..key.len()).step_by(stride) {
            let mut flipped = key.clone();
            flipped[at] ^= 1;
            let other = open(&flipped).map(|other| other.verify(&message, &signature));
            assert!(other != Ok(Ok(())), "{comment}, byte {at} of the key");
        }
        assert_eq!(open(&key[1..]).err(), Some(CryptoError::KeyLength));
    }
}

#[test]
fn hss_lms_verifies_as_rfc_8554_says_and_refuses_every_change() {
    checked("crypto/hss_lms.json", 9, 7, |bytes| {
        Ok(Box::new(HssLmsPublicKey::from_bytes(bytes)?))
    });
    let key = hex(&vector_file::read("crypto/hss_lms.json")["cases"][0]["public_key"]);
    // Levels, tree and one-time signature that RFC 8554 does not have.
    for (at, value) in [(3, 0), (3, 9), (0, 1), (7, 4), (7, 10), (11, 0), (11, 5)] {
        let mut wrong = key.clone();
        wrong[at] = value;
        let refused = HssLmsPublicKey::from_bytes(&wrong).err();
        assert_eq!(refused, Some(CryptoError::PublicKey), "{at}: {value}");
    }
}

#[test]
fn ml_dsa_44_verifies_as_fips_204_says_and_refuses_every_change() {
    checked("crypto/ml_dsa_44.json", 4, 61, |bytes| {
        Ok(Box::new(MlDsa44PublicKey::from_bytes(bytes)?))
    });
}

fn aead(aead: &dyn Aead, file: &str, count: usize) {
    for case in cases(&vector_file::read(file), count) {
        let comment = &case["comment"];
        let key = secret(&case["key"]);
        let nonce: [u8; 12] = hex(&case["nonce"]).try_into().unwrap();
        let tag: [u8; 16] = hex(&case["tag"]).try_into().unwrap();
        let (aad, plaintext, ciphertext) = (
            hex(&case["aad"]),
            hex(&case["plaintext"]),
            hex(&case["ciphertext"]),
        );

        let mut buffer = plaintext.clone();
        assert_eq!(aead.seal(&key, &nonce, &aad, &mut buffer), Ok(tag), "{comment}");
        assert_eq!(buffer, ciphertext, "{comment}");
        assert_eq!(
            aead.open(&key, &nonce, &aad, &mut buffer, &tag),
            Ok(()),
            "{comment}"
        );
        assert_eq!(buffer, plaintext, "{comment}");

        let refuses = |nonce: &[u8; 12], aad: &[u8], ciphertext: &[u8], tag: &[u8; 16]| {
            let mut buffer = ciphertext.to_vec();
            let result = aead.open(&key, nonce, aad, &mut buffer, tag);
            assert_eq!(result, Err(CryptoError::Tag), "{comment}");
            if plaintext.len() >= 4 {
                assert!(
                    !buffer
                        .windows(4)
                        .any(|part| part.iter().any(|b| *b != 0) && plaintext.windows(4).any(|p| p == part)),
                    "{comment}: plaintext left behind"
                );
            }
        };
        for bit in 0..128 {
            let mut wrong = tag;
            wrong[bit / 8] ^= 1 << (bit % 8);
            refuses(&nonce, &aad, &ciphertext, &wrong);
        }
        for bit in 0..ciphertext.len() * 8 {
            let mut wrong = ciphertext.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            refuses(&nonce, &aad, &wrong, &tag);
        }
        for bit in 0..aad.len() * 8 {
            let mut wrong = aad.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            refuses(&nonce, &wrong, &ciphertext, &tag);
        }
        for bit in 0..96 {
            let mut wrong = nonce;
            wrong[bit / 8] ^= 1 << (bit % 8);
            refuses(&wrong, &aad, &ciphertext, &tag);
        }
        refuses(&nonce, &[aad.as_slice(), &[0]].concat(), &ciphertext, &tag);
        refuses(&nonce, &aad, &[ciphertext.as_slice(), &[0]].concat(), &tag);
    }
}

#[test]
fn chacha20_poly1305_agrees_with_rfc_8439() {
    let suites: [&dyn Aead; 3] = [
        &ChaCha20Poly1305,
        &ring::ChaCha20Poly1305,
        &aws_lc::ChaCha20Poly1305,
    ];
    for suite in suites {
        aead(suite, "crypto/chacha20poly1305.json", 2);
    }
}

#[test]
fn aes_256_gcm_siv_agrees_with_rfc_8452() {
    aead(&Aes256GcmSiv, "crypto/aes256gcmsiv.json", 24);
    aead(&aws_lc::Aes256GcmSiv, "crypto/aes256gcmsiv.json", 24);
}

#[test]
fn chacha20_hmac_siv_agrees_with_its_description() {
    aead(&ChaCha20HmacSiv, "crypto/chacha20hmacsiv.json", 17);
}

#[test]
fn hkdf_sha_256_agrees_with_rfc_5869_however_the_info_is_split() {
    let kdf: &dyn Kdf = &HkdfSha256;
    for case in cases(&vector_file::read("crypto/hkdf_sha256.json"), 3) {
        let (ikm, salt, info, okm) = (
            hex(&case["ikm"]),
            hex(&case["salt"]),
            hex(&case["info"]),
            hex(&case["okm"]),
        );
        for split in 0..=info.len() {
            let mut out = vec![0; okm.len()];
            kdf.hkdf(&salt, &ikm, &[&info[..split], &info[split..]], &mut out)
                .unwrap();
            assert_eq!(out, okm, "{}", case["comment"]);
        }
    }
    let mut longest = vec![0; 255 * 32];
    assert_eq!(kdf.hkdf(b"", b"key", &[], &mut longest), Ok(()));
    longest.push(0);
    assert_eq!(kdf.hkdf(b"", b"key", &[], &mut longest), Err(CryptoError::Length));
}

#[test]
fn hmac_sha_256_agrees_with_rfc_4231_however_the_message_is_split() {
    let kdf: &dyn Kdf = &HkdfSha256;
    for case in cases(&vector_file::read("crypto/hmac_sha256.json"), 7) {
        let (key, message, mac) = (hex(&case["key"]), hex(&case["message"]), hex(&case["mac"]));
        for split in 0..=message.len() {
            let made = kdf.hmac(&key, &[&message[..split], &message[split..]]).unwrap();
            assert_eq!(made[..mac.len()], mac, "{}", case["comment"]);
        }
    }
}

#[test]
fn sha_256_agrees_with_fips_180_however_the_message_is_fed() {
    let mut hash = Sha256::new();
    let hash: &mut dyn Digest = &mut hash;
    for case in cases(&vector_file::read("crypto/sha256.json"), 9) {
        let repeat = usize::try_from(case["repeat"].as_u64().unwrap()).unwrap();
        let message = hex(&case["message"]).repeat(repeat);
        for step in [1, 3, 63, 64, 65, 1000] {
            hash.update(b"left over from before");
            hash.reset();
            for part in message.chunks(step) {
                hash.update(part);
            }
            assert_eq!(
                hash.finish().to_vec(),
                hex(&case["digest"]),
                "{}",
                case["comment"]
            );
        }
        assert_eq!(Sha256::of(&[&message]).to_vec(), hex(&case["digest"]));
    }
}
