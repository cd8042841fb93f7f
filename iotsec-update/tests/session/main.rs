//! Updates of several components, and of payloads that are more than images.
#![allow(unreachable_pub, reason = "no crate uses a test")]

mod components;
mod copied;
mod kit;
mod payloads;
mod power_cut;
