//! What is signed with a key of the store, and checked with it.

use iotsec::{
    core::crypto::{DIGEST_LEN, SIGNATURE_LEN},
    store::keys::KeySuite,
};

use super::{AGREE, NOTHING, SIGN, VERIFY, iotsec_key_t, with_key};
use crate::{
    argument,
    status::{iotsec_status_t, status},
    store::iotsec_store_t,
};

/// Bytes of a MAC.
pub const IOTSEC_MAC_LEN: usize = 32;

const _: () = assert!(IOTSEC_MAC_LEN == DIGEST_LEN);

/// Signs `message`, of `message_len` bytes, with a key `_ED25519` or `_P256` that has `IOTSEC_KEY_USAGE_SIGN`, into
/// `signature`, which holds `IOTSEC_SIGNATURE_LEN`. The `sign` of an `iotsec_signer_t` calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_sign(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let message = argument::bytes(message, message_len)?;
        let signature = argument::out(signature.cast::<[u8; SIGNATURE_LEN]>())?;
        let suite = KeySuite {
            sign: SIGN,
            ..NOTHING
        };
        with_key(store, key, suite, |keys, handle| {
            let mut bytes = [0; SIGNATURE_LEN];
            keys.ring.sign(keys.flash, &handle, message, &mut bytes)?;
            signature.set(bytes);
            Ok(())
        })
    })
}

/// Makes the MAC of `message`, of `message_len` bytes, with a key `_HMAC_SHA256` that has `IOTSEC_KEY_USAGE_SIGN`, into
/// `mac`, which holds `IOTSEC_MAC_LEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_mac(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    message: *const u8,
    message_len: usize,
    mac: *mut u8,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let message = argument::bytes(message, message_len)?;
        let mac = argument::out(mac.cast::<[u8; DIGEST_LEN]>())?;
        with_key(store, key, NOTHING, |keys, handle| {
            mac.set(keys.ring.mac(keys.flash, &handle, message)?);
            Ok(())
        })
    })
}

/// Checks `signature`, of `signature_len` bytes, over `message`, of `message_len`, with a key that has
/// `IOTSEC_KEY_USAGE_VERIFY`: a signature by it, or its MAC. `IOTSEC_ERR_CRYPTO_SIGNATURE` when it is not one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_verify(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    message: *const u8,
    message_len: usize,
    signature: *const u8,
    signature_len: usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let message = argument::bytes(message, message_len)?;
        let signature = argument::bytes(signature, signature_len)?;
        let suite = KeySuite {
            sign: SIGN,
            verify: VERIFY,
            ..NOTHING
        };
        with_key(store, key, suite, |keys, handle| {
            Ok(keys.ring.verify(keys.flash, &handle, message, signature)?)
        })
    })
}

/// Writes the public half of a key `_ED25519`, `_P256`, `_X25519` or `_P256_AGREEMENT` to `public_key`, which holds `size`,
/// and its length to `len`: 32 bytes, or 65 on P-256. `IOTSEC_PUBLIC_KEY_MAX` are enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_public(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    public_key: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let out = argument::buffer(public_key, size, len)?;
        let suite = KeySuite {
            sign: SIGN,
            agree: AGREE,
            ..NOTHING
        };
        with_key(store, key, suite, |keys, handle| {
            let public = keys.ring.public_key(keys.flash, &handle)?;
            out.copy(public.as_bytes())
        })
    })
}
