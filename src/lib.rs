//! Security SDK for connected devices.
#![no_std]
#![forbid(unsafe_code)]

pub use iotsec_core as core;
