//! The built `iotsec`, run as a maker runs it.

mod bench;
mod key;
mod provision;
mod update;
