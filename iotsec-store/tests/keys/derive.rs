//! Keys that come of other keys.

use iotsec_core::{
    crypto::{CryptoError, HkdfSha256, Kdf, KeyAgreement, P256AgreementKey, X25519Key},
    secret::Secret,
};
use iotsec_store::keys::{KeyError, KeyKind, KeyUsage, Keyring};
use iotsec_testkit::{SimFlash, SimRng};

use crate::device::{Device, spec};

const BASE: [u8; 32] = *b"a base key that others have too.";
const OPEN: KeyUsage = KeyUsage::DERIVE.and(KeyUsage::REVEAL);

fn exported(keys: &mut Keyring<'_, '_>, flash: &mut SimFlash, number: u16) -> [u8; 32] {
    let key = keys
        .open(flash, spec(number, KeyKind::HmacSha256, OPEN).id)
        .unwrap();
    let mut out = Secret::zero();
    keys.export(flash, &key, &mut out).unwrap();
    *out.expose()
}

/// As `KEYS.md` says it is derived.
fn expected(secret: &[u8], purpose: &str, parameters: &[u8], label: &[u8], ends: &[&[u8]]) -> Vec<u8> {
    let mut info = purpose.as_bytes().to_vec();
    info.extend(parameters);
    info.extend(u32::try_from(label.len()).unwrap().to_le_bytes());
    info.extend(label);
    for end in ends {
        info.extend(*end);
    }
    let mut out = [0; 32];
    HkdfSha256.hkdf(b"", secret, &[&info], &mut out).unwrap();
    out.to_vec()
}

#[test]
fn a_derived_key_is_what_the_document_says() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, _| {
        let base = keys
            .import(flash, spec(1, KeyKind::HkdfSha256, OPEN), &BASE)
            .unwrap();
        let mut seen = Vec::new();
        for (number, kind, code, label) in [
            (2, KeyKind::HmacSha256, 7, &b"log"[..]),
            (3, KeyKind::HmacSha256, 7, b"lo"),
            (4, KeyKind::HkdfSha256, 8, b"log"),
            (5, KeyKind::P256, 2, b"log"),
            (6, KeyKind::Aes256GcmSiv, 5, b""),
        ] {
            let wanted = spec(number, kind, KeyUsage::EXPORT);
            keys.derive(flash, &base, label, wanted).unwrap();
            let made = exported(keys, flash, number);
            assert_eq!(
                made.to_vec(),
                expected(&BASE, "iotsec/keys/key/v1", &[code, 0], label, &[])
            );
            assert!(!seen.contains(&made));
            seen.push(made);
        }
        let mut out = Secret::<32>::zero();
        keys.derive_secret(flash, &base, b"log", &mut out).unwrap();
        assert_eq!(
            out.expose().to_vec(),
            expected(&BASE, "iotsec/keys/secret/v1", &[32, 0, 0, 0], b"log", &[])
        );
        assert!(!seen.contains(out.expose()));
        // Another length is not the beginning of a longer one.
        let mut short = Secret::<16>::zero();
        keys.derive_secret(flash, &base, b"log", &mut short).unwrap();
        assert_ne!(short.expose()[..], out.expose()[..16]);
        let mut long = Secret::<8161>::zero();
        assert_eq!(
            keys.derive_secret(flash, &base, b"log", &mut long),
            Err(KeyError::Crypto(CryptoError::Length))
        );
    });
}

#[test]
fn a_key_that_reveals_nothing_has_no_child_that_does() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        let closed = spec(1, KeyKind::HkdfSha256, KeyUsage::DERIVE);
        let closed = keys.generate(flash, closed, rng).unwrap();
        let agreement = spec(2, KeyKind::X25519, KeyUsage::DERIVE);
        let agreement = keys.generate(flash, agreement, rng).unwrap();
        let peer = X25519Key::generate(rng).unwrap();

        let mut out = Secret::from_bytes([7; 32]);
        assert_eq!(
            keys.derive_secret(flash, &closed, b"", &mut out),
            Err(KeyError::Usage)
        );
        assert_eq!(out.expose(), &[0; 32]);
        let agreed = keys.agree_secret(flash, &agreement, peer.public_key(), b"", &mut out);
        assert_eq!(agreed, Err(KeyError::Usage));
        assert_eq!(out.expose(), &[0; 32]);
        for usage in [
            KeyUsage::EXPORT,
            KeyUsage::REVEAL,
            KeyUsage::DERIVE | KeyUsage::REVEAL,
            KeyUsage::DERIVE | KeyUsage::EXPORT,
        ] {
            let wanted = spec(3, KeyKind::HkdfSha256, usage);
            assert_eq!(keys.derive(flash, &closed, b"", wanted), Err(KeyError::Usage));
            let agreed = keys.agree(flash, &agreement, peer.public_key(), b"", wanted);
            assert_eq!(agreed, Err(KeyError::Usage));
        }
        let wanted = spec(3, KeyKind::HkdfSha256, KeyUsage::DERIVE);
        let child = keys.derive(flash, &closed, b"", wanted).unwrap();
        let wanted = spec(4, KeyKind::HmacSha256, KeyUsage::SIGN);
        let grandchild = keys.derive(flash, &child, b"", wanted).unwrap();
        keys.mac(flash, &grandchild, b"message").unwrap();
        assert_eq!(keys.derive(flash, &closed, b"", wanted), Err(KeyError::Exists));
    });
}

fn agree_with(kind: KeyKind, peer: &dyn KeyAgreement, bad: &[&[u8]]) {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        let ours = keys.generate(flash, spec(1, kind, OPEN), rng).unwrap();
        let public = keys.public_key(flash, &ours).unwrap();
        let shared = peer.agree(public.as_bytes()).unwrap();
        let mut ends = [public.as_bytes(), peer.public_key()];
        ends.sort_unstable();

        let wanted = spec(2, KeyKind::HmacSha256, KeyUsage::EXPORT);
        keys.agree(flash, &ours, peer.public_key(), b"link", wanted)
            .unwrap();
        assert_eq!(
            exported(keys, flash, 2).to_vec(),
            expected(shared.expose(), "iotsec/keys/key/v1", &[7, 0], b"link", &ends)
        );
        let mut out = Secret::<32>::zero();
        keys.agree_secret(flash, &ours, peer.public_key(), b"link", &mut out)
            .unwrap();
        assert_eq!(
            out.expose().to_vec(),
            expected(
                shared.expose(),
                "iotsec/keys/secret/v1",
                &[32, 0, 0, 0],
                b"link",
                &ends
            )
        );
        let wanted = spec(3, KeyKind::HmacSha256, KeyUsage::SIGN);
        for peer in bad {
            let refused = keys.agree(flash, &ours, peer, b"link", wanted);
            assert_eq!(refused, Err(KeyError::Crypto(CryptoError::PublicKey)));
            let refused = keys.agree_secret(flash, &ours, peer, b"link", &mut out);
            assert_eq!(refused, Err(KeyError::Crypto(CryptoError::PublicKey)));
            assert_eq!(out.expose(), &[0; 32]);
        }
    });
}

#[test]
fn both_ends_of_a_key_agreement_have_the_same_key() {
    let mut rng = SimRng::new(99);
    // Both orders of the public keys occur.
    for _ in 0..4 {
        let peer = X25519Key::generate(&mut rng).unwrap();
        agree_with(KeyKind::X25519, &peer, &[&[0; 32], &[9; 31], b""]);
        let peer = P256AgreementKey::generate(&mut rng).unwrap();
        agree_with(KeyKind::P256Agreement, &peer, &[&[4; 65], &[0; 32], b""]);
    }
}
