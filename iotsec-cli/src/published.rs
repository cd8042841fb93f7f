//! Private keys that are public knowledge.

use iotsec::core::{
    crypto::{Ed25519SigningKey, KeyType, P256SigningKey, Sha256, Sign},
    secret::Secret,
};

use crate::key::hex;

/// The keys of `vectors/suit`, whose README says how they are made.
const NAMES: [&[u8]; 5] = [
    b"ed25519_a",
    b"ed25519_b",
    b"ed25519_untrusted",
    b"p256_a",
    b"p256_untrusted",
];

/// Keys of other places where the private half is for everyone to read, by their x coordinate. A product has been
/// shipped with such a key before (GHSA-gcxh-546h-phg4).
const KNOWN: &[(&str, &str)] = &[
    (
        "8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad",
        "it is the example of draft-ietf-suit-manifest",
    ),
    (
        "d4b31ba49a3add3f825d10ca7f31b50b0de87f37ccc49f1a403a5c1320ffb4e0",
        MCUBOOT,
    ),
    (
        "c3bcdf30764e1f5db40d892e0d0eab049c30064e79a8edb6f7792e469a26da77",
        MCUBOOT,
    ),
    (
        "d239ead53588b0f5b2433e4b2bf276190b8687915cb01330cd40d0c736671195",
        MCUBOOT,
    ),
    (
        "2acb403ce8feed5ba44995a1a91daee8dbbe1937cd14fb2f245737e5953988d9",
        MCUBOOT,
    ),
    (
        "717f44c4d8d97ec724a7a01dbad8cf8d526cbcfe9966429f2ec1a7469291fbd3",
        MCUBOOT,
    ),
    (
        "ff36ba0d0127531a8e9b4bcaf4f82fb7d18706d162d57215acfbdf439ceaf749",
        MCUBOOT,
    ),
    (
        "6e68617fd7e2c93db40a2c6db0d0cefe54b896adfc60878941e92d21c83e1d5e",
        MCUBOOT,
    ),
    (
        "0efea324e530842a73107dd3ef25a500e6514cb2250b4abf24c1f2251d0f90f3",
        MCUBOOT,
    ),
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        RFC,
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        RFC,
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        RFC,
    ),
    (
        "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
        RFC,
    ),
    (
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        RFC,
    ),
];
const MCUBOOT: &str = "it is in the source of MCUboot";
const RFC: &str = "it is the example of an RFC (8032, 8410 or 6979)";
const VECTOR: &str = "it is published with the iotsec test vectors";
const CONSTANT: &str = "all bytes of its private half are equal";

/// From where anyone could have the private half of the key with this x coordinate.
pub(crate) fn published_public(kind: KeyType, x: &[u8; 32]) -> Option<&'static str> {
    let belongs = |secret: &Secret<32>| match kind {
        KeyType::P256 => P256SigningKey::from_scalar(secret)
            .is_ok_and(|signer| signer.public_key().get(1..33) == Some(&x[..])),
        _ => Ed25519SigningKey::from_seed(secret).public_key() == x,
    };
    let constant = || (0..=u8::MAX).any(|byte| belongs(&Secret::from_bytes([byte; 32])));
    known(x)
        .or_else(|| {
            NAMES
                .iter()
                .any(|name| belongs(&test_secret(name)))
                .then_some(VECTOR)
        })
        .or_else(|| constant().then_some(CONSTANT))
}

/// From where anyone could have this private key: a test key, or a constant as examples use it.
pub(crate) fn published(secret: &Secret<32>, x: &[u8; 32]) -> Option<&'static str> {
    let test_key = |name: &&[u8]| test_secret(name).ct_eq(secret);
    known(x)
        .or_else(|| NAMES.iter().any(test_key).then_some(VECTOR))
        .or_else(|| secret.is_constant().then_some(CONSTANT))
}

iotsec::core::claim! {
    provisions: ["5.4-3"],
    claims: "A key whose private half is published in a standard or an example is recognised before it signs or is trusted",
    tool: "iotsec key",
    tests: [
        "iotsec-cli::iotsec::published::tests::every_public_key_that_is_published_is_known",
        "iotsec-cli::iotsec::published::tests::the_examples_of_rfcs_are_known_by_their_private_halves",
        "iotsec-cli::cli::key::only_a_debug_build_signs_with_a_key_that_everyone_has",
        "iotsec-cli::cli::key::only_a_debug_build_trusts_a_key_that_everyone_has",
    ],
}

fn known(x: &[u8; 32]) -> Option<&'static str> {
    let x = hex(x);
    let found = KNOWN.iter().find(|(listed, _)| *listed == x);
    found.map(|(_, origin)| *origin)
}

fn test_secret(name: &[u8]) -> Secret<32> {
    Secret::from_bytes(Sha256::of(&[b"iotsec test vector key ", name]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/suit/keys");
        let text = std::fs::read_to_string(format!("{folder}/{name}.pub.hex")).unwrap();
        text.trim().to_owned()
    }

    #[test]
    fn the_names_are_those_of_the_published_public_keys() {
        for name in NAMES {
            let seed = Secret::from_bytes(Sha256::of(&[b"iotsec test vector key ", name]));
            let name = std::str::from_utf8(name).unwrap();
            let public = if name.starts_with("p256") {
                P256SigningKey::from_scalar(&seed).unwrap().public_key().to_vec()
            } else {
                Ed25519SigningKey::from_seed(&seed).public_key().to_vec()
            };
            assert_eq!(hex(&public), vector(name));
            assert_eq!(published(&seed, &[0; 32]), Some(VECTOR));
        }
        assert!(vector("p256_ietf_example")[2..].starts_with(KNOWN[0].0));
    }

    #[test]
    fn every_public_key_that_is_published_is_known() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/suit/keys");
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.trim();
            let (kind, x) = match text.len() {
                64 => (KeyType::Ed25519, text),
                130 => (KeyType::P256, &text[2..66]),
                _ => continue,
            };
            let mut bytes = [0; 32];
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&x[2 * at..2 * at + 2], 16).unwrap();
            }
            assert!(published_public(kind, &bytes).is_some(), "{name}");
            count += 1;
        }
        assert!(count >= NAMES.len(), "only {count} keys found");
        let own = Ed25519SigningKey::from_seed(&Secret::from_bytes(Sha256::of(&[b"a key of our own"])));
        let origin =
            |key: &dyn Sign| published_public(KeyType::Ed25519, key.public_key().try_into().unwrap());
        assert_eq!(origin(&own), None);
        let constant = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
        assert_eq!(origin(&constant), Some(CONSTANT));
    }

    #[test]
    fn the_examples_of_rfcs_are_known_by_their_private_halves() {
        let secret = |text: &str| {
            let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..64).step_by(2).map(byte).collect();
            Secret::from_bytes(bytes.try_into().unwrap())
        };
        // RFC 8032 §7.1, RFC 8410 §10.3, RFC 6979 §A.2.5.
        for seed in [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
        ] {
            let key = Ed25519SigningKey::from_seed(&secret(seed));
            assert_eq!(known(key.public_key().try_into().unwrap()), Some(RFC), "{seed}");
        }
        let scalar = secret("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let key = P256SigningKey::from_scalar(&scalar).unwrap();
        assert_eq!(known(key.public_key()[1..33].try_into().unwrap()), Some(RFC));
    }

    #[test]
    fn other_keys_are_not_taken_for_published_ones() {
        let mut seed = Sha256::of(&[b"a key of our own"]);
        assert_eq!(published(&Secret::from_bytes(seed), &[0; 32]), None);
        seed = [7; 32];
        assert_eq!(published(&Secret::from_bytes(seed), &[0; 32]), Some(CONSTANT));
    }
}
