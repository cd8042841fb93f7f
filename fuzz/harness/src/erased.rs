//! Receipts of what was erased.

use iotsec::erase::{Erased, Reason, Scope};
use iotsec_core::{
    cbor::Limits,
    cose::{ContentType, Sign1, Sign1Builder},
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
    hal::UnixTime,
    secret::Secret,
};

use crate::Seed;

/// As `src/erase/FORMAT.md` has it.
const DOMAIN: &[u8] = b"iotsec/erased/v1";

fn key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

/// The input is a receipt, or what a device with the key signs. What is accepted has one encoding.
pub fn receipt(input: &[u8]) -> bool {
    let signer = key();
    let public = Ed25519PublicKey::from_bytes(signer.public_key()).expect("a key");
    let mut signed = vec![0; input.len() + 256];
    let header = ContentType::Media("application/vnd.iotsec.erased+cbor");
    let mut scratch = vec![0; input.len() + 256];
    let builder = Sign1Builder::new().content_type(header);
    let signed = builder
        .sign(&signer, input, DOMAIN, &mut scratch, &mut signed)
        .expect("there is room");
    let mut accepted = false;
    for bytes in [input, signed] {
        let Ok(checked) = Erased::verify(bytes, &public, None, &mut Sha256::new()) else {
            continue;
        };
        accepted = true;
        let mut out = [0; Erased::MAX_LEN];
        let again = checked.erased().sign(&signer, &mut Sha256::new(), &mut out);
        assert_eq!(again, Ok(bytes));
    }
    accepted
}

/// Seeds of [`receipt`].
pub fn receipt_seeds() -> Vec<Seed> {
    let erased = Erased {
        reason: Reason::Reset,
        scope: Scope::User,
        erasures: 1,
        values: 5,
        scrubbed: true,
        boot: 12,
        uptime: None,
        time: Some(UnixTime(1_790_000_000)),
        nonce: Some(b"a fresh number"),
    };
    let sign = |erased: Erased<'_>| -> Vec<u8> {
        let mut out = [0; Erased::MAX_LEN];
        let signed = erased.sign(&key(), &mut Sha256::new(), &mut out);
        signed.expect("what a device can say").to_vec()
    };
    let reset = sign(erased);
    let namespaces = sign(Erased {
        reason: Reason::Request,
        scope: Scope::Namespaces(&[1, 3]),
        nonce: None,
        time: None,
        ..erased
    });
    let public = Ed25519PublicKey::from_bytes(key().public_key()).expect("a key");
    let message = Sign1::parse(&reset, &Limits::SMALL).expect("a message");
    let payload = message.verify(&public, DOMAIN, &mut [0; 512]);
    let payload = payload.expect("signed by that key").payload().to_vec();
    let mut seeds = vec![
        Seed::new("near-cut", &reset[..reset.len() - 1]),
        Seed::new("near-other-signature", {
            let mut other = reset.clone();
            *other.last_mut().expect("bytes") ^= 1;
            other
        }),
    ];
    seeds.push(Seed::new("valid-payload", payload));
    seeds.push(Seed::new("valid-reset", reset));
    seeds.push(Seed::new("valid-namespaces", namespaces));
    seeds
}
