//! A private key that signs, behind a C callback.

use core::ffi::c_void;

use iotsec::core::crypto::{
    CryptoError, Ed25519PublicKey, Ed25519SigningKey, KeyType, P256PublicKey, PublicKey, SIGNATURE_LEN, Sign,
};
use iotsec::core::secret::Secret;

use crate::{
    argument,
    status::{CallError, Status, iotsec_status_t, status},
};

/// What kind of key it is.
pub type iotsec_key_type_t = i32;

/// Ed25519 (RFC 8032): a public key of 32 bytes.
pub const IOTSEC_KEY_ED25519: iotsec_key_type_t = 1;
/// ECDSA on P-256 with SHA-256 (FIPS 186-5): a public key of 65 bytes, the uncompressed SEC1 point.
pub const IOTSEC_KEY_P256: iotsec_key_type_t = 2;

/// Bytes of the longest public key.
pub const IOTSEC_PUBLIC_KEY_MAX: usize = 65;
/// Bytes of a signature. ECDSA: both numbers, 32 bytes each, not DER.
pub const IOTSEC_SIGNATURE_LEN: usize = 64;

const _: () = assert!(IOTSEC_SIGNATURE_LEN == SIGNATURE_LEN);

/// A private key: in a secure element, in TF-M behind `psa_sign_message()`, or in memory by
/// `iotsec_ed25519_sign()`.
///
/// The struct is copied by the function that takes it; what `ctx` points to must live for the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_signer_t {
    /// `sizeof(iotsec_signer_t)`.
    pub struct_size: u32,
    /// `IOTSEC_KEY_*`.
    pub key_type: iotsec_key_type_t,
    /// Handed to the callback.
    pub ctx: *mut c_void,
    /// Signs `message`, of `len` bytes, into `signature`, which holds `IOTSEC_SIGNATURE_LEN`. Returns 0, or
    /// anything else when it cannot.
    pub sign: Option<
        unsafe extern "C" fn(ctx: *mut c_void, message: *const u8, len: usize, signature: *mut u8) -> i32,
    >,
    /// The public half; bytes beyond the length of its kind are not looked at.
    pub public_key: [u8; IOTSEC_PUBLIC_KEY_MAX],
}

/// A public key of a type that this interface knows.
pub(crate) fn public_key(key_type: iotsec_key_type_t, key: &[u8]) -> Result<PublicKey, Status> {
    match key_type {
        IOTSEC_KEY_ED25519 => Ok(PublicKey::Ed25519(Ed25519PublicKey::from_bytes(key)?)),
        IOTSEC_KEY_P256 => Ok(PublicKey::P256(P256PublicKey::from_sec1(key)?)),
        _ => Err(CallError::Config.into()),
    }
}

/// [`Sign`] over the callback.
#[derive(Clone, Copy)]
pub(crate) struct CSigner {
    signer: iotsec_signer_t,
    key_type: KeyType,
    len: usize,
}

impl CSigner {
    /// Checks that the callback is there, and the kind of key known.
    pub(crate) fn new(signer: iotsec_signer_t) -> Result<Self, Status> {
        if signer.sign.is_none() {
            return Err(CallError::Null.into());
        }
        let (key_type, len) = match signer.key_type {
            IOTSEC_KEY_ED25519 => (KeyType::Ed25519, 32),
            IOTSEC_KEY_P256 => (KeyType::P256, 65),
            _ => return Err(CallError::Config.into()),
        };
        Ok(Self {
            signer,
            key_type,
            len,
        })
    }
}

impl Sign for CSigner {
    fn key_type(&self) -> KeyType {
        self.key_type
    }

    fn public_key(&self) -> &[u8] {
        self.signer.public_key.get(..self.len).unwrap_or_default()
    }

    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        let sign = self.signer.sign.ok_or(CryptoError::Driver)?;
        // SAFETY: the callback is the caller's, called as its documentation says, with a buffer that is ours alone
        // for the call.
        match unsafe {
            sign(
                self.signer.ctx,
                message.as_ptr(),
                message.len(),
                signature.as_mut_ptr(),
            )
        } {
            0 => Ok(()),
            _ => Err(CryptoError::Driver),
        }
    }
}

/// Signs with an Ed25519 key of which the 32 bytes of its seed are at hand, for the callback of a device without a
/// secure element. `seed` holds 32 bytes and is wiped by the caller, `message` holds `message_len`, `signature`
/// holds `IOTSEC_SIGNATURE_LEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_ed25519_sign(
    seed: *const u8,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        let (seed, message, signature) = unsafe {
            (
                argument::bytes(seed, 32)?,
                argument::bytes(message, message_len)?,
                argument::out(signature.cast::<[u8; SIGNATURE_LEN]>())?,
            )
        };
        let mut bytes = [0; SIGNATURE_LEN];
        Ed25519SigningKey::from_seed(&Secret::from_slice(seed)?).sign(message, &mut bytes)?;
        signature.set(bytes);
        Ok(())
    })
}

/// The public key of an Ed25519 key by its seed. `seed` holds 32 bytes, and so does `public_key`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_ed25519_public_key(seed: *const u8, public_key: *mut u8) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        let (seed, public_key) = unsafe {
            (
                argument::bytes(seed, 32)?,
                argument::out(public_key.cast::<[u8; 32]>())?,
            )
        };
        let key = Ed25519SigningKey::from_seed(&Secret::from_slice(seed)?);
        let bytes = <[u8; 32]>::try_from(key.public_key()).map_err(|_| CallError::Size)?;
        public_key.set(bytes);
        Ok(())
    })
}
