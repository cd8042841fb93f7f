use iotsec_core::{
    credential::{MemoryCost, ThrottlePolicy},
    crypto::{Aead, Kdf, MemoryHard},
    hal::{MonotonicCounter, Region, RootKey},
};
use iotsec_store::{IndexEntry, ReplayProtection};
use iotsec_telemetry::registry::HashedRegistry;

/// What all units of a model share.
#[derive(Clone, Copy)]
pub struct Product<'d> {
    /// Where the store lies.
    pub store: Region,
    /// The events that this firmware can report.
    pub events: HashedRegistry,
    /// Places of the telemetry queue that are kept for critical events.
    pub reserve: usize,
    /// How fast, and how often, passwords may be tried.
    pub throttle: ThrottlePolicy,
    /// What the device computes with.
    pub suite: Suite<'d>,
}

/// The algorithms, in software or in hardware.
#[derive(Clone, Copy)]
pub struct Suite<'d> {
    /// Seals what is stored; must survive a repeated nonce, as AES-256-GCM-SIV does. `ChaCha20HmacSiv` takes less flash
    /// where nothing computes AES; a device keeps for its life the one that it began with.
    pub storage: &'d dyn Aead,
    /// Seals what is sent; must have a COSE number, as ChaCha20-Poly1305 does.
    pub wire: &'d dyn Aead,
    /// Derives keys.
    pub kdf: &'d dyn Kdf,
}

/// A function that costs memory, and how much of it new verifiers cost.
#[derive(Clone, Copy)]
pub(crate) struct MemoryHardness<'d> {
    pub(crate) function: &'d dyn MemoryHard,
    pub(crate) cost: MemoryCost,
}

/// The unit's own hardware.
///
/// The flash and the entropy source belong to the device; several parts of it use them in turn.
pub struct Hardware<'d, F, R> {
    /// Flash that holds store, slots and journal.
    pub flash: F,
    /// Entropy.
    pub rng: R,
    /// A number that an attacker who writes the flash cannot take back.
    pub counter: &'d mut dyn MonotonicCounter,
    /// The hardware unique key.
    pub root: &'d dyn RootKey,
    /// Whether an earlier image of the store is noticed; takes another number than `counter`.
    pub replay: ReplayProtection<'d>,
}

/// RAM that the device works in.
pub struct Memory<'d> {
    /// One entry for each key in the store; the life cycle itself takes twenty-two, with
    /// [pseudonyms](super::Device::pseudonym) twenty-eight, with a [spool](super::Device::mount_spool) three more, with
    /// a [guard](super::Device::guard) and [baselines](super::Device::baseline) two, and a few more for moments.
    pub index: &'d mut [IndexEntry],
    /// One record of the store: 24 bytes more than the longest value, and at least 84; with a set-up
    /// code at least 149, with a network up to 280.
    pub record: &'d mut [u8],
}

impl core::fmt::Debug for Product<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Product")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Suite<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Suite")
            .field("storage", &self.storage.algorithm())
            .field("wire", &self.wire.algorithm())
            .finish_non_exhaustive()
    }
}

impl<F, R> core::fmt::Debug for Hardware<'_, F, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Hardware(..)")
    }
}

impl core::fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Memory")
            .field("keys", &self.index.len())
            .field("record", &self.record.len())
            .finish()
    }
}
