//! The words that every iotsec crate shares.
//!
//! | module | what it holds |
//! |---|---|
//! | [`hal`] | hardware traits with their power-loss contracts, and flash regions |
//! | [`secret`] | key material that is wiped, silent and compared in constant time |
//! | [`crypto`] | small dyn-safe traits, and the RustCrypto suite behind them |
//! | [`cbor`] | strict deterministic CBOR: borrowing reader, slice writer |
//! | [`cose`] | COSE_Sign1 and Encrypt0 on top of it |
//! | [`credential`] | device passwords: generator, label, verifier, throttle |
//! | [`attest`] | attestation tokens (EAT, PSA): what a device runs, signed by its key |
//! | [`identity`] | what a device is to others: certificate requests, certificates, rotation |
//! | [`input`] | what comes from people and networks, parsed into types that cannot hold anything else |
//! | [`qr`] | what QR codes on labels say: our own, Wi-Fi, Matter |
//! | [`claim`](mod@claim) | what code shows about a provision of EN 303 645, said beside the code |
//! | [`error`] | what every error can say: a stable number and whose fault it is |
//!
//! Nothing here allocates, panics, reads a clock or does I/O on its own: time,
//! randomness and flash come in through arguments.
//!
//! # Features
//! `rustcrypto` and `p256` add implementations of the [`crypto`] traits, `alloc` adds
//! serde documents (always behind the strict reader), `std` adds [`hal::linux`] and nothing to the logic.
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

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod attest;
pub mod cbor;
mod checksum;
pub mod claim;
pub mod cose;
pub mod credential;
pub mod crypto;
pub mod error;
pub mod hal;
pub mod identity;
pub mod input;
pub mod qr;
pub mod secret;
