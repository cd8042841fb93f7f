//! Keys in a store over a flash of unknown content, with all cryptography in hardware. Must link.
#![no_std]
#![no_main]

use core::{convert::Infallible, hint::black_box};

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::{
        Aead, AeadAlgorithm, AgreementCurve, CryptoError, DIGEST_LEN, Kdf, KeyType, KeyWrap,
        KeyWrapAlgorithm, NONCE_LEN, SIGNATURE_LEN, Sign, TAG_LEN,
    },
    hal::{RootKey, RootKeyError},
    secret::Secret,
};
use iotsec_store::{
    IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite,
    keys::{
        AgreeAlgorithm, KeyError, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring, PublicBytes, Sealed,
        SignAlgorithm, VerifyAlgorithm,
    },
};
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
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 256]);
    let (mut flash, region) = (UnknownFlash, region().ok()?);
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
    let mut keys = Keyring::new(
        &mut store,
        KeySuite {
            sign: &[&Hardware],
            verify: &[&Hardware],
            agree: &[&Hardware],
            aead: &[&Hardware],
            wrap: &[&Hardware],
            ..KeySuite::new(&Hardware)
        },
    );
    while black_box(true) {
        black_box(life(&mut keys, &mut flash, input).is_ok());
        black_box(usage(&mut keys, &mut flash, input).is_ok());
    }
    Some(())
}

fn spec() -> KeySpec {
    KeySpec {
        id: KeyId::new(black_box(KeyDomain::User), black_box(1), black_box(1)),
        kind: black_box(KeyKind::Ed25519),
        usage: black_box(KeyUsage::SIGN),
    }
}

fn life(keys: &mut Keyring<'_, '_>, flash: &mut UnknownFlash, input: &[u8]) -> Result<(), KeyError> {
    black_box(keys.import(flash, spec(), input).is_ok());
    let key = keys.generate(flash, spec(), &mut Hardware)?;
    black_box(keys.unwrap(flash, &key, input, spec()).is_ok());
    black_box(keys.derive(flash, &key, input, spec()).is_ok());
    black_box(keys.agree(flash, &key, input, input, spec()).is_ok());
    let key = keys.rotate(flash, key, &mut Hardware)?;
    black_box(keys.previous(flash, &key).is_ok());
    black_box(keys.retire(flash, &key).is_ok());
    keys.destroy(flash, key)
}

fn usage(keys: &mut Keyring<'_, '_>, flash: &mut UnknownFlash, input: &[u8]) -> Result<(), KeyError> {
    let key = keys.open(flash, spec().id)?;
    let (mut text, mut signature, mut out) = ([0; 64], [0; SIGNATURE_LEN], Secret::<32>::zero());
    black_box(keys.sign(flash, &key, input, &mut signature).is_ok());
    black_box(keys.mac(flash, &key, input).is_ok());
    black_box(keys.verify(flash, &key, input, &signature).is_ok());
    black_box(keys.public_key(flash, &key).is_ok());
    if let Ok(signer) = keys.signer(flash, &key) {
        black_box(signer.sign(input, &mut signature).is_ok());
        black_box((signer.public_key(), signer.error()));
    }
    black_box(keys.encrypt(flash, &key, input, &mut text, &mut Hardware).is_ok());
    let sealed = Sealed {
        nonce: black_box([0; NONCE_LEN]),
        tag: black_box([0; TAG_LEN]),
    };
    black_box(keys.decrypt(flash, &key, input, &sealed, &mut text).is_ok());
    black_box(keys.derive_secret(flash, &key, input, &mut out).is_ok());
    black_box(keys.agree_secret(flash, &key, input, input, &mut out).is_ok());
    black_box(keys.unwrap_secret(flash, &key, input, &mut out).is_ok());
    black_box(keys.export(flash, &key, &mut out).is_ok());
    black_box(out.expose());
    Ok(())
}

/// Algorithms, root key and entropy that answer anything.
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

impl SignAlgorithm for Hardware {
    fn key_type(&self) -> KeyType {
        black_box(KeyType::Ed25519)
    }

    fn public_key(&self, secret: &Secret<32>) -> Result<PublicBytes, CryptoError> {
        PublicBytes::new(black_box(secret.expose()))
    }

    fn sign(
        &self,
        secret: &Secret<32>,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), CryptoError> {
        black_box((secret.expose(), message, signature));
        black_box(Ok(()))
    }
}

impl VerifyAlgorithm for Hardware {
    fn key_type(&self) -> KeyType {
        black_box(KeyType::Ed25519)
    }

    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        black_box((public, message, signature));
        black_box(Ok(()))
    }
}

impl AgreeAlgorithm for Hardware {
    fn curve(&self) -> AgreementCurve {
        black_box(AgreementCurve::X25519)
    }

    fn public_key(&self, secret: &Secret<32>) -> Result<PublicBytes, CryptoError> {
        PublicBytes::new(black_box(secret.expose()))
    }

    fn agree(&self, secret: &Secret<32>, peer: &[u8]) -> Result<Secret<32>, CryptoError> {
        black_box((secret.expose(), peer));
        black_box(Ok(Secret::zero()))
    }
}

impl KeyWrap for Hardware {
    fn algorithm(&self) -> KeyWrapAlgorithm {
        black_box(KeyWrapAlgorithm::Aes256)
    }

    fn wrap(&self, kek: &[u8], key: &[u8], wrapped: &mut [u8]) -> Result<(), CryptoError> {
        black_box((kek, key, wrapped));
        black_box(Ok(()))
    }

    fn unwrap(&self, kek: &[u8], wrapped: &[u8], key: &mut [u8]) -> Result<(), CryptoError> {
        black_box((kek, wrapped, key));
        black_box(Ok(()))
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
