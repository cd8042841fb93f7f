use iotsec_ffi::key::{agree::*, cipher::*, life::*, sign::*, *};

use super::*;

const SPEC: iotsec_key_spec_t = crate::key::spec(1, IOTSEC_KEY_KIND_HMAC_SHA256, IOTSEC_KEY_USAGE_SIGN);

fn key() -> iotsec_key_t {
    zeroed()
}

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_key_generate, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &SPEC),
        t.mutable(2, &mut key())
    ));
    call!(calls, iotsec_key_import, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &SPEC),
        t.shared(2, &[7u8; 32]).cast(),
        32,
        t.mutable(3, &mut key())
    ));
    call!(calls, iotsec_key_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut key())
    ));
    call!(calls, iotsec_key_export, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.mutable(2, &mut [0u8; 32]).cast(),
        32,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_key_rotate, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.mutable(2, &mut key())
    ));
    call!(calls, iotsec_key_previous, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.mutable(2, &mut key())
    ));
    call!(calls, iotsec_key_retire, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key())
    ));
    call!(calls, iotsec_key_destroy, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key())
    ));
    call!(calls, iotsec_key_sign, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.mutable(3, &mut [0u8; IOTSEC_SIGNATURE_LEN]).cast()
    ));
    call!(calls, iotsec_key_mac, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.mutable(3, &mut [0u8; IOTSEC_MAC_LEN]).cast()
    ));
    call!(calls, iotsec_key_verify, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.shared(3, &[0u8; 64]).cast(),
        64
    ));
    call!(calls, iotsec_key_public, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.mutable(2, &mut [0u8; 65]).cast(),
        65,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_key_encrypt, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.shared(3, &0),
        1,
        t.mutable(4, &mut [0u8; 64]).cast(),
        64,
        t.mutable(5, &mut 0)
    ));
    call!(calls, iotsec_key_decrypt, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.shared(3, &[0u8; 32]).cast(),
        32,
        t.mutable(4, &mut [0u8; 64]).cast(),
        64,
        t.mutable(5, &mut 0)
    ));
    call!(calls, iotsec_key_derive, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.shared(3, &SPEC),
        t.mutable(4, &mut key())
    ));
    call!(calls, iotsec_key_derive_secret, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &0),
        1,
        t.mutable(3, &mut [0u8; IOTSEC_KEY_LEN]).cast()
    ));
    call!(calls, iotsec_key_agree, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &[9u8; 32]).cast(),
        32,
        t.shared(3, &0),
        1,
        t.shared(4, &SPEC),
        t.mutable(5, &mut key())
    ));
    call!(calls, iotsec_key_agree_secret, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &key()),
        t.shared(2, &[9u8; 32]).cast(),
        32,
        t.shared(3, &0),
        1,
        t.mutable(4, &mut [0u8; IOTSEC_KEY_LEN]).cast()
    ));
}
