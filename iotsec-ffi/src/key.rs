//! Keys that are used in the store and not handed out.

pub mod agree;
pub mod cipher;
pub mod life;
pub mod sign;

use iotsec::{
    core::{
        crypto::{
            Aead, Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256,
            P256AgreementKey, P256PublicKey, P256SigningKey, X25519Key,
        },
        secret::Secret,
    },
    store::keys::{
        AgreeAlgorithm, Algorithm, KeyError, KeyHandle, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring,
        SignAlgorithm, VerifyAlgorithm,
    },
};

use crate::{
    argument,
    entropy::CEntropy,
    flash::CFlash,
    object,
    record::iotsec_key_id_t,
    status::{CallError, Status},
    store::{iotsec_store_t, key_of},
};

/// Bytes of a key.
pub const IOTSEC_KEY_LEN: usize = 32;

/// What a stored key is. A key serves one algorithm.
pub type iotsec_key_kind_t = i32;

/// Ed25519 (RFC 8032): the seed. `_SIGN`, `_VERIFY`.
pub const IOTSEC_KEY_KIND_ED25519: iotsec_key_kind_t = 1;
/// ECDSA on P-256 (FIPS 186-5): the scalar. `_SIGN`, `_VERIFY`.
pub const IOTSEC_KEY_KIND_P256: iotsec_key_kind_t = 2;
/// X25519 key agreement (RFC 7748). `_DERIVE`, `_REVEAL`.
pub const IOTSEC_KEY_KIND_X25519: iotsec_key_kind_t = 3;
/// Key agreement on P-256 (SP 800-56A). `_DERIVE`, `_REVEAL`.
pub const IOTSEC_KEY_KIND_P256_AGREEMENT: iotsec_key_kind_t = 4;
/// AES-256-GCM-SIV (RFC 8452). `_ENCRYPT`, `_DECRYPT`.
pub const IOTSEC_KEY_KIND_AES_256_GCM_SIV: iotsec_key_kind_t = 5;
/// ChaCha20-Poly1305 (RFC 8439). `_ENCRYPT`, `_DECRYPT`.
pub const IOTSEC_KEY_KIND_CHACHA20_POLY1305: iotsec_key_kind_t = 6;
/// HMAC-SHA-256 (RFC 2104). `_SIGN`, `_VERIFY`.
pub const IOTSEC_KEY_KIND_HMAC_SHA256: iotsec_key_kind_t = 7;
/// HKDF-SHA-256 (RFC 5869). `_DERIVE`, `_REVEAL`.
pub const IOTSEC_KEY_KIND_HKDF_SHA256: iotsec_key_kind_t = 8;

/// Signing, and making a MAC.
pub const IOTSEC_KEY_USAGE_SIGN: u32 = 1;
/// Checking what was signed with it, or has its MAC.
pub const IOTSEC_KEY_USAGE_VERIFY: u32 = 2;
/// Being what other keys are derived from.
pub const IOTSEC_KEY_USAGE_DERIVE: u32 = 4;
/// Encrypting.
pub const IOTSEC_KEY_USAGE_ENCRYPT: u32 = 8;
/// Decrypting.
pub const IOTSEC_KEY_USAGE_DECRYPT: u32 = 16;
/// Leaving the store: every kind may have it.
pub const IOTSEC_KEY_USAGE_EXPORT: u32 = 64;
/// That what is derived with it may leave the store.
pub const IOTSEC_KEY_USAGE_REVEAL: u32 = 128;

const KINDS: [(iotsec_key_kind_t, KeyKind); 8] = [
    (IOTSEC_KEY_KIND_ED25519, KeyKind::Ed25519),
    (IOTSEC_KEY_KIND_P256, KeyKind::P256),
    (IOTSEC_KEY_KIND_X25519, KeyKind::X25519),
    (IOTSEC_KEY_KIND_P256_AGREEMENT, KeyKind::P256Agreement),
    (IOTSEC_KEY_KIND_AES_256_GCM_SIV, KeyKind::Aes256GcmSiv),
    (IOTSEC_KEY_KIND_CHACHA20_POLY1305, KeyKind::ChaCha20Poly1305),
    (IOTSEC_KEY_KIND_HMAC_SHA256, KeyKind::HmacSha256),
    (IOTSEC_KEY_KIND_HKDF_SHA256, KeyKind::HkdfSha256),
];

const USAGES: [(u32, KeyUsage); 7] = [
    (IOTSEC_KEY_USAGE_SIGN, KeyUsage::SIGN),
    (IOTSEC_KEY_USAGE_VERIFY, KeyUsage::VERIFY),
    (IOTSEC_KEY_USAGE_DERIVE, KeyUsage::DERIVE),
    (IOTSEC_KEY_USAGE_ENCRYPT, KeyUsage::ENCRYPT),
    (IOTSEC_KEY_USAGE_DECRYPT, KeyUsage::DECRYPT),
    (IOTSEC_KEY_USAGE_EXPORT, KeyUsage::EXPORT),
    (IOTSEC_KEY_USAGE_REVEAL, KeyUsage::REVEAL),
];

/// What a key is to be. Not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_key_spec_t {
    /// Its name in the store. Give keys a namespace of their own: `iotsec_store_get()` reads a key as any other value.
    pub id: iotsec_key_id_t,
    /// `IOTSEC_KEY_KIND_*`.
    pub kind: iotsec_key_kind_t,
    /// What it may be used for, for ever: `IOTSEC_KEY_USAGE_*`, or-ed.
    pub usage: u32,
}

/// The word that a key exists and what it is for; holds no byte of the key. What it may be used for stands in the store,
/// sealed with the key: what is written here changes nothing about that. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_key_t {
    /// Its name in the store.
    pub id: iotsec_key_id_t,
    /// `IOTSEC_KEY_KIND_*`.
    pub kind: iotsec_key_kind_t,
    /// `IOTSEC_KEY_USAGE_*`, or-ed.
    pub usage: u32,
    /// How many keys this name has had with this one: 1, and one more with each rotation. Another than that of the store
    /// is refused with `IOTSEC_ERR_KEY_STALE`.
    pub number: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_key_t>() == 24);

/// What each function names, so that one which does not sign does not have signatures linked.
const SIGN: &[&dyn SignAlgorithm] = &[
    &Algorithm::<Ed25519SigningKey>::NEW,
    &Algorithm::<P256SigningKey>::NEW,
];
const VERIFY: &[&dyn VerifyAlgorithm] = &[
    &Algorithm::<Ed25519PublicKey>::NEW,
    &Algorithm::<P256PublicKey>::NEW,
];
const AGREE: &[&dyn AgreeAlgorithm] = &[&Algorithm::<X25519Key>::NEW, &Algorithm::<P256AgreementKey>::NEW];
const CIPHERS: &[&dyn Aead] = &[&Aes256GcmSiv, &ChaCha20Poly1305];

const NOTHING: KeySuite<'static> = KeySuite::new(&HkdfSha256);
/// What is needed to make a key of any kind.
const ALL: KeySuite<'static> = KeySuite {
    sign: SIGN,
    agree: AGREE,
    aead: CIPHERS,
    ..NOTHING
};

/// The keys of a store for one call.
struct Keys<'k> {
    ring: Keyring<'k, 'static>,
    flash: &'k mut CFlash,
    entropy: &'k mut CEntropy,
}

impl Keys<'_> {
    /// The key that `key` stands for, as the store has it.
    fn handle(&mut self, key: &iotsec_key_t) -> Result<KeyHandle, Status> {
        argument::zero(key.reserved)?;
        let current = self.ring.open(self.flash, key_of(key.id)?)?;
        if current.number() == key.number {
            return Ok(current);
        }
        match self.ring.previous(self.flash, &current) {
            Ok(previous) if previous.number() == key.number && usage_to_c(&previous) == key.usage => {
                Ok(previous)
            }
            Ok(_) | Err(KeyError::NoPrevious) => Err(KeyError::Stale.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Lets `work` use the keys of a store with the algorithms of `suite`.
///
/// # Safety
/// As [`object::enter`].
unsafe fn with_keys<R>(
    store: *mut iotsec_store_t,
    suite: KeySuite<'static>,
    work: impl FnOnce(&mut Keys<'_>) -> Result<R, Status>,
) -> Result<R, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        object::enter(store, |mounted| {
            let (store, flash, entropy) = mounted.parts();
            work(&mut Keys {
                ring: Keyring::new(store, suite),
                flash,
                entropy,
            })
        })
    }
}

/// The same with one key of it.
///
/// # Safety
/// As [`with_keys`] and [`argument::copied`].
unsafe fn with_key<R>(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    suite: KeySuite<'static>,
    work: impl FnOnce(&mut Keys<'_>, KeyHandle) -> Result<R, Status>,
) -> Result<R, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        let key = argument::copied(key)?;
        with_keys(store, suite, |keys| {
            let handle = keys.handle(&key)?;
            work(keys, handle)
        })
    }
}

/// # Safety
/// As [`argument::copied`].
unsafe fn spec_of(spec: *const iotsec_key_spec_t) -> Result<KeySpec, Status> {
    // SAFETY: the caller's word, passed on.
    let spec = unsafe { argument::copied(spec) }?;
    let kind = KINDS.iter().find(|(kind, _)| *kind == spec.kind);
    let known = USAGES.iter().fold(0, |known, (bit, _)| known | bit);
    if spec.usage & !known != 0 {
        return Err(CallError::Config.into());
    }
    let mut usages = USAGES.iter().filter(|(bit, _)| spec.usage & bit != 0);
    let (_, first) = usages.next().ok_or(KeyError::Policy)?;
    Ok(KeySpec {
        id: key_of(spec.id)?,
        kind: kind.ok_or(CallError::Config)?.1,
        usage: usages.fold(*first, |all, (_, usage)| all.and(*usage)),
    })
}

fn usage_to_c(key: &KeyHandle) -> u32 {
    let has = |(bit, usage): &(u32, KeyUsage)| if key.usage().contains(*usage) { *bit } else { 0 };
    USAGES.iter().map(has).fold(0, |all, bit| all | bit)
}

fn key_to_c(id: iotsec_key_id_t, key: &KeyHandle) -> Result<iotsec_key_t, Status> {
    let kind = KINDS.iter().find(|(_, kind)| *kind == key.kind());
    Ok(iotsec_key_t {
        id,
        // One that the maker's Rust has made, and this interface does not know.
        kind: kind.ok_or(KeyError::UnknownType)?.0,
        usage: usage_to_c(key),
        number: key.number(),
        reserved: 0,
    })
}

/// # Safety
/// As [`argument::bytes`], but null with a length of zero stands for nothing.
unsafe fn bytes_or_none<'a>(bytes: *const u8, len: usize) -> Result<&'a [u8], Status> {
    // SAFETY: the caller's word, passed on.
    unsafe { argument::slice(bytes, len) }
}

/// Makes what is wiped when the call ends.
fn secret() -> Secret<IOTSEC_KEY_LEN> {
    Secret::zero()
}
