//! Hardware traits that a port implements. Each trait's documentation is its power-loss contract.
//!
//! Flash is [`embedded_storage::nor_flash::NorFlash`] and randomness is [`rand_core::TryCryptoRng`];
//! neither is reinvented here. [`Region`] says which part of a flash belongs to whom.

mod date;
mod device_root_key;
#[cfg(all(feature = "std", unix))]
pub mod linux;
mod region;
mod time_floor;

use crate::{
    error::{ErrorCode, Fault},
    secret::Secret,
};
pub use date::Date;
pub use device_root_key::DeviceRootKey;
pub use region::{FlashError, Region};
pub use time_floor::{Reading, TimeFloor};

/// A number that never goes down, whatever happens to the flash.
///
/// Backed by OTP fuses, RPMB, a TPM NV counter, a secure element, or flash that the attacker cannot
/// write. *Power loss:* an interrupted [`advance_to`](Self::advance_to) leaves the old or the new
/// value, and the value read after the next boot is the one that stays.
pub trait MonotonicCounter {
    /// The present value.
    ///
    /// # Errors
    /// [`CounterError::Unreadable`] when there is no trustworthy value. A counter that cannot be read
    /// is not zero.
    fn read(&mut self) -> Result<u64, CounterError>;
    /// Raises the counter to `value`; a `value` at or below the present one changes nothing.
    ///
    /// # Errors
    /// [`CounterError::Exhausted`] when the hardware cannot count so far; [`CounterError::Unreadable`].
    fn advance_to(&mut self, value: u64) -> Result<(), CounterError>;
}

/// Why a counter could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// Missing, corrupt or failing.
    #[error("monotonic counter unreadable")]
    Unreadable,
    /// No room to count further.
    #[error("monotonic counter exhausted")]
    Exhausted,
}

impl ErrorCode for CounterError {
    fn code(&self) -> u16 {
        match self {
            Self::Unreadable => 1401,
            Self::Exhausted => 1402,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

/// The device's root of key derivation: a hardware unique key, PUF, secure element or TPM.
///
/// The root itself never crosses this interface. *Power loss:* none to consider, it is constant for
/// the life of the device.
pub trait RootKey {
    /// Derives 32 bytes that are independent for every `label`, and the same at every call.
    ///
    /// # Errors
    /// [`RootKeyError::Unavailable`] when the hardware refuses; [`RootKeyError::Weak`] when the root
    /// is unprogrammed or known.
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError>;
}

/// Why a root key could not derive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RootKeyError {
    /// Hardware refused or failed.
    #[error("root key unavailable")]
    Unavailable,
    /// All bytes equal, a known sample, made of public identifiers, or otherwise known to the public.
    #[error("root key is weak")]
    Weak,
}

impl ErrorCode for RootKeyError {
    fn code(&self) -> u16 {
        match self {
            Self::Unavailable => 1411,
            Self::Weak => 1412,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

/// Milliseconds since this boot. Starts at zero and does not survive a reboot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The time that has passed since `earlier`, zero if that lies ahead.
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// Seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

/// Time since boot.
pub trait Uptime {
    /// Milliseconds since this boot; never goes back while powered.
    fn uptime(&self) -> Millis;
}

/// Wall-clock time, where the device has it.
pub trait WallClock {
    /// The time, or `None` while it is not trustworthy.
    fn now(&self) -> Option<UnixTime>;
}

/// One of the two places that an image can be started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// How the boot loader is told what to start.
///
/// *Power loss:* an interrupted call leaves the old or the new choice, never none.
pub trait BootControl {
    /// The slot that was started this time.
    fn running(&self) -> Slot;
    /// Starts `slot` at the next boot, as a trial that ends by itself, or for good.
    ///
    /// # Errors
    /// [`BootControlError`] when the choice could not be stored; the old one stands.
    fn select(&mut self, slot: Slot, trial: Trial) -> Result<(), BootControlError>;
}

/// Whether a boot choice must be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trial {
    /// Fall back to the other slot unless confirmed.
    Once,
    /// Stays until told otherwise.
    Permanent,
}

/// The boot choice could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("boot choice could not be stored")]
pub struct BootControlError;

impl ErrorCode for BootControlError {
    fn code(&self) -> u16 {
        1421
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

/// What the debug interface of the chip allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DebugState {
    /// Anyone with a probe reads memory and flash.
    Open,
    /// Opens only to an authenticated probe.
    Authenticated,
    /// Closed for good.
    Closed,
}

/// The debug interface of the chip.
pub trait DebugPort {
    /// Its present state, read from the hardware.
    fn state(&self) -> DebugState;
}
