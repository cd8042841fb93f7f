//! Secure communication for devices, and calm when there is none.
//!
//! Nothing in `no_std` modules opens a socket, reads a clock or allocates: bytes, time and randomness come in
//! through arguments. What an operating system gives (TLS on rustls, transports, the audit of sockets) stands behind
//! features.
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

#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "certificate")]
pub mod certificate;
#[cfg(feature = "https")]
pub mod https;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub mod retry;
pub mod surface;
pub mod time;
#[cfg(feature = "tls")]
pub mod tls;
