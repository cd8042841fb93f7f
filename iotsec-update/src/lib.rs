//! Signed updates: SUIT manifests (draft-ietf-suit-manifest-37) authenticated, admitted, installed,
//! tried, accepted or reverted.
//!
//! Each step leaves a token that the next one takes, so a skipped check does not compile:
//!
//! ```text
//! bytes ─ Envelope::parse ─► Envelope ─ authenticate ─► Authenticated ─ admit ─► Accepted ─ install …
//!                                                                └─ admit_for_boot ─► Bootable
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`envelope`] | the outer map, read without touching the manifest, and the [`Limits`] |
//! | [`authenticate`] | trust anchors, thresholds, the signature check |
//! | [`manifest`] | sequence numbers, component identifiers, the manifest's own map |
//! | [`admission`] | the device's identity and policy, and the check that an authentic manifest is safe |
//! | [`plan`] | what admission leaves: a bounded list of what to install and what to start |
//! | [`payload`] | how the bytes that arrive become the image: chunk digests, encodings, decoders |
//! | [`slot`] | where images and their envelopes live in flash |
//! | [`install`] | the updater: streaming into the staging slot, read-back, trial, accept or reject |
//! | [`boot`] | which slot to start, what a power cut leaves, the journal's byte table |
//! | [`rollback`] | sequence number and security counter |
//! | [`policy`] | when to check, when to install, what the owner decides |
//! | [`report`] | the outcome, signed, for the server |
//! | [`trust`] | who may sign: trust bundles and their rotation, freshness, downgrade tokens; `TRUST.md` |
//! | [`builder`] | the encoder, into a slice, for hosts, tests and examples |
//! | `linux` | with the feature `std`: partitions and files as flash, the environment of U-Boot |
//! | `mcuboot` | with the feature `mcuboot`: images and trailers of MCUboot, and a boot loader for them |
//! | [`error`] | every reason for a refusal, each with its number |
//!
//! [`EnvelopeBuilder`](builder::EnvelopeBuilder) shows the way from a signature to an [`Accepted`] in one
//! example. The accepted subset, its CDDL and its limits are in `FORMAT.md` beside this crate's manifest.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod admission;
pub mod authenticate;
pub mod boot;
pub mod builder;
mod checksum;
mod command;
mod digest;
pub mod envelope;
pub mod error;
mod fault;
#[cfg(test)]
mod forge;
pub mod install;
mod journal;
#[cfg(all(feature = "std", unix))]
pub mod linux;
pub mod manifest;
#[cfg(feature = "mcuboot")]
pub mod mcuboot;
pub mod payload;
pub mod plan;
pub mod policy;
pub mod report;
pub mod rollback;
pub mod slot;
pub mod trust;

pub use admission::{DeviceComponent, DeviceIdentity, Policy};
pub use authenticate::{Authenticated, TrustAnchor, TrustAnchors};
pub use envelope::{Envelope, Limits};
pub use error::UpdateError;
pub use install::Updater;
pub use manifest::{ComponentId, SequenceNumber};
pub use plan::{Accepted, Bootable, ComponentPlan, Source};
