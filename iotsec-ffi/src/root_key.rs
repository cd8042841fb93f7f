//! The device's root key behind a C callback.

use core::ffi::c_void;

use iotsec::core::{
    crypto::HkdfSha256,
    hal::{DeviceRootKey, RootKey, RootKeyError},
    secret::Secret,
};

use crate::{
    argument,
    status::{CallError, Status, iotsec_status_t, status},
};

/// The device's root of key derivation: a hardware unique key, a PUF, a secure element or a TPM.
///
/// The root itself never crosses this interface. The struct is copied by the function that takes it;
/// what `ctx` points to must live as long as the object that was given it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_root_key_t {
    /// `sizeof(iotsec_root_key_t)`.
    pub struct_size: u32,
    /// Handed to the callback.
    pub ctx: *mut c_void,
    /// Writes 32 bytes to `key` that are independent for every label and the same at every call.
    /// Returns 0, 1 when the root is unprogrammed or known, or anything else when the hardware refuses.
    /// A port that can read its root key calls `iotsec_root_key_derive()` here.
    pub derive: Option<
        unsafe extern "C" fn(ctx: *mut c_void, label: *const u8, label_len: usize, key: *mut u8) -> i32,
    >,
}

/// [`RootKey`] over the callback.
#[derive(Clone, Copy)]
pub(crate) struct CRootKey(iotsec_root_key_t);

impl CRootKey {
    /// Checks that the callback is there.
    pub(crate) fn new(root: iotsec_root_key_t) -> Result<Self, Status> {
        if root.derive.is_none() {
            return Err(CallError::Null.into());
        }
        Ok(Self(root))
    }
}

impl RootKey for CRootKey {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        let derive = self.0.derive.ok_or(RootKeyError::Unavailable)?;
        // SAFETY: the callback is the caller's, called as its documentation says, with a buffer of 32
        // bytes that is ours alone for the call.
        match unsafe {
            derive(
                self.0.ctx,
                label.as_ptr(),
                label.len(),
                out.expose_mut().as_mut_ptr(),
            )
        } {
            // A callback that said yes and wrote nothing must not become the key of everything.
            0 if !out.is_constant() => Ok(()),
            0 | 1 => Err(RootKeyError::Weak),
            _ => Err(RootKeyError::Unavailable),
        }
    }
}

/// Derives 32 bytes from a root key of 32 bytes (HKDF-SHA-256, RFC 5869), for the callback of a port
/// that reads its root key from fuses, a PUF or a sealed file.
///
/// `root` and `key` hold 32 bytes each, `label` holds `label_len`. The caller wipes `root` after use.
/// `IOTSEC_ERR_ROOT_KEY_WEAK` when the root is one that everyone knows: unprogrammed fuses, a pattern, a sample key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_root_key_derive(
    root: *const u8,
    label: *const u8,
    label_len: usize,
    key: *mut u8,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        let (root, label, key) = unsafe {
            (
                argument::bytes(root, 32)?,
                argument::bytes(label, label_len)?,
                argument::out(key.cast::<[u8; 32]>())?,
            )
        };
        let root = DeviceRootKey::new(&Secret::from_slice(root)?, &HkdfSha256)?;
        let mut derived = Secret::zero();
        root.derive(label, &mut derived)?;
        key.set(*derived.expose());
        Ok(())
    })
}
