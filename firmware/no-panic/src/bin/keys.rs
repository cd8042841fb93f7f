//! Keys in a store over a flash of unknown content, with all cryptography in hardware. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::{
        AgreementCurve, CryptoError, KeyType, KeyWrap, KeyWrapAlgorithm, NONCE_LEN, SIGNATURE_LEN, Sign,
        TAG_LEN,
    },
    secret::Secret,
};
use iotsec_store::{
    IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite,
    keys::{
        AgreeAlgorithm, KeyError, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring, PublicBytes, Sealed,
        SignAlgorithm, VerifyAlgorithm,
    },
};
use no_panic::{Hardware, UnknownFlash, halt, region, unknown};

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
            sign: &[&Algorithms],
            verify: &[&Algorithms],
            agree: &[&Algorithms],
            aead: &[&Hardware],
            wrap: &[&Algorithms],
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

/// Algorithms that answer anything.
struct Algorithms;

impl SignAlgorithm for Algorithms {
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

impl VerifyAlgorithm for Algorithms {
    fn key_type(&self) -> KeyType {
        black_box(KeyType::Ed25519)
    }

    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        black_box((public, message, signature));
        black_box(Ok(()))
    }
}

impl AgreeAlgorithm for Algorithms {
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

impl KeyWrap for Algorithms {
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
