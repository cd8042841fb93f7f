#![doc = include_str!("../README.md")]
#![no_std]
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
// The names are the C names: what the header shows is what the source says.
#![allow(non_camel_case_types)]
#![allow(unsafe_code, reason = "the boundary to C; the only crate with unsafe")]
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(
    clippy::missing_safety_doc,
    reason = "what C must guarantee is one contract for all functions: README, \"What the caller guarantees\""
)]

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod abi;
pub mod about;
pub mod argon2id;
pub mod attest;
pub mod boot;
pub mod certificate;
pub mod counter;
pub mod detect;
pub mod device;
pub mod entropy;
pub mod erased;
pub mod flash;
pub mod guard;
pub mod input;
pub mod key;
pub mod login;
pub mod pairing;
pub mod password;
pub mod record;
pub mod retry;
pub mod root_key;
pub mod security;
pub mod setup;
pub mod signer;
pub mod status;
pub mod store;
pub mod surface;
pub mod telemetry;
pub mod trust;
pub mod update;

mod argument;
mod object;
#[cfg(all(feature = "panic-handler", not(feature = "std"), not(test)))]
mod panic;
