//! The device's identity and policy, and the check that an authentic manifest is safe.

use crate::manifest::{ComponentId, SequenceNumber};
use iotsec_core::hal::UnixTime;

/// A place on this device that a manifest can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceComponent<'a> {
    /// Its name.
    pub id: ComponentId<'a>,
    /// The largest image that fits, in bytes.
    pub capacity: u32,
    /// For components with several slots: the one that is written (for an update) or started (for a boot).
    pub slot: Option<u64>,
}

/// What this device is.
#[derive(Clone, Copy, Debug)]
pub struct DeviceIdentity<'a> {
    /// Vendor identifier: a version 5 UUID of the maker's domain name.
    pub vendor: [u8; 16],
    /// Class identifier: a version 5 UUID of the model in the vendor's name space.
    pub class: [u8; 16],
    /// Identifier of this one device, where it has one.
    pub device: Option<[u8; 16]>,
    /// What can be updated.
    pub components: &'a [DeviceComponent<'a>],
}

/// What this device accepts at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The sequence number of the manifest accepted last; lower ones are refused.
    pub installed: SequenceNumber,
    /// Whether a manifest with just that number may be installed again.
    pub reinstall: bool,
    /// How far a sequence number may lie above `installed`: a cap on fast-forward attacks.
    pub max_jump: u64,
    /// Trusted time. Without it, a manifest with an expiry date is refused.
    pub now: Option<UnixTime>,
}
