//! The store over a flash of unknown content, with all cryptography in hardware. Must link.
#![no_std]
#![no_main]

use core::{convert::Infallible, hint::black_box};

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::{Aead, AeadAlgorithm, CryptoError, DIGEST_LEN, Kdf, NONCE_LEN, TAG_LEN},
    hal::{RootKey, RootKeyError},
    secret::Secret,
};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite};
use no_panic::{UnknownFlash, halt, region, unknown};
use rand_core::{TryCryptoRng, TryRng};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let _ = black_box(work(unknown(&input)));
    halt()
}

fn work(input: &[u8]) -> Option<()> {
    let suite = Suite {
        aead: &Hardware,
        kdf: &Hardware,
        root: &Hardware,
    };
    let (mut index, mut buffer, mut out) = ([IndexEntry::EMPTY; 16], [0; 256], [0; 256]);
    let (mut flash, region) = (UnknownFlash, region().ok()?);
    if black_box(true) {
        let formatted = Store::format(
            &mut flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut Hardware,
        );
        black_box(formatted.is_ok());
    }
    let mut store = Store::mount(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut Hardware,
    )
    .ok()?;
    while black_box(true) {
        let key = KeyId::new(black_box(KeyDomain::User), black_box(1), black_box(1));
        black_box(store.put(&mut flash, key, input).is_ok());
        black_box(store.get(&mut flash, key, &mut out).is_ok());
        black_box(store.remove(&mut flash, key).is_ok());
        black_box(store.erase_user(&mut flash, &mut Hardware).is_ok());
        black_box(store.scrub_step(&mut flash).is_ok());
    }
    Some(())
}

/// Cipher, key derivation, root key and entropy that answer anything.
struct Hardware;

impl Aead for Hardware {
    fn algorithm(&self) -> AeadAlgorithm {
        black_box(AeadAlgorithm::Aes256GcmSiv)
    }

    fn seal(
        &self,
        _: &Secret<32>,
        _: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        black_box((aad, buffer));
        black_box(Ok([0; TAG_LEN]))
    }

    fn open(
        &self,
        _: &Secret<32>,
        _: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        _: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError> {
        black_box((aad, buffer));
        black_box(Ok(()))
    }
}

impl Kdf for Hardware {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        black_box((salt, key, info, out));
        black_box(Ok(()))
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
        black_box((key, parts));
        black_box(Ok([0; DIGEST_LEN]))
    }
}

impl RootKey for Hardware {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        black_box((label, out.expose_mut()));
        black_box(Ok(()))
    }
}

impl TryRng for Hardware {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        black_box(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Hardware {}
