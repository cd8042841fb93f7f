//! A monotonic counter behind C callbacks.

use core::ffi::c_void;

use iotsec::core::hal::{CounterError, MonotonicCounter};

use crate::{
    argument,
    status::{CallError, Status},
};

/// A number that never goes down, whatever happens to the flash: OTP fuses, RPMB, a TPM or a secure
/// element. It is what keeps an attacker who writes the flash from bringing an old image back.
///
/// The struct is copied by the function that takes it; what `ctx` points to must live as long as the
/// object that was given it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_counter_t {
    /// `sizeof(iotsec_counter_t)`.
    pub struct_size: u32,
    /// Handed to the callbacks.
    pub ctx: *mut c_void,
    /// Writes the present value and returns 0, or returns anything else when there is none to trust. A
    /// counter that cannot be read is not zero.
    pub read: Option<unsafe extern "C" fn(ctx: *mut c_void, value: *mut u64) -> i32>,
    /// Raises the counter to `value`; one at or below the present changes nothing. Returns 0, 1 when the
    /// hardware cannot count so far, or anything else when it failed. Power loss leaves the old or the
    /// new value.
    pub advance_to: Option<unsafe extern "C" fn(ctx: *mut c_void, value: u64) -> i32>,
}

/// [`MonotonicCounter`] over the callbacks.
#[derive(Clone, Copy)]
pub(crate) struct CCounter(iotsec_counter_t);

impl CCounter {
    /// Checks that every callback is there.
    pub(crate) fn new(counter: iotsec_counter_t) -> Result<Self, Status> {
        if counter.read.is_none() || counter.advance_to.is_none() {
            return Err(CallError::Null.into());
        }
        Ok(Self(counter))
    }

    /// The counter of a configuration that may do without.
    ///
    /// # Safety
    /// As [`argument::sized`].
    pub(crate) unsafe fn new_or_none(counter: *const iotsec_counter_t) -> Result<Option<Self>, Status> {
        if counter.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's word, passed on.
        Self::new(unsafe { argument::sized(counter) }?).map(Some)
    }
}

impl MonotonicCounter for CCounter {
    fn read(&mut self) -> Result<u64, CounterError> {
        let read = self.0.read.ok_or(CounterError::Unreadable)?;
        let mut value = 0;
        // SAFETY: the callback is the caller's, called as its documentation says, with a place that is
        // ours alone for the call.
        match unsafe { read(self.0.ctx, &raw mut value) } {
            0 => Ok(value),
            _ => Err(CounterError::Unreadable),
        }
    }

    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        let advance_to = self.0.advance_to.ok_or(CounterError::Unreadable)?;
        // SAFETY: the callback is the caller's, called as its documentation says.
        match unsafe { advance_to(self.0.ctx, value) } {
            0 => Ok(()),
            1 => Err(CounterError::Exhausted),
            _ => Err(CounterError::Unreadable),
        }
    }
}
