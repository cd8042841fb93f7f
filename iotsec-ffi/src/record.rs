//! A small record behind C callbacks, or in the store.

use core::ffi::c_void;

use iotsec::{
    core::{
        credential::{StorageError, Throttle, ThrottleStorage},
        error::{ErrorCode, Fault},
    },
    store::StoreError,
};

use crate::argument;
use crate::status::{CallError, IOTSEC_ERR_STORE_NOT_FOUND, IOTSEC_OK, Status, iotsec_status_t};

/// The name of a record: `IOTSEC_KEY_ID(domain, namespace, number)`.
pub type iotsec_key_id_t = u64;

/// What `load` returns when there is no record. Trouble of any kind is another number.
pub const IOTSEC_RECORD_ABSENT: iotsec_status_t = -1;

/// A place for one small record, at most `IOTSEC_RECORD_MAX` bytes. `iotsec_store_record()` makes one in
/// the encrypted store; a port without a store writes the two callbacks.
///
/// Power loss during `save` leaves the old or the new record, whole. A `save` that returned is durable.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_record_t {
    /// `sizeof(iotsec_record_t)`.
    pub struct_size: u32,
    /// Handed to both callbacks; tells records apart that share a `ctx`.
    pub id: iotsec_key_id_t,
    /// Handed to both callbacks.
    pub ctx: *mut c_void,
    /// Reads the record into `bytes`, which holds `size`, and writes its length to `len`. Returns 0,
    /// `IOTSEC_RECORD_ABSENT`, or a positive number for trouble, among which is a record that does not fit.
    pub load: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            id: iotsec_key_id_t,
            bytes: *mut u8,
            size: usize,
            len: *mut usize,
        ) -> iotsec_status_t,
    >,
    /// Replaces the record. Returns 0, or a positive number for trouble.
    pub save: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            id: iotsec_key_id_t,
            bytes: *const u8,
            len: usize,
        ) -> iotsec_status_t,
    >,
}

type Load = unsafe extern "C" fn(*mut c_void, iotsec_key_id_t, *mut u8, usize, *mut usize) -> iotsec_status_t;
type Save = unsafe extern "C" fn(*mut c_void, iotsec_key_id_t, *const u8, usize) -> iotsec_status_t;

impl iotsec_record_t {
    /// A record of an object here.
    pub(crate) fn new(id: iotsec_key_id_t, ctx: *mut c_void, load: Load, save: Save) -> Result<Self, Status> {
        Ok(Self {
            struct_size: u32::try_from(size_of::<Self>()).map_err(|_| CallError::Config)?,
            id,
            ctx,
            load: Some(load),
            save: Some(save),
        })
    }
}

/// What `load` returns for a value that was read with this status.
pub(crate) const fn loaded(status: iotsec_status_t) -> iotsec_status_t {
    match status {
        IOTSEC_ERR_STORE_NOT_FOUND => IOTSEC_RECORD_ABSENT,
        done => done,
    }
}

/// The longest record that this library keeps in an `iotsec_record_t`, but for `IOTSEC_LEDGER_RECORD_MAX`.
pub const IOTSEC_RECORD_MAX: usize = 64;

/// A record with both callbacks.
#[derive(Clone, Copy)]
pub(crate) struct CRecord(iotsec_record_t);

impl CRecord {
    /// Checks the size of the struct, and that both callbacks are there.
    pub(crate) fn new(record: iotsec_record_t) -> Result<Self, Status> {
        let record = argument::same_size(record, record.struct_size)?;
        if record.load.is_none() || record.save.is_none() {
            return Err(CallError::Null.into());
        }
        Ok(Self(record))
    }

    /// The record that is `number` further on.
    pub(crate) const fn counted(mut self, number: u64) -> Self {
        self.0.id = self.0.id.saturating_add(number);
        self
    }

    /// The length of the record, or `None` when there is none.
    pub(crate) fn load(&mut self, bytes: &mut [u8]) -> Result<Option<usize>, CallbackError> {
        let load = self.0.load.ok_or(CallbackError(CallError::Null.code()))?;
        let mut len = 0;
        // SAFETY: the callback is the caller's, called as its documentation says, with a buffer and a
        // place that are ours alone for the call.
        match unsafe {
            load(
                self.0.ctx,
                self.0.id,
                bytes.as_mut_ptr(),
                bytes.len(),
                &raw mut len,
            )
        } {
            IOTSEC_OK if len <= bytes.len() => Ok(Some(len)),
            IOTSEC_OK => Err(CallbackError(CallError::Size.code())),
            IOTSEC_RECORD_ABSENT => Ok(None),
            code => Err(CallbackError::of(code)),
        }
    }

    /// Replaces the record.
    pub(crate) fn save(&mut self, bytes: &[u8]) -> Result<(), CallbackError> {
        let save = self.0.save.ok_or(CallbackError(CallError::Null.code()))?;
        // SAFETY: the callback is the caller's, called as its documentation says, with bytes that nobody
        // writes during the call.
        match unsafe { save(self.0.ctx, self.0.id, bytes.as_ptr(), bytes.len()) } {
            IOTSEC_OK => Ok(()),
            code => Err(CallbackError::of(code)),
        }
    }
}

/// What is in a record that has one length.
pub(crate) enum Kept<const N: usize> {
    Absent,
    There([u8; N]),
    /// Not as it was written, and never again.
    Damaged,
}

impl<const N: usize> Kept<N> {
    /// What is there; nothing where a damaged record is as good as none.
    pub(crate) const fn whole(self) -> Option<[u8; N]> {
        match self {
            Self::There(bytes) => Some(bytes),
            Self::Absent | Self::Damaged => None,
        }
    }
}

impl CRecord {
    /// Reads a record that has `N` bytes.
    pub(crate) fn kept<const N: usize>(&mut self) -> Result<Kept<N>, CallbackError> {
        let damaged = [
            StoreError::Tampered.code(),
            CallError::ShortBuffer.code(),
            CallError::Size.code(),
        ];
        let mut bytes = [0; N];
        match self.load(&mut bytes) {
            Ok(None) => Ok(Kept::Absent),
            Ok(Some(len)) if len == N => Ok(Kept::There(bytes)),
            Ok(Some(_)) => Ok(Kept::Damaged),
            Err(CallbackError(code)) if damaged.contains(&code) => Ok(Kept::Damaged),
            Err(error) => Err(error),
        }
    }
}

impl ThrottleStorage for CRecord {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Self::load(self, record).map_err(|error| StorageError::of(&error))
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        Self::save(self, record).map_err(|error| StorageError::of(&error))
    }
}

/// What a callback returned; the number goes back to the caller as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallbackError(u16);

impl CallbackError {
    fn of(code: iotsec_status_t) -> Self {
        // A negative number, or one too large, is nobody's: the record failed, and that is all.
        Self(u16::try_from(code).unwrap_or(CallError::Callback.code()))
    }
}

impl ErrorCode for CallbackError {
    fn code(&self) -> u16 {
        self.0
    }

    fn fault(&self) -> Fault {
        Fault::Device
    }
}
