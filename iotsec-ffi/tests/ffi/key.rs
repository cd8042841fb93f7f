//! Keys that are used in the store and not handed out.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec::core::{
    crypto::{Ed25519PublicKey, HkdfSha256, Kdf, KeyAgreement, P256PublicKey, Verify, X25519Key},
    secret::Secret,
};
use iotsec_ffi::{
    key::{agree::*, cipher::*, life::*, sign::*, *},
    record::iotsec_key_id_t,
    signer::{IOTSEC_PUBLIC_KEY_MAX, IOTSEC_SIGNATURE_LEN},
    status::*,
    store::{iotsec_store_mount, iotsec_store_put},
};

use crate::{login::zeroed, store::Bench};

const NAME: iotsec_key_id_t = 7 << 16 | 1;

pub(crate) const fn spec(number: u64, kind: iotsec_key_kind_t, usage: u32) -> iotsec_key_spec_t {
    iotsec_key_spec_t {
        id: NAME + number,
        kind,
        usage,
    }
}

const SIGNING: u32 = IOTSEC_KEY_USAGE_SIGN | IOTSEC_KEY_USAGE_VERIFY;
const SEALING: u32 = IOTSEC_KEY_USAGE_ENCRYPT | IOTSEC_KEY_USAGE_DECRYPT;

type Made = Result<iotsec_key_t, iotsec_status_t>;
type Bytes = Result<Vec<u8>, (iotsec_status_t, usize)>;

fn made(call: impl FnOnce(*mut iotsec_key_t) -> iotsec_status_t) -> Made {
    let mut key = zeroed::<iotsec_key_t>();
    match call(&raw mut key) {
        IOTSEC_OK => Ok(key),
        refused => {
            assert_eq!(key, zeroed(), "refused and wrote");
            Err(refused)
        }
    }
}

fn bytes(room: usize, call: impl FnOnce(*mut u8, usize, *mut usize) -> iotsec_status_t) -> Bytes {
    let (mut out, mut len) = (vec![0; room], 0);
    match call(out.as_mut_ptr(), room, &raw mut len) {
        IOTSEC_OK => Ok(out[..len].to_vec()),
        refused => {
            assert!(out.iter().all(|byte| *byte == 0), "refused and wrote");
            Err((refused, len))
        }
    }
}

impl Bench {
    fn generate(&self, spec: iotsec_key_spec_t) -> Made {
        // SAFETY: see the top; here and below.
        made(|key| unsafe { iotsec_key_generate(self.store.at(), &raw const spec, key) })
    }

    fn import(&self, spec: iotsec_key_spec_t, material: &[u8]) -> Made {
        let (at, from, len) = (self.store.at(), material.as_ptr(), material.len());
        // SAFETY: as above.
        made(|key| unsafe { iotsec_key_import(at, &raw const spec, from, len, key) })
    }

    fn found(&self, id: iotsec_key_id_t) -> Made {
        // SAFETY: as above.
        made(|key| unsafe { iotsec_key_open(self.store.at(), id, key) })
    }

    fn rotate(&self, key: &iotsec_key_t) -> Made {
        // SAFETY: as above.
        made(|next| unsafe { iotsec_key_rotate(self.store.at(), key, next) })
    }

    fn previous(&self, key: &iotsec_key_t) -> Made {
        // SAFETY: as above.
        made(|before| unsafe { iotsec_key_previous(self.store.at(), key, before) })
    }

    fn retire(&self, key: &iotsec_key_t) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_key_retire(self.store.at(), key) }
    }

    fn destroy(&self, key: &iotsec_key_t) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_key_destroy(self.store.at(), key) }
    }

    fn export(&self, key: &iotsec_key_t, room: usize) -> Bytes {
        // SAFETY: as above.
        bytes(room, |out, size, len| unsafe {
            iotsec_key_export(self.store.at(), key, out, size, len)
        })
    }

    fn public(&self, key: &iotsec_key_t, room: usize) -> Bytes {
        // SAFETY: as above.
        bytes(room, |out, size, len| unsafe {
            iotsec_key_public(self.store.at(), key, out, size, len)
        })
    }

    fn sign(
        &self,
        key: &iotsec_key_t,
        message: &[u8],
    ) -> Result<[u8; IOTSEC_SIGNATURE_LEN], iotsec_status_t> {
        let (at, from, len) = (self.store.at(), message.as_ptr(), message.len());
        let mut out = [0; IOTSEC_SIGNATURE_LEN];
        // SAFETY: as above.
        match unsafe { iotsec_key_sign(at, key, from, len, out.as_mut_ptr()) } {
            IOTSEC_OK => Ok(out),
            refused => Err(refused),
        }
    }

    fn mac(&self, key: &iotsec_key_t, message: &[u8]) -> Result<[u8; IOTSEC_MAC_LEN], iotsec_status_t> {
        let (at, from, len) = (self.store.at(), message.as_ptr(), message.len());
        let mut out = [0; IOTSEC_MAC_LEN];
        // SAFETY: as above.
        match unsafe { iotsec_key_mac(at, key, from, len, out.as_mut_ptr()) } {
            IOTSEC_OK => Ok(out),
            refused => Err(refused),
        }
    }

    fn verify(&self, key: &iotsec_key_t, message: &[u8], signature: &[u8]) -> iotsec_status_t {
        let (at, from, len) = (self.store.at(), message.as_ptr(), message.len());
        // SAFETY: as above.
        unsafe { iotsec_key_verify(at, key, from, len, signature.as_ptr(), signature.len()) }
    }

    fn encrypt(&self, key: &iotsec_key_t, aad: &[u8], text: &[u8], room: usize) -> Bytes {
        let (at, (from, from_len)) = (self.store.at(), (text.as_ptr(), text.len()));
        // SAFETY: as above.
        bytes(room, |out, size, len| unsafe {
            iotsec_key_encrypt(at, key, aad.as_ptr(), aad.len(), from, from_len, out, size, len)
        })
    }

    fn decrypt(&self, key: &iotsec_key_t, aad: &[u8], sealed: &[u8], room: usize) -> Bytes {
        let (at, (from, from_len)) = (self.store.at(), (sealed.as_ptr(), sealed.len()));
        // SAFETY: as above.
        bytes(room, |out, size, len| unsafe {
            iotsec_key_decrypt(at, key, aad.as_ptr(), aad.len(), from, from_len, out, size, len)
        })
    }

    fn derive(&self, base: &iotsec_key_t, label: &[u8], spec: iotsec_key_spec_t) -> Made {
        let (at, from, len) = (self.store.at(), label.as_ptr(), label.len());
        // SAFETY: as above.
        made(|key| unsafe { iotsec_key_derive(at, base, from, len, &raw const spec, key) })
    }

    fn agree(&self, base: &iotsec_key_t, peer: &[u8], label: &[u8], spec: iotsec_key_spec_t) -> Made {
        let (at, from, len) = (self.store.at(), label.as_ptr(), label.len());
        // SAFETY: as above.
        made(|key| unsafe {
            iotsec_key_agree(
                at,
                base,
                peer.as_ptr(),
                peer.len(),
                from,
                len,
                &raw const spec,
                key,
            )
        })
    }

    fn derive_secret(&self, base: &iotsec_key_t, label: &[u8]) -> Result<[u8; 32], iotsec_status_t> {
        let (at, mut out) = (self.store.at(), [0; 32]);
        // SAFETY: as above.
        match unsafe { iotsec_key_derive_secret(at, base, label.as_ptr(), label.len(), out.as_mut_ptr()) } {
            IOTSEC_OK => Ok(out),
            refused => Err(refused),
        }
    }

    fn agree_secret(
        &self,
        base: &iotsec_key_t,
        peer: &[u8],
        label: &[u8],
    ) -> Result<[u8; 32], iotsec_status_t> {
        let (at, from, len) = (self.store.at(), label.as_ptr(), label.len());
        let mut out = [0; 32];
        // SAFETY: as above.
        match unsafe {
            iotsec_key_agree_secret(at, base, peer.as_ptr(), peer.len(), from, len, out.as_mut_ptr())
        } {
            IOTSEC_OK => Ok(out),
            refused => Err(refused),
        }
    }
}

#[test]
fn a_key_signs_over_a_reboot_and_its_bytes_stay_in_the_store() {
    let bench = Bench::new();
    for (number, kind, len) in [(1, IOTSEC_KEY_KIND_ED25519, 32), (2, IOTSEC_KEY_KIND_P256, 65)] {
        let key = bench.generate(spec(number, kind, SIGNING)).unwrap();
        assert_eq!(
            (key.id, key.kind, key.usage, key.number),
            (NAME + number, kind, SIGNING, 1)
        );
        bench.close();
        assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
        assert_eq!(bench.found(key.id), Ok(key));
        let signature = bench.sign(&key, b"a report").unwrap();
        assert_eq!(bench.verify(&key, b"a report", &signature), IOTSEC_OK);
        assert_eq!(
            bench.verify(&key, b"another", &signature),
            IOTSEC_ERR_CRYPTO_SIGNATURE
        );
        let public = bench.public(&key, IOTSEC_PUBLIC_KEY_MAX).unwrap();
        assert_eq!(public.len(), len);
        assert_eq!(bench.public(&key, len - 1), Err((IOTSEC_ERR_SHORT_BUFFER, len)));
        let checked = match kind {
            IOTSEC_KEY_KIND_P256 => P256PublicKey::from_sec1(&public)
                .unwrap()
                .verify(b"a report", &signature),
            _ => Ed25519PublicKey::from_bytes(&public)
                .unwrap()
                .verify(b"a report", &signature),
        };
        assert!(checked.is_ok());
        assert_eq!(bench.export(&key, 32), Err((IOTSEC_ERR_KEY_USAGE, 0)));
        assert_eq!(bench.mac(&key, b"a report"), Err(IOTSEC_ERR_KEY_TYPE));
        assert_eq!(
            bench.generate(spec(number, kind, SIGNING)),
            Err(IOTSEC_ERR_KEY_EXISTS)
        );
        assert_eq!(bench.destroy(&key), IOTSEC_OK);
        assert_eq!(bench.sign(&key, b"a report"), Err(IOTSEC_ERR_STORE_NOT_FOUND));
    }
}

#[test]
fn a_mac_is_that_of_hmac_and_a_key_leaves_only_if_it_was_made_so() {
    let bench = Bench::new();
    let material: [u8; 32] = std::array::from_fn(|at| at as u8);
    let usage = SIGNING | IOTSEC_KEY_USAGE_EXPORT;
    let key = bench
        .import(spec(1, IOTSEC_KEY_KIND_HMAC_SHA256, usage), &material)
        .unwrap();
    let mac = bench.mac(&key, b"a report").unwrap();
    assert_eq!(mac, HkdfSha256.hmac(&material, &[b"a report"]).unwrap());
    assert_eq!(bench.verify(&key, b"a report", &mac), IOTSEC_OK);
    assert_eq!(
        bench.verify(&key, b"a report", &mac[..31]),
        IOTSEC_ERR_CRYPTO_SIGNATURE
    );
    assert_eq!(bench.export(&key, 31), Err((IOTSEC_ERR_SHORT_BUFFER, 32)));
    assert_eq!(bench.export(&key, 32).unwrap(), material);
    assert!(!bench.board.flash.contains(&material));
    for (material, kind) in [
        (&material[..31], IOTSEC_KEY_KIND_HMAC_SHA256),
        (&[7; 32], IOTSEC_KEY_KIND_HMAC_SHA256),
        (&[0xFF; 32], IOTSEC_KEY_KIND_P256),
    ] {
        assert_eq!(
            bench.import(spec(2, kind, IOTSEC_KEY_USAGE_SIGN), material),
            Err(IOTSEC_ERR_KEY_MATERIAL)
        );
    }
    // What is written into the struct changes nothing about what the store says.
    let plain = bench
        .import(
            spec(2, IOTSEC_KEY_KIND_HMAC_SHA256, IOTSEC_KEY_USAGE_SIGN),
            &material,
        )
        .unwrap();
    let forged = iotsec_key_t { usage, ..plain };
    assert_eq!(bench.export(&forged, 32), Err((IOTSEC_ERR_KEY_USAGE, 0)));
}

#[test]
fn what_is_encrypted_is_read_under_the_same_key_and_header_alone() {
    for kind in [IOTSEC_KEY_KIND_AES_256_GCM_SIV, IOTSEC_KEY_KIND_CHACHA20_POLY1305] {
        let bench = Bench::new();
        let key = bench.generate(spec(1, kind, SEALING)).unwrap();
        let (aad, text) = (b"frame 7", b"correct horse");
        let needed = text.len() + IOTSEC_KEY_SEAL_LEN;
        let short = bench.encrypt(&key, aad, text, needed - 1);
        assert_eq!(short, Err((IOTSEC_ERR_SHORT_BUFFER, needed)));
        let sealed = bench.encrypt(&key, aad, text, needed + 5).unwrap();
        assert_eq!(sealed.len(), needed);
        let again = bench.encrypt(&key, aad, text, needed).unwrap();
        assert_ne!(sealed[..12], again[..12]);
        assert_eq!(bench.decrypt(&key, aad, &sealed, text.len()).unwrap(), text);
        let short = bench.decrypt(&key, aad, &sealed, text.len() - 1);
        assert_eq!(short, Err((IOTSEC_ERR_SHORT_BUFFER, text.len())));
        for at in 0..needed {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                bench.decrypt(&key, aad, &changed, 64),
                Err((IOTSEC_ERR_CRYPTO_TAG, 0))
            );
        }
        assert_eq!(
            bench.decrypt(&key, b"frame 8", &sealed, 64),
            Err((IOTSEC_ERR_CRYPTO_TAG, 0))
        );
        assert_eq!(
            bench.decrypt(&key, aad, &sealed[..27], 64),
            Err((IOTSEC_ERR_SIZE, 0))
        );
        let empty = bench.encrypt(&key, b"", b"", 28).unwrap();
        assert_eq!(bench.decrypt(&key, b"", &empty, 0), Ok(vec![]));
        let one_way = bench.generate(spec(2, kind, IOTSEC_KEY_USAGE_DECRYPT)).unwrap();
        assert_eq!(
            bench.encrypt(&one_way, aad, text, 64),
            Err((IOTSEC_ERR_KEY_USAGE, 0))
        );
        let signing = bench
            .generate(spec(3, IOTSEC_KEY_KIND_HMAC_SHA256, SIGNING))
            .unwrap();
        assert_eq!(
            bench.encrypt(&signing, aad, text, 64),
            Err((IOTSEC_ERR_KEY_TYPE, 0))
        );
    }
}

#[test]
fn a_key_turns_and_the_one_before_reads_and_checks_until_it_is_retired() {
    let bench = Bench::new();
    let first = bench
        .generate(spec(1, IOTSEC_KEY_KIND_AES_256_GCM_SIV, SEALING))
        .unwrap();
    assert_eq!(bench.previous(&first), Err(IOTSEC_ERR_KEY_NO_PREVIOUS));
    let sealed = bench.encrypt(&first, b"", b"old", 64).unwrap();
    let second = bench.rotate(&first).unwrap();
    assert_eq!((second.number, second.usage), (2, SEALING));
    assert_eq!(
        bench.encrypt(&first, b"", b"new", 64),
        Err((IOTSEC_ERR_KEY_STALE, 0))
    );
    assert_eq!(
        bench.decrypt(&second, b"", &sealed, 64),
        Err((IOTSEC_ERR_CRYPTO_TAG, 0))
    );
    let before = bench.previous(&second).unwrap();
    assert_eq!((before.number, before.usage), (1, IOTSEC_KEY_USAGE_DECRYPT));
    assert_eq!(bench.decrypt(&before, b"", &sealed, 64).unwrap(), b"old");
    assert_eq!(
        bench.encrypt(&before, b"", b"new", 64),
        Err((IOTSEC_ERR_KEY_USAGE, 0))
    );
    assert_eq!(bench.rotate(&second), Err(IOTSEC_ERR_KEY_NOT_RETIRED));
    assert_eq!(bench.retire(&second), IOTSEC_OK);
    assert_eq!(
        bench.decrypt(&before, b"", &sealed, 64),
        Err((IOTSEC_ERR_KEY_STALE, 0))
    );
    assert_eq!(bench.rotate(&second).unwrap().number, 3);
    assert_eq!(bench.destroy(&second), IOTSEC_ERR_KEY_STALE);
}

#[test]
fn keys_are_derived_and_agreed_on_and_leave_only_from_one_that_reveals() {
    let bench = Bench::new();
    let base = bench
        .generate(spec(1, IOTSEC_KEY_KIND_HKDF_SHA256, IOTSEC_KEY_USAGE_DERIVE))
        .unwrap();
    let wanted = spec(2, IOTSEC_KEY_KIND_HMAC_SHA256, SIGNING);
    let derived = bench.derive(&base, b"link", wanted).unwrap();
    let mac = bench.mac(&derived, b"x").unwrap();
    assert_eq!(bench.destroy(&derived), IOTSEC_OK);
    let again = bench.derive(&base, b"link", wanted).unwrap();
    assert_eq!(
        bench.mac(&again, b"x").unwrap(),
        mac,
        "the same label, the same key"
    );
    assert_eq!(bench.derive_secret(&base, b"link"), Err(IOTSEC_ERR_KEY_USAGE));
    let leaving = spec(3, IOTSEC_KEY_KIND_HMAC_SHA256, SIGNING | IOTSEC_KEY_USAGE_EXPORT);
    assert_eq!(bench.derive(&base, b"link", leaving), Err(IOTSEC_ERR_KEY_USAGE));
    assert_eq!(bench.derive(&again, b"link", leaving), Err(IOTSEC_ERR_KEY_TYPE));
    let open = IOTSEC_KEY_USAGE_DERIVE | IOTSEC_KEY_USAGE_REVEAL;
    let base = bench
        .generate(spec(3, IOTSEC_KEY_KIND_HKDF_SHA256, open))
        .unwrap();
    let secrets = [&b"a"[..], b"a", b"b"].map(|label| bench.derive_secret(&base, label).unwrap());
    assert!(secrets[0] == secrets[1] && secrets[1] != secrets[2]);

    for kind in [IOTSEC_KEY_KIND_X25519, IOTSEC_KEY_KIND_P256_AGREEMENT] {
        let (here, there) = (Bench::new(), Bench::new());
        // The other one has drawn another key, also from a source that begins in the same way.
        there.generate(spec(9, kind, open)).unwrap();
        let ours = here.generate(spec(1, kind, open)).unwrap();
        let theirs = there.generate(spec(1, kind, open)).unwrap();
        let (public, peer) = (
            here.public(&ours, 65).unwrap(),
            there.public(&theirs, 65).unwrap(),
        );
        assert_ne!(public, peer);
        let secret = here.agree_secret(&ours, &peer, b"session").unwrap();
        assert_eq!(there.agree_secret(&theirs, &public, b"session"), Ok(secret));
        assert_ne!(there.agree_secret(&theirs, &public, b"another"), Ok(secret));
        let wanted = spec(2, IOTSEC_KEY_KIND_CHACHA20_POLY1305, SEALING);
        let (key, same) = (
            here.agree(&ours, &peer, b"link", wanted).unwrap(),
            there.agree(&theirs, &public, b"link", wanted).unwrap(),
        );
        let sealed = here.encrypt(&key, b"", b"hello", 64).unwrap();
        assert_eq!(there.decrypt(&same, b"", &sealed, 64).unwrap(), b"hello");
        assert_eq!(
            here.agree_secret(&ours, &peer[1..], b"session"),
            Err(IOTSEC_ERR_CRYPTO_PUBLIC_KEY)
        );
    }
    // What the curve says of the public half.
    let scalar: [u8; 32] = std::array::from_fn(|at| at as u8);
    let kept = bench
        .import(spec(4, IOTSEC_KEY_KIND_X25519, open), &scalar)
        .unwrap();
    let key = X25519Key::from_scalar(&Secret::from_bytes(scalar));
    assert_eq!(bench.public(&kept, 32).unwrap(), key.public_key());
}

#[test]
fn a_key_with_something_in_its_reserved_field_is_refused_by_every_function() {
    let bench = Bench::new();
    let key = bench.generate(spec(1, IOTSEC_KEY_KIND_ED25519, SIGNING)).unwrap();
    let later = iotsec_key_t { reserved: 1, ..key };
    assert_eq!(bench.sign(&later, b"a report").err(), Some(IOTSEC_ERR_CONFIG));
    assert_eq!(bench.public(&later, 32), Err((IOTSEC_ERR_CONFIG, 0)));
    assert_eq!(bench.rotate(&later), Err(IOTSEC_ERR_CONFIG));
    assert_eq!(bench.destroy(&later), IOTSEC_ERR_CONFIG);
    assert_eq!(bench.found(key.id), Ok(key));
}

#[test]
fn a_specification_that_is_none_and_a_value_that_is_no_key_are_refused() {
    let bench = Bench::new();
    let refused = |kind, usage| bench.generate(spec(1, kind, usage)).unwrap_err();
    assert_eq!(refused(0, SIGNING), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(9, SIGNING), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(IOTSEC_KEY_KIND_P256, 0), IOTSEC_ERR_KEY_POLICY);
    assert_eq!(refused(IOTSEC_KEY_KIND_P256, 32), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(IOTSEC_KEY_KIND_P256, 256 | SIGNING), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(IOTSEC_KEY_KIND_P256, SEALING), IOTSEC_ERR_KEY_POLICY);
    let elsewhere = iotsec_key_spec_t {
        id: 2 << 32,
        ..spec(1, IOTSEC_KEY_KIND_P256, SIGNING)
    };
    assert_eq!(bench.generate(elsewhere), Err(IOTSEC_ERR_CONFIG));
    assert_eq!(bench.found(NAME), Err(IOTSEC_ERR_STORE_NOT_FOUND));
    // SAFETY: see the top.
    let put = unsafe { iotsec_store_put(bench.store.at(), NAME, b"no key".as_ptr(), 6) };
    assert_eq!(put, IOTSEC_OK);
    assert!(bench.found(NAME).is_err());
    bench.close();
    assert_eq!(bench.found(NAME), Err(IOTSEC_ERR_STATE));
    // SAFETY: see the top.
    let null = unsafe { iotsec_key_open(bench.store.at(), NAME, ptr::null_mut()) };
    assert_eq!(null, IOTSEC_ERR_NULL);
}
