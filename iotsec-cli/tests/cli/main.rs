//! The built `iotsec`, run as a maker runs it.

mod attest;
mod bench;
mod ca;
mod delta;
mod device;
mod disclose;
mod encrypt;
mod erased;
mod evidence;
mod export;
mod guide;
mod install;
mod json;
mod key;
mod labels;
mod product;
mod provision;
mod readme;
mod release;
mod sign;
mod surface;
mod telemetry;
mod trust;
mod update;
mod validate;
