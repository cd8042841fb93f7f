//! Trust bundles, statements and tokens, as a maker signs them and an attacker bends them.
#![allow(unreachable_pub, reason = "shared between modules of one test")]
#![allow(clippy::cast_possible_truncation, reason = "small numbers in tests")]

mod bundle;
#[allow(dead_code, reason = "the whole device of another test")]
#[path = "../install/device.rs"]
mod device;
mod downgrade;
mod maker;
mod rotation;
mod statement;
mod store;
mod vectors;
