//! Security for connected devices, as a library that device makers build into their firmware.
//!
//! One package in front of focused crates. Nothing is on by default:
//!
//! | feature | what it adds |
//! |---|---|
//! | – | [`core`]: hardware traits, secrets, strict CBOR and COSE, credentials; [`erase`]: deletion receipts |
//! | `store` | [`store`]: encrypted, power-cut-safe key store on NOR flash; [`identity`]: the device's identity in it |
//! | `update` | [`update`]: SUIT manifests, installation, trial boot, revert |
//! | `update-mcuboot` | `update::mcuboot`: images and trailers of MCUboot |
//! | `telemetry` | [`telemetry`]: registry, consent, queues in memory and in flash, sealed batches, private reports, detectors |
//! | `telemetry-prio3` | `telemetry::prio3`: two servers learn a sum, and neither learns about one device |
//! | `telemetry-dap` | `telemetry::dap`: its shares as reports of the Distributed Aggregation Protocol |
//! | `net` | [`net`]: when to try again, the interface table, time without a clock |
//! | `net` and others | [`connection`]: anchors from the trust bundle, records of the network in the store |
//! | `certificate` | `net::certificate`: whether a server is who it says |
//! | `tls` | `net::tls`: hardened TLS on rustls, with the cryptography of `ring` or `aws-lc` |
//! | `mqtt`, `https` | `net::mqtt`, `net::https`: transports over it |
//! | `device` | [`device`]: the typed life cycle that ties all of it together; [`setup`]: from the label to an owner; [`status`]: whether it is set up securely |
//! | `rustcrypto` | the RustCrypto suite behind the [`core::crypto`] traits |
//! | `p256` | ECDSA P-256 keys |
//! | `hpke` | messages that one recipient reads (RFC 9180): batches sealed to a service's public key |
//! | `pairing` | [`core::credential::pairing`]: the set-up code on the label makes keys for the first conversation |
//! | `alloc` | serde documents behind the strict reader, [`factory`] batches |
//! | `std` | operating-system conveniences |
//! | `full` | all of the above |
//!
//! Features only add: none changes what another does. Everything up to `p256` works without an
//! allocator, does no I/O of its own and has no reachable panic: flash, time and randomness come in
//! through arguments.
//!
//! Start with [`device::Device`], and with `examples/device_life`, which plays a device's whole life
//! with the same state machines as firmware. To take a part only, use the module of that part: each
//! stands alone.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "net")]
pub mod connection;
#[cfg(feature = "device")]
pub mod device;
pub mod erase;
#[cfg(feature = "alloc")]
pub mod factory;
pub mod guideline;
#[cfg(feature = "store")]
pub mod identity;
#[cfg(doctest)]
mod readme;
#[cfg(feature = "device")]
pub mod setup;
#[cfg(feature = "device")]
pub mod status;

pub use iotsec_core as core;
#[cfg(feature = "net")]
pub use iotsec_net as net;
#[cfg(feature = "store")]
pub use iotsec_store as store;
#[cfg(feature = "telemetry")]
pub use iotsec_telemetry as telemetry;
#[cfg(feature = "update")]
pub use iotsec_update as update;
