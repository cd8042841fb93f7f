//! The C interface, called as C calls it.
#![allow(unsafe_code, reason = "the functions under test take raw pointers")]
#![allow(clippy::cast_possible_truncation, reason = "sizes of small structs")]

mod about;
mod attest;
mod board;
mod certificate;
mod debug;
mod detect;
mod device;
mod every;
mod freshness;
mod header;
mod input;
mod integrity;
mod key;
mod login;
mod null;
mod planner;
mod report;
mod reserved;
mod retry;
mod store;
mod surface;
mod telemetry;
mod trust;
mod update;
