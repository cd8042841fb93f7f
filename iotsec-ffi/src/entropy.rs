//! Randomness behind a C callback.

use core::ffi::c_void;

use rand_core::{TryCryptoRng, TryRng};

use crate::status::{CallError, Status};

/// A source of randomness fit for keys: a hardware generator after its health tests, or the operating
/// system's. `rand()` and a seed from the clock are not.
///
/// The struct is copied by the function that takes it; what `ctx` points to must live as long as the
/// object that was given it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_entropy_t {
    /// `sizeof(iotsec_entropy_t)`.
    pub struct_size: u32,
    /// Handed to the callback.
    pub ctx: *mut c_void,
    /// Fills all of `bytes` and returns 0, or returns anything else when it cannot.
    pub fill: Option<unsafe extern "C" fn(ctx: *mut c_void, bytes: *mut u8, len: usize) -> i32>,
}

/// [`TryCryptoRng`] over the callback.
#[derive(Clone, Copy)]
pub(crate) struct CEntropy(iotsec_entropy_t);

impl CEntropy {
    /// Checks that the callback is there.
    pub(crate) fn new(entropy: iotsec_entropy_t) -> Result<Self, Status> {
        if entropy.fill.is_none() {
            return Err(CallError::Null.into());
        }
        Ok(Self(entropy))
    }
}

/// The callback could not deliver.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("entropy callback failed")]
pub(crate) struct CEntropyError;

impl TryRng for CEntropy {
    type Error = CEntropyError;

    fn try_next_u32(&mut self) -> Result<u32, CEntropyError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, CEntropyError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), CEntropyError> {
        let fill = self.0.fill.ok_or(CEntropyError)?;
        // SAFETY: the callback is the caller's, called as its documentation says, with a buffer that is
        // ours alone for the call.
        match unsafe { fill(self.0.ctx, bytes.as_mut_ptr(), bytes.len()) } {
            0 => Ok(()),
            _ => Err(CEntropyError),
        }
    }
}

impl TryCryptoRng for CEntropy {}
