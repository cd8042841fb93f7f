//! An authenticated cipher that survives a repeated nonce, out of HMAC and a stream cipher.

use chacha20::{
    ChaChaCore, KeyIvInit, R20,
    cipher::{Block, StreamCipherCore},
    variants::Ietf,
};

use super::{
    Aead, AeadAlgorithm, CryptoError, DIGEST_LEN, NONCE_LEN, TAG_LEN, apart::apart, rustcrypto::mac,
};
use crate::secret::{Secret, ct_eq, wipe};

/// How deep work with a key goes, in bytes of stack.
const DEPTH: usize = 1200;

/// ChaCha20-HMAC-SIV, for storage on processors without instructions or an engine for AES, where flash is short.
///
/// A composition of our own, which no standard and no registry names, after the scheme SIV (Rogaway and Shrimpton,
/// "Deterministic Authenticated-Encryption", 2006, §4): the tag is a pseudorandom function of all that is sealed, and the
/// text is encrypted under what the tag gives. Where AES-256-GCM-SIV ([`Aes256GcmSiv`](super::Aes256GcmSiv), RFC 8452) is
/// affordable, it is the one to take: it is a standard, and the default of everything here.
///
/// With `HMAC` over SHA-256 (RFC 2104), one key of 32 bytes, lengths in bytes, and `‖` for concatenation:
///
/// ```text
/// tag         = first 16 bytes of HMAC(key, "iotsec/siv/tag/1" ‖ nonce (12) ‖ length of aad (8, little endian) ‖ aad ‖ text)
/// message key = HMAC(key, "iotsec/siv/key/1" ‖ tag)
/// ciphertext  = text XOR ChaCha20(message key, nonce 0 (12), counter from 0)            RFC 8439 §2.4
/// ```
///
/// - *What is bound:* key, nonce, associated data and text. The length divides the text from the associated data, and
///   the labels, equally long and different, the two uses of the key.
/// - *When a nonce repeats,* equal inputs give equal outputs, and that is all that shows: if anything differs, the tag
///   does, and with it the whole key stream. A nonce that is always zero does no harm but that.
/// - *Bound:* if HMAC-SHA-256 is a pseudorandom function and ChaCha20 a stream cipher, nothing else is learned until two
///   tags collide, which is to be expected after some 2^64 messages under one key: those two then share their key
///   stream. A forgery passes once in 2^128 attempts.
/// - *Not promised:* that nobody finds two keys under which one ciphertext opens; 16 bytes of tag stand against 2^64
///   attempts of that.
///
/// Sealing and opening read the text twice. As with AES-256-GCM-SIV, the buffer holds text that is not authentic yet while
/// [`open`](Aead::open) works; what fails is wiped.
///
/// ```
/// use iotsec_core::{crypto::{Aead, ChaCha20HmacSiv, CryptoError}, secret::Secret};
///
/// let key = Secret::from_bytes(*b"a key of 32 bytes for an example");
/// let mut value = *b"hello";
/// let tag = ChaCha20HmacSiv.seal(&key, &[0; 12], b"name", &mut value)?;
/// assert_ne!(value, *b"hello");
/// let mut copy = value;
/// ChaCha20HmacSiv.open(&key, &[0; 12], b"name", &mut copy, &tag)?;
/// assert_eq!(copy, *b"hello");
/// assert_eq!(ChaCha20HmacSiv.open(&key, &[0; 12], b"game", &mut value, &tag), Err(CryptoError::Tag));
/// assert_eq!(value, [0; 5]);
/// # Ok::<(), CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ChaCha20HmacSiv;

impl Aead for ChaCha20HmacSiv {
    fn algorithm(&self) -> AeadAlgorithm {
        AeadAlgorithm::ChaCha20HmacSiv
    }
    fn seal(
        &self,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        check_len(buffer.len())?;
        apart::<DEPTH, _>(|| {
            let tag = tag(key, nonce, aad, buffer)?;
            encrypt(key, &tag, buffer)?;
            Ok(tag)
        })
    }
    fn open(
        &self,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError> {
        let done = apart::<DEPTH, _>(|| decrypt(key, nonce, aad, buffer, tag));
        // Decrypted before it can be checked: what failed must not stay in the buffer.
        done.map_err(|_| {
            wipe(buffer);
            CryptoError::Tag
        })
    }
}

const TAG_LABEL: &[u8; 16] = b"iotsec/siv/tag/1";
// With a tag behind it, the message fills no more than the one block that HMAC has room for beside its key.
const KEY_LABEL: &[u8; 16] = b"iotsec/siv/key/1";

/// Bytes of key stream that one message key gives: 2^32 blocks (RFC 8439 §2.4).
const MAX_LEN: u64 = 1 << 38;

fn check_len(len: usize) -> Result<(), CryptoError> {
    match u64::try_from(len) {
        Ok(len) if len <= MAX_LEN => Ok(()),
        _ => Err(CryptoError::Length),
    }
}

fn decrypt(
    key: &Secret<32>,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    buffer: &mut [u8],
    given: &[u8; TAG_LEN],
) -> Result<(), CryptoError> {
    check_len(buffer.len())?;
    encrypt(key, given, buffer)?;
    let made = tag(key, nonce, aad, buffer)?;
    if ct_eq(&made, given) {
        Ok(())
    } else {
        Err(CryptoError::Tag)
    }
}

fn tag(
    key: &Secret<32>,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    text: &[u8],
) -> Result<[u8; TAG_LEN], CryptoError> {
    let aad_len = u64::try_from(aad.len()).map_err(|_| CryptoError::Length)?;
    let hash = hmac(key, &[TAG_LABEL, nonce, &aad_len.to_le_bytes(), aad, text])?;
    let (tag, _) = hash.split_first_chunk().ok_or(CryptoError::Length)?;
    Ok(*tag)
}

/// Encrypts, or decrypts.
fn encrypt(key: &Secret<32>, tag: &[u8; TAG_LEN], buffer: &mut [u8]) -> Result<(), CryptoError> {
    let message_key = Secret::from_bytes(hmac(key, &[KEY_LABEL, tag])?);
    apply(&message_key, buffer);
    Ok(())
}

// Out of line: so the stack has either the state of HMAC or that of ChaCha20.
#[inline(never)]
fn apply(key: &Secret<32>, buffer: &mut [u8]) {
    let mut cipher = KeyStream::new(key.expose().into(), &[0; NONCE_LEN].into());
    // A block at a time, with the one call that no other cipher here makes: so the rounds are in the image once for this
    // one, and the others keep theirs inline, and with that the depth of their frames.
    for chunk in buffer.chunks_mut(BLOCK) {
        let mut block = Block::<KeyStream>::from([0; BLOCK]);
        cipher.apply_keystream_block_inout((&mut block).into());
        for (byte, mask) in chunk.iter_mut().zip(block) {
            *byte ^= mask;
        }
    }
}

type KeyStream = ChaChaCore<R20, Ietf>;
const BLOCK: usize = 64;

#[inline(never)]
fn hmac(key: &Secret<32>, parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
    mac(key.expose(), &mut parts.iter().copied())
}

#[cfg(test)]
mod tests;
