//! What the software cryptography leaves of a key in the stack: how many bytes, and how deep it went, by function.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{
    console, entry,
    residue::{DEPTH, Residue},
};
use iotsec_core::{
    crypto::{
        Aead, Aes128Ctr, Aes128GcmStream, Aes256GcmSiv, Aes256KeyWrap, Argon2Block, Argon2id,
        ChaCha20HmacSiv, ChaCha20Poly1305, ChaCha20Poly1305Stream, ContentDecrypt, CryptoError,
        Ed25519SigningKey, HkdfSha256, Kdf, KeyAgreement, KeyWrap, MemoryHard, P256AgreementKey,
        P256SigningKey, Sign, X25519Key,
    },
    secret::Secret,
};

/// Two secrets, equal in no byte.
const SECRETS: [&[u8; 32]; 2] = [
    b"one secret, of which no byte is!",
    b"THE OTHER(whose bytes differ) 42",
];

type Probe = fn(&Secret<32>, &mut Residue<'_>) -> Result<(), CryptoError>;

const PROBES: [(&str, Probe); 23] = [
    ("a-copy-that-nobody-wipes", |secret, residue| {
        residue.of(|| copy(secret.expose()));
        Ok(())
    }),
    ("secret", |secret, residue| {
        residue.of(|| {
            black_box(&Secret::from_bytes(*secret.expose()));
            Ok(())
        })
    }),
    ("hkdf", |secret, residue| {
        let mut out = Secret::<32>::zero();
        residue.of(|| HkdfSha256.hkdf(b"salt", secret.expose(), &[b"label"], out.expose_mut()))
    }),
    ("hmac", |secret, residue| {
        residue
            .of(|| HkdfSha256.hmac(secret.expose(), &[b"message"]))
            .map(drop)
    }),
    ("aes-256-gcm-siv-seal", |secret, residue| {
        seal(&Aes256GcmSiv, secret, residue)
    }),
    ("aes-256-gcm-siv-open", |secret, residue| {
        open(&Aes256GcmSiv, secret, residue)
    }),
    ("chacha20-hmac-siv-seal", |secret, residue| {
        seal(&ChaCha20HmacSiv, secret, residue)
    }),
    ("chacha20-hmac-siv-open", |secret, residue| {
        open(&ChaCha20HmacSiv, secret, residue)
    }),
    ("chacha20-hmac-siv-refusal", |secret, residue| {
        let mut buffer = [0; 64];
        residue.of(|| {
            let opened = ChaCha20HmacSiv.open(secret, &[1; 12], b"", &mut buffer, &[1; 16]);
            opened.map_or(Ok(()), |()| Err(CryptoError::Tag))
        })
    }),
    ("chacha20-poly1305-seal", |secret, residue| {
        seal(&ChaCha20Poly1305, secret, residue)
    }),
    ("chacha20-poly1305-open", |secret, residue| {
        open(&ChaCha20Poly1305, secret, residue)
    }),
    ("ed25519-key", |secret, residue| {
        residue.of(|| Ed25519SigningKey::from_seed(secret));
        Ok(())
    }),
    ("ed25519-signature", |secret, residue| {
        sign(&Ed25519SigningKey::from_seed(secret), residue)
    }),
    ("p256-key", |secret, residue| {
        residue.of(|| P256SigningKey::from_scalar(secret)).map(drop)
    }),
    ("p256-signature", |secret, residue| {
        sign(&P256SigningKey::from_scalar(secret)?, residue)
    }),
    ("p256-agreement", |secret, residue| {
        let peer = P256AgreementKey::from_scalar(&Secret::from_bytes([1; 32]))?;
        agree(
            &P256AgreementKey::from_scalar(secret)?,
            peer.public_key(),
            residue,
        )
    }),
    ("x25519-agreement", |secret, residue| {
        let peer = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
        agree(&X25519Key::from_scalar(secret), peer.public_key(), residue)
    }),
    ("aes-256-key-wrap", |secret, residue| {
        residue.of(|| Aes256KeyWrap.wrap(secret.expose(), &[1; 32], &mut [0; 40]))
    }),
    ("aes-256-key-unwrap", |secret, residue| {
        let (mut wrapped, mut key) = ([0; 40], [0; 32]);
        Aes256KeyWrap.wrap(secret.expose(), &[1; 32], &mut wrapped)?;
        residue.of(|| Aes256KeyWrap.unwrap(secret.expose(), &wrapped, &mut key))
    }),
    ("aes-128-ctr", |secret, residue| {
        content(Aes128Ctr::new, &secret.expose()[..16], &[1; 16], residue)
    }),
    ("aes-128-gcm", |secret, residue| {
        content(Aes128GcmStream::new, &secret.expose()[..16], &[1; 12], residue)
    }),
    ("chacha20-poly1305-stream", |secret, residue| {
        content(ChaCha20Poly1305Stream::new, secret.expose(), &[1; 12], residue)
    }),
    ("argon2id", |secret, residue| {
        let mut memory = [Argon2Block::new(); 8];
        let function = Argon2id::new(&mut memory);
        residue
            .of(|| function.stretch(secret.expose(), b"its salt", 8, 1))
            .map(drop)
    }),
];

#[entry]
fn main() -> ! {
    let mut before = [0; DEPTH];
    for (name, probe) in PROBES {
        let mut residue = Residue::new(&mut before);
        for secret in SECRETS {
            let done = probe(&Secret::from_bytes(*secret), &mut residue);
            console::require(done.is_ok(), name);
        }
        console::text(name);
        console::text("\n");
        console::number("left ", residue.differences as u32);
        console::number("depth ", residue.depth as u32);
    }
    console::pass()
}

/// What has to be seen, for the check to see anything.
#[inline(never)]
fn copy(secret: &[u8; 32]) {
    black_box(&mut [*secret; 8]);
}

#[inline(never)]
fn seal(aead: &dyn Aead, key: &Secret<32>, residue: &mut Residue<'_>) -> Result<(), CryptoError> {
    let mut buffer = [0; 64];
    residue
        .of(|| aead.seal(key, &[1; 12], b"", &mut buffer))
        .map(drop)
}

#[inline(never)]
fn open(aead: &dyn Aead, key: &Secret<32>, residue: &mut Residue<'_>) -> Result<(), CryptoError> {
    let mut buffer = [0; 64];
    let tag = aead.seal(key, &[1; 12], b"", &mut buffer)?;
    residue.of(|| aead.open(key, &[1; 12], b"", &mut buffer, &tag))
}

#[inline(never)]
fn sign(key: &dyn Sign, residue: &mut Residue<'_>) -> Result<(), CryptoError> {
    let mut signature = [0; 64];
    residue.of(|| key.sign(b"message", &mut signature))
}

#[inline(never)]
fn agree(key: &dyn KeyAgreement, peer: &[u8], residue: &mut Residue<'_>) -> Result<(), CryptoError> {
    residue.of(|| key.agree(peer)).map(drop)
}

#[inline(never)]
fn content<C: ContentDecrypt>(
    new: fn() -> C,
    key: &[u8],
    iv: &[u8],
    residue: &mut Residue<'_>,
) -> Result<(), CryptoError> {
    let mut buffer = [0; 64];
    residue.of(|| {
        // Below as well: what it keeps when it has forgotten its key is seen.
        let mut cipher = new();
        cipher.start(key, iv, b"")?;
        cipher.decrypt(&mut buffer)?;
        // Whatever it says of the tag.
        let _ = cipher.finish(b"");
        black_box(&mut cipher);
        Ok(())
    })
}
