//! One function for each decoder, which takes any bytes and panics when an invariant does not hold.
//!
//! The fuzz targets under `fuzz/fuzz_targets` call these functions and nothing else. The tests of this
//! crate replay `fuzz/corpus` through them, with every seed truncated and flipped at every bit, so that
//! no fuzzer is needed to notice that an invariant broke.
//!
//! Each function returns whether the decoder accepted, which the tests use to see that a corpus has
//! inputs of both kinds.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, reason = "to panic is what this crate is for")]

pub mod boot;
pub mod caller;
pub mod cbor;
pub mod certificate;
pub mod cose;
pub mod credential;
pub mod dap;
pub mod deletion;
pub mod delta;
pub mod detect;
pub mod document;
pub mod encryption;
pub mod erased;
pub mod https;
pub mod identity;
pub mod input;
mod model;
pub mod mqtt;
pub mod mutate;
pub mod privacy;
pub mod qr;
mod recipe;
pub mod spool;
pub mod store;
pub mod suit;
pub mod surface;
mod target;
pub mod telemetry;
pub mod trust;
pub mod unit;

pub use target::{Seed, TARGETS, Target, run};
