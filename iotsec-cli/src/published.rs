//! Private keys that are public knowledge.

use iotsec::core::{
    crypto::{Ed25519SigningKey, KeyType, P256SigningKey, Sha256, Sign},
    secret::Secret,
};

/// The keys of `vectors/suit`, whose README says how they are made.
const NAMES: [&[u8]; 5] = [
    b"ed25519_a",
    b"ed25519_b",
    b"ed25519_untrusted",
    b"p256_a",
    b"p256_untrusted",
];

/// X coordinate of the example key that draft-ietf-suit-manifest prints with its private half.
const DRAFT_EXAMPLE: [u8; 32] = [
    0x84, 0x96, 0x81, 0x1a, 0xae, 0x0b, 0xaa, 0xab, 0xd2, 0x61, 0x57, 0x18, 0x9e, 0xec, 0xda, 0x26, 0xbe,
    0xaa, 0x8b, 0xf1, 0x1b, 0x6f, 0x3f, 0xe6, 0xe2, 0xb5, 0x65, 0x9c, 0x85, 0xdb, 0xc0, 0xad,
];

/// Whether anyone could have the private half of the key with this x coordinate.
pub(crate) fn is_published_public(kind: KeyType, x: &[u8; 32]) -> bool {
    let belongs = |secret: &Secret<32>| match kind {
        KeyType::P256 => P256SigningKey::from_scalar(secret)
            .is_ok_and(|signer| signer.public_key().get(1..33) == Some(&x[..])),
        _ => Ed25519SigningKey::from_seed(secret).public_key() == x,
    };
    let named = |name: &&[u8]| belongs(&test_secret(name));
    *x == DRAFT_EXAMPLE
        || NAMES.iter().any(named)
        || (0..=u8::MAX).any(|byte| belongs(&Secret::from_bytes([byte; 32])))
}

fn test_secret(name: &[u8]) -> Secret<32> {
    Secret::from_bytes(Sha256::of(&[b"iotsec test vector key ", name]))
}

/// Whether anyone could have this private key: a test key, or a constant as examples use it.
pub(crate) fn is_published(secret: &Secret<32>, x: &[u8; 32]) -> bool {
    let test_key = |name: &[u8]| test_secret(name).ct_eq(secret);
    secret.is_constant() || *x == DRAFT_EXAMPLE || NAMES.iter().any(|name| test_key(name))
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
            assert_eq!(crate::key::hex(&public), vector(name));
            assert!(is_published(&seed, &[0; 32]));
        }
        assert!(vector("p256_ietf_example")[2..].starts_with(&crate::key::hex(&DRAFT_EXAMPLE)));
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
            assert!(is_published_public(kind, &bytes), "{name}");
            count += 1;
        }
        assert!(count >= NAMES.len(), "only {count} keys found");
        let own = Ed25519SigningKey::from_seed(&Secret::from_bytes(Sha256::of(&[b"a key of our own"])));
        assert!(!is_published_public(
            KeyType::Ed25519,
            own.public_key().try_into().unwrap()
        ));
        let constant = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
        assert!(is_published_public(
            KeyType::Ed25519,
            constant.public_key().try_into().unwrap()
        ));
    }

    #[test]
    fn other_keys_are_not_taken_for_published_ones() {
        let mut seed = Sha256::of(&[b"a key of our own"]);
        assert!(!is_published(&Secret::from_bytes(seed), &[0; 32]));
        assert!(is_published(&Secret::from_bytes(seed), &DRAFT_EXAMPLE));
        seed = [7; 32];
        assert!(is_published(&Secret::from_bytes(seed), &[0; 32]));
    }
}
