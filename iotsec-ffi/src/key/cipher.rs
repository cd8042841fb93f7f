//! What is encrypted with a key of the store.

use iotsec::{
    core::crypto::{NONCE_LEN, TAG_LEN},
    store::keys::{KeySuite, Sealed},
};

use super::{CIPHERS, NOTHING, bytes_or_none, iotsec_key_t, with_key};
use crate::{
    argument,
    status::{CallError, Status, iotsec_status_t, status},
    store::iotsec_store_t,
};

/// Bytes by which what is encrypted is longer than its text: a nonce of 12 before it and a tag of 16 behind it.
pub const IOTSEC_KEY_SEAL_LEN: usize = 28;

const _: () = assert!(IOTSEC_KEY_SEAL_LEN == NONCE_LEN + TAG_LEN);

const SUITE: KeySuite<'static> = KeySuite {
    aead: CIPHERS,
    ..NOTHING
};

/// Encrypts `text`, of `text_len` bytes, with a key `_AES_256_GCM_SIV` or `_CHACHA20_POLY1305` that has
/// `IOTSEC_KEY_USAGE_ENCRYPT`, and authenticates `aad`, of `aad_len`, with it; each may be null with a length of 0. Writes
/// nonce, ciphertext and tag to `sealed`, which holds `size`, and the length to `len`: `text_len + IOTSEC_KEY_SEAL_LEN`.
/// The nonce is made of randomness and of what is encrypted, so that a source that repeats gives nothing away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_encrypt(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    aad: *const u8,
    aad_len: usize,
    text: *const u8,
    text_len: usize,
    sealed: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (aad, text) = (bytes_or_none(aad, aad_len)?, bytes_or_none(text, text_len)?);
        let out = argument::buffer(sealed, size, len)?;
        let needed = text
            .len()
            .checked_add(IOTSEC_KEY_SEAL_LEN)
            .ok_or(CallError::Size)?;
        with_key(store, key, SUITE, |keys, handle| {
            out.at_least(needed)?.fill(|out| {
                let out = out.get_mut(..needed).ok_or(CallError::Size)?;
                let (nonce, body, tag) = parts(out)?;
                copy(body, text);
                let made = keys.ring.encrypt(keys.flash, &handle, aad, body, keys.entropy);
                match made {
                    Ok(sealed) => {
                        *nonce = sealed.nonce;
                        *tag = sealed.tag;
                        Ok(needed)
                    }
                    Err(error) => {
                        // Nothing of the text stays.
                        body.fill(0);
                        Err(error.into())
                    }
                }
            })
        })
    })
}

/// Decrypts what `iotsec_key_encrypt()` has written, `sealed_len` bytes in `sealed`, under the same `aad`, with a key that
/// has `IOTSEC_KEY_USAGE_DECRYPT`. Writes the text to `text`, which holds `size`, and its length to `len`.
///
/// `IOTSEC_ERR_CRYPTO_TAG` when it is not as it was written, or under another key, and then `text` holds nothing
/// of it; `IOTSEC_ERR_SIZE` when it is shorter than nonce and tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_decrypt(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    aad: *const u8,
    aad_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    text: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (aad, sealed) = (bytes_or_none(aad, aad_len)?, argument::bytes(sealed, sealed_len)?);
        let out = argument::buffer(text, size, len)?;
        let (nonce, rest) = sealed.split_first_chunk().ok_or(CallError::Size)?;
        let (body, tag) = rest.split_last_chunk().ok_or(CallError::Size)?;
        let seal = Sealed {
            nonce: *nonce,
            tag: *tag,
        };
        with_key(store, key, SUITE, |keys, handle| {
            out.at_least(body.len())?.fill(|out| {
                let out = out.get_mut(..body.len()).ok_or(CallError::Size)?;
                copy(out, body);
                let opened = keys.ring.decrypt(keys.flash, &handle, aad, &seal, out);
                if opened.is_err() {
                    out.fill(0);
                }
                opened?;
                Ok(body.len())
            })
        })
    })
}

/// Between places of one length.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

type Parts<'o> = (&'o mut [u8; NONCE_LEN], &'o mut [u8], &'o mut [u8; TAG_LEN]);

fn parts(out: &mut [u8]) -> Result<Parts<'_>, Status> {
    let (nonce, rest) = out.split_first_chunk_mut().ok_or(CallError::Size)?;
    let (body, tag) = rest.split_last_chunk_mut().ok_or(CallError::Size)?;
    Ok((nonce, body, tag))
}
