//! The built `iotsec`, run as a maker runs it.

mod bench;
mod json;
mod key;
mod provision;
mod release;
mod sign;
mod update;
