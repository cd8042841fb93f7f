//! Receipts of erasure: what a device says when it has erased, signed and checked.

use iotsec::{
    core::{crypto::Sha256, hal::Millis},
    erase::{Erased, Reason, Scope},
};

use crate::{
    argument,
    signer::{CSigner, iotsec_key_type_t, iotsec_signer_t, public_key},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Bytes of the longest receipt.
pub const IOTSEC_RECEIPT_MAX: usize = 295;
/// Most namespaces that one receipt names.
pub const IOTSEC_RECEIPT_NAMESPACES_MAX: usize = 32;

const _: () = assert!(IOTSEC_RECEIPT_MAX == Erased::MAX_LEN);
const _: () = assert!(IOTSEC_RECEIPT_NAMESPACES_MAX == Erased::MAX_NAMESPACES);

/// Why something was erased.
pub type iotsec_erased_reason_t = i32;

/// The owner gave the device up.
pub const IOTSEC_ERASED_RESET: iotsec_erased_reason_t = 1;
/// The owner hands the device on; it is claimed with another code than before.
pub const IOTSEC_ERASED_TRANSFER: iotsec_erased_reason_t = 2;
/// The device goes out of service. Signed before the key that signs it is destroyed.
pub const IOTSEC_ERASED_RETIREMENT: iotsec_erased_reason_t = 3;
/// The owner asked for some data to be deleted, and keeps the device.
pub const IOTSEC_ERASED_REQUEST: iotsec_erased_reason_t = 4;

/// What was erased.
pub type iotsec_erased_scope_t = i32;

/// Everything of the owner's. With a reset or a transfer, and only then.
pub const IOTSEC_ERASED_USER: iotsec_erased_scope_t = 1;
/// Everything of the owner's, and every secret of the device. With retirement, and only then.
pub const IOTSEC_ERASED_DEVICE: iotsec_erased_scope_t = 2;
/// Some namespaces of `IOTSEC_DOMAIN_USER`. With a request, and only then.
pub const IOTSEC_ERASED_NAMESPACES: iotsec_erased_scope_t = 3;

/// What a receipt says.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_erased_t {
    /// `sizeof(iotsec_erased_t)`.
    pub struct_size: u32,
    /// `IOTSEC_ERASED_RESET` and those after it.
    pub reason: iotsec_erased_reason_t,
    /// `IOTSEC_ERASED_USER` and those after it.
    pub scope: iotsec_erased_scope_t,
    /// How often this device has erased its owner's data, this time included: from 1.
    pub erasures: u32,
    /// Values that were erased.
    pub values: u32,
    /// 1 when even the ciphertext was gone from flash, else 0.
    pub scrubbed: i32,
    /// The boot in which it was erased, as the device counts its boots.
    pub boot: u32,
    /// Namespaces in `namespaces`; 0 for another scope.
    pub namespace_count: u32,
    /// When in that boot, in milliseconds; 0 if it is not known.
    pub uptime_ms: u64,
    /// When, in seconds since 1970-01-01 UTC; 0 if it is not known.
    pub time_s: u64,
    /// In ascending order; bytes beyond the count are zero.
    pub namespaces: [u8; IOTSEC_RECEIPT_NAMESPACES_MAX],
    /// The thumbprint of the device's key (RFC 9679). Written by `iotsec_erased_verify()`, not looked at by
    /// `iotsec_erased_sign()`.
    pub device: [u8; 32],
}

const _: () = assert!(size_of::<iotsec_erased_t>() == 112);

/// Signs a receipt with the device's key, for a product that erases by `iotsec_store_erase_user()`; an `iotsec_device_t`
/// has `iotsec_device_receipt()`. `nonce`, 8 to 64 bytes, is what the requester gave, or null with 0. `receipt` holds
/// `size` bytes, `len` gets the length, `IOTSEC_RECEIPT_MAX` at most.
///
/// Call it after the erasure is done: the receipt is what somebody relies on. `IOTSEC_ERR_RECEIPT_CONTENT` for what
/// cannot be, as a reason that does not fit the scope. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_erased_sign(
    signer: *const iotsec_signer_t,
    erased: *const iotsec_erased_t,
    nonce: *const u8,
    nonce_len: usize,
    receipt: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        let (signer, erased, nonce, out) = unsafe {
            (
                CSigner::new(argument::sized(signer)?)?,
                argument::sized(erased)?,
                nonce_of(nonce, nonce_len)?,
                argument::buffer(receipt, size, len)?,
            )
        };
        let mut bytes = [0; Erased::MAX_LEN];
        let receipt = erased.in_rust(nonce)?;
        out.copy(receipt.sign(&signer, &mut Sha256::new(), &mut bytes)?)
    })
}

/// Checks a receipt, `receipt_len` bytes, under the key of the device that it is expected from, `key_len` bytes of
/// `key_type` (`IOTSEC_KEY_*`), and writes what it says to `erased`. With a nonce it must have been signed for just that;
/// with null and 0 it may be a copy of any age. Bytes of any kind are safe to give.
///
/// `IOTSEC_ERR_CRYPTO_SIGNATURE`, `IOTSEC_ERR_RECEIPT_*` and `IOTSEC_ERR_COSE_*` say what is wrong; nothing of it is to be
/// believed then. It proves that the device with that key said so, not that its firmware does what it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_erased_verify(
    key_type: iotsec_key_type_t,
    key: *const u8,
    key_len: usize,
    receipt: *const u8,
    receipt_len: usize,
    nonce: *const u8,
    nonce_len: usize,
    erased: *mut iotsec_erased_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        let (key, receipt, nonce, out) = unsafe {
            (
                argument::bytes(key, key_len)?,
                argument::bytes(receipt, receipt_len)?,
                nonce_of(nonce, nonce_len)?,
                argument::out(erased)?,
            )
        };
        let key = public_key(key_type, key)?;
        let checked = Erased::verify(receipt, &key, nonce, &mut Sha256::new())?;
        out.set(iotsec_erased_t::of(checked.erased(), checked.device())?);
        Ok(())
    })
}

/// # Safety
/// As [`argument::bytes`], or null for none.
pub(crate) unsafe fn nonce_of<'a>(nonce: *const u8, len: usize) -> Result<Option<&'a [u8]>, Status> {
    if nonce.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's word, passed on.
    unsafe { argument::bytes(nonce, len) }.map(Some)
}

impl iotsec_erased_t {
    fn in_rust<'a>(&'a self, nonce: Option<&'a [u8]>) -> Result<Erased<'a>, Status> {
        let count = usize::try_from(self.namespace_count).map_err(|_| CallError::Size)?;
        let namespaces = self.namespaces.get(..count).ok_or(CallError::Size)?;
        let reason = u8::try_from(self.reason)
            .ok()
            .and_then(Reason::from_number)
            .ok_or(CallError::Config)?;
        Ok(Erased {
            reason,
            scope: match (self.scope, namespaces) {
                (IOTSEC_ERASED_USER, []) => Scope::User,
                (IOTSEC_ERASED_DEVICE, []) => Scope::Device,
                (IOTSEC_ERASED_NAMESPACES, namespaces) => Scope::Namespaces(namespaces),
                _ => return Err(CallError::Config.into()),
            },
            erasures: self.erasures,
            values: self.values,
            scrubbed: match self.scrubbed {
                0 => false,
                1 => true,
                _ => return Err(CallError::Config.into()),
            },
            boot: self.boot,
            uptime: (self.uptime_ms != 0).then_some(Millis(self.uptime_ms)),
            time: argument::time(self.time_s),
            nonce,
        })
    }

    fn of(erased: &Erased<'_>, device: &[u8; 32]) -> Result<Self, Status> {
        let mut namespaces = [0; IOTSEC_RECEIPT_NAMESPACES_MAX];
        let (scope, named) = match erased.scope {
            Scope::User => (IOTSEC_ERASED_USER, &[][..]),
            Scope::Device => (IOTSEC_ERASED_DEVICE, &[][..]),
            Scope::Namespaces(named) => (IOTSEC_ERASED_NAMESPACES, named),
            _ => return Err(CallError::Config.into()),
        };
        for (to, from) in namespaces.iter_mut().zip(named) {
            *to = *from;
        }
        Ok(Self {
            struct_size: u32::try_from(size_of::<Self>()).map_err(|_| CallError::Size)?,
            reason: erased.reason.number().into(),
            scope,
            erasures: erased.erasures,
            values: erased.values,
            scrubbed: erased.scrubbed.into(),
            boot: erased.boot,
            namespace_count: u32::try_from(named.len()).map_err(|_| CallError::Size)?,
            uptime_ms: erased.uptime.unwrap_or_default().0,
            time_s: erased.time.unwrap_or_default().0,
            namespaces,
            device: *device,
        })
    }
}
