//! Keys that are made of other keys.

use iotsec::store::keys::KeySuite;

use super::{
    AGREE, ALL, IOTSEC_KEY_LEN, NOTHING, iotsec_key_spec_t, iotsec_key_t, key_to_c, spec_of, with_key,
};
use crate::{
    argument,
    status::{iotsec_status_t, status},
    store::iotsec_store_t,
};

/// Derives a key as `spec` says from `base`, a key `_HKDF_SHA256` that has `IOTSEC_KEY_USAGE_DERIVE`, keeps it in the
/// store, and writes to `key` what stands for it. The same `label`, of `label_len` bytes, gives the same key. One that may
/// be exported, or reveal, needs a `base` with `IOTSEC_KEY_USAGE_REVEAL`: `IOTSEC_ERR_KEY_USAGE`.
///
/// Power loss: the key is there or it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_derive(
    store: *mut iotsec_store_t,
    base: *const iotsec_key_t,
    label: *const u8,
    label_len: usize,
    spec: *const iotsec_key_spec_t,
    key: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let label = argument::bytes(label, label_len)?;
        let (spec, id, key) = (spec_of(spec)?, argument::copied(spec)?.id, argument::out(key)?);
        with_key(store, base, ALL, |keys, base| {
            let made = keys.ring.derive(keys.flash, &base, label, spec)?;
            key.set(key_to_c(id, &made)?);
            Ok(())
        })
    })
}

/// The same, for a `secret` of `IOTSEC_KEY_LEN` bytes that leaves the store: `base` needs `IOTSEC_KEY_USAGE_REVEAL` too.
/// Writes no flash; wipe it after use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_derive_secret(
    store: *mut iotsec_store_t,
    base: *const iotsec_key_t,
    label: *const u8,
    label_len: usize,
    secret: *mut u8,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let label = argument::bytes(label, label_len)?;
        let out = argument::out(secret.cast::<[u8; IOTSEC_KEY_LEN]>())?;
        with_key(store, base, NOTHING, |keys, base| {
            let mut made = super::secret();
            keys.ring.derive_secret(keys.flash, &base, label, &mut made)?;
            out.set(*made.expose());
            Ok(())
        })
    })
}

/// Agrees on a key with the holder of `peer`, a public key of `peer_len` bytes: as `iotsec_key_derive()`, but `base` is a
/// key `_X25519` or `_P256_AGREEMENT`. Both get the same key for the same `label`. `IOTSEC_ERR_CRYPTO_PUBLIC_KEY` when
/// `peer` is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_agree(
    store: *mut iotsec_store_t,
    base: *const iotsec_key_t,
    peer: *const u8,
    peer_len: usize,
    label: *const u8,
    label_len: usize,
    spec: *const iotsec_key_spec_t,
    key: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (peer, label) = (
            argument::bytes(peer, peer_len)?,
            argument::bytes(label, label_len)?,
        );
        let (spec, id, key) = (spec_of(spec)?, argument::copied(spec)?.id, argument::out(key)?);
        with_key(store, base, ALL, |keys, base| {
            let made = keys.ring.agree(keys.flash, &base, peer, label, spec)?;
            key.set(key_to_c(id, &made)?);
            Ok(())
        })
    })
}

/// The same, for a `secret` of `IOTSEC_KEY_LEN` bytes that leaves the store: `base` needs `IOTSEC_KEY_USAGE_REVEAL` too.
/// Writes no flash; wipe it after use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_agree_secret(
    store: *mut iotsec_store_t,
    base: *const iotsec_key_t,
    peer: *const u8,
    peer_len: usize,
    label: *const u8,
    label_len: usize,
    secret: *mut u8,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (peer, label) = (
            argument::bytes(peer, peer_len)?,
            argument::bytes(label, label_len)?,
        );
        let out = argument::out(secret.cast::<[u8; IOTSEC_KEY_LEN]>())?;
        let suite = KeySuite {
            agree: AGREE,
            ..NOTHING
        };
        with_key(store, base, suite, |keys, base| {
            let mut made = super::secret();
            keys.ring
                .agree_secret(keys.flash, &base, peer, label, &mut made)?;
            out.set(*made.expose());
            Ok(())
        })
    })
}
