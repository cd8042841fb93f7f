//! The built `iotsec`, run as a maker runs it.

mod bench;
mod delta;
mod encrypt;
mod json;
mod key;
mod provision;
mod release;
mod sign;
mod trust;
mod update;
