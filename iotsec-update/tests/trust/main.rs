//! Trust bundles, statements and tokens, as a maker signs them and an attacker bends them.
#![allow(unreachable_pub, reason = "shared between modules of one test")]

mod bundle;
mod maker;
mod rotation;
mod statement;
mod store;
