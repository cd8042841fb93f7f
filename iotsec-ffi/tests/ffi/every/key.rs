use iotsec_ffi::key::{agree::*, cipher::*, life::*, sign::*, *};

use super::{Succeeded, ok};
use crate::{key::spec, login::zeroed, store::Bench};

const MATERIAL: [u8; 32] = *b"a key of the product, imported .";

#[test]
fn key() {
    let mut seen = Succeeded::default();
    signing(&mut seen);
    derived(&mut seen);
    seen.all_of("key");
}

fn signing(seen: &mut Succeeded) {
    let bench = Bench::new();
    let (at, mut key, mut next) = (bench.store.at(), zeroed(), zeroed());
    let usage = IOTSEC_KEY_USAGE_SIGN | IOTSEC_KEY_USAGE_VERIFY;
    let wanted = spec(1, IOTSEC_KEY_KIND_ED25519, usage);
    ok!(seen, iotsec_key_generate(at, &raw const wanted, &raw mut key));
    ok!(seen, iotsec_key_open(at, wanted.id, &raw mut key));
    let (mut signature, mut public, mut len) = ([0; 64], [0; 65], 0);
    let message = b"report".as_ptr();
    ok!(
        seen,
        iotsec_key_sign(at, &raw const key, message, 6, signature.as_mut_ptr())
    );
    ok!(
        seen,
        iotsec_key_verify(at, &raw const key, message, 6, signature.as_ptr(), 64)
    );
    ok!(
        seen,
        iotsec_key_public(at, &raw const key, public.as_mut_ptr(), 65, &raw mut len)
    );
    ok!(seen, iotsec_key_rotate(at, &raw const key, &raw mut next));
    ok!(seen, iotsec_key_previous(at, &raw const next, &raw mut key));
    ok!(seen, iotsec_key_retire(at, &raw const next));
    ok!(seen, iotsec_key_destroy(at, &raw const next));
}

fn derived(seen: &mut Succeeded) {
    let bench = Bench::new();
    let (at, mut base, mut key) = (bench.store.at(), zeroed(), zeroed());
    let (mut mac, mut secret, mut len) = ([0; IOTSEC_MAC_LEN], [0; IOTSEC_KEY_LEN], 0);
    let open = IOTSEC_KEY_USAGE_DERIVE | IOTSEC_KEY_USAGE_REVEAL;
    let wanted = spec(1, IOTSEC_KEY_KIND_HKDF_SHA256, open | IOTSEC_KEY_USAGE_EXPORT);
    let (label, label_len) = (b"link".as_ptr(), 4);
    ok!(
        seen,
        iotsec_key_import(at, &raw const wanted, MATERIAL.as_ptr(), 32, &raw mut base)
    );
    ok!(
        seen,
        iotsec_key_export(at, &raw const base, secret.as_mut_ptr(), 32, &raw mut len)
    );
    assert_eq!(secret, MATERIAL);
    let wanted = spec(2, IOTSEC_KEY_KIND_HMAC_SHA256, IOTSEC_KEY_USAGE_SIGN);
    ok!(
        seen,
        iotsec_key_derive(
            at,
            &raw const base,
            label,
            label_len,
            &raw const wanted,
            &raw mut key
        )
    );
    ok!(
        seen,
        iotsec_key_mac(at, &raw const key, label, label_len, mac.as_mut_ptr())
    );
    ok!(
        seen,
        iotsec_key_derive_secret(at, &raw const base, label, label_len, secret.as_mut_ptr())
    );
    let wanted = spec(3, IOTSEC_KEY_KIND_X25519, open);
    ok!(seen, iotsec_key_generate(at, &raw const wanted, &raw mut base));
    // The base point is a public key like any other.
    let mut peer = [0u8; 32];
    peer[0] = 9;
    ok!(
        seen,
        iotsec_key_agree_secret(
            at,
            &raw const base,
            peer.as_ptr(),
            32,
            label,
            label_len,
            secret.as_mut_ptr()
        )
    );
    let usage = IOTSEC_KEY_USAGE_ENCRYPT | IOTSEC_KEY_USAGE_DECRYPT;
    let wanted = spec(4, IOTSEC_KEY_KIND_AES_256_GCM_SIV, usage);
    ok!(
        seen,
        iotsec_key_agree(
            at,
            &raw const base,
            peer.as_ptr(),
            32,
            label,
            label_len,
            &raw const wanted,
            &raw mut key
        )
    );
    let (mut sealed, mut text) = ([0; 5 + IOTSEC_KEY_SEAL_LEN], [0; 5]);
    ok!(
        seen,
        iotsec_key_encrypt(
            at,
            &raw const key,
            label,
            label_len,
            b"hello".as_ptr(),
            5,
            sealed.as_mut_ptr(),
            5 + IOTSEC_KEY_SEAL_LEN,
            &raw mut len
        )
    );
    ok!(
        seen,
        iotsec_key_decrypt(
            at,
            &raw const key,
            label,
            label_len,
            sealed.as_ptr(),
            len,
            text.as_mut_ptr(),
            5,
            &raw mut len
        )
    );
    assert_eq!(&text, b"hello");
}
