//! What one suite of cryptography wrote, another reads: a device that changes its suite by an update loses nothing.

use iotsec::{
    core::crypto::{
        self, Aead, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, P256PublicKey, Sign, Verify, aws_lc,
        ring,
    },
    core::secret::Secret,
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

fn suite<'a>(aead: &'a dyn Aead, root: &'a SimRootKey) -> Suite<'a> {
    Suite {
        aead,
        kdf: &HkdfSha256,
        root,
    }
}

#[test]
fn a_store_outlives_its_suite() {
    let suites: [&dyn Aead; 2] = [&crypto::Aes256GcmSiv, &aws_lc::Aes256GcmSiv];
    let root = SimRootKey::new(1);
    for [first, second] in [[suites[0], suites[1]], [suites[1], suites[0]]] {
        let (mut flash, mut rng) = (SimFlash::new(Geometry::nrf52840(8)), SimRng::new(1));
        let region = flash.region().unwrap();
        let value = |number: u8| vec![number; usize::from(number) * 7];
        let name = |number| KeyId::new(KeyDomain::User, 1, u16::from(number));
        {
            let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
            let mut store = Store::format(
                &mut flash,
                region,
                suite(first, &root),
                &mut index,
                &mut buffer,
                ReplayProtection::None,
                &mut rng,
            )
            .unwrap();
            for number in 1..20 {
                store.put(&mut flash, name(number), &value(number)).unwrap();
            }
        }
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
        let mut store = Store::mount(
            &mut flash,
            region,
            suite(second, &root),
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )
        .unwrap();
        for number in 1..20 {
            let mut out = [0; 256];
            let found = store.get(&mut flash, name(number), &mut out).unwrap();
            assert_eq!(found, value(number));
        }
    }
}

#[test]
fn random_messages_are_sealed_and_opened_across_suites() {
    let chacha: [&dyn Aead; 3] = [
        &crypto::ChaCha20Poly1305,
        &ring::ChaCha20Poly1305,
        &aws_lc::ChaCha20Poly1305,
    ];
    let siv: [&dyn Aead; 2] = [&crypto::Aes256GcmSiv, &aws_lc::Aes256GcmSiv];
    let mut rng = SimRng::new(2);
    for len in (0..70).chain([255, 256, 257, 1023, 4096, 16_385]) {
        let key = Secret::random(&mut rng).unwrap();
        let text: Vec<u8> = (0..len).map(|at: usize| at.to_le_bytes()[0]).collect();
        let (nonce, aad) = ([7; 12], &text[..len.min(33)]);
        for suites in [&chacha[..], &siv] {
            let mut sealed = Vec::new();
            for suite in suites {
                let mut buffer = text.clone();
                let tag = suite.seal(&key, &nonce, aad, &mut buffer).unwrap();
                sealed.push((buffer, tag));
            }
            assert!(sealed.iter().all(|one| *one == sealed[0]), "{len} bytes");
            for suite in suites {
                let (mut buffer, tag) = sealed[0].clone();
                suite.open(&key, &nonce, aad, &mut buffer, &tag).unwrap();
                assert_eq!(buffer, text);
            }
        }
    }
}

#[test]
fn a_signature_counts_whoever_checks_it() {
    let mut rng = SimRng::new(3);
    for _ in 0..20 {
        let scalar = Secret::random(&mut rng).unwrap();
        let signers: [Box<dyn Sign>; 3] = [
            Box::new(crypto::P256SigningKey::from_scalar(&scalar).unwrap()),
            Box::new(ring::P256SigningKey::from_scalar(&scalar).unwrap()),
            Box::new(aws_lc::P256SigningKey::from_scalar(&scalar).unwrap()),
        ];
        let point = signers[0].public_key();
        let checkers: [Box<dyn Verify>; 3] = [
            Box::new(P256PublicKey::from_sec1(point).unwrap()),
            Box::new(ring::P256PublicKey::from_sec1(point).unwrap()),
            Box::new(aws_lc::P256PublicKey::from_sec1(point).unwrap()),
        ];
        for signer in &signers {
            assert_eq!(signer.public_key(), point);
            let mut signature = [0; 64];
            signer.sign(b"message", &mut signature).unwrap();
            for checker in &checkers {
                checker.verify(b"message", &signature).unwrap();
                assert!(checker.verify(b"messagE", &signature).is_err());
                assert!(checker.verify(b"message", &signature[..63]).is_err());
            }
        }
        // A key of another kind, whose bytes are no point.
        let other = Ed25519SigningKey::from_seed(&scalar);
        assert!(Ed25519PublicKey::from_bytes(other.public_key()).is_ok());
        assert!(ring::P256PublicKey::from_sec1(other.public_key()).is_err());
    }
}
